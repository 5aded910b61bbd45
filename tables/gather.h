/* SPDX-License-Identifier: MIT */
/* What must be invalidated before anything taken out of the tree may be used again. */
#ifndef COPPICE_TABLES_GATHER_H
#define COPPICE_TABLES_GATHER_H

#include "tables/walk.h"

static inline bool gather_pending(const struct cop_gather *gather)
{
	return gather->start <= gather->last;
}

static inline void gather_hull(struct cop_gather *gather, cop_va first, cop_va last)
{
	if (first < gather->start)
		gather->start = first;
	if (last > gather->last)
		gather->last = last;
}

/* Leaves of level @l from @first to @last were changed. */
static inline void gather_leaves(struct cop_gather *gather, cop_va first, cop_va last, unsigned l)
{
	if (gather->stride_lg2 == COP_GATHER_NO_STRIDE)
		gather->level = (uint8_t)l;
	else if (gather->level != l)
		gather->level = COP_TLBI_ANY_LEVEL;
	if (fmt_shift(l) < gather->stride_lg2)
		gather->stride_lg2 = (uint8_t)fmt_shift(l);
	gather_hull(gather, first, last);
}

/*
 * A table around @va was unlinked. One address is enough: an invalidation that is not last-level only reaches every cached
 * entry that the walk of that address would use (Arm ARM D8.16; SDM 4.10.4.1; riscv64 ports ignore the address). Where an
 * instruction unlinks, it has invalidated all below the link when it ends.
 */
static inline void gather_table(struct cop_gather *gather, cop_va va)
{
	if (FMT_LIVE_BY_INSTRUCTION)
		return;
	va &= ~(PAGE_BYTES - 1);
	gather_hull(gather, va, va | (PAGE_BYTES - 1));
	gather->level = COP_TLBI_ANY_LEVEL;
	if (gather->stride_lg2 == COP_GATHER_NO_STRIDE)
		gather->stride_lg2 = FMT_PAGE_LG2;
	gather->scope |= COP_TLBI_TABLES;
}

static inline uint8_t tree_scope(const struct cop_tree *tree)
{
	return tree->flags & COP_TREE_KERNEL ? COP_TLBI_GLOBAL : 0;
}

/*
 * Invalidates now. For changes that must be broken before they are made, and for what hardware may have cached as invalid.
 * @l: COP_TLBI_ANY_LEVEL if leaves of more levels may be meant.
 */
static COP_NOINLINE void invalidate(const struct cop_tree *tree, cop_va first, cop_va last, unsigned l, unsigned scope)
{
	const struct cop_tlbi tlbi = {
		.start = first,
		.last = last,
		.asid = tree->asid,
		.stride_lg2 = l == COP_TLBI_ANY_LEVEL ? FMT_PAGE_LG2 : (uint8_t)fmt_shift(l),
		.level = scope & COP_TLBI_TABLES ? COP_TLBI_ANY_LEVEL : (uint8_t)l,
		.scope = (uint8_t)(scope | tree_scope(tree)),
	};

	cop_mmu_publish();
	cop_tlbi(&tlbi);
	cop_tlb_sync();
}

static inline void gather_invalidate(struct cop_gather *gather)
{
	const struct cop_tlbi tlbi = {
		.start = gather->start,
		.last = gather->last,
		.asid = gather->tree->asid,
		.stride_lg2 = gather->stride_lg2,
		.level = gather->level,
		.scope = (uint8_t)(gather->scope | tree_scope(gather->tree)),
	};

	if (!gather_pending(gather))
		return;
	cop_mmu_publish();
	cop_tlbi(&tlbi);
	cop_tlb_sync();
	gather->invalidations++;
	cop_gather_begin_round(gather);
}

/* A leaf was broken and is made again: where hardware may have cached it as invalid in between, that copy is stale. */
static inline void gather_made(struct cop_gather *gather, uint64_t e, cop_va first, cop_va last, unsigned l)
{
	if (FMT_CACHES_INVALID && fmt_covers(&gather->tree->geom, fmt_mkinvalid(e, l), e, l) != COP_COVERS_NONE)
		gather_leaves(gather, first, last, l);
}

static inline void gather_push(struct cop_ptdesc **list, struct cop_ptdesc *d)
{
	cop_write(&d->next, *list);
	*list = d;
}

#endif
