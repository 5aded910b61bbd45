/* SPDX-License-Identifier: MIT */
/* Shared by the files of hotplug/. */
#ifndef COPPICE_HOTPLUG_INTERNAL_H
#define COPPICE_HOTPLUG_INTERNAL_H

#include <coppice/hotplug.h>

/* Adjoining sections: what an operation is about. */
struct cop_blocks {
	struct cop_section *first;
	uint64_t count;
	cop_pa start;
	uint64_t bytes;
	int err;
};

/* block.c: .err -COP_EINVAL, -COP_ERANGE. */
struct cop_blocks cop_blocks_of(struct cop_mem *mem, cop_pa start, uint64_t bytes);

/**
 * cop_blocks_claim() - take all blocks from one state to another, or none
 *
 * Return: 0; -COP_EAGAIN if one is in a transient state, -COP_ENOENT if one is absent, else -COP_EBUSY.
 */
int cop_blocks_claim(const struct cop_blocks *blocks, enum cop_block_state from, enum cop_block_state to);

/* All blocks, which the caller owns, enter a state. */
void cop_blocks_set(const struct cop_blocks *blocks, enum cop_block_state state);

/* notify.c: the first veto, or 0. */
int cop_notify(struct cop_mem *mem, enum cop_mem_event event, const struct cop_blocks *blocks);

/* linear.c */
int cop_linear_map(struct cop_mem *mem, const struct cop_blocks *blocks, uint32_t add_flags);
/* -COP_EBUSY if a leaf reaches beyond the range: nothing changed. */
int cop_linear_unmap(struct cop_mem *mem, cop_pa start, uint64_t bytes);
/* Does a leaf reach across the start or the end of the range? */
bool cop_linear_shared(const struct cop_mem *mem, const struct cop_blocks *blocks);

static inline uint64_t cop_block_bytes(const struct cop_mem *mem)
{
	return COP_LG2(mem->section_lg2);
}

#endif
