/* SPDX-License-Identifier: MIT */
/* query: what a range maps, in merged extents. */
#ifndef COPPICE_TABLES_QUERY_H
#define COPPICE_TABLES_QUERY_H

#include "tables/collapse.h"

struct querying {
	const struct cop_geom *g;
	struct cop_extent *out;
	unsigned max, count;
	cop_va va;
	uint64_t left;
};

/* Return: false if it takes an extent more than there is room for. */
static COP_SLOW bool query_add(struct querying *q, cop_pa pa, uint64_t bytes, uint32_t attrs, unsigned l)
{
	struct cop_extent *x = q->out + q->count;

	if (q->count && x[-1].va + x[-1].bytes == q->va && x[-1].pa + x[-1].bytes == pa && x[-1].attrs == attrs &&
	    x[-1].level == l) {
		x[-1].bytes += bytes;
		return true;
	}
	if (q->count == q->max)
		return false;
	*x = (struct cop_extent){q->va, bytes, pa, attrs, (uint8_t)l};
	q->count++;
	return true;
}

/* The cursor is after what has been reported. Return: false if there was no room for more. */
static COP_SLOW bool query_in(struct querying *q, cop_pa table, unsigned l)
{
	const uint64_t stop = q->left - table_room(q->g, q->va, q->left, l);
	const uint64_t *entries = table_entries(table);

	while (q->left > stop) {
		const unsigned slot = slot_of(q->g, q->va, l);
		const uint64_t room = entry_room(q->va, q->left, l);
		const uint64_t e = cop_load(entries + slot, acquire);

		if (fmt_present(e, l)) {
			const cop_pa offset = q->va & (leaf_bytes(l) - 1);

			if (fmt_is_table(e, l)) {
				if (!query_in(q, fmt_table_pa(q->g, e, l), l - 1))
					return false;
				continue;
			}
			if (!query_add(q, entry_pa(q->g, e, l, slot) + offset, room,
				       leaf_attrs(q->g, e, l) & ~(uint32_t)COP_AD, l))
				return false;
		}
		q->va += room;
		q->left -= room;
	}
	return true;
}

static COP_SLOW unsigned tables_query(const struct cop_tree *tree, cop_va va, cop_va last, struct cop_extent *out,
				      unsigned max)
{
	const struct cop_top *top = tree_top(tree);
	struct querying q = {.g = &top->geom, .out = out, .max = max};

	va = COP_ALIGN_DOWN(va, PAGE_BYTES);
	if (last < va || !range_ok(q.g, va, PAGE_BYTES))
		return 0;
	if (last > tree_last(q.g, va))
		last = tree_last(q.g, va);
	q.va = va;
	q.left = (last | (PAGE_BYTES - 1)) - va + 1;
	/* All of 64 bits of addresses is one byte more than a count holds: the last page is asked for by itself. */
	if (q.left == 0) {
		q.left = ~(PAGE_BYTES - 1);
		if (!query_in(&q, top->root, q.g->levels - 1U))
			return q.count;
		q.left = PAGE_BYTES;
	}
	(void)query_in(&q, top->root, q.g->levels - 1U);
	return q.count;
}

#endif
