/* SPDX-License-Identifier: MIT */
/* A planned machine on the host port. */
#ifndef CLI_RUN_MACHINE_H
#define CLI_RUN_MACHINE_H

#include <coppice/hotplug.h>
#include "cli/run/plan.h"
#include "ports/host/machine.h"

struct gup;

struct run_machine {
	const struct run_plan *plan;
	const struct run_options *options;
	struct cop_mem mem;
	struct cop_tree tree;
	void *arena;
	struct gup *gup; /* while an address space lives in this memory; else NULL */
};

/* Powers on and boots; exits with a message where the host cannot. */
void machine_boot(struct run_machine *, const struct run_plan *, const struct run_options *);
void machine_off(struct run_machine *);

/* "no memory", ... of a negative COP_E*. */
const char *machine_error(int err);

/* The value that a used page's first word holds. */
static inline uint64_t machine_pattern(cop_pa pa)
{
	return (pa ^ 0x636f707069636521ULL) * 0x9e3779b97f4a7c15ULL;
}

/* First address of a block that does not hold its own memmap. */
static inline cop_pa machine_block_data(const struct run_machine *m, cop_pa block)
{
	const uint64_t frames = COP_LG2(m->plan->section_lg2 - m->plan->geom.page_lg2);

	if (!m->options->altmap)
		return block;
	return block + COP_ALIGN_UP(frames << COP_PAGE_STRUCT_LG2, COP_LG2(m->plan->geom.page_lg2));
}

#endif
