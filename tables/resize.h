/* SPDX-License-Identifier: MIT */
/* split: no leaf of a range is larger than asked. */
#ifndef COPPICE_TABLES_RESIZE_H
#define COPPICE_TABLES_RESIZE_H

#include "tables/protect.h"

struct splitting {
	struct cop_gather *gather;
	struct cop_stock stock;
	cop_va va;
	uint64_t left;
	unsigned max_leaf_lg2;
};

static COP_SLOW enum walked split_walk(struct splitting *x)
{
	while (x->left) {
		const struct place p = descend_slowly(x->gather->tree, x->va);
		const uint64_t room = entry_room(x->va, x->left, p.level);

		if (is_leaf(p.e, p.level) && fmt_cont(p.e, p.level)) {
			unfold(x->gather, p, x->va);
			continue;
		}
		if (is_leaf(p.e, p.level) && fmt_shift(p.level) > x->max_leaf_lg2) {
			if (split_leaf(x->gather, &x->stock, p, x->va) != WALK_DRY)
				continue;
			x->stock.want[stock_kind(p.level - 1)] = 1;
			return WALK_DRY;
		}
		x->va += room;
		x->left -= room;
	}
	return WALK_DONE;
}

static COP_SLOW int tables_split(struct cop_gather *gather, cop_va va, uint64_t bytes, unsigned max_leaf_lg2)
{
	struct cop_tree *tree = gather->tree;
	struct splitting x = {.gather = gather, .va = va, .left = bytes, .max_leaf_lg2 = max_leaf_lg2};
	enum walked walked;
	unsigned lg2[STOCK_KINDS];

	if (!range_ok(&tree->geom, va, bytes) || max_leaf_lg2 < FMT_PAGE_LG2)
		return -COP_EINVAL;
	stock_sizes(&tree->geom, lg2);
	do {
		cop_rcu_read_lock();
		walked = split_walk(&x);
		cop_rcu_read_unlock();
	} while (walked == WALK_DRY && cop_stock_refill(tree, &x.stock, lg2));
	cop_stock_drain(tree, &x.stock);
	return walked == WALK_DONE ? 0 : -COP_ENOMEM;
}

#endif
