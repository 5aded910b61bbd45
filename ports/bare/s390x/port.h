/* SPDX-License-Identifier: MIT */
/*
 * Coppice on a bare s390x machine: what of a port is a matter of instructions. mmu.c has those that change entries,
 * machine.c the interrupts; the rest is the same on all machines (ports/bare/common/port.h).
 *
 * There is one tree, and its linear map begins at 0: so memory is reached from BARE_PHYS on, and only the image, and what the
 * CPU itself finds at 0, lie at their own addresses.
 */
#ifndef COPPICE_BARE_S390X_PORT_H
#define COPPICE_BARE_S390X_PORT_H

#include "ports/bare/common/types.h"
#include "ports/bare/s390x/layout.h"

struct cop_ptdesc;
struct cop_tlbi;

static inline struct bare_cpu *bare_self(void)
{
	struct bare_cpu *self;

	__asm__("lg %0, %1(%%r0)" : "=r"(self) : "i"(LC_SELF));
	return self;
}

/* QEMU gives the other CPUs a turn. */
static inline void bare_pause(void)
{
	__asm__ volatile("diag 0, 0, 0x44" ::: "memory");
}

static inline uintptr_t bare_irq_off(void)
{
	uint8_t was;

	__asm__ volatile("stnsm %0, 0xfe" : "=Q"(was) : : "memory");
	return was & 1;
}

static inline void bare_irq_on(void)
{
	uint8_t was;

	__asm__ volatile("stosm %0, 0x01" : "=Q"(was) : : "memory");
}

/* With interrupts off: on for the wait. */
#define BARE_HAS_WAIT 1
void bare_wait(void);

#include "ports/bare/common/port.h"

/* 64 bytes for each half of a frame, the smallest table, set aside by the linker script. */
extern char bare_ptdescs[];

static inline struct cop_ptdesc *cop_ptdesc(cop_pa table)
{
	return (struct cop_ptdesc *)(void *)(bare_ptdescs + (table >> 11 << 6));
}

/* Stores are seen in order, by translation too (SA22-7832 chapter 5, "Storage-Operand Consistency"). */
static inline void cop_mmu_publish(void)
{
	__asm__ volatile("" ::: "memory");
}

void cop_tlbi(const struct cop_tlbi *);

/* Every invalidating instruction ends when all CPUs have done it. */
static inline void cop_tlb_sync(void)
{
}

uint64_t cop_entry_xchg(uint64_t *entry, uint64_t new_, const struct cop_tlbi *);
void cop_entries_break(uint64_t *entry, unsigned n, uint64_t invalid_bit, const struct cop_tlbi *);

#endif
