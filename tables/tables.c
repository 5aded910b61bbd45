/* SPDX-License-Identifier: MIT */
/* What needs no format: trees, stocks, the way from the API to the algorithms compiled for a format. */
#include "tables/stock.h"

#define TREE_OF(source_) ((struct cop_tree *)((char *)(uintptr_t)(source_)-offsetof(struct cop_tree, source)))
#define PTDESC_OF(rcu_)  ((struct cop_ptdesc *)((char *)(rcu_)-offsetof(struct cop_ptdesc, rcu)))

COP_STATIC_ASSERT(sizeof(struct cop_ptdesc) <= 64, "one descriptor is one cache line");

/* ---- tables ---- */

COP_SLOW struct cop_ptdesc *cop_table_new(struct cop_tree *tree, unsigned lg2)
{
	const cop_pa pa = tree->source.alloc(tree->source.ctx, lg2);
	struct cop_ptdesc *d;

	if (pa == COP_PA_NONE)
		return NULL;
	d = cop_ptdesc(pa);
	cop_write(&d->source, &tree->source);
	cop_write(&d->pa, pa);
	cop_write(&d->lg2, (uint8_t)lg2);
	return d;
}

void cop_table_free(struct cop_tree *tree, struct cop_ptdesc *d)
{
	tree->source.free(tree->source.ctx, cop_read(&d->pa), cop_read(&d->lg2));
}

bool cop_stock_refill(struct cop_tree *tree, struct cop_stock *stock, const unsigned lg2[STOCK_KINDS])
{
	for (unsigned kind = 0; kind < STOCK_KINDS; kind++) {
		struct cop_ptdesc **tail = &stock->list[kind];

		while (stock->have[kind] < stock->want[kind]) {
			struct cop_ptdesc *d = cop_table_new(tree, lg2[kind]);

			if (!d)
				return false;
			cop_write(&d->next, cop_read(tail));
			cop_write(tail, d);
			tail = &d->next;
			stock->have[kind]++;
		}
	}
	return true;
}

void cop_stock_drain(struct cop_tree *tree, struct cop_stock *stock)
{
	for (unsigned kind = 0; kind < STOCK_KINDS; kind++)
		while (stock->list[kind]) {
			struct cop_ptdesc *d = stock->list[kind];

			stock->list[kind] = cop_read(&d->next);
			stock->have[kind]--;
			cop_table_free(tree, d);
		}
}

void cop_tables_free_deferred(cop_rcu *rcu)
{
	struct cop_ptdesc *d = PTDESC_OF(rcu), *next;
	struct cop_tree *tree = TREE_OF(cop_read(&d->source));

	for (; d; d = next) {
		next = cop_read(&d->next);
		cop_table_free(tree, d);
	}
	/* Release: after this the tree may be gone; pairs with the await of cop_tree_destroy(). */
	cop_fetch_add(&tree->deferred, -1ULL, release);
}

/* ---- trees ---- */

static COP_SLOW const struct cop_table_ops *ops_for(const struct cop_geom *geom)
{
	switch (geom->arch) {
	case COP_ARM64:
		return geom->page_lg2 == 12   ? &cop_tables_arm64_4k
		       : geom->page_lg2 == 14 ? &cop_tables_arm64_16k
		       : geom->page_lg2 == 16 ? &cop_tables_arm64_64k
					      : NULL;
	case COP_X86_64:
		return geom->page_lg2 == 12 ? &cop_tables_x86_64 : NULL;
	case COP_RISCV64:
		return &cop_tables_riscv64;
	case COP_S390X:
		return geom->page_lg2 == 12 ? &cop_tables_s390x : NULL;
	default:
		return NULL;
	}
}

/* 0 for the low half; what moves the high one, or both around 0, to where the low one is. */
static cop_va va_bias(const struct cop_geom *geom)
{
	if (geom->half == COP_HALF_LOW || geom->va_bits >= 64)
		return 0;
	return COP_LG2(geom->half == COP_HALF_HIGH ? geom->va_bits : geom->va_bits - 1);
}

