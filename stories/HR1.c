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

#define SECTION_PA    (2ULL << 20)
#define SECTION_BYTES (2ULL << 20)
#define LINEAR_VA     COP_STAGE_VA
#define VMEMMAP_VA    (COP_STAGE_VA + (1ULL << 30)) /* shares no table with the linear map below the top two */
#define MEMMAP_FRAMES 2
#define PAGE          4096ULL
#define MEMMAP_BYTES  (MEMMAP_FRAMES * PAGE)

struct cop_world {
	struct cop_tree tree;
	cop_pa memmap[MEMMAP_FRAMES];
};
static struct cop_world world;

static void setup(cop_world *w)
{
	const struct cop_table_source source = cop_stage_tables();
	struct cop_geom geom;

	COP_ASSERT(!cop_geom_init(&geom, COP_ARM64, 12, 48));
	geom.half = COP_HALF_HIGH; /* the kernel's */
	COP_ASSERT(!cop_tree_init(&w->tree, &geom, &source, 0, COP_TREE_KERNEL));
	COP_CLAIM(SECTION_PA, SECTION_BYTES, "section");
	/* The next section stays: its block keeps the table. */
	COP_CLAIM(SECTION_PA + SECTION_BYTES, SECTION_BYTES, "next section");
	COP_ASSERT(!cop_map(&w->tree, LINEAR_VA, SECTION_PA, 2 * SECTION_BYTES, COP_KERNEL_RW, 0, 0));
	for (unsigned i = 0; i < MEMMAP_FRAMES; i++) {
		w->memmap[i] = COP_ALLOC(12, "memmap");
		COP_ASSERT(!cop_map(&w->tree, VMEMMAP_VA + i * PAGE, w->memmap[i], PAGE, COP_KERNEL_RW, 0,
				    COP_MAP_NO_CTOR));
	}
	cop_stage_attach(&w->tree);
	/* Both are in use before they go: a CPU has every reason to hold them. */
	COP_ASSERT(!COP_PROBE(LINEAR_VA).fault);
	COP_ASSERT(!COP_PROBE(VMEMMAP_VA).fault);
}

/* All leaves clear -> invalidate -> free; emptied tables go by themselves, bottom-up. */
static void remove_memmap(cop_world *w)
{
	struct cop_detached_run memmap[MEMMAP_FRAMES];
	struct cop_flushed flushed;
	struct cop_gather gather;
	struct cop_unmapped u;

	cop_gather_begin(&gather, &w->tree);
	u = cop_unmap(&gather, VMEMMAP_VA, MEMMAP_BYTES, COP_UNMAP_FRAMES, memmap, MEMMAP_FRAMES);
	COP_ASSERT(!u.err && u.done == MEMMAP_BYTES);
	flushed = cop_gather_finish(&gather);
	COP_GONE(VMEMMAP_VA, MEMMAP_BYTES);
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
	u = cop_unmap(&gather, LINEAR_VA, SECTION_BYTES, COP_UNMAP_FRAMES, &section, 1);
	COP_ASSERT(!u.err && u.done == SECTION_BYTES && u.runs == 1);
	flushed = cop_gather_finish(&gather);
	COP_GONE(LINEAR_VA, SECTION_BYTES);
	COP_FREE(cop_freeable(flushed, section).pa, SECTION_BYTES);
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
	(void)w;
	(void)COP_PROBE(VMEMMAP_VA);
	(void)COP_PROBE(LINEAR_VA + PAGE);
}

static void check(cop_world *w)
{
	struct cop_gather gather;

	/* Of three levels above the memmap the root and one table are left, and one of the linear map. */
	COP_ASSERT(cop_tree_table_bytes(&w->tree) == 3 * PAGE);
	COP_ASSERT(!COP_PROBE(LINEAR_VA + SECTION_BYTES).fault);
	cop_gather_begin(&gather, &w->tree);
	COP_ASSERT(!cop_unmap(&gather, LINEAR_VA + SECTION_BYTES, SECTION_BYTES, COP_UNMAP_BLIND, NULL, 0).err);
	(void)cop_gather_finish(&gather);
	COP_FREE(SECTION_PA + SECTION_BYTES, SECTION_BYTES);
	COP_ASSERT(cop_tree_table_bytes(&w->tree) == PAGE);
	cop_stage_detach(&w->tree);
	COP_ASSERT(!cop_tree_destroy(&w->tree));
}

COP_STORY(.id = "HR1", .title = "linear map and vmemmap of removed memory are torn down under a walker",
	  .origin = "arm64-hot-remove-review-2019-05.txt", .world = &world, .world_bytes = sizeof(world),
	  .setup = setup, .check = check,
	  .actors = (const struct cop_actor[]){{"remove", 0, remover}, {"walk", 1, walker}, {NULL, 0, NULL}},
	  .variants = (const struct cop_variant[]){
		  {"fixed", COP_EXHAUSTED, NULL, NULL},
		  /* The page behind an entry is freed before the entry is cleared. */
		  {"free-before-clear", COP_FAILS, "freed-while-mapped", "freed-while-translated"},
		  /* A block entry is cleared and never invalidated. */
		  {"block-not-invalidated", COP_FAILS, "missing-invalidation", "missing-invalidation"},
		  /* Tables are freed before the walk cache is invalidated. */
		  {"tables-freed-early", COP_FAILS, "freed-while-walkable", NULL},
		  {NULL, COP_FAILS, NULL, NULL},
	  });
