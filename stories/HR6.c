/* SPDX-License-Identifier: MIT */
/*
 * HR6: one teardown for all architectures, and for tables of two kinds. Those of the linear map come from the page
 * allocator and are constructed and accounted; those of the memmap are not. Each is taken down as it was made, while
 * another CPU walks them.
 *
 * The thread: "Vmemmap mappings page table pages are allocated through sparse mem helper functions like
 * vmemmap_alloc_block() which does not cycle the pages through pgtable_page_ctor() constructs. Hence while removing it
 * skips corresponding destructor"; "all the pagetable accounting and other stuff" (arm64-hot-remove-generic-2019-04).
 */
#include "stories/story.h"

struct cop_world {
	struct cop_tree tree;
	uint64_t page; /* bytes */
	cop_va linear, vmemmap;
	cop_pa memory, memmap;
};
static struct cop_world world;

static void setup(cop_world *w)
{
	const struct cop_table_source source = cop_stage_tables();
	const struct cop_geom geom = cop_stage_geom();

	w->page = COP_LG2(geom.page_lg2);
	w->linear = cop_stage_va();
	/* A page table of its own, and all above in common. */
	w->vmemmap = w->linear + COP_LG2(cop_stage_format()->shift(1));
	COP_ASSERT(!cop_tree_init(&w->tree, &geom, &source, 0, COP_TREE_KERNEL));
	w->memory = COP_ALLOC(geom.page_lg2, "memory");
	w->memmap = COP_ALLOC(geom.page_lg2, "memmap");
	COP_ASSERT(!cop_map(&w->tree, w->linear, w->memory, w->page, COP_KERNEL_RW, 0, 0));
	COP_ASSERT(!cop_map(&w->tree, w->vmemmap, w->memmap, w->page, COP_KERNEL_RW, 0, COP_MAP_NO_CTOR));
	cop_stage_attach(&w->tree);
}

static void take_down(cop_world *w, cop_va va)
{
	struct cop_detached_run run;
	struct cop_gather gather;
	struct cop_flushed token;

	cop_gather_begin(&gather, &w->tree);
	COP_ASSERT(!cop_unmap(&gather, va, w->page, COP_UNMAP_FRAMES, &run, 1).err);
	token = cop_gather_finish(&gather);
	COP_GONE(va, w->page);
	COP_FREE(cop_freeable(token, run).pa, w->page);
}

static void remover(cop_world *w)
{
	take_down(w, w->vmemmap);
	take_down(w, w->linear);
}

/* In software, under RCU, and by the MMU. */
static void walker(cop_world *w)
{
	cop_rcu_read_lock();
	(void)cop_translate(&w->tree, w->vmemmap);
	cop_rcu_read_unlock();
	(void)COP_PROBE(w->linear);
}

static void check(cop_world *w)
{
	if (cop_load(&w->tree.constructed, relaxed))
		cop_stage_fail("accounting", "tables with a constructor that was not undone", COP_STAGE_AT);
	cop_stage_detach(&w->tree);
	COP_ASSERT(!cop_tree_destroy(&w->tree));
}

COP_STORY(.id = "HR6", .title = "one teardown: tables with and without a constructor, on every architecture",
	  .origin = "arm64-hot-remove-generic-2019-04.txt", .formats = COP_ON_ALL, .world = &world,
	  .world_bytes = sizeof(world), .setup = setup, .check = check,
	  .actors = (const struct cop_actor[]){{.name = "remove", .run = remover},
					       {.name = "walk", .cpu = 1, .run = walker},
					       {.name = NULL}},
	  .variants = (const struct cop_variant[]){
		  {.name = "fixed", .outcome = COP_EXHAUSTED},
		  /* The destructor runs for every table, whether it was constructed or not. */
		  {.name = "destroys-all", .outcome = COP_FAILS, .rule = "accounting", .host_rule = "accounting"},
		  /* Nothing is destroyed: each cycle leaves its constructed tables in the accounts. */
		  {.name = "destroys-none", .outcome = COP_FAILS, .rule = "accounting", .host_rule = "accounting"},
		  {.name = NULL},
	  });
