/* SPDX-License-Identifier: MIT */
/*
 * HR7: is it empty? Two removals share a page that may go when both are done, and an add is about to use it again. The page
 * is a table of the memmap: its occupancy is counted, and the count is taken before anything is stored.
 *
 * The scheme of 2012 filled what was no longer used with 0xFD and freed a page when all of it was 0xFD: two removals may
 * both find it so, and what has just been claimed may look the same. Here the fill is the empty entry. "If struct pages
 * fill the page, free it" (arm64-hot-remove-review-2019-05: the x86 code is not the template to follow).
 */
#include "stories/story.h"

struct cop_world {
	struct cop_tree tree;
	uint64_t page; /* bytes */
	cop_va va;
	cop_pa frame[3];
};
static struct cop_world world;

static void setup(cop_world *w)
{
	const struct cop_table_source source = cop_stage_tables();
	const struct cop_geom geom = cop_stage_geom();

	w->page = COP_LG2(geom.page_lg2);
	w->va = cop_stage_va();
	COP_ASSERT(!cop_tree_init(&w->tree, &geom, &source, 0, COP_TREE_KERNEL));
	for (unsigned i = 0; i < 3; i++)
		w->frame[i] = COP_ALLOC(geom.page_lg2, "memmap");
	for (unsigned i = 0; i < 2; i++)
		COP_ASSERT(!cop_map(&w->tree, w->va + i * w->page, w->frame[i], w->page, COP_KERNEL_RW, 0,
				    COP_MAP_NO_CTOR));
	cop_stage_attach(&w->tree);
}

static void take_down(cop_world *w, unsigned i)
{
	struct cop_detached_run run;
	struct cop_gather gather;
	struct cop_flushed token;

	cop_gather_begin(&gather, &w->tree);
	COP_ASSERT(!cop_unmap(&gather, w->va + i * w->page, w->page, COP_UNMAP_FRAMES, &run, 1).err);
	token = cop_gather_finish(&gather);
	COP_FREE(cop_freeable(token, run).pa, w->page);
}

static void first_remover(cop_world *w)
{
	take_down(w, 0);
}

static void second_remover(cop_world *w)
{
	take_down(w, 1);
}

static void check(cop_world *w)
{
	/* Nothing is left, and what is mapped next is mapped by a table of its own. */
	COP_ASSERT(!cop_map(&w->tree, w->va + 2 * w->page, w->frame[2], w->page, COP_KERNEL_RW, 0, COP_MAP_NO_CTOR));
	COP_ASSERT(!COP_PROBE(w->va + 2 * w->page).fault);
	take_down(w, 2);
	cop_stage_detach(&w->tree);
	COP_ASSERT(!cop_tree_destroy(&w->tree));
}

COP_STORY(.id = "HR7",
	  .title = "two removals share a page: it is free when it is counted empty, not when it looks empty",
	  .origin = "arm64-hot-remove-review-2019-05.txt", .formats = COP_ON_ALL, .world = &world,
	  .world_bytes = sizeof(world), .setup = setup, .check = check,
	  .actors = (const struct cop_actor[]){{.name = "remove 1", .run = first_remover},
					       {.name = "remove 2", .cpu = 1, .run = second_remover},
					       {.name = NULL}},
	  .variants = (const struct cop_variant[]){
		  {.name = "fixed", .outcome = COP_EXHAUSTED},
		  /*
		   * Both find nothing but the fill, and both take it: two owners of one list link. (A look at the 8192
		   * entries of a 64 KB table is more than one execution may have of events.)
		   */
		  {.name = "looks-empty",
		   .outcome = COP_FAILS,
		   .rule = "data-race",
		   .formats = COP_ON_ALL & ~COP_ON_ARM64_64K},
		  {.name = NULL},
	  });
