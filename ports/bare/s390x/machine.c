/* SPDX-License-Identifier: MIT */
/* Power on, interrupts, the other CPUs, clock, power off. */
#include "ports/bare/s390x/machine.h"

/* SIGNAL PROCESSOR orders (SA22-7832 chapter 4). */
#define SIGP_EMERGENCY  0x03
#define SIGP_STOP       0x05
#define SIGP_RESTART    0x06
#define SIGP_RESET      0x0b
#define SIGP_SET_PREFIX 0x0d
#define SIGP_BUSY       2

#define CR0_EMERGENCY (1ULL << 14)
#define CR0_EDAT      (1ULL << 23)
#define CR0_SECONDARY (1ULL << 26) /* an address space for data */

#define SCRATCH_CODE  0     /* program interruption code of the touch */
#define QUIET_ADDRESS 0xfff /* of a disabled wait that is no error, to QEMU */

extern char s390x_secondary[], s390x_external[], s390x_program[], s390x_touch_failed[], s390x_stacks[];

uint64_t s390x_touch_load(cop_va va, uint64_t value);
uint64_t s390x_touch_store(cop_va va, uint64_t value);
uint64_t s390x_touch_fetch(cop_va va, uint64_t value);

const char bare_arch[] = "s390x";
cop_pa bare_ram_start, bare_ram_end, bare_image_end;

static uint8_t prefix[BARE_CPUS][LC_BYTES] __attribute__((aligned(LC_BYTES)));

/* Its own area, or another CPU's before that runs. Hides from compilers that the address is next to 0. */
static void *low(unsigned cpu, unsigned offset)
{
	uintptr_t area = cpu == 0 ? 0 : (uintptr_t)prefix[cpu];

	__asm__("" : "+d"(area));
	return (void *)(area + offset);
}

static uint64_t *low64(unsigned cpu, unsigned offset)
{
	return low(cpu, offset);
}

static uint16_t low16(unsigned offset)
{
	uint16_t v;

	/* At this CPU's prefix. */
	__asm__ volatile("lh %0, 0(%1)" : "=d"(v) : "a"((uintptr_t)offset));
	return v;
}

static void set_psw(unsigned cpu, unsigned offset, uint64_t mask, const void *address)
{
	low64(cpu, offset)[0] = mask;
	low64(cpu, offset)[1] = (uintptr_t)address;
}

static unsigned sigp(unsigned cpu, unsigned order, uint64_t parameter)
{
	register uint64_t in __asm__("1") = parameter;
	register uint64_t to __asm__("3") = cpu;
	unsigned cc;

	__asm__ volatile("sigp %1, %2, 0(%3)\n\tipm %0" : "=d"(cc), "+d"(in) : "d"(to), "a"(order) : "cc", "memory");
	return cc >> 28 & 3;
}

static int signal_cpu(unsigned cpu, unsigned order, uint64_t parameter)
{
	unsigned cc;

	while ((cc = sigp(cpu, order, parameter)) == SIGP_BUSY)
		bare_pause();
	return cc ? -COP_EIO : 0;
}

/* ---- power on ---- */

static void set_up_prefix(unsigned cpu)
{
	bare_cpus[cpu].cpu = cpu;
	*low64(cpu, LC_SELF) = (uintptr_t)&bare_cpus[cpu];
	*low64(cpu, LC_STACK) = (uintptr_t)s390x_stacks + (cpu + 1) * S390X_STACK - 160;
	set_psw(cpu, LC_RESTART_NEW_PSW, PSW_64, s390x_secondary);
	set_psw(cpu, LC_EXTERNAL_NEW_PSW, PSW_64, s390x_external);
	set_psw(cpu, LC_PROGRAM_NEW_PSW, PSW_64, s390x_program);
	set_psw(cpu, LC_SUPERVISOR_NEW, PSW_64, s390x_touch_failed);
	set_psw(cpu, LC_MACHINE_CHECK_NEW, PSW_64 | PSW_WAIT, NULL);
	set_psw(cpu, LC_IO_NEW_PSW, PSW_64 | PSW_WAIT, NULL);
}

void s390x_main(unsigned cpu);

void s390x_main(unsigned cpu)
{
	s390x_set_cr0(CR0_EMERGENCY | CR0_SECONDARY | (s390x_facility(FACILITY_EDAT1) ? CR0_EDAT : 0));
	if (cpu == 0) {
		set_up_prefix(0);
		s390x_console_init();
		bare_image_end = (uintptr_t)s390x_image_end;
		bare_ram_end = s390x_memory();
		s390x_mmu_boot();
		bare_begin();
	}
	s390x_mmu_recall();
	bare_begin_secondary();
}

int bare_cpu_boot(unsigned cpu)
{
	int err = signal_cpu(cpu, SIGP_RESET, 0);

	if (err)
		return err;
	set_up_prefix(cpu);
	err = signal_cpu(cpu, SIGP_SET_PREFIX, (uintptr_t)prefix[cpu]);
	return err ? err : signal_cpu(cpu, SIGP_RESTART, 0);
}

bool s390x_facility(unsigned bit)
{
	uint64_t list[4] = {0};
	register uint64_t last __asm__("0") = 3;

	__asm__ volatile("stfle %0" : "=QS"(list), "+d"(last) : : "cc", "memory");
	return list[bit / 64] >> (63 - bit % 64) & 1;
}

/* ---- interrupts ---- */

void bare_kick(unsigned cpu)
{
	(void)signal_cpu(cpu, SIGP_EMERGENCY, 0);
}

void s390x_interrupt(struct s390x_frame *f);

