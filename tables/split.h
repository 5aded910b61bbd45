/* SPDX-License-Identifier: MIT */
/*
 * Splitting: a leaf becomes a table of smaller ones, a contiguous run becomes single leaves. Two callers that own a part of
 * the leaf each may come at once, so both work under the lock of the table that holds it.
 */
#ifndef COPPICE_TABLES_SPLIT_H
#define COPPICE_TABLES_SPLIT_H

#include "tables/map.h"

#define COP_AD (COP_YOUNG | COP_DIRTY)

/*
 * Takes a valid leaf away from hardware, keeping it a leaf to software; afterwards hardware changes it no more.
 * Return: what it was at the last.
 */
static inline uint64_t entry_break(uint64_t *entry, uint64_t e, unsigned l)
{
	uint64_t was;

	while ((was = cop_cas(entry, e, make_invalid(e, l), acq_rel)) != e)
		e = was;
	return e;
}

static inline cop_va leaf_start(cop_va va, unsigned l)
{
	return COP_ALIGN_DOWN(va, leaf_bytes(l));
}

static inline cop_va leaf_last(cop_va va, unsigned l)
{
	return va | (leaf_bytes(l) - 1);
}

static inline unsigned run_slots(const struct cop_geom *g, uint64_t e, unsigned l)
{
	return fmt_cont(e, l) ? 1U << fmt_cont_lg2(g, l) : 1;
}

/* ---- a leaf into a table ---- */

static COP_SLOW void split_fill(const struct cop_geom *g, struct cop_ptdesc *child, uint64_t e, unsigned l,
				uint32_t more)
{
	const struct leaf_kind kind = {(leaf_attrs(g, e, l) | more) & ~(uint32_t)COP_CONT, false};
	const unsigned n = table_slots(g, l - 1);

	fill_private(g, table_entries(cop_read(&child->pa)), 0, n, fmt_leaf_pa(g, e, l), l - 1, kind);
	cop_write(&child->state, n);
}

/* Replaces leaf @e, which stays valid until the table takes its place. */
static COP_SLOW void split_direct(const struct cop_geom *g, uint64_t *entry, uint64_t e, struct cop_ptdesc *child,
				  unsigned l)
{
	const uint64_t link = fmt_table(g, cop_read(&child->pa), l);
	uint64_t was;

	/* Hardware may have set it young or dirty since: then the table is filled again. */
	while ((was = cop_cas(entry, e, link, acq_rel)) != e) {
		e = was;
		split_fill(g, child, e, l, 0);
	}
}

static COP_SLOW void split_broken(const struct cop_tree *tree, uint64_t *entry, uint64_t e, struct cop_ptdesc *child,
				  unsigned l, cop_va va)
{
	const uint64_t last = entry_break(entry, e, l);

	invalidate(tree, leaf_start(va, l), leaf_last(va, l), l, COP_TLBI_LEAVES);
	if (last != e)
		split_fill(&tree->geom, child, last, l, 0);
	cop_store(entry, fmt_table(&tree->geom, cop_read(&child->pa), l), release);
}

static COP_SLOW void split_locked(struct cop_gather *gather, uint64_t *entry, uint64_t e, struct cop_ptdesc *child,
				  unsigned l, cop_va va)
{
	const struct cop_tree *tree = gather->tree;
	const struct cop_geom *g = &tree->geom;
	const uint64_t link = fmt_table(g, cop_read(&child->pa), l);
	const struct cop_tlbi tlbi = {leaf_start(va, l),     leaf_last(va, l), tree->asid,
				      (uint8_t)fmt_shift(l), (uint8_t)l,       tree_scope(tree)};

	split_fill(g, child, e, l, 0);
	switch (entry_change(g, e, link, l)) {
	case COP_CHANGE_INSTR:
		cop_entry_xchg(entry, link, &tlbi);
		return;
	case COP_CHANGE_BREAK:
		split_broken(tree, entry, e, child, l, va);
		return;
	default:
		split_direct(g, entry, e, child, l);
		if (entry_covers(g, e, link, l) != COP_COVERS_NONE)
			gather_leaves(gather, tlbi.start, tlbi.last, l);
		return;
	}
}

