/* SPDX-License-Identifier: MIT */
/* A scan that is asked instead of telling: it runs until a buffer is full, and again from there. */
#ifndef COPPICE_INSPECT_DIFF_FEED_H
#define COPPICE_INSPECT_DIFF_FEED_H

#include "inspect/scan.h"

#define FEED_ITEMS 512

enum feed_of { FEED_RUNS, FEED_TABLES };

/* A table as far as the comparison needs it. */
struct feed_table {
	cop_va va;
	cop_pa pa;
	uint64_t bytes; /* that it maps */
	uint8_t level;
	bool empty;
};

/**
 * struct feed - what comes next of one tree
 * @resume: where the next scan begins; tables at that address and above @level were given already
 * @full, @dropped: this scan has filled the buffer; something did not fit
 * @left: tables that may still be entered, so that it ends whatever the tree links
 */
struct feed {
	struct insp_memory *memory;
	const struct insp_tree *tree;
	enum feed_of of;
	cop_va resume, last;
	int level;
	bool dropped, over, cut;
	unsigned count, at;
	uint64_t left, missing;
	union {
		struct insp_run run[FEED_ITEMS];
		struct feed_table table[FEED_ITEMS];
	};
};

void feed_open(struct feed *, struct insp_memory *, const struct insp_tree *, enum feed_of, cop_va start, cop_va last);
/* What comes next, NULL: nothing. The same until it is taken. */
const struct insp_run *feed_run(struct feed *);
const struct feed_table *feed_table(struct feed *);
void feed_take(struct feed *);

#endif
