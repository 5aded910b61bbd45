/* SPDX-License-Identifier: MIT */
/* Tables from this memory: of boot, then frames, blocks of them, and fragments. */
#include "internal.h"

/* Tables that were taken before the allocator was up are reserved: it gets them now. */
void cop_table_frames_free(struct cop_mem *mem, cop_pfn pfn, unsigned order)
{
	if (!(cop_load(&cop_page(mem, pfn)->flags, relaxed) & COP_PG_RESERVED)) {
		cop_frames_free(mem, pfn);
		return;
	}
	cop_fetch_add(&mem->reserved, -COP_LG2(order), relaxed);
	cop_reserved_give(mem, pfn, order);
}

static cop_pa source_alloc(void *ctx, unsigned lg2)
{
	struct cop_mem *mem = ctx;
	cop_pa pa;

	if (mem->early.active) {
		pa = cop_early_alloc(mem, COP_LG2(lg2));
	} else if (lg2 >= mem->page_lg2) {
		cop_pfn pfn = cop_block_alloc(mem, lg2 - mem->page_lg2, 0, COP_PG_TABLE);

		pa = pfn == COP_PFN_NONE ? COP_PA_NONE : pfn << mem->page_lg2;
	} else {
		pa = lg2 == mem->fragments.lg2 ? cop_fragment_alloc(&mem->fragments) : COP_PA_NONE;
	}
	if (pa != COP_PA_NONE)
		cop_fetch_add(&mem->table_bytes, COP_LG2(lg2), relaxed);
	return pa;
}

static void source_free(void *ctx, cop_pa table, unsigned lg2)
{
	struct cop_mem *mem = ctx;

	cop_fetch_add(&mem->table_bytes, -COP_LG2(lg2), relaxed);
	if (mem->early.active)
		cop_early_free(mem, table, COP_LG2(lg2));
	else if (lg2 >= mem->page_lg2)
		cop_table_frames_free(mem, table >> mem->page_lg2, lg2 - mem->page_lg2);
	else
		cop_fragment_free(&mem->fragments, table);
}

struct cop_table_source cop_mem_table_source(struct cop_mem *mem)
{
	return (struct cop_table_source){source_alloc, source_free, mem};
}
