/* SPDX-License-Identifier: MIT */
#include "internal.h"

bool cop_pfn_valid(const struct cop_mem *mem, cop_pfn pfn)
{
	const struct cop_section *section = cop_pfn_section(mem, pfn);

	if (!section)
		return false;
	/* Pairs with the release when the section became valid: its memmap is mapped and clear. */
	switch (cop_load(&section->state, acquire)) {
	case COP_BLOCK_OFFLINE:
	case COP_BLOCK_GOING_ONLINE:
	case COP_BLOCK_ONLINE:
	case COP_BLOCK_GOING_OFFLINE:
	case COP_BLOCK_REMOVING:
		return true;
	default:
		return false;
	}
}

cop_pfn cop_page_head(const struct cop_mem *mem, cop_pfn pfn)
{
	return pfn & ~(cop_pfn)cop_load(&cop_page(mem, pfn)->tail_mask, relaxed);
}

bool cop_page_try_get(const struct cop_mem *mem, cop_pfn head)
{
	uint32_t *count = &cop_page(mem, head)->refcount;
	uint32_t was = cop_load(count, relaxed);

	while (was) {
		/* Acquire: what the owner wrote before it published the folio, pairs with the release in the allocation. */
		uint32_t now = cop_cas(count, was, was + 1, acquire);

		if (now == was)
			return true;
		was = now;
	}
	return false;
}
