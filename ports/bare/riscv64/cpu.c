/* SPDX-License-Identifier: MIT */
/* The machine but for its MMU: traps, other harts and interrupts between them (SBI), console (16550), clock, the end. */
#include "ports/bare/riscv64/cpu.h"

const char bare_arch[] = "riscv64";
#ifdef BARE_MACHINE_MODE
cop_pa bare_ram_start = BARE_RAM_BASE;
#else
cop_pa bare_ram_start = BARE_KERNEL_BASE;
#endif
cop_pa bare_ram_end = BARE_RAM_BASE + BARE_RAM_BYTES, bare_image_end = BARE_FREE_BASE;
uint64_t bare_boot_hart;

/* ---- SBI ---- */

#define SBI_IPI 0x735049
#define SBI_HSM 0x48534d

struct sbi_ret bare_sbi(uint64_t extension, uint64_t function, uint64_t arg0, uint64_t arg1, uint64_t arg2,
			uint64_t arg3, uint64_t arg4)
{
	register uint64_t a0 __asm__("a0") = arg0;
	register uint64_t a1 __asm__("a1") = arg1;
	register uint64_t a2 __asm__("a2") = arg2;
	register uint64_t a3 __asm__("a3") = arg3;
	register uint64_t a4 __asm__("a4") = arg4;
	register uint64_t a6 __asm__("a6") = function;
	register uint64_t a7 __asm__("a7") = extension;

	__asm__ volatile("ecall" : "+r"(a0), "+r"(a1) : "r"(a2), "r"(a3), "r"(a4), "r"(a6), "r"(a7) : "memory");
	return (struct sbi_ret){(int64_t)a0, (int64_t)a1};
}

/* Firmware starts any hart first: that is CPU 0, and hart 0 takes its place. */
uint64_t bare_hart_of(unsigned cpu)
{
	if (cpu == 0)
		return bare_boot_hart;
	return cpu == bare_boot_hart ? 0 : cpu;
}

int bare_cpu_boot(unsigned cpu)
{
	bare_cpus[cpu].cpu = cpu;
	bare_mmu_remember();
	return bare_sbi(SBI_HSM, 0, bare_hart_of(cpu), (uintptr_t)bare_secondary, (uintptr_t)&bare_cpus[cpu], 0, 0)
			       .error
		       ? -COP_EIO
		       : 0;
}

void bare_kick(unsigned cpu)
{
	__asm__ volatile("fence w, ow" ::
				 : "memory"); /* the mail before the bell, which to firmware is a device's register */
	bare_sbi(SBI_IPI, 0, COP_LG2(bare_hart_of(cpu)), 0, 0, 0, 0);
}

/* ---- console, clock, the end ---- */

static volatile uint8_t *uart(unsigned reg)
{
	return (volatile uint8_t *)(uintptr_t)(BARE_UART + reg);
}

void bare_putc(char c)
{
	while (!(*uart(5) & 0x20)) /* LSR: transmitter empty */
		bare_pause();
	*uart(0) = (uint8_t)c;
}

/* rdtime counts 100 ns here. */
uint64_t bare_clock_ns(void)
{
	return READ_CSR(time) * 100;
}

void bare_off(void)
{
	*(volatile uint32_t *)(uintptr_t)BARE_FINISHER = 0x5555;
	for (;;)
		bare_pause();
}

/* ---- traps ---- */

/* As bare_vector in start.S stores it. */
struct frame {
	uint64_t x[32];
	uint64_t pc, status, pad[2];
};

static const char *const names[] = {
	"zero", "ra", "sp",  "gp",  "tp", "t0", "t1", "t2", "s0", "s1",     "a0",    "a1",
	"a2",   "a3", "a4",  "a5",  "a6", "a7", "s2", "s3", "s4", "s5",     "s6",    "s7",
	"s8",   "s9", "s10", "s11", "t3", "t4", "t5", "t6", "pc", "status", "cause", "tval",
};

