/* SPDX-License-Identifier: MIT */
/*
 * About fifty visible steps, by the library, with all rules on: a page goes, is invalidated and freed while another CPU
 * translates addresses in the same table, in software and by the MMU, and a third maps a page there.
 */
#include "stories/story.h"

#define PAGES 3 /* the last one stays: the table does too */

struct cop_world {
	struct cop_tree tree;
	uint64_t page; /* bytes */
	unsigned lg2;
	cop_va va;
	cop_pa frame[PAGES];
};
static struct cop_world world;

static cop_va va_of(const cop_world *w, unsigned page)
{
	return w->va + page * w->page;
}

static void map(cop_world *w, unsigned page)
{
	COP_ASSERT(!cop_map(&w->tree, va_of(w, page), w->frame[page], w->page, COP_KERNEL_RW, 0, 0));
}

static void setup(cop_world *w)
{
	const struct cop_table_source source = cop_stage_tables();
	const struct cop_geom geom = cop_stage_geom();

	w->lg2 = geom.page_lg2;
	w->page = COP_LG2(geom.page_lg2);
	w->va = cop_stage_va();
	COP_ASSERT(!cop_tree_init(&w->tree, &geom, &source, 0, COP_TREE_KERNEL));
	for (unsigned i = 0; i < PAGES; i++) {
		w->frame[i] = COP_ALLOC(w->lg2, "memory");
		map(w, i);
	}
	cop_stage_attach(&w->tree);
}

static void unmap(cop_world *w, unsigned page)
{
	struct cop_detached_run run;
	struct cop_gather gather;
	struct cop_flushed token;

	cop_gather_begin(&gather, &w->tree);
	COP_ASSERT(!cop_unmap(&gather, va_of(w, page), w->page, COP_UNMAP_FRAMES, &run, 1).err);
	token = cop_gather_finish(&gather);
	COP_GONE(va_of(w, page), w->page);
	COP_FREE(cop_freeable(token, run).pa, w->page);
}

/* A page goes, and memory comes back in its place. */
static void churn(cop_world *w, unsigned page)
{
	for (unsigned i = 0; i < ROUNDS; i++) {
		unmap(w, page);
		w->frame[page] = COP_ALLOC(w->lg2, "memory");
		map(w, page);
	}
}

static void churn_first(cop_world *w)
{
	churn(w, 0);
}

static void churn_second(cop_world *w)
{
	churn(w, 1);
}

static void walker(cop_world *w)
{
	for (unsigned i = 0; i < ROUNDS; i++) {
		cop_rcu_read_lock();
		(void)cop_translate(&w->tree, va_of(w, 0));
		cop_rcu_read_unlock();
		(void)COP_PROBE(va_of(w, 0));
		(void)COP_PROBE(va_of(w, 1));
	}
}

static void check(cop_world *w)
{
	unmap(w, 0);
	unmap(w, 1);
	unmap(w, 2);
	cop_stage_detach(&w->tree);
	COP_ASSERT(!cop_tree_destroy(&w->tree));
}

COP_STORY(.id = "steps50", .title = "fifty steps: unmap, map and walk in one table", .origin = "bench",
	  .formats = COP_ON_ALL, .world = &world, .world_bytes = sizeof(world), .setup = setup, .check = check,
	  .actors = (const struct cop_actor[]){{.name = "first", .run = churn_first},
					       {.name = "walk", .cpu = 1, .run = walker},
					       {.name = "second", .cpu = 2, .run = churn_second},
					       {.name = NULL}},
	  .variants = (const struct cop_variant[]){{.name = "fixed", .outcome = COP_EXHAUSTED}, {.name = NULL}});
