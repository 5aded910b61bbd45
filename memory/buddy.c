/* SPDX-License-Identifier: MIT */
/*
 * The buddy allocator. The largest block is a section, so that a block never crosses into another section and a section
 * that is all free is one block: to bring it online or take it offline costs one list operation.
 *
 * Isolation is a property of the section. Free blocks of an isolated section are on no list; they still merge, and are
 * counted as withheld.
 */
#include "internal.h"

static void list_push(struct cop_mem *mem, struct cop_zone *zone, cop_pfn pfn, unsigned order)
{
	struct cop_free_area *area = &zone->area[order];
	struct cop_page *page = cop_page(mem, pfn);
	cop_pfn first = cop_read(&area->first);

	cop_write(&page->next, first);
	cop_write(&page->prev, COP_PFN_NONE);
	if (first != COP_PFN_NONE)
		cop_write(&cop_page(mem, first)->prev, pfn);
	cop_write(&area->first, pfn);
	cop_count(&area->blocks, 1);
	cop_count(&zone->free, COP_LG2(order));
}

static void list_remove(struct cop_mem *mem, struct cop_zone *zone, cop_pfn pfn, unsigned order)
{
	struct cop_free_area *area = &zone->area[order];
	struct cop_page *page = cop_page(mem, pfn);
	cop_pfn next = cop_read(&page->next), prev = cop_read(&page->prev);

	if (next != COP_PFN_NONE)
		cop_write(&cop_page(mem, next)->prev, prev);
	if (prev != COP_PFN_NONE)
		cop_write(&cop_page(mem, prev)->next, next);
	else
		cop_write(&area->first, next);
	cop_count(&area->blocks, -1ULL);
	cop_count(&zone->free, -COP_LG2(order));
}

static void mark_free(struct cop_mem *mem, cop_pfn pfn, unsigned order)
{
	struct cop_page *page = cop_page(mem, pfn);

	cop_write(&page->order, (uint8_t)order);
	cop_store(&page->flags, (uint64_t)COP_PG_BUDDY, relaxed);
}

static bool is_free(struct cop_mem *mem, cop_pfn pfn, unsigned order)
{
	struct cop_page *page = cop_page(mem, pfn);

	return (cop_load(&page->flags, relaxed) & COP_PG_BUDDY) && cop_read(&page->order) == order;
}

/*
 * Zone lock held. The block's struct pages are clear but for its first: that may come to lie inside a larger block, where
 * it must not look like the beginning of one.
 */
static void free_locked(struct cop_mem *mem, struct cop_zone *zone, cop_pfn pfn, unsigned order)
{
	struct cop_section *section = cop_pfn_section(mem, pfn);
	bool isolated = cop_read(&section->isolated);

	cop_store(&cop_page(mem, pfn)->flags, (uint64_t)0, relaxed);
	if (isolated) {
		cop_count(&section->withheld, COP_LG2(order));
		cop_count(&zone->withheld, COP_LG2(order));
	}
	for (; order < mem->max_order; order++) {
		cop_pfn buddy = pfn ^ COP_LG2(order);

		if (!is_free(mem, buddy, order))
			break;
		if (!isolated)
			list_remove(mem, zone, buddy, order);
		cop_store(&cop_page(mem, buddy)->flags, (uint64_t)0, relaxed);
		pfn &= ~COP_LG2(order);
	}
	mark_free(mem, pfn, order);
	if (!isolated)
		list_push(mem, zone, pfn, order);
}

static cop_pfn alloc_locked(struct cop_mem *mem, struct cop_zone *zone, unsigned order, uint64_t flags)
{
	unsigned found = order;
	struct cop_page *page;
	cop_pfn pfn;

	while (found <= mem->max_order && cop_read(&zone->area[found].first) == COP_PFN_NONE)
		found++;
	if (found > mem->max_order)
		return COP_PFN_NONE;
	pfn = cop_read(&zone->area[found].first);
	list_remove(mem, zone, pfn, found);
	while (found > order) {
		found--;
		mark_free(mem, pfn + COP_LG2(found), found);
		list_push(mem, zone, pfn + COP_LG2(found), found);
	}
	page = cop_page(mem, pfn);
	cop_write(&page->order, (uint8_t)order);
	cop_write(&page->next, 0);
	cop_write(&page->prev, 0);
	cop_store(&page->flags, flags | COP_PG_ALLOCATED, relaxed);
	return pfn;
}

