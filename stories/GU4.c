/* SPDX-License-Identifier: MIT */
/*
 * GU4: a table is freed while GUP-fast may be in it. Three address spaces let their tables go in the three ways there are:
 * after a grace period, after every CPU took an interrupt, and at once, where the invalidation itself was by interrupt.
 * The first is walked under RCU with interrupts on, too.
 *
 * The thread: "what the synchronization against hotplug is - GUP-fast is running with IRQs disabled, but other codepaths
 * might not" (gup-fast-vs-hotplug-2022-10); a table may be freed at once only where a shootdown happens to interrupt
 * everybody, and that is neither where invalidations are broadcast nor where a hypervisor makes them.
 */
#include "stories/gup.h"

#define SECTIONS 2
#define WAYS     3

struct cop_world {
	struct cop_stage_memory m;
	struct cop_spaces spaces;
	struct cop_space space[WAYS]; /* enum cop_reclaim */
	unsigned ways;                /* of them there are */
	cop_va va;
	cop_pfn page[WAYS];
	bool unmapped[WAYS];
};
static struct cop_world world;

static uint64_t pa_bytes(const struct cop_geom *geom)
{
	return cop_stage_memory_bytes(geom, SECTIONS + 1);
}

static bool by_interrupt(void)
{
	const struct cop_geom geom = cop_stage_user_geom();

	return geom.arch == COP_X86_64 && !(geom.features & COP_F_INVLPGB);
}

static void setup(cop_world *w)
{
	struct cop_stage_memory *m = &w->m;

	cop_stage_boot(m, SECTIONS, SECTIONS, 0);
	cop_stage_account(m);
	cop_spaces_init(&w->spaces, &m->mem);
	w->va = cop_stage_user_va();
	for (unsigned i = 0; i < WAYS; i++) {
		cop_stage_user_on(&w->spaces, &w->space[i], i + 1);
		if (cop_space_set_reclaim(&w->space[i], (enum cop_reclaim)i)) {
			/* A machine whose invalidations interrupt nobody says so. */
			COP_ASSERT(i == COP_RECLAIM_SHOOTDOWN && !by_interrupt());
			cop_stage_user_off(&w->space[i]);
			break;
		}
		w->page[i] = cop_frames_alloc(&m->mem, 0, 0);
		COP_USER_MAP(&w->space[i], w->va, w->page[i], 1, COP_USER_RW);
		w->ways++;
	}
}

static void gup(cop_world *w, unsigned i)
{
	cop_pfn page;
	const struct cop_pages got = cop_gup_fast(&w->space[i], w->va, 1, COP_GUP_FAST_ONLY, &page);

	COP_WRONG_PAGE(got.count > 0 && page != w->page[i]);
	cop_pages_put(&w->m.mem, &page, (uint64_t)got.count);
}

/* As whoever reads another task's tables. */
static void look(cop_world *w)
{
	cop_pa pa;

	cop_rcu_read_lock();
	pa = cop_translate_pa(&w->space[COP_RECLAIM_RCU].tree, w->va);
	cop_rcu_read_unlock();
	COP_WRONG_PAGE(pa != COP_PA_NONE && pa >> w->m.mem.page_lg2 != w->page[COP_RECLAIM_RCU]);
}

static void walk(cop_world *w)
{
	const unsigned which = COP_CHOOSE(w->ways + 1);

	if (which < w->ways)
		gup(w, which);
	else
		look(w);
}

static void unmap(cop_world *w)
{
	const unsigned i = COP_CHOOSE(w->ways);

	COP_USER_UNMAP(&w->space[i], w->va, 1);
	w->unmapped[i] = true;
	cop_frames_free(&w->m.mem, w->page[i]);
}

static void check(cop_world *w)
{
	for (unsigned i = 0; i < w->ways; i++) {
		if (!w->unmapped[i]) {
			COP_USER_UNMAP(&w->space[i], w->va, 1);
			cop_frames_free(&w->m.mem, w->page[i]);
		}
		cop_stage_user_off(&w->space[i]);
	}
	COP_CHECK_ACCOUNT(&w->m);
}

static const struct cop_actor three[] = {{.name = "walk", .run = walk},
					 {.name = "unmap", .cpu = 1, .run = unmap},
					 {.name = "look", .cpu = 2, .run = look},
					 {.name = NULL}};

COP_STORY(.id = "GU4", .title = "tables are freed under GUP-fast: by RCU, by interrupt, by the shootdown's interrupt",
	  .origin = "gup-fast-vs-hotplug-2022-10.txt", .formats = COP_ON_ALL, .pa_bytes = pa_bytes, .world = &world,
	  .world_bytes = sizeof(world), .setup = setup, .check = check,
	  .actors = (const struct cop_actor[]){{.name = "walk", .run = walk},
					       {.name = "unmap", .cpu = 1, .run = unmap},
					       {.name = NULL}},
	  .variants = (const struct cop_variant[]){
		  {.name = "fixed", .outcome = COP_EXHAUSTED},
		  {.name = "3-cpus", .outcome = COP_EXHAUSTED, .formats = COP_ON_TSO, .actors = three},
		  {.name = "3-cpus", .outcome = COP_EXHAUSTED, .formats = COP_ON_WEAK, .actors = three, .bound = 5000},
		  /* The shootdown's interrupt is relied on, and invalidations are broadcast. */
		  {.name = "shootdown-without-interrupt",
		   .outcome = COP_FAILS,
		   .rule = "walker-in-freed-table",
		   .features = COP_F_INVLPGB},
		  /* Everybody is interrupted, and somebody walks with interrupts on. */
		  {.name = "interrupt-for-rcu", .outcome = COP_FAILS, .rule = "walker-in-freed-table"},
		  {.name = NULL},
	  });
