/* SPDX-License-Identifier: MIT */
/* grow: levels above the root. What is there already is not touched, so whoever walks it goes on. */
#ifndef COPPICE_TABLES_GROW_H
#define COPPICE_TABLES_GROW_H

#include "tables/walk.h"

/* One level more, as many bits as it has room for. */
static COP_SLOW struct cop_geom grown(const struct cop_geom *g, unsigned va_bits)
{
	struct cop_geom next = *g;

	next.levels++;
	next.va_bits = (uint8_t)(fmt_shift(next.levels) < va_bits ? fmt_shift(next.levels) : va_bits);
	return next;
}

/* A sign-extended tree's upper half would move. */
static COP_SLOW bool upper_half_empty(const struct cop_geom *g, cop_pa root)
{
	const unsigned l = g->levels - 1U, slots = table_slots(g, l);

	for (unsigned i = slots / 2; g->half == COP_HALF_BOTH && i < slots; i++)
		if (cop_load(table_entries(root) + i, relaxed) != fmt_empty(l))
			return false;
	return true;
}

static COP_SLOW int grow_check(const struct cop_tree *tree, unsigned va_bits)
{
	struct cop_geom g = tree->geom, next;

	if (FMT_ARCH == COP_X86_64)
		return -COP_EOPNOTSUPP;
	if (va_bits > 64 || fmt_index_bits(&g, g.levels - 1U) != fmt_shift(g.levels) - fmt_shift(g.levels - 1U))
		return -COP_EINVAL;
	while (g.va_bits < va_bits) {
		next = grown(&g, va_bits);
		if (next.levels > FMT_MAX_LEVELS || fmt_check_geom(&next))
			return -COP_EINVAL;
		g = next;
	}
	return upper_half_empty(&tree->geom, tree->root) ? 0 : -COP_EBUSY;
}

/* A new root over the tree's. The old one is in its first slot, or in its last where addresses end with the last one. */
static COP_SLOW void root_over(struct cop_tree *tree, struct cop_ptdesc *d, const struct cop_geom *g)
{
	const struct cop_top top = cop_top_of(g, cop_read(&d->pa));
	const unsigned l = g->levels - 1U, slots = table_slots(g, l), slot = g->half == COP_HALF_HIGH ? slots - 1 : 0;
	struct cop_ptdesc *old = cop_ptdesc(tree->root);

	cop_fill64(table_entries(top.root), fmt_empty(l), slots * sizeof(uint64_t));
	cop_write(table_entries(top.root) + slot, fmt_table(g, tree->root, l));
	root_init(d, l, 1);
	cop_write(&old->parent, top.root);
	cop_write(&old->slot, (uint16_t)slot);
	cop_fetch_add(&tree->tables[l], 1ULL, relaxed);
	cop_top_set(tree, &top);
}

static COP_SLOW int tables_grow(struct cop_tree *tree, unsigned va_bits)
{
	struct cop_ptdesc *roots[COP_MAX_LEVELS];
	struct cop_geom g = tree->geom;
	unsigned n = 0;
	int err;

	if (va_bits <= g.va_bits)
		return 0;
	err = grow_check(tree, va_bits);
	for (; !err && g.va_bits < va_bits; g = grown(&g, va_bits)) {
		roots[n] = cop_table_new(tree, fmt_table_lg2(&g, g.levels));
		if (roots[n])
			n++;
		else
			err = -COP_ENOMEM;
	}
	if (err) {
		while (n)
			cop_table_free(tree, roots[--n]);
		return err;
	}
	for (unsigned i = 0; i < n; i++) {
		g = grown(&tree->geom, va_bits);
		root_over(tree, roots[i], &g);
	}
	cop_mmu_publish();
	/* Release: the tops that it counts, and what is in them; pairs with every walk's first acquire. */
	cop_store(&tree->levels, (uint32_t)tree->geom.levels, release);
	return 0;
}

#endif
