/* SPDX-License-Identifier: MIT */
/*
 * HR8: a machine that has no way to remove memory says so, and nothing has changed: whoever looks meanwhile finds it all.
 *
 * The threads: hot-remove is what a platform can or cannot do, whatever its tables look like (s390x takes memory offline,
 * and has no firmware call to take it away; s390-page-tables-2009-2025).
 */
#include "stories/memory.h"

#define BOOT  2
#define ADDED BOOT
#define ALL   3

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

	cop_stage_boot(m, BOOT, ALL, COP_MEM_NO_REMOVE);
	COP_ASSERT(!cop_mem_add(&m->mem, cop_stage_section(m, ADDED), m->section, 0));
	cop_stage_account(m);
}

static void remover(cop_world *w)
{
	struct cop_stage_memory *m = &w->m;

	COP_ASSERT(cop_mem_remove(&m->mem, cop_stage_section(m, ADDED), m->section) == -COP_EBUSY);
	COP_ASSERT(cop_mem_block_state(&m->mem, cop_stage_section(m, ADDED)) == COP_BLOCK_OFFLINE);
}

/* Never gone, not for a moment. */
static void walker(cop_world *w)
{
	const struct cop_mem *mem = &w->m.mem;
	const cop_pfn pfn = cop_stage_section(&w->m, ADDED) >> mem->page_lg2;

	cop_rcu_read_lock();
	COP_ASSERT(cop_pfn_valid(mem, pfn));
	(void)cop_load(&cop_page(mem, pfn)->flags, relaxed);
	cop_rcu_read_unlock();
	COP_ASSERT(!COP_PROBE(cop_linear_va(mem, cop_stage_section(&w->m, ADDED))).fault);
}

static void check(cop_world *w)
{
	struct cop_stage_memory *m = &w->m;

	COP_CHECK_ACCOUNT(m);
	COP_ASSERT(!cop_mem_online(&m->mem, cop_stage_section(m, ADDED), m->section, COP_ZONE_NORMAL));
	COP_ASSERT(!cop_mem_offline(&m->mem, cop_stage_section(m, ADDED), m->section));
	COP_CHECK_ACCOUNT(m);
}

COP_STORY(.id = "HR8", .title = "a machine that cannot remove memory says so, and nothing has changed",
	  .origin = "s390-page-tables-2009-2025.txt", .formats = COP_ON_ALL, .pa_bytes = pa_bytes, .world = &world,
	  .world_bytes = sizeof(world), .setup = setup, .check = check,
	  .actors = (const struct cop_actor[]){{.name = "remove", .run = remover},
					       {.name = "walk", .cpu = 1, .run = walker},
					       {.name = NULL}},
	  .variants = (const struct cop_variant[]){
		  {.name = "fixed", .outcome = COP_EXHAUSTED},
		  /* It notices when half of it is done. */
		  {.name = "says-so-late", .outcome = COP_FAILS, .rule = "assert"},
		  {.name = NULL},
	  });
