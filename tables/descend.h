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

/* Features that change what a walk reads; 52-bit addresses on arm64. The others are walked without asking for them. */
#ifndef FMT_WALK_FEATURES
#define FMT_WALK_FEATURES 0
#endif
/* Features that need no asking because an entry says whether it makes use of them; runs on riscv64. */
#ifndef FMT_WALK_ASSUMES
#define FMT_WALK_ASSUMES 0
#endif
/* Levels that most trees of the format have: asked for first. Three and four are both unrolled. */
#ifndef FMT_WALK_LEVELS
#define FMT_WALK_LEVELS 4
#endif
#define WALK_LEVELS_TOO (FMT_WALK_LEVELS == 4 ? 3 : 4)

static COP_ALWAYS_INLINE bool descend_step(const struct cop_geom *g, struct place *p, uint64_t slot, unsigned l)
{
	p->entry = table_entries(p->table) + slot;
	p->level = l;
	/* Acquire: what the table held when it was linked is seen; pairs with the release of its link. */
	p->e = cop_load(p->entry, acquire);
	if (l == 0 || COP_UNLIKELY(!fmt_links(p->e, l)))
		return false;
	p->table = fmt_table_pa(g, p->e, l);
	return true;
}

static COP_ALWAYS_INLINE struct place descend_fixed(const struct cop_tree *tree, cop_va va, const unsigned levels)
{
	const struct cop_top *top = &tree->top[levels - 1];
	struct place p = {0, NULL, top->root, levels - 1};
	struct cop_geom g = top->geom;

	g.levels = (uint8_t)levels;
	g.features = FMT_WALK_ASSUMES;
	if (!descend_step(&g, &p, (va & top->va_mask) >> fmt_shift(levels - 1), levels - 1))
		return p;
	if (levels > 3 && !descend_step(&g, &p, slot_of(&g, va, 2), 2))
		return p;
	if (levels > 2 && !descend_step(&g, &p, slot_of(&g, va, 1), 1))
		return p;
	descend_step(&g, &p, slot_of(&g, va, 0), 0);
	return p;
}

/* The same for every geometry. */
static COP_SLOW struct place descend_from(const struct cop_top *top, cop_va va)
{
	struct place p = {0, NULL, top->root, 0};
	unsigned l = top->geom.levels;

	while (l-- && descend_step(&top->geom, &p, slot_of(&top->geom, va, l), l))
		;
	return p;
}

static inline struct place descend_slowly(const struct cop_tree *tree, cop_va va)
{
	return descend_from(tree_top(tree), va);
}

/* The geometries that kernels have most are unrolled. */
static COP_ALWAYS_INLINE struct place descend_by(const struct cop_tree *tree, cop_va va, uint32_t levels)
{
	if (COP_LIKELY(!(tree->geom.features & FMT_WALK_FEATURES))) {
		if (FMT_MAX_LEVELS >= FMT_WALK_LEVELS && COP_LIKELY(levels == FMT_WALK_LEVELS))
			return descend_fixed(tree, va, FMT_WALK_LEVELS);
		if (FMT_MAX_LEVELS >= WALK_LEVELS_TOO && COP_LIKELY(levels == WALK_LEVELS_TOO))
			return descend_fixed(tree, va, WALK_LEVELS_TOO);
	}
	return descend_from(&tree->top[levels - 1], va);
}

static COP_ALWAYS_INLINE struct place descend(const struct cop_tree *tree, cop_va va)
{
	/* Acquire: the top that it counts; pairs with cop_tree_grow(). */
	return descend_by(tree, va, cop_load(&tree->levels, acquire));
}

/* A page of the tree? */
static COP_ALWAYS_INLINE bool page_ok(const struct cop_tree *tree, cop_va va)
{
	return !(va & (PAGE_BYTES - 1)) && va + tree->va_bias <= tree->va_mask;
}

#endif
