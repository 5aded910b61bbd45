/* SPDX-License-Identifier: MIT */
/* Power on, interrupts, the other CPUs, console, clock, power off. */
#include "ports/bare/x86_64/machine.h"

#define APIC          (X86_DEVICES + 0x1e00000U)
#define APIC_EOI      0x0b0U
#define APIC_SPURIOUS 0x0f0U
#define APIC_ICR      0x300U
#define APIC_ICR_HIGH 0x310U

#define APIC_ON 0x100U

#define ICR_INIT    0x4500U
#define ICR_STARTUP 0x4600U
#define ICR_BUSY    0x1000U

#define HPET         (X86_DEVICES + 0x1d00000U)
#define HPET_CONFIG  0x010U
#define HPET_COUNTER 0x0f0U

#define COM1 0x3f8
#define PIC1 0x21
#define PIC2 0xa1
#define EXIT 0xf4 /* isa-debug-exit */

/* SDM 3A 6.14.1. */
struct gate {
	uint16_t offset_low, selector;
	uint8_t stack, type;
	uint16_t offset_mid;
	uint32_t offset_high, zero;
};

/* SDM 3A 8.7: 64-bit fields at odd places. */
struct task {
	uint32_t zero;
	uint32_t rsp0[2];
	uint32_t unused[22];
	uint32_t io_map;
};

/* What the PVH loader tells (Xen's start_info.h). */
struct pvh_info {
	uint32_t magic, version, flags, modules;
	uint64_t module_list, command_line, rsdp, memory_map;
	uint32_t memory_ranges;
};
struct pvh_range {
	uint64_t start, bytes;
	uint32_t type, zero;
};
#define PVH_RAM 1

extern const struct pvh_info *x86_pvh_info;
extern uint64_t x86_started;
extern const char x86_stubs[], x86_trampoline[], x86_trampoline_end[], x86_image_end[];

const char bare_arch[] = "x86-64";
cop_pa bare_ram_start, bare_ram_end, bare_image_end;
struct x86_cpu x86_cpus[BARE_CPUS];

static struct gate idt[256] __attribute__((aligned(16)));
static struct task task[BARE_CPUS];
static uint8_t trap_stack[BARE_CPUS][X86_STACK] __attribute__((aligned(16))); /* of traps from user code */

static volatile uint32_t *device(uint32_t at)
{
	return (volatile uint32_t *)(uintptr_t)at;
}

/* ---- power on ---- */

static void set_gate(unsigned vector, unsigned privilege)
{
	const uint64_t at = (uint64_t)(uintptr_t)x86_stubs + 16 * (uint64_t)vector;

	idt[vector] = (struct gate){
		.offset_low = (uint16_t)at,
		.selector = X86_CODE,
		.type = (uint8_t)(0x8e | privilege << 5),
		.offset_mid = (uint16_t)(at >> 16),
		.offset_high = (uint32_t)(at >> 32),
	};
}

static void load_tables(unsigned cpu)
{
	const uint64_t base = (uint64_t)(uintptr_t)&task[cpu], top = (uint64_t)(uintptr_t)(trap_stack[cpu] + X86_STACK);
	uint64_t *segment = &x86_gdt[X86_TASK / 8 + 2 * cpu];
	const struct {
		uint16_t limit;
		uint64_t base;
	} __attribute__((packed)) pointer = {sizeof(idt) - 1, (uint64_t)(uintptr_t)idt};

	task[cpu].rsp0[0] = (uint32_t)top;
	task[cpu].rsp0[1] = (uint32_t)(top >> 32);
	task[cpu].io_map = (uint32_t)sizeof(struct task) << 16;
	segment[0] = (sizeof(struct task) - 1) | (base & 0xffffff) << 16 | 0x89ULL << 40 | (base >> 24 & 0xff) << 56;
	segment[1] = base >> 32;
	__asm__ volatile("lidt %0" : : "m"(pointer));
	__asm__ volatile("ltr %w0" : : "r"(X86_TASK + 16 * cpu));
}

/* Memory types where the format expects them; the kernel neither runs nor reads what is the user's. */
static void set_up_paging(void)
{
	const struct x86_cpuid features = x86_cpuid(7);
	uint64_t cr4 = x86_cr4();

	x86_wrmsr(X86_MSR_PAT, 0x0407050600070106);
	if (features.b & 1U << 7)
		cr4 |= X86_CR4_SMEP;
	if (features.b & 1U << 20)
		cr4 |= X86_CR4_SMAP;
	/* CR3 is a table's address, so the PCID is 0 now, as the switch asks for (SDM 3A 4.10.1). */
	if (x86_cpuid(1).c & 1U << 17)
		cr4 |= X86_CR4_PCIDE;
	x86_set_cr4(cr4);
}

/* The stretch of memory that the image lies in. */
static void find_memory(void)
{
	const struct pvh_range *range = (const struct pvh_range *)(uintptr_t)x86_pvh_info->memory_map;

	bare_image_end = (cop_pa)(uintptr_t)x86_image_end;
	for (unsigned i = 0; i < x86_pvh_info->memory_ranges; i++) {
		if (range[i].type != PVH_RAM || range[i].start >= bare_image_end ||
		    range[i].start + range[i].bytes < bare_image_end)
			continue;
		bare_ram_start = range[i].start;
		bare_ram_end = range[i].start + range[i].bytes;
	}
}