static enum cop_frame_use use_of(uint64_t flags)
{
	if (flags & COP_PG_TABLE)
		return COP_USE_TABLE;
	return flags & COP_PG_MEMMAP ? COP_USE_MEMMAP : COP_USE_OTHER;
}

/* Every tail of an order is the same 64 bytes, wherever it is: any of them can stand for all. */
static void make_folio(struct cop_mem *mem, cop_pfn head, unsigned order)
{
	for (cop_pfn pfn = head + 1; pfn < head + COP_LG2(order); pfn++) {
		struct cop_page *page = cop_page(mem, pfn);

		cop_write(&page->next, 0);
		cop_write(&page->prev, 0);
		cop_write(&page->order, 0);
		cop_store(&page->tail_lg2, (uint8_t)order, relaxed);
		cop_store(&page->flags, (uint64_t)COP_PG_TAIL, relaxed);
	}
}

static void break_folio(struct cop_mem *mem, cop_pfn head, unsigned order)
{
	for (cop_pfn pfn = head + 1; pfn < head + COP_LG2(order); pfn++) {
		struct cop_page *page = cop_page(mem, pfn);

		cop_store(&page->flags, (uint64_t)0, relaxed);
		cop_store(&page->tail_lg2, (uint8_t)0, relaxed);
	}
}

cop_pfn cop_block_alloc(struct cop_mem *mem, unsigned order, uint32_t alloc_flags, uint64_t page_flags)
{
	unsigned id = alloc_flags & COP_ALLOC_MOVABLE ? COP_ZONE_MOVABLE : COP_ZONE_NORMAL;
	cop_pfn pfn = COP_PFN_NONE;

	if (order > mem->max_order || (mem->hooks.deny && mem->hooks.deny(mem->hooks.ctx, order)))
		return COP_PFN_NONE;
	for (;; id--) {
		struct cop_zone *zone = &mem->zone[id];
		uintptr_t irq = cop_lock_irq(&zone->lock);

		pfn = alloc_locked(mem, zone, order, page_flags);
		cop_unlock_irq(&zone->lock, irq);
		if (pfn != COP_PFN_NONE || id == COP_ZONE_NORMAL)
			break;
	}
	if (pfn == COP_PFN_NONE)
		return pfn;
	cop_fetch_add(&mem->used[use_of(page_flags)], COP_LG2(order), relaxed);
	if (page_flags & COP_PG_HEAD)
		make_folio(mem, pfn, order);
	/* Release: whoever gets a reference finds a whole folio. Pairs with cop_page_try_get(). */
	cop_store(&cop_page(mem, pfn)->refcount, 1U, release);
	return pfn;
}

cop_pfn cop_frames_alloc(struct cop_mem *mem, unsigned order, uint32_t flags)
{
	uint64_t page_flags = 0;

	if (flags & COP_ALLOC_MOVABLE)
		page_flags |= COP_PG_MOVABLE;
	if ((flags & COP_ALLOC_FOLIO) && order)
		page_flags |= COP_PG_HEAD;
	return cop_block_alloc(mem, order, flags, page_flags);
}

