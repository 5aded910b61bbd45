/* SPDX-License-Identifier: MIT */
/*
 * Small objects of one size, cut from frames. A frame with free objects is on a list; its struct page counts those in use
 * and heads the list of the free ones, which is kept in the objects themselves. An empty frame goes back.
 */
#include "internal.h"

static uint64_t *object_at(cop_pa pa)
{
	return (uint64_t *)cop_phys(pa);
}

static void frame_push(struct cop_spaces *spaces, cop_pfn pfn)
{
	const cop_pfn first = cop_read(&spaces->objects);

	cop_write(&cop_page(spaces->mem, pfn)->next, first);
	cop_write(&cop_page(spaces->mem, pfn)->prev, COP_PFN_NONE);
	if (first != COP_PFN_NONE)
		cop_write(&cop_page(spaces->mem, first)->prev, pfn);
	cop_write(&spaces->objects, pfn);
}

static void frame_unlink(struct cop_spaces *spaces, cop_pfn pfn)
{
	const struct cop_page *page = cop_page(spaces->mem, pfn);
	const cop_pfn next = cop_read(&page->next), prev = cop_read(&page->prev);

	if (next != COP_PFN_NONE)
		cop_write(&cop_page(spaces->mem, next)->prev, prev);
	if (prev != COP_PFN_NONE)
		cop_write(&cop_page(spaces->mem, prev)->next, next);
	else
		cop_write(&spaces->objects, next);
}

/* Lock held. */
static cop_pa take_object(struct cop_spaces *spaces)
{
	const cop_pfn pfn = cop_read(&spaces->objects);
	struct cop_page *page;
	cop_pa pa;

	if (pfn == COP_PFN_NONE)
		return COP_PA_NONE;
	page = cop_page(spaces->mem, pfn);
	pa = cop_read(&page->index);
	cop_write(&page->index, cop_read(object_at(pa)));
	cop_write(&page->private_, cop_read(&page->private_) + 1);
	if (cop_read(&page->index) == COP_PA_NONE)
		frame_unlink(spaces, pfn);
	return pa;
}

/* A frame that nobody else knows becomes a list of free objects. */
static void frame_cut(struct cop_mem *mem, cop_pfn pfn)
{
	const cop_pa start = pfn << mem->page_lg2, end = start + COP_LG2(mem->page_lg2);

	for (cop_pa pa = start; pa < end; pa += COP_OBJECT_BYTES)
		cop_write(object_at(pa), pa + COP_OBJECT_BYTES < end ? pa + COP_OBJECT_BYTES : COP_PA_NONE);
	cop_write(&cop_page(mem, pfn)->index, start);
	cop_write(&cop_page(mem, pfn)->private_, (uint64_t)0);
}

cop_pa cop_object_alloc(struct cop_spaces *spaces)
{
	uintptr_t irq = cop_objects_lock(spaces);
	cop_pa pa = take_object(spaces);
	cop_pfn pfn;

	cop_objects_unlock(spaces, irq);
	if (pa != COP_PA_NONE)
		return pa;
	pfn = cop_frames_alloc(spaces->mem, 0, 0);
	if (pfn == COP_PFN_NONE)
		return COP_PA_NONE;
	frame_cut(spaces->mem, pfn);
	irq = cop_objects_lock(spaces);
	cop_write(&spaces->frames, cop_read(&spaces->frames) + 1);
	frame_push(spaces, pfn);
	pa = take_object(spaces);
	cop_objects_unlock(spaces, irq);
	return pa;
}

void cop_object_free(struct cop_spaces *spaces, cop_pa pa)
{
	const cop_pfn pfn = pa >> spaces->mem->page_lg2;
	struct cop_page *page = cop_page(spaces->mem, pfn);
	const uintptr_t irq = cop_objects_lock(spaces);
	const uint64_t used = cop_read(&page->private_) - 1;
	const bool was_full = cop_read(&page->index) == COP_PA_NONE;

	cop_write(&page->private_, used);
	cop_write(object_at(pa), cop_read(&page->index));
	cop_write(&page->index, pa);
	if (used && was_full)
		frame_push(spaces, pfn);
	if (!used && !was_full)
		frame_unlink(spaces, pfn);
	if (!used)
		cop_write(&spaces->frames, cop_read(&spaces->frames) - 1);
	cop_objects_unlock(spaces, irq);
	if (!used)
		cop_frames_free(spaces->mem, pfn);
}
