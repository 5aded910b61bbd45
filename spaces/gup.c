/* SPDX-License-Identifier: MIT */
/* The pages of a range: checks, the way to the format's walk, fork, and what is left to do under the lock. */
#include "internal.h"
#include "spaces/gup_walk.h"

/* The one indirect call: the copy for the tree's format. */
static cop_gup_fn *walk_for(const struct cop_geom *geom)
{
	switch (geom->arch) {
	case COP_ARM64:
		if (geom->page_lg2 == 12)
			return &cop_gup_arm64_4k;
		if (geom->page_lg2 == 14)
			return &cop_gup_arm64_16k;
		return &cop_gup_arm64_64k;
	case COP_X86_64:
		return &cop_gup_x86_64;
	case COP_RISCV64:
		return &cop_gup_riscv64;
	default:
		return &cop_gup_s390x;
	}
}

void cop_gup_walk(struct cop_gup_walk *w)
{
	cop_gup_fn *const walk = walk_for(&w->tree->geom);

	walk(w);
}

bool cop_gup_may_stay(const struct cop_gup_walk *w, cop_pfn head)
{
	return !cop_folio_anon(w->mem, head) || cop_folio_mapped_once(w->mem, head);
}

/* ---- giving back ---- */

static void mark_dirty(struct cop_page *head)
{
	uint64_t flags = cop_load(&head->flags, relaxed), was;

	while (!(flags & COP_PG_DIRTY)) {
		was = cop_cas(&head->flags, flags, flags | COP_PG_DIRTY, relaxed);
		if (was == flags)
			return;
		flags = was;
	}
}

/* Of @count pages, how many at the beginning follow each other in one folio. */
static uint32_t same_folio(const struct cop_mem *mem, const cop_pfn *page, uint64_t count, cop_pfn head)
{
	uint32_t n = 1;

	while (n < count && page[n] == page[0] + n && cop_page_head(mem, page[n]) == head)
		n++;
	return n;
}

static void drop(struct cop_mem *mem, const cop_pfn *page, uint64_t count, bool pin, bool dirty)
{
	while (count) {
		const cop_pfn head = cop_page_head(mem, *page);
		const uint32_t n = same_folio(mem, page, count, head);

		if (dirty)
			mark_dirty(cop_page(mem, head));
		if (pin)
			cop_page_unpin(mem, head, n);
		else
			cop_page_put_many(mem, head, n);
		page += n;
		count -= n;
	}
}

void cop_pages_put(struct cop_mem *mem, const cop_pfn *page, uint64_t count)
{
	drop(mem, page, count, false, false);
}

void cop_pages_unpin(struct cop_mem *mem, const cop_pfn *page, uint64_t count, bool dirty)
{
	drop(mem, page, count, true, dirty);
}

void cop_gup_walk_undo(struct cop_gup_walk *w, uint64_t keep)
{
	const uint64_t n = w->done - keep;

	drop(w->mem, w->pages + keep, n, w->pin, false);
	w->done = keep;
	w->left += n;
	w->va -= n << w->tree->geom.page_lg2;
}

/* ---- asking ---- */

static int check(const struct cop_space *space, cop_va va, uint64_t pages, uint32_t flags)
{
	const unsigned page_lg2 = space->tree.geom.page_lg2;

	if (flags & ~(uint32_t)(COP_GUP_WRITE | COP_GUP_PIN | COP_GUP_LONGTERM | COP_GUP_FAST_ONLY))
		return -COP_EINVAL;
	if ((flags & COP_GUP_LONGTERM) && !(flags & COP_GUP_PIN))
		return -COP_EINVAL;
	va = COP_ALIGN_DOWN(va, COP_LG2(page_lg2));
	if (pages >> (63 - page_lg2) || va + (pages << page_lg2) < va)
		return -COP_EOVERFLOW;
	/* Acquire: a root that translates so many addresses; pairs with cop_space_grow(). */
	return va + (pages << page_lg2) > cop_load(&space->end, acquire) ? -COP_EFAULT : 0;
}

