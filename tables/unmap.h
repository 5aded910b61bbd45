/* SPDX-License-Identifier: MIT */
/*
 * unmap: edges are made first, then entries are cleared. What the range covers wholly is taken out at the highest level;
 * tables that become empty otherwise are reclaimed on the way up.
 */
#ifndef COPPICE_TABLES_UNMAP_H
#define COPPICE_TABLES_UNMAP_H

#include "tables/clear.h"

/* Leaves from @slot on, at most @n. */
static unsigned leaf_stretch(const uint64_t *entries, unsigned slot, unsigned n, unsigned l)
{
	unsigned i = 0;

	while (i < n && is_leaf(cop_load(entries + slot + i, relaxed), l))
		i++;
	return i;
}

/* A table out of the tree: nothing below it is anybody else's. */
static void table_retire(struct unmapping *u, struct cop_ptdesc *d, unsigned l)
{
	cop_store(&d->state, COP_TABLE_DEAD, relaxed);
	u->tables[l]++;
	if (cop_read(&d->flags) & PTDESC_CONSTRUCTED)
		u->constructed++;
}

/*
 * The table stays after all, because `runs` is full: children of it that were cleared before that are taken out one by one.
 * They are on top of the list, down to @mark.
 */
static COP_SLOW void clear_stopped(struct unmapping *u, cop_pa table, uint64_t *entries, struct cop_ptdesc *mark,
				   unsigned l)
{
	struct cop_ptdesc *d = u->gather->flushed, *next;

	u->gather->flushed = mark;
	for (; d != mark; d = next) {
		next = cop_read(&d->next);
		if (cop_read(&d->parent) != table) {
			gather_push(&u->gather->flushed, d);
			continue;
		}
		cop_store(entries + cop_read(&d->slot), make_marker(u->g, cop_read(&d->pa), l), relaxed);
		gather_push(&u->gather->detached, d);
		/* The hull has the table's leaves, and with them an address of it. */
		u->gather->scope |= COP_TLBI_TABLES;
		u->gather->level = COP_TLBI_ANY_LEVEL;
	}
}

/* Clears all below a table that the range covers wholly. Return: false if `runs` was full: the table must stay. */
static bool clear_table(struct unmapping *u, cop_pa table, unsigned l)
{
	struct cop_ptdesc *d = cop_ptdesc(table), *const mark = u->gather->flushed;
	const unsigned slots = table_slots(u->g, l);
	uint64_t *entries = table_entries(table);
	uint64_t used = 0;

	if (l == 0)
		used = clear_leaves(u, entries, 0, slots, 0, false);
	for (unsigned slot = 0; l && slot < slots && !u->full;) {
		const uint64_t e = cop_load(entries + slot, acquire);
		const cop_va va = u->va;

		if (!fmt_present(e, l)) {
			unmap_advance(u, leaf_bytes(l));
		} else if (!fmt_is_table(e, l)) {
			used += clear_leaves(u, entries, slot, leaf_stretch(entries, slot, slots - slot, l), l, false);
		} else if (clear_table(u, fmt_table_pa(u->g, e, l), l - 1)) {
			gather_push(&u->gather->flushed, cop_ptdesc(fmt_table_pa(u->g, e, l)));
		}
		slot += (unsigned)((u->va - va) >> fmt_shift(l));
	}
	if (!u->full) {
		table_retire(u, d, l);
		return true;
	}
	clear_stopped(u, table, entries, mark, l);
	if (used)
		unreserve(d, used);
	return false;
}

static inline bool table_at(uint64_t e, unsigned l)
{
	return fmt_present(e, l) && fmt_is_table(e, l);
}

/* Tables from @slot on, at most @n. */
static COP_SLOW unsigned table_stretch(const uint64_t *entries, unsigned slot, unsigned n, unsigned l)
{
	unsigned i = 0;

	while (i < n && table_at(cop_load(entries + slot + i, relaxed), l))
		i++;
	return i;
}

/* Detaches the table in a slot that the range covers wholly. Return: false if `runs` was full. */
static bool detach(struct unmapping *u, uint64_t *entry, uint64_t e, unsigned l)
{
	const cop_va va = u->va;
	const cop_pa child = fmt_table_pa(u->g, e, l);

	if (!clear_table(u, child, l - 1))
		return false;
	cop_store(entry, make_marker(u->g, child, l), relaxed);
	gather_table(u->gather, va);
	gather_push(&u->gather->detached, cop_ptdesc(child));
	return true;
}

/*
 * The same for all tables from a slot on that the range covers wholly, where valid entries change by instruction only: one
 * breaks all of them, which makes them markers; what is below is then out of hardware's sight and may be stored plainly. The
 * tables that `runs` has no room for are linked again. Return: how many were detached.
 */
