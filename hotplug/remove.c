/* SPDX-License-Identifier: MIT */
#include "internal.h"

static bool any_early(const struct cop_blocks *blocks)
{
	for (uint64_t i = 0; i < blocks->count; i++)
		if (cop_load(&blocks->first[i].flags, relaxed) & COP_SECTION_EARLY)
			return true;
	return false;
}

static int unmap_all(struct cop_mem *mem, const struct cop_blocks *blocks)
{
	int err = cop_linear_unmap(mem, blocks->start, blocks->bytes);

	if (err)
		return err;
	/* Boot memory was refused before. */
	if (cop_vmemmap_depopulate(mem, blocks->first, blocks->count))
		cop_panic("boot-memmap", blocks->first);
	return 0;
}

/*
 * Gone, then a grace period, then the memmap goes: whoever found the sections valid did so inside an RCU read section
 * that has ended by now. gup-fast-vs-hotplug-2022-10; a grace period before the mark would be too early, and the locks of
 * hotplug do not hold off those walkers.
 */
static int tear_down(struct cop_mem *mem, const struct cop_blocks *blocks)
{
	int err;

	cop_blocks_set(blocks, COP_BLOCK_GONE);
	cop_rcu_sync();
	cop_sharing_change_begin(&mem->sharing);
	err = unmap_all(mem, blocks);
	cop_sharing_change_end(&mem->sharing);
	return err;
}

static void forget(const struct cop_blocks *blocks)
{
	for (uint64_t i = 0; i < blocks->count; i++) {
		cop_store(&blocks->first[i].flags, (uint16_t)0, relaxed);
		cop_write(&blocks->first[i].zone, COP_ZONE_NORMAL);
	}
}

int cop_mem_remove(struct cop_mem *mem, cop_pa start, uint64_t bytes)
{
	struct cop_blocks blocks = cop_blocks_of(mem, start, bytes);
	int err = blocks.err;

	if (err)
		return err;
	if (mem->flags & COP_MEM_NO_REMOVE)
		return -COP_EBUSY;
	if (any_early(&blocks))
		return -COP_EPERM;
	err = cop_blocks_claim(&blocks, COP_BLOCK_OFFLINE, COP_BLOCK_REMOVING);
	if (err)
		return err;
	/* Asked before the sections are gone, so that a refusal is not seen by walkers. */
	err = cop_linear_shared(mem, &blocks) ? -COP_EBUSY : tear_down(mem, &blocks);
	if (err) {
		cop_blocks_set(&blocks, COP_BLOCK_OFFLINE);
		return err;
	}
	forget(&blocks);
	if (mem->hooks.punch)
		mem->hooks.punch(mem->hooks.ctx, start, bytes);
	cop_blocks_set(&blocks, COP_BLOCK_ABSENT);
	return 0;
}
