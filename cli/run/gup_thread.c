// SPDX-License-Identifier: MIT
/* One who gets and pins pages: any range, in any of the ways there are, and a look at each page that comes back. */
#include <sched.h>

#include "cli/run/gup_room.h"

#define CALLS_AT_ONCE 32 /* in one space, before the next may take its place */

/* What is asked for, and what came. */
struct asked {
	struct gup_call call;
	cop_va va;
	unsigned window, slot, pages;
	bool folio, locked;
	uint32_t flags;
	int64_t count;
	uint32_t begun[GUP_MOST]; /* cuts of each page */
};

static uint32_t pick_flags(uint64_t dice)
{
	uint32_t flags = 0;

	if (dice & 1)
		flags |= COP_GUP_WRITE;
	if (dice & 2)
		flags |= COP_GUP_PIN;
	if ((dice & 0x1e) == 2)
		flags |= COP_GUP_LONGTERM;
	if ((dice & 0x60) == 0x60)
		flags |= COP_GUP_FAST_ONLY;
	return flags;
}

/* Somewhere in an area, and as far as the range likes. */
static void pick_pages(const struct gup *g, struct asked *a, uint64_t dice)
{
	const unsigned most = dice & 3 ? 4 : GUP_MOST;

	a->window = (unsigned)((dice >> 8) % (g->grows + 1));
	a->slot = (unsigned)((dice >> 16) % g->pages);
	a->pages = 1 + (unsigned)((dice >> 32) % most);
	if (a->pages > g->pages - a->slot)
		a->pages = g->pages - a->slot;
	a->va = g->life.window[a->window] + a->slot * g->page;
}

/* Where a folio may be just now: .window is the place, .slot the page. */
static void pick_folio(const struct gup *g, struct asked *a, uint64_t dice)
{
	const unsigned pages = 1U << g->order;

	a->folio = true;
	a->window = (unsigned)((dice >> 8) % (2UL * GUP_FOLIOS));
	a->slot = (unsigned)((dice >> 16) % pages);
	a->pages = 1 + (unsigned)((dice >> 32) % GUP_MOST);
	if (a->pages > pages - a->slot)
		a->pages = pages - a->slot;
	a->va = g->life.places + (((uint64_t)a->window << g->order) + a->slot) * g->page;
	a->flags |= COP_GUP_FAST_ONLY;
}

static void ask(struct gup_thread *t, struct asked *a)
{
	struct gup *g = t->all;
	struct cop_space *space = &g->life.space;

	a->call.from = atomic_load(&g->tick);
	if (a->locked)
		a->count = cop_gup(space, a->va, a->pages, a->flags, t->page).count;
	else
		a->count = cop_gup_fast(space, a->va, a->pages, a->flags, t->page).count;
	a->call.to = atomic_load(&g->tick);
}

static void look(struct gup_thread *t, const struct asked *a, unsigned i)
{
	struct gup *g = t->all;
	const char *what;

	if (a->folio)
		what = gup_folio_wrong(g, &a->call, a->window, a->slot + i, t->page[i]);
	else
		what = gup_page_wrong(g, &a->call, a->window, a->slot + i, t->page[i]);
	if (what)
		gup_wrong(g, &t->count.wrong, what, a->va + i * g->page, t->page[i]);
	else if (!a->folio && (a->flags & COP_GUP_WRITE))
		gup_stamp(g, a->window, a->slot + i, t->page[i]);
}

/* Dirtied or not, each is given back once. */
static void drop(struct gup_thread *t, const cop_pfn *page, uint64_t n, uint32_t flags)
{
	struct cop_mem *mem = &t->all->machine->mem;

	if (flags & COP_GUP_PIN)
		cop_pages_unpin(mem, page, n, flags & COP_GUP_WRITE);
	else
		cop_pages_put(mem, page, n);
}