static COP_SLOW unsigned detach_by_instruction(struct unmapping *u, uint64_t *entry, unsigned n, unsigned l)
{
	const struct cop_tlbi tlbi = {u->va,
				      u->va + ((uint64_t)n << fmt_shift(l)) - 1,
				      u->tree->asid,
				      (uint8_t)fmt_shift(l),
				      COP_TLBI_ANY_LEVEL,
				      (uint8_t)(COP_TLBI_TABLES | tree_scope(u->tree))};
	unsigned done = 0;

	cop_entries_break(entry, n, fmt_empty(l), &tlbi);
	for (; done < n; done++) {
		const cop_pa child = fmt_marker_pa(u->g, cop_load(entry + done, relaxed), l);

		if (!clear_table(u, child, l - 1))
			break;
		gather_push(&u->gather->detached, cop_ptdesc(child));
	}
	for (unsigned i = done; i < n; i++)
		cop_store(entry + i, fmt_table(u->g, fmt_marker_pa(u->g, cop_load(entry + i, relaxed), l), l), release);
	return done;
}

static bool unmap_in(struct unmapping *u, cop_pa table, unsigned l);

/* @dead: a table that was killed and is still linked. */
struct slot_done {
	unsigned used, markers;
	struct cop_ptdesc *dead;
};

/* What of the range lies in the entry at the cursor, or in more entries of the kind; the cursor moves. */
static struct slot_done unmap_slot(struct unmapping *u, cop_pa table, uint64_t room, unsigned l)
{
	uint64_t *entries = table_entries(table);
	const unsigned slot = slot_of(u->g, u->va, l), whole = (unsigned)(room >> fmt_shift(l));
	const uint64_t e = cop_load(entries + slot, acquire);
	const cop_va va = u->va;
	cop_pa child;

	if (!fmt_present(e, l)) {
		/* A marker is its owner's; anything else here is a swap entry. */
		const bool mine = e != fmt_empty(l) && entry_kind(u->g, e, l) != COP_MARKER;

		if (mine)
			cop_store(entries + slot, fmt_empty(l), relaxed);
		unmap_advance(u, entry_room(va, room, l));
		return (struct slot_done){.used = mine};
	}
	if (!fmt_is_table(e, l))
		return (struct slot_done){
			.used = clear_leaves(u, entries, slot, leaf_stretch(entries, slot, whole, l), l, true)};
	if (whole && (va & (leaf_bytes(l) - 1)) == 0) {
		if (FMT_LIVE_BY_INSTRUCTION)
			return (struct slot_done){
				.markers = detach_by_instruction(u, entries + slot,
								 table_stretch(entries, slot, whole, l), l)};
		return (struct slot_done){.markers = detach(u, entries + slot, e, l)};
	}
	child = fmt_table_pa(u->g, e, l);
	if (!unmap_in(u, child, l - 1))
		return (struct slot_done){0};
	gather_push(&u->gather->detached, cop_ptdesc(child));
	gather_table(u->gather, va);
	return (struct slot_done){.markers = 1, .dead = cop_ptdesc(child)};
}

/* Only a range's first and last table of a level are covered in part, so there are no more than two in a table. */
struct dead_tables {
	struct cop_ptdesc *table[2];
	cop_va va[2];
	unsigned count;
};

static COP_SLOW void unlink_all(const struct cop_tree *tree, const struct dead_tables *dead)
{
	for (unsigned i = 0; i < dead->count; i++)
		table_unlink(tree, dead->table[i], dead->va[i]);
}

/*
 * Clears what of the range lies in a linked table that others use too. Return: true if it was emptied and killed, which makes
 * the caller the one to unlink it.
 */
static bool unmap_in(struct unmapping *u, cop_pa table, unsigned l)
{
	struct cop_ptdesc *d = cop_ptdesc(table);
	const uint64_t stop = u->left - table_room(u->g, u->va, u->left, l);
	const cop_va start = u->va;
	struct dead_tables dead = {.count = 0};
	uint64_t used = 0, markers = 0, units;

	if (l == 0) {
		used = clear_leaves(u, table_entries(table), slot_of(u->g, u->va, 0),
				    (unsigned)((u->left - stop) >> FMT_PAGE_LG2), 0, true);
	} else {
		while (u->left > stop && !u->full) {
			const cop_va va = u->va;
			const struct slot_done done = unmap_slot(u, table, u->left - stop, l);

			used += done.used;
			markers += done.markers;
			if (done.dead) {
				dead.table[dead.count] = done.dead;
				dead.va[dead.count++] = va;
			}
		}
	}
	if (!used && !markers)
		return false;
	units = used ? unreserve(d, used) : cop_load(&d->state, relaxed);
	/* My markers and dead tables hold the table only for me: when nothing else is in it, it goes, and they with it. */
	if (units != markers || !kill_unless_stays(u->tree, d, units, start)) {
		unlink_all(u->tree, &dead);
		return false;
	}
	u->tables[l]++;
	if (cop_read(&d->flags) & PTDESC_CONSTRUCTED)
		u->constructed++;
	return true;
}

