/* SPDX-License-Identifier: MIT */
/*
 * GU5: somebody reads another task's tables without its lock, as smaps does: inside an RCU read section, interrupts on. The
 * task unmaps meanwhile, and its tables are somebody else's next.
 */
#include "stories/gup.h"

#define SECTIONS 2
#define PAGES    2

struct cop_world {
	struct cop_stage_memory m;
	struct cop_spaces spaces;
	struct cop_space space;
	cop_va va; /* a page at the end of a table and one at the beginning of the next */
	cop_pfn page[PAGES];
};
static struct cop_world world;

static uint64_t pa_bytes(const struct cop_geom *geom)
{
	return cop_stage_memory_bytes(geom, SECTIONS + 1);
}

static void setup(cop_world *w)
{
	struct cop_stage_memory *m = &w->m;
	const uint64_t page = COP_LG2(cop_stage_geom().page_lg2);

	cop_stage_boot(m, SECTIONS, SECTIONS, 0);
	cop_stage_account(m);
	cop_spaces_init(&w->spaces, &m->mem);
	cop_stage_user_on(&w->spaces, &w->space, 1);
	w->va = cop_stage_user_va() + COP_LG2(cop_stage_format()->shift(1)) - page;
	for (unsigned i = 0; i < PAGES; i++) {
		w->page[i] = cop_frames_alloc(&m->mem, 0, 0);
		COP_USER_MAP(&w->space, w->va + i * page, w->page[i], 1, COP_USER_RW);
	}
}

/* Each page is where it was, or it is not there. */
static void read_tables(cop_world *w)
{
	const unsigned page_lg2 = w->m.mem.page_lg2;
	struct cop_extent extent[PAGES];
	unsigned n;

	cop_rcu_read_lock();
	n = cop_query(&w->space.tree, w->va, w->va + PAGES * COP_LG2(page_lg2) - 1, extent, PAGES);
	cop_rcu_read_unlock();
	for (unsigned i = 0; i < n; i++)
		COP_WRONG_PAGE(extent[i].pa >> page_lg2 != w->page[(extent[i].va - w->va) >> page_lg2]);
}

/* Both at once: all tables but the root go. */
static void unmap(cop_world *w)
{
	COP_USER_UNMAP(&w->space, w->va, PAGES);
}

static void check(cop_world *w)
{
	for (unsigned i = 0; i < PAGES; i++)
		cop_frames_free(&w->m.mem, w->page[i]);
	cop_stage_user_off(&w->space);
	COP_CHECK_ACCOUNT(&w->m);
}

static const struct cop_actor three[] = {{.name = "read", .run = read_tables},
					 {.name = "unmap", .cpu = 1, .run = unmap},
					 {.name = "read too", .cpu = 2, .run = read_tables},
					 {.name = NULL}};

COP_STORY(.id = "GU5", .title = "another task's tables are read under RCU alone while it unmaps",
	  .origin = "s390-page-tables-2009-2025.txt", .formats = COP_ON_ALL, .pa_bytes = pa_bytes, .world = &world,
	  .world_bytes = sizeof(world), .setup = setup, .check = check,
	  .actors = (const struct cop_actor[]){{.name = "read", .run = read_tables},
					       {.name = "unmap", .cpu = 1, .run = unmap},
					       {.name = NULL}},
	  .variants = (const struct cop_variant[]){
		  {.name = "fixed", .outcome = COP_EXHAUSTED},
		  {.name = "3-cpus", .outcome = COP_EXHAUSTED, .actors = three},
		  /* A table is free as soon as it is invalidated. */
		  {.name = "freed-at-once", .outcome = COP_FAILS, .rule = "walker-in-freed-table"},
		  {.name = NULL},
	  });
