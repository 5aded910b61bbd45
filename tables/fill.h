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

/* In two chains of additions: a single one is as slow as the stores. */
static COP_ALWAYS_INLINE void put_steps(uint64_t *p, unsigned n, uint64_t e, uint64_t step, const bool linked)
{
	const uint64_t two = 2 * step;
	uint64_t odd = e + step;

	for (; n >= 8; n -= 8, p += 8, e += two, odd += two) {
		put_entry(p, e, linked);
		put_entry(p + 1, odd, linked);
		put_entry(p + 2, e += two, linked);
		put_entry(p + 3, odd += two, linked);
		put_entry(p + 4, e += two, linked);
		put_entry(p + 5, odd += two, linked);
		put_entry(p + 6, e += two, linked);
		put_entry(p + 7, odd += two, linked);
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

/* Out of line: where compilers see that the step is a power of two they shift every multiple of it before the loop. */
static COP_NOINLINE void put_private(uint64_t *p, unsigned n, uint64_t e, uint64_t step)
{
	put_steps(p, n, e, step, false);
}

static COP_NOINLINE void put_linked(uint64_t *p, unsigned n, uint64_t e, uint64_t step)
{
	put_steps(p, n, e, step, true);
}

static COP_NOINLINE void fill_leaves(const struct cop_geom *g, uint64_t *entries, unsigned slot, unsigned n, cop_pa pa,
				     unsigned l, struct leaf_kind kind, bool linked)
{
	while (n) {
		struct leaf_kind k = kind;
		const unsigned same = fill_segment(pa, fill_stretch(g, slot, n, pa, l, &k), l);
		const uint64_t e = make_leaf(g, pa, l, k.attrs), step = fmt_leaf_step(g, l, k.attrs);

		if (linked)
			put_linked(entries + slot, same, e, step);
		else
			put_private(entries + slot, same, e, step);
		slot += same;
		n -= same;
		pa += (uint64_t)same << fmt_shift(l);
	}
}

static inline void fill_private(const struct cop_geom *g, uint64_t *entries, unsigned slot, unsigned n, cop_pa pa,
				unsigned l, struct leaf_kind kind)
{
	fill_leaves(g, entries, slot, n, pa, l, kind, false);
}

static inline void fill_linked(const struct cop_geom *g, uint64_t *entries, unsigned slot, unsigned n, cop_pa pa,
			       unsigned l, struct leaf_kind kind)
{
	fill_leaves(g, entries, slot, n, pa, l, kind, true);
}

static COP_ALWAYS_INLINE void put_empties(uint64_t *p, unsigned n, unsigned l)
{
	put_steps(p, n, fmt_empty(l), 0, true);
}

#endif
