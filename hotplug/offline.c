/* SPDX-License-Identifier: MIT */
/*
 * Offline: isolate, empty, withdraw. Isolation first, so that what is freed or migrated away is not handed out again; a
 * frame that cannot be emptied leaves everything usable.
 */
#include "internal.h"

/*
 * A table may be on its way through a grace period, a folio held by a speculative reference for a moment: they get some
 * more chances.
 */
#define PASSES 4

/* Return: 0: it may be free the next time. */
static int evict_block(struct cop_mem *mem, struct cop_block_in_use block)
{
	if (block.flags & COP_PG_TABLE && !(block.flags & COP_PG_RESERVED))
		return 0;
	if (!(block.flags & COP_PG_MOVABLE) || !mem->hooks.migrate)
		return -COP_EBUSY;
	(void)mem->hooks.migrate(mem->hooks.ctx, mem, block.pfn, block.order);
	return 0;
}

/* Asks once for everything in use. Return: 0: nothing was; -COP_EAGAIN; -COP_EBUSY: something cannot go away. */
static int evict_section(struct cop_mem *mem, struct cop_section *section)
{
	struct cop_block_in_use block = cop_section_in_use(mem, section, 0);
	int result = 0;

	for (; block.pfn != COP_PFN_NONE; block = cop_section_in_use(mem, section, block.pfn + COP_LG2(block.order))) {
		if (evict_block(mem, block))
			return -COP_EBUSY;
		result = -COP_EAGAIN;
	}
	return result;
}

static int evict_all(struct cop_mem *mem, const struct cop_blocks *blocks)
{
	int result = 0;

	for (uint64_t i = 0; i < blocks->count; i++) {
		int one = evict_section(mem, &blocks->first[i]);

		if (one == -COP_EBUSY)
			return one;
		result = one ? one : result;
	}
	return result;
}

static int evict(struct cop_mem *mem, const struct cop_blocks *blocks)
{
	int result = evict_all(mem, blocks);

	for (unsigned pass = 1; result == -COP_EAGAIN && pass < PASSES; pass++) {
		cop_rcu_sync();
		result = evict_all(mem, blocks);
	}
	return result;
}

static void cancel(struct cop_mem *mem, const struct cop_blocks *blocks, uint64_t isolated)
{
	for (uint64_t i = 0; i < isolated; i++)
		cop_section_unisolate(mem, &blocks->first[i]);
	cop_notify(mem, COP_CANCEL_OFFLINE, blocks);
	cop_blocks_set(blocks, COP_BLOCK_ONLINE);
}

/* Nothing of the isolated sections is in use: from here on it cannot fail. */
static void withdraw(struct cop_mem *mem, const struct cop_blocks *blocks)
{
	for (uint64_t i = 0; i < blocks->count; i++)
		if (cop_section_withdraw(mem, &blocks->first[i]))
			cop_panic("isolated-frame-allocated", &blocks->first[i]);
}

int cop_mem_offline(struct cop_mem *mem, cop_pa start, uint64_t bytes)
{
	struct cop_blocks blocks = cop_blocks_of(mem, start, bytes);
	int err = blocks.err;

	if (err)
		return err;
	err = cop_blocks_claim(&blocks, COP_BLOCK_ONLINE, COP_BLOCK_GOING_OFFLINE);
	if (err)
		return err == -COP_EBUSY ? -COP_EINVAL : err;
	err = cop_notify(mem, COP_GOING_OFFLINE, &blocks);
	if (err) {
		cancel(mem, &blocks, 0);
		return err;
	}
	for (uint64_t i = 0; i < blocks.count; i++)
		cop_section_isolate(mem, &blocks.first[i]);
	if (evict(mem, &blocks)) {
		cancel(mem, &blocks, blocks.count);
		return -COP_EBUSY;
	}
	withdraw(mem, &blocks);
	cop_notify(mem, COP_OFFLINE, &blocks);
	cop_blocks_set(&blocks, COP_BLOCK_OFFLINE);
	return 0;
}
