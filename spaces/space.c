/* SPDX-License-Identifier: MIT */
/* An address space comes and goes. */
#include "internal.h"

void cop_spaces_init(struct cop_spaces *spaces, struct cop_mem *mem)
{
	spaces->mem = mem;
	spaces->objects = COP_PFN_NONE;
	spaces->frames = 0;
	cop_spin_init(&spaces->lock);
}

/* The byte after the user's last; 2^64 does not fit, so the last page of all stays unused there. */
static cop_va space_end(const struct cop_geom *geom)
{
	const unsigned bits = geom->half == COP_HALF_BOTH ? geom->va_bits - 1U : geom->va_bits;

	return bits >= 64 ? -COP_LG2(geom->page_lg2) : COP_LG2(bits);
}

int cop_space_init(struct cop_space *space, struct cop_spaces *spaces, const struct cop_geom *geom,
		   const struct cop_table_source *source, uint32_t asid)
{
	const struct cop_table_source own = cop_mem_table_source(spaces->mem);

	if (geom->half == COP_HALF_HIGH || geom->page_lg2 != spaces->mem->page_lg2)
		return -COP_EINVAL;
	*space = (struct cop_space){.spaces = spaces,
				    .mem = spaces->mem,
				    .reclaim = COP_RECLAIM_RCU,
				    .first = COP_LG2(geom->page_lg2),
				    .end = space_end(geom)};
	cop_mutex_init(&space->lock);
	return cop_tree_init(&space->tree, geom, source ? source : &own, asid, 0);
}

int cop_space_set_reclaim(struct cop_space *space, enum cop_reclaim reclaim)
{
	const uint32_t flags = reclaim == COP_RECLAIM_IPI         ? COP_TREE_FREE_BY_IPI
			       : reclaim == COP_RECLAIM_SHOOTDOWN ? COP_TREE_FREE_AT_ONCE
								  : 0;
	const int err = cop_tree_set_reclaim(&space->tree, flags);

	if (!err)
		space->reclaim = reclaim;
	return err;
}

void cop_space_destroy(struct cop_space *space)
{
	if (cop_tree_destroy(&space->tree))
		cop_panic("space-not-empty", space);
}
