/* SPDX-License-Identifier: MIT */
/* Storing stretches of leaves: the loops that map's time goes into. */
#ifndef COPPICE_TABLES_FILL_H
#define COPPICE_TABLES_FILL_H

#include "tables/walk.h"

/* Compilers unroll neither relaxed stores nor volatile ones. @linked: others may read the table. */
static COP_ALWAYS_INLINE void put_entry(uint64_t *p, uint64_t e, const bool linked)
{
	if (linked)
		cop_store(p, e, relaxed);
	else
		cop_write(p, e);
}

static COP_ALWAYS_INLINE void put_steps(uint64_t *p, unsigned n, uint64_t e, uint64_t step, const bool linked)
{
	for (; n >= 8; n -= 8, p += 8, e += 8 * step) {
		put_entry(p, e, linked);
		put_entry(p + 1, e + step, linked);
		put_entry(p + 2, e + 2 * step, linked);
		put_entry(p + 3, e + 3 * step, linked);
		put_entry(p + 4, e + 4 * step, linked);
		put_entry(p + 5, e + 5 * step, linked);
		put_entry(p + 6, e + 6 * step, linked);
		put_entry(p + 7, e + 7 * step, linked);
	}
	for (; n; n--, p++, e += step)
		put_entry(p, e, linked);
}

struct leaf_kind {
	uint32_t attrs;
	bool runs; /* contiguous runs are wanted */
};

/* How many of @n leaves at @slot are encoded alike, and whether as members of runs. */
static inline unsigned fill_stretch(const struct cop_geom *g, unsigned slot, unsigned n, cop_pa pa, unsigned l,
				    struct leaf_kind *kind)
{
	const unsigned run = kind->runs ? 1U << fmt_cont_lg2(g, l) : 1;
	const unsigned offset = slot & (run - 1);

	if (run == 1 || ((pa >> fmt_shift(l)) & (run - 1)) != offset)
		return n;
	if (offset)
		return n < run - offset ? n : run - offset;
	if (n < run)
		return n;
	kind->attrs |= COP_CONT;
	/* All entries of a riscv64 run are the same, so runs cannot be chained by one step. */
	return fmt_leaf_step(g, l, COP_CONT) == 0 ? run : n & ~(run - 1);
}

/* Of @n leaves from @pa on, those in the segment of output addresses in which the step holds. */
static inline unsigned fill_segment(cop_pa pa, unsigned n, unsigned l)
{
	uint64_t left;

	if (fmt_step_lg2 >= 64 || fmt_shift(l) >= fmt_step_lg2)
		return fmt_step_lg2 >= 64 ? n : 1;
	left = (COP_LG2(fmt_step_lg2 & 63) - (pa & (COP_LG2(fmt_step_lg2 & 63) - 1))) >> fmt_shift(l);
	return left < n ? (unsigned)left : n;
}

static COP_ALWAYS_INLINE void put_leaves(const struct cop_geom *g, uint64_t *entries, unsigned slot, unsigned n,
					 cop_pa pa, unsigned l, struct leaf_kind kind, const bool linked)
{
	while (n) {
		struct leaf_kind k = kind;
		const unsigned same = fill_segment(pa, fill_stretch(g, slot, n, pa, l, &k), l);

		put_steps(entries + slot, same, make_leaf(g, pa, l, k.attrs), fmt_leaf_step(g, l, k.attrs), linked);
		slot += same;
		n -= same;
		pa += (uint64_t)same << fmt_shift(l);
	}
}

/* Two copies of the loop, not one per caller. */
static COP_NOINLINE void fill_private(const struct cop_geom *g, uint64_t *entries, unsigned slot, unsigned n, cop_pa pa,
				      unsigned l, struct leaf_kind kind)
{
	put_leaves(g, entries, slot, n, pa, l, kind, false);
}

static COP_NOINLINE void fill_linked(const struct cop_geom *g, uint64_t *entries, unsigned slot, unsigned n, cop_pa pa,
				     unsigned l, struct leaf_kind kind)
{
	put_leaves(g, entries, slot, n, pa, l, kind, true);
}

static COP_ALWAYS_INLINE void put_empties(uint64_t *p, unsigned n, unsigned l)
{
	put_steps(p, n, fmt_empty(l), 0, true);
}

#endif
