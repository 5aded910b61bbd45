/* SPDX-License-Identifier: MIT */
/* Pages out of a space: clear, invalidate, and only then let go of what they mapped. */
#include "internal.h"

/* So many leaves for each invalidation; they are on the stack. */
#define ZAP_BATCH 32

static void let_go(struct cop_space *space, const struct cop_leaf *leaf)
{
	if (!(leaf->attrs & COP_SPECIAL))
		cop_mapping_drop(space, cop_page_head(space->mem, leaf->pa >> space->mem->page_lg2), leaf->attrs);
}

int cop_space_zap(struct cop_space *space, cop_va va, uint64_t bytes)
{
	struct cop_leaf leaf[ZAP_BATCH];

	while (bytes) {
		struct cop_gather gather;
		struct cop_unmapped taken;

		cop_gather_begin(&gather, &space->tree);
		taken = cop_take(&gather, va, bytes, leaf, ZAP_BATCH);
		(void)cop_gather_finish(&gather);
		if (taken.err)
			return taken.err;
		for (unsigned i = 0; i < taken.runs; i++)
			let_go(space, leaf + i);
		va += taken.done;
		bytes -= taken.done;
	}
	return 0;
}

int cop_space_discard(struct cop_space *space, cop_va va, uint64_t bytes)
{
	const cop_va end = va + bytes;
	bool hole = false;
	int err = cop_range_check(space, va, bytes);

	if (err)
		return err;
	cop_rwsem_read_lock(&space->lock);
	while (va < end && !err) {
		const struct cop_area *area = cop_area_from(space, va);
		cop_va start = area ? cop_read(&area->start) : end, stop;

		hole |= start > va;
		if (start >= end)
			break;
		stop = cop_read(&area->end) < end ? cop_read(&area->end) : end;
		start = start > va ? start : va;
		err = cop_read(&area->kind) == COP_AREA_SPECIAL ? -COP_EINVAL
								: cop_space_zap(space, start, stop - start);
		va = stop;
	}
	cop_rwsem_read_unlock(&space->lock);
	if (err)
		return err;
	return hole ? -COP_ENOMEM : 0;
}
