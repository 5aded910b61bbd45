/* SPDX-License-Identifier: MIT */
/*
 * Entries that more than one caller may change: under their table's lock and after a second look. An address space's faults,
 * discards and those who come from a folio meet here.
 */
#ifndef COPPICE_TABLES_ENTRY_H
#define COPPICE_TABLES_ENTRY_H

#include "tables/query.h"

static inline struct cop_tlbi leaf_tlbi(const struct cop_tree *tree, cop_va va, unsigned l)
{
	return (struct cop_tlbi){leaf_start(va, l),     leaf_last(va, l), tree->asid,
				 (uint8_t)fmt_shift(l), (uint8_t)l,       tree_scope(tree)};
}

/* ---- one for another ---- */

/*
 * The same memory with other attributes. Hardware's accessed and dirty bits are kept, whenever they were set. Return: the
 * attributes that the leaf had at the last.
 */
static COP_SLOW uint32_t replace_attrs(struct cop_gather *gather, struct place p, cop_va va, cop_pa pa, uint32_t attrs)
{
	const struct cop_geom *g = &gather->tree->geom;
	const unsigned l = p.level;
	const struct cop_tlbi tlbi = leaf_tlbi(gather->tree, va, l);
	uint64_t e = p.e, new_, was;

	for (;; e = was) {
		new_ = make_leaf(g, pa, l, attrs | (leaf_attrs(g, e, l) & COP_AD));
		switch (entry_change(g, e, new_, l)) {
		case COP_CHANGE_INSTR:
			cop_entry_xchg(p.entry, new_, &tlbi);
			return leaf_attrs(g, e, l);
		case COP_CHANGE_BREAK:
			e = entry_break(p.entry, e, l);
			invalidate(gather->tree, tlbi.start, tlbi.last, l, COP_TLBI_LEAVES);
			new_ = make_leaf(g, pa, l, attrs | (leaf_attrs(g, e, l) & COP_AD));
			/* Release: as when it was mapped. */
			cop_store(p.entry, new_, release);
			gather_made(gather, new_, tlbi.start, tlbi.last, l);
			return leaf_attrs(g, e, l);
		default:
			was = cop_cas(p.entry, e, new_, relaxed);
			if (was != e)
				continue;
			if (entry_covers(g, e, new_, l) != COP_COVERS_NONE)
				gather_leaves(gather, tlbi.start, tlbi.last, l);
			return leaf_attrs(g, e, l);
		}
	}
}

/*
 * Other memory. Broken first even where hardware would take it in one store: until the invalidation one CPU could read the
 * old frame after another has written to the new.
 */
static COP_SLOW uint32_t replace_memory(struct cop_gather *gather, struct place p, cop_va va, cop_pa pa, uint32_t attrs)
{
	struct cop_tree *tree = gather->tree;
	const unsigned l = p.level;
	const struct cop_tlbi tlbi = leaf_tlbi(tree, va, l);
	const uint64_t new_ = make_leaf(&tree->geom, pa, l, attrs);
	uint64_t e = p.e;

	if (entry_change(&tree->geom, e, new_, l) == COP_CHANGE_INSTR) {
		cop_entry_xchg(p.entry, new_, &tlbi);
		return leaf_attrs(&tree->geom, e, l);
	}
	e = entry_break(p.entry, e, l);
	invalidate(tree, tlbi.start, tlbi.last, l, COP_TLBI_LEAVES);
	/* Release: the frame's contents first, for walkers; the MMU has cop_mmu_publish() below. */
	cop_store(p.entry, new_, release);
	gather_made(gather, new_, tlbi.start, tlbi.last, l);
	return leaf_attrs(&tree->geom, e, l);
}

/* Takes one leaf out; the caller unreserves. Return: what it was at the last. */
static COP_SLOW uint64_t leaf_clear(struct cop_gather *gather, uint64_t *entry, uint64_t e, cop_va va, unsigned l)
{
	const struct cop_tlbi tlbi = leaf_tlbi(gather->tree, va, l);

	if (FMT_LIVE_BY_INSTRUCTION) {
		cop_entry_xchg(entry, fmt_empty(l), &tlbi);
		return e;
	}
	e = cop_xchg(entry, fmt_empty(l), relaxed);
	gather_leaves(gather, tlbi.start, tlbi.last, l);
	return e;
}

static COP_SLOW struct cop_replaced tables_replace(struct cop_gather *gather, cop_va va, uint64_t old, cop_pa pa,
						   uint32_t attrs)
{
	struct cop_tree *tree = gather->tree;
	const struct cop_geom *g = &tree->geom;
	struct cop_replaced done = {.err = -COP_EAGAIN};
	struct cop_ptdesc *d;
	struct place p;
	bool gone = false;

	if (!page_ok(tree, va))
		return (struct cop_replaced){.err = -COP_EINVAL};
	cop_rcu_read_lock();
	p = descend_slowly(tree, va);
	if (!is_leaf(p.e, p.level) || p.e != old || fmt_cont(p.e, p.level)) {
		cop_rcu_read_unlock();
		return done;
	}
	if (pa != COP_PA_NONE && (!output_ok(g, pa, leaf_bytes(p.level)) || check_attrs(g, attrs, p.level))) {
		cop_rcu_read_unlock();
		return (struct cop_replaced){.err = -COP_EINVAL};
	}
	d = cop_ptdesc(p.table);
	table_lock(d);
	p.e = cop_load(p.entry, relaxed);
	if (p.e == old) {
		done.err = 0;
		if (pa == COP_PA_NONE) {
			done.attrs = leaf_attrs(g, leaf_clear(gather, p.entry, p.e, va, p.level), p.level);
			gone = true;
		} else if (pa == fmt_leaf_pa(g, p.e, p.level)) {
			done.attrs = replace_attrs(gather, p, va, pa, attrs & ~(uint32_t)COP_CONT);
		} else {
			done.attrs = replace_memory(gather, p, va, pa, attrs & ~(uint32_t)COP_CONT);
		}
	}
	table_unlock(d);
	if (gone && unreserve(d, 1) == 0)
		reclaim(gather, d, 0, va);
	cop_rcu_read_unlock();
	cop_mmu_publish();
	return done;
}

