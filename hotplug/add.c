/* SPDX-License-Identifier: MIT */
#include "internal.h"

/* The first count sections lose their memmap again. Nobody has seen it: they were never valid. */
static void depopulate(struct cop_mem *mem, const struct cop_blocks *blocks, uint64_t count)
{
	if (count && cop_vmemmap_depopulate(mem, blocks->first, count))
		cop_panic("boot-memmap", blocks->first);
}

static int populate(struct cop_mem *mem, const struct cop_blocks *blocks, uint32_t flags)
{
	for (uint64_t i = 0; i < blocks->count; i++) {
		int err = cop_vmemmap_populate(mem, &blocks->first[i], flags & COP_ADD_ALTMAP);

		if (!err)
			continue;
		depopulate(mem, blocks, i);
		return err;
	}
	return 0;
}

static int map_all(struct cop_mem *mem, const struct cop_blocks *blocks, uint32_t flags)
{
	int err = populate(mem, blocks, flags);

	if (err)
		return err;
	err = cop_linear_map(mem, blocks, flags);
	if (err)
		depopulate(mem, blocks, blocks->count);
	return err;
}

static void describe(const struct cop_blocks *blocks, uint32_t flags)
{
	for (uint64_t i = 0; i < blocks->count; i++) {
		struct cop_section *section = &blocks->first[i];

		cop_write(&section->zone, flags & COP_ADD_DEVICE ? COP_ZONE_DEVICE : COP_ZONE_NORMAL);
		if (flags & COP_ADD_DEVICE)
			cop_store(&section->flags, (uint16_t)(section->flags | COP_SECTION_DEVICE), relaxed);
	}
}

int cop_mem_add(struct cop_mem *mem, cop_pa start, uint64_t bytes, uint32_t flags)
{
	struct cop_blocks blocks = cop_blocks_of(mem, start, bytes);
	int err = blocks.err;

	if (err)
		return err;
	if (flags & ~(uint32_t)(COP_ADD_ALTMAP | COP_ADD_DEVICE | COP_ADD_LARGE_LEAVES))
		return -COP_EINVAL;
	err = cop_blocks_claim(&blocks, COP_BLOCK_ABSENT, COP_BLOCK_ADDING);
	if (err)
		return err == -COP_EBUSY ? -COP_EEXIST : err;
	if (mem->hooks.populate)
		err = mem->hooks.populate(mem->hooks.ctx, start, bytes);
	if (!err) {
		cop_sharing_change_begin(&mem->sharing);
		err = map_all(mem, &blocks, flags);
		cop_sharing_change_end(&mem->sharing);
		if (err && mem->hooks.punch)
			mem->hooks.punch(mem->hooks.ctx, start, bytes);
	}
	if (err) {
		cop_blocks_set(&blocks, COP_BLOCK_ABSENT);
		return err;
	}
	describe(&blocks, flags);
	cop_blocks_set(&blocks, COP_BLOCK_OFFLINE);
	return 0;
}
