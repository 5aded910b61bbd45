/* SPDX-License-Identifier: MIT */
#include "internal.h"

#define FRAGMENT_OF(rcu_) ((struct cop_ptdesc *)((char *)(rcu_)-offsetof(struct cop_ptdesc, rcu)))

static unsigned page_lg2(const struct cop_fragments *f)
{
	return f->mem->page_lg2 + f->order;
}

static uint64_t all_bits(unsigned page, unsigned lg2)
{
	return COP_LG2(COP_LG2(page - lg2)) - 1;
}

static uint64_t bit_of(cop_pa table, unsigned page, unsigned lg2)
{
	return COP_LG2((table & (COP_LG2(page) - 1)) >> lg2);
}

static uint64_t bits(uint64_t state, enum cop_fragment_shift what)
{
	return state >> what & 0xffff;
}

static uint64_t unused(uint64_t state)
{
	return bits(state, COP_FRAGMENT_FREE) | bits(state, COP_FRAGMENT_PENDING) | bits(state, COP_FRAGMENT_HELD);
}

/* ---- the list: under the lock ---- */

/* A grace period's end changes none of this: pending or free is the same here. */
static bool belongs_on_list(uint64_t state, uint64_t all)
{
	return !bits(state, COP_FRAGMENT_HELD) && unused(state) && unused(state) != all;
}

static void list_add(struct cop_fragments *f, cop_pfn pfn, bool at_end)
{
	struct cop_page *page = cop_page(f->mem, pfn);
	const cop_pfn prev = at_end ? cop_read(&f->last) : COP_PFN_NONE;
	const cop_pfn next = at_end ? COP_PFN_NONE : cop_read(&f->first);

	cop_write(&page->next, next);
	cop_write(&page->prev, prev);
	cop_write(prev == COP_PFN_NONE ? &f->first : &cop_page(f->mem, prev)->next, pfn);
	cop_write(next == COP_PFN_NONE ? &f->last : &cop_page(f->mem, next)->prev, pfn);
}

static void list_del(struct cop_fragments *f, cop_pfn pfn)
{
	struct cop_page *page = cop_page(f->mem, pfn);
	const cop_pfn next = cop_read(&page->next), prev = cop_read(&page->prev);

	cop_write(prev == COP_PFN_NONE ? &f->first : &cop_page(f->mem, prev)->next, next);
	cop_write(next == COP_PFN_NONE ? &f->last : &cop_page(f->mem, next)->prev, prev);
}

/* ---- pages ---- */

/* The lock is the page's, so it does not begin anew with each table. */
static cop_pfn page_new(struct cop_fragments *f)
{
	const cop_pfn pfn = cop_block_alloc(f->mem, f->order, 0, COP_PG_TABLE);
	const cop_pa page = pfn << f->mem->page_lg2;

	if (pfn == COP_PFN_NONE)
		return pfn;
	for (cop_pa pa = page; pa < page + COP_LG2(page_lg2(f)); pa += COP_LG2(f->lg2))
		cop_write(&cop_ptdesc(pa)->lock_lg2, (uint8_t)page_lg2(f));
	cop_write(&cop_ptdesc(page)->lock, (uint8_t)0);
	cop_store(&cop_page(f->mem, pfn)->private_, all_bits(page_lg2(f), f->lg2), relaxed);
	return pfn;
}

/* Where a page and its fragments are; from here on nothing knows the address space, which may be gone. */
struct fragment_at {
	struct cop_mem *mem;
	cop_pa pa;
	unsigned page, lg2;
};

static struct cop_page *page_at(const struct fragment_at *at)
{
	return cop_page(at->mem, COP_ALIGN_DOWN(at->pa, COP_LG2(at->page)) >> at->mem->page_lg2);
}

static void page_free(const struct fragment_at *at)
{
	const cop_pa page = COP_ALIGN_DOWN(at->pa, COP_LG2(at->page));

	for (cop_pa pa = page; pa < page + COP_LG2(at->page); pa += COP_LG2(at->lg2))
		cop_write(&cop_ptdesc(pa)->lock_lg2, (uint8_t)0);
	cop_table_frames_free(at->mem, page >> at->mem->page_lg2, at->page - at->mem->page_lg2);
}

