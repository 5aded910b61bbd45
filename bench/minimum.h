/* SPDX-License-Identifier: MIT */
/* How much table memory a layout needs at least, by arithmetic alone. */
#ifndef COPPICE_BENCH_MINIMUM_H
#define COPPICE_BENCH_MINIMUM_H

#include <coppice/format.h>

/**
 * struct minimum_range - a range that is mapped
 * @bytes: not 0
 * @max_leaf_lg2: no leaf larger than this; 0: no limit
 */
struct minimum_range {
	cop_va va;
	cop_pa pa;
	uint64_t bytes;
	unsigned max_leaf_lg2;
};

/**
 * minimum_table_bytes() - tables that no tree with these mappings can do without, the root included
 * @range, @ranges: ascending by .va, not overlapping; each is mapped with leaves of one level, the largest that its
 * alignment allows
 */
uint64_t minimum_table_bytes(const struct cop_format *, const struct cop_geom *, const struct minimum_range *range,
			     unsigned ranges);

#endif
