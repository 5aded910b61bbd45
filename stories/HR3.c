/* SPDX-License-Identifier: MIT */
/*
 * HR3: the memory behind a memmap goes back to whom it belongs. A hot-added section's memmap is the allocator's frames;
 * one that was added with an altmap has its memmap in its own first frames; that of boot memory was carved out before
 * there was an allocator, and stays.
 *
 * The thread: "WARN_ON(PageReserved(page)); free_pages(...)" for every page behind the memmap, and "the memory backing the
 * vmemmap must also be freed" (arm64-hot-remove-review-2019-05).
 */
#include "stories/memory.h"

#define BOOT   3 /* tables at the bottom of the first, memmap at the top of the last, nothing in the second */
#define ADDED  3
#define ALTMAP 4
#define ALL    5

struct cop_world {
	struct cop_stage_memory m;
};
static struct cop_world world;

static uint64_t pa_bytes(const struct cop_geom *geom)
{
	return cop_stage_memory_bytes(geom, ALL);
}

static void setup(cop_world *w)
{
	struct cop_stage_memory *m = &w->m;

	cop_stage_boot(m, BOOT, ALL, 0);
	COP_ASSERT(!cop_mem_offline(&m->mem, cop_stage_section(m, 1), m->section));
	cop_stage_account(m);
	COP_ASSERT(!cop_mem_add(&m->mem, cop_stage_section(m, ADDED), m->section, 0));
	COP_ASSERT(!cop_mem_add(&m->mem, cop_stage_section(m, ALTMAP), m->section, COP_ADD_ALTMAP));
}

static void remover(cop_world *w)
{
	struct cop_stage_memory *m = &w->m;

	COP_ASSERT(cop_mem_remove(&m->mem, cop_stage_section(m, 1), m->section) == -COP_EPERM);
	COP_ASSERT(!cop_mem_remove(&m->mem, cop_stage_section(m, ADDED), m->section));
}

static void look_at(const struct cop_mem *mem, cop_pa pa)
{
	const cop_pfn pfn = pa >> mem->page_lg2;

	cop_rcu_read_lock();
	if (cop_pfn_valid(mem, pfn))
		(void)cop_load(&cop_page(mem, pfn)->flags, relaxed);
	cop_rcu_read_unlock();
}

/* Of each kind of memmap one struct page, while it is valid. */
static void walker(cop_world *w)
{
	struct cop_stage_memory *m = &w->m;

	look_at(&m->mem, cop_stage_section(m, ADDED));
	look_at(&m->mem, cop_stage_section(m, ALTMAP));
}

static void check(cop_world *w)
{
	struct cop_stage_memory *m = &w->m;

	COP_ASSERT(!cop_mem_remove(&m->mem, cop_stage_section(m, ALTMAP), m->section));
	COP_CHECK_ACCOUNT(m);
}

COP_STORY(.id = "HR3", .title = "the memory behind a memmap goes back to its owner: allocator, altmap or boot",
	  .origin = "arm64-hot-remove-review-2019-05.txt", .formats = COP_ON_ALL, .pa_bytes = pa_bytes, .world = &world,
	  .world_bytes = sizeof(world), .setup = setup, .check = check,
	  .actors = (const struct cop_actor[]){{.name = "remove", .run = remover},
					       {.name = "walk", .cpu = 1, .run = walker},
					       {.name = NULL}},
	  .variants = (const struct cop_variant[]){
		  {.name = "fixed", .outcome = COP_EXHAUSTED},
		  /* Boot memory is removed like any other: its memmap is reserved. */
		  {.name = "boot-memmap-freed", .outcome = COP_FAILS, .rule = "free-reserved"},
		  /* The frames of an altmap are given to the allocator: their struct pages are what has just gone. */
		  {.name = "altmap-to-allocator", .outcome = COP_FAILS, .rule = "struct-page-unmapped"},
		  /* The memmap goes without waiting for those who asked whether it is there. */
		  {.name = "no-grace-period", .outcome = COP_FAILS, .rule = "struct-page-unmapped"},
		  {.name = NULL},
	  });
