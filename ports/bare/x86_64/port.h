/* SPDX-License-Identifier: MIT */
/*
 * Coppice on a bare x86-64 machine: what of a port is a matter of instructions. mmu.c has the invalidations, machine.c the
 * interrupts; the rest is the same on all machines (ports/bare/common/port.h).
 */
#ifndef COPPICE_BARE_X86_64_PORT_H
#define COPPICE_BARE_X86_64_PORT_H

#include "ports/bare/common/types.h"

struct cop_ptdesc;
struct cop_tlbi;

/* GS holds this CPU's struct bare_cpu, whose scratch[0] is its address. */
static inline struct bare_cpu *bare_self(void)
{
	struct bare_cpu *self;

	__asm__("mov %%gs:%c1, %0" : "=r"(self) : "i"(__builtin_offsetof(struct bare_cpu, scratch)));
	return self;
}

static inline void bare_pause(void)
{
	__builtin_ia32_pause();
}

static inline uintptr_t bare_irq_off(void)
{
	uintptr_t flags;

	__asm__ volatile("pushf\n\tpop %0\n\tcli" : "=r"(flags) : : "memory");
	return flags >> 9 & 1;
}

static inline void bare_irq_on(void)
{
	__asm__ volatile("sti" ::: "memory");
}

/* With interrupts off: on for the wait. The instruction after STI is not interrupted, so that none comes before it. */
#define BARE_HAS_WAIT 1
static inline void bare_wait(void)
{
	__asm__ volatile("sti\n\thlt\n\tcli" ::: "memory");
}

#include "ports/bare/common/port.h"

/* 64 bytes for each frame, set aside by the boot code. */
extern char bare_ptdescs[];

static inline struct cop_ptdesc *cop_ptdesc(cop_pa table)
{
	return (struct cop_ptdesc *)(void *)(bare_ptdescs + (table >> 12 << 6));
}

/* Stores reach memory in order, and so does the MMU's look at them (SDM 3A 8.2.2, 4.10.3). */
static inline void cop_mmu_publish(void)
{
	__asm__ volatile("" ::: "memory");
}

void cop_tlbi(const struct cop_tlbi *);
void cop_tlb_sync(void);

/* Any entry may change by a store (SDM 3A 4.10.4.2). The caller syncs. */
static inline uint64_t cop_entry_xchg(uint64_t *entry, uint64_t new_, const struct cop_tlbi *tlbi)
{
	const uint64_t old = cop_xchg(entry, new_, acq_rel);

	cop_tlbi(tlbi);
	return old;
}

static inline void cop_entries_break(uint64_t *entry, unsigned n, uint64_t invalid_bit, const struct cop_tlbi *tlbi)
{
	for (unsigned i = 0; i < n; i++)
		cop_store(&entry[i], cop_load(&entry[i], relaxed) | invalid_bit, relaxed);
	cop_tlbi(tlbi);
}

#endif
