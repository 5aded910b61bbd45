/* SPDX-License-Identifier: MIT */
/* The machine but for its MMU: exceptions, interrupts (GICv2), other CPUs and the end (PSCI), console (PL011), clock. */
#include "ports/bare/arm64/cpu.h"

const char bare_arch[] = "arm64";
cop_pa bare_ram_start = BARE_RAM_BASE, bare_ram_end = BARE_RAM_BASE + BARE_RAM_BYTES, bare_image_end = BARE_FREE_BASE;

static volatile uint32_t *reg32(uint64_t at)
{
	return (volatile uint32_t *)(uintptr_t)at;
}

bool bare_at_el2(void)
{
	return READ_SYSREG(CurrentEL) == 2 << 2;
}

/* ---- PSCI (DEN 0022): the conduit is HVC unless this is EL2 itself ---- */

#define PSCI_SYSTEM_OFF 0x84000008ULL
#define PSCI_CPU_ON     0xc4000003ULL

static int64_t psci(uint64_t fn, uint64_t a, uint64_t b, uint64_t c)
{
	register uint64_t x0 __asm__("x0") = fn;
	register uint64_t x1 __asm__("x1") = a;
	register uint64_t x2 __asm__("x2") = b;
	register uint64_t x3 __asm__("x3") = c;

	if (bare_at_el2())
		__asm__ volatile("smc #0" : "+r"(x0), "+r"(x1), "+r"(x2), "+r"(x3)::"memory");
	else
		__asm__ volatile("hvc #0" : "+r"(x0), "+r"(x1), "+r"(x2), "+r"(x3)::"memory");
	return (int64_t)x0;
}

void bare_off(void)
{
	psci(PSCI_SYSTEM_OFF, 0, 0, 0);
	for (;;)
		bare_pause();
}

int bare_cpu_boot(unsigned cpu)
{
	int64_t err;

	bare_cpus[cpu].cpu = cpu;
	bare_mmu_remember();
	err = psci(PSCI_CPU_ON, cpu, (uintptr_t)bare_secondary, (uintptr_t)&bare_cpus[cpu]);
	return err ? -COP_EIO : 0;
}

/* ---- console and clock ---- */

void bare_putc(char c)
{
	while (*reg32(BARE_UART + 0x18) & 0x20) /* UARTFR.TXFF */
		bare_pause();
	*reg32(BARE_UART) = (uint32_t)c;
}

uint64_t bare_clock_ns(void)
{
	const uint64_t ticks = READ_SYSREG(cntvct_el0), hz = READ_SYSREG(cntfrq_el0);

	return ticks / hz * 1000000000 + ticks % hz * 1000000000 / hz;
}

/* ---- interrupts ---- */

static void gic_init(void)
{
	*reg32(BARE_GICD + 0x000) = 1;      /* GICD_CTLR: enable */
	*reg32(BARE_GICD + 0x100) = 0xffff; /* GICD_ISENABLER0: the software-generated ones */
	*reg32(BARE_GICC + 0x004) = 0xff;   /* GICC_PMR: all priorities */
	*reg32(BARE_GICC + 0x000) = 1;      /* GICC_CTLR: enable */
}

void bare_kick(unsigned cpu)
{
	__asm__ volatile("dsb ishst" ::: "memory"); /* the mail before the bell */
	*reg32(BARE_GICD + 0xf00) = 1U << (16 + cpu);
}

static void interrupted(void)
{
	const uint32_t which = *reg32(BARE_GICC + 0x00c);

	if ((which & 0x3ff) >= 1020)
		return;
	*reg32(BARE_GICC + 0x010) = which;
	bare_interrupt();
}

/* ---- exceptions ---- */

#define PSTATE_EL2H_MASKED 0x3c9

/* As save in start.S stores it. */
struct frame {
	uint64_t x[31];
	uint64_t sp, pc, pstate, pad[2];
};

static const char *const names[] = {
	"x0",  "x1",  "x2",  "x3",  "x4",  "x5",  "x6",  "x7",  "x8",  "x9",     "x10", "x11",
	"x12", "x13", "x14", "x15", "x16", "x17", "x18", "x19", "x20", "x21",    "x22", "x23",
	"x24", "x25", "x26", "x27", "x28", "x29", "lr",  "sp",  "pc",  "pstate", "esr", "far",
};