/* ---- grace periods ---- */

static void defer(const struct fragment_at *at, void (*func)(cop_rcu *))
{
	struct cop_ptdesc *d = cop_ptdesc(at->pa);

	cop_write(&d->mem, at->mem);
	cop_write(&d->pa, at->pa);
	cop_write(&d->lg2, (uint8_t)at->lg2);
	cop_write(&d->page_lg2, (uint16_t)at->page);
	cop_rcu_defer(&d->rcu, func);
}

static struct fragment_at deferred(cop_rcu *rcu)
{
	struct cop_ptdesc *d = FRAGMENT_OF(rcu);

	return (struct fragment_at){cop_read(&d->mem), cop_read(&d->pa), cop_read(&d->page_lg2), cop_read(&d->lg2)};
}

static void page_over(cop_rcu *rcu)
{
	const struct fragment_at at = deferred(rcu);

	cop_store(&page_at(&at)->private_, all_bits(at.page, at.lg2), relaxed);
	page_free(&at);
}

/*
 * After each change that leaves fewer fragments in use or pending: the one that leaves none has the page, because nobody
 * allocates from it any more: it left the list when its last fragment in use did, or when one was deferred.
 */
static void page_done(const struct fragment_at *at, uint64_t state)
{
	const uint64_t done = bits(state, COP_FRAGMENT_FREE) | bits(state, COP_FRAGMENT_HELD);

	if (done != all_bits(at->page, at->lg2))
		return;
	if (bits(state, COP_FRAGMENT_HELD))
		defer(at, page_over);
	else
		page_free(at);
}

/* Pending no longer. */
static void settle(const struct fragment_at *at)
{
	const uint64_t bit = bit_of(at->pa, at->page, at->lg2);
	const uint64_t by = (bit << COP_FRAGMENT_FREE) - (bit << COP_FRAGMENT_PENDING);

	/* Acquire and release: whoever has the page, or the fragment next, comes after all who had it; pairs with itself. */
	page_done(at, cop_fetch_add(&page_at(at)->private_, by, acq_rel) + by);
}

static void fragment_over(cop_rcu *rcu)
{
	const struct fragment_at at = deferred(rcu);

	settle(&at);
}

/* ---- the allocator ---- */

int cop_fragments_init(struct cop_fragments *f, struct cop_mem *mem, unsigned page, unsigned lg2)
{
	if (page < mem->page_lg2 || page >= 64 || lg2 >= page || page - lg2 > 4)
		return -COP_EINVAL;
	if (lg2 < mem->tree->ops->format->min_table_lg2)
		return -COP_EINVAL;
	cop_fragments_setup(f, mem, page, lg2);
	return 0;
}

void cop_fragments_setup(struct cop_fragments *f, struct cop_mem *mem, unsigned page, unsigned lg2)
{
	f->mem = mem;
	cop_spin_init(&f->lock);
	f->first = f->last = COP_PFN_NONE;
	f->lg2 = (uint8_t)lg2;
	f->order = (uint8_t)(page - mem->page_lg2);
	f->in_use = 0;
}

int cop_fragments_exit(struct cop_fragments *f)
{
	return cop_load(&f->in_use, acquire) ? -COP_EBUSY : 0;
}

/* Lock held. Pages whose fragments are all still pending stand at the end. */
static cop_pa take(struct cop_fragments *f)
{
	const uint64_t all = all_bits(page_lg2(f), f->lg2);
	const cop_pfn pfn = cop_read(&f->first);
	uint64_t state, bit;

	if (pfn == COP_PFN_NONE)
		return COP_PA_NONE;
	state = cop_load(&cop_page(f->mem, pfn)->private_, acquire);
	bit = bits(state, COP_FRAGMENT_FREE) & -bits(state, COP_FRAGMENT_FREE);
	if (!bit)
		return COP_PA_NONE;
	state = cop_fetch_add(&cop_page(f->mem, pfn)->private_, -bit, acquire) - bit;
	if (!bits(state, COP_FRAGMENT_FREE))
		list_del(f, pfn);
	if (!bits(state, COP_FRAGMENT_FREE) && belongs_on_list(state, all))
		list_add(f, pfn, true);
	return (pfn << f->mem->page_lg2) + ((uint64_t)__builtin_ctzll(bit) << f->lg2);
}

