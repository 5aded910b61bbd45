/* SPDX-License-Identifier: MIT */
/* Ranges of areas: map, unmap, protect. */
#include "internal.h"

#define PROT_BITS (COP_READ | COP_WRITE | COP_EXEC)

int cop_range_check(const struct cop_space *space, cop_va va, uint64_t bytes)
{
	if (!bytes || ((va | bytes) & (space_page(space) - 1)) || va + bytes < va)
		return -COP_EINVAL;
	/* Acquire: pairs with cop_space_grow(). */
	return va < space->first || va + bytes > cop_load(&space->end, acquire) ? -COP_EINVAL : 0;
}

uint32_t cop_area_attrs(const struct cop_area *area)
{
	const uint32_t prot = cop_read(&area->prot);
	const uint32_t special = cop_read(&area->kind) == COP_AREA_SPECIAL ? COP_SPECIAL : 0;

	if (!prot)
		return COP_USER | COP_PROTNONE | special | cop_read(&area->space)->implied;
	return COP_USER | COP_READ | COP_YOUNG | special | prot | cop_read(&area->space)->implied;
}

/* ---- a cache's list of areas ---- */

static void cache_link(struct cop_area *area)
{
	struct cop_cache *cache = cop_read(&area->cache);
	struct cop_area *first;

	if (!cache)
		return;
	first = cop_read(&cache->areas);
	cop_write(&area->prev, NULL);
	cop_write(&area->next, first);
	if (first)
		cop_write(&first->prev, area);
	cop_write(&cache->areas, area);
}

static void cache_unlink(struct cop_area *area)
{
	struct cop_cache *cache = cop_read(&area->cache);
	struct cop_area *next, *prev;

	if (!cache)
		return;
	next = cop_read(&area->next);
	prev = cop_read(&area->prev);
	if (next)
		cop_write(&next->prev, prev);
	if (prev)
		cop_write(&prev->next, next);
	else
		cop_write(&cache->areas, next);
}

static void cache_lock(const struct cop_area *area)
{
	struct cop_cache *cache = cop_read(&area->cache);

	if (cache)
		cop_mutex_lock(&cache->lock);
}

static void cache_unlock(const struct cop_area *area)
{
	struct cop_cache *cache = cop_read(&area->cache);

	if (cache)
		cop_mutex_unlock(&cache->lock);
}

/* ---- areas ---- */

void cop_area_drop(struct cop_space *space, struct cop_area *area)
{
	cop_area_remove(space, area);
	cache_lock(area);
	cache_unlink(area);
	cache_unlock(area);
	cop_object_free(space->spaces, cop_read(&area->pa));
}

/* As @from in all but place. */
static void area_like(struct cop_area *area, const struct cop_area *from, cop_va start, cop_va end)
{
	cop_write(&area->index, area_index(from, start));
	cop_write(&area->start, start);
	cop_write(&area->end, end);
	cop_write(&area->prot, cop_read(&from->prot));
	cop_write(&area->kind, cop_read(&from->kind));
	cop_write(&area->cache, cop_read(&from->cache));
}

void cop_area_split(struct cop_space *space, cop_va va, struct area_stock *stock)
{
	struct cop_area *low = cop_area_at(space, va), *high;

	if (!low || cop_read(&low->start) == va)
		return;
	high = stock->area[--stock->count];
	cop_area_remove(space, low);
	area_like(high, low, va, cop_read(&low->end));
	cache_lock(low);
	cop_write(&low->end, va);
	cache_link(high);
	cache_unlock(low);
	cop_area_insert(space, low);
	cop_area_insert(space, high);
}

static bool continues(const struct cop_area *low, const struct cop_area *high)
{
	if (cop_read(&low->end) != cop_read(&high->start) || cop_read(&low->prot) != cop_read(&high->prot) ||
	    cop_read(&low->kind) != cop_read(&high->kind) || cop_read(&low->cache) != cop_read(&high->cache))
		return false;
	return cop_read(&low->kind) == COP_AREA_ANON || area_index(low, cop_read(&low->end)) == cop_read(&high->index);
}

/* Makes one of two that continue each other at @va. */
static void area_merge(struct cop_space *space, cop_va va)
{
	struct cop_area *low = cop_area_at(space, va - 1), *high = cop_area_at(space, va);
	cop_va end;

	if (!low || !high || low == high || !continues(low, high))
		return;
	end = cop_read(&high->end);
	cop_area_remove(space, low);
	cop_area_remove(space, high);
	cache_lock(low);
	cache_unlink(high);
	cop_write(&low->end, end);
	cache_unlock(low);
	cop_area_insert(space, low);
	cop_object_free(space->spaces, cop_read(&high->pa));
}