/* Before the first look at the pages: cuts that have begun; one that had not ended counts as one that begins. */
static void note_cuts(const struct gup *g, struct asked *a)
{
	for (unsigned i = 0; i < a->pages; i++) {
		const struct gup_slot *slot = &g->slot[a->window][a->slot + i];
		const uint32_t done = atomic_load(&slot->done), begun = atomic_load(&slot->begun);

		a->begun[i] = begun == done ? begun : begun - 1;
	}
}

static bool is_cut(const struct gup *g, const struct asked *a, unsigned i)
{
	return atomic_load(&g->slot[a->window][a->slot + i].begun) != a->begun[i];
}

/* Pages that somebody has pinned for writing stay where they are, unless the mapping is told otherwise. */
static void look_again(struct gup_thread *t, const struct asked *a)
{
	const uint32_t flags = COP_GUP_WRITE | COP_GUP_PIN;
	struct gup *g = t->all;
	cop_pfn now[GUP_MOST];
	const int64_t n = cop_gup_fast(&g->life.space, a->va, (uint64_t)a->count, flags, now).count;

	for (unsigned i = 0; i < n; i++) {
		if (is_cut(g, a, i))
			continue;
		t->count.again++;
		if (now[i] != t->page[i])
			gup_wrong(g, &t->count.wrong, "is not the one that is pinned", a->va + i * g->page, now[i]);
	}
	if (n > 0)
		drop(t, now, (uint64_t)n, flags);
}

static void account(struct gup_thread *t, const struct asked *a)
{
	struct gup_count *c = &t->count;
	const uint64_t n = a->count > 0 ? (uint64_t)a->count : 0;

	c->calls++;
	c->pages += n;
	c->locked += a->locked;
	c->partial += n < a->pages;
	c->refused += a->count == -COP_EOPNOTSUPP;
	if (a->flags & COP_GUP_PIN)
		c->pinned += n;
	if (a->flags & COP_GUP_LONGTERM)
		c->longterm += n;
	/* Nothing is mapped there, it may not be kept, or memory is short: all else has no reason. */
	if (a->count < 0 && a->count != -COP_EFAULT && a->count != -COP_EOPNOTSUPP && a->count != -COP_ENOMEM)
		gup_wrong(t->all, &c->wrong, "is refused without a reason", a->va, 0);
}

/* As a device does that is at work on the pages: others come to run meanwhile. */
static void keep(void)
{
	for (unsigned i = 0; i < 16; i++) {
		cop_host_poll();
		sched_yield();
	}
}

static void call(struct gup_thread *t)
{
	struct gup *g = t->all;
	const uint64_t dice = gup_random(&t->seed), where = gup_random(&t->seed);
	struct asked a = {.flags = pick_flags(dice), .locked = (dice >> 8) % 8 == 0};
	bool stays;

	if ((dice >> 12) % 4 == 0)
		pick_folio(g, &a, where);
	else
		pick_pages(g, &a, where);
	if (a.flags & COP_GUP_FAST_ONLY)
		a.locked = false;
	stays = !a.folio && (a.flags & COP_GUP_PIN) && (a.flags & COP_GUP_WRITE);
	if (stays)
		note_cuts(g, &a);
	ask(t, &a);
	account(t, &a);
	for (int64_t i = 0; i < a.count; i++)
		look(t, &a, (unsigned)i);
	if (a.count <= 0)
		return;
	if ((dice >> 16) % 64 == 0)
		keep();
	if (stays)
		look_again(t, &a);
	drop(t, t->page, (uint64_t)a.count, a.flags);
}

void gup_work(struct gup_thread *t)
{
	struct gup *g = t->all;

	while (!atomic_load_explicit(&g->stop, memory_order_relaxed)) {
		cop_rwsem_read_lock(&g->alive);
		for (unsigned i = 0; i < CALLS_AT_ONCE && g->life.there; i++) {
			call(t);
			cop_host_poll();
		}
		cop_rwsem_read_unlock(&g->alive);
	}
}