/* Splits the leaf at @p, if it still is one. */
static COP_SLOW enum walked split_leaf(struct cop_gather *gather, struct cop_stock *stock, struct place p, cop_va va)
{
	struct cop_tree *tree = gather->tree;
	struct cop_ptdesc *d = cop_ptdesc(p.table), *child = stock_take(stock, p.level - 1);
	const unsigned l = p.level;
	const bool constructed = cop_read(&d->flags) & (PTDESC_ROOT | PTDESC_CONSTRUCTED);
	uint64_t tables[COP_MAX_LEVELS] = {0};
	uint64_t e;

	if (!child)
		return WALK_DRY;
	table_init(child, l - 1, 0, constructed ? PTDESC_CONSTRUCTED : 0);
	table_adopt(child, p.table, slot_of(&tree->geom, va, l));
	table_lock(d);
	e = cop_load(p.entry, acquire);
	if (!fmt_present(e, l) || fmt_is_table(e, l)) {
		table_unlock(d);
		stock_put(stock, child, l - 1);
		return WALK_DONE;
	}
	split_locked(gather, p.entry, e, child, l, va);
	table_unlock(d);
	tables[l - 1] = 1;
	account(tree, tables, constructed, true);
	return WALK_DONE;
}

/* ---- a run into leaves ---- */

struct run {
	uint64_t *entries; /* of the run's first member */
	unsigned slot, n, l;
	cop_va start, last;
};

static inline struct run run_at(const struct cop_geom *g, struct place p, cop_va va)
{
	const unsigned n = run_slots(g, p.e, p.level), slot = slot_of(g, va, p.level) & ~(n - 1);
	const uint64_t bytes = (uint64_t)n << fmt_shift(p.level);
	const cop_va start = COP_ALIGN_DOWN(va, bytes);

	return (struct run){table_entries(p.table) + slot, slot, n, p.level, start, start + bytes - 1};
}

/* Young and dirty of a run are what any member says. */
static COP_SLOW uint32_t run_ad(const struct cop_geom *g, const struct run *r)
{
	uint32_t ad = 0;

	for (unsigned i = 0; i < r->n; i++)
		ad |= leaf_attrs(g, cop_load(r->entries + i, relaxed), r->l) & COP_AD;
	return ad;
}

static COP_SLOW bool run_racy(const struct cop_geom *g, const struct run *r)
{
	for (unsigned i = 0; i < r->n; i++)
		if (fmt_racy(g, cop_load(r->entries + i, relaxed), r->l))
			return true;
	return false;
}

/* No member is valid to hardware any more when this returns. Return: young and dirty of the run. */
static COP_SLOW uint32_t run_break(const struct cop_tree *tree, const struct run *r)
{
	const struct cop_geom *g = &tree->geom;
	uint32_t ad = 0;

	for (unsigned i = 0; i < r->n; i++)
		ad |= leaf_attrs(g, entry_break(r->entries + i, cop_load(r->entries + i, relaxed), r->l), r->l) &
		      COP_AD;
	invalidate(tree, r->start, r->last, r->l, COP_TLBI_LEAVES);
	return ad;
}

/* Stores the leaves of a run again: with COP_CONT in @attrs as a run, else as single leaves. */
static COP_SLOW void run_make(const struct cop_geom *g, const struct run *r, cop_pa pa, uint32_t attrs)
{
	for (unsigned i = 0; i < r->n; i++)
		cop_store(r->entries + i, make_leaf(g, pa + ((uint64_t)i << fmt_shift(r->l)), r->l, attrs), relaxed);
}

/* Unfolds or folds the run: @attrs are what its members shall have, without young and dirty. */
static COP_SLOW void run_change(struct cop_gather *gather, const struct run *r, cop_pa pa, uint32_t attrs)
{
	const struct cop_geom *g = &gather->tree->geom;
	const uint64_t old = cop_load(r->entries, relaxed),
		       new_ = make_leaf(g, pa, r->l, attrs | (leaf_attrs(g, old, r->l) & COP_AD));

	/* A bit that hardware sets between reading and storing would be lost, so a racy run is broken too. */
	if (entry_change(g, old, new_, r->l) != COP_CHANGE_DIRECT || run_racy(g, r)) {
		run_make(g, r, pa, attrs | run_break(gather->tree, r));
		gather_made(gather, new_, r->start, r->last, r->l);
		return;
	}
	run_make(g, r, pa, attrs | run_ad(g, r));
	if (entry_covers(g, old, new_, r->l) != COP_COVERS_NONE)
		gather_leaves(gather, r->start, r->last, r->l);
}

static COP_SLOW void unfold(struct cop_gather *gather, struct place p, cop_va va)
{
	const struct cop_geom *g = &gather->tree->geom;
	const struct run r = run_at(g, p, va);
	struct cop_ptdesc *d = cop_ptdesc(p.table);
	uint64_t e;

	table_lock(d);
	e = cop_load(r.entries, acquire);
	if (fmt_present(e, r.l) && !fmt_is_table(e, r.l) && fmt_cont(e, r.l))
		run_change(gather, &r, entry_pa(g, e, r.l, r.slot),
			   leaf_attrs(g, e, r.l) & ~(uint32_t)(COP_AD | COP_CONT));
	table_unlock(d);
}