/* ---- unmap ---- */

/* Both ends are borders. */
static int unmap_areas(struct cop_space *space, cop_va va, cop_va end)
{
	/* Pages first: whoever comes from a folio finds it by its areas. */
	const int err = cop_space_zap(space, va, end - va);
	struct cop_area *area;

	if (err)
		return err;
	while ((area = cop_area_from(space, va)) && cop_read(&area->start) < end)
		cop_area_drop(space, area);
	return 0;
}

static int unmap_locked(struct cop_space *space, cop_va va, uint64_t bytes)
{
	struct area_stock stock;
	int err = cop_stock_areas(space, &stock, 2);

	if (err)
		return err;
	cop_area_split(space, va, &stock);
	cop_area_split(space, va + bytes, &stock);
	err = unmap_areas(space, va, va + bytes);
	cop_unstock_areas(space, &stock);
	return err;
}

int cop_space_unmap(struct cop_space *space, cop_va va, uint64_t bytes)
{
	int err = cop_range_check(space, va, bytes);

	if (err)
		return err;
	cop_rwsem_write_lock(&space->lock);
	err = unmap_locked(space, va, bytes);
	cop_rwsem_write_unlock(&space->lock);
	return err;
}

/* ---- map ---- */

static int check_map(const struct cop_space *space, const struct cop_area_spec *spec)
{
	const uint64_t pages = spec->bytes >> space->mem->page_lg2;

	if (!spec->bytes || (spec->bytes & (space_page(space) - 1)) || (spec->va & (space_page(space) - 1)))
		return -COP_EINVAL;
	if ((spec->prot & ~(uint32_t)PROT_BITS) || spec->kind > COP_AREA_SPECIAL ||
	    (spec->flags & ~(uint32_t)(COP_AREA_FIXED | COP_AREA_REPLACE)))
		return -COP_EINVAL;
	if ((spec->kind == COP_AREA_SHARED || spec->kind == COP_AREA_PRIVATE) != (spec->cache != NULL))
		return -COP_EINVAL;
	if (spec->cache && (spec->index > spec->cache->pages || pages > spec->cache->pages - spec->index))
		return -COP_EINVAL;
	if (spec->kind == COP_AREA_SPECIAL &&
	    (spec->index + pages < pages ||
	     (spec->index + pages - 1) >> (space->tree.geom.pa_bits - space->mem->page_lg2)))
		return -COP_EINVAL;
	if (spec->flags & (COP_AREA_FIXED | COP_AREA_REPLACE))
		return cop_range_check(space, spec->va, spec->bytes);
	return 0;
}

/* Return: where it goes; .err -COP_EEXIST, -COP_ENOMEM. */
static struct cop_mapped choose_place(struct cop_space *space, const struct cop_area_spec *spec)
{
	struct cop_mapped at = {.va = spec->va};
	const struct cop_area *next;

	if (spec->flags & COP_AREA_REPLACE) {
		at.err = unmap_locked(space, spec->va, spec->bytes);
		return at;
	}
	if (spec->flags & COP_AREA_FIXED) {
		next = cop_area_from(space, spec->va);
		if (next && cop_read(&next->start) < spec->va + spec->bytes)
			at.err = -COP_EEXIST;
		return at;
	}
	at.va = cop_area_gap(space, spec->va, spec->bytes);
	if (!at.va)
		at.va = cop_area_gap(space, space->first, spec->bytes);
	if (!at.va)
		at.err = -COP_ENOMEM;
	return at;
}

static void area_place(struct cop_area *area, const struct cop_area_spec *spec, cop_va va)
{
	cop_write(&area->start, va);
	cop_write(&area->end, va + spec->bytes);
	cop_write(&area->index, spec->index);
	cop_write(&area->prot, (uint8_t)spec->prot);
	cop_write(&area->kind, (uint8_t)spec->kind);
	cop_write(&area->cache, spec->cache);
}

struct cop_mapped cop_space_map(struct cop_space *space, const struct cop_area_spec *spec)
{
	struct cop_mapped at = {.err = check_map(space, spec)};
	struct area_stock stock;

