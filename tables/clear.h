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
	cop_va va;     /* cursor */
	uint64_t left; /* bytes from there on */
	uint64_t tables[COP_MAX_LEVELS], constructed; /* unlinked */
};

static inline void unmap_advance(struct unmapping *u, uint64_t bytes)
{
	u->va += bytes;
	u->left -= bytes;
}

/* Return: false if there is no room for another run. */
static inline bool run_add(struct unmapping *u, cop_pa pa, uint64_t bytes, uint32_t ad)
{
	struct cop_detached_run *run = u->runs + u->count;

	if (u->count && run[-1].pa_ + run[-1].bytes_ == pa) {
		run[-1].bytes_ += bytes;
		run[-1].attrs_ |= ad;
		return true;
	}
	if (u->count == u->max_runs) {
		u->full = true;
		return false;
	}
	*run = (struct cop_detached_run){pa, bytes, ad};
	u->count++;
	return true;
}

static inline uint32_t entry_ad(uint64_t e, unsigned l)
{
	return (fmt_young(e, l) ? COP_YOUNG : 0U) | (fmt_dirty(e, l) ? COP_DIRTY : 0U);
}

struct cleared {
	unsigned slots, used; /* entries passed; those of them that were not empty */
};

/* @store: false where the entries are cleared by instruction afterwards. */
static COP_ALWAYS_INLINE bool take_one(struct unmapping *u, uint64_t *entry, unsigned slot, unsigned l, struct cleared *c,
				       const bool store)
{
	uint64_t e = cop_load(entry, relaxed);

	c->slots++;
	if (e == fmt_empty(l))
		return true;
	if (is_leaf(e, l) && !run_add(u, entry_pa(u->g, e, l, slot), leaf_bytes(l), entry_ad(e, l))) {
		c->slots--;
		return false;
	}
	c->used++;
	if (!store)
		return true;
	if (u->exact && fmt_racy(u->g, e, l))
		u->runs[u->count - 1].attrs_ |= entry_ad(cop_xchg(entry, fmt_empty(l), relaxed), l);
	else
		cop_store(entry, fmt_empty(l), relaxed);
	return true;
}

/*
 * Eight entries that continue each other and of which hardware changes none are one addition to the run. What continues the
 * group before, in every bit, is not even decoded.
 */
static COP_ALWAYS_INLINE struct cleared take_leaves(struct unmapping *u, uint64_t *entries, unsigned first, unsigned n,
						    const unsigned l, const bool store)
{
	const struct cop_geom *g = u->g;
	const uint64_t single = fmt_leaf_step(g, l, 0), member = fmt_leaf_step(g, l, COP_CONT);
	struct cleared c = {0, 0};
	uint64_t next = fmt_empty(l), size = leaf_bytes(l);

	while (c.slots < n) {
		uint64_t *p = entries + first + c.slots;
		uint64_t e = cop_load(p, relaxed), e1, e2, e3, e4, e5, e6, e7, diff, step;

		step = single != member && fmt_cont(e, l) ? member : single;
		if (n - c.slots >= 8) {
			e1 = cop_load(p + 1, relaxed);
			e2 = cop_load(p + 2, relaxed);
			e3 = cop_load(p + 3, relaxed);
			e4 = cop_load(p + 4, relaxed);
			e5 = cop_load(p + 5, relaxed);
			e6 = cop_load(p + 6, relaxed);
			e7 = cop_load(p + 7, relaxed);
			diff = ((e + step) ^ e1) | ((e1 + step) ^ e2) | ((e2 + step) ^ e3) | ((e3 + step) ^ e4) |
			       ((e4 + step) ^ e5) | ((e5 + step) ^ e6) | ((e6 + step) ^ e7);
			if (COP_LIKELY(!diff)) {
				if (COP_LIKELY(e == next)) {
					u->runs[u->count - 1].bytes_ += 8 * size;
				} else {
					if (!is_leaf(e, l) || (u->exact && fmt_racy(g, e, l)))
						goto one_by_one;
					if (!run_add(u, entry_pa(g, e, l, first + c.slots), 8 * size, entry_ad(e, l)))
						goto one_by_one;
				}
				next = step ? e7 + step : fmt_empty(l);
				if (store)
					put_empties(p, 8, l);
				c.slots += 8;
				c.used += 8;
				continue;
			}
		}
one_by_one:
		u->full = false;
		next = fmt_empty(l);
		for (unsigned i = n - c.slots < 8 ? n - c.slots : 8; i; i--)
			if (!take_one(u, entries + first + c.slots, first + c.slots, l, &c, store))
				return c;
	}
	return c;
}

/* Most of the time goes to level 0: there the shifts are constants. */
static COP_NOINLINE struct cleared take_bottom(struct unmapping *u, uint64_t *entries, unsigned first, unsigned n)
{
	return take_leaves(u, entries, first, n, 0, true);
}

static COP_NOINLINE struct cleared take_upper(struct unmapping *u, uint64_t *entries, unsigned first, unsigned n, unsigned l)
{
	struct cleared c = {0, 0};

	while (c.slots < n && take_one(u, entries + first + c.slots, first + c.slots, l, &c, true))
		;
	return c;
}

static unsigned count_used(const uint64_t *p, unsigned n, unsigned l)
{
	unsigned used = 0;

	while (n--)
		used += cop_load(p++, relaxed) != fmt_empty(l);
	return used;
}

/* Where valid entries change by instruction only: read, then break all of the stretch with one, then store. */
static struct cleared clear_by_instruction(struct unmapping *u, uint64_t *entries, unsigned first, unsigned n, unsigned l)
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
		const uint64_t e = fmt_leaf(u->g, 0, l, COP_READ);
		const struct cop_tlbi tlbi = {start, start + ((uint64_t)c.slots << fmt_shift(l)) - 1, u->tree->asid,
					      (uint8_t)fmt_shift(l), (uint8_t)l, tree_scope(u->tree)};

		cop_entries_break(entries + first, c.slots, e ^ fmt_mkinvalid(e, l), &tlbi);
		put_empties(entries + first, c.slots, l);
	}
	return c;
}

/*
 * Clears @n entries, leaves or not present, of a table; the cursor moves. Stops short when `runs` is full.
 * @linked: counters and hardware look at the entries. Return: how many were in use.
 */
static unsigned clear_leaves(struct unmapping *u, uint64_t *entries, unsigned first, unsigned n, unsigned l, bool linked)
{
	const cop_va start = u->va;
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