/* What lockless walkers read is not written: features and the like stay what they are. */
COP_SLOW void cop_top_set(struct cop_tree *tree, const struct cop_geom *geom, cop_pa root)
{
	struct cop_top *top = &tree->top[geom->levels - 1];

	tree->geom.levels = geom->levels;
	tree->geom.va_bits = geom->va_bits;
	top->geom = *geom;
	tree->root = top->root = root;
	tree->va_bias = top->va_bias = va_bias(geom);
	tree->va_mask = top->va_mask = ~(cop_va)0 >> (64 - geom->va_bits);
}

COP_SLOW void cop_root_init(struct cop_tree *tree, struct cop_ptdesc *d, const struct cop_geom *geom)
{
	const struct cop_format *f = tree->ops->format;
	const unsigned l = geom->levels - 1U;

	cop_fill64(cop_phys(cop_read(&d->pa)), f->empty(l), sizeof(uint64_t) << f->index_bits(geom, l));
	cop_write(&d->state, (uint64_t)0);
	cop_write(&d->parent, COP_PA_NONE);
	cop_write(&d->slot, (uint16_t)0);
	cop_write(&d->level, (uint8_t)l);
	cop_write(&d->flags, (uint8_t)PTDESC_ROOT);
	table_lock_init(d);
	cop_fetch_add(&tree->tables[l], 1ULL, relaxed);
}

/* Does an invalidation interrupt the CPUs that it reaches, whatever they do? */
static bool invalidates_by_interrupt(const struct cop_geom *geom)
{
	return geom->arch == COP_X86_64 && !(geom->features & COP_F_INVLPGB);
}

COP_SLOW int cop_tree_set_reclaim(struct cop_tree *tree, uint32_t flags)
{
	const uint32_t all = COP_TREE_FREE_BY_IPI | COP_TREE_FREE_AT_ONCE;

	if ((flags & ~all) || flags == all)
		return -COP_EINVAL;
	if ((flags & COP_TREE_FREE_AT_ONCE) && !invalidates_by_interrupt(&tree->geom))
		return -COP_EOPNOTSUPP;
	tree->flags = (tree->flags & ~all) | flags;
	return 0;
}

COP_SLOW int cop_tree_init(struct cop_tree *tree, const struct cop_geom *geom, const struct cop_table_source *source,
			   uint32_t asid, uint32_t flags)
{
	const struct cop_table_ops *ops = ops_for(geom);
	struct cop_ptdesc *d;

	if (!ops || geom->levels == 0 || geom->levels > COP_MAX_LEVELS || ops->format->check_geom(geom))
		return -COP_EINVAL;
	*tree = (struct cop_tree){.ops = ops, .geom = *geom, .source = *source, .asid = asid, .flags = flags};
	d = cop_table_new(tree, ops->format->table_lg2(geom, geom->levels - 1U));
	if (!d)
		return -COP_ENOMEM;
	cop_root_init(tree, d, geom);
	cop_top_set(tree, geom, cop_read(&d->pa));
	tree->levels = geom->levels;
	return 0;
}

/* A root that has grown holds the one before it. */
static bool holds_only_roots(const struct cop_tree *tree)
{
	const struct cop_top *top = &tree->top[tree->geom.levels - 1];
	bool older;

	do {
		older = top != tree->top && top[-1].geom.levels;
		if (cop_load(&cop_ptdesc(top->root)->state, acquire) != older)
			return false;
		top--;
	} while (older);
	return true;
}

COP_SLOW int cop_tree_destroy(struct cop_tree *tree)
{
	uint64_t deferred;

	if (!holds_only_roots(tree))
		return -COP_EBUSY;
	cop_rcu_sync();
	cop_await(&tree->deferred, deferred, deferred == 0);
	for (unsigned l = tree->geom.levels; l-- > 0;) {
		if (!tree->top[l].geom.levels)
			continue;
		cop_table_free(tree, cop_ptdesc(tree->top[l].root));
		cop_store(&tree->tables[l], (uint64_t)0, relaxed);
	}
	tree->root = COP_PA_NONE;
	return 0;
}

