/* SPDX-License-Identifier: MIT */
/* The way down to one address: unrolled by level, because each level's shift and mask are then constants. */
#ifndef COPPICE_TABLES_DESCEND_H
#define COPPICE_TABLES_DESCEND_H

#include "tables/walk.h"

/* Where a descent ended: the first entry that is no link to a table. */
struct place {
	uint64_t e;
	uint64_t *entry;
	cop_pa table;
	unsigned level;
};

static COP_ALWAYS_INLINE bool descend_step(const struct cop_geom *g, struct place *p, cop_va va, unsigned l)
{
	p->entry = table_entries(p->table) + slot_of(g, va, l);
	p->level = l;
	/* Acquire: what the table held when it was linked is seen; pairs with the release of its link. */
	p->e = cop_load(p->entry, acquire);
	if (l == 0 || !fmt_present(p->e, l) || !fmt_is_table(p->e, l))
		return false;
	p->table = fmt_table_pa(g, p->e, l);
	return true;
}

static COP_ALWAYS_INLINE struct place descend_fixed(const struct cop_tree *tree, cop_va va, const unsigned levels)
{
	struct place p = {0, NULL, tree->root, levels - 1};
	struct cop_geom g = tree->geom;

	g.levels = (uint8_t)levels;
	if (levels > 4 && !descend_step(&g, &p, va, 4))
		return p;
	if (levels > 3 && !descend_step(&g, &p, va, 3))
		return p;
	if (levels > 2 && !descend_step(&g, &p, va, 2))
		return p;
	if (levels > 1 && !descend_step(&g, &p, va, 1))
		return p;
	descend_step(&g, &p, va, 0);
	return p;
}

static COP_ALWAYS_INLINE struct place descend(const struct cop_tree *tree, cop_va va)
{
	switch (tree->geom.levels) {
#if FMT_MAX_LEVELS > 4
	case 5:
		return descend_fixed(tree, va, 5);
#endif
#if FMT_MAX_LEVELS > 3
	case 4:
		return descend_fixed(tree, va, 4);
#endif
	case 3:
		return descend_fixed(tree, va, 3);
	case 2:
		return descend_fixed(tree, va, 2);
	default:
		return descend_fixed(tree, va, 1);
	}
}

/* The same for where speed does not matter. */
static COP_SLOW struct place descend_slowly(const struct cop_tree *tree, cop_va va)
{
	struct place p = {0, NULL, tree->root, 0};
	unsigned l = tree->geom.levels;

	while (l-- && descend_step(&tree->geom, &p, va, l))
		;
	return p;
}

#endif
