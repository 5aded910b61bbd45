/* SPDX-License-Identifier: MIT */
/*
 * From a folio to who maps it. An anonymous folio is mapped at one address in all spaces of its family; a file's at one
 * address in each area of the cache that covers its place. The tables have the last word.
 */
#include "internal.h"

struct walking {
	struct cop_mem *mem;
	cop_pfn pfn;
	cop_rmap_fn fn;
	void *ctx;
	unsigned found;
	bool stopped;
};

/* Is the folio mapped here? Then the caller hears of it. */
static void look(struct walking *w, struct cop_space *space, cop_va va)
{
	cop_pa pa;

	if (va < space->first || va >= cop_load(&space->end, acquire))
		return;
	cop_rcu_read_lock();
	pa = cop_translate_pa(&space->tree, va);
	cop_rcu_read_unlock();
	if (pa != w->pfn << w->mem->page_lg2)
		return;
	w->found++;
	w->stopped = !w->fn(w->ctx, space, va);
}

static void walk_family(struct walking *w, struct cop_family *family, cop_va va)
{
	struct cop_space *space;

	cop_mutex_lock(&family->lock);
	for (space = cop_read(&family->spaces); space && !w->stopped; space = cop_read(&space->next))
		look(w, space, va);
	cop_mutex_unlock(&family->lock);
}

static void walk_anon(struct walking *w, uint64_t mapping, uint64_t index)
{
	struct cop_family *family = (struct cop_family *)(uintptr_t)(mapping & ~COP_MAPPING_ANON);
	bool got;

	/* Mapped nowhere: the family may be gone. One that a mapping still holds is freed after this section at the earliest. */
	cop_rcu_read_lock();
	got = cop_load(&cop_page(w->mem, w->pfn)->mapcount, acquire) && cop_family_try_get(family);
	cop_rcu_read_unlock();
	if (!got)
		return;
	walk_family(w, family, index << w->mem->page_lg2);
	cop_family_put(family);
}

static void walk_cache(struct walking *w, struct cop_cache *cache, uint64_t index)
{
	struct cop_area *area;

	cop_mutex_lock(&cache->lock);
	for (area = cop_read(&cache->areas); area && !w->stopped; area = cop_read(&area->next)) {
		const uint64_t first = cop_read(&area->index);
		const cop_va start = cop_read(&area->start);
		const uint64_t pages = (cop_read(&area->end) - start) >> w->mem->page_lg2;

		if (index >= first && index - first < pages)
			look(w, cop_read(&area->space), start + ((index - first) << w->mem->page_lg2));
	}
	cop_mutex_unlock(&cache->lock);
}

unsigned cop_rmap_walk(struct cop_mem *mem, cop_pfn pfn, cop_rmap_fn fn, void *ctx)
{
	struct walking w = {.mem = mem, .pfn = pfn, .fn = fn, .ctx = ctx};
	const uint64_t mapping = cop_read(&cop_page(mem, pfn)->mapping);
	const uint64_t index = cop_read(&cop_page(mem, pfn)->index);

	if (mapping & COP_MAPPING_ANON)
		walk_anon(&w, mapping, index);
	else if (mapping)
		walk_cache(&w, (struct cop_cache *)(uintptr_t)mapping, index);
	return w.found;
}

/* ---- unmap everywhere ---- */

struct unmapping_folio {
	struct cop_mem *mem;
	cop_pfn pfn;
};

static bool unmap_one(void *ctx, struct cop_space *space, cop_va va)
{
	const struct unmapping_folio *u = ctx;
	struct cop_replaced done;
	struct cop_translation t;
	struct cop_gather gather;

	cop_rwsem_read_lock(&space->levels_lock);
	cop_gather_begin(&gather, &space->tree);
	do {
		cop_rcu_read_lock();
		t = cop_translate(&space->tree, va);
		cop_rcu_read_unlock();
		/* A fault or a discard has been faster. */
		if (t.pa != u->pfn << u->mem->page_lg2)
			done = (struct cop_replaced){.err = -COP_ENOENT};
		else
			done = cop_replace(&gather, va, t.entry, COP_PA_NONE, 0);
	} while (done.err == -COP_EAGAIN);
	(void)cop_gather_finish(&gather);
	cop_rwsem_read_unlock(&space->levels_lock);
	if (!done.err)
		cop_mapping_drop(space, u->pfn, done.attrs);
	return true;
}

int cop_rmap_unmap(struct cop_mem *mem, cop_pfn pfn)
{
	struct unmapping_folio u = {mem, pfn};

	/* What an anonymous folio holds is nowhere else. */
	if (cop_folio_anon(mem, pfn))
		return -COP_EBUSY;
	(void)cop_rmap_walk(mem, pfn, unmap_one, &u);
	return cop_load(&cop_page(mem, pfn)->mapcount, acquire) ? -COP_EAGAIN : 0;
}
