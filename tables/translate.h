/* SPDX-License-Identifier: MIT */
/* The software walk to one address. */
#ifndef COPPICE_TABLES_TRANSLATE_H
#define COPPICE_TABLES_TRANSLATE_H

#include "tables/descend.h"

/* Everything about one address: out of line, and small. */
static COP_NOINLINE struct cop_translation tables_translate(const struct cop_tree *tree, cop_va va)
{
	const struct cop_top *top = tree_top(tree);
	const struct cop_geom *g = &top->geom;
	const struct place p = descend_from(top, va);

	if (COP_UNLIKELY(!fmt_present(p.e, p.level) || va + top->va_bias > top->va_mask))
		return (struct cop_translation){COP_PA_NONE, p.e, 0, (uint8_t)p.level, (uint8_t)fmt_shift(p.level)};
	return (struct cop_translation){
		.pa = entry_pa(g, p.e, p.level, slot_of(g, va, p.level)) | (va & (leaf_bytes(p.level) - 1)),
		.entry = p.e,
		.attrs = leaf_attrs(g, p.e, p.level),
		.level = (uint8_t)p.level,
		.size_lg2 = (uint8_t)fmt_shift(p.level),
	};
}

/* What an address step by step comes to: the entry where the walk ended, and its output address. */
static COP_ALWAYS_INLINE cop_pa walk_end(const struct cop_geom *g, uint64_t e, cop_va va, unsigned l)
{
	if (COP_UNLIKELY(!fmt_present(e, l)))
		return COP_PA_NONE;
	return entry_pa_inline(g, e, l, slot_of(g, va, l)) | (va & (leaf_bytes(l) - 1));
}

/* Return: true if the walk goes on. @index: of the entry. */
static COP_ALWAYS_INLINE bool walk_on(const struct cop_geom *g, cop_pa *table, uint64_t *e, uint64_t index, unsigned l)
{
	/* Acquire: what the table held when it was linked is seen; pairs with the release of its link. */
	*e = cop_load(table_entries(*table) + index, acquire);
	if (COP_UNLIKELY(!fmt_links(*e, l)))
		return false;
	*table = fmt_table_pa(g, *e, l);
	return true;
}

static COP_ALWAYS_INLINE cop_pa walk_fixed(const struct cop_tree *tree, cop_va va, const unsigned levels,
					   const bool plain)
{
	const struct cop_top *top = &tree->top[levels - 1];
	struct cop_geom g = top->geom;
	cop_pa table = top->root;
	uint64_t e;

	if (COP_UNLIKELY(va + top->va_bias > top->va_mask))
		return COP_PA_NONE;
	g.levels = (uint8_t)levels;
	if (plain)
		g.features = FMT_WALK_ASSUMES;
	if (!walk_on(&g, &table, &e, (va & top->va_mask) >> fmt_shift(levels - 1), levels - 1))
		return walk_end(&g, e, va, levels - 1);
	if (levels > 4 && !walk_on(&g, &table, &e, slot_of(&g, va, 3), 3))
		return walk_end(&g, e, va, 3);
	if (levels > 3 && !walk_on(&g, &table, &e, slot_of(&g, va, 2), 2))
		return walk_end(&g, e, va, 2);
	if (levels > 2 && !walk_on(&g, &table, &e, slot_of(&g, va, 1), 1))
		return walk_end(&g, e, va, 1);
	return walk_end(&g, cop_load(table_entries(table) + slot_of(&g, va, 0), acquire), va, 0);
}

/* Out of line, so that the walks above need no stack. */
static COP_NOINLINE cop_pa translate_pa_slowly(const struct cop_tree *tree, cop_va va)
{
	return tables_translate(tree, va).pa;
}

static COP_ALWAYS_INLINE cop_pa tables_translate_pa(const struct cop_tree *tree, cop_va va)
{
	/* Acquire: the top that it counts; pairs with cop_tree_grow(). */
	const uint32_t levels = cop_load(&tree->levels, acquire);

	if (COP_LIKELY(!(tree->geom.features & FMT_WALK_FEATURES))) {
		if (FMT_MAX_LEVELS >= FMT_WALK_LEVELS && COP_LIKELY(levels == FMT_WALK_LEVELS))
			return walk_fixed(tree, va, FMT_WALK_LEVELS, true);
		if (FMT_MAX_LEVELS >= WALK_LEVELS_TOO && COP_LIKELY(levels == WALK_LEVELS_TOO))
			return walk_fixed(tree, va, WALK_LEVELS_TOO, true);
	}
	return translate_pa_slowly(tree, va);
}

#endif
