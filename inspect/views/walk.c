// SPDX-License-Identifier: MIT
#include "inspect/entry.h"
#include "inspect/scan.h"
#include "inspect/views/walk.h"

static bool translated(const struct cop_geom *g, cop_va va)
{
	const struct insp_halves h = insp_halves(g);

	for (unsigned i = 0; i < h.count; i++)
		if (va >= h.half[i].start && va <= h.half[i].last)
			return true;
	return false;
}

static bool read_entry(struct insp_memory *memory, const struct insp_tree *tree, cop_pa table, unsigned index,
		       uint64_t *entry)
{
	uint64_t buffer;
	const uint64_t *at = insp_frame(memory, table + index * 8UL, sizeof(buffer), &buffer);

	if (!at)
		return false;
	*entry = tree->big_endian == (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__) ? *at : __builtin_bswap64(*at);
	return true;
}

/* A leaf of a Svnapot run holds the run's base. */
static void arrive(struct insp_walk *w, const struct insp_tree *tree, const struct insp_step *s, cop_va va,
		   uint32_t denied)
{
	const struct cop_format *f = tree->format;
	const unsigned shift = f->shift(s->level);

	w->lg2 = (uint8_t)shift;
	w->attrs = insp_less(f->attrs(&tree->geom, s->entry, s->level), denied);
	w->pa = f->leaf_pa(&tree->geom, s->entry, s->level) + (va & (COP_LG2(shift) - 1));
	if (f->arch == COP_RISCV64 && (w->attrs & COP_CONT))
		w->pa += (cop_pa)(s->index & 15) << shift;
	w->end = w->attrs & COP_PROTNONE ? INSP_WALK_PROTNONE : INSP_WALK_MAPPED;
}

static enum insp_walk_end end_of(enum cop_kind kind)
{
	switch (kind) {
	case COP_SWAP:
		return INSP_WALK_SWAP;
	case COP_MARKER:
		return INSP_WALK_MARKER;
	case COP_BAD:
		return INSP_WALK_BAD;
	default:
		return INSP_WALK_EMPTY;
	}
}

struct insp_walk insp_walk(struct insp_memory *memory, const struct insp_tree *tree, cop_va va)
{
	const struct cop_format *f = tree->format;
	const struct cop_geom *g = &tree->geom;
	struct insp_walk w = {.end = INSP_WALK_OUTSIDE};
	struct insp_part part = {0, tree->root_entries ? tree->root_entries : ~0U};
	cop_pa table = tree->root;
	uint32_t denied = 0;

	if (f->check_geom(g) || !translated(g, va))
		return w;
	for (unsigned level = g->levels; level-- > 0;) {
		const unsigned index = (unsigned)(va >> f->shift(level)) & ((1U << f->index_bits(g, level)) - 1);
		struct insp_step *s = &w.step[w.steps];

		*s = (struct insp_step){.table = table, .index = index, .level = (uint8_t)level};
		w.end = INSP_WALK_SHORT;
		if (index < part.first || index >= part.end)
			return w;
		w.end = INSP_WALK_MISSING;
		if (!read_entry(memory, tree, table, index, &s->entry))
			return w;
		w.steps++;
		s->kind = (uint8_t)insp_kind(tree, s->entry, level);
		if (s->kind == COP_LEAF) {
			arrive(&w, tree, s, va, denied);
			return w;
		}
		w.end = end_of((enum cop_kind)s->kind);
		if (s->kind != COP_TABLE)
			return w;
		denied |= insp_denies(tree, s->entry);
		table = f->table_pa(g, s->entry, level);
		part = insp_part(tree, s->entry, level);
	}
	return w;
}

const char *insp_walk_why(enum insp_walk_end end)
{
	switch (end) {
	case INSP_WALK_MAPPED:
		return "mapped";
	case INSP_WALK_OUTSIDE:
		return "the tree translates no such address (not canonical, or in another half)";
	case INSP_WALK_SHORT:
		return "the table ends before this entry (table offset or length)";
	case INSP_WALK_MISSING:
		return "the input does not have this table";
	case INSP_WALK_EMPTY:
		return "the entry is empty";
	case INSP_WALK_SWAP:
		return "a swap or migration entry: not present";
	case INSP_WALK_MARKER:
		return "a table was unlinked here: not present";
	case INSP_WALK_BAD:
		return "reserved encoding";
	case INSP_WALK_PROTNONE:
		return "present to software, not valid to hardware (protnone)";
	}
	return "";
}
