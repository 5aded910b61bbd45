/* SPDX-License-Identifier: MIT */
#ifndef COPPICE_INSPECT_DIFF_MERGE_H
#define COPPICE_INSPECT_DIFF_MERGE_H

#include "inspect/diff.h"
#include "inspect/diff/feed.h"

/**
 * struct differ - a comparison under way
 * @change, @table: what may still grow, if @open
 */
struct differ {
	const struct insp_tree *a, *b;
	struct feed *feed_a, *feed_b;
	const struct insp_diff_spec *spec;
	void *context;
	struct insp_differed *done;
	struct insp_change change;
	struct insp_table_change table;
	bool open;
};

/* The feeds are of runs, and of tables. */
void diff_leaves(struct differ *);
void diff_tables(struct differ *);

#endif
