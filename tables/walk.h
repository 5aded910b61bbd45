/* SPDX-License-Identifier: MIT */
/*
 * Ranges, the format where speed does not matter, and the counter of a table.
 *
 * `state` of a table counts what is in it and is the proof that nobody is about to put something in: whoever stores an entry
 * reserves first, whoever clears one decrements afterwards, and the one whose compare-and-swap turns the count into
 * COP_TABLE_DEAD owns the table. A detached table keeps its unit in the parent until its invalidation is done: that holds
 * the parent for the marker, whoever else finds and replaces the marker in the meantime.
 */
#ifndef COPPICE_TABLES_WALK_H
#define COPPICE_TABLES_WALK_H

#include "tables/stock.h"
#include "tables/where.h"

static inline void stock_sizes(const struct cop_geom *g, unsigned lg2[STOCK_KINDS])
{
	lg2[STOCK_BOTTOM] = fmt_table_lg2(g, 0);
	lg2[STOCK_UPPER] = fmt_table_lg2(g, g->levels > 2);
}

static COP_SLOW bool range_ok(const struct cop_geom *g, cop_va va, uint64_t bytes)
{
	const cop_va last = va + bytes - 1;

	if (bytes == 0 || ((va | bytes) & (PAGE_BYTES - 1)) || last < va)
		return false;
	if (g->va_bits >= 64)
		return true;
	switch (g->half) {
	case COP_HALF_LOW:
		return last >> g->va_bits == 0;
	case COP_HALF_HIGH:
		return va >> g->va_bits == ~0ULL >> g->va_bits;
	default:
		/* Both ends in one half, and that canonical: all bits from the sign bit up are the same. */
		return va >> (g->va_bits - 1) == last >> (g->va_bits - 1) &&
		       ((va >> (g->va_bits - 1)) + 1) << (g->va_bits - 1) <= COP_LG2(g->va_bits - 1);
	}
}

static inline bool output_ok(const struct cop_geom *g, cop_pa pa, uint64_t bytes)
{
	const cop_pa last = pa + bytes - 1;

	return (pa & (PAGE_BYTES - 1)) == 0 && last >= pa && (g->pa_bits >= 64 || last >> g->pa_bits == 0);
}

/* The first address that a table translates, from the way down to it. The way is pinned by the table's unit in its parent. */
static COP_SLOW cop_va table_va(const struct cop_geom *g, struct cop_ptdesc *d)
{
	const uint64_t sign = g->va_bits >= 64 ? 0 : COP_LG2(g->va_bits - 1);
	cop_pa parent;
	cop_va va = 0;

	while ((parent = cop_read(&d->parent)) != COP_PA_NONE) {
		va |= (uint64_t)cop_read(&d->slot) << fmt_shift(cop_read(&d->level) + 1U);
		d = cop_ptdesc(parent);
	}
	if (sign && (g->half == COP_HALF_HIGH || (g->half == COP_HALF_BOTH && (va & sign))))
		va |= ~((sign << 1) - 1);
	return va;
}

/* The last byte of the half of the address space that @va is in. */
static inline cop_va tree_last(const struct cop_geom *g, cop_va va)
{
	if (g->va_bits >= 64)
		return ~(cop_va)0;
	return va | (COP_LG2(g->half == COP_HALF_BOTH ? g->va_bits - 1 : g->va_bits) - 1);
}

/*
 * ---- the format where speed does not matter: one copy each ----
 */

static COP_NOINLINE uint64_t make_leaf(const struct cop_geom *g, cop_pa pa, unsigned l, uint32_t attrs)
{
	return fmt_leaf(g, pa, l, attrs);
}

static COP_NOINLINE uint64_t make_invalid(uint64_t e, unsigned l)
{
	return fmt_mkinvalid(e, l);
}

static COP_NOINLINE uint64_t make_marker(const struct cop_geom *g, cop_pa table, unsigned l)
{
	return fmt_marker(g, table, l);
}

