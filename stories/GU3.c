/* SPDX-License-Identifier: MIT */
/*
 * GU3: a page of a file is looked up under RCU alone while it is removed, and its frame is the file's next page. There is
 * nothing to hold but a reference, and it may come too late: then the page is another one by now.
 *
 * The thread: "This can, again, grab a reference to a folio after it has already been freed and reallocated. The reason why
 * this is fine is that the metadata structure that holds this refcount, `struct folio` [...] is never freed"
 * (gup-fast-vs-hotplug-2022-10). The slot says so, when it is looked at again.
 */
#include "stories/gup.h"

#define SECTIONS 2
#define PAGES    2

struct cop_world {
	struct cop_stage_memory m;
	struct cop_cache cache;
	uint64_t slots[PAGES];
	cop_pfn next; /* the second page, once it is there */
};
static struct cop_world world;

static uint64_t pa_bytes(const struct cop_geom *geom)
{
	return cop_stage_memory_bytes(geom, SECTIONS);
}

static void bring(cop_world *w, uint64_t index)
{
	const struct cop_cached got = cop_cache_read(&w->cache, index);

	COP_ASSERT(!got.err);
	if (index)
		cop_store(&w->next, got.pfn, relaxed);
	cop_page_put(&w->m.mem, got.pfn);
}

static void setup(cop_world *w)
{
	cop_stage_boot(&w->m, SECTIONS, SECTIONS, 0);
	cop_stage_account(&w->m);
	cop_cache_init(&w->cache, &w->m.mem, w->slots, PAGES, NULL, NULL);
	w->next = COP_PFN_NONE;
	bring(w, 0);
}

static void look_up(cop_world *w)
{
	const cop_pfn pfn = cop_cache_get(&w->cache, 0);

	if (pfn == COP_PFN_NONE)
		return;
	COP_WRONG_PAGE(pfn == cop_load(&w->next, relaxed));
	cop_page_put(&w->m.mem, pfn);
}

static void reuse(cop_world *w)
{
	COP_ASSERT(cop_cache_remove(&w->cache, 0));
	bring(w, 1);
}

static void check(cop_world *w)
{
	cop_cache_destroy(&w->cache);
	COP_CHECK_ACCOUNT(&w->m);
}

static const struct cop_actor three[] = {{.name = "look up", .run = look_up},
					 {.name = "reuse", .cpu = 1, .run = reuse},
					 {.name = "look up too", .cpu = 2, .run = look_up},
					 {.name = NULL}};

COP_STORY(.id = "GU3", .title = "a page of a file is looked up without a lock, and is another one by then",
	  .origin = "gup-fast-vs-hotplug-2022-10.txt", .formats = COP_ON_ALL, .pa_bytes = pa_bytes, .world = &world,
	  .world_bytes = sizeof(world), .setup = setup, .check = check,
	  .actors = (const struct cop_actor[]){{.name = "look up", .run = look_up},
					       {.name = "reuse", .cpu = 1, .run = reuse},
					       {.name = NULL}},
	  .variants = (const struct cop_variant[]){
		  {.name = "fixed", .outcome = COP_EXHAUSTED},
		  {.name = "3-cpus", .outcome = COP_EXHAUSTED, .actors = three, .bound = 5000},
		  /* A reference, and no second look at the slot. */
		  {.name = "no-second-look", .outcome = COP_FAILS, .rule = "wrong-page"},
		  {.name = NULL},
	  });
