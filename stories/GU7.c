/* SPDX-License-Identifier: MIT */
/*
 * GU7: tables that share a page, two of 2 KB in a frame (s390x), of sixteen in a block of frames elsewhere, are freed one
 * by one: at once, after a grace period, or deferred by somebody who collapses what they map and can allocate nothing, while
 * others walk them without a lock. The last one out takes the address space with it; grace periods end when they end.
 *
 * The thread: "if you have two page tables from the same page being defer-freed simultaneously, you'll reuse the rcu_head";
 * "a page is never on the free list if pte_free_defer() was used on either half"; adding fragments back "later in
 * __tlb_remove_table(), where we might not have a stable mm any more" (s390-page-tables-2009-2025).
 */
#include "stories/memory.h"

#include <coppice/fragments.h>

#define BOOT     2
#define SECTIONS 3
#define CONTENT  0x5151515151515151ULL

struct cop_world {
	struct cop_stage_memory m;
	struct cop_fragments space; /* all there is of the address space */
	cop_pa table[2];
	cop_pa link; /* where walkers find the first; COP_PA_NONE: no more */
	uint32_t users;
};
static struct cop_world world;

static uint64_t pa_bytes(const struct cop_geom *geom)
{
	return cop_stage_memory_bytes(geom, SECTIONS);
}

static cop_pa table_new(cop_world *w)
{
	const cop_pa table = cop_fragment_alloc(&w->space);

	COP_ASSERT(table != COP_PA_NONE);
	cop_fill64(cop_phys(table), CONTENT, COP_LG2(w->space.lg2));
	return table;
}

static void setup(cop_world *w)
{
	const struct cop_geom geom = cop_stage_geom();
	const unsigned lg2 = cop_stage_format()->min_table_lg2;

	cop_stage_boot(&w->m, BOOT, SECTIONS, 0);
	cop_stage_account(&w->m);
	COP_ASSERT(!cop_fragments_init(&w->space, &w->m.mem, lg2 < geom.page_lg2 ? geom.page_lg2 : lg2 + 4, lg2));
	w->link = w->table[0] = table_new(w);
	w->table[1] = table_new(w);
	w->users = 2;
}

static void leave(cop_world *w)
{
	if (cop_fetch_add(&w->users, (uint32_t)-1, acq_rel) != 1)
		return;
	COP_ASSERT(!cop_fragments_exit(&w->space));
	COP_OBJECT_GONE(&w->space);
}

static void unmapper(cop_world *w)
{
	cop_store(&w->link, COP_PA_NONE, release);
	if (COP_CHOOSE(2))
		cop_fragment_free_rcu(&w->space, w->table[0]);
	else
		cop_fragment_free_defer(&w->space, w->table[0]);
	leave(w);
}

/* Either takes the other one out of a tree too, or had it at hand for one and was too late to link it. */
static void collapser(cop_world *w)
{
	if (COP_CHOOSE(2))
		cop_fragment_free(&w->space, w->table[1]);
	else
		cop_fragment_free_defer(&w->space, w->table[1]);
	leave(w);
}

static void walker(cop_world *w)
{
	cop_pa table;

	cop_rcu_read_lock();
	/* Acquire: pairs with the release that linked it. */
	table = cop_load(&w->link, acquire);
	if (table != COP_PA_NONE)
		COP_ASSERT(cop_load((uint64_t *)cop_phys(table), relaxed) == CONTENT);
	cop_rcu_read_unlock();
}

static void check(cop_world *w)
{
	COP_CHECK_ACCOUNT(&w->m);
}

COP_STORY(.id = "GU7", .title = "tables that share a page are freed at once, after a grace period, and deferred",
	  .origin = "s390-page-tables-2009-2025.txt", .formats = COP_ON_ALL, .pa_bytes = pa_bytes, .world = &world,
	  .world_bytes = sizeof(world), .setup = setup, .check = check,
	  .actors = (const struct cop_actor[]){{.name = "unmap", .run = unmapper},
					       {.name = "collapse", .cpu = 1, .run = collapser},
					       {.name = "walk", .cpu = 2, .run = walker},
					       {.name = NULL}},
	  .variants = (const struct cop_variant[]){
		  {.name = "fixed", .outcome = COP_EXHAUSTED},
		  /* One head for the page, and each of its tables is deferred as soon as it is free. */
		  {.name = "head-twice", .outcome = COP_FAILS, .rule = "rcu-head-reused"},
		  /* The head lies where the list has its links: whoever takes the page off the list reads it. */
		  {.name = "head-over-links", .outcome = COP_FAILS, .rule = "rcu-head-touched"},
		  /* A list head in the table, for the callback: walkers take it for entries. */
		  {.name = "head-in-table", .outcome = COP_FAILS, .rule = "data-race"},
		  /* The callback puts the table back on the list of an address space that is gone. */
		  {.name = "space-gone", .outcome = COP_FAILS, .rule = "use-after-free"},
		  {.name = NULL},
	  });
