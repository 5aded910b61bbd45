// SPDX-License-Identifier: MIT
/*
 * What a page says of itself. Whoever has a reference to it reads there what it is and when it stopped being that, however
 * long ago the mapping forgot it: nothing else has to remember.
 *
 * The first word of each of the host's pages stays zero: it is what the run looks for in memory that nobody has allocated.
 */
#include <stdio.h>

#include "cli/run/gup_room.h"

enum { WORD_IS = 1, WORD_DEAD, WORD_STAYS, WORD_STAY };

#define STAYS 24 /* of a folio */

/* Where a folio was, from when to when. */
struct stay {
	uint64_t place, born, dead;
};

static uint64_t *words(const struct gup *g, cop_pfn pfn)
{
	return (uint64_t *)cop_phys(pfn * g->page);
}

static uint64_t name(const struct gup *g, enum gup_kind kind, uint64_t number)
{
	return ((g->life.number << 24 | (uint64_t)kind << 20 | number) * 0x9e3779b97f4a7c15ULL) | 1;
}

static uint64_t name_of_slot(const struct gup *g, unsigned window, unsigned slot)
{
	return name(g, GUP_ANON, window * GUP_PAGES + slot);
}

static uint64_t name_of_folio(const struct gup *g, uint64_t at)
{
	return name(g, GUP_PRIVATE, at);
}

void gup_file_fill(struct gup *g, unsigned index, cop_pfn pfn)
{
	cop_fill64(words(g, pfn), 0, g->page);
	cop_store(words(g, pfn) + WORD_IS, name(g, GUP_SHARED, index), relaxed);
}

/* A copy of a file's page may bring a date along that is not its own. */
void gup_stamp(struct gup *g, unsigned window, unsigned slot, cop_pfn pfn)
{
	const uint64_t is = name_of_slot(g, window, slot);
	uint64_t *w = words(g, pfn);

	if (gup_kind_of(g, slot) == GUP_SHARED || cop_load(w + WORD_IS, relaxed) == is)
		return;
	cop_store(w + WORD_DEAD, 0ULL, relaxed);
	cop_store(w + WORD_IS, is, release);
}

void gup_dead(struct gup *g, cop_pfn pfn)
{
	cop_store(words(g, pfn) + WORD_DEAD, atomic_fetch_add(&g->tick, 1), relaxed);
}

/* What is mapped privately may be a file's still: that lives on. */
void gup_slot_dead(struct gup *g, unsigned window, unsigned slot, cop_pfn pfn)
{
	if (gup_kind_of(g, slot) == GUP_ANON ||
	    cop_load(words(g, pfn) + WORD_IS, acquire) == name_of_slot(g, window, slot))
		gup_dead(g, pfn);
}

static struct stay *stays_of(const struct gup *g, cop_pfn pfn)
{
	return (struct stay *)(words(g, pfn) + WORD_STAY);
}

void gup_folio_fill(struct gup *g, cop_pfn pfn)
{
	for (uint64_t at = 0; at < COP_LG2(g->order); at++) {
		cop_fill64(words(g, pfn + at), 0, g->page);
		cop_store(words(g, pfn + at) + WORD_IS, name_of_folio(g, at), relaxed);
	}
}

bool gup_folio_born(struct gup *g, cop_pfn pfn, unsigned place)
{
	uint64_t *count = words(g, pfn) + WORD_STAYS;
	const uint64_t n = cop_load(count, relaxed);
	struct stay *stay = stays_of(g, pfn) + n;

	if (n == STAYS)
		return false;
	cop_store(&stay->place, (uint64_t)place, relaxed);
	cop_store(&stay->born, atomic_fetch_add(&g->tick, 1), relaxed);
	cop_store(count, n + 1, release);
	return true;
}

void gup_folio_dead(struct gup *g, cop_pfn pfn, unsigned place)
{
	const uint64_t n = cop_load(words(g, pfn) + WORD_STAYS, relaxed);

	for (struct stay *stay = stays_of(g, pfn); stay < stays_of(g, pfn) + n; stay++)
		if (cop_load(&stay->place, relaxed) == place && !cop_load(&stay->dead, relaxed))
			cop_store(&stay->dead, atomic_fetch_add(&g->tick, 1), relaxed);
}

const char *gup_page_wrong(const struct gup *g, const struct gup_call *call, unsigned window, unsigned slot,
			   cop_pfn pfn)
{
	const uint64_t is = cop_load(words(g, pfn) + WORD_IS, acquire);
	const uint64_t dead = cop_load(words(g, pfn) + WORD_DEAD, relaxed);
	const enum gup_kind kind = gup_kind_of(g, slot);
	const bool own = is == name_of_slot(g, window, slot);
	const bool file = kind != GUP_ANON && is == name(g, GUP_SHARED, gup_index_of(g, slot));

	if (kind == GUP_ANON ? is && !own : kind == GUP_SHARED ? !file : !file && !own)
		return "is another one";
	/* Private copies of a file's page stay when it goes, and so does what a child has. */
	if (call->child || !dead || (kind == GUP_PRIVATE && !own))
		return NULL;
	return dead < call->from ? "had been taken out before" : NULL;
}

static bool stayed(const struct gup *g, const struct gup_call *call, unsigned place, cop_pfn head)
{
	const uint64_t n = cop_load(words(g, head) + WORD_STAYS, acquire);

	for (uint64_t i = 0; i < n; i++) {
		const struct stay *stay = stays_of(g, head) + i;
		const uint64_t dead = cop_load(&stay->dead, relaxed);

		if (cop_load(&stay->place, relaxed) == place && cop_load(&stay->born, relaxed) < call->to &&
		    (!dead || dead >= call->from))
			return true;
	}
	return false;
}

const char *gup_folio_wrong(const struct gup *g, const struct gup_call *call, unsigned place, uint64_t at, cop_pfn pfn)
{
	if (cop_load(words(g, pfn) + WORD_IS, relaxed) != name_of_folio(g, at))
		return "is another one";
	return stayed(g, call, place, pfn - at) ? NULL : "was not there at that time";
}

void gup_wrong(struct gup *g, uint64_t *count, const char *what, cop_va va, cop_pfn pfn)
{
	++*count;
	if (!atomic_exchange(&g->told, true))
		snprintf(g->first_wrong, sizeof(g->first_wrong), "the page at 0x%llx, frame 0x%llx, %s",
			 (unsigned long long)va, (unsigned long long)pfn, what);
}