/* Field by field: to clear all of it first would take as long as to get some pages. */
static void walk_begin(struct cop_gup_walk *w, struct cop_space *space, cop_va va, uint64_t pages, uint32_t flags,
		       cop_pfn *page)
{
	const uint32_t want = COP_READ | COP_USER | (flags & COP_GUP_WRITE ? COP_WRITE : 0U);

	w->mem = space->mem;
	w->tree = &space->tree;
	w->va = COP_ALIGN_DOWN(va, space_page(space));
	w->left = pages;
	w->done = 0;
	w->pages = page;
	w->want = want;
	w->mask = want | COP_SPECIAL | COP_PROTNONE;
	w->pin = flags & COP_GUP_PIN;
	w->longterm = flags & COP_GUP_LONGTERM;
	w->own = (flags & COP_GUP_PIN) && !(flags & COP_GUP_WRITE);
	w->may_not_last = false;
}

static void walk_without_lock(struct cop_gup_walk *w)
{
	const uintptr_t irqs = cop_irq_save();

	cop_gup_walk(w);
	cop_irq_restore(irqs);
}

/*
 * Fork write-protects anonymous pages that are not pinned. Who pins meanwhile is not seen by it, and would hold a page that
 * the next write of its own space copies: so there must be no fork from before the walk to after it.
 */
static void walk_without_fork(struct cop_gup_walk *w, struct cop_space *space)
{
	const uint64_t seq = cop_load(&space->fork_seq, acquire);

	if (seq & 1)
		return;
	walk_without_lock(w);
	/* Full: the pins are seen, or the fork is; pairs with the fence after fork makes the count odd. */
	cop_fence_full();
	if (cop_load(&space->fork_seq, relaxed) != seq)
		cop_gup_walk_undo(w, 0);
}

static void walk_fast(struct cop_gup_walk *w, struct cop_space *space)
{
	if (!w->left)
		return;
	if (!w->pin) {
		walk_without_lock(w);
		return;
	}
	if (!cop_load(&space->pinned, relaxed))
		cop_store(&space->pinned, 1U, relaxed);
	walk_without_fork(w, space);
}

/* Somebody may take away again what a fault has brought: not for ever. */
#define MOST_FAULTS 16

/* Return: 0, or why the walk ended before the end. */
static int walk_faulting(struct cop_gup_walk *w, struct cop_space *space, enum cop_access_kind access)
{
	unsigned faults = 0;
	int err;

	for (;;) {
		const uint64_t before = w->done;

		/* No fork and no unmap meanwhile. */
		cop_rwsem_read_lock(&space->lock);
		walk_fast(w, space);
		cop_rwsem_read_unlock(&space->lock);
		if (!w->left)
			return 0;
		if (w->may_not_last)
			return -COP_EOPNOTSUPP;
		faults = w->done == before ? faults + 1 : 0;
		if (faults > MOST_FAULTS)
			return -COP_EFAULT;
		err = w->own ? cop_space_fault_pin(space, w->va) : cop_space_fault(space, w->va, access);
		if (err)
			return err;
	}
}

struct cop_pages cop_gup(struct cop_space *space, cop_va va, uint64_t pages, uint32_t flags, cop_pfn *page)
{
	int err = check(space, va, pages, flags);
	struct cop_gup_walk w;

	if (err)
		return (struct cop_pages){page, err};
	walk_begin(&w, space, va, pages, flags, page);
	err = walk_faulting(&w, space, flags & COP_GUP_WRITE ? COP_ACCESS_WRITE : COP_ACCESS_READ);
	if (!w.done && pages)
		return (struct cop_pages){page, err};
	return (struct cop_pages){page, (int64_t)w.done};
}

struct cop_pages cop_gup_fast(struct cop_space *space, cop_va va, uint64_t pages, uint32_t flags, cop_pfn *page)
{
	const int err = check(space, va, pages, flags);
	struct cop_gup_walk w;
	struct cop_pages rest;

	if (err)
		return (struct cop_pages){page, err};
	walk_begin(&w, space, va, pages, flags, page);
	walk_fast(&w, space);
	if (!w.left || (flags & COP_GUP_FAST_ONLY))
		return (struct cop_pages){page, (int64_t)w.done};
	rest = cop_gup(space, w.va, w.left, flags, page + w.done);
	if (rest.count < 0)
		return (struct cop_pages){page, w.done ? (int64_t)w.done : rest.count};
	return (struct cop_pages){page, (int64_t)w.done + rest.count};
}
