/* SPDX-License-Identifier: MIT */
/*
 * map: a pass over existing tables that proves the range vacant, then the stores. New tables are built privately, with
 * nothing written twice, and published by one store of their link.
 */
#ifndef COPPICE_TABLES_MAP_H
#define COPPICE_TABLES_MAP_H

#include "tables/descend.h"
#include "tables/fill.h"
#include "tables/reclaim.h"

#define COP_MAP_FLAGS ((uint32_t)(COP_MAP_NO_CONT | COP_MAP_NO_CTOR | COP_MAP_CONTENDED))

enum walked {
	WALK_DONE,
	WALK_AGAIN, /* the table is dead: go on from its parent */
	WALK_DRY,   /* the stock is empty */
	WALK_IN_USE,
};

struct mapping {
	struct cop_tree *tree;
	const struct cop_geom *g;
	struct cop_stock stock;
	struct cop_gather gather; /* of tables that a failed installation emptied */
	cop_va va;                /* cursor */
	uint64_t left;            /* bytes from there on */
	uint64_t delta;           /* output address - va */
	struct leaf_kind leaf;
	uint32_t leaf_levels; /* bit l: leaves of level l are allowed */
	uint8_t table_flags;
	uint8_t dry_level; /* of the table that was wanted when the stock was dry */
	bool fence;        /* hardware may know the entries as invalid */
	bool linking;      /* counted in the tree's */
	bool contended;    /* others may map the same page */
	bool vacant;       /* entries are reserved and stay empty: the caller stores them */
	uint64_t tables[COP_MAX_LEVELS];
};

/* ---- vacant? ---- */

static bool entries_empty(const uint64_t *p, unsigned n)
{
	const uint64_t empty = fmt_empty(0);
	uint64_t diff = 0;

	for (; n >= 8 && !diff; n -= 8, p += 8)
		diff = (cop_load(p, relaxed) ^ empty) | (cop_load(p + 1, relaxed) ^ empty) |
		       (cop_load(p + 2, relaxed) ^ empty) | (cop_load(p + 3, relaxed) ^ empty) |
		       (cop_load(p + 4, relaxed) ^ empty) | (cop_load(p + 5, relaxed) ^ empty) |
		       (cop_load(p + 6, relaxed) ^ empty) | (cop_load(p + 7, relaxed) ^ empty);
	for (; n && !diff; n--, p++)
		diff = cop_load(p, relaxed) ^ empty;
	return !diff;
}

static COP_NOINLINE bool range_vacant(const struct cop_geom *g, cop_pa table, cop_va va, uint64_t bytes, unsigned l)
{
	const uint64_t *entry = table_entries(table) + slot_of(g, va, l);

	if (l == 0)
		return entries_empty(entry, (unsigned)(bytes >> FMT_PAGE_LG2));
	while (bytes) {
		const uint64_t room = entry_room(va, bytes, l);
		const uint64_t e = cop_load(entry, acquire);

		if (fmt_present(e, l)) {
			if (!fmt_is_table(e, l) || !range_vacant(g, fmt_table_pa(g, e, l), va, room, l - 1))
				return false;
		} else if (e != fmt_empty(l) && entry_kind(g, e, l) != COP_MARKER) {
			return false;
		}
		va += room;
		bytes -= room;
		entry++;
	}
	return true;
}

static COP_SLOW bool tree_vacant(const struct cop_tree *tree, cop_va va, uint64_t bytes)
{
	bool vacant;

	cop_rcu_read_lock();
	vacant = range_vacant(&tree->geom, tree->root, va, bytes, tree->geom.levels - 1U);
	cop_rcu_read_unlock();
	return vacant;
}

/* ---- the cursor ---- */

static inline void map_advance(struct mapping *m, uint64_t bytes)
{
	m->va += bytes;
	m->left -= bytes;
}