/* Return: 0, or why the range may not be unmapped; nothing has changed then. */
static int unmap_prepare(struct cop_gather *gather, cop_va va, uint64_t bytes, uint32_t how)
{
	const struct cop_tree *tree = gather->tree;
	bool covered = true;
	struct edges x;

	cop_rcu_read_lock();
	x = edges_of(tree, va, bytes);
	if (!(how & COP_UNMAP_HOLES_OK))
		covered = range_covered(&tree->geom, tree->root, va, bytes, tree->geom.levels - 1U);
	cop_rcu_read_unlock();
	if (!covered)
		return -COP_ENOENT;
	if ((how & COP_UNMAP_NO_SPLIT) && (x.cut_leaf || x.cut_run))
		return -COP_EBUSY;
	return edges_make(gather, &x);
}

static COP_NOINLINE struct cop_unmapped unmap_range(struct cop_gather *gather, cop_va va, uint64_t bytes, uint32_t how,
						    struct cop_detached_run *runs, unsigned max_runs)
{
	const uint32_t mode = how & 0xff;
	struct unmapping u = {.tree = gather->tree,
			      .g = &gather->tree->geom,
			      .gather = gather,
			      .runs = runs,
			      .max_runs = max_runs,
			      .va = va,
			      .left = bytes};
	const int err = unmap_prepare(gather, va, bytes, how);

	if (err)
		return (struct cop_unmapped){0, 0, err};
	u.blind = mode == COP_UNMAP_BLIND;
	u.exact = mode == COP_UNMAP_EXACT;
	u.holes = how & COP_UNMAP_HOLES_OK;
	cop_rcu_read_lock();
	(void)unmap_in(&u, u.tree->root, u.g->levels - 1U);
	cop_rcu_read_unlock();
	account(u.tree, u.tables, u.constructed, false);
	return (struct cop_unmapped){bytes - u.left, u.count, 0};
}

/* One page out of a table that exists: the straight line. Return: false if it takes more than that. */
static COP_ALWAYS_INLINE bool unmap_page(struct cop_gather *gather, cop_va va, uint32_t mode,
					 struct cop_detached_run *run)
{
	struct cop_tree *tree = gather->tree;
	const struct cop_geom *g = &tree->geom;
	const struct place p = descend(tree, va);
	uint64_t e = p.e;
	struct cop_ptdesc *d;

	if (p.level != 0 || !fmt_present(e, 0) || fmt_cont(e, 0))
		return false;
	d = cop_ptdesc(p.table);
	if (FMT_LIVE_BY_INSTRUCTION) {
		const struct cop_tlbi tlbi = {va, va | (PAGE_BYTES - 1), tree->asid, FMT_PAGE_LG2, 0, tree_scope(tree)};

		cop_entry_xchg(p.entry, fmt_empty(0), &tlbi);
	} else {
		if (mode == COP_UNMAP_EXACT && fmt_racy(g, e, 0))
			e = cop_xchg(p.entry, fmt_empty(0), relaxed);
		else
			cop_store(p.entry, fmt_empty(0), relaxed);
		gather_leaves(gather, va, va | (PAGE_BYTES - 1), 0);
	}
	if (mode != COP_UNMAP_BLIND)
		*run = (struct cop_detached_run){fmt_leaf_pa(g, e, 0), PAGE_BYTES, entry_ad(e, 0)};
	if (COP_UNLIKELY(unreserve(d, 1) == 0))
		reclaim(gather, d, 0, va);
	return true;
}

/* Whatever is not the straight line. */
static COP_NOINLINE struct cop_unmapped unmap_checked(struct cop_gather *gather, cop_va va, uint64_t bytes,
						      uint32_t how, struct cop_detached_run *runs, unsigned max_runs)
{
	if (!range_ok(&gather->tree->geom, va, bytes) || (how & 0xff) > COP_UNMAP_EXACT ||
	    ((how & 0xff) != COP_UNMAP_BLIND && !max_runs) ||
	    (how & ~(0xffU | COP_UNMAP_NO_SPLIT | COP_UNMAP_HOLES_OK)))
		return (struct cop_unmapped){0, 0, -COP_EINVAL};
	return unmap_range(gather, va, bytes, how, runs, max_runs);
}

static COP_ALWAYS_INLINE struct cop_unmapped tables_unmap(struct cop_gather *gather, cop_va va, uint64_t bytes,
							  uint32_t how, struct cop_detached_run *runs,
							  unsigned max_runs)
{
	const uint32_t mode = how & ~(uint32_t)(COP_UNMAP_NO_SPLIT | COP_UNMAP_HOLES_OK);
	bool done;

	if (bytes == PAGE_BYTES && page_ok(gather->tree, va) && mode <= COP_UNMAP_EXACT &&
	    (max_runs || mode == COP_UNMAP_BLIND)) {
		cop_rcu_read_lock();
		done = unmap_page(gather, va, mode, runs);
		cop_rcu_read_unlock();
		if (COP_LIKELY(done))
			return (struct cop_unmapped){bytes, mode != COP_UNMAP_BLIND, 0};
	}
	return unmap_checked(gather, va, bytes, how, runs, max_runs);
}

#endif