static void first_cpu(void)
{
	for (unsigned v = 0; v < 256; v++)
		set_gate(v, v == X86_VECTOR_CALL ? 3 : 0);
	/* The firmware's timer; its vectors are exceptions here. */
	x86_out(PIC1, 0xff);
	x86_out(PIC2, 0xff);
	*device(HPET + HPET_CONFIG) = 1; /* it counts */
	x86_map_user_code();
	find_memory();
}

void x86_main(unsigned cpu)
{
	struct bare_cpu *self = &bare_cpus[cpu];

	/* No selector but SS, so that a return to user code finds none to take away. */
	__asm__ volatile("mov %0, %%ds\n\tmov %0, %%es\n\tmov %0, %%fs\n\tmov %0, %%gs" : : "r"(0));
	self->cpu = cpu;
	self->scratch[0] = (uint64_t)(uintptr_t)self;
	x86_wrmsr(X86_MSR_GS, self->scratch[0]);
	if (cpu == 0)
		first_cpu();
	load_tables(cpu);
	set_up_paging();
	x86_mmu_recall();
	*device(APIC + APIC_SPURIOUS) = APIC_ON | X86_VECTOR_SPURIOUS;
	if (cpu == 0)
		bare_begin();
	bare_begin_secondary();
}

/* ---- interrupts ---- */

static void icr(unsigned cpu, uint32_t command)
{
	const uintptr_t irqs = bare_irq_off();

	while (*device(APIC + APIC_ICR) & ICR_BUSY)
		bare_pause();
	*device(APIC + APIC_ICR_HIGH) = cpu << 24;
	*device(APIC + APIC_ICR) = command;
	if (irqs)
		bare_irq_on();
}

void bare_kick(unsigned cpu)
{
	icr(cpu, X86_VECTOR_IPI);
}

/* Is it there within so long? */
static bool comes_up(unsigned cpu, uint64_t us)
{
	const uint64_t began = bare_clock_ns();
	uint32_t online;

	while (!(online = cop_load(&bare_cpus[cpu].online, acquire)) && bare_clock_ns() - began < us * 1000)
		bare_pause();
	return online;
}

/*
 * SDM 3A 8.4.4.1: INIT, 10 ms, and up to two STARTUPs 200 us apart. CPU numbers are APIC numbers here. Nobody says that
 * there is no such CPU.
 */
int bare_cpu_boot(unsigned cpu)
{
	__builtin_memcpy((void *)(uintptr_t)X86_TRAMPOLINE, x86_trampoline,
			 (size_t)(x86_trampoline_end - x86_trampoline));
	x86_started = cpu;
	icr(cpu, ICR_INIT);
	(void)comes_up(cpu, 10000);
	icr(cpu, ICR_STARTUP | X86_TRAMPOLINE >> 12);
	if (comes_up(cpu, 200))
		return 0;
	icr(cpu, ICR_STARTUP | X86_TRAMPOLINE >> 12);
	return comes_up(cpu, 1000000) ? 0 : -COP_EIO;
}

static void resume_probe(struct x86_probe *probe, struct x86_frame *frame)
{
	probe->vector = frame->vector;
	probe->error = frame->error;
	probe->cr2 = x86_cr2();
	probe->value = frame->rax;
	frame->rip = probe->rip;
	frame->rsp = probe->rsp;
	frame->cs = X86_CODE;
	frame->ss = X86_DATA;
	frame->flags = 2;
	probe->rip = 0;
}

COP_NORETURN static void unexpected(const struct x86_frame *f)
{
	static const char *const names[] = {"vector", "error", "cr0", "cr3", "cr4", "cs",  "flags", "rsp",
					    "rax",    "rbx",   "rcx", "rdx", "rsi", "rdi", "rbp",   "r8",
					    "r9",     "r10",   "r11", "r12", "r13", "r14", "r15"};
	const uint64_t values[] = {f->vector, f->error, x86_cr0(), x86_cr3(), x86_cr4(), f->cs,  f->flags, f->rsp,
				   f->rax,    f->rbx,   f->rcx,    f->rdx,    f->rsi,    f->rdi, f->rbp,   f->r8,
				   f->r9,     f->r10,   f->r11,    f->r12,    f->r13,    f->r14, f->r15};
	const bool page = f->vector == 14;
	const struct bare_trap trap = {
		.what = page ? "page fault" : "exception",
		.pc = f->rip,
		.va = page ? x86_cr2() : 0,
		.translated = page,
		.names = names,
		.values = values,
		.count = sizeof(values) / sizeof(values[0]),
	};

	bare_trapped(&trap);
}

void x86_trap(struct x86_frame *frame)
{
	struct x86_probe *probe = &x86_self()->probe;

	if (frame->vector == X86_VECTOR_IPI) {
		*device(APIC + APIC_EOI) = 0;
		bare_interrupt();
	} else if (frame->vector == X86_VECTOR_SPURIOUS) {
		return; /* SDM 3A 10.9: without an EOI */
	} else if (probe->rip) {
		resume_probe(probe, frame);
	} else if (frame->vector != 14 || !bare_adopt()) {
		unexpected(frame);
	}
}

/* ---- console, clock, end ---- */

void bare_putc(char c)
{
	while (!(x86_in(COM1 + 5) & 0x20))
		bare_pause();
	x86_out(COM1, (uint8_t)c);
}

/* QEMU's ticks every 10 ns. */
uint64_t bare_clock_ns(void)
{
	return *(volatile uint64_t *)(uintptr_t)(HPET + HPET_COUNTER) * 10;
}

void bare_off(void)
{
	for (;;) {
		x86_out(EXIT, 0);
		__asm__ volatile("cli\n\thlt");
	}
}
