/* SPDX-License-Identifier: MIT */
/*
 * The port of riscv64 without an operating system: what the contract of <coppice/port.h> is in instructions and SBI calls.
 *
 * The program runs in S mode at physical addresses, which the lower half of the one tree maps to themselves.
 */
#ifndef COPPICE_BARE_RISCV64_PORT_H
#define COPPICE_BARE_RISCV64_PORT_H

#include "ports/bare/common/types.h"
#include "ports/bare/riscv64/layout.h"

struct cop_ptdesc;
struct cop_tlbi;

static inline struct bare_cpu *bare_self(void)
{
	struct bare_cpu *self;

	__asm__("mv %0, tp" : "=r"(self));
	return self;
}

/* PAUSE (Zihintpause): a FENCE that orders nothing. */
static inline void bare_pause(void)
{
	__asm__ volatile(".word 0x0100000f" ::: "memory");
}

/* sstatus.SIE, mstatus.MIE. Returns whether they were on. */
#ifdef BARE_MACHINE_MODE
#define BARE_STATUS_IE "8"
#define BARE_STATUS    "mstatus"
#else
#define BARE_STATUS_IE "2"
#define BARE_STATUS    "sstatus"
#endif
static inline uintptr_t bare_irq_off(void)
{
	uintptr_t status;

	__asm__ volatile("csrrci %0, " BARE_STATUS ", " BARE_STATUS_IE : "=r"(status)::"memory");
	return (status & 0xa) != 0;
}

static inline void bare_irq_on(void)
{
	__asm__ volatile("csrsi " BARE_STATUS ", " BARE_STATUS_IE ::: "memory");
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
	return (struct cop_ptdesc *)(uintptr_t)(BARE_PTDESC_BASE - (BARE_RAM_BASE >> 12 << BARE_PTDESC_LG2) +
						(table >> 12 << BARE_PTDESC_LG2));
}

/* Entries before whatever makes others walk to them: pairs with the SFENCE.VMA that follows where one is needed. */
static inline void cop_mmu_publish(void)
{
	__asm__ volatile("fence w, w" ::: "memory");
}

void cop_tlbi(const struct cop_tlbi *);

/* SBI's remote fences are complete when the call returns. */
static inline void cop_tlb_sync(void)
{
}

/* Never called: on riscv64 a store changes an entry. The library asks for the names. */
uint64_t cop_entry_xchg(uint64_t *entry, uint64_t new_, const struct cop_tlbi *);
void cop_entries_break(uint64_t *entry, unsigned n, uint64_t invalid_bit, const struct cop_tlbi *);

#include "ports/bare/common/port.h"

#endif
