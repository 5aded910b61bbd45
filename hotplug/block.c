/* SPDX-License-Identifier: MIT */
#include "internal.h"

struct cop_blocks cop_blocks_of(struct cop_mem *mem, cop_pa start, uint64_t bytes)
{
	struct cop_blocks blocks = {.start = start, .bytes = bytes};

	if (!bytes || !COP_IS_ALIGNED(start | bytes, cop_block_bytes(mem)) || start + (bytes - 1) < start)
		blocks.err = -COP_EINVAL;
	else if (start < mem->pa_start || start + (bytes - 1) >= mem->pa_limit)
		blocks.err = -COP_ERANGE;
	if (blocks.err)
		return blocks;
	blocks.first = cop_pfn_section(mem, start >> mem->page_lg2);
	blocks.count = bytes >> mem->section_lg2;
	return blocks;
}

static int refusal(uint32_t state)
{
	switch (state) {
	case COP_BLOCK_ABSENT:
		return -COP_ENOENT;
	case COP_BLOCK_OFFLINE:
	case COP_BLOCK_ONLINE:
		return -COP_EBUSY;
	default:
		return -COP_EAGAIN;
	}
}

int cop_blocks_claim(const struct cop_blocks *blocks, enum cop_block_state from, enum cop_block_state to)
{
	for (uint64_t i = 0; i < blocks->count; i++) {
		/* Acquire: what the last owner did. Pairs with the release in cop_blocks_set(). */
		uint32_t was = cop_cas(&blocks->first[i].state, (uint32_t)from, (uint32_t)to, acquire);

		if (was == (uint32_t)from)
			continue;
		while (i-- > 0)
			cop_store(&blocks->first[i].state, (uint32_t)from, release);
		return refusal(was);
	}
	return 0;
}

void cop_blocks_set(const struct cop_blocks *blocks, enum cop_block_state state)
{
	/* Release: a valid section's memmap. Pairs with cop_pfn_valid() and cop_blocks_claim(). */
	for (uint64_t i = 0; i < blocks->count; i++)
		cop_store(&blocks->first[i].state, (uint32_t)state, release);
}

enum cop_block_state cop_mem_block_state(const struct cop_mem *mem, cop_pa pa)
{
	const struct cop_section *section = cop_pfn_section(mem, pa >> mem->page_lg2);

	return section ? (enum cop_block_state)cop_load(&section->state, relaxed) : COP_BLOCK_ABSENT;
}

const char *cop_block_state_name(enum cop_block_state state)
{
	switch (state) {
	case COP_BLOCK_ABSENT:
		return "absent";
	case COP_BLOCK_ADDING:
		return "adding";
	case COP_BLOCK_OFFLINE:
		return "offline";
	case COP_BLOCK_GOING_ONLINE:
		return "going-online";
	case COP_BLOCK_ONLINE:
		return "online";
	case COP_BLOCK_GOING_OFFLINE:
		return "going-offline";
	case COP_BLOCK_REMOVING:
		return "removing";
	case COP_BLOCK_GONE:
		return "gone";
	}
	return "unknown";
}
