/* SPDX-License-Identifier: MIT */
/*
 * A bare machine: what a program on one may use beside the library, and what its architecture must bring.
 *
 * Everything runs at physical addresses: the machine's memory is mapped at its own address (or not translated at all).
 */
#ifndef COPPICE_BARE_H
#define COPPICE_BARE_H

#include "coppice.h"

/* ---- the architecture brings (ports/bare/<arch>/) ---- */

/* How memory is accessed; BARE_USER: by the less privileged mode. */
enum bare_access { BARE_READ, BARE_WRITE, BARE_FETCH, BARE_ACCESS_MASK = 3, BARE_USER = 4 };

/* Why an access did not happen. */
enum bare_fault {
	BARE_OK,
	BARE_TRANSLATION,  /* an entry that is not valid, or reserved */
	BARE_ACCESS_FLAG,  /* not young */
	BARE_PERMISSION,   /* valid, but not for this */
	BARE_ADDRESS_SIZE, /* an address wider than the machine's */
	BARE_RESERVED,     /* a reserved bit is set */
	BARE_EXTERNAL,     /* translated; there is no memory there */
	BARE_OTHER,
};
#define BARE_LEVEL_UNKNOWN 0xff

/**
 * struct bare_outcome - what the machine made of one access
 * @fault: enum bare_fault
 * @level: of the entry that decided, counted from the bottom; BARE_LEVEL_UNKNOWN where the machine does not tell
 * @pa: where the access went; COP_PA_NONE: nowhere, or the machine does not tell
 * @value: what was loaded
 */
struct bare_outcome {
	uint8_t fault, level;
	cop_pa pa;
	uint64_t value;
};

/* The machine's memory [bare_ram_start, bare_ram_end); the image ends at bare_image_end. Set before bare_main(). */
extern cop_pa bare_ram_start, bare_ram_end, bare_image_end;

/* Name of the architecture as in struct cop_format. */
extern const char bare_arch[];

void bare_putc(char c);
COP_NORETURN void bare_off(void);
uint64_t bare_clock_ns(void);
/* Start CPU number @cpu: it goes to bare_begin_secondary(), translating as the caller does. 0 or a negative errno. */
int bare_cpu_boot(unsigned cpu);
/* Raise the interrupt on that CPU that calls bare_interrupt(). */
void bare_kick(unsigned cpu);
/* Load, store or fetch at va on this CPU as the program itself would (or its user): a fault is an answer. */
struct bare_outcome bare_touch(cop_va va, unsigned access, uint64_t value);
/* Of the tree that maps the machine at its own addresses. 0 or a negative errno. */
int bare_life_geom(struct cop_geom *geom);
/* Of a kernel's tree beside it; where there is but one root, the same. */
int bare_kernel_geom(struct cop_geom *geom);
/* Map the machine at its own addresses by the library, and translate by it from now on. 0 or a negative errno. */
int bare_mmu_on(struct cop_tree *tree, const struct cop_geom *geom);
/*
 * From now on this CPU, and those that it boots, translate by the tree as well. The program itself stays mapped, beside
 * the tree or (where there is but one root) by what this puts into its root.
 */
void bare_tree_use(const struct cop_tree *tree);

/* A number that the linker is told: --defsym=bare_NAME_value=N. Its symbol's address, which may be out of code's reach. */
#define BARE_LINKED(name)                                                                                              \
	extern const char name##_value[];                                                                              \
	static const char *volatile const name##_word = name##_value;                                                  \
	static inline uint64_t name(void)                                                                              \
	{                                                                                                              \
		return (uintptr_t)name##_word;                                                                         \
	}

/* ---- and gets ---- */

/* The program. On the first CPU, interrupts on. */
void bare_main(void);

/* What start.S calls on every CPU once it has a stack. */
COP_NORETURN void bare_begin(void);
COP_NORETURN void bare_begin_secondary(void);

/* From the interrupt that bare_kick() raises; interrupts off. */
void bare_interrupt(void);

/* An exception that nobody expected. */
struct bare_trap {
	const char *what;
	uint64_t pc;
	cop_va va;
	bool translated; /* va says what could not be translated */
	const char *const *names;
	const uint64_t *values;
	unsigned count;
};
COP_NORETURN void bare_trapped(const struct bare_trap *trap);

/*
 * For the fault handler: cop_mem_boot() touches the memmap through bare_tree as soon as it has made its root. True: the
 * machine translates by it now, and the access is to be repeated.
 */
bool bare_adopt(void);

/* The tree whose walk is printed when something goes wrong. */
extern const struct cop_tree *bare_tree;
/* One table of it and what hangs below, along one address. */
void bare_print_walk(const struct cop_geom *geom, cop_pa root, cop_va va);
void bare_print_entry(const struct cop_geom *geom, uint64_t entry, unsigned level);

/* ---- CPUs ---- */

/* Run fn(arg) on another CPU; it then idles. Waits until it is there. 0, or a negative errno. */
int bare_cpu_start(unsigned cpu, void (*fn)(void *), void *arg);
/* Wait until it idles again. */
void bare_cpu_join(unsigned cpu);
/* In a loop that does not end by itself: where this CPU may sleep. Stops for cop_stop_machine(), runs RCU callbacks. */
void bare_poll(void);
/* All callbacks deferred so far have run. Sleeps. */
void bare_rcu_barrier(void);

/* ---- console ---- */

void bare_console_unlock(void); /* whoever held it is dead */
/* %s %c %d %u %x %p with l or ll, width, 0 and -; one call is one piece of output, whole on the console. */
void bare_printf(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* KTAP. The plan, a result each, and the end, which turns the machine off. */
void bare_plan(unsigned tests);
void bare_result(bool ok, const char *format, ...) __attribute__((format(printf, 2, 3)));
void bare_skip(const char *name, const char *why);
/* A line of the table that scripts/bare.sh prints. */
void bare_row(const char *geometry, uint64_t probes, uint64_t scenarios, uint64_t ns);
COP_NORETURN void bare_end(void);

/* ---- accessed and dirty ---- */

/* COP_YOUNG and COP_DIRTY: what the machine itself sets in a leaf that it lets this access through. */
static inline uint32_t bare_sets(const struct cop_geom *g, unsigned access)
{
	const bool young = g->arch == COP_X86_64 || (g->features & (COP_F_HAF | COP_F_ADUE));
	const bool dirty = g->arch == COP_X86_64 || (g->features & (COP_F_HD | COP_F_ADUE));

	return (young ? COP_YOUNG : 0U) | (dirty && (access & BARE_ACCESS_MASK) == BARE_WRITE ? COP_DIRTY : 0U);
}

/* ---- random ---- */

static inline uint64_t bare_random(uint64_t *seed)
{
	uint64_t x = *seed += 0x9e3779b97f4a7c15ULL;

	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
	return x ^ (x >> 31);
}

/* n < 2^32; without a division. */
static inline uint32_t bare_below(uint64_t *seed, uint32_t n)
{
	return (uint32_t)((bare_random(seed) >> 32) * n >> 32);
}

#endif
