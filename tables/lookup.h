/* SPDX-License-Identifier: MIT */
/*
 * lookup: a range in fixed steps, as walkers are written that know a number of levels and not how many a tree has. The walk
 * stands at a copy of each step's entry: hardware or another CPU may change the table's meanwhile.
 */
#ifndef COPPICE_TABLES_LOOKUP_H
#define COPPICE_TABLES_LOOKUP_H

#include "tables/walk.h"

#include <coppice/folding.h>

struct lookup {
	const struct cop_geom *g;
	cop_va va; /* cursor */
	cop_pa *out;
	unsigned long found;
	unsigned root; /* level */
	bool by_pointer;
	uint64_t copy[FMT_MAX_LEVELS + 1]; /* of the entry at each step */
};

static COP_SLOW void lookup_leaf(struct lookup *x, uint64_t e, cop_va last, unsigned l)
{
	const cop_pa base = entry_pa(x->g, e, l, slot_of(x->g, x->va, l));

	for (;; x->va += PAGE_BYTES) {
		x->out[x->found++] = base | (x->va & (leaf_bytes(l) - 1) & ~(PAGE_BYTES - 1));
		if ((x->va | (PAGE_BYTES - 1)) == last)
			return;
	}
}

/* Of an entry that was passed down as a value only its real level says where it ends. */
static inline cop_va lookup_last(const struct lookup *x, cop_va last, unsigned step)
{
	const unsigned level = x->by_pointer ? step : cop_step_level(step, x->root);

	return cop_step_last(x->va, last, fmt_shift(level));
}

static bool lookup_in(struct lookup *x, const uint64_t *entry, cop_va last, unsigned step);

/* Return: false: something is not mapped. The cursor is in the last page. */
static bool lookup_entry(struct lookup *x, const uint64_t *entry, cop_va last, unsigned step)
{
	const uint64_t e = x->copy[step];

	if (cop_step_folded(step, x->root))
		return lookup_in(x, cop_step_offset(entry, &x->copy[step], x->by_pointer), last, step - 1);
	if (!fmt_present(e, step))
		return false;
	if (fmt_is_table(e, step))
		return lookup_in(x, table_entries(fmt_table_pa(x->g, e, step)) + slot_of(x->g, x->va, step - 1), last,
				 step - 1);
	lookup_leaf(x, e, last, step);
	return true;
}

static COP_SLOW bool lookup_in(struct lookup *x, const uint64_t *entry, cop_va last, unsigned step)
{
	for (;; entry++) {
		const cop_va entry_last = lookup_last(x, last, step);

		/* Acquire: what the table held when it was linked is seen; pairs with the release of its link. */
		x->copy[step] = cop_load(entry, acquire);
		if (!lookup_entry(x, entry, entry_last, step))
			return false;
		if (entry_last == last)
			return true;
		x->va = entry_last + 1;
	}
}

static COP_SLOW unsigned long tables_lookup(const struct cop_tree *tree, cop_va va, unsigned long pages, cop_pa *out,
					    enum cop_fold fold)
{
	const struct cop_top *top = tree_top(tree);
	struct lookup x = {.g = &top->geom, .va = va, .out = out, .root = top->geom.levels - 1U};

	if (!pages || pages > ~0ULL >> FMT_PAGE_LG2 || !range_ok(x.g, va, (uint64_t)pages << FMT_PAGE_LG2))
		return 0;
	x.by_pointer = fold == COP_FOLD_MIDDLE;
	(void)lookup_in(&x, table_entries(top->root) + slot_of(x.g, va, x.root),
			va + ((uint64_t)pages << FMT_PAGE_LG2) - 1, FMT_MAX_LEVELS - 1);
	return x.found;
}

#endif