/* How many leaves of level @l can be put at the cursor, given @room bytes in the table. */
static inline unsigned map_leaves(const struct mapping *m, uint64_t room, unsigned l)
{
	if (!(m->leaf_levels >> l & 1) || ((m->va | (m->va + m->delta)) & (leaf_bytes(l) - 1)))
		return 0;
	return (unsigned)(room >> fmt_shift(l));
}

static inline bool map_done_with(const struct mapping *m, uint64_t stop)
{
	return m->left <= stop;
}

/* ---- new tables ---- */

static inline void table_init(struct cop_ptdesc *d, unsigned l, uint64_t used, uint8_t flags)
{
	cop_write(&d->state, used);
	cop_write(&d->level, (uint8_t)l);
	cop_write(&d->flags, flags);
	table_lock_init(d);
}

static inline void table_adopt(struct cop_ptdesc *d, cop_pa parent, unsigned slot)
{
	cop_write(&d->parent, parent);
	cop_write(&d->slot, (uint16_t)slot);
}

static unsigned build_slots(struct mapping *m, cop_pa table, uint64_t *entries, unsigned first, uint64_t stop,
			    unsigned l);

/*
 * A private table of level @l with the range from the cursor on, as far as the stock reaches; the cursor moves. Return: NULL
 * if the stock has not got what it takes to put anything there.
 */
static struct cop_ptdesc *build(struct mapping *m, unsigned l)
{
	const struct cop_geom *g = m->g;
	const unsigned first = slot_of(g, m->va, l), slots = table_slots(g, l);
	const uint64_t room = table_room(g, m->va, m->left, l);
	struct cop_ptdesc *d = stock_take(&m->stock, l);
	uint64_t *entries;
	unsigned end;

	if (!d) {
		m->dry_level = (uint8_t)l;
		return NULL;
	}
	entries = table_entries(cop_read(&d->pa));
	end = build_slots(m, cop_read(&d->pa), entries, first, m->left - room, l);
	if (end == first) {
		/* This one is wanted again too, so the stock must come to hold both. */
		m->dry_level = (uint8_t)l;
		stock_put(&m->stock, d, l);
		return NULL;
	}
	cop_fill64(entries, fmt_empty(l), first * sizeof(*entries));
	cop_fill64(entries + end, fmt_empty(l), (slots - end) * sizeof(*entries));
	table_init(d, l, end - first, m->table_flags);
	m->tables[l]++;
	return d;
}

static unsigned build_slots(struct mapping *m, cop_pa table, uint64_t *entries, unsigned first, uint64_t stop,
			    unsigned l)
{
	unsigned slot = first;

	while (!map_done_with(m, stop)) {
		unsigned n = map_leaves(m, m->left - stop, l);

		if (n) {
			if (m->vacant)
				cop_fill64(entries + slot, fmt_empty(l), n * sizeof(*entries));
			else
				fill_private(m->g, entries, slot, n, m->va + m->delta, l, m->leaf);
			map_advance(m, (uint64_t)n << fmt_shift(l));
		} else {
			struct cop_ptdesc *child = build(m, l - 1);

			if (!child)
				break;
			table_adopt(child, table, slot);
			cop_write(entries + slot, fmt_table(m->g, cop_read(&child->pa), l));
			n = 1;
		}
		slot += n;
	}
	return slot;
}

/* Gives a private subtree back to the stock. */
static COP_SLOW void unbuild(struct mapping *m, struct cop_ptdesc *d, unsigned l)
{
	const uint64_t *entries = table_entries(cop_read(&d->pa));

	for (unsigned i = 0; l && i < table_slots(m->g, l); i++) {
		const uint64_t e = cop_read(entries + i);

		if (fmt_present(e, l) && fmt_is_table(e, l))
			unbuild(m, cop_ptdesc(fmt_table_pa(m->g, e, l)), l - 1);
	}
	m->tables[l]--;
	stock_put(&m->stock, d, l);
}

/* ---- linking ---- */

