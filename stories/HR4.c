/* SPDX-License-Identifier: MIT */
/*
 * HR4: an add that fails half way, at any of its steps, leaves everything as it was. Two sections, so that what is rolled
 * back is more than the step that failed; a reader of struct pages meanwhile.
 *
 * The thread: "update arch_add_memory() to handle __add_pages() failures by just unmapping recently added kernel linear
 * mapping" (arm64-hot-remove-review-2019-05).
 */
#include "stories/memory.h"

#define BOOT  2
#define FIRST 7 /* its linear map ends where a page table does, so that the next one's needs another */
#define ALL   9
/* More than an add asks for: with some of these nothing fails. */
#define DENIALS 12

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
	cop_stage_boot(&w->m, BOOT, ALL, 0);
	cop_stage_account(&w->m);
}

static void adder(cop_world *w)
{
	struct cop_stage_memory *m = &w->m;
	int err;

	m->deny = COP_CHOOSE(DENIALS);
	err = cop_mem_add(&m->mem, cop_stage_section(m, FIRST), 2 * m->section, 0);
	m->deny = 0;
	COP_ASSERT(!err || err == -COP_ENOMEM);
	COP_ASSERT(cop_mem_block_state(&m->mem, cop_stage_section(m, FIRST)) ==
		   (err ? COP_BLOCK_ABSENT : COP_BLOCK_OFFLINE));
}

static void walker(cop_world *w)
{
	const struct cop_mem *mem = &w->m.mem;
	const cop_pfn pfn = cop_stage_section(&w->m, FIRST) >> mem->page_lg2;

	cop_rcu_read_lock();
	if (cop_pfn_valid(mem, pfn))
		(void)cop_load(&cop_page(mem, pfn)->flags, relaxed);
	cop_rcu_read_unlock();
}

static void check(cop_world *w)
{
	struct cop_stage_memory *m = &w->m;

	if (cop_mem_block_state(&m->mem, cop_stage_section(m, FIRST)) != COP_BLOCK_ABSENT)
		COP_ASSERT(!cop_mem_remove(&m->mem, cop_stage_section(m, FIRST), 2 * m->section));
	COP_CHECK_ACCOUNT(m);
}

COP_STORY(.id = "HR4", .title = "an add that fails at any step leaves everything as it was",
	  .origin = "arm64-hot-remove-review-2019-05.txt", .formats = COP_ON_ALL, .pa_bytes = pa_bytes, .world = &world,
	  .world_bytes = sizeof(world), .setup = setup, .check = check,
	  .actors = (const struct cop_actor[]){{.name = "add", .run = adder},
					       {.name = "walk", .cpu = 1, .run = walker},
					       {.name = NULL}},
	  .variants = (const struct cop_variant[]){
		  {.name = "fixed", .outcome = COP_EXHAUSTED},
		  /* The linear map of the sections that came before the one that failed is left behind. */
		  {.name = "linear-map-stays", .outcome = COP_FAILS, .rule = "freed-while-mapped"},
		  /* Their memmap is. */
		  {.name = "memmap-stays", .outcome = COP_FAILS, .rule = "leak"},
		  /* A table is seen linked before what it holds. */
		  {.name = "link-relaxed",
		   .outcome = COP_FAILS,
		   .rule = "linked-unordered",
		   .formats = COP_ON_WEAK,
		   .reordered = true},
		  {.name = "link-relaxed", .outcome = COP_EXHAUSTED, .formats = COP_ON_TSO},
		  /* Struct pages are written through entries that a walk need not see yet; riscv64 fences what it maps. */
		  {.name = "map-unpublished",
		   .outcome = COP_FAILS,
		   .rule = "unpublished-entry",
		   .formats = COP_ON_ARM64,
		   .reordered = true},
		  {.name = "map-unpublished", .outcome = COP_EXHAUSTED, .formats = COP_ON_ALL & ~COP_ON_ARM64},
		  {.name = NULL},
	  });