/* ---- the edges of a range ---- */

/* An edge of a range lies at @at, and what might straddle it maps @inside. */
struct edge {
	cop_va inside, at;
};

static inline struct edge edge_start(cop_va va)
{
	return (struct edge){va, va};
}

static inline struct edge edge_end(cop_va va, uint64_t bytes)
{
	return (struct edge){va + bytes - 1, va + bytes};
}

static inline bool edge_cuts(cop_va at, uint64_t bytes)
{
	return at & (bytes - 1);
}

static inline bool edge_cuts_leaf(struct place p, cop_va at)
{
	return is_leaf(p.e, p.level) && edge_cuts(at, leaf_bytes(p.level));
}

static inline bool edge_cuts_run(const struct cop_geom *g, struct place p, cop_va at)
{
	return is_leaf(p.e, p.level) && fmt_cont(p.e, p.level) &&
	       edge_cuts(at, (uint64_t)run_slots(g, p.e, p.level) << fmt_shift(p.level));
}

/* The lowest level at which the edge still needs a table: COP_MAX_LEVELS if it cuts no leaf. */
static inline unsigned edge_bottom(struct place p, cop_va at)
{
	unsigned l = p.level;

	if (!edge_cuts_leaf(p, at))
		return COP_MAX_LEVELS;
	while (edge_cuts(at, leaf_bytes(l - 1)))
		l--;
	return l - 1;
}

struct edges {
	struct edge start, end;
	bool cut_leaf, cut_run;
	uint32_t tables[STOCK_KINDS];
};

/* Counts the tables that both edges take; those on the way to both are counted once. */
static COP_SLOW struct edges edges_of(const struct cop_tree *tree, cop_va va, uint64_t bytes)
{
	struct edges x = {.start = edge_start(va), .end = edge_end(va, bytes)};
	const struct place a = descend_slowly(tree, x.start.inside), b = descend_slowly(tree, x.end.inside);
	const unsigned bottom_a = edge_bottom(a, x.start.at), bottom_b = edge_bottom(b, x.end.at);

	x.cut_leaf = edge_cuts_leaf(a, x.start.at) || edge_cuts_leaf(b, x.end.at);
	x.cut_run = edge_cuts_run(&tree->geom, a, x.start.at) || edge_cuts_run(&tree->geom, b, x.end.at);
	for (unsigned l = bottom_a; l < a.level; l++)
		x.tables[stock_kind(l)]++;
	for (unsigned l = bottom_b; l < b.level; l++)
		if (a.entry != b.entry || l < bottom_a ||
		    leaf_start(x.start.inside, l + 1) != leaf_start(x.end.inside, l + 1))
			x.tables[stock_kind(l)]++;
	return x;
}

static COP_SLOW enum walked edge_make(struct cop_gather *gather, struct cop_stock *stock, struct edge edge)
{
	const struct cop_geom *g = &gather->tree->geom;

	for (;;) {
		const struct place p = descend_slowly(gather->tree, edge.inside);

		if (edge_cuts_run(g, p, edge.at))
			unfold(gather, p, edge.inside);
		else if (!edge_cuts_leaf(p, edge.at))
			return WALK_DONE;
		else if (split_leaf(gather, stock, p, edge.inside) == WALK_DRY)
			return WALK_DRY;
	}
}

/* Makes leaves end where the range does. Allocates first: on failure nothing has changed. */
static COP_SLOW int edges_make(struct cop_gather *gather, struct edges *x)
{
	struct cop_tree *tree = gather->tree;
	struct cop_stock stock = {.want = {x->tables[STOCK_BOTTOM], x->tables[STOCK_UPPER]}};
	enum walked walked = WALK_DRY;
	unsigned lg2[STOCK_KINDS];

	stock_sizes(&tree->geom, lg2);
	if (!x->cut_leaf && !x->cut_run)
		return 0;
	if (cop_stock_refill(tree, &stock, lg2)) {
		cop_rcu_read_lock();
		walked = edge_make(gather, &stock, x->start);
		if (walked == WALK_DONE)
			walked = edge_make(gather, &stock, x->end);
		cop_rcu_read_unlock();
	}
	cop_stock_drain(tree, &stock);
	return walked == WALK_DONE ? 0 : -COP_ENOMEM;
}

#endif
