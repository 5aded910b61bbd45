/* SPDX-License-Identifier: MIT */
/* Clearing stretches of leaves: the loops that unmap's time goes into. */
#ifndef COPPICE_TABLES_CLEAR_H
#define COPPICE_TABLES_CLEAR_H

#include "tables/covered.h"

struct unmapping {
	struct cop_tree *tree;
	const struct cop_geom *g;
	struct cop_gather *gather;
	struct cop_detached_run *runs;
	unsigned max_runs, count;
	bool blind, exact, full;
	bool holes;
	cop_va va;                                    /* cursor */
	uint64_t left;                                /* bytes from there on */
	uint64_t tables[COP_MAX_LEVELS], constructed; /* unlinked */
};

static inline void unmap_advance(struct unmapping *u, uint64_t bytes)
{
	u->va += bytes;
	u->left -= bytes;
}

static inline bool run_continues(const struct unmapping *u, cop_pa pa)
{
	const struct cop_detached_run *last = u->runs + u->count - 1;

	return u->count && last->pa_ + last->bytes_ == pa;
}

static inline bool run_fits(const struct unmapping *u, cop_pa pa)
{
	return u->count < u->max_runs || run_continues(u, pa);
}

/* It fits. */
static inline void run_add(struct unmapping *u, cop_pa pa, uint64_t bytes, uint32_t ad)
{
	struct cop_detached_run *run = u->runs + u->count;

	if (run_continues(u, pa)) {
		run[-1].bytes_ += bytes;
		run[-1].attrs_ |= ad;
		return;
	}
	*run = (struct cop_detached_run){pa, bytes, ad};
	u->count++;
}

static inline uint32_t entry_ad(uint64_t e, unsigned l)
{
	return (fmt_young(e, l) ? COP_YOUNG : 0U) | (fmt_dirty(e, l) ? COP_DIRTY : 0U);
}

struct cleared {
	unsigned slots, used; /* entries passed; those of them that were not empty */
};

/*
 * Takes one entry. @store: false where the entries are cleared by instruction afterwards. Return: false if `runs` is full.
 */
static COP_NOINLINE bool take_one(struct unmapping *u, uint64_t *entry, unsigned slot, unsigned l, struct cleared *c,
				  bool store)
{
	uint64_t e = cop_load(entry, relaxed);
	const bool leaf = is_leaf(e, l);
	const cop_pa pa = leaf ? entry_pa(u->g, e, l, slot) : 0;

	if (leaf && !run_fits(u, pa)) {
		u->full = true;
		return false;
	}
	if (store && u->exact && fmt_racy(u->g, e, l))
		e = cop_xchg(entry, fmt_empty(l), relaxed);
	else if (store && e != fmt_empty(l))
		cop_store(entry, fmt_empty(l), relaxed);
	if (leaf)
		run_add(u, pa, leaf_bytes(l), entry_ad(e, l));
	c->used += e != fmt_empty(l);
	c->slots++;
	return true;
}

/*
 * Entries that continue each other in every bit are compared with what is expected and cleared, eight at a time, without
 * being decoded. Return: how many.
 */
static COP_ALWAYS_INLINE unsigned take_groups(uint64_t *p, unsigned n, uint64_t next, const uint64_t step, unsigned l)
{
	const unsigned all = n;

	for (; n >= 8; n -= 8, p += 8, next += 8 * step) {
		uint64_t diff = cop_load(p, relaxed) ^ next;

		diff |= cop_load(p + 1, relaxed) ^ (next + step);
		diff |= cop_load(p + 2, relaxed) ^ (next + 2 * step);
		diff |= cop_load(p + 3, relaxed) ^ (next + 3 * step);
		diff |= cop_load(p + 4, relaxed) ^ (next + 4 * step);
		diff |= cop_load(p + 5, relaxed) ^ (next + 5 * step);
		diff |= cop_load(p + 6, relaxed) ^ (next + 6 * step);
		diff |= cop_load(p + 7, relaxed) ^ (next + 7 * step);
		if (diff)
			break;
		put_empties(p, 8, l);
	}
	return all - n;
}

