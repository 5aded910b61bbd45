/* SPDX-License-Identifier: MIT */
/* collapse: tables whose leaves together map what one larger leaf maps become that leaf; runs are folded. Bottom-up. */
#ifndef COPPICE_TABLES_COLLAPSE_H
#define COPPICE_TABLES_COLLAPSE_H

#include "tables/resize.h"

struct collapsing {
	struct cop_tree *tree;
	const struct cop_geom *g;
	struct cop_gather *gather;
	unsigned max_leaf_lg2; /* at least the page */
	long made;
};

/* What a stretch of leaves has in common. attrs: without young, dirty and run; ad: as far as any has them. */
struct common {
	bool same, all_runs;
	cop_pa pa;
	uint32_t attrs, ad;
};

static COP_SLOW struct common leaves_common(const struct cop_geom *g, const uint64_t *entries, unsigned first,
					    unsigned n, unsigned l)
{
	struct common c = {.same = true, .all_runs = true};

	for (unsigned i = 0; i < n; i++) {
		const uint64_t e = cop_load(entries + first + i, relaxed);
		cop_pa pa;
		uint32_t attrs;

		if (!is_leaf(e, l))
			return (struct common){.same = false};
		pa = entry_pa(g, e, l, first + i);
		attrs = leaf_attrs(g, e, l);
		c.ad |= attrs & COP_AD;
		c.all_runs &= (attrs & COP_CONT) != 0;
		attrs &= ~(uint32_t)(COP_AD | COP_CONT);
		if (i == 0) {
			c.pa = pa;
			c.attrs = attrs;
		} else if (pa != c.pa + ((uint64_t)i << fmt_shift(l)) || attrs != c.attrs) {
			return (struct common){.same = false};
		}
	}
	return c;
}

static COP_SLOW bool table_racy(const struct cop_geom *g, const uint64_t *entries, unsigned l)
{
	for (unsigned i = 0; i < table_slots(g, l); i++)
		if (fmt_racy(g, cop_load(entries + i, relaxed), l))
			return true;
	return false;
}

/* The table is dead and a leaf has its slot. @flushed: it has been invalidated already. */
static COP_SLOW void table_replaced(struct collapsing *x, struct cop_ptdesc *d, unsigned l, cop_va va, bool flushed)
{
	uint64_t tables[COP_MAX_LEVELS] = {0};
	const uint8_t flags = cop_read(&d->flags);

	tables[l] = 1;
	account(x->tree, tables, flags & PTDESC_CONSTRUCTED ? 1 : 0, false);
	cop_write(&d->flags, (uint8_t)(flags | PTDESC_REPLACED));
	cop_store(&d->state, COP_TABLE_DEAD, relaxed);
	if (flushed) {
		gather_push(&x->gather->flushed, d);
		return;
	}
	gather_push(&x->gather->detached, d);
	gather_table(x->gather, va);
	gather_leaves(x->gather, leaf_start(va, l + 1), leaf_last(va, l + 1), l);
}

/* The slot holds the leaf meanwhile, invalid: a walk in software still finds it. */
static COP_SLOW void collapse_broken(struct collapsing *x, uint64_t *entry, cop_pa table, struct common c, unsigned l,
				     cop_va va)
{
	uint64_t leaf = make_leaf(x->g, c.pa, l, c.attrs | c.ad);

	cop_store(entry, make_invalid(leaf, l), relaxed);
	invalidate(x->tree, leaf_start(va, l), leaf_last(va, l), l - 1, COP_TLBI_TABLES);
	/* Now hardware sets no more bits in the table. */
	c.ad = leaves_common(x->g, table_entries(table), 0, table_slots(x->g, l - 1), l - 1).ad;
	leaf = make_leaf(x->g, c.pa, l, c.attrs | c.ad);
	cop_store(entry, leaf, relaxed);
	gather_made(x->gather, leaf, leaf_start(va, l), leaf_last(va, l), l);
	table_replaced(x, cop_ptdesc(table), l - 1, va, true);
}

static COP_SLOW void collapse_by_instruction(struct collapsing *x, uint64_t *entry, cop_pa table, uint64_t leaf,
					     unsigned l, cop_va va)
{
	const struct cop_tlbi tlbi = {leaf_start(va, l),  leaf_last(va, l),
				      x->tree->asid,      FMT_PAGE_LG2,
				      COP_TLBI_ANY_LEVEL, (uint8_t)(COP_TLBI_TABLES | tree_scope(x->tree))};

	cop_entry_xchg(entry, leaf, &tlbi);
	table_replaced(x, cop_ptdesc(table), l - 1, va, true);
}

