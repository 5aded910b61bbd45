/* SPDX-License-Identifier: MIT */
/* Shared by the files of gup: the address space, and what is known of its pages. */
#ifndef CLI_RUN_GUP_ROOM_H
#define CLI_RUN_GUP_ROOM_H

#include <pthread.h>
#include <stdatomic.h>

#include <coppice/gup.h>

#include "cli/run/gup.h"

#define GUP_WINDOWS 3   /* one from the start, one more for each time that the space grows */
#define GUP_PAGES   128 /* of a window, at most */
#define GUP_FOLIOS  4
#define GUP_MOST    64 /* pages asked for at once */

/*
 * A page of the space that is changed only between gup_cut_begin() and gup_cut_end(), whoever does so: one that is pinned for
 * writing in between stays where it is.
 */
struct gup_slot {
	_Atomic uint32_t begun, done;
};

/* A folio that is mapped by hand, at one of twice as many places; under folios_lock. */
struct gup_folio {
	cop_pfn pfn; /* COP_PFN_NONE: there is none */
	unsigned place;
};

/* One address space, from its first page to its last. */
struct gup_life {
	uint64_t number;
	struct cop_spaces spaces;
	struct cop_space space;
	struct cop_fragments fragments, child_fragments;
	struct cop_cache cache;
	uint64_t slots[GUP_PAGES];
	cop_va window[GUP_WINDOWS];
	cop_va places; /* of folios, above the first window */
	unsigned grown;
	bool there;
};

struct gup_thread {
	struct gup *all;
	pthread_t thread;
	void (*work)(struct gup_thread *);
	unsigned cpu;
	int err;
	uint64_t seed;
	struct gup_count count;
	cop_pfn page[GUP_MOST];
};

/**
 * struct gup - all of it
 * @alive: read by whoever uses the space, written by who replaces it
 * @tick: time, as far as pages are concerned
 * @pages: of a window
 * @bits, @grows: what the space grows to
 * @fragments: its leaf tables are smaller than a page
 * @order: of folios
 * @left: allocators of fragments that were not empty at the end
 */
struct gup {
	struct run_machine *machine;
	atomic_bool stop;
	pthread_barrier_t started;
	cop_rwsem alive;
	cop_mutex evict_lock, folios_lock;
	_Atomic uint64_t tick;
	uint64_t page; /* bytes */
	unsigned pages;
	unsigned bits[GUP_WINDOWS], grows;
	struct cop_geom geom;
	bool fragments;
	unsigned order;
	uint64_t left;
	struct gup_slot slot[GUP_WINDOWS][GUP_PAGES];
	struct gup_folio folio[GUP_FOLIOS];
	struct gup_life life;
	_Atomic uint64_t events[GUP_EVENTS];
	atomic_bool told;
	char first_wrong[192];
	struct gup_thread changer;
	unsigned threads;
	struct gup_thread thread[];
};

static inline uint64_t gup_random(uint64_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return *seed;
}

static inline void gup_event(struct gup *g, enum gup_event event)
{
	atomic_fetch_add_explicit(&g->events[event], 1, memory_order_relaxed);
}

/* ---- gup_pages.c: what a page is, written into it ---- */

enum gup_kind { GUP_ANON, GUP_SHARED, GUP_PRIVATE };

/* The areas of each window, in this order: half of it anonymous, a quarter of each other kind. */
static inline enum gup_kind gup_kind_of(const struct gup *g, unsigned slot)
{
	if (slot < g->pages / 2)
		return GUP_ANON;
	return slot < g->pages / 4 * 3 ? GUP_SHARED : GUP_PRIVATE;
}

/* The file's page. */
static inline unsigned gup_index_of(const struct gup *g, unsigned slot)
{
	return slot - (gup_kind_of(g, slot) == GUP_SHARED ? g->pages / 2 : g->pages / 4 * 3);
}

void gup_file_fill(struct gup *, unsigned index, cop_pfn);
void gup_stamp(struct gup *, unsigned window, unsigned slot, cop_pfn);
/* The page is mapped no more; the caller holds a reference from when it was. */
void gup_dead(struct gup *, cop_pfn);
void gup_slot_dead(struct gup *, unsigned window, unsigned slot, cop_pfn);
void gup_folio_fill(struct gup *, cop_pfn);
/* A folio is about to be at a place; false: it has been at too many. It is there no more. */
bool gup_folio_born(struct gup *, cop_pfn, unsigned place);
void gup_folio_dead(struct gup *, cop_pfn, unsigned place);

/**
 * struct gup_call - what a page is to be checked against
 * @from, @to: ticks before and after the call
 * @child: it is a child's, which keeps what its parent has lost
 */
struct gup_call {
	uint64_t from, to;
	bool child;
};

/* A page that the caller holds. NULL: it is one that the mapping had during the call; else what it is. */
const char *gup_page_wrong(const struct gup *, const struct gup_call *, unsigned window, unsigned slot, cop_pfn);
const char *gup_folio_wrong(const struct gup *, const struct gup_call *, unsigned place, uint64_t at, cop_pfn);

/* Counts a finding and tells the first. @count: whose. */
void gup_wrong(struct gup *, uint64_t *count, const char *what, cop_va va, cop_pfn pfn);

/* ---- gup_space.c: the address space ---- */

/* A new space, when nobody uses one; false: no memory. And its end. */
bool gup_begin(struct gup *);
void gup_end(struct gup *);
/* Out of the cache and of all mappings. */
void gup_evict(struct gup *, unsigned index);
void gup_discard(struct gup *, unsigned window, unsigned first, unsigned n);
void gup_change(struct gup_thread *);

/* ---- gup_folios.c: folios, mapped by hand ---- */

void gup_folios_step(struct gup *, uint64_t *seed);
void gup_folios_drop(struct gup *);
/* The struct page belongs to one of ours. */
bool gup_folio_vacate(struct gup *, cop_pfn);

#define GUP_FOLIO_OWNER 0x636f707069636566ULL /* struct cop_page.mapping: even, so nobody's family */

/* ---- gup_thread.c ---- */

void gup_work(struct gup_thread *);

#endif
