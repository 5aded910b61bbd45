/* SPDX-License-Identifier: MIT */
/* Finding where a part of the address space begins: the next leaf of a tree, without a scan of all of it. */
#include <stdlib.h>

#include "inspect/input/input.h"

/* Tables to look at before giving up: a damaged tree may link the same empty table everywhere. */
#define BUDGET 8192

struct search {
	struct insp_memory *memory;
	const struct insp_tree *tree;
	unsigned char *buffer; /* 64K for each level */
	cop_va from;
	unsigned budget;
	struct input_leaf found;
};

static cop_va canonical(const struct cop_geom *g, cop_va va)
{
	if (g->half == COP_HALF_LOW || g->va_bits >= 64)
		return va;
	if (g->half == COP_HALF_HIGH || va >> (g->va_bits - 1) & 1)
		return va | ~0ULL << g->va_bits;
	return va;
}

static bool table(struct search *s, cop_pa pa, unsigned level, cop_va base)
{
	const struct cop_format *f = s->tree->format;
	const struct cop_geom *g = &s->tree->geom;
	const unsigned bits = f->index_bits(g, level), shift = f->shift(level);
	const uint64_t *e;

	if (s->budget == 0 || bits > 13 || !COP_IS_ALIGNED(pa, 8ULL << bits))
		return false;
	s->budget--;
	e = insp_frame(s->memory, pa, (size_t)8 << bits, s->buffer + 65536ULL * level);
	for (uint64_t i = 0; e && i < 1ULL << bits; i++) {
		const uint64_t v = s->tree->big_endian ? __builtin_bswap64(e[i]) : e[i];
		const cop_va va = base + (i << shift), first = canonical(g, va);
		enum cop_kind kind;

		if (first + (COP_LG2(shift) - 1) < s->from)
			continue;
		kind = f->kind(g, v, level);
		if (kind == COP_LEAF) {
			s->found = (struct input_leaf){first, f->leaf_pa(g, v, level), shift};
			return true;
		}
		if (kind == COP_TABLE && table(s, f->table_pa(g, v, level), level - 1, va))
			return true;
	}
	return false;
}

struct input_leaf input_next_leaf(struct insp_memory *m, const struct insp_tree *t, cop_va va)
{
	struct search s = {.memory = m, .tree = t, .from = va, .budget = BUDGET};

	s.buffer = aligned_alloc(64, 65536ULL * t->geom.levels);
	if (s.buffer)
		(void)table(&s, t->root, t->geom.levels - 1U, 0);
	free(s.buffer);
	return s.found;
}
