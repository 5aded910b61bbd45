/* SPDX-License-Identifier: MIT */
/*
 * GU1: GUP-fast while the mapping changes. The page that it gets is unmapped beside it, or the table around it becomes a
 * block first, and that is unmapped. Either way nobody has the page any more, and somebody else gets it.
 *
 * The thread: "First we (locklessly) load the page table entry, then we grab a reference to the folio that contains it
 * (which can fail if the refcount is zero, in that case we bail), then we recheck that the page table entry is still the
 * same, and if it changed in between, we drop the folio reference and bail. This can, again, grab a reference to a folio
 * after it has already been freed and reallocated" (gup-fast-vs-hotplug-2022-10).
 *
 * A table that was replaced by a block keeps its entries: there only the link tells that it is not the mapping's any more.
 */
#include "stories/gup.h"

/* Frames to look for neighbours among. */
#define MOST 8

struct cop_world {
	struct cop_stage_memory m;
	struct cop_spaces spaces;
	struct cop_space space;
	cop_va va;            /* where the block begins that maps all memory */
	cop_pfn before, page; /* neighbours; the first stays */
	struct {
		cop_pfn got[2];
		struct cop_pages pages; /* with references */
	} by[2];
	bool unmapped, given;
};
static struct cop_world world;

static unsigned block_lg2(void)
{
	return cop_stage_format()->shift(1);
}

/* Tables are above what the block maps. */
static uint64_t pa_bytes(const struct cop_geom *geom)
{
	return COP_LG2(block_lg2()) + cop_stage_memory_bytes(geom, 1);
}

static uint64_t pages(void)
{
	return COP_LG2(block_lg2() - cop_stage_geom().page_lg2);
}

static cop_va va_of(const cop_world *w, cop_pfn pfn)
{
	return w->va + (pfn << w->m.mem.page_lg2);
}

/* Each is a folio of its own. */
static void take_neighbours(cop_world *w)
{
	cop_pfn pfn[MOST];
	unsigned n = 0;

	do {
		COP_ASSERT(n < MOST);
		pfn[n] = cop_frames_alloc(&w->m.mem, 0, 0);
		COP_ASSERT(pfn[n] != COP_PFN_NONE);
	} while (++n < 2 || pfn[n - 1] != pfn[n - 2] + 1);
	w->before = pfn[n - 2];
	w->page = pfn[n - 1];
	for (unsigned i = 0; i < n - 2; i++)
		cop_frames_free(&w->m.mem, pfn[i]);
}

static void setup(cop_world *w)
{
	struct cop_stage_memory *m = &w->m;

	m->section_lg2 = (uint8_t)block_lg2();
	m->no_runs = true;
	cop_stage_boot(m, 1, 1, 0);
	cop_stage_account(m);
	cop_spaces_init(&w->spaces, &m->mem);
	cop_stage_user_on(&w->spaces, &w->space, 1);
	take_neighbours(w);
	w->va = cop_stage_user_va();
	COP_USER_MAP(&w->space, w->va, 0, pages(), COP_USER_RW);
	/* The tables above stay. */
	COP_USER_MAP(&w->space, w->va + COP_LG2(block_lg2()), 0, 1, COP_USER_RW);
}

/* One page, or some at a time. */
static void gup_by(cop_world *w, unsigned who, unsigned n)
{
	w->by[who].pages = cop_gup_fast(&w->space, va_of(w, w->page + 1 - n), n, COP_GUP_WRITE | COP_GUP_FAST_ONLY,
					w->by[who].got);
	COP_ASSERT(w->by[who].pages.count >= 0);
}

static void gup(cop_world *w)
{
	gup_by(w, 0, 1 + COP_CHOOSE(2));
}

static void gup_one(cop_world *w)
{
	gup_by(w, 1, 1);
}

/* One invalidation for the table and the block. */
static void unmap_block(cop_world *w)
{
	const uint64_t bytes = COP_LG2(block_lg2());
	struct cop_gather gather;

	cop_gather_begin(&gather, &w->space.tree);
	COP_ASSERT(cop_collapse(&gather, w->va, bytes, 0) == 1);
	COP_ASSERT(!cop_unmap(&gather, w->va, bytes, COP_UNMAP_BLIND, NULL, 0).err);
	(void)cop_gather_finish(&gather);
	w->unmapped = true;
}

/* As who has no use for the page any more, and somebody else has. While there are other references nobody gets it. */
static void give_away(cop_world *w)
{
	struct cop_page *page = cop_page(&w->m.mem, w->page);

	if (cop_cas(&page->refcount, 1U, 0U, acq_rel) != 1U)
		return;
	/* Release: what was the old owner's is over; pairs with cop_page_try_get(). */
	cop_store(&page->refcount, 1U, release);
	w->given = true;
}

static void change(cop_world *w)
{
	if (COP_CHOOSE(2))
		unmap_block(w);
	else
		COP_USER_UNMAP(&w->space, va_of(w, w->page), 1);
	give_away(w);
}

static void unmap_rest(cop_world *w)
{
	COP_USER_UNMAP(&w->space, w->va, w->page);
	COP_USER_UNMAP(&w->space, va_of(w, w->page + 1), pages() - w->page - 1);
}

static void let_go(cop_world *w, unsigned who)
{
	const struct cop_pages *pages = &w->by[who].pages;

	for (int64_t i = 0; i < pages->count; i++)
		COP_WRONG_PAGE(pages->page[i] != w->before && (pages->page[i] != w->page || w->given));
	cop_pages_put(&w->m.mem, pages->page, (uint64_t)pages->count);
}

static void check(cop_world *w)
{
	let_go(w, 0);
	let_go(w, 1);
	if (!w->unmapped)
		unmap_rest(w);
	COP_USER_UNMAP(&w->space, w->va + COP_LG2(block_lg2()), 1);
	cop_frames_free(&w->m.mem, w->before);
	cop_frames_free(&w->m.mem, w->page);
	cop_stage_user_off(&w->space);
	COP_CHECK_ACCOUNT(&w->m);
}

static const struct cop_actor three[] = {{.name = "gup", .run = gup},
					 {.name = "change", .cpu = 1, .run = change},
					 {.name = "gup one", .cpu = 2, .run = gup_one},
					 {.name = NULL}};

COP_STORY(.id = "GU1", .title = "GUP-fast gets a page while it is unmapped, or its table becomes a block",
	  /* The others' blocks are of thousands of pages. */
	  .origin = "gup-fast-vs-hotplug-2022-10.txt", .formats = COP_ON_ALL & ~(COP_ON_ARM64_16K | COP_ON_ARM64_64K),
	  .features = COP_F_INVLPGB, .pa_bytes = pa_bytes, .world = &world, .world_bytes = sizeof(world),
	  .setup = setup, .check = check,
	  .actors = (const struct cop_actor[]){{.name = "gup", .run = gup},
					       {.name = "change", .cpu = 1, .run = change},
					       {.name = NULL}},
	  .variants = (const struct cop_variant[]){
		  {.name = "fixed", .outcome = COP_EXHAUSTED},
		  {.name = "3-cpus", .outcome = COP_EXHAUSTED, .actors = three, .bound = 5000},
		  /* A reference, and no second look at the leaf. */
		  {.name = "leaf-not-rechecked", .outcome = COP_FAILS, .rule = "wrong-page"},
		  /* A second look at the leaf only: it is that of a table that a block has replaced. */
		  {.name = "links-not-rechecked", .outcome = COP_FAILS, .rule = "wrong-page"},
		  {.name = NULL},
	  });