/* The last reference is gone. */
static void block_free(struct cop_mem *mem, cop_pfn pfn, uint64_t flags)
{
	struct cop_zone *zone = &mem->zone[cop_pfn_zone(mem, pfn)];
	struct cop_page *page = cop_page(mem, pfn);
	unsigned order = cop_read(&page->order);
	uintptr_t irq;

	if (flags & COP_PG_HEAD)
		break_folio(mem, pfn, order);
	cop_store(&page->mapcount, 0U, relaxed);
	cop_write(&page->mapping, 0);
	cop_write(&page->index, 0);
	cop_write(&page->private_, 0);
	cop_fetch_add(&mem->used[use_of(flags)], -COP_LG2(order), relaxed);
	irq = cop_lock_irq(&zone->lock);
	free_locked(mem, zone, pfn, order);
	cop_unlock_irq(&zone->lock, irq);
}

void cop_page_put_many(struct cop_mem *mem, cop_pfn head, uint32_t n)
{
	struct cop_page *page = cop_page(mem, head);
	uint64_t flags = cop_load(&page->flags, relaxed);
	/* Release what this holder wrote; acquire what the others did, before the frames are somebody else's. */
	uint32_t was = cop_fetch_add(&page->refcount, -n, acq_rel);

	if (was < n)
		cop_panic("refcount-underflow", page);
	if (was == n)
		block_free(mem, head, flags);
}

void cop_page_put(struct cop_mem *mem, cop_pfn head)
{
	cop_page_put_many(mem, head, 1);
}

void cop_frames_free(struct cop_mem *mem, cop_pfn pfn)
{
	struct cop_page *page = cop_page(mem, pfn);

	if (!(cop_load(&page->flags, relaxed) & COP_PG_ALLOCATED))
		cop_panic("double-free", page);
	cop_page_put(mem, pfn);
}

static unsigned largest_block(const struct cop_mem *mem, cop_pfn start, cop_pfn end)
{
	unsigned order = mem->max_order;

	while (order && (!COP_IS_ALIGNED(start, COP_LG2(order)) || end - start < COP_LG2(order)))
		order--;
	return order;
}

void cop_zone_give(struct cop_mem *mem, cop_pfn start, cop_pfn end)
{
	while (start < end) {
		struct cop_section *section = cop_pfn_section(mem, start);
		struct cop_zone *zone = &mem->zone[section->zone];
		unsigned order = largest_block(mem, start, end);
		uintptr_t irq = cop_lock_irq(&zone->lock);

		cop_count(&section->managed, COP_LG2(order));
		cop_count(&zone->managed, COP_LG2(order));
		free_locked(mem, zone, start, order);
		cop_unlock_irq(&zone->lock, irq);
		start += COP_LG2(order);
	}
}

/*
 * All under the lock: whoever offlines the section finds the frames reserved or free, and not for a moment neither.
 */
void cop_reserved_give(struct cop_mem *mem, cop_pfn pfn, unsigned order)
{
	struct cop_section *section = cop_pfn_section(mem, pfn);
	struct cop_zone *zone = &mem->zone[section->zone];
	uintptr_t irq = cop_lock_irq(&zone->lock);

	for (cop_pfn i = pfn; i < pfn + COP_LG2(order); i++)
		cop_store(&cop_page(mem, i)->flags, (uint64_t)0, relaxed);
	cop_count(&section->managed, COP_LG2(order));
	cop_count(&zone->managed, COP_LG2(order));
	free_locked(mem, zone, pfn, order);
	cop_unlock_irq(&zone->lock, irq);
}

void cop_section_give(struct cop_mem *mem, struct cop_section *section, enum cop_zone_id zone)
{
	cop_write(&section->zone, (uint8_t)zone);
	cop_zone_give(mem, cop_section_usable(mem, section), cop_section_pfn(mem, section) + cop_section_frames(mem));
}