COP_SLOW uint64_t cop_tree_table_bytes(const struct cop_tree *tree)
{
	const struct cop_geom *g = &tree_top(tree)->geom;
	uint64_t bytes = 0;

	for (unsigned l = 0; l < g->levels; l++)
		bytes += cop_load(&tree->tables[l], relaxed) << tree->ops->format->table_lg2(g, l);
	return bytes;
}

/* ---- dispatch ---- */

int cop_map(struct cop_tree *tree, cop_va va, cop_pa pa, uint64_t bytes, uint32_t attrs, unsigned max_leaf_lg2,
	    uint32_t flags)
{
	return tree->ops->map(tree, va, pa, bytes, attrs, max_leaf_lg2, flags);
}

void cop_gather_begin(struct cop_gather *gather, struct cop_tree *tree)
{
	gather->tree = tree;
	gather->detached = NULL;
	gather->flushed = NULL;
	gather->invalidations = 0;
	cop_gather_begin_round(gather);
}

struct cop_flushed cop_gather_finish(struct cop_gather *gather)
{
	return gather->tree->ops->finish(gather);
}

struct cop_unmapped cop_unmap(struct cop_gather *gather, cop_va va, uint64_t bytes, uint32_t how,
			      struct cop_detached_run *runs, unsigned max_runs)
{
	return gather->tree->ops->unmap(gather, va, bytes, how, runs, max_runs);
}

int cop_protect(struct cop_gather *gather, cop_va va, uint64_t bytes, uint32_t attrs)
{
	return gather->tree->ops->protect(gather, va, bytes, attrs);
}

int cop_split(struct cop_gather *gather, cop_va va, uint64_t bytes, unsigned max_leaf_lg2)
{
	return gather->tree->ops->split(gather, va, bytes, max_leaf_lg2);
}

long cop_collapse(struct cop_gather *gather, cop_va va, uint64_t bytes, unsigned max_leaf_lg2)
{
	return gather->tree->ops->collapse(gather, va, bytes, max_leaf_lg2);
}

unsigned long cop_lookup(const struct cop_tree *tree, cop_va va, unsigned long pages, cop_pa *out, enum cop_fold fold)
{
	return tree->ops->lookup(tree, va, pages, out, fold);
}

int cop_move(struct cop_gather *gather, cop_va from, cop_va to, uint64_t bytes)
{
	return gather->tree->ops->move(gather, from, to, bytes);
}

struct cop_translation cop_translate(const struct cop_tree *tree, cop_va va)
{
	return tree->ops->translate(tree, va);
}

cop_pa cop_translate_pa(const struct cop_tree *tree, cop_va va)
{
	return tree->ops->translate_pa(tree, va);
}

unsigned cop_query(const struct cop_tree *tree, cop_va va, cop_va last, struct cop_extent *out, unsigned max)
{
	return tree->ops->query(tree, va, last, out, max);
}

struct cop_replaced cop_replace(struct cop_gather *gather, cop_va va, uint64_t old, cop_pa pa, uint32_t attrs)
{
	return gather->tree->ops->replace(gather, va, old, pa, attrs);
}

struct cop_unmapped cop_take(struct cop_gather *gather, cop_va va, uint64_t bytes, struct cop_leaf *out, unsigned max)
{
	return gather->tree->ops->take(gather, va, bytes, out, max);
}

struct cop_unmapped cop_leaves(const struct cop_tree *tree, cop_va va, uint64_t bytes, struct cop_leaf *out,
			       unsigned max)
{
	return tree->ops->leaves(tree, va, bytes, out, max);
}

void cop_refresh(const struct cop_tree *tree, cop_va va)
{
	tree->ops->refresh(tree, va);
}
