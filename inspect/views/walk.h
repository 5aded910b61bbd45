/* SPDX-License-Identifier: MIT */
/* One address, level by level. */
#ifndef COPPICE_INSPECT_VIEWS_WALK_H
#define COPPICE_INSPECT_VIEWS_WALK_H

#include "inspect/machine.h"

/* What a walk ended with. */
enum insp_walk_end {
	INSP_WALK_MAPPED,
	INSP_WALK_OUTSIDE, /* the tree translates no such address */
	INSP_WALK_SHORT,   /* behind the end of the root, or of a table with an offset and a length (s390x) */
	INSP_WALK_MISSING, /* the input does not have the entry */
	INSP_WALK_EMPTY,
	INSP_WALK_SWAP,
	INSP_WALK_MARKER,
	INSP_WALK_BAD,
	INSP_WALK_PROTNONE, /* a leaf for software, not valid to hardware */
};

/* An entry on the way, of the table at @table. */
struct insp_step {
	cop_pa table;
	unsigned index;
	uint64_t entry;
	uint8_t level, kind; /* enum cop_kind */
};

/**
 * struct insp_walk - the way of one address
 * @step: @steps entries, the root's first
 * @pa: where it leads, if @end says mapped or protnone; @lg2 of the leaf
 * @attrs: of the leaf as hardware sees them
 */
struct insp_walk {
	struct insp_step step[5];
	unsigned steps;
	enum insp_walk_end end;
	cop_pa pa;
	uint32_t attrs;
	uint8_t lg2;
};

struct insp_walk insp_walk(struct insp_memory *, const struct insp_tree *, cop_va va);

/* "the entry is empty": why an access faults, for people. */
const char *insp_walk_why(enum insp_walk_end);

#endif
