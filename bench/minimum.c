/* SPDX-License-Identifier: MIT */
#include "bench/minimum.h"

static unsigned leaf_level(const struct cop_format *f, const struct cop_geom *g, const struct minimum_range *r)
{
	unsigned best = 0;

	for (unsigned l = 1; l < g->levels; l++) {
		uint64_t size = COP_LG2(f->shift(l));

		if (f->can_leaf(g, l) && !((r->va | r->pa | r->bytes) & (size - 1)) &&
		    (!r->max_leaf_lg2 || f->shift(l) <= r->max_leaf_lg2))
			best = l;
	}
	return best;
}

/* Tables of level l: one for each entry one level up that a range with leaves of level l or less touches. */
static uint64_t tables_of(const struct cop_format *f, const struct cop_geom *g, const struct minimum_range *range,
			  unsigned ranges, unsigned l)
{
	unsigned shift = f->shift(l + 1);
	uint64_t count = 0, seen = 0; /* entries below `seen` are counted */

	for (unsigned i = 0; i < ranges; i++) {
		uint64_t first = range[i].va >> shift, end = ((range[i].va + range[i].bytes - 1) >> shift) + 1;

		if (leaf_level(f, g, &range[i]) > l)
			continue;
		if (first < seen)
			first = seen;
		if (end > first)
			count += end - first;
		if (end > seen)
			seen = end;
	}
	return count;
}

uint64_t minimum_table_bytes(const struct cop_format *f, const struct cop_geom *g, const struct minimum_range *range,
			     unsigned ranges)
{
	uint64_t bytes = COP_LG2(f->table_lg2(g, g->levels - 1U));

	for (unsigned l = 0; l + 1 < g->levels; l++)
		bytes += tables_of(f, g, range, ranges, l) << f->table_lg2(g, l);
	return bytes;
}
