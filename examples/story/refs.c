/* SPDX-License-Identifier: MIT */
/*
 * REFS: two CPUs each drop a reference to a page; whoever drops the last one frees it. The count is kept with a load and a
 * store instead of cop_fetch_add().
 *
 *	coppice check examples/story/refs.c
 */
#include "stories/story.h"

struct cop_world {
	uint64_t refs; /* offset 0 */
	cop_pa page;
};
static struct cop_world world;

static void setup(cop_world *w)
{
	w->refs = 2;
	w->page = COP_ALLOC(16, "page");
}

static void drop(cop_world *w)
{
	const uint64_t refs = cop_load(&w->refs, relaxed);

	cop_store(&w->refs, refs - 1, relaxed);
	if (refs == 1)
		COP_FREE(w->page, 1 << 16);
}

/* Runs last, alone. Whatever is not free then is a leak. */
static void check(cop_world *w)
{
	COP_ASSERT(w->refs == 0);
}

COP_STORY(.id = "REFS", .title = "a count that is no atomic", .origin = "examples", .formats = COP_ON_ALL,
	  .world = &world, .world_bytes = sizeof(world), .setup = setup, .check = check,
	  .actors = (const struct cop_actor[]){{.name = "first", .run = drop},
					       {.name = "second", .cpu = 1, .run = drop},
					       {.name = NULL}},
	  .variants = (const struct cop_variant[]){{.name = "fixed", .outcome = COP_EXHAUSTED}, {.name = NULL}});