cop_pa cop_fragment_alloc(struct cop_fragments *f)
{
	uintptr_t irq = cop_lock_irq(&f->lock);
	cop_pa pa = take(f);
	cop_pfn pfn;

	cop_unlock_irq(&f->lock, irq);
	if (pa == COP_PA_NONE) {
		pfn = page_new(f);
		if (pfn == COP_PFN_NONE)
			return COP_PA_NONE;
		irq = cop_lock_irq(&f->lock);
		list_add(f, pfn, false);
		pa = take(f);
		cop_unlock_irq(&f->lock, irq);
	}
	cop_fetch_add(&f->in_use, 1ULL, relaxed);
	return pa;
}

/* Not in use any more, but @as. The one place where a page comes on or off the list, beside alloc. Return: its state. */
static uint64_t retire(struct cop_fragments *f, const struct fragment_at *at, enum cop_fragment_shift as, bool at_end)
{
	const uint64_t all = all_bits(at->page, at->lg2), bit = bit_of(at->pa, at->page, at->lg2);
	const cop_pfn pfn = COP_ALIGN_DOWN(at->pa, COP_LG2(at->page)) >> at->mem->page_lg2;
	struct cop_page *page = page_at(at);
	uint64_t old, state;
	uintptr_t irq;

	if (unused(cop_load(&page->private_, relaxed)) & bit)
		cop_panic("double-free", page);
	irq = cop_lock_irq(&f->lock);
	old = cop_fetch_add(&page->private_, bit << as, acq_rel);
	state = old + (bit << as);
	if (belongs_on_list(old, all) && !belongs_on_list(state, all))
		list_del(f, pfn);
	if (!belongs_on_list(old, all) && belongs_on_list(state, all))
		list_add(f, pfn, at_end);
	cop_unlock_irq(&f->lock, irq);
	/* The last that touches @f: release, pairs with cop_fragments_exit(). */
	cop_fetch_add(&f->in_use, -1ULL, release);
	return state;
}

static struct fragment_at place_of(const struct cop_fragments *f, cop_pa table)
{
	return (struct fragment_at){f->mem, table, page_lg2(f), f->lg2};
}

/* Pending until the lock is released: else the page might be freed, by who ends a grace period, while it is being unlinked. */
void cop_fragment_free(struct cop_fragments *f, cop_pa table)
{
	const struct fragment_at at = place_of(f, table);

	(void)retire(f, &at, COP_FRAGMENT_PENDING, false);
	settle(&at);
}

void cop_fragment_free_rcu(struct cop_fragments *f, cop_pa table)
{
	const struct fragment_at at = place_of(f, table);

	(void)retire(f, &at, COP_FRAGMENT_PENDING, true);
	defer(&at, fragment_over);
}

void cop_fragment_free_defer(struct cop_fragments *f, cop_pa table)
{
	const struct fragment_at at = place_of(f, table);

	page_done(&at, retire(f, &at, COP_FRAGMENT_HELD, false));
}

/* ---- as a source of tables ---- */

static cop_pa source_alloc(void *ctx, unsigned lg2)
{
	struct cop_fragments *f = ctx;
	const struct cop_table_source source = cop_mem_table_source(f->mem);
	cop_pa pa;

	if (lg2 != f->lg2)
		return source.alloc(source.ctx, lg2);
	pa = cop_fragment_alloc(f);
	if (pa != COP_PA_NONE)
		cop_fetch_add(&f->mem->table_bytes, COP_LG2(lg2), relaxed);
	return pa;
}

static void source_free(void *ctx, cop_pa table, unsigned lg2)
{
	struct cop_fragments *f = ctx;
	const struct cop_table_source source = cop_mem_table_source(f->mem);

	if (lg2 != f->lg2) {
		source.free(source.ctx, table, lg2);
		return;
	}
	cop_fetch_add(&f->mem->table_bytes, -COP_LG2(lg2), relaxed);
	cop_fragment_free(f, table);
}

struct cop_table_source cop_fragments_source(struct cop_fragments *f)
{
	return (struct cop_table_source){source_alloc, source_free, f};
}
