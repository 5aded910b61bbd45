/* SPDX-License-Identifier: MIT */
#include "internal.h"

static bool any_device(const struct cop_blocks *blocks)
{
	for (uint64_t i = 0; i < blocks->count; i++)
		if (cop_load(&blocks->first[i].flags, relaxed) & COP_SECTION_DEVICE)
			return true;
	return false;
}

int cop_mem_online(struct cop_mem *mem, cop_pa start, uint64_t bytes, enum cop_zone_id zone)
{
	struct cop_blocks blocks = cop_blocks_of(mem, start, bytes);
	int err = blocks.err;

	if (!err && zone != COP_ZONE_NORMAL && zone != COP_ZONE_MOVABLE)
		err = -COP_EINVAL;
	if (!err)
		err = cop_blocks_claim(&blocks, COP_BLOCK_OFFLINE, COP_BLOCK_GOING_ONLINE);
	if (err)
		return err;
	if (any_device(&blocks)) {
		cop_blocks_set(&blocks, COP_BLOCK_OFFLINE);
		return -COP_EINVAL;
	}
	err = cop_notify(mem, COP_GOING_ONLINE, &blocks);
	if (err) {
		cop_notify(mem, COP_CANCEL_ONLINE, &blocks);
		cop_blocks_set(&blocks, COP_BLOCK_OFFLINE);
		return err;
	}
	for (uint64_t i = 0; i < blocks.count; i++)
		cop_section_give(mem, &blocks.first[i], zone);
	cop_notify(mem, COP_ONLINE, &blocks);
	cop_blocks_set(&blocks, COP_BLOCK_ONLINE);
	return 0;
}
