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
 * @step: what the value of each entry has more than the one before: entry i is @entry + i * @step
 * @table: physical address of the table, @index of the first entry
 * @count: entries, at least 1; a run need not be as long as it could be
 * @denied: leaves: what the tables above take away, of COP_WRITE, COP_USER, COP_EXEC (of user leaves) and COP_KEXEC (the
 *	kernel's execution, of kernel leaves too); see insp_attrs()
 * @lg2: of the bytes that one entry maps
 * @kind: COP_LEAF, COP_SWAP, COP_MARKER or COP_BAD
 */
struct insp_run {
	cop_va va;
	cop_pa pa, table;
	uint64_t entry, step;
	unsigned index, count;
	uint32_t denied;
	uint8_t level, lg2, kind;
};

/**
 * struct insp_table - a table, when it is entered and when it is left
 * @parent: COP_PA_NONE for the root
 * @entry: that links it; 0 for the root
 * @first: the first entry that exists; the rest of @entries are behind it (s390x table offset and length)
 * @values: of entry 0, native byte order; valid during the call; what does not exist or is missing reads as empty
 * @seen, @empty, @leaves: when it is left: how many of its own entries the scan was to visit, and what they are
 */
struct insp_table {
	cop_va va;
	cop_pa pa, parent;
	uint64_t entry;
	uint8_t level;
	unsigned first, entries;
	const uint64_t *values;
	unsigned seen, empty, leaves;
};

enum insp_skip {
	INSP_MISSING, /* the source does not have the table, or not these entries of it: a hole */
	INSP_CYCLE,   /* the table is one of its own parents */
	INSP_BUDGET,  /* tables linked so often that the scan would not end */
};

/**
 * struct insp_visitor - what a view wants to hear of; any may be NULL
 * @run: leaves and invalid entries that are not empty, in address order
 * @enter: false: do not look inside
 * @skip: a table that was not entered; of one that is there in part, the part that is not: @va, @first and @entries
 * @budget: how many tables are entered at most; 0: many times what the memory could hold, so that only tables linked over
 *	and over exceed it
 */
struct insp_visitor {
	void (*run)(void *, const struct insp_run *);
	bool (*enter)(void *, const struct insp_table *);
	void (*leave)(void *, const struct insp_table *);
	void (*skip)(void *, const struct insp_table *, enum insp_skip);
	uint64_t budget;
};

/* Counts of what a scan visited and could not show. */
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

/* Attributes of a run's leaves as hardware sees them: the leaf's own, less what the tables above deny. */
uint32_t insp_attrs(const struct insp_tree *, const struct insp_run *);

/* The virtual addresses a tree translates, [start, last] of each of one or two halves, ascending. */
struct insp_halves {
	struct {
		cop_va start, last;
	} half[2];
	unsigned count;
};
struct insp_halves insp_halves(const struct cop_geom *);

#endif