	if (at.err)
		return at;
	cop_rwsem_write_lock(&space->lock);
	at.err = cop_stock_areas(space, &stock, 1);
	if (!at.err)
		at = choose_place(space, spec);
	else
		stock.count = 0;
	if (!at.err) {
		struct cop_area *area = stock.area[--stock.count];

		area_place(area, spec, at.va);
		cop_area_insert(space, area);
		cache_lock(area);
		cache_link(area);
		cache_unlock(area);
		area_merge(space, at.va);
		area_merge(space, at.va + spec->bytes);
	}
	cop_unstock_areas(space, &stock);
	cop_rwsem_write_unlock(&space->lock);
	return at;
}

/* ---- protect ---- */

/* No hole? */
static bool covered(const struct cop_space *space, cop_va va, cop_va end)
{
	while (va < end) {
		const struct cop_area *area = cop_area_at(space, va);

		if (!area)
			return false;
		va = cop_read(&area->end);
	}
	return true;
}

/* Writable only where it was: otherwise a fault finds out whose the page is. */
static int protect_leaf(struct cop_gather *gather, const struct cop_area *area, const struct cop_leaf *leaf)
{
	const uint32_t attrs = cop_area_attrs(area);
	const uint32_t keep = ~(uint32_t)COP_WRITE | (leaf->attrs & COP_WRITE);

	return cop_replace(gather, leaf->va, leaf->entry, leaf->pa, attrs & keep & ~(uint32_t)COP_YOUNG).err;
}

#define PROTECT_BATCH 32

static void protect_pages(struct cop_space *space, const struct cop_area *area)
{
	struct cop_leaf leaf[PROTECT_BATCH];
	cop_va va = cop_read(&area->start);
	const cop_va end = cop_read(&area->end);
	struct cop_gather gather;

	cop_gather_begin(&gather, &space->tree);
	while (va < end) {
		struct cop_unmapped seen;

		cop_rcu_read_lock();
		seen = cop_leaves(&space->tree, va, end - va, leaf, PROTECT_BATCH);
		cop_rcu_read_unlock();
		va += seen.done;
		for (unsigned i = 0; i < seen.runs; i++) {
			/* Hardware has set a bit, or somebody has come from the folio: look again. */
			if (protect_leaf(&gather, area, leaf + i) == -COP_EAGAIN) {
				va = leaf[i].va;
				break;
			}
		}
	}
	(void)cop_gather_finish(&gather);
}

static int protect_locked(struct cop_space *space, cop_va va, cop_va end, uint32_t prot)
{
	struct area_stock stock;
	struct cop_area *area;
	int err;

	if (!covered(space, va, end))
		return -COP_ENOMEM;
	err = cop_stock_areas(space, &stock, 2);
	if (err)
		return err;
	cop_area_split(space, va, &stock);
	cop_area_split(space, end, &stock);
	cop_unstock_areas(space, &stock);
	for (cop_va at = va; at < end; at = cop_read(&area->end)) {
		area = cop_area_at(space, at);
		if (cop_read(&area->prot) == prot)
			continue;
		cop_write(&area->prot, (uint8_t)prot);
		protect_pages(space, area);
	}
	for (cop_va at = end; at > va; at = cop_read(&area->start)) {
		area_merge(space, at);
		area = cop_area_at(space, at - 1);
	}
	area_merge(space, va);
	return 0;
}

int cop_space_protect(struct cop_space *space, cop_va va, uint64_t bytes, uint32_t prot)
{
	int err = cop_range_check(space, va, bytes);

	if (err || (prot & ~(uint32_t)PROT_BITS))
		return -COP_EINVAL;
	cop_rwsem_write_lock(&space->lock);
	err = protect_locked(space, va, va + bytes, prot);
	cop_rwsem_write_unlock(&space->lock);
	return err;
}

/* ---- look ---- */

struct cop_area_info cop_space_find(struct cop_space *space, cop_va va)
{
	struct cop_area_info info = {.bytes = 0};
	const struct cop_area *area;

	cop_rwsem_read_lock(&space->lock);
	area = cop_area_from(space, va);
	if (area)
		info = (struct cop_area_info){.va = cop_read(&area->start),
					      .bytes = cop_read(&area->end) - cop_read(&area->start),
					      .prot = cop_read(&area->prot),
					      .kind = cop_read(&area->kind),
					      .cache = cop_read(&area->cache),
					      .index = cop_read(&area->index)};
	cop_rwsem_read_unlock(&space->lock);
	return info;
}
