/* SPDX-License-Identifier: MIT */
/*
 * Dead tables: unlinking, accounting, and the way up.
 *
 * table entry -> marker -> (invalidation) -> empty. The marker says that a walk cache may still know the dead table, so
 * that nobody links another one there without invalidating first (break before make).
 */
#ifndef COPPICE_TABLES_RECLAIM_H
#define COPPICE_TABLES_RECLAIM_H

#include "tables/gather.h"

/*
 * Replaces a link that several may want to replace: what was there is returned, as by a compare-and-swap. Where a valid
 * entry changes by instruction only, the exchange does not compare, so the table's lock makes it one.
 */
static COP_SLOW uint64_t link_cas(const struct cop_tree *tree, struct cop_ptdesc *table, uint64_t *entry, uint64_t old,
				  uint64_t new_, unsigned l, cop_va va)
{
	uint64_t was;

	if (!FMT_LIVE_BY_INSTRUCTION || !fmt_present(old, l))
		return cop_cas(entry, old, new_, acq_rel);
	const struct cop_tlbi tlbi = {
		.start = COP_ALIGN_DOWN(va, leaf_bytes(l)),
		.last = va | (leaf_bytes(l) - 1),
		.asid = tree->asid,
		.stride_lg2 = (uint8_t)fmt_shift(l),
		.level = COP_TLBI_ANY_LEVEL,
		.scope = (uint8_t)(COP_TLBI_TABLES | tree_scope(tree)),
	};
	table_lock(table);
	was = cop_load(entry, acquire);
	if (was == old)
		cop_entry_xchg(entry, new_, &tlbi);
	table_unlock(table);
	return was;
}

/*
 * The slot of a dead table becomes its marker, by its owner or by anybody who finds it dead. Hardware may set the accessed
 * bit of a link (x86-64), so the value is what the slot holds.
 */
static COP_SLOW void table_unlink(const struct cop_tree *tree, struct cop_ptdesc *d, cop_va va)
{
	const struct cop_geom *g = &tree->geom;
	const unsigned l = cop_read(&d->level) + 1U;
	const cop_pa pa = cop_read(&d->pa);
	struct cop_ptdesc *parent = cop_ptdesc(cop_read(&d->parent));
	uint64_t *entry = table_entries(cop_read(&d->parent)) + cop_read(&d->slot);
	uint64_t e = cop_load(entry, acquire), was;

	while (fmt_present(e, l) && fmt_is_table(e, l) && fmt_table_pa(g, e, l) == pa) {
		was = link_cas(tree, parent, entry, e, make_marker(g, pa, l), l, va);
		if (was == e)
			return;
		e = was;
	}
	/* Somebody else's instruction may not have ended. */
	if (FMT_LIVE_BY_INSTRUCTION) {
		table_lock(parent);
		table_unlock(parent);
	}
}

static COP_SLOW void account(struct cop_tree *tree, const uint64_t tables[COP_MAX_LEVELS], uint64_t constructed,
			     bool linked)
{
	for (unsigned l = 0; l < FMT_MAX_LEVELS; l++)
		if (tables[l])
			cop_fetch_add(&tree->tables[l], linked ? tables[l] : -tables[l], relaxed);
	if (constructed)
		cop_fetch_add(&tree->constructed, linked ? constructed : -constructed, relaxed);
}

/* An unlinked table, found empty, goes to the gather; its marker is resolved when the gather has invalidated. */
static COP_SLOW void table_detach(struct cop_gather *gather, struct cop_ptdesc *d, cop_va va)
{
	struct cop_tree *tree = gather->tree;

	cop_fetch_add(&tree->tables[cop_read(&d->level)], -1ULL, relaxed);
	if (cop_read(&d->flags) & PTDESC_CONSTRUCTED)
		cop_fetch_add(&tree->constructed, -1ULL, relaxed);
	gather_push(&gather->detached, d);
	gather_table(gather, va);
}

/* Not the root: does a seam lie inside what the table around @va translates? */
static COP_SLOW bool is_shared(const struct cop_tree *tree, struct cop_ptdesc *d, cop_va va)
{
	const uint64_t span = leaf_bytes(cop_read(&d->level) + 1U);

	for (unsigned i = 0; i < COP_TREE_SEAMS; i++) {
		const cop_va seam = tree->seam[i];

		if ((seam & (span - 1)) && COP_ALIGN_DOWN(seam, span) == COP_ALIGN_DOWN(va, span))
			return true;
	}
	return false;
}

