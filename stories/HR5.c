/* SPDX-License-Identifier: MIT */
/*
 * HR5: the last page of a memmap is removed while vmalloc maps a page beside it. One table serves both, and the removal
 * empties it.
 *
 * The thread: "The vmalloc code doesn't hold the init_mm ptl when walking a table [...] So AFAICT, taking the init_mm ptl
 * here is not sufficient to make this safe", and its three options: the lock for the whole of vmalloc, the hotplug lock in
 * read mode, not to free such tables (arm64-hot-remove-review-2019-05). The library needs none of them: counts, DEAD and a
 * grace period do. The variants take those away and leave one option each.
 */
#include "stories/story.h"

#include <coppice/vmalloc.h>

struct cop_world {
	struct cop_tree tree;
	struct cop_sharing sharing;
	struct cop_vm vm;
	struct cop_vm_area area;
	uint64_t page; /* bytes */
	cop_va memmap;
	cop_pa removed, given, stays;
};
static struct cop_world world;

static void setup(cop_world *w)
{
	const struct cop_table_source source = cop_stage_tables();
	const struct cop_geom geom = cop_stage_geom();
	const uint64_t span = COP_LG2(cop_stage_format()->shift(1));

	w->page = COP_LG2(geom.page_lg2);
	w->memmap = cop_stage_va();
	COP_ASSERT(!cop_tree_init(&w->tree, &geom, &source, 0, COP_TREE_KERNEL));
	COP_ASSERT(!cop_sharing_init(&w->sharing, &w->tree, COP_SHARE_LOCKLESS, w->memmap, w->memmap + w->page - 1));
	COP_ASSERT(!cop_vm_init(&w->vm, &w->sharing, w->memmap + w->page, w->memmap + span - 1));
	w->removed = COP_ALLOC(geom.page_lg2, "memmap");
	w->given = COP_ALLOC(geom.page_lg2, "memory");
	COP_ASSERT(!cop_map(&w->tree, w->memmap, w->removed, w->page, COP_KERNEL_RW, 0, COP_MAP_NO_CTOR));
	/* The next table's page holds the tables above: what is shared is one table. */
	w->stays = COP_ALLOC(geom.page_lg2, "other memory");
	COP_ASSERT(!cop_map(&w->tree, w->memmap + span, w->stays, w->page, COP_KERNEL_RW, 0, 0));
	cop_stage_attach(&w->tree);
}

/* As the library's own hot-remove takes a memmap down. */
static void remover(cop_world *w)
{
	struct cop_detached_run run;
	struct cop_flushed token;
	struct cop_gather gather;

	cop_sharing_change_begin(&w->sharing);
	cop_gather_begin(&gather, &w->tree);
	COP_ASSERT(!cop_unmap(&gather, w->memmap, w->page, COP_UNMAP_FRAMES, &run, 1).err);
	token = cop_gather_finish(&gather);
	cop_sharing_change_end(&w->sharing);
	COP_GONE(w->memmap, w->page);
	COP_FREE(cop_freeable(token, run).pa, w->page);
}

static void vmapper(cop_world *w)
{
	COP_ASSERT(!cop_vmap(&w->vm, &w->area, w->given, w->page, COP_KERNEL_RW));
	COP_ASSERT(!COP_PROBE(w->area.start).fault);
}

static void check(cop_world *w)
{
	struct cop_gather gather;

	COP_ASSERT(!COP_PROBE(w->area.start).fault);
	cop_sharing_end(&w->sharing);
	cop_vunmap(&w->vm, &w->area);
	COP_GONE(w->area.start, w->page);
	COP_FREE(w->given, w->page);
	cop_gather_begin(&gather, &w->tree);
	COP_ASSERT(!cop_unmap(&gather, w->memmap + COP_LG2(cop_stage_format()->shift(1)), w->page, COP_UNMAP_BLIND,
			      NULL, 0)
			    .err);
	(void)cop_gather_finish(&gather);
	COP_FREE(w->stays, w->page);
	cop_stage_detach(&w->tree);
	COP_ASSERT(!cop_tree_destroy(&w->tree));
}

COP_STORY(.id = "HR5", .title = "vmalloc walks without a lock while hot-remove frees a table that both use",
	  .origin = "arm64-hot-remove-review-2019-05.txt", .formats = COP_ON_ALL, .world = &world,
	  .world_bytes = sizeof(world), .setup = setup, .check = check,
	  .actors = (const struct cop_actor[]){{.name = "remove", .run = remover},
					       {.name = "vmalloc", .cpu = 1, .run = vmapper},
					       {.name = NULL}},
	  .variants = (const struct cop_variant[]){
		  {.name = "fixed", .outcome = COP_EXHAUSTED},
		  /* The page-table lock around the removal only. */
		  {.name = "removal-locked", .outcome = COP_FAILS, .rule = "live-table-freed"},
		  /* Without counts and grace period too, each of these suffices. */
		  {.name = "walk-locked", .outcome = COP_EXHAUSTED},
		  {.name = "hotplug-read", .outcome = COP_EXHAUSTED},
		  {.name = "never-freed", .outcome = COP_EXHAUSTED},
		  {.name = NULL},
	  });
