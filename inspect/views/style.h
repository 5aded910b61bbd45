/* SPDX-License-Identifier: MIT */
/* Ranges as others print them: the kernel's ptdump, QEMU's "info mem" and "info tlb". */
#ifndef COPPICE_INSPECT_VIEWS_STYLE_H
#define COPPICE_INSPECT_VIEWS_STYLE_H

#include <stdio.h>

#include "inspect/views/ranges.h"

/**
 * struct insp_style - how ranges are made and printed
 * @arch: enum cop_arch that has it
 * @all: protnone leaves too
 * @header: before the first line; NULL: none
 * @line: prints a range, or each of its leaves
 */
struct insp_style {
	const char *name;
	int arch;
	uint64_t (*key)(const struct insp_run *, uint32_t attrs);
	bool by_level, by_pa, holes, all;
	const char *header;
	void (*line)(FILE *, const struct insp_tree *, const struct insp_range *);
};

/* NULL: this architecture has no such style. */
const struct insp_style *insp_style_find(const char *name, int arch);

/* The specification of ranges in that style; printing goes to @to, whose regions are @machine's. */
struct insp_style_print {
	const struct insp_style *style;
	const struct insp_tree *tree;
	FILE *to;
};
struct insp_ranges_spec insp_style_spec(struct insp_style_print *, const struct insp_region *regions, size_t count);

#endif
