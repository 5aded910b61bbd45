/* SPDX-License-Identifier: MIT */
/*
 * Two moments of one tree: what appeared, vanished or changed.
 *
 * Both trees are read in step, so that memory does not grow with either: about 100 KB.
 */
#ifndef COPPICE_INSPECT_DIFF_H
#define COPPICE_INSPECT_DIFF_H

#include "inspect/scan.h"

enum insp_what { INSP_APPEARED, INSP_VANISHED, INSP_CHANGED };

/* How entries of both moments differ. */
enum insp_how {
	INSP_MOVED = 1 << 0,    /* maps other memory */
	INSP_ATTRS = 1 << 1,    /* permits something else */
	INSP_SPLIT = 1 << 2,    /* smaller leaves than before */
	INSP_JOINED = 1 << 3,   /* larger ones */
	INSP_KIND = 1 << 4,     /* a leaf was swapped out, or such */
	INSP_ACCESSED = 1 << 5, /* young, dirty or soft-dirty, if those are wanted */
};

/**
 * struct insp_side - entries of one moment
 * @pa: of the first, if @linear the others follow
 * @entries: 0: none
 */
struct insp_side {
	cop_pa pa;
	uint64_t entries;
	uint32_t attrs;
	uint8_t lg2, kind;
	bool linear;
};

/* Neighbouring addresses to which the same happened. */
struct insp_change {
	const struct insp_tree *tree;
	enum insp_what what;
	unsigned how; /* enum insp_how */
	cop_va va;
	uint64_t bytes;
	struct insp_side before, after;
};

/**
 * struct insp_table_change - neighbouring tables of one level to which the same happened
 * @va: of the first's first entry, @pa: of the first (INSP_CHANGED: after)
 * @empty: how many of those that are there afterwards hold nothing
 */
struct insp_table_change {
	const struct insp_tree *tree;
	enum insp_what what;
	unsigned level;
	cop_va va;
	cop_pa pa;
	uint64_t tables, empty, bytes;
};

/**
 * struct insp_diff_spec - what is compared, and who is told
 * @start, @last: virtual addresses
 * @accessed: young, dirty and soft-dirty count, which hardware and the kernel change all the time
 * @regions: where changes are not merged across
 */
struct insp_diff_spec {
	cop_va start, last;
	bool accessed;
	const struct insp_region *regions;
	size_t region_count;
	void (*change)(void *, const struct insp_change *);
	void (*table)(void *, const struct insp_table_change *);
};

/**
 * struct insp_differed - counts
 * @same: bytes mapped alike
 * @missing: tables that one of the inputs does not have
 * @cut: a tree shares tables so much that the comparison was cut short
 */
struct insp_differed {
	uint64_t same, missing;
	bool cut;
};

/**
 * insp_diff() - compare a tree of one machine with one of another
 *
 * Return: 0; -COP_EINVAL if the trees' geometry differs; -COP_ENOMEM.
 */
int insp_diff(struct insp_memory *before, const struct insp_tree *a, struct insp_memory *after,
	      const struct insp_tree *b, const struct insp_diff_spec *, void *context, struct insp_differed *);

#endif
