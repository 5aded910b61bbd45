/* SPDX-License-Identifier: MIT */
/* Shared by the files of spaces/. */
#ifndef COPPICE_SPACES_INTERNAL_H
#define COPPICE_SPACES_INTERNAL_H

#include <coppice/spaces.h>

/*
 * struct cop_area - [start, end) of one kind and protection
 * @pa: its own
 * @index: of the first page: in the cache, or the frame number of special memory
 * @left, @right, @height: a balanced tree by address
 * @low, @high: first and last byte + 1 of the subtree; @gap: largest hole inside it
 * @next, @prev: in the cache's list, under its lock; so are start and end of an area that has a cache
 */
struct cop_area {
	cop_va start, end;
	cop_pa pa;
	uint64_t index;
	struct cop_space *space;
	struct cop_cache *cache;
	struct cop_area *left, *right;
	cop_va low, high;
	uint64_t gap;
	struct cop_area *next, *prev;
	uint8_t prot, kind, height;
};

/*
 * struct cop_family - spaces that came from one another by fork
 * @refs: spaces, and those who come from a folio; marked
 * @spaces: list, parents before their children; under @lock
 */
struct cop_family {
	cop_pa pa;
	cop_rcu rcu;
	cop_mutex lock;
	struct cop_spaces *owner;
	struct cop_space *spaces;
	uint32_t refs;
};

#define COP_OBJECT_BYTES 128
COP_STATIC_ASSERT(sizeof(struct cop_area) <= COP_OBJECT_BYTES, "an area is an object");
COP_STATIC_ASSERT(sizeof(struct cop_family) <= COP_OBJECT_BYTES, "a family is an object");

static inline uint64_t space_page(const struct cop_space *space)
{
	return COP_LG2(space->mem->page_lg2);
}

static inline cop_pa page_pa(const struct cop_space *space, cop_pfn pfn)
{
	return pfn << space->mem->page_lg2;
}

/* The page's place in what its area maps. */
static inline uint64_t area_index(const struct cop_area *area, cop_va va)
{
	return cop_read(&area->index) + ((va - cop_read(&area->start)) >> cop_read(&area->space)->mem->page_lg2);
}

/* ---- slab.c: objects of COP_OBJECT_BYTES, contents arbitrary; COP_PA_NONE when there is no memory ---- */

/* Families are freed from RCU callbacks, which may interrupt the holder. */
static inline uintptr_t cop_objects_lock(struct cop_spaces *spaces)
{
	const uintptr_t irq = cop_irq_save();

	cop_spin_lock(&spaces->lock);
	return irq;
}

static inline void cop_objects_unlock(struct cop_spaces *spaces, uintptr_t irq)
{
	cop_spin_unlock(&spaces->lock);
	cop_irq_restore(irq);
}

cop_pa cop_object_alloc(struct cop_spaces *spaces);
void cop_object_free(struct cop_spaces *spaces, cop_pa pa);

/* ---- area.c: the tree of areas; space lock held, for writing where it changes ---- */

/* Lowest area that ends after @va; NULL. */
struct cop_area *cop_area_from(const struct cop_space *space, cop_va va);
/* The one that holds @va; NULL. */
struct cop_area *cop_area_at(const struct cop_space *space, cop_va va);
void cop_area_insert(struct cop_space *space, struct cop_area *area);
/* Out of the tree; still the caller's. */
void cop_area_remove(struct cop_space *space, struct cop_area *area);
/* Lowest hole of @bytes at or above @from; 0: there is none. */
cop_va cop_area_gap(const struct cop_space *space, cop_va from, uint64_t bytes);

/* New areas in hand, so that an operation that has begun does not fail. */
struct area_stock {
	struct cop_area *area[2];
	unsigned count;
};
int cop_stock_areas(struct cop_space *space, struct area_stock *stock, unsigned count) COP_MUST_CHECK;
void cop_unstock_areas(struct cop_space *space, struct area_stock *stock);

/* ---- range.c ---- */

/* Makes @va a border of areas, if it lies inside one; takes a stocked area then. */
void cop_area_split(struct cop_space *space, cop_va va, struct area_stock *stock);
/* Out of the tree and of its cache's list, and freed. */
void cop_area_drop(struct cop_space *space, struct cop_area *area);
/* 0; -COP_EINVAL: not whole pages, or not all of it the user's. */
int cop_range_check(const struct cop_space *space, cop_va va, uint64_t bytes);
/* Attributes of an area's leaves, accessed and clean; writable if the area is. */
uint32_t cop_area_attrs(const struct cop_area *area);

/* ---- family.c ---- */

struct cop_family *cop_family_new(struct cop_spaces *spaces);
/* Lock held, unless the family is new. @parent: NULL in a new family. */
void cop_family_join(struct cop_family *family, struct cop_space *space, struct cop_space *parent);
void cop_family_leave(struct cop_space *space);
bool cop_family_try_get(struct cop_family *family);
void cop_family_put(struct cop_family *family);

/* ---- space.c ---- */

/* As cop_space_init(), in the family of @parent, which the caller has locked; NULL: in a new one. */
int cop_space_set_up(struct cop_space *space, struct cop_spaces *spaces, const struct cop_geom *geom,
		     const struct cop_table_source *source, uint32_t asid, struct cop_space *parent) COP_MUST_CHECK;

/* ---- fault.c ---- */

/* As cop_space_fault() for a read, and the page, if it is anonymous and not writable, is no other space's too. */
int cop_space_fault_pin(struct cop_space *space, cop_va va) COP_MUST_CHECK;

/* ---- zap.c: clear -> invalidate -> let go, whatever the areas are ---- */

int cop_space_zap(struct cop_space *space, cop_va va, uint64_t bytes) COP_MUST_CHECK;

/* ---- folio.c ---- */

/* A new anonymous folio of one page, mapped once; contents arbitrary. COP_PFN_NONE: there is none. */
cop_pfn cop_anon_alloc(struct cop_space *space, cop_va va);
/* One that was never mapped. */
void cop_anon_discard(struct cop_space *space, cop_pfn pfn);
bool cop_folio_anon(const struct cop_mem *mem, cop_pfn head);
/* And that one the caller's, which holds off fork: so nobody else begins to map it. */
bool cop_folio_mapped_once(const struct cop_mem *mem, cop_pfn head);
/* One mapping more: with the caller's reference. */
void cop_mapping_add(struct cop_space *space, cop_pfn head);
/* One mapping less, and its reference; @attrs: what the leaf was. Nobody can reach the folio through it any more. */
void cop_mapping_drop(struct cop_space *space, cop_pfn head, uint32_t attrs);
void cop_folio_lock(const struct cop_mem *mem, cop_pfn head);
void cop_folio_unlock(const struct cop_mem *mem, cop_pfn head);

#endif
