/* SPDX-License-Identifier: MIT */
/* What a tree is made of, and what larger leaves would save. */
#ifndef COPPICE_INSPECT_VIEWS_STATS_H
#define COPPICE_INSPECT_VIEWS_STATS_H

#include "inspect/views/pass.h"

/**
 * struct insp_level_stats - tables of one level and their entries
 * @tables: as often as they are linked; @bytes of memory in them
 * @entries: of all of them; @used: not empty; @full and @empty tables
 * @leaves: leaf entries; @cont: those in whole contiguous runs that are marked so
 * @could_cont: leaves that could be marked as members of contiguous runs
 * @could_leaf: tables that one leaf of the level above could replace
 */
struct insp_level_stats {
	uint64_t tables, bytes, entries, used, full, empty;
	uint64_t leaves, cont, could_cont, could_leaf;
};

/**
 * struct insp_stats - of a tree
 * @mapped: bytes of virtual addresses that leaves map
 * @leaves: all; @protnone of them are not valid to hardware
 * @swaps, @markers, @bad: entries
 */
struct insp_stats {
	struct insp_level_stats level[5];
	uint64_t mapped, leaves, protnone, swaps, markers, bad;
	struct insp_scanned scanned;
};

/* What a TLB holds for all of it: one for a leaf, one for a contiguous run; as it is, and as it could be. */
struct insp_reach {
	uint64_t now, best;
};
struct insp_reach insp_stats_reach(const struct insp_tree *, const struct insp_stats *);

/* Memory in tables that larger leaves would free, bytes. */
uint64_t insp_stats_spared(const struct insp_stats *);

/* A scan made for counting; its context is the struct insp_counting. */
struct insp_counting {
	const struct insp_tree *tree;
	struct cop_geom runs; /* with every feature that makes contiguous runs */
	struct insp_stats stats;
	/* Each level: the table being counted, and in it the leaf run. */
	struct {
		cop_pa pa, run_pa;
		uint64_t n, run_n;
		uint32_t attrs, run_attrs;
		bool alike, run_alike, run_marked;
	} at[5];
};
void insp_counting_begin(struct insp_counting *, const struct insp_tree *);
extern const struct insp_visitor insp_counting_visitor;

#endif