/* Puts a leaf in the place of the table in a slot, if the table's leaves allow that. */
static COP_SLOW void collapse_table(struct collapsing *x, uint64_t *entry, uint64_t e, unsigned l, cop_va va)
{
	const cop_pa table = fmt_table_pa(x->g, e, l);
	const struct common c = leaves_common(x->g, table_entries(table), 0, table_slots(x->g, l - 1), l - 1);
	enum cop_change change;
	uint64_t leaf;

	if (!c.same || (c.pa & (leaf_bytes(l) - 1)) || check_attrs(x->g, c.attrs, l))
		return;
	leaf = make_leaf(x->g, c.pa, l, c.attrs | c.ad);
	change = entry_change(x->g, e, leaf, l);
	if (change == COP_CHANGE_FORBIDDEN)
		return;
	x->made++;
	if (change == COP_CHANGE_INSTR) {
		collapse_by_instruction(x, entry, table, leaf, l, va);
	} else if (change == COP_CHANGE_BREAK || table_racy(x->g, table_entries(table), l - 1)) {
		collapse_broken(x, entry, table, c, l, va);
	} else {
		cop_store(entry, leaf, release);
		table_replaced(x, cop_ptdesc(table), l - 1, va, false);
	}
}

/* Folds what of @n entries from @first on are whole runs. */
static COP_SLOW void collapse_runs(struct collapsing *x, uint64_t *entries, unsigned first, unsigned n, unsigned l,
				   cop_va va)
{
	const unsigned run = 1U << fmt_cont_lg2(x->g, l), end = first + n;

	for (unsigned slot = (first + run - 1) & ~(run - 1); run > 1 && slot + run <= end; slot += run) {
		const struct common c = leaves_common(x->g, entries, slot, run, l);
		const uint64_t bytes = (uint64_t)run << fmt_shift(l);
		const cop_va start = va + ((uint64_t)(slot - first) << fmt_shift(l));
		const struct run r = {entries + slot, slot, run, l, start, start + bytes - 1};

		if (!c.same || c.all_runs || (c.pa & (bytes - 1)) || check_attrs(x->g, c.attrs | COP_CONT, l))
			continue;
		run_change(x->gather, &r, c.pa, c.attrs | COP_CONT);
		x->made++;
	}
}

static COP_SLOW bool collapse_wanted(const struct collapsing *x, unsigned l)
{
	return fmt_can_leaf(x->g, l) && fmt_shift(l) <= x->max_leaf_lg2;
}

static COP_SLOW void collapse_in(struct collapsing *x, cop_pa table, cop_va va, uint64_t bytes, unsigned l)
{
	uint64_t *entries = table_entries(table), *entry = entries + slot_of(x->g, va, l);
	cop_va at = va;

	for (uint64_t left = bytes, room; l && left; left -= room, at += room, entry++) {
		uint64_t e = cop_load(entry, acquire);

		room = entry_room(at, left, l);
		if (!fmt_present(e, l) || !fmt_is_table(e, l))
			continue;
		collapse_in(x, fmt_table_pa(x->g, e, l), at, room, l - 1);
		if (room == leaf_bytes(l) && collapse_wanted(x, l) && !is_root(cop_ptdesc(fmt_table_pa(x->g, e, l))))
			collapse_table(x, entry, cop_load(entry, acquire), l, at);
	}
	if (va & (leaf_bytes(l) - 1)) {
		const uint64_t head = entry_room(va, bytes, l);

		va += head;
		bytes -= head;
	}
	collapse_runs(x, entries, slot_of(x->g, va, l), (unsigned)(bytes >> fmt_shift(l)), l, va);
}

static COP_SLOW long tables_collapse(struct cop_gather *gather, cop_va va, uint64_t bytes, unsigned max_leaf_lg2)
{
	struct cop_tree *tree = gather->tree;
	struct collapsing x = {tree, &tree->geom, gather, max_leaf_lg2 ? max_leaf_lg2 : 64, 0};

	if (!range_ok(x.g, va, bytes) || x.max_leaf_lg2 < FMT_PAGE_LG2)
		return -COP_EINVAL;
	cop_rcu_read_lock();
	collapse_in(&x, tree->root, va, bytes, x.g->levels - 1U);
	cop_rcu_read_unlock();
	cop_mmu_publish();
	return x.made;
}

#endif
