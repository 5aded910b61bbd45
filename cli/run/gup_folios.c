// SPDX-License-Identifier: MIT
/*
 * Folios of many pages, mapped by hand where the space has no area: in leaves of every size, read-only for a while, and moved
 * from one place to another. Nobody is told of a fault there.
 */
#include "cli/run/gup_room.h"

static uint64_t bytes_of(const struct gup *g)
{
	return g->page << g->order;
}

static cop_va va_of(const struct gup *g, unsigned place)
{
	return g->life.places + place * bytes_of(g);
}

static uint32_t attrs_of(const struct gup *g)
{
	return COP_USER | COP_READ | COP_WRITE | COP_YOUNG | COP_DIRTY | g->life.space.implied;
}

static void unmap(struct gup *g, unsigned place)
{
	struct cop_gather gather;
	struct cop_unmapped out;

	cop_gather_begin(&gather, &g->life.space.tree);
	out = cop_unmap(&gather, va_of(g, place), bytes_of(g), COP_UNMAP_BLIND, NULL, 0);
	(void)cop_gather_finish(&gather);
	if (out.err)
		gup_wrong(g, &g->changer.count.wrong, "cannot be unmapped", va_of(g, place), 0);
}

static void drop(struct gup *g, struct gup_folio *f)
{
	if (f->pfn == COP_PFN_NONE)
		return;
	unmap(g, f->place);
	gup_folio_dead(g, f->pfn, f->place);
	cop_write(&cop_page(&g->machine->mem, f->pfn)->mapping, 0ULL);
	cop_page_put(&g->machine->mem, f->pfn);
	f->pfn = COP_PFN_NONE;
}

static void make(struct gup *g, struct gup_folio *f, unsigned place, uint64_t dice)
{
	struct cop_mem *mem = &g->machine->mem;
	const cop_pfn pfn = cop_frames_alloc(mem, g->order, COP_ALLOC_FOLIO | (dice & 1 ? COP_ALLOC_MOVABLE : 0U));
	const unsigned most = dice & 2 ? mem->page_lg2 : 0;

	if (pfn == COP_PFN_NONE) {
		gup_event(g, GUP_NO_MEMORY);
		return;
	}
	cop_write(&cop_page(mem, pfn)->mapping, GUP_FOLIO_OWNER);
	gup_folio_fill(g, pfn);
	(void)gup_folio_born(g, pfn, place);
	if (cop_map(&g->life.space.tree, va_of(g, place), pfn * g->page, bytes_of(g), attrs_of(g), most, 0)) {
		gup_event(g, GUP_NO_MEMORY);
		cop_page_put(mem, pfn);
		return;
	}
	*f = (struct gup_folio){pfn, place};
	gup_event(g, GUP_FOLIOS_MADE);
}

/* Between its two places. */
static void move(struct gup *g, struct gup_folio *f)
{
	const unsigned from = f->place, to = from ^ 1U;
	struct cop_gather gather;
	int err;

	if (!gup_folio_born(g, f->pfn, to)) {
		drop(g, f);
		return;
	}
	cop_gather_begin(&gather, &g->life.space.tree);
	err = cop_move(&gather, va_of(g, from), va_of(g, to), bytes_of(g));
	(void)cop_gather_finish(&gather);
	gup_folio_dead(g, f->pfn, err ? to : from);
	if (err) {
		gup_event(g, GUP_NO_MEMORY);
		return;
	}
	f->place = to;
	gup_event(g, GUP_MOVES);
}

static void protect(struct gup *g, const struct gup_folio *f, uint32_t attrs)
{
	struct cop_gather gather;

	cop_gather_begin(&gather, &g->life.space.tree);
	if (cop_protect(&gather, va_of(g, f->place), bytes_of(g), attrs))
		gup_event(g, GUP_NO_MEMORY);
	(void)cop_gather_finish(&gather);
}

/* A table of leaves becomes a leaf again, beside those who walk it. */
static void collapse(struct gup *g, const struct gup_folio *f)
{
	struct cop_gather gather;

	cop_gather_begin(&gather, &g->life.space.tree);
	(void)cop_collapse(&gather, va_of(g, f->place), bytes_of(g), 0);
	(void)cop_gather_finish(&gather);
}

static void step(struct gup *g, struct gup_folio *f, unsigned place, uint64_t dice)
{
	if (f->pfn == COP_PFN_NONE) {
		make(g, f, place, dice >> 8);
		return;
	}
	switch (dice % 8) {
	case 0 ... 3:
		move(g, f);
		break;
	case 4:
		protect(g, f, attrs_of(g) & ~(uint32_t)COP_WRITE);
		protect(g, f, attrs_of(g));
		break;
	case 5 ... 6:
		collapse(g, f);
		break;
	default:
		drop(g, f);
	}
}

void gup_folios_step(struct gup *g, uint64_t *seed)
{
	const uint64_t dice = gup_random(seed);
	const unsigned i = (unsigned)((dice >> 32) % GUP_FOLIOS);

	cop_mutex_lock(&g->folios_lock);
	step(g, &g->folio[i], 2 * i, dice);
	cop_mutex_unlock(&g->folios_lock);
}

void gup_folios_drop(struct gup *g)
{
	cop_mutex_lock(&g->folios_lock);
	for (unsigned i = 0; i < GUP_FOLIOS; i++)
		drop(g, &g->folio[i]);
	cop_mutex_unlock(&g->folios_lock);
}

bool gup_folio_vacate(struct gup *g, cop_pfn pfn)
{
	bool found = false;

	cop_mutex_lock(&g->folios_lock);
	for (unsigned i = 0; i < GUP_FOLIOS && !found; i++) {
		found = g->folio[i].pfn == pfn;
		if (found)
			drop(g, &g->folio[i]);
	}
	cop_mutex_unlock(&g->folios_lock);
	return found;
}
