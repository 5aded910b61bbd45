/* SPDX-License-Identifier: MIT */
/*
 * HR1: memory is removed. Its memmap (two pages of vmemmap, backed by frames of their own) and its linear map (a block)
 * are torn down while another CPU still loads through both.
 *
 * The thread's first version freed the page behind an entry before clearing the entry, did not invalidate after clearing
 * a block entry, and freed tables that a walk cache could still hold. "In general I'm concerned that we don't strictly
 * follow a clear->tlbi->free sequence" (arm64-hot-remove-review-2019-05).
 */
#include "stories/story.h"

#define MEMMAP_FRAMES 2

struct cop_world {
	struct cop_tree tree;
	uint64_t page, section; /* bytes */
	cop_va linear, vmemmap;
	cop_pa pa; /* of the section */
	cop_pa memmap[MEMMAP_FRAMES];
};
static struct cop_world world;

/* A section is the smallest block. */
static uint64_t pa_bytes(const struct cop_geom *geom)
{
	(void)geom;
	return 4ULL << cop_stage_format()->shift(1);
}

static void describe(cop_world *w, const struct cop_geom *geom)
{
	const struct cop_format *format = cop_stage_format();

	w->page = COP_LG2(geom->page_lg2);
	w->section = COP_LG2(format->shift(1));
	w->pa = w->section;
	w->linear = cop_stage_va();
	w->vmemmap = w->linear + COP_LG2(format->shift(2)); /* no table of levels 0 and 1 in common */
}

static void setup(cop_world *w)
{
	const struct cop_table_source source = cop_stage_tables();
	const struct cop_geom geom = cop_stage_geom();

	describe(w, &geom);
	COP_ASSERT(!cop_tree_init(&w->tree, &geom, &source, 0, COP_TREE_KERNEL));
	COP_CLAIM(w->pa, w->section, "section");
	/* The next section stays: its block keeps the table. */
	COP_CLAIM(w->pa + w->section, w->section, "next section");
	COP_ASSERT(!cop_map(&w->tree, w->linear, w->pa, 2 * w->section, COP_KERNEL_RW, 0, 0));
	for (unsigned i = 0; i < MEMMAP_FRAMES; i++) {
		w->memmap[i] = COP_ALLOC(geom.page_lg2, "memmap");
		COP_ASSERT(!cop_map(&w->tree, w->vmemmap + i * w->page, w->memmap[i], w->page, COP_KERNEL_RW, 0,
				    COP_MAP_NO_CTOR));
	}
	cop_stage_attach(&w->tree);
	/* Both are in use before they go: a CPU has every reason to hold them. */
	COP_ASSERT(!COP_PROBE(w->linear).fault);
	COP_ASSERT(!COP_PROBE(w->vmemmap).fault);
}

/* All leaves clear -> invalidate -> free; emptied tables go by themselves, bottom-up. */
static void remove_memmap(cop_world *w)
{
	struct cop_detached_run memmap[MEMMAP_FRAMES];
	struct cop_flushed flushed;
	struct cop_gather gather;
	struct cop_unmapped u;

	cop_gather_begin(&gather, &w->tree);
	u = cop_unmap(&gather, w->vmemmap, MEMMAP_FRAMES * w->page, COP_UNMAP_FRAMES, memmap, MEMMAP_FRAMES);
	COP_ASSERT(!u.err && u.done == MEMMAP_FRAMES * w->page);
	flushed = cop_gather_finish(&gather);
	COP_GONE(w->vmemmap, MEMMAP_FRAMES * w->page);
	for (unsigned i = 0; i < u.runs; i++) {
		const struct cop_free_run run = cop_freeable(flushed, memmap[i]);

		COP_FREE(run.pa, run.bytes);
	}
}

static void remove_linear(cop_world *w)
{
	struct cop_detached_run section;
	struct cop_flushed flushed;
	struct cop_gather gather;
	struct cop_unmapped u;

	cop_gather_begin(&gather, &w->tree);
	u = cop_unmap(&gather, w->linear, w->section, COP_UNMAP_FRAMES, &section, 1);
	COP_ASSERT(!u.err && u.done == w->section && u.runs == 1);
	flushed = cop_gather_finish(&gather);
	COP_GONE(w->linear, w->section);
	COP_FREE(cop_freeable(flushed, section).pa, w->section);
}

/* The linear map first: its tables stay, so that freeing the tables of the memmap is the last thing to happen. */
static void remover(cop_world *w)
{
	remove_linear(w);
	remove_memmap(w);
}

/* Any load through either map: it reads what is there or it faults. */
static void walker(cop_world *w)
{
	(void)COP_PROBE(w->vmemmap);
	(void)COP_PROBE(w->linear + w->page);
}

