/* SPDX-License-Identifier: MIT */
/* Neighbouring leaves that are alike, merged; holes too, where wanted; cut where the address space changes its name. */
#ifndef COPPICE_INSPECT_VIEWS_RANGES_H
#define COPPICE_INSPECT_VIEWS_RANGES_H

#include "inspect/views/pass.h"

/**
 * struct insp_range - entries in a row that are alike
 * @start, @end: virtual addresses; @end is 0 at the top of 64 bits
 * @pa: of the first leaf
 * @entry: of the first leaf; 0 for a hole
 * @leaves: how many; entries, for a hole
 * @key: what they have in common, by the spec's key()
 * @attrs: of the first leaf, and @denied to it by the tables above
 * @region: name of that part of the address space; NULL: none
 * @lg2: of the bytes of one leaf
 */
struct insp_range {
	cop_va start, end;
	cop_pa pa;
	uint64_t entry, leaves, key;
	uint32_t attrs, denied;
	const char *region;
	uint8_t level, lg2;
	bool hole;
};

/**
 * struct insp_ranges_spec - which leaves belong together, and who is told
 * @regions: names of the address space, ascending; a range lies in one, or in none
 * @key: leaves with different keys are not alike
 * @by_level: nor are those of different levels
 * @by_pa: nor those whose physical addresses do not follow each other
 * @holes: tell of what is not mapped, level by level, as the kernel's ptdump does; headings then come as they are passed
 * @skip: with @holes, addresses at which nothing is looked at for holes; last 0: none
 * @range, @heading: called with @context; @heading only with @holes, NULL otherwise
 */
struct insp_ranges_spec {
	const struct insp_region *regions;
	size_t region_count;
	uint64_t (*key)(const struct insp_run *, uint32_t attrs);
	bool by_level, by_pa, holes;
	struct insp_region skip;
	void (*range)(void *, const struct insp_range *);
	void (*heading)(void *, const char *name);
	void *context;
};

/* Memory taken: two words for each region. */
struct insp_ranges;

/* NULL: no memory. */
struct insp_ranges *insp_ranges_begin(const struct insp_ranges_spec *, const struct insp_tree *,
				      const struct insp_filter *);

/* The pass to make over the tree, with the struct insp_ranges as context. */
struct insp_pass insp_ranges_pass(const struct insp_ranges *);

/* The last range is told; frees. */
void insp_ranges_end(struct insp_ranges *);

#endif