/* Hardware may have cached the entry as invalid and nothing makes up for that (riscv64). */
static COP_ALWAYS_INLINE bool map_wants_fence(const struct cop_geom *g, uint32_t attrs)
{
	return FMT_CACHES_INVALID && fmt_covers(g, fmt_empty(0), fmt_leaf(g, 0, 0, attrs), 0) != COP_COVERS_NONE;
}

/*
 * Makes valid entries known. A fence for leaves does not reach a table's entry that was cached before the table was linked;
 * nor is it known who linked it: while anybody is between linking and the fence, everybody's fence is for tables too.
 */
static COP_ALWAYS_INLINE void map_fence(struct cop_tree *tree, cop_va first, cop_va last, unsigned l)
{
	/* Acquire: who finds a table and not its linker counted comes after the linker's fence; pairs with map_linked(). */
	invalidate(tree, first, last, l, cop_load(&tree->linking, acquire) ? COP_TLBI_TABLES : COP_TLBI_LEAVES);
}

/* Before the first link; the store of the link is a release, so who sees the table sees this. */
static inline void map_linking(struct mapping *m)
{
	if (!FMT_CACHES_INVALID || !m->fence || m->linking)
		return;
	m->linking = true;
	(void)cop_fetch_add(&m->tree->linking, 1U, relaxed);
}

/* Release: after the fence; pairs with map_fence(). */
static inline void map_linked(const struct mapping *m)
{
	if (FMT_CACHES_INVALID && m->linking)
		(void)cop_fetch_add(&m->tree->linking, -1U, release);
}

/* A failed installation gives back what it reserved; if that empties the table, it is the one to reclaim it. */
static inline void map_unreserve(struct mapping *m, struct cop_ptdesc *d, uint64_t n)
{
	if (unreserve(d, n) == 0)
		reclaim(&m->gather, d, 0, m->va);
}

/*
 * All that walk caches may know below a slot of level @l that held a table: tables below that one may have been unlinked
 * with it, and walks of any address in the slot may come by one of them.
 */
static COP_SLOW void invalidate_slot(const struct cop_tree *tree, cop_va va, unsigned l)
{
	const cop_va first = COP_ALIGN_DOWN(va, leaf_bytes(l)), last = va | (leaf_bytes(l) - 1);

	if (l == 1)
		invalidate(tree, first, first | (PAGE_BYTES - 1), 0, COP_TLBI_TABLES);
	else
		invalidate(tree, first, last, 1, COP_TLBI_TABLES);
}

/*
 * Links a new table at @slot, where @e was: empty or a marker. A marker's table may still be in walk caches, so what its
 * owner has not yet invalidated is invalidated here.
 */
static COP_SLOW enum walked map_install(struct mapping *m, struct cop_ptdesc *d, cop_pa table, unsigned slot,
					uint64_t e, unsigned l)
{
	uint64_t *entry = table_entries(table) + slot;
	const cop_va va = m->va;
	const uint64_t left = m->left;
	struct cop_ptdesc *child = build(m, l - 1);

	if (!child)
		return WALK_DRY;
	table_adopt(child, table, slot);
	map_linking(m);
	if (reserve(d, 1)) {
		if (e != fmt_empty(l)) {
			cop_fence_full();
			invalidate_slot(m->tree, va, l);
		}
		/* Release: the table's contents first; pairs with every walk's acquire. */
		if (cop_cas(entry, e, fmt_table(m->g, cop_read(&child->pa), l), acq_rel) == e)
			return WALK_DONE;
		m->va = va;
		m->left = left;
		unbuild(m, child, l - 1);
		map_unreserve(m, d, 1);
		return WALK_DONE;
	}
	m->va = va;
	m->left = left;
	unbuild(m, child, l - 1);
	return WALK_AGAIN;
}

/*
 * Slots that the range covers wholly are nobody else's: one reservation and plain stores for as many as the stock has
 * tables for. Return: how many were linked.
 */
