/* SPDX-License-Identifier: MIT */
/* The pages of a file: found under RCU alone, by a reference that is taken first and justified afterwards. */
#include "internal.h"

void cop_cache_init(struct cop_cache *cache, struct cop_mem *mem, uint64_t *slots, uint64_t pages,
		    int (*fill)(void *, uint64_t, cop_pfn), void *ctx)
{
	*cache = (struct cop_cache){.mem = mem, .slots = slots, .pages = pages, .fill = fill, .ctx = ctx};
	cop_mutex_init(&cache->lock);
	for (uint64_t i = 0; i < pages; i++)
		cop_store(slots + i, (uint64_t)0, relaxed);
}

cop_pfn cop_cache_get(const struct cop_cache *cache, uint64_t index)
{
	const uint64_t *slot = cache->slots + index;
	cop_pfn found = COP_PFN_NONE;
	uint64_t was;

	cop_rcu_read_lock();
	/* Acquire: the page is filled; pairs with the release in cop_cache_read(). */
	while ((was = cop_load(slot, acquire)) != 0) {
		if (!cop_pfn_valid(cache->mem, was - 1) || !cop_page_try_get(cache->mem, was - 1)) {
			/* Acquire: the slot was emptied before its reference went; pairs with the release in cop_page_put(). */
			cop_fence_acquire();
			continue;
		}
		/* It may have been freed and be somebody else's by now: it is ours only if it still is in the slot. */
		if (cop_load(slot, acquire) == was) {
			found = was - 1;
			break;
		}
		cop_page_put(cache->mem, was - 1);
	}
	cop_rcu_read_unlock();
	return found;
}

struct cop_cached cop_cache_read(struct cop_cache *cache, uint64_t index)
{
	struct cop_cached got = {.pfn = cop_cache_get(cache, index)};
	struct cop_page *page;

	while (got.pfn == COP_PFN_NONE) {
		got.pfn = cop_frames_alloc(cache->mem, 0, COP_ALLOC_MOVABLE);
		if (got.pfn == COP_PFN_NONE)
			return (struct cop_cached){got.pfn, -COP_ENOMEM};
		page = cop_page(cache->mem, got.pfn);
		cop_write(&page->mapping, (uint64_t)(uintptr_t)cache);
		cop_write(&page->index, index);
		got.err = cache->fill ? cache->fill(cache->ctx, index, got.pfn) : 0;
		if (got.err) {
			cop_page_put(cache->mem, got.pfn);
			return got;
		}
		/* One reference for the slot, one for the caller. */
		if (!cop_page_try_get(cache->mem, got.pfn))
			cop_panic("page-cache-refcount", page);
		/* Release: contents and struct page first; pairs with cop_cache_get(). */
		if (cop_cas(cache->slots + index, (uint64_t)0, got.pfn + 1, acq_rel) == 0)
			break;
		cop_page_put(cache->mem, got.pfn);
		cop_page_put(cache->mem, got.pfn);
		got.pfn = cop_cache_get(cache, index);
	}
	return got;
}

bool cop_cache_remove(struct cop_cache *cache, uint64_t index)
{
	const cop_pfn pfn = cop_cache_get(cache, index);
	struct cop_page *page;
	bool mine;

	if (pfn == COP_PFN_NONE)
		return false;
	page = cop_page(cache->mem, pfn);
	/* Faults map it under this lock and look at .mapping first: none comes after. */
	cop_folio_lock(cache->mem, pfn);
	mine = cop_read(&page->mapping) == (uint64_t)(uintptr_t)cache;
	if (mine) {
		cop_store(cache->slots + index, (uint64_t)0, relaxed);
		(void)cop_rmap_unmap(cache->mem, pfn);
		/* Marked: who has got the page without the lock looks whether it is a file's. */
		cop_store(&page->mapping, (uint64_t)0, relaxed);
	}
	cop_folio_unlock(cache->mem, pfn);
	if (mine)
		cop_page_put(cache->mem, pfn);
	cop_page_put(cache->mem, pfn);
	return mine;
}

void cop_cache_destroy(struct cop_cache *cache)
{
	for (uint64_t i = 0; i < cache->pages; i++)
		(void)cop_cache_remove(cache, i);
}