/* ---- leaves of a range, looked at or taken ---- */

struct taking {
	struct cop_gather *gather; /* NULL: look only */
	const struct cop_geom *g;
	struct cop_leaf *out;
	unsigned max, count;
	cop_va va;
	uint64_t left;
};

/* Return: false if there was no room for it. */
static COP_SLOW bool take_leaf(struct taking *x, uint64_t *entry, unsigned slot, unsigned l, uint64_t *used)
{
	uint64_t e = cop_load(entry, relaxed);

	if (!is_leaf(e, l))
		return true;
	if (x->count == x->max)
		return false;
	if (x->gather) {
		e = leaf_clear(x->gather, entry, e, x->va, l);
		++*used;
	}
	x->out[x->count++] = (struct cop_leaf){.va = leaf_start(x->va, l),
					       .pa = entry_pa(x->g, e, l, slot),
					       .entry = e,
					       .attrs = leaf_attrs(x->g, e, l),
					       .level = (uint8_t)l};
	return true;
}

/* What is no link to a table in @slots entries from the cursor's on. Return: false if there was no room for all. */
static COP_SLOW bool take_stretch(struct taking *x, cop_pa table, uint64_t stop, unsigned l)
{
	struct cop_ptdesc *d = cop_ptdesc(table);
	uint64_t *entries = table_entries(table);
	const cop_va va = x->va;
	uint64_t used = 0;
	bool room = true;

	if (x->gather)
		table_lock(d);
	while (x->left > stop) {
		const unsigned slot = slot_of(x->g, x->va, l);
		const uint64_t bytes = entry_room(x->va, x->left, l);

		if (l && fmt_links(cop_load(entries + slot, acquire), l))
			break;
		room = take_leaf(x, entries + slot, slot, l, &used);
		if (!room)
			break;
		x->va += bytes;
		x->left -= bytes;
	}
	if (x->gather)
		table_unlock(d);
	if (used && unreserve(d, used) == 0)
		reclaim(x->gather, d, 0, va);
	return room;
}

static COP_SLOW bool take_in(struct taking *x, cop_pa table, unsigned l)
{
	const uint64_t stop = x->left - table_room(x->g, x->va, x->left, l);

	while (x->left > stop) {
		const uint64_t e = cop_load(table_entries(table) + slot_of(x->g, x->va, l), acquire);
		const bool more =
			fmt_links(e, l) ? take_in(x, fmt_table_pa(x->g, e, l), l - 1) : take_stretch(x, table, stop, l);

		if (!more)
			return false;
	}
	return true;
}

static COP_SLOW struct cop_unmapped tables_take(struct cop_gather *gather, cop_va va, uint64_t bytes,
						struct cop_leaf *out, unsigned max)
{
	struct cop_tree *tree = gather->tree;
	struct taking x = {.gather = gather, .g = &tree->geom, .out = out, .max = max, .va = va, .left = bytes};
	struct edges edges;
	int err;

	if (!range_ok(x.g, va, bytes) || !max)
		return (struct cop_unmapped){0, 0, -COP_EINVAL};
	cop_rcu_read_lock();
	edges = edges_of(tree, va, bytes);
	cop_rcu_read_unlock();
	err = edges_make(gather, &edges);
	if (err)
		return (struct cop_unmapped){0, 0, err};
	cop_rcu_read_lock();
	(void)take_in(&x, tree->root, x.g->levels - 1U);
	cop_rcu_read_unlock();
	return (struct cop_unmapped){bytes - x.left, x.count, 0};
}

static COP_SLOW struct cop_unmapped tables_leaves(const struct cop_tree *tree, cop_va va, uint64_t bytes,
						  struct cop_leaf *out, unsigned max)
{
	struct taking x = {.g = &tree->geom, .out = out, .max = max, .va = va, .left = bytes};

	if (!range_ok(x.g, va, bytes))
		return (struct cop_unmapped){0, 0, -COP_EINVAL};
	(void)take_in(&x, tree->root, x.g->levels - 1U);
	return (struct cop_unmapped){bytes - x.left, x.count, 0};
}

/* ---- a fault that need not have been ---- */

/* Where an instruction changes entries it has left nothing stale behind. */
static COP_SLOW void tables_refresh(const struct cop_tree *tree, cop_va va)
{
	if (!FMT_LIVE_BY_INSTRUCTION)
		invalidate(tree, COP_ALIGN_DOWN(va, PAGE_BYTES), va | (PAGE_BYTES - 1), COP_TLBI_ANY_LEVEL,
			   FMT_CACHES_INVALID ? COP_TLBI_LOCAL | COP_TLBI_TABLES : COP_TLBI_LOCAL);
}

#endif