static unsigned map_install_many(struct mapping *m, struct cop_ptdesc *d, cop_pa table, unsigned slot, unsigned n,
				 unsigned l)
{
	uint64_t *entry = table_entries(table) + slot;
	unsigned done = 0;

	if (n > m->stock.have[stock_kind(l - 1)])
		n = m->stock.have[stock_kind(l - 1)];
	if (n < 2 || !reserve(d, n))
		return 0;
	map_linking(m);
	for (; done < n && cop_load(entry, relaxed) == fmt_empty(l); done++, entry++) {
		struct cop_ptdesc *child = build(m, l - 1);

		if (!child)
			break;
		table_adopt(child, table, slot + done);
		/* Release: the table's contents first; pairs with every walk's acquire. */
		cop_store(entry, fmt_table(m->g, cop_read(&child->pa), l), release);
	}
	if (done < n)
		map_unreserve(m, d, n - done);
	return done;
}

/* A reserved entry that others may want too: under the lock of its table. Return: false if one has been faster. */
static COP_SLOW bool fill_contended(const struct mapping *m, struct cop_ptdesc *d, cop_pa table, unsigned l)
{
	const unsigned slot = slot_of(m->g, m->va, l);
	bool empty;

	table_lock(d);
	empty = cop_load(table_entries(table) + slot, relaxed) == fmt_empty(l);
	/* Release: the page is whole before it is mapped; pairs with the acquire of walkers that get it, as GUP. */
	if (empty)
		cop_store(table_entries(table) + slot, make_leaf(m->g, m->va + m->delta, l, m->leaf.attrs), release);
	table_unlock(d);
	return empty;
}

static enum walked map_in(struct mapping *m, cop_pa table, unsigned l);

static enum walked map_child(struct mapping *m, struct cop_ptdesc *d, cop_pa table, uint64_t room, unsigned l)
{
	const unsigned slot = slot_of(m->g, m->va, l);
	const uint64_t e = cop_load(table_entries(table) + slot, acquire);
	enum walked walked;

	if (fmt_present(e, l)) {
		const cop_pa child = fmt_table_pa(m->g, e, l);

		if (!fmt_is_table(e, l))
			return WALK_IN_USE;
		walked = map_in(m, child, l - 1);
		if (walked != WALK_AGAIN)
			return walked;
		/* Whoever killed it may not have come to unlinking it: do not wait for that. */
		table_unlink(m->tree, cop_ptdesc(child), m->va);
		return WALK_DONE;
	}
	if ((m->va & (leaf_bytes(l) - 1)) == 0 && e == fmt_empty(l) &&
	    map_install_many(m, d, table, slot, (unsigned)(room >> fmt_shift(l)), l))
		return WALK_DONE;
	return map_install(m, d, table, slot, e, l);
}

/* Maps what of the range lies in a linked table. */
static enum walked map_in(struct mapping *m, cop_pa table, unsigned l)
{
	struct cop_ptdesc *d = cop_ptdesc(table);
	const uint64_t stop = m->left - table_room(m->g, m->va, m->left, l);

	while (!map_done_with(m, stop)) {
		const unsigned n = map_leaves(m, m->left - stop, l);
		enum walked walked;

		if (n) {
			if (!reserve(d, n))
				return WALK_AGAIN;
			if (!m->contended && !m->vacant) {
				fill_linked(m->g, table_entries(table), slot_of(m->g, m->va, l), n, m->va + m->delta, l,
					    m->leaf);
			} else if (m->contended && !fill_contended(m, d, table, l)) {
				map_unreserve(m, d, n);
				return WALK_IN_USE;
			}
			map_advance(m, (uint64_t)n << fmt_shift(l));
			continue;
		}
		walked = map_child(m, d, table, m->left - stop, l);
		if (walked != WALK_DONE)
			return walked;
	}
	return WALK_DONE;
}

/* ---- the whole ---- */

