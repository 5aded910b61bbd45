/* SPDX-License-Identifier: MIT */
/* An address space comes and goes. */
#include "internal.h"

void cop_spaces_init(struct cop_spaces *spaces, struct cop_mem *mem)
{
	spaces->mem = mem;
	spaces->objects = COP_PFN_NONE;
	spaces->frames = 0;
	spaces->families = 0;
	cop_spin_init(&spaces->lock);
}

void cop_spaces_exit(struct cop_spaces *spaces)
{
	uint64_t families;

	cop_rcu_sync();
	cop_await(&spaces->families, families, families == 0);
	if (cop_read(&spaces->frames))
		cop_panic("spaces-not-empty", spaces);
}

/* The byte after the user's last; 2^64 does not fit, so the last page of all stays unused there. */
static cop_va space_end(const struct cop_geom *geom)
{
	const unsigned bits = geom->half == COP_HALF_BOTH ? geom->va_bits - 1U : geom->va_bits;

	return bits >= 64 ? -COP_LG2(geom->page_lg2) : COP_LG2(bits);
}

static int family_of(struct cop_space *space, struct cop_space *parent)
{
	struct cop_family *family = parent ? parent->family : cop_family_new(space->spaces);

	if (!family)
		return -COP_ENOMEM;
	if (parent && !cop_family_try_get(family))
		cop_panic("family-refcount", family);
	cop_family_join(family, space, parent);
	return 0;
}

int cop_space_set_up(struct cop_space *space, struct cop_spaces *spaces, const struct cop_geom *geom,
		     const struct cop_table_source *source, uint32_t asid, struct cop_space *parent)
{
	const struct cop_table_source own = cop_mem_table_source(spaces->mem);
	int err;

	if (geom->half == COP_HALF_HIGH || geom->page_lg2 != spaces->mem->page_lg2)
		return -COP_EINVAL;
	*space = (struct cop_space){.spaces = spaces,
				    .mem = spaces->mem,
				    .reclaim = COP_RECLAIM_RCU,
				    .first = COP_LG2(geom->page_lg2),
				    .end = space_end(geom)};
	cop_rwsem_init(&space->lock);
	cop_rwsem_init(&space->levels_lock);
	err = cop_tree_init(&space->tree, geom, source ? source : &own, asid, 0);
	if (err)
		return err;
	/* Where nothing can be said against executing, everything is executable. */
	if (space->tree.ops->format->check_attrs(geom, COP_USER | COP_READ | COP_YOUNG, 0) == -COP_EOPNOTSUPP)
		space->implied = COP_EXEC;
	err = family_of(space, parent);
	if (err && cop_tree_destroy(&space->tree))
		cop_panic("space-not-empty", space);
	return err;
}

int cop_space_init(struct cop_space *space, struct cop_spaces *spaces, const struct cop_geom *geom,
		   const struct cop_table_source *source, uint32_t asid)
{
	return cop_space_set_up(space, spaces, geom, source, asid, NULL);
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

int cop_space_grow(struct cop_space *space, unsigned va_bits)
{
	int err;

	cop_rwsem_write_lock(&space->lock);
	cop_rwsem_write_lock(&space->levels_lock);
	err = cop_tree_grow(&space->tree, va_bits);
	/*
	 * Release, and after the root: who finds an address within the limit begins at a root that translates it, and not
	 * at one that takes it for a lower one. Pairs with the look at the limit of each operation.
	 */
	if (!err)
		cop_store(&space->end, space_end(&space->tree.geom), release);
	cop_rwsem_write_unlock(&space->levels_lock);
	cop_rwsem_write_unlock(&space->lock);
	return err;
}

void cop_space_destroy(struct cop_space *space)
{
	struct cop_area *area;

	cop_rwsem_write_lock(&space->lock);
	if (cop_space_zap(space, space->first, space->end - space->first))
		cop_panic("space-zap", space);
	while ((area = cop_area_from(space, 0)))
		cop_area_drop(space, area);
	cop_rwsem_write_unlock(&space->lock);
	/* After the pages: a folio that is mapped finds its family. */
	cop_family_leave(space);
	if (cop_tree_destroy(&space->tree))
		cop_panic("space-not-empty", space);
}
