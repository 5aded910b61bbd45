/* SPDX-License-Identifier: MIT */
/*
 * One pass over a tree, in address order: what every view and every lint is made of.
 */
#ifndef COPPICE_INSPECT_SCAN_H
#define COPPICE_INSPECT_SCAN_H

#include "inspect/machine.h"

/**
 * struct insp_run - neighbouring entries of one table, of one kind
 * @va: of the first, sign-extended as the tree's half wants it
 * @pa: leaves: of the first; the next ones follow without a gap
 * @entry: value of the first; leaves of a run differ in nothing but the address (so young and dirty are the same too)
 * @table: physical address of the table, @index of the first entry
 * @count: entries, at least 1
 * @lg2: of the bytes that one entry maps
 * @kind: COP_LEAF, COP_SWAP, COP_MARKER or COP_BAD
 */
struct insp_run {
	cop_va va;
	cop_pa pa, table;
	uint64_t entry;
	unsigned index, count;
	uint8_t level, lg2, kind;
};

/* A table, when it is entered and when it is left. */
struct insp_table {
	cop_va va;
	cop_pa pa, parent; /* parent: COP_PA_NONE for the root */
	uint64_t entry;    /* that links it; 0 for the root */
	uint8_t level;
	unsigned entries;
	const uint64_t *values; /* native byte order; valid during the call */
	unsigned empty, leaves; /* when it is left: counts of its own entries */
};

enum insp_skip {
	INSP_MISSING, /* the source does not have the table: a hole */
	INSP_CYCLE,   /* the table is one of its own parents */
	INSP_BUDGET,  /* tables linked so often that the scan would not end */
};

/**
 * struct insp_visitor - what a view wants to hear of; any may be NULL
 * @run: leaves and invalid entries that are not empty, in address order
 * @enter: false: do not look inside
 * @skip: a table that was not entered
 */
struct insp_visitor {
	void (*run)(void *, const struct insp_run *);
	bool (*enter)(void *, const struct insp_table *);
	void (*leave)(void *, const struct insp_table *);
	void (*skip)(void *, const struct insp_table *, enum insp_skip);
};

/* Counts of what a scan could not show. */
struct insp_scanned {
	uint64_t tables, missing, cycles, budget;
};

/**
 * insp_scan() - visit what maps [@start, @last] of a tree
 *
 * Always ends, whatever the memory holds, and reads nothing outside of it. Memory taken: one table per level.
 */
struct insp_scanned insp_scan(struct insp_memory *, const struct insp_tree *, cop_va start, cop_va last,
			      const struct insp_visitor *, void *context);

#endif