/* Tables of level @l that the rest of the range may still need. */
static uint64_t map_need(const struct mapping *m, unsigned l)
{
	const cop_va last = m->va + m->left - 1;
	uint64_t spans = fmt_shift(l + 1) >= 64 ? 1 : (last >> fmt_shift(l + 1)) - (m->va >> fmt_shift(l + 1)) + 1;

	/* Where larger leaves fit, only the ends are in smaller ones. */
	if ((m->leaf_levels >> (l + 1)) && !(m->delta & (leaf_bytes(l + 1) - 1))) {
		const uint64_t ends =
			((m->va & (leaf_bytes(l + 1) - 1)) != 0) + 0ULL + (((last + 1) & (leaf_bytes(l + 1) - 1)) != 0);

		spans = spans < ends ? spans : ends;
	}
	return l > m->dry_level && spans ? spans - 1 : spans;
}

static COP_SLOW bool map_refill(struct mapping *m)
{
	const uint64_t bottom = map_need(m, 0);
	uint64_t upper = 0, most = bottom ? 8 : STOCK_BATCH;
	unsigned lg2[STOCK_KINDS];

	stock_sizes(m->g, lg2);
	for (unsigned l = 1; l + 1 < m->g->levels; l++)
		upper += map_need(m, l);
	m->stock.want[STOCK_BOTTOM] = (uint32_t)(bottom < STOCK_BATCH ? bottom : STOCK_BATCH);
	m->stock.want[STOCK_UPPER] = (uint32_t)(upper < most ? upper : most);
	return cop_stock_refill(m->tree, &m->stock, lg2);
}

static enum walked map_walk(struct mapping *m)
{
	enum walked walked;
	bool starved = false;

	for (;;) {
		cop_rcu_read_lock();
		walked = map_in(m, m->tree->root, m->g->levels - 1U);
		cop_rcu_read_unlock();
		if (walked != WALK_DRY || starved)
			return walked;
		starved = !map_refill(m);
	}
}

static struct cop_unmapped unmap_range(struct cop_gather *, cop_va, uint64_t, uint32_t, struct cop_detached_run *,
				       unsigned);

/* What was mapped goes again; it was whole, so nothing is split and nothing allocated. */
static COP_SLOW void map_undo(struct mapping *m, cop_va start)
{
	if (m->va != start)
		(void)unmap_range(&m->gather, start, m->va - start, COP_UNMAP_BLIND, NULL, 0);
	/* Others may use what was linked here. */
	if (FMT_CACHES_INVALID && m->linking)
		map_fence(m->tree, start, start | (PAGE_BYTES - 1), COP_TLBI_ANY_LEVEL);
	map_linked(m);
}

static COP_SLOW void map_account(const struct mapping *m)
{
	uint64_t linked = 0;

	for (unsigned l = 0; l < COP_MAX_LEVELS; l++)
		linked += m->tables[l];
	account(m->tree, m->tables, m->table_flags & PTDESC_CONSTRUCTED ? linked : 0, true);
}

static COP_NOINLINE void map_publish(const struct mapping *m, cop_va start, uint64_t bytes)
{
	if (m->fence)
		map_fence(m->tree, start, start + bytes - 1, COP_TLBI_ANY_LEVEL);
	else
		cop_mmu_publish();
	map_linked(m);
}

static COP_SLOW uint32_t map_leaf_levels(const struct cop_geom *g, uint32_t attrs, unsigned max_leaf_lg2)
{
	uint32_t levels = 1;

	for (unsigned l = 1; l < g->levels; l++)
		if (fmt_can_leaf(g, l) && (!max_leaf_lg2 || fmt_shift(l) <= max_leaf_lg2) &&
		    !fmt_check_attrs(g, attrs, l))
			levels |= 1U << l;
	return levels;
}