/* The free blocks of a section enter the lists or leave them. Zone lock held. */
static uint64_t move_free_blocks(struct cop_mem *mem, struct cop_zone *zone, struct cop_section *section, bool onto)
{
	cop_pfn pfn = cop_section_usable(mem, section);
	cop_pfn end = cop_section_pfn(mem, section) + cop_section_frames(mem);
	uint64_t moved = 0;

	while (pfn < end) {
		struct cop_page *page = cop_page(mem, pfn);
		uint64_t flags = cop_load(&page->flags, relaxed);
		unsigned order = flags & (COP_PG_BUDDY | COP_PG_ALLOCATED) ? cop_read(&page->order) : 0;

		if (flags & COP_PG_BUDDY) {
			if (onto)
				list_push(mem, zone, pfn, order);
			else
				list_remove(mem, zone, pfn, order);
			moved += COP_LG2(order);
		}
		pfn += COP_LG2(order);
	}
	return moved;
}

void cop_section_isolate(struct cop_mem *mem, struct cop_section *section)
{
	struct cop_zone *zone = &mem->zone[section->zone];
	uintptr_t irq = cop_lock_irq(&zone->lock);
	uint64_t moved = move_free_blocks(mem, zone, section, false);

	cop_write(&section->isolated, 1);
	cop_write(&section->withheld, moved);
	cop_count(&zone->withheld, moved);
	cop_unlock_irq(&zone->lock, irq);
}

void cop_section_unisolate(struct cop_mem *mem, struct cop_section *section)
{
	struct cop_zone *zone = &mem->zone[section->zone];
	uintptr_t irq = cop_lock_irq(&zone->lock);
	uint64_t moved = move_free_blocks(mem, zone, section, true);

	cop_write(&section->isolated, 0);
	cop_write(&section->withheld, 0);
	cop_count(&zone->withheld, -moved);
	cop_unlock_irq(&zone->lock, irq);
}

struct cop_block_in_use cop_section_in_use(struct cop_mem *mem, struct cop_section *section, cop_pfn pfn)
{
	struct cop_zone *zone = &mem->zone[section->zone];
	cop_pfn usable = cop_section_usable(mem, section);
	cop_pfn end = cop_section_pfn(mem, section) + cop_section_frames(mem);
	struct cop_block_in_use found = {.pfn = COP_PFN_NONE};
	uintptr_t irq = cop_lock_irq(&zone->lock);

	if (pfn < usable)
		pfn = usable;
	while (pfn < end && cop_read(&section->withheld) != end - usable) {
		struct cop_page *page = cop_page(mem, pfn);
		uint64_t flags = cop_load(&page->flags, relaxed);
		unsigned order = flags & (COP_PG_BUDDY | COP_PG_ALLOCATED) ? cop_read(&page->order) : 0;

		if (flags & (COP_PG_ALLOCATED | COP_PG_RESERVED)) {
			found = (struct cop_block_in_use){pfn, flags, order};
			break;
		}
		pfn += COP_LG2(order);
	}
	cop_unlock_irq(&zone->lock, irq);
	return found;
}

int cop_section_withdraw(struct cop_mem *mem, struct cop_section *section)
{
	struct cop_zone *zone = &mem->zone[section->zone];
	cop_pfn pfn = cop_section_usable(mem, section);
	cop_pfn end = cop_section_pfn(mem, section) + cop_section_frames(mem);
	uintptr_t irq = cop_lock_irq(&zone->lock);
	uint64_t managed = end - pfn;

	/* Boot memory with reserved frames has fewer, and stays. */
	if (cop_read(&section->withheld) != managed) {
		cop_unlock_irq(&zone->lock, irq);
		return -COP_EBUSY;
	}
	while (pfn < end) {
		struct cop_page *page = cop_page(mem, pfn);
		uint64_t flags = cop_load(&page->flags, relaxed);
		unsigned order = flags & COP_PG_BUDDY ? cop_read(&page->order) : 0;

		if (flags & COP_PG_BUDDY)
			cop_store(&page->flags, (uint64_t)0, relaxed);
		pfn += COP_LG2(order);
	}
	cop_count(&zone->managed, -managed);
	cop_count(&zone->withheld, -managed);
	cop_write(&section->managed, 0);
	cop_write(&section->withheld, 0);
	cop_write(&section->isolated, 0);
	cop_unlock_irq(&zone->lock, irq);
	return 0;
}
