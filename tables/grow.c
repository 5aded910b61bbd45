/* SPDX-License-Identifier: MIT */
/* grow: levels above the root. What is there already is not touched, so whoever walks it goes on. */
#include "tables/stock.h"

/* One level more, as many bits as it has room for. */
static COP_SLOW void grow_geom(const struct cop_format *f, struct cop_geom *g, unsigned va_bits)
{
	const unsigned room = f->shift(++g->levels);

	g->va_bits = (uint8_t)(room < va_bits ? room : va_bits);
}

/* A sign-extended tree's upper half would move. */
static COP_SLOW bool upper_half_empty(const struct cop_tree *tree)
{
	const struct cop_format *f = tree->ops->format;
	const unsigned l = tree->geom.levels - 1U, slots = 1U << f->index_bits(&tree->geom, l);
	const uint64_t *entries = (uint64_t *)cop_phys(tree->root);

	for (unsigned i = slots / 2; tree->geom.half == COP_HALF_BOTH && i < slots; i++)
		if (cop_load(entries + i, relaxed) != f->empty(l))
			return false;
	return true;
}

static COP_SLOW int grow_check(const struct cop_tree *tree, unsigned va_bits)
{
	const struct cop_format *f = tree->ops->format;
	struct cop_geom g = tree->geom;

	if (f->arch == COP_X86_64)
		return -COP_EOPNOTSUPP;
	/* A root that is only part of a table cannot become one. */
	if (f->shift(g.levels) != f->shift(g.levels - 1U) + f->index_bits(&g, g.levels - 1U))
		return -COP_EINVAL;
	while (g.va_bits < va_bits) {
		if (g.levels == COP_MAX_LEVELS)
			return -COP_EINVAL;
		grow_geom(f, &g, va_bits);
		if (f->check_geom(&g))
			return -COP_EINVAL;
	}
	return upper_half_empty(tree) ? 0 : -COP_EBUSY;
}

/* A new root over the tree's. The old one is in its first slot, or in its last where addresses end with the last one. */
static COP_SLOW void root_over(struct cop_tree *tree, struct cop_ptdesc *d, const struct cop_geom *g)
{
	const struct cop_format *f = tree->ops->format;
	const unsigned l = g->levels - 1U, slots = 1U << f->index_bits(g, l);
	const unsigned slot = g->half == COP_HALF_HIGH ? slots - 1 : 0;
	struct cop_ptdesc *old = cop_ptdesc(tree->root);
	const cop_pa root = cop_read(&d->pa);

	cop_root_init(tree, d, g);
	cop_write((uint64_t *)cop_phys(root) + slot, f->table(g, tree->root, l));
	cop_write(&d->state, (uint64_t)1);
	cop_write(&old->parent, root);
	cop_write(&old->slot, (uint16_t)slot);
	cop_top_set(tree, g, root);
}

COP_SLOW int cop_tree_grow(struct cop_tree *tree, unsigned va_bits)
{
	const struct cop_format *f = tree->ops->format;
	struct cop_ptdesc *roots[COP_MAX_LEVELS];
	struct cop_geom g = tree->geom;
	unsigned n = 0;
	int err;

	if (va_bits <= g.va_bits)
		return 0;
	err = va_bits > 64 ? -COP_EINVAL : grow_check(tree, va_bits);
	while (!err && g.va_bits < va_bits) {
		grow_geom(f, &g, va_bits);
		roots[n] = cop_table_new(tree, f->table_lg2(&g, g.levels - 1U));
		if (roots[n])
			n++;
		else
			err = -COP_ENOMEM;
	}
	while (err && n)
		cop_table_free(tree, roots[--n]);
	g = tree->geom;
	for (unsigned i = 0; i < n; i++) {
		grow_geom(f, &g, va_bits);
		root_over(tree, roots[i], &g);
	}
	cop_mmu_publish();
	/* Release: the tops that it counts, and what is in them; pairs with every walk's first acquire. */
	cop_store(&tree->levels, (uint32_t)tree->geom.levels, release);
	return err;
}