static COP_NOINLINE int map_range(struct cop_tree *tree, cop_va va, cop_pa pa, uint64_t bytes, uint32_t attrs,
				  unsigned max_leaf_lg2, uint32_t flags)
{
	struct mapping m = {.tree = tree, .g = &tree->geom, .va = va, .left = bytes, .delta = pa - va};
	enum walked walked;

	cop_gather_begin(&m.gather, tree);
	m.leaf = (struct leaf_kind){attrs, !(flags & COP_MAP_NO_CONT)};
	m.leaf_levels = map_leaf_levels(m.g, attrs, max_leaf_lg2);
	m.fence = map_wants_fence(m.g, attrs);
	m.contended = flags & COP_MAP_CONTENDED;
	m.table_flags = flags & COP_MAP_NO_CTOR ? 0 : PTDESC_CONSTRUCTED;
	if (!tree_vacant(tree, va, bytes))
		return -COP_EADDRINUSE;
	walked = map_walk(&m);
	map_account(&m);
	if (walked != WALK_DONE)
		map_undo(&m, va);
	else
		map_publish(&m, va, bytes);
	cop_stock_drain(tree, &m.stock);
	(void)tables_finish(&m.gather);
	if (walked == WALK_DONE)
		return 0;
	return walked == WALK_DRY ? -COP_ENOMEM : -COP_EADDRINUSE;
}

/* One page into a table that exists: the straight line. Return: 1 if it takes more than that. */
static COP_ALWAYS_INLINE int map_page(struct cop_tree *tree, cop_va va, cop_pa pa, uint32_t attrs)
{
	const struct place p = descend(tree, va);

	if (p.level != 0)
		return 1;
	if (p.e != fmt_empty(0))
		return -COP_EADDRINUSE;
	if (!reserve(cop_ptdesc(p.table), 1))
		return 1;
	/* Release: as in fill_contended(). */
	cop_store(p.entry, fmt_leaf(&tree->geom, pa, 0, attrs), release);
	if (map_wants_fence(&tree->geom, attrs))
		map_fence(tree, va, va | (PAGE_BYTES - 1), 0);
	else
		cop_mmu_publish();
	return 0;
}

/* Whatever is not the straight line. */
static COP_NOINLINE int map_checked(struct cop_tree *tree, cop_va va, cop_pa pa, uint64_t bytes, uint32_t attrs,
				    unsigned max_leaf_lg2, uint32_t flags)
{
	const struct cop_geom *g = &tree->geom;
	int err;

	if (!range_ok(g, va, bytes) || !output_ok(g, pa, bytes) || (attrs & COP_CONT))
		return -COP_EINVAL;
	if ((max_leaf_lg2 && max_leaf_lg2 < FMT_PAGE_LG2) || (flags & ~COP_MAP_FLAGS))
		return -COP_EINVAL;
	if ((flags & COP_MAP_CONTENDED) && bytes != PAGE_BYTES)
		return -COP_EINVAL;
	err = check_attrs(g, attrs, 0);
	return err ? err : map_range(tree, va, pa, bytes, attrs, max_leaf_lg2, flags);
}

static COP_ALWAYS_INLINE int tables_map(struct cop_tree *tree, cop_va va, cop_pa pa, uint64_t bytes, uint32_t attrs,
					unsigned max_leaf_lg2, uint32_t flags)
{
	const struct cop_geom *g = &tree->geom;
	int err;

	if (bytes == PAGE_BYTES && page_ok(tree, va) && output_ok(g, pa, PAGE_BYTES) &&
	    !((attrs & COP_CONT) | (flags & ~(COP_MAP_FLAGS ^ COP_MAP_CONTENDED))) &&
	    (!max_leaf_lg2 || max_leaf_lg2 >= FMT_PAGE_LG2) && !fmt_check_attrs(g, attrs, 0)) {
		cop_rcu_read_lock();
		err = map_page(tree, va, pa, attrs);
		cop_rcu_read_unlock();
		if (COP_LIKELY(err <= 0))
			return err;
	}
	return map_checked(tree, va, pa, bytes, attrs, max_leaf_lg2, flags);
}

#endif