/* Groups from the entry at @p on; none if that is no leaf, hardware may change it, or it takes a run that there is no room for. */
static COP_ALWAYS_INLINE unsigned take_alike(struct unmapping *u, uint64_t *p, unsigned slot, unsigned n,
					     const unsigned l)
{
	const struct cop_geom *g = u->g;
	const uint64_t e = cop_load(p, relaxed);
	/* Entries of addresses that count up may count down (x86-64). */
	const uint32_t protnone = fmt_protnone(e, l) ? COP_PROTNONE : 0;
	const uint64_t single = fmt_leaf_step(g, l, protnone), member = fmt_leaf_step(g, l, protnone | COP_CONT);
	unsigned taken;
	cop_pa pa;

	if (!is_leaf(e, l) || (u->exact && fmt_racy(g, e, l)))
		return 0;
	pa = entry_pa(g, e, l, slot);
	if (!run_fits(u, pa))
		return 0;
	if (single == member || !fmt_cont(e, l)) {
		taken = take_groups(p, n, e, single, l);
	} else {
		/* All entries of a riscv64 run are the same. */
		const unsigned run = run_slots(g, e, l), rest = run - (slot & (run - 1));

		taken = take_groups(p, n < rest ? n : rest, e, 0, l);
	}
	if (taken)
		run_add(u, pa, (uint64_t)taken << fmt_shift(l), entry_ad(e, l));
	return taken;
}

/* Most of the time goes to level 0: there the shifts are constants. */
static COP_NOINLINE struct cleared take_bottom(struct unmapping *u, uint64_t *entries, unsigned first, unsigned n)
{
	struct cleared c = {0, 0};

	while (c.slots < n) {
		const unsigned slot = first + c.slots;
		const unsigned alike = n - c.slots >= 8 ? take_alike(u, entries + slot, slot, n - c.slots, 0) : 0;

		c.slots += alike;
		c.used += alike;
		for (unsigned i = alike ? 0 : 8; i && c.slots < n; i--)
			if (!take_one(u, entries + first + c.slots, first + c.slots, 0, &c, true))
				return c;
	}
	return c;
}

static COP_NOINLINE struct cleared take_upper(struct unmapping *u, uint64_t *entries, unsigned first, unsigned n,
					      unsigned l)
{
	struct cleared c = {0, 0};

	while (c.slots < n && take_one(u, entries + first + c.slots, first + c.slots, l, &c, true))
		;
	return c;
}

static COP_NOINLINE unsigned count_used(const uint64_t *p, unsigned n, unsigned l)
{
	unsigned used = 0;

	for (; n; n--, p++)
		used += cop_load(p, relaxed) != fmt_empty(l);
	return used;
}

/* Where valid entries change by instruction only: read, then break all of the stretch with one, then store. */
static struct cleared clear_by_instruction(struct unmapping *u, uint64_t *entries, unsigned first, unsigned n,
					   unsigned l)
{
	const cop_va start = u->va;
	struct cleared c = {0, 0};

	while (c.slots < n)
		if (u->blind) {
			c = (struct cleared){n, count_used(entries + first, n, l)};
		} else if (!take_one(u, entries + first + c.slots, first + c.slots, l, &c, false)) {
			break;
		}
	if (c.used) {
		const struct cop_tlbi tlbi = {start,         start + ((uint64_t)c.slots << fmt_shift(l)) - 1,
					      u->tree->asid, (uint8_t)fmt_shift(l),
					      (uint8_t)l,    tree_scope(u->tree)};

		/* An empty entry is the invalid bit and what every entry of the table has anyway (s390x: TT). */
		cop_entries_break(entries + first, c.slots, fmt_empty(l), &tlbi);
		put_empties(entries + first, c.slots, l);
	}
	return c;
}

/*
 * Clears @n entries, leaves or not present, of a table; the cursor moves. Stops short when `runs` is full.
 * @linked: counters and hardware look at the entries. Return: how many were in use.
 */
static unsigned clear_leaves(struct unmapping *u, uint64_t *entries, unsigned first, unsigned n, unsigned l,
			     bool linked)
{
	COP_UNUSED const cop_va start = u->va;
	struct cleared c;

	if (FMT_LIVE_BY_INSTRUCTION && linked) {
		c = clear_by_instruction(u, entries, first, n, l);
	} else if (u->blind) {
		c = (struct cleared){n, u->holes && linked ? count_used(entries + first, n, l) : n};
		put_empties(entries + first, n, l);
	} else {
		c = l == 0 ? take_bottom(u, entries, first, n) : take_upper(u, entries, first, n, l);
	}
	unmap_advance(u, (uint64_t)c.slots << fmt_shift(l));
	if (!FMT_LIVE_BY_INSTRUCTION && c.used)
		gather_leaves(u->gather, start, u->va - 1, l);
	return c.used;
}

#endif