static COP_NOINLINE uint32_t leaf_attrs(const struct cop_geom *g, uint64_t e, unsigned l)
{
	return fmt_attrs(g, e, l);
}

static COP_NOINLINE int check_attrs(const struct cop_geom *g, uint32_t attrs, unsigned l)
{
	return fmt_check_attrs(g, attrs, l);
}

static inline enum cop_kind entry_kind(const struct cop_geom *g, uint64_t e, unsigned l)
{
	return fmt_kind(g, e, l);
}

static COP_NOINLINE enum cop_change entry_change(const struct cop_geom *g, uint64_t old, uint64_t new_, unsigned l)
{
	return fmt_change(g, old, new_, l);
}

static COP_NOINLINE enum cop_covers entry_covers(const struct cop_geom *g, uint64_t old, uint64_t new_, unsigned l)
{
	return fmt_covers(g, old, new_, l);
}

static COP_NOINLINE cop_pa entry_pa(const struct cop_geom *g, uint64_t e, unsigned l, unsigned slot)
{
	return entry_pa_inline(g, e, l, slot);
}

/* ---- counters ---- */

/* Return: false if the table is dead: the entries were not reserved, and nobody minds the addition. */
static COP_ALWAYS_INLINE bool reserve(struct cop_ptdesc *d, uint64_t n)
{
	/* Acquire: the stores that follow must not be seen before the reservation; pairs with kill(). */
	return COP_LIKELY(!(cop_fetch_add(&d->state, n, acquire) & COP_TABLE_DEAD));
}

static COP_ALWAYS_INLINE uint64_t unreserve(struct cop_ptdesc *d, uint64_t n)
{
	/* Release: who kills the table must see it cleared; pairs with kill(). */
	return cop_fetch_add(&d->state, -n, acq_rel) - n;
}

/* @units: what the caller itself still holds in the table. */
static inline bool kill(struct cop_ptdesc *d, uint64_t units)
{
	return cop_cas(&d->state, units, COP_TABLE_DEAD, acq_rel) == units;
}

static inline bool is_dead(struct cop_ptdesc *d)
{
	return cop_load(&d->state, acquire) & COP_TABLE_DEAD;
}

/*
 * A table's lock covers changes of valid entries that may be somebody else's too: a leaf of which two callers own a part
 * each, and, where valid entries change by instruction only and that does not compare, links.
 */
static COP_NOINLINE uint8_t *table_lock_of(struct cop_ptdesc *d)
{
	const unsigned lg2 = cop_read(&d->lock_lg2);

	return lg2 ? &cop_ptdesc(COP_ALIGN_DOWN(cop_read(&d->pa), COP_LG2(lg2)))->lock : &d->lock;
}

static COP_NOINLINE void lock_acquire(uint8_t *lock)
{
	uint8_t held;

	while (cop_xchg(lock, (uint8_t)1, acquire))
		cop_await(lock, held, !held);
}

static inline void lock_release(uint8_t *lock)
{
	cop_store(lock, (uint8_t)0, release);
}

static COP_NOINLINE void table_lock(struct cop_ptdesc *d)
{
	lock_acquire(table_lock_of(d));
}

static COP_NOINLINE void table_unlock(struct cop_ptdesc *d)
{
	lock_release(table_lock_of(d));
}

/* Tables of one page may share their lock. Else by address, so that two who want the same two meet at the first. */
static COP_SLOW void table_lock_two(struct cop_ptdesc *a, struct cop_ptdesc *b)
{
	uint8_t *first = table_lock_of(a), *second = table_lock_of(b);

	if ((uintptr_t)first > (uintptr_t)second) {
		uint8_t *swap = first;

		first = second;
		second = swap;
	}
	lock_acquire(first);
	if (first != second)
		lock_acquire(second);
}

static COP_SLOW void table_unlock_two(struct cop_ptdesc *a, struct cop_ptdesc *b)
{
	lock_release(table_lock_of(a));
	if (table_lock_of(a) != table_lock_of(b))
		lock_release(table_lock_of(b));
}

#endif
