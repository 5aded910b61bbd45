/* SPDX-License-Identifier: MIT */
/*
 * GU1: GUP-fast while the mapping changes. A page is got; beside it it is unmapped, or its table is collapsed into a block that
 * is then unmapped. Either way the folio is freed, and somebody else gets it.
 *
 * The thread: "First we (locklessly) load the page table entry, then we grab a reference to the folio that contains it
 * (which can fail if the refcount is zero, in that case we bail), then we recheck that the page table entry is still the
 * same, and if it changed in between, we drop the folio reference and bail. This can, again, grab a reference to a folio
 * after it has already been freed and reallocated" (gup-fast-vs-hotplug-2022-10).
 *
 * A collapsed table keeps its entries: there only the link tells that it is not the mapping's any more.
 */
#include "stories/gup.h"

#define SECTIONS 3

struct cop_world {
	struct cop_stage_memory m;
	struct cop_spaces spaces;
	struct cop_space space;
	cop_va va; /* of the small page; the large one follows */
	cop_pfn small, keep, large;
	unsigned large_order;
	/* What somebody else got when they were freed. */
	cop_pfn small_again, large_again;
};
static struct cop_world world;

static unsigned block_lg2(void)
{
	return cop_stage_format()->shift(1);
}

static uint64_t pa_bytes(const struct cop_geom *geom)
{
	(void)geom;
	return (uint64_t)(SECTIONS + 1) << block_lg2();
}

static void setup(cop_world *w)
{
	struct cop_stage_memory *m = &w->m;
	const uint64_t block = COP_LG2(block_lg2());

	m->section_lg2 = (uint8_t)block_lg2();
	cop_stage_boot(m, SECTIONS, SECTIONS, 0);
	cop_stage_account(m);
	cop_spaces_init(&w->spaces, &m->mem);
	cop_stage_user_on(&w->spaces, &w->space, 1);
	w->large_order = block_lg2() - m->mem.page_lg2;
	w->large = cop_frames_alloc(&m->mem, w->large_order, 0);
	w->small = cop_frames_alloc(&m->mem, 0, 0);
	w->keep = cop_frames_alloc(&m->mem, 0, 0);
	COP_ASSERT(w->large != COP_PFN_NONE && w->small != COP_PFN_NONE && w->keep != COP_PFN_NONE);
	w->small_again = w->large_again = COP_PFN_NONE;
	w->va = cop_stage_user_va() + block - COP_LG2(m->mem.page_lg2);
	/* One more page keeps the first table. */
	COP_USER_MAP(&w->space, w->va - block + COP_LG2(m->mem.page_lg2), w->keep, 1, COP_USER_RW);
	COP_USER_MAP(&w->space, w->va, w->small, 1, COP_USER_RW);
	COP_USER_MAP(&w->space, w->va + COP_LG2(m->mem.page_lg2), w->large, COP_LG2(w->large_order), COP_USER_RW);
}

/* To make a table a block is one store on x86-64; elsewhere it takes a break, and the search too long. */
static bool may_collapse(void)
{
	return cop_stage_geom().arch == COP_X86_64;
}

static void gup(cop_world *w)
{
	const bool large = may_collapse() && COP_CHOOSE(2);
	const cop_va va = w->va + (large ? COP_LG2(w->m.mem.page_lg2) : 0);
	cop_pfn page;
	const struct cop_pages got = cop_gup_fast(&w->space, va, 1, COP_GUP_WRITE | COP_GUP_FAST_ONLY, &page);

	COP_ASSERT(got.count >= 0);
	if (!got.count)
		return;
	COP_WRONG_PAGE(page != (large ? w->large : w->small));
	COP_WRONG_PAGE(page == cop_load(large ? &w->large_again : &w->small_again, relaxed));
	cop_pages_put(&w->m.mem, &page, 1);
}

static void give_away(cop_world *w, cop_pfn pfn, unsigned order, cop_pfn *again)
{
	struct cop_mem *mem = &w->m.mem;

	cop_frames_free(mem, pfn);
	cop_store(again, cop_frames_alloc(mem, order, 0), relaxed);
}

static void unmap_small(cop_world *w)
{
	COP_USER_UNMAP(&w->space, w->va, 1);
	give_away(w, w->small, 0, &w->small_again);
}

static void collapse_large(cop_world *w)
{
	const cop_va va = w->va + COP_LG2(w->m.mem.page_lg2);
	struct cop_gather gather;

	cop_gather_begin(&gather, &w->space.tree);
	COP_ASSERT(cop_collapse(&gather, va, COP_LG2(block_lg2()), 0) == 1);
	(void)cop_gather_finish(&gather);
	COP_USER_UNMAP(&w->space, va, COP_LG2(w->large_order));
	give_away(w, w->large, w->large_order, &w->large_again);
}

static void change(cop_world *w)
{
	if (may_collapse() && COP_CHOOSE(2))
		collapse_large(w);
	else
		unmap_small(w);
}

static void give_back(cop_world *w, cop_va va, cop_pfn pfn, uint64_t pages, cop_pfn again)
{
	struct cop_mem *mem = &w->m.mem;

	if (cop_translate_pa(&w->space.tree, va) == COP_PA_NONE) {
		if (again != COP_PFN_NONE)
			cop_frames_free(mem, again);
		return;
	}
	COP_USER_UNMAP(&w->space, va, pages);
	cop_frames_free(mem, pfn);
}

static void check(cop_world *w)
{
	const uint64_t page = COP_LG2(w->m.mem.page_lg2);

	give_back(w, w->va, w->small, 1, w->small_again);
	give_back(w, w->va + page, w->large, COP_LG2(w->large_order), w->large_again);
	give_back(w, w->va + page - COP_LG2(block_lg2()), w->keep, 1, COP_PFN_NONE);
	cop_stage_user_off(&w->space);
	COP_CHECK_ACCOUNT(&w->m);
}

COP_STORY(.id = "GU1", .title = "GUP-fast gets pages while they are unmapped, and their table becomes a block",
	  .origin = "gup-fast-vs-hotplug-2022-10.txt", .formats = COP_ON_ALL, .features = COP_F_INVLPGB,
	  .pa_bytes = pa_bytes, .world = &world, .world_bytes = sizeof(world), .setup = setup, .check = check,
	  .actors = (const struct cop_actor[]){{.name = "gup", .run = gup},
					       {.name = "change", .cpu = 1, .run = change},
					       {.name = NULL}},
	  .variants = (const struct cop_variant[]){
		  {.name = "fixed", .outcome = COP_EXHAUSTED},
		  /* A reference, and no second look at the leaf. */
		  {.name = "leaf-not-rechecked", .outcome = COP_FAILS, .rule = "wrong-page"},
		  {.name = NULL},
	  });
