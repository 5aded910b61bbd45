/* SPDX-License-Identifier: MIT */
/*
 * move: pages to other addresses of the same tree. The places are reserved first, with all tables that they take, so that
 * nothing can fail once the first entry has been cleared.
 */
#ifndef COPPICE_TABLES_MOVE_H
#define COPPICE_TABLES_MOVE_H

#include "tables/resize.h"

/* Entries that are in neither table for a moment, of one invalidation. */
#define MOVE_BATCH 32

struct moving {
	struct cop_tree *tree;
	struct cop_gather *gather;
	cop_va from, to;
	uint64_t left;
};

static COP_SLOW void move_unreserve(struct cop_gather *gather, struct cop_ptdesc *d, uint64_t n, cop_va va)
{
	if (n && unreserve(d, n) == 0)
		reclaim(gather, d, 0, va);
}

/* What was reserved from @va on goes again; it has not been stored to. */
static COP_SLOW void move_abandon(struct cop_gather *gather, cop_va va, uint64_t bytes)
{
	const struct cop_tree *tree = gather->tree;

	cop_rcu_read_lock();
	while (bytes) {
		const struct place p = descend_slowly(tree, va);
		const uint64_t room = table_room(&tree->geom, va, bytes, 0);

		move_unreserve(gather, cop_ptdesc(p.table), room >> FMT_PAGE_LG2, va);
		va += room;
		bytes -= room;
	}
	cop_rcu_read_unlock();
}

static COP_SLOW int move_reserve(struct cop_gather *gather, cop_va to, uint64_t bytes)
{
	struct cop_tree *tree = gather->tree;
	struct mapping m = {.tree = tree, .g = &tree->geom, .va = to, .left = bytes, .leaf_levels = 1, .vacant = true};
	enum walked walked;

	cop_gather_begin(&m.gather, tree);
	m.table_flags = PTDESC_CONSTRUCTED;
	m.fence = FMT_CACHES_INVALID;
	walked = map_walk(&m);
	map_account(&m);
	if (walked != WALK_DONE)
		move_abandon(&m.gather, to, m.va - to);
	map_publish(&m, to, bytes);
	cop_stock_drain(tree, &m.stock);
	(void)tables_finish(&m.gather);
	if (walked == WALK_DONE)
		return 0;
	return walked == WALK_DRY ? -COP_ENOMEM : -COP_EADDRINUSE;
}

/* Clears an entry for good: from then on hardware changes it no more. Return: what it was at the last. */
static inline uint64_t move_take(const struct moving *x, uint64_t *entry, cop_va va)
{
	const struct cop_tlbi tlbi = {va, va | (PAGE_BYTES - 1), x->tree->asid, FMT_PAGE_LG2, 0, tree_scope(x->tree)};

	if (FMT_LIVE_BY_INSTRUCTION && fmt_present(cop_load(entry, relaxed), 0))
		return cop_entry_xchg(entry, fmt_empty(0), &tlbi);
	return cop_xchg(entry, fmt_empty(0), relaxed);
}

/* Return: the last byte of @n pages from @va. */
static inline cop_va move_last(cop_va va, unsigned n)
{
	return va + (uint64_t)n * PAGE_BYTES - 1;
}

/* Of @n pages between two tables, whose locks are held. Return: how many there were. */
static COP_SLOW unsigned move_entries(const struct moving *x, uint64_t *from, uint64_t *to, unsigned n)
{
	uint64_t e[MOVE_BATCH];
	unsigned used = 0;
	bool live = false;

	for (unsigned i = 0; i < n; i++) {
		e[i] = cop_load(from + i, relaxed);
		if (e[i] == fmt_empty(0))
			continue;
		e[i] = move_take(x, from + i, x->from + (uint64_t)i * PAGE_BYTES);
		live |= fmt_present(e[i], 0);
		used++;
	}
	/* Nobody may write to a page at its old address when somebody can read it at the new one. */
	if (live && !FMT_LIVE_BY_INSTRUCTION)
		invalidate(x->tree, x->from, move_last(x->from, n), 0, COP_TLBI_LEAVES);
	for (unsigned i = 0; i < n; i++)
		if (e[i] != fmt_empty(0))
			cop_store(to + i, e[i], relaxed);
	if (FMT_CACHES_INVALID && live)
		map_fence(x->tree, x->to, move_last(x->to, n), 0);
	else
		cop_mmu_publish();
	return used;
}

/* As far as both tables and the batch go. Return: bytes. */
static COP_SLOW uint64_t move_some(const struct moving *x)
{
	const struct cop_geom *g = &x->tree->geom;
	const struct place from = descend_slowly(x->tree, x->from), to = descend_slowly(x->tree, x->to);
	struct cop_ptdesc *d = cop_ptdesc(from.table), *to_d = cop_ptdesc(to.table);
	uint64_t room = table_room(g, x->to, x->left, 0);
	unsigned n, used;

	if (from.level != 0) {
		room = entry_room(x->from, room, from.level);
		move_unreserve(x->gather, to_d, room >> FMT_PAGE_LG2, x->to);
		return room;
	}
	room = table_room(g, x->from, room, 0);
	n = room < MOVE_BATCH * PAGE_BYTES ? (unsigned)(room >> FMT_PAGE_LG2) : MOVE_BATCH;
	table_lock_two(d, to_d);
	used = move_entries(x, from.entry, to.entry, n);
	table_unlock_two(d, to_d);
	move_unreserve(x->gather, to_d, n - used, x->to);
	move_unreserve(x->gather, d, used, x->from);
	return (uint64_t)n * PAGE_BYTES;
}

static inline bool ranges_meet(cop_va a, cop_va b, uint64_t bytes)
{
	return a - b < bytes || b - a < bytes;
}

static COP_SLOW int tables_move(struct cop_gather *gather, cop_va from, cop_va to, uint64_t bytes)
{
	struct moving x = {.tree = gather->tree, .gather = gather, .from = from, .to = to, .left = bytes};
	const struct cop_geom *g = &x.tree->geom;
	int err;

	if (!range_ok(g, from, bytes) || !range_ok(g, to, bytes) || ranges_meet(from, to, bytes))
		return -COP_EINVAL;
	if (!tree_vacant(x.tree, to, bytes))
		return -COP_EADDRINUSE;
	err = tables_split(gather, from, bytes, FMT_PAGE_LG2);
	if (!err)
		err = move_reserve(gather, to, bytes);
	if (err)
		return err;
	while (x.left) {
		uint64_t done;

		cop_rcu_read_lock();
		done = move_some(&x);
		cop_rcu_read_unlock();
		x.from += done;
		x.to += done;
		x.left -= done;
	}
	return 0;
}

#endif