/* Tables from the root down to @level. */
static uint64_t path_bytes(const struct cop_tree *tree, unsigned level)
{
	uint64_t bytes = 0;

	for (unsigned l = level; l < tree->geom.levels; l++)
		bytes += COP_LG2(tree->ops->format->table_lg2(&tree->geom, l));
	return bytes;
}

static void unmap(struct cop_gather *gather, cop_va va, uint64_t bytes)
{
	COP_ASSERT(!cop_unmap(gather, va, bytes, COP_UNMAP_BLIND, NULL, 0).err);
}

/*
 * Two pages before the next section and two after it. The inner ones go with it: leaves of two levels, one invalidation,
 * and no table that would be invalidated for; then the outer ones.
 */
static void remove_next(cop_world *w)
{
	const cop_va first = w->linear + w->section - w->page, after = w->linear + 2 * w->section;
	const unsigned two = w->tree.geom.page_lg2 + 1U;
	const cop_pa before = COP_ALLOC(two, "pages before"), behind = COP_ALLOC(two, "pages behind");
	struct cop_gather gather;

	COP_ASSERT(!cop_map(&w->tree, first - w->page, before, 2 * w->page, COP_KERNEL_RW, 0, 0));
	COP_ASSERT(!cop_map(&w->tree, after, behind, 2 * w->page, COP_KERNEL_RW, 0, 0));
	COP_ASSERT(!COP_PROBE(first).fault && !COP_PROBE(after).fault);
	cop_gather_begin(&gather, &w->tree);
	unmap(&gather, first, w->section + 2 * w->page);
	(void)cop_gather_finish(&gather);
	COP_GONE(first, w->section + 2 * w->page);
	cop_gather_begin(&gather, &w->tree);
	unmap(&gather, first - w->page, w->page);
	unmap(&gather, after + w->page, w->page);
	(void)cop_gather_finish(&gather);
	COP_FREE(before, 2 * w->page);
	COP_FREE(behind, 2 * w->page);
	COP_FREE(w->pa + w->section, w->section);
}

static void check(cop_world *w)
{
	/* The tables of the memmap are gone, those of the next section are left. */
	COP_ASSERT(cop_tree_table_bytes(&w->tree) == path_bytes(&w->tree, 1));
	COP_ASSERT(!COP_PROBE(w->linear + w->section).fault);
	remove_next(w);
	COP_ASSERT(cop_tree_table_bytes(&w->tree) == path_bytes(&w->tree, w->tree.geom.levels - 1U));
	cop_stage_detach(&w->tree);
	COP_ASSERT(!cop_tree_destroy(&w->tree));
}

COP_STORY(.id = "HR1", .title = "linear map and vmemmap of removed memory are torn down under a walker",
	  .origin = "arm64-hot-remove-review-2019-05.txt", .formats = COP_ON_ALL, .pa_bytes = pa_bytes, .world = &world,
	  .world_bytes = sizeof(world), .setup = setup, .check = check,
	  .actors = (const struct cop_actor[]){{.name = "remove", .run = remover},
					       {.name = "walk", .cpu = 1, .run = walker},
					       {.name = NULL}},
	  .variants = (const struct cop_variant[]){
		  {.name = "fixed", .outcome = COP_EXHAUSTED},
		  /* The page behind an entry is freed before the entry is cleared. */
		  {.name = "free-before-clear",
		   .outcome = COP_FAILS,
		   .rule = "freed-while-mapped",
		   .host_rule = "freed-while-translated"},
		  /* A block entry is cleared and never invalidated. */
		  {.name = "block-not-invalidated",
		   .outcome = COP_FAILS,
		   .rule = "missing-invalidation",
		   .host_rule = "missing-invalidation",
		   .formats = COP_ON_STORES},
		  /* Where clearing it is the instruction that invalidates, it was a store. */
		  {.name = "block-not-invalidated",
		   .outcome = COP_FAILS,
		   .rule = "live-entry-stored",
		   .formats = COP_ON_S390X},
		  /* Tables are freed before the walk cache is invalidated; one instruction does both on s390x. */
		  {.name = "tables-freed-early",
		   .outcome = COP_FAILS,
		   .rule = "freed-while-walkable",
		   .formats = COP_ON_STORES},
		  /* The invalidation overtakes the stores that it is for. */
		  {.name = "unpublished",
		   .outcome = COP_FAILS,
		   .rule = "early-invalidation",
		   .formats = COP_ON_WEAK,
		   .reordered = true},
		  {.name = "unpublished", .outcome = COP_EXHAUSTED, .formats = COP_ON_TSO},
		  {.name = NULL},
	  });
