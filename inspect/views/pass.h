/* SPDX-License-Identifier: MIT */
/* Leaves that are wanted, with their attributes: what the views that show leaves are made of. */
#ifndef COPPICE_INSPECT_VIEWS_PASS_H
#define COPPICE_INSPECT_VIEWS_PASS_H

#include "inspect/scan.h"

/**
 * struct insp_filter - which leaves are wanted
 * @must, @may_not: attributes, without memory types
 * @types, @not_types: sets of memory types, bit n for the type of value n << 16; @types 0: all
 * @bytes: size of a leaf; 0: any
 * @start, @last: virtual addresses
 * @pa_start, @pa_last: physical addresses
 */
struct insp_filter {
	uint32_t must, may_not;
	uint8_t types, not_types;
	uint64_t bytes;
	cop_va start, last;
	cop_pa pa_start, pa_last;
};

/* All leaves. */
struct insp_filter insp_filter_all(void);

/**
 * insp_filter_parse() - add "w,x,!user" to a filter
 *
 * Return: NULL; else the word that is no attribute.
 */
const char *insp_filter_parse(struct insp_filter *, const char *text);

/**
 * struct insp_pass - a pass over the wanted leaves of a tree
 * @leaves: neighbours, at least one; all have the attributes @attrs as hardware sees them (insp_attrs())
 * @also: what else of the scan is wanted; its run is not called
 */
struct insp_pass {
	struct insp_filter filter;
	void (*leaves)(void *, const struct insp_run *, uint32_t attrs);
	const struct insp_visitor *also;
};

struct insp_scanned insp_pass(struct insp_memory *, const struct insp_tree *, const struct insp_pass *, void *context);

#endif