static const char *what_of(uint64_t cause)
{
	static const char *const causes[] = {
		"misaligned fetch", "fetch access fault", "illegal instruction", "breakpoint",
		"misaligned load",  "load access fault",  "misaligned store",    "store access fault",
		"user's call",      "supervisor's call",  "exception",           "machine's call",
		"fetch page fault", "load page fault",    "exception",           "store page fault",
	};

	if (cause & CAUSE_INTERRUPT)
		return "interrupt";
	return cause < sizeof(causes) / sizeof(causes[0]) ? causes[cause] : "exception";
}

static COP_NORETURN void unexpected(const struct frame *f, uint64_t cause)
{
	uint64_t values[36];
	struct bare_trap trap = {.what = what_of(cause),
				 .pc = f->pc,
				 .va = READ_CSR(CSR_TVAL),
				 .translated = cause == 12 || cause == 13 || cause == 15,
				 .names = names,
				 .values = values,
				 .count = 36};

	values[0] = 0;
	for (unsigned i = 1; i < 34; i++)
		values[i] = ((const uint64_t *)f)[i];
	values[34] = cause;
	values[35] = trap.va;
	bare_trapped(&trap);
}

/* A page fault does not say at which level, nor whether the entry was invalid or forbade the access. */
struct bare_outcome bare_fault_of(uint64_t cause)
{
	struct bare_outcome out = {.fault = BARE_OTHER, .level = BARE_LEVEL_UNKNOWN, .pa = COP_PA_NONE};

	if (cause == 12 || cause == 13 || cause == 15)
		out.fault = BARE_TRANSLATION;
	else if (cause == 1 || cause == 5 || cause == 7)
		out.fault = BARE_EXTERNAL;
	return out;
}

void bare_exception(struct frame *f)
{
	const uint64_t cause = READ_CSR(CSR_CAUSE);
	struct bare_cpu *self = bare_self();

	if (cause == (CAUSE_INTERRUPT | 1)) {
		CLEAR_CSR(sip, 2);
		bare_interrupt();
		return;
	}
#ifdef BARE_MACHINE_MODE
	/* Whatever mode was made to access memory or to run: back to this one, with its own memory. */
	if (self->scratch[1]) {
		self->scratch[0] = cause;
		f->pc = self->scratch[1];
		f->status = (f->status & ~MSTATUS_MPRV) | MSTATUS_MPP;
		return;
	}
#endif
	if (self->touching && (cause == 13 || cause == 15 || cause == 5 || cause == 7)) {
		self->scratch[0] = cause;
		self->touching = 0;
		f->pc = (uintptr_t)bare_touch_failed;
		return;
	}
	if ((cause == 13 || cause == 15) && bare_adopt())
		return;
	unexpected(f, cause);
}

struct bare_outcome bare_touch(cop_va va, unsigned access, uint64_t value)
{
	struct bare_cpu *self = bare_self();
	const bool store = (access & BARE_ACCESS_MASK) == BARE_WRITE;
	struct bare_outcome out = {.pa = COP_PA_NONE, .level = BARE_LEVEL_UNKNOWN};
	uint64_t got;

	cop_store(&self->touching, 1U, relaxed);
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	got = store ? bare_touch_store(va, value) : bare_touch_load(va);
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	if (!cop_load(&self->touching, relaxed)) {
		out = bare_fault_of(self->scratch[0]);
		/* The entry says which, if it still is what it was. */
		if (store && out.fault == BARE_TRANSLATION && bare_tree &&
		    cop_translate(bare_tree, va).pa != COP_PA_NONE)
			out.fault = BARE_PERMISSION;
		return out;
	}
	cop_store(&self->touching, 0U, relaxed);
	out.value = got;
	return out;
}

/* ---- on every CPU, first of all ---- */

void bare_cpu_init(void)
{
	WRITE_CSR(CSR_TVEC, (uintptr_t)bare_vector);
#ifdef BARE_MACHINE_MODE
	/* Physical memory protection lets the other modes at everything; Svpbmt is theirs to use. */
	WRITE_CSR(pmpaddr0, ~0ULL);
	WRITE_CSR(pmpcfg0, 0x1f);
#else
	SET_CSR(sie, 2); /* software interrupts */
	bare_mmu_recall();
#endif
}
