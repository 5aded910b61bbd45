/* SPDX-License-Identifier: MIT */
/* What a mapping does to a folio's struct page. */
#include "internal.h"

bool cop_folio_anon(const struct cop_mem *mem, cop_pfn head)
{
	return cop_load(&cop_page(mem, head)->flags, relaxed) & COP_PG_SWAPBACKED;
}

bool cop_folio_mapped_once(const struct cop_mem *mem, cop_pfn head)
{
	/* Acquire: what those who have left read of it comes before what is written now; pairs with cop_mapping_drop(). */
	return cop_load(&cop_page(mem, head)->mapcount, acquire) == 1;
}

cop_pfn cop_anon_alloc(struct cop_space *space, cop_va va)
{
	const cop_pfn pfn = cop_frames_alloc(space->mem, 0, COP_ALLOC_MOVABLE);
	struct cop_page *page;

	if (pfn == COP_PFN_NONE)
		return COP_PFN_NONE;
	page = cop_page(space->mem, pfn);
	cop_write(&page->mapping, (uint64_t)(uintptr_t)space->family | COP_MAPPING_ANON);
	cop_write(&page->index, va >> space->mem->page_lg2);
	cop_store(&page->mapcount, 1U, relaxed);
	cop_fetch_add(&page->flags, (uint64_t)COP_PG_SWAPBACKED, relaxed);
	cop_fetch_add(&space->anon, 1ULL, relaxed);
	return pfn;
}

void cop_anon_discard(struct cop_space *space, cop_pfn pfn)
{
	cop_mapping_drop(space, pfn, 0);
}

static uint64_t *counter_of(struct cop_space *space, uint64_t flags)
{
	return flags & COP_PG_SWAPBACKED ? &space->anon : &space->file;
}

void cop_mapping_add(struct cop_space *space, cop_pfn head)
{
	struct cop_page *page = cop_page(space->mem, head);

	(void)cop_fetch_add(&page->mapcount, 1U, relaxed);
	cop_fetch_add(counter_of(space, cop_load(&page->flags, relaxed)), 1ULL, relaxed);
}

void cop_mapping_drop(struct cop_space *space, cop_pfn head, uint32_t attrs)
{
	struct cop_page *page = cop_page(space->mem, head);
	uint64_t flags = cop_load(&page->flags, relaxed);

	while ((attrs & COP_DIRTY) && !(flags & COP_PG_DIRTY)) {
		const uint64_t was = cop_cas(&page->flags, flags, flags | COP_PG_DIRTY, relaxed);

		if (was == flags)
			break;
		flags = was;
	}
	cop_fetch_add(counter_of(space, flags), -1ULL, relaxed);
	/* Release: pairs with cop_folio_mapped_once(). */
	if (cop_fetch_add(&page->mapcount, -1U, release) == 0)
		cop_panic("mapcount-underflow", page);
	cop_page_put(space->mem, head);
}

void cop_folio_lock(const struct cop_mem *mem, cop_pfn head)
{
	uint64_t *word = &cop_page(mem, head)->flags;
	uint64_t flags = cop_load(word, relaxed);

	for (;;) {
		uint64_t was;

		if (flags & COP_PG_LOCKED) {
			cop_await(word, flags, !(flags & COP_PG_LOCKED));
			continue;
		}
		was = cop_cas(word, flags, flags | COP_PG_LOCKED, acquire);
		if (was == flags)
			return;
		flags = was;
	}
}

void cop_folio_unlock(const struct cop_mem *mem, cop_pfn head)
{
	/* Release: pairs with the acquire of the next holder. */
	cop_fetch_add(&cop_page(mem, head)->flags, -(uint64_t)COP_PG_LOCKED, release);
}
