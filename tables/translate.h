/* SPDX-License-Identifier: MIT */
/* The software walk to one address. */
#ifndef COPPICE_TABLES_TRANSLATE_H
#define COPPICE_TABLES_TRANSLATE_H

#include "tables/descend.h"

static COP_ALWAYS_INLINE struct cop_translation tables_translate(const struct cop_tree *tree, cop_va va)
{
	const struct cop_geom *g = &tree->geom;
	const struct place p = descend(tree, va);

	if (COP_UNLIKELY(!fmt_present(p.e, p.level) || !range_ok(g, va & ~(PAGE_BYTES - 1), PAGE_BYTES)))
		return (struct cop_translation){COP_PA_NONE, p.e, 0, (uint8_t)p.level, (uint8_t)fmt_shift(p.level)};
	return (struct cop_translation){
		.pa = entry_pa_inline(g, p.e, p.level, slot_of(g, va, p.level)) | (va & (leaf_bytes(p.level) - 1)),
		.entry = p.e,
		.attrs = fmt_attrs(g, p.e, p.level),
		.level = (uint8_t)p.level,
		.size_lg2 = (uint8_t)fmt_shift(p.level),
	};
}

#endif
