/* SPDX-License-Identifier: MIT */
/* protect: new attributes for every leaf of a range. */
#ifndef COPPICE_TABLES_PROTECT_H
#define COPPICE_TABLES_PROTECT_H

#include "tables/unmap.h"

struct protecting {
	struct cop_tree *tree;
	const struct cop_geom *g;
	struct cop_gather *gather;
	uint32_t attrs; /* without young, dirty, run */
	cop_va va;
	uint64_t left;
};

static inline uint64_t protected_entry(const struct protecting *x, uint64_t e, unsigned slot, unsigned l)
{
	return make_leaf(x->g, entry_pa(x->g, e, l, slot), l,
			 x->attrs | (leaf_attrs(x->g, e, l) & (COP_AD | COP_CONT)));
}

/* Return: 0; -COP_ENOENT (a hole), -COP_EINVAL (attributes that a leaf of the range cannot have). */
static COP_SLOW int protect_check(const struct protecting *x, cop_pa table, cop_va va, uint64_t bytes, unsigned l)
{
	unsigned slot = slot_of(x->g, va, l);
	int err = 0;

	for (; bytes && !err; slot++) {
		const uint64_t room = entry_room(va, bytes, l), e = cop_load(table_entries(table) + slot, acquire);

		if (!fmt_present(e, l))
			err = -COP_ENOENT;
		else if (fmt_is_table(e, l))
			err = protect_check(x, fmt_table_pa(x->g, e, l), va, room, l - 1);
		else if (check_attrs(x->g, x->attrs, l) ||
			 entry_change(x->g, e, protected_entry(x, e, slot, l), l) == COP_CHANGE_FORBIDDEN)
			err = -COP_EINVAL;
		va += room;
		bytes -= room;
	}
	return err;
}

static COP_SLOW void protect_direct(struct protecting *x, uint64_t *entry, uint64_t e, unsigned slot, unsigned l)
{
	const cop_va va = leaf_start(x->va, l);
	uint64_t new_ = protected_entry(x, e, slot, l), was;

	while ((was = cop_cas(entry, e, new_, relaxed)) != e) {
		e = was;
		new_ = protected_entry(x, e, slot, l);
	}
	if (entry_covers(x->g, e, new_, l) != COP_COVERS_NONE)
		gather_leaves(x->gather, va, leaf_last(va, l), l);
}

static COP_SLOW void protect_by_instruction(struct protecting *x, uint64_t *entry, uint64_t new_, unsigned l)
{
	const cop_va va = leaf_start(x->va, l);
	const struct cop_tlbi tlbi = {va,         leaf_last(va, l),   x->tree->asid, (uint8_t)fmt_shift(l),
				      (uint8_t)l, tree_scope(x->tree)};

	cop_entry_xchg(entry, new_, &tlbi);
}

/* Return: whether the entry was broken and is to be made again when that is invalidated. */
static COP_SLOW bool protect_one(struct protecting *x, uint64_t *entry, unsigned slot, unsigned l)
{
	const uint64_t e = cop_load(entry, relaxed), new_ = protected_entry(x, e, slot, l);

	if (e == new_)
		return false;
	switch (entry_change(x->g, e, new_, l)) {
	case COP_CHANGE_BREAK:
		(void)entry_break(entry, e, l);
		return true;
	case COP_CHANGE_INSTR:
		protect_by_instruction(x, entry, new_, l);
		return false;
	default:
		protect_direct(x, entry, e, slot, l);
		return false;
	}
}

/* The leaves of one table are broken together, so that one invalidation does for all. */
static COP_SLOW void protect_leaves(struct protecting *x, uint64_t *entries, unsigned first, unsigned n, unsigned l)
{
	const cop_va start = x->va;
	bool broken = false;

	for (unsigned i = 0; i < n; i++) {
		broken |= protect_one(x, entries + first + i, first + i, l);
		x->va += leaf_bytes(l);
		x->left -= leaf_bytes(l);
	}
	if (!broken)
		return;
	invalidate(x->tree, start, x->va - 1, l, COP_TLBI_LEAVES);
	for (unsigned i = first; i < first + n; i++) {
		const uint64_t e = cop_load(entries + i, relaxed), new_ = protected_entry(x, e, i, l);

		/* One that was not broken is as it shall be, and hardware may set bits in it at any time. */
		if (e != new_)
			cop_store(entries + i, new_, relaxed);
	}
	gather_made(x->gather, cop_load(entries + first, relaxed), start, x->va - 1, l);
}

static COP_SLOW void protect_in(struct protecting *x, cop_pa table, unsigned l)
{
	const uint64_t stop = x->left - table_room(x->g, x->va, x->left, l);
	uint64_t *entries = table_entries(table);

	while (x->left > stop) {
		const unsigned slot = slot_of(x->g, x->va, l), whole = (unsigned)((x->left - stop) >> fmt_shift(l));
		const uint64_t e = cop_load(entries + slot, acquire);

		if (fmt_is_table(e, l))
			protect_in(x, fmt_table_pa(x->g, e, l), l - 1);
		else
			protect_leaves(x, entries, slot, leaf_stretch(entries, slot, whole, l), l);
	}
}

static COP_SLOW int tables_protect(struct cop_gather *gather, cop_va va, uint64_t bytes, uint32_t attrs)
{
	struct cop_tree *tree = gather->tree;
	struct protecting x = {tree, &tree->geom, gather, attrs & ~(uint32_t)COP_AD, va, bytes};
	struct edges edges;
	int err;

	if (!range_ok(x.g, va, bytes) || (attrs & COP_CONT))
		return -COP_EINVAL;
	err = check_attrs(x.g, attrs, 0);
	if (err)
		return err;
	cop_rcu_read_lock();
	err = protect_check(&x, tree->root, va, bytes, x.g->levels - 1U);
	edges = edges_of(tree, va, bytes);
	cop_rcu_read_unlock();
	if (!err)
		err = edges_make(gather, &edges);
	if (err)
		return err;
	cop_rcu_read_lock();
	protect_in(&x, tree->root, x.g->levels - 1U);
	cop_rcu_read_unlock();
	cop_mmu_publish();
	return 0;
}

#endif
