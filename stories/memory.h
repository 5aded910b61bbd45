/* SPDX-License-Identifier: MIT */
/* A stage with memory: sections, memmap, allocator, and what comes and goes. On the simulated machine only. */
#ifndef COPPICE_STORIES_MEMORY_H
#define COPPICE_STORIES_MEMORY_H

#include "stories/story.h"

#include <coppice/hotplug.h>

/*
 * struct cop_stage_memory - the smallest machine on which a story happens; part of its world
 * @no_runs: its tree has single leaves only
 * @deny: the how manieth allocation from now on fails; 0: none does
 */
struct cop_stage_memory {
	struct cop_mem mem;
	struct cop_tree tree;
	uint64_t section;    /* bytes */
	uint8_t section_lg2; /* what it is to be; 0: the smallest that the format allows */
	bool no_runs;
	uint64_t deny;
	struct cop_mem_account before;
	_Alignas(64) uint8_t arena[4096];
};

/* Tables from there; the machine learns what they are for. */
struct cop_table_source cop_stage_memory_tables(struct cop_stage_memory *);
/* Physical memory of @sections sections. */
uint64_t cop_stage_memory_bytes(const struct cop_geom *, unsigned sections);
/* Boots with the first @boot of @sections sections, the others can be added; flags: enum cop_mem_flag. */
void cop_stage_boot(struct cop_stage_memory *, unsigned boot, unsigned sections, uint32_t flags);
static inline cop_pa cop_stage_section(const struct cop_stage_memory *m, unsigned i)
{
	return i * m->section;
}
/* Notes where every frame is, and that it is there again. */
void cop_stage_account(struct cop_stage_memory *);
void cop_stage_check_account(struct cop_stage_memory *, struct cop_stage_at);
#define COP_CHECK_ACCOUNT(m) cop_stage_check_account((m), COP_STAGE_AT)

#endif