void s390x_interrupt(struct s390x_frame *f)
{
	f->psw_mask &= ~PSW_WAIT;
	bare_interrupt();
}

/* The wait is a bit of the PSW, which s390x_interrupt() takes out. */
void bare_wait(void)
{
	const uint64_t dat = low64(0, LC_EXTERNAL_NEW_PSW)[0] & PSW_DAT;
	uint64_t psw[2] = {PSW_64 | PSW_EXTERNAL | PSW_WAIT | dat, 0}, at;

	__asm__ volatile("larl %0, 1f\n\tstg %0, 8(%1)\n\tlpswe 0(%1)\n1:" : "=&d"(at) : "a"(psw) : "memory", "cc");
	(void)bare_irq_off();
}

static COP_NORETURN void unexpected(const struct s390x_frame *f, unsigned code)
{
	static const char *const names[] = {"r0",  "r1",  "r2",  "r3",  "r4",  "r5",  "r6",   "r7",   "r8",  "r9",
					    "r10", "r11", "r12", "r13", "r14", "r15", "mask", "addr", "code"};
	const bool translated = s390x_translates_not(code) || code == S390X_PROTECTION;
	uint64_t values[19];
	struct bare_trap trap = {
		.what = "program check",
		.pc = f->psw_address,
		.va = translated ? *low64(0, LC_TRANSLATION) & ~0xfffULL : 0,
		.translated = translated,
		.names = names,
		.values = values,
		.count = 19,
	};

	for (unsigned i = 0; i < 18; i++)
		values[i] = ((const uint64_t *)f)[i];
	values[18] = code;
	bare_trapped(&trap);
}

void s390x_trap(struct s390x_frame *f);

void s390x_trap(struct s390x_frame *f)
{
	struct bare_cpu *self = bare_self();
	const unsigned code = low16(LC_PROGRAM_CODE) & 0xff;

	if (self->touching) {
		self->touching = 0;
		self->scratch[SCRATCH_CODE] = code;
		f->psw_mask &= ~PSW_SPACE;
		f->psw_address = (uintptr_t)s390x_touch_failed;
		return;
	}
	/* These exceptions come before the instruction, which is done once more. */
	if (!s390x_translates_not(code) || !bare_adopt())
		unexpected(f, code);
}

/* ---- translation ---- */

void s390x_translate(void)
{
	uint8_t was;

	low64(0, LC_EXTERNAL_NEW_PSW)[0] |= PSW_DAT;
	low64(0, LC_PROGRAM_NEW_PSW)[0] |= PSW_DAT;
	low64(0, LC_SUPERVISOR_NEW)[0] |= PSW_DAT;
	__asm__ volatile("stosm %0, 0x04" : "=Q"(was) : : "memory");
}

struct bare_outcome s390x_outcome(unsigned code)
{
	struct bare_outcome out = {.fault = BARE_TRANSLATION, .level = BARE_LEVEL_UNKNOWN, .pa = COP_PA_NONE};

	switch (code) {
	case 0:
		out.fault = BARE_OK;
		break;
	case S390X_PAGE:
	case S390X_SEGMENT:
		out.level = code == S390X_SEGMENT;
		break;
	case S390X_REGION_THIRD:
	case S390X_REGION_SECOND:
	case S390X_REGION_FIRST:
		out.level = (uint8_t)(2 + S390X_REGION_THIRD - code);
		break;
	case S390X_ASCE_TYPE:
		break;
	case S390X_SPECIFICATION:
		out.fault = BARE_RESERVED;
		break;
	case S390X_PROTECTION:
		out.fault = BARE_PERMISSION;
		break;
	case S390X_ADDRESSING:
		out.fault = BARE_EXTERNAL;
		break;
	default:
		out.fault = BARE_OTHER;
	}
	return out;
}

struct bare_outcome s390x_touch(uint64_t (*how)(cop_va va, uint64_t value), cop_va va, uint64_t value)
{
	struct bare_cpu *self = bare_self();
	struct bare_outcome out;

	self->scratch[SCRATCH_CODE] = 0;
	cop_store(&self->touching, 1U, relaxed);
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	value = how(va, value);
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	cop_store(&self->touching, 0U, relaxed);
	out = s390x_outcome((unsigned)self->scratch[SCRATCH_CODE]);
	out.value = value;
	return out;
}

/* User and kernel are different address spaces here, and entries do not tell them apart. */
struct bare_outcome bare_touch(cop_va va, unsigned access, uint64_t value)
{
	switch (access & BARE_ACCESS_MASK) {
	case BARE_WRITE:
		return s390x_touch(s390x_touch_store, va, value);
	case BARE_FETCH:
		return s390x_touch(s390x_touch_fetch, va, value);
	default:
		return s390x_touch(s390x_touch_load, va, value);
	}
}

/* ---- clock, end ---- */

/* The time-of-day clock counts 4096 to the microsecond. */
uint64_t bare_clock_ns(void)
{
	uint64_t tod;

	__asm__ volatile("stckf %0" : "=Q"(tod) : : "cc", "memory");
	return (tod & (~0ULL >> 8)) * 125 / 512;
}

void bare_off(void)
{
	const uint64_t psw[2] = {PSW_64 | PSW_WAIT, QUIET_ADDRESS};

	for (unsigned i = 0; i < BARE_CPUS; i++)
		if (i != cop_cpu() && bare_cpus[i].online)
			(void)signal_cpu(i, SIGP_STOP, 0);
	for (;;)
		__asm__ volatile("lpswe %0" : : "Q"(psw));
}
