/* SPDX-License-Identifier: MIT */
/*
 * The linear map of memory that comes and goes. Leaves are no larger than a section, so that each section can go by
 * itself: splitting a live leaf of the linear map may need a break that other CPUs would fault on.
 */
#include "internal.h"

static unsigned max_leaf_lg2(const struct cop_mem *mem)
{
	return mem->flags & COP_MEM_PAGE_MAPPED ? mem->page_lg2 : mem->section_lg2;
}

static int map_range(struct cop_mem *mem, cop_pa start, uint64_t bytes, unsigned max_leaf)
{
	return cop_map(mem->tree, cop_linear_va(mem, start), start, bytes, COP_KERNEL_RW, max_leaf,
		       mem->flags & COP_MEM_PAGE_MAPPED ? COP_MAP_NO_CONT : 0);
}

int cop_linear_map(struct cop_mem *mem, const struct cop_blocks *blocks, uint32_t add_flags)
{
	uint64_t step = cop_block_bytes(mem), done = 0;
	int err = 0;

	if ((add_flags & COP_ADD_LARGE_LEAVES) && !(mem->flags & COP_MEM_PAGE_MAPPED))
		return map_range(mem, blocks->start, blocks->bytes, 0);
	/* One by one: a contiguous run must not reach into the next section either. */
	for (; done < blocks->bytes; done += step) {
		err = map_range(mem, blocks->start + done, step, max_leaf_lg2(mem));
		if (err)
			break;
	}
	if (err && done && cop_linear_unmap(mem, blocks->start, done))
		cop_panic("linear-map-not-mapped", blocks);
	return err;
}

int cop_linear_unmap(struct cop_mem *mem, cop_pa start, uint64_t bytes)
{
	struct cop_gather gather;
	struct cop_unmapped out;

	cop_gather_begin(&gather, mem->tree);
	out = cop_unmap(&gather, cop_linear_va(mem, start), bytes, COP_UNMAP_BLIND | COP_UNMAP_NO_SPLIT, NULL, 0);
	(void)cop_gather_finish(&gather);
	return out.err;
}

/*
 * Does the leaf that maps pa, or the contiguous run it is of, begin before pa? To unfold a live run takes the same break
 * as to split a leaf (Arm ARM D8.16.1).
 */
static bool leaf_crosses(const struct cop_mem *mem, cop_pa pa)
{
	const struct cop_tree *tree = mem->tree;
	struct cop_translation at;
	unsigned lg2;

	cop_rcu_read_lock();
	at = cop_translate(tree, cop_linear_va(mem, pa));
	cop_rcu_read_unlock();
	if (at.pa == COP_PA_NONE)
		return false;
	lg2 = at.size_lg2;
	if (at.attrs & COP_CONT)
		lg2 += tree->ops->format->cont_lg2(&tree->geom, at.level);
	return !COP_IS_ALIGNED(cop_linear_va(mem, pa), COP_LG2(lg2));
}

bool cop_linear_shared(const struct cop_mem *mem, const struct cop_blocks *blocks)
{
	return leaf_crosses(mem, blocks->start) || leaf_crosses(mem, blocks->start + blocks->bytes);
}
