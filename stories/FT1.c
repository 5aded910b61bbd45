/* SPDX-License-Identifier: MIT */
/*
 * FT1: two threads of a space touch a page at once that nobody has touched before. Both bring a page; one of them is
 * mapped, the other one's owner is told, and what both write afterwards is in the same page.
 */
#include "stories/story.h"

struct cop_world {
	struct cop_tree tree;
	uint64_t page; /* bytes */
	cop_va va;
	cop_pa neighbour, brought[2];
	int err[2];
};
static struct cop_world world;

static void setup(cop_world *w)
{
	const struct cop_table_source source = cop_stage_tables();
	const struct cop_geom geom = cop_stage_geom();

	w->page = COP_LG2(geom.page_lg2);
	w->va = cop_stage_va();
	COP_ASSERT(!cop_tree_init(&w->tree, &geom, &source, 0, COP_TREE_KERNEL));
	/* The table is there: what they meet at is the entry. */
	w->neighbour = COP_ALLOC(geom.page_lg2, "neighbour");
	COP_ASSERT(!cop_map(&w->tree, w->va + w->page, w->neighbour, w->page, COP_KERNEL_RW, 0, 0));
	for (unsigned i = 0; i < 2; i++)
		w->brought[i] = COP_ALLOC(geom.page_lg2, "brought");
	cop_stage_attach(&w->tree);
}

static void fault(cop_world *w, unsigned i)
{
	w->err[i] = cop_map(&w->tree, w->va, w->brought[i], w->page, COP_KERNEL_RW, 0, COP_MAP_CONTENDED);
	COP_ASSERT(!w->err[i] || w->err[i] == -COP_EADDRINUSE);
	/* Whoever comes second may still know the entry as empty, as after any fault that need not have been. */
	if (w->err[i])
		cop_refresh(&w->tree, w->va);
	/* Whoever's it is, it is there, and stays. */
	COP_ASSERT(!COP_PROBE(w->va).fault);
}

static void first(cop_world *w)
{
	fault(w, 0);
}

static void second(cop_world *w)
{
	fault(w, 1);
}

static void check(cop_world *w)
{
	struct cop_unmapped taken;
	struct cop_gather gather;
	struct cop_leaf leaf[2];

	/* One and only one. */
	COP_ASSERT(!w->err[0] != !w->err[1]);
	cop_gather_begin(&gather, &w->tree);
	taken = cop_take(&gather, w->va, 2 * w->page, leaf, 2);
	(void)cop_gather_finish(&gather);
	COP_ASSERT(!taken.err && taken.runs == 2);
	COP_ASSERT(leaf[0].pa == w->brought[w->err[0] ? 1 : 0] && leaf[1].pa == w->neighbour);
	COP_GONE(w->va, 2 * w->page);
	for (unsigned i = 0; i < 2; i++)
		COP_FREE(w->brought[i], w->page);
	COP_FREE(w->neighbour, w->page);
	cop_stage_detach(&w->tree);
	COP_ASSERT(!cop_tree_destroy(&w->tree));
}

COP_STORY(.id = "FT1", .title = "two faults at one page: one of two pages is mapped",
	  .origin = "s390-page-tables-2009-2025.txt", .formats = COP_ON_ALL, .world = &world,
	  .world_bytes = sizeof(world), .setup = setup, .check = check,
	  .actors = (const struct cop_actor[]){{.name = "first", .run = first},
					       {.name = "second", .cpu = 1, .run = second},
					       {.name = NULL}},
	  .variants = (const struct cop_variant[]){
		  {.name = "fixed", .outcome = COP_EXHAUSTED},
		  /* Under the lock, but without a second look: the later page takes the place of the earlier. */
		  {.name = "no-second-look",
		   .outcome = COP_FAILS,
		   .rule = "break-before-make",
		   .formats = COP_ON_ARM64},
		  {.name = "no-second-look",
		   .outcome = COP_FAILS,
		   .rule = "missing-invalidation",
		   .formats = COP_ON_X86_64},
		  {.name = "no-second-look", .outcome = COP_FAILS, .rule = "assert", .formats = COP_ON_RISCV64},
		  {.name = "no-second-look",
		   .outcome = COP_FAILS,
		   .rule = "live-entry-stored",
		   .formats = COP_ON_S390X},
		  {.name = NULL},
	  });
