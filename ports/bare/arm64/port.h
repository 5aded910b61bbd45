/* SPDX-License-Identifier: MIT */
/*
 * The port of arm64 without an operating system: what the contract of <coppice/port.h> is in instructions.
 *
 * The program runs at EL1 at physical addresses, TTBR0_EL1 mapping them to themselves; TTBR1_EL1 is the kernel's tree.
 */
#ifndef COPPICE_BARE_ARM64_PORT_H
#define COPPICE_BARE_ARM64_PORT_H

#include "ports/bare/common/types.h"
#include "ports/bare/arm64/layout.h"

struct cop_ptdesc;
struct cop_tlbi;

static inline struct bare_cpu *bare_self(void)
{
	struct bare_cpu *self;

	__asm__("mrs %0, tpidr_el1" : "=r"(self));
	return self;
}

static inline void bare_pause(void)
{
	__asm__ volatile("yield" ::: "memory");
}

/* Returns whether they were on: PSTATE.I clear. */
static inline uintptr_t bare_irq_off(void)
{
	uintptr_t daif;

	__asm__ volatile("mrs %0, daif\n\tmsr daifset, #2" : "=r"(daif)::"memory");
	return !(daif & (1U << 7));
}

static inline void bare_irq_on(void)
{
	__asm__ volatile("msr daifclr, #2" ::: "memory");
}

/* An interrupt that is masked ends the wait all the same. */
#define BARE_HAS_WAIT 1
static inline void bare_wait(void)
{
	__asm__ volatile("wfi" ::: "memory");
}

/* One descriptor for each frame. */
static inline struct cop_ptdesc *cop_ptdesc(cop_pa table)
{
	return (struct cop_ptdesc *)(uintptr_t)(BARE_PTDESC_BASE -
						(BARE_RAM_BASE >> COPPICE_PAGE_LG2 << BARE_PTDESC_LG2) +
						(table >> COPPICE_PAGE_LG2 << BARE_PTDESC_LG2));
}

/* D8.16: entries written are seen by walks after a DSB; the ISB is for this CPU's own next instruction. */
static inline void cop_mmu_publish(void)
{
	__asm__ volatile("dsb ishst\n\tisb" ::: "memory");
}

void cop_tlbi(const struct cop_tlbi *);

/* D8.14.5: TLBI is complete, on all CPUs, when a DSB by the issuer is. */
static inline void cop_tlb_sync(void)
{
	__asm__ volatile("dsb ish\n\tisb" ::: "memory");
}

/* Never called: on arm64 a store changes an entry. The library asks for the names. */
uint64_t cop_entry_xchg(uint64_t *entry, uint64_t new_, const struct cop_tlbi *);
void cop_entries_break(uint64_t *entry, unsigned n, uint64_t invalid_bit, const struct cop_tlbi *);

#include "ports/bare/common/port.h"

#endif