static const char *what_of(uint64_t esr, unsigned vector)
{
	switch (vector & 3) {
	case 1:
		return "IRQ";
	case 2:
		return "FIQ";
	case 3:
		return "SError";
	default:
		break;
	}
	switch (esr >> 26) {
	case 0x20:
	case 0x21:
		return "instruction abort";
	case 0x24:
	case 0x25:
		return "data abort";
	case 0x26:
	case 0x22:
		return "misalignment";
	case 0:
		return "undefined instruction";
	default:
		return "exception";
	}
}

static COP_NORETURN void unexpected(const struct frame *f, unsigned vector, uint64_t esr, uint64_t far)
{
	uint64_t values[36];
	struct bare_trap trap = {
		.what = what_of(esr, vector), .pc = f->pc, .va = far, .names = names, .values = values};

	for (unsigned i = 0; i < 34; i++)
		values[i] = ((const uint64_t *)f)[i];
	values[34] = esr;
	values[35] = far;
	trap.count = 36;
	trap.translated = (esr >> 26 & 0x3a) == 0x20;
	bare_trapped(&trap);
}

/* D17.2.37 ESR_EL1: aborts say why in the lowest six bits, and translation faults at which level. */
struct bare_outcome bare_fault_of(uint64_t fsc)
{
	static const uint8_t kinds[] = {BARE_ADDRESS_SIZE, BARE_TRANSLATION, BARE_ACCESS_FLAG, BARE_PERMISSION};
	struct bare_outcome out = {.fault = BARE_OTHER, .level = BARE_LEVEL_UNKNOWN, .pa = COP_PA_NONE};

	fsc &= 0x3f;
	if (fsc < 16) {
		out.fault = kinds[fsc >> 2];
		out.level = (uint8_t)(3 - (fsc & 3));
	} else if (fsc == 0x29 || fsc == 0x2b) { /* level -1, FEAT_LPA2 */
		out.fault = fsc == 0x29 ? BARE_ADDRESS_SIZE : BARE_TRANSLATION;
		out.level = 4;
	} else if (fsc == 0x13) {
		out.fault = BARE_EXTERNAL;
		out.level = 4;
	} else if (fsc == 0x10 || fsc >> 2 == 5) {
		out.fault = BARE_EXTERNAL;
		out.level = fsc == 0x10 ? BARE_LEVEL_UNKNOWN : (uint8_t)(3 - (fsc & 3));
	}
	return out;
}

void bare_exception(unsigned vector, struct frame *f)
{
	const bool el2 = bare_at_el2();
	const uint64_t esr = el2 ? READ_SYSREG(esr_el2) : READ_SYSREG(esr_el1);
	const uint64_t far = el2 ? READ_SYSREG(far_el2) : READ_SYSREG(far_el1);
	struct bare_cpu *self = bare_self();

	if ((vector & 3) == 1) {
		interrupted();
		return;
	}
	/* A lower exception level that was entered on purpose. */
	if (vector == 8 && self->scratch[1]) {
		self->scratch[0] = esr;
		f->pc = self->scratch[1];
		f->pstate = PSTATE_EL2H_MASKED;
		return;
	}
	if (vector == 4 && self->touching && esr >> 26 == 0x25) {
		self->scratch[0] = esr;
		self->touching = 0;
		f->pc = (uintptr_t)bare_touch_failed;
		return;
	}
	if (vector == 4 && esr >> 26 == 0x25 && bare_adopt())
		return;
	unexpected(f, vector, esr, far);
}

struct bare_outcome bare_touch(cop_va va, unsigned access, uint64_t value)
{
	struct bare_cpu *self = bare_self();
	struct bare_outcome out = {.pa = COP_PA_NONE, .level = BARE_LEVEL_UNKNOWN};
	uint64_t got;

	cop_store(&self->touching, 1U, relaxed);
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	got = (access & BARE_ACCESS_MASK) == BARE_WRITE ? bare_touch_store(va, value) : bare_touch_load(va);
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	if (!cop_load(&self->touching, relaxed))
		return bare_fault_of(self->scratch[0]);
	cop_store(&self->touching, 0U, relaxed);
	out.value = got;
	return out;
}

/* ---- on every CPU, first of all ---- */

void bare_cpu_init(void)
{
	if (bare_at_el2()) {
		WRITE_SYSREG(vbar_el2, (uintptr_t)bare_vectors);
	} else {
		WRITE_SYSREG(vbar_el1, (uintptr_t)bare_vectors);
		gic_init();
	}
	__asm__ volatile("isb");
}
