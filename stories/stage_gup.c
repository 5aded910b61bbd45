/* SPDX-License-Identifier: MIT */
/* An address space on the simulated machine. */
#include "stories/gup.h"

void cop_stage_user_on(struct cop_spaces *spaces, struct cop_space *space, uint32_t asid)
{
	const struct cop_table_source source = cop_stage_tables();
	struct cop_geom geom = cop_stage_user_geom();

	/* To fold a run is a break of its own, and there are many in a table. */
	geom.features &= ~(uint32_t)(COP_F_CONT | COP_F_SVNAPOT);
	COP_ASSERT(!cop_space_init(space, spaces, &geom, &source, asid));
	cop_stage_space_attach(space);
}

void cop_stage_user_off(struct cop_space *space)
{
	cop_stage_space_detach(space);
	cop_space_destroy(space);
}

void cop_stage_user_map(struct cop_space *space, cop_va va, cop_pfn pfn, uint64_t pages, uint32_t attrs,
			struct cop_stage_at at)
{
	const unsigned page_lg2 = space->tree.geom.page_lg2;

	if (cop_map(&space->tree, va, pfn << page_lg2, pages << page_lg2, attrs, page_lg2, COP_MAP_NO_CONT))
		cop_stage_fail("assert", "a page is mapped for the user", at);
}

void cop_stage_user_unmap(struct cop_space *space, cop_va va, uint64_t pages, struct cop_stage_at at)
{
	const unsigned page_lg2 = space->tree.geom.page_lg2;
	struct cop_gather gather;
	struct cop_unmapped out;

	cop_gather_begin(&gather, &space->tree);
	out = cop_unmap(&gather, va, pages << page_lg2, COP_UNMAP_BLIND, NULL, 0);
	(void)cop_gather_finish(&gather);
	if (out.err)
		cop_stage_fail("assert", "what was mapped is unmapped", at);
}
