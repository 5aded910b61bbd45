/* SPDX-License-Identifier: MIT */
/*
 * HR2: a table that is partly used stays. One table maps a page of the section that is removed, and a page of the next
 * section, which stays; an add of a third fails half way beside it.
 *
 * The thread: "While freeing intermediate level page table pages bail out if any of its entries are still valid. This can
 * happen for partially filled kernel page table either from a previously attempted failed memory hot add or while removing
 * an address range which does not span the entire page table page range" (arm64-hot-remove-review-2019-05).
 */
#include "stories/story.h"

struct cop_world {
	struct cop_tree tree;
	uint64_t page; /* bytes */
	cop_va va;
	cop_pa removed, stays, added;
	bool dry; /* the table source has nothing */
};
static struct cop_world world;

static cop_pa table_alloc(void *ctx, unsigned lg2)
{
	const struct cop_table_source source = cop_stage_tables();

	return cop_load(&((cop_world *)ctx)->dry, relaxed) ? COP_PA_NONE : source.alloc(source.ctx, lg2);
}

static void setup(cop_world *w)
{
	struct cop_table_source source = cop_stage_tables();
	const struct cop_geom geom = cop_stage_geom();

	source.alloc = table_alloc;
	source.ctx = w;
	w->page = COP_LG2(geom.page_lg2);
	w->va = cop_stage_va();
	COP_ASSERT(!cop_tree_init(&w->tree, &geom, &source, 0, COP_TREE_KERNEL));
	w->removed = COP_ALLOC(geom.page_lg2, "removed memmap");
	w->stays = COP_ALLOC(geom.page_lg2, "memmap that stays");
	w->added = COP_ALLOC(geom.page_lg2, "added memmap");
	COP_ASSERT(!cop_map(&w->tree, w->va, w->removed, w->page, COP_KERNEL_RW, 0, COP_MAP_NO_CTOR));
	COP_ASSERT(!cop_map(&w->tree, w->va + w->page, w->stays, w->page, COP_KERNEL_RW, 0, COP_MAP_NO_CTOR));
	cop_stage_attach(&w->tree);
	cop_store(&w->dry, true, relaxed);
}

static void unmap_page(cop_world *w, cop_va va, cop_pa pa)
{
	struct cop_detached_run run;
	struct cop_gather gather;
	struct cop_flushed token;

	cop_gather_begin(&gather, &w->tree);
	COP_ASSERT(!cop_unmap(&gather, va, w->page, COP_UNMAP_FRAMES, &run, 1).err);
	token = cop_gather_finish(&gather);
	COP_GONE(va, w->page);
	COP_ASSERT(cop_freeable(token, run).pa == pa);
	COP_FREE(pa, w->page);
}

static void remover(cop_world *w)
{
	unmap_page(w, w->va, w->removed);
}

/* The last page of this table and the first of the next, which there is no memory for: none of it stays. */
static void adder(cop_world *w)
{
	const uint64_t span = COP_LG2(cop_stage_format()->shift(1));

	COP_ASSERT(cop_map(&w->tree, w->va + span - w->page, w->added, 2 * w->page, COP_KERNEL_RW, 0,
			   COP_MAP_NO_CTOR) == -COP_ENOMEM);
	COP_GONE(w->va + span - w->page, 2 * w->page);
	(void)COP_PROBE(w->va + w->page);
}

static void check(cop_world *w)
{
	COP_ASSERT(!COP_PROBE(w->va + w->page).fault);
	unmap_page(w, w->va + w->page, w->stays);
	COP_FREE(w->added, w->page);
	cop_stage_detach(&w->tree);
	COP_ASSERT(!cop_tree_destroy(&w->tree));
}

COP_STORY(.id = "HR2", .title = "a table with entries that are still valid stays, whoever failed or left beside",
	  .origin = "arm64-hot-remove-review-2019-05.txt", .formats = COP_ON_ALL, .world = &world,
	  .world_bytes = sizeof(world), .setup = setup, .check = check,
	  .actors = (const struct cop_actor[]){{.name = "remove", .run = remover},
					       {.name = "add", .cpu = 1, .run = adder},
					       {.name = NULL}},
	  .variants = (const struct cop_variant[]){
		  {.name = "fixed", .outcome = COP_EXHAUSTED},
		  /* The table of the last page that is removed goes, whatever else it maps. */
		  {.name = "frees-live", .outcome = COP_FAILS, .rule = "live-table-freed"},
		  /* What a failed add has stored stays behind. */
		  {.name = "failed-add-stays",
		   .outcome = COP_FAILS,
		   .rule = "still-mapped",
		   .host_rule = "still-mapped"},
		  {.name = NULL},
	  });
