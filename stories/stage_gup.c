/* SPDX-License-Identifier: MIT */
/* An address space on the simulated machine. */
#include "stories/gup.h"
#include "ports/sim/sim.h"

struct cop_geom cop_stage_user_geom(void)
{
	struct cop_geom geom = cop_stage_geom();

	if (geom.half == COP_HALF_HIGH)
		geom.half = COP_HALF_LOW;
	/* To fold a run is a break of its own, and there are many in a table. */
	geom.features &= ~(uint32_t)(COP_F_CONT | COP_F_SVNAPOT);
	return geom;
}

/* Where the kernel has all of the addresses too (s390x), its linear map and memmap lie at the bottom. */
cop_va cop_stage_user_va(void)
{
	return 1ULL << 37;
}

void cop_stage_user_on(struct cop_spaces *spaces, struct cop_space *space, uint32_t asid)
{
	const struct cop_geom geom = cop_stage_user_geom();

	const struct cop_table_source source = cop_stage_tables();

	COP_ASSERT(!cop_space_init(space, spaces, &geom, &source, asid));
	sim_attach_user(cop_stage_format(), &geom, space->tree.root, asid);
}

void cop_stage_user_off(struct cop_space *space)
{
	cop_stage_detach(&space->tree);
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
