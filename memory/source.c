/* SPDX-License-Identifier: MIT */
/*
 * Tables from this memory. A frame that is handed out in fragments keeps the mask of its free ones in .private_, and is
 * on one list of frames while it has any, so that table memory is what the tables take and at most one frame more.
 *
 * Fragments of a frame are freed one by one, after each one's own grace period (each has its own struct cop_ptdesc), so
 * nothing here waits for a neighbour.
 */
#include "internal.h"

static uint64_t fragment_mask(const struct cop_mem *mem)
{
	return COP_LG2(COP_LG2(mem->page_lg2 - mem->fragments.lg2)) - 1;
}

static void list_push(struct cop_mem *mem, cop_pfn pfn)
{
	struct cop_page *page = cop_page(mem, pfn);
	cop_pfn first = cop_read(&mem->fragments.first);

	cop_write(&page->next, first);
	cop_write(&page->prev, COP_PFN_NONE);
	if (first != COP_PFN_NONE)
		cop_write(&cop_page(mem, first)->prev, pfn);
	cop_write(&mem->fragments.first, pfn);
}

static void list_unlink(struct cop_mem *mem, cop_pfn pfn)
{
	struct cop_page *page = cop_page(mem, pfn);
	cop_pfn next = cop_read(&page->next), prev = cop_read(&page->prev);

	if (next != COP_PFN_NONE)
		cop_write(&cop_page(mem, next)->prev, prev);
	if (prev != COP_PFN_NONE)
		cop_write(&cop_page(mem, prev)->next, next);
	else
		cop_write(&mem->fragments.first, next);
}

/* Fragments lock held. Takes the lowest free fragment of the first frame that has one. */
static cop_pa take_fragment(struct cop_mem *mem)
{
	cop_pfn pfn = cop_read(&mem->fragments.first);
	struct cop_page *page;
	uint64_t mask;

	if (pfn == COP_PFN_NONE)
		return COP_PA_NONE;
	page = cop_page(mem, pfn);
	mask = cop_read(&page->private_);
	cop_write(&page->private_, mask & (mask - 1));
	if (!(mask & (mask - 1)))
		list_unlink(mem, pfn);
	return (pfn << mem->page_lg2) + ((uint64_t)__builtin_ctzll(mask) << mem->fragments.lg2);
}

static cop_pa fragment_alloc(struct cop_mem *mem)
{
	uintptr_t irq = cop_lock_irq(&mem->fragments.lock);
	cop_pa pa = take_fragment(mem);
	cop_pfn pfn;

	cop_unlock_irq(&mem->fragments.lock, irq);
	if (pa != COP_PA_NONE)
		return pa;
	pfn = cop_block_alloc(mem, 0, 0, COP_PG_TABLE);
	if (pfn == COP_PFN_NONE)
		return COP_PA_NONE;
	irq = cop_lock_irq(&mem->fragments.lock);
	cop_write(&cop_page(mem, pfn)->private_, fragment_mask(mem) & ~1ULL);
	list_push(mem, pfn);
	cop_unlock_irq(&mem->fragments.lock, irq);
	return pfn << mem->page_lg2;
}

/* Tables that were taken before the allocator was up are reserved: it gets them now. */
static void frames_release(struct cop_mem *mem, cop_pfn pfn, unsigned order)
{
	if (!(cop_load(&cop_page(mem, pfn)->flags, relaxed) & COP_PG_RESERVED)) {
		cop_frames_free(mem, pfn);
		return;
	}
	cop_fetch_add(&mem->reserved, -COP_LG2(order), relaxed);
	cop_reserved_give(mem, pfn, order);
}

void cop_fragment_free(struct cop_mem *mem, cop_pa pa)
{
	cop_pfn pfn = pa >> mem->page_lg2;
	struct cop_page *page = cop_page(mem, pfn);
	uint64_t bit = COP_LG2((pa & (COP_LG2(mem->page_lg2) - 1)) >> mem->fragments.lg2);
	uintptr_t irq = cop_lock_irq(&mem->fragments.lock);
	uint64_t mask = cop_read(&page->private_);
	bool all = (mask | bit) == fragment_mask(mem);

	if (mask & bit)
		cop_panic("double-free", page);
	if (!mask)
		list_push(mem, pfn);
	if (all)
		list_unlink(mem, pfn);
	cop_write(&page->private_, all ? 0 : mask | bit);
	cop_unlock_irq(&mem->fragments.lock, irq);
	if (all)
		frames_release(mem, pfn, 0);
}

static cop_pa source_alloc(void *ctx, unsigned lg2)
{
	struct cop_mem *mem = ctx;
	cop_pa pa;

	if (mem->early.active) {
		pa = cop_early_alloc(mem, COP_LG2(lg2));
	} else if (lg2 >= mem->page_lg2) {
		cop_pfn pfn = cop_block_alloc(mem, lg2 - mem->page_lg2, 0, COP_PG_TABLE);

		pa = pfn == COP_PFN_NONE ? COP_PA_NONE : pfn << mem->page_lg2;
	} else {
		pa = lg2 == mem->fragments.lg2 ? fragment_alloc(mem) : COP_PA_NONE;
	}
	if (pa != COP_PA_NONE)
		cop_fetch_add(&mem->table_bytes, COP_LG2(lg2), relaxed);
	return pa;
}

static void source_free(void *ctx, cop_pa table, unsigned lg2)
{
	struct cop_mem *mem = ctx;

	cop_fetch_add(&mem->table_bytes, -COP_LG2(lg2), relaxed);
	if (mem->early.active)
		cop_early_free(mem, table, COP_LG2(lg2));
	else if (lg2 >= mem->page_lg2)
		frames_release(mem, table >> mem->page_lg2, lg2 - mem->page_lg2);
	else
		cop_fragment_free(mem, table);
}

struct cop_table_source cop_mem_table_source(struct cop_mem *mem)
{
	return (struct cop_table_source){source_alloc, source_free, mem};
}
