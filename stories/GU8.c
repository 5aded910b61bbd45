/* SPDX-License-Identifier: MIT */
/*
 * GU8: pages are moved from one table to another, as mremap does, by two at once. Tables that are fragments of one page
 * share a lock; others have their own, and the movers meet at one that both want.
 *
 * The thread: "ptlock embedded in struct page, which also might lock two 2 KB pagetables"; "to avoid a deadlock if src and
 * dst ptlocks happen to be on the" same page (s390-page-tables-2009-2025).
 */
#include "stories/story.h"

struct cop_world {
	struct cop_tree tree;
	cop_va va[3]; /* each in a table of its own: the first two of one page, the third not */
	cop_pa half;  /* of such a page, not yet handed out; 0: none */
	bool pairs;
	uint64_t page;
	cop_pa frame[3];
};
static struct cop_world world;

/* Once all others are there: tables of pages, two out of one block, which share a lock as fragments do (fragments.h). */
static cop_pa table_alloc(void *ctx, unsigned lg2)
{
	struct cop_world *w = ctx;
	const struct cop_table_source source = cop_stage_tables();
	cop_pa table = w->half;

	if (!w->pairs)
		return source.alloc(source.ctx, lg2);
	w->half = 0;
	if (table)
		return table;
	table = source.alloc(source.ctx, lg2 + 1);
	w->half = table + COP_LG2(lg2);
	for (cop_pa pa = table; pa < table + COP_LG2(lg2 + 1); pa += COP_LG2(lg2))
		cop_write(&cop_ptdesc(pa)->lock_lg2, (uint8_t)(lg2 + 1));
	cop_write(&cop_ptdesc(table)->lock, (uint8_t)0);
	return table;
}

static void table_free(void *ctx, cop_pa table, unsigned lg2)
{
	(void)ctx;
	COP_FREE(table, COP_LG2(lg2));
}

static void map(cop_world *w, unsigned table, unsigned slot, cop_pa frame)
{
	COP_ASSERT(!cop_map(&w->tree, w->va[table] + slot * w->page, frame, w->page, COP_KERNEL_RW, 0, 0));
}

static void setup(cop_world *w)
{
	const struct cop_geom geom = cop_stage_geom();

	w->page = COP_LG2(geom.page_lg2);
	COP_ASSERT(!cop_tree_init(&w->tree, &geom, &(struct cop_table_source){table_alloc, table_free, w}, 0,
				  COP_TREE_KERNEL));
	for (unsigned i = 0; i < 3; i++) {
		w->va[i] = cop_stage_va() + i * COP_LG2(cop_stage_format()->shift(1));
		w->frame[i] = COP_ALLOC(geom.page_lg2, "page");
	}
	/* These stay, and their tables with them. */
	map(w, 2, 8, w->frame[1]);
	w->pairs = true;
	map(w, 0, 8, w->frame[1]);
	map(w, 1, 8, w->frame[1]);
	COP_ASSERT(!w->half);
	map(w, 0, 0, w->frame[0]);
	map(w, 2, 1, w->frame[2]);
	map(w, 1, 2, w->frame[0]);
	cop_stage_attach(&w->tree);
}

static void move(cop_world *w, unsigned from, unsigned to, unsigned slot)
{
	struct cop_gather gather;

	cop_gather_begin(&gather, &w->tree);
	COP_ASSERT(!cop_move(&gather, w->va[from] + slot * w->page, w->va[to] + slot * w->page, w->page));
	(void)cop_gather_finish(&gather);
}

/* Within the page. */
static void within(cop_world *w)
{
	move(w, 0, 1, 0);
	COP_GONE(w->va[0], w->page);
}

/* Into it. */
static void into(cop_world *w)
{
	move(w, 2, 1, 1);
}

/* And the other way. */
static void out_of(cop_world *w)
{
	move(w, 1, 2, 2);
}

static void check(cop_world *w)
{
	struct cop_gather gather;

	COP_ASSERT(cop_translate(&w->tree, w->va[1]).pa == w->frame[0]);
	COP_ASSERT(cop_translate(&w->tree, w->va[1] + w->page).pa == w->frame[2]);
	COP_ASSERT(cop_translate(&w->tree, w->va[2] + w->page).pa == COP_PA_NONE);
	cop_gather_begin(&gather, &w->tree);
	for (unsigned i = 0; i < 3; i++)
		COP_ASSERT(
			!cop_unmap(&gather, w->va[i], 16 * w->page, COP_UNMAP_BLIND | COP_UNMAP_HOLES_OK, NULL, 0).err);
	(void)cop_gather_finish(&gather);
	for (unsigned i = 0; i < 3; i++)
		COP_FREE(w->frame[i], w->page);
	cop_stage_detach(&w->tree);
	COP_ASSERT(!cop_tree_destroy(&w->tree));
}

static const struct cop_actor three[] = {{.name = "within", .run = within},
					 {.name = "into", .cpu = 1, .run = into},
					 {.name = "out", .cpu = 2, .run = out_of},
					 {.name = NULL}};

COP_STORY(.id = "GU8", .title = "pages move between tables that share a lock, and between others",
	  .origin = "s390-page-tables-2009-2025.txt", .formats = COP_ON_ALL, .world = &world,
	  .world_bytes = sizeof(world), .setup = setup, .check = check,
	  .actors = (const struct cop_actor[]){{.name = "within", .run = within},
					       {.name = "into", .cpu = 1, .run = into},
					       {.name = NULL}},
	  .variants = (const struct cop_variant[]){
		  {.name = "fixed", .outcome = COP_EXHAUSTED},
		  {.name = "3-cpus",
		   .outcome = COP_EXHAUSTED,
		   .formats = COP_ON_ALL & ~COP_ON_RISCV64,
		   .actors = three},
		  {.name = "3-cpus",
		   .outcome = COP_EXHAUSTED,
		   .formats = COP_ON_RISCV64,
		   .actors = three,
		   .bound = 5000},
		  /* The mover takes both tables' locks, and they are one. */
		  {.name = "locks-twice", .outcome = COP_FAILS, .rule = "deadlock"},
		  {.name = NULL},
	  });