static inline bool stays(const struct cop_tree *tree, struct cop_ptdesc *d, cop_va va)
{
	return is_root(d) || is_shared(tree, d, va);
}

static inline bool kill_unless_stays(const struct cop_tree *tree, struct cop_ptdesc *d, uint64_t units, cop_va va)
{
	return !stays(tree, d, va) && kill(d, units);
}

/*
 * The caller's decrement left @units in a table, all of them the caller's own markers: tries to take the table out, and the
 * tables above that hold nothing but the link down to it. Only the highest is unlinked, so that one change of a link and
 * one invalidation do for all: those below stay linked to dead tables, in which nobody installs anything.
 */
static COP_SLOW void reclaim(struct cop_gather *gather, struct cop_ptdesc *d, uint64_t units, cop_va va)
{
	struct cop_ptdesc *parent;

	if (!kill_unless_stays(gather->tree, d, units, va))
		return;
	for (parent = cop_ptdesc(cop_read(&d->parent)); kill_unless_stays(gather->tree, parent, 1, va);
	     parent = cop_ptdesc(cop_read(&d->parent))) {
		table_detach(gather, d, va);
		d = parent;
	}
	table_unlink(gather->tree, d, va);
	table_detach(gather, d, va);
}

/*
 * The invalidation of an unlinked table is done: its marker, unless somebody has replaced it already, becomes empty, and
 * its unit in the parent goes. A parent that is dead was taken out by this gather, markers and all; any other is held by
 * that unit.
 */
static inline void marker_resolve(struct cop_gather *gather, struct cop_ptdesc *d)
{
	const struct cop_geom *g = &gather->tree->geom;
	const unsigned l = cop_read(&d->level) + 1U;
	struct cop_ptdesc *parent = cop_ptdesc(cop_read(&d->parent));
	uint64_t *entry = table_entries(cop_read(&d->parent)) + cop_read(&d->slot);

	if ((cop_read(&d->flags) & PTDESC_REPLACED) || is_dead(parent))
		return;
	(void)cop_cas(entry, make_marker(g, cop_read(&d->pa), l), fmt_empty(l), relaxed);
	if (unreserve(parent, 1) == 0)
		reclaim(gather, parent, 0, table_va(g, parent));
}

static inline void markers_resolve(struct cop_gather *gather)
{
	struct cop_ptdesc *d = gather->detached, *next;

	gather->detached = NULL;
	cop_rcu_read_lock();
	for (; d; d = next) {
		next = cop_read(&d->next);
		marker_resolve(gather, d);
		gather_push(&gather->flushed, d);
	}
	cop_rcu_read_unlock();
}

static void interrupted(void *unused)
{
	(void)unused;
}

/* Where the tree's owner says so, tables that walkers may be inside do not wait for a grace period. */
static void tables_free_now(struct cop_gather *gather)
{
	struct cop_tree *tree = gather->tree;

	if (COP_LIKELY(!(tree->flags & (COP_TREE_FREE_BY_IPI | COP_TREE_FREE_AT_ONCE))) || !gather->flushed)
		return;
	/* A CPU that takes an interrupt is in no walk that has interrupts off: of those that were, none is left. */
	if (tree->flags & COP_TREE_FREE_BY_IPI)
		cop_ipi(~0ULL, interrupted, NULL);
	cop_fetch_add(&tree->deferred, 1ULL, relaxed);
	cop_tables_free_deferred(&gather->flushed->rcu);
	gather->flushed = NULL;
}

static COP_SLOW struct cop_flushed tables_finish(struct cop_gather *gather)
{
	struct cop_tree *tree = gather->tree;

	while (gather_pending(gather) || gather->detached) {
		gather_invalidate(gather);
		if (gather->detached)
			markers_resolve(gather);
	}
	tables_free_now(gather);
	if (gather->flushed) {
		/* One callback frees the list; cop_tree_destroy() waits for it. */
		cop_fetch_add(&tree->deferred, 1ULL, relaxed);
		cop_rcu_defer(&gather->flushed->rcu, cop_tables_free_deferred);
		gather->flushed = NULL;
	}
	return (struct cop_flushed){gather};
}

#endif
