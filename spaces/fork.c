/* SPDX-License-Identifier: MIT */
/*
 * Fork: the child gets the areas; anonymous folios are shared and write-protected in both, so that the first write copies.
 * What a cache has is not copied: faults find it there.
 */
#include "internal.h"

#define FORK_BATCH 32

struct forking {
	struct cop_space *parent, *child;
	struct cop_gather gather; /* of the parent */
};

static int copy_areas(const struct forking *f)
{
	struct cop_area *area;

	for (cop_va va = 0; (area = cop_area_from(f->parent, va)); va = cop_read(&area->end)) {
		struct cop_area_spec spec = {.va = cop_read(&area->start),
					     .bytes = cop_read(&area->end) - cop_read(&area->start),
					     .prot = cop_read(&area->prot),
					     .kind = cop_read(&area->kind),
					     .cache = cop_read(&area->cache),
					     .index = cop_read(&area->index),
					     .flags = COP_AREA_FIXED};
		const struct cop_mapped at = cop_space_map(f->child, &spec);

		if (at.err)
			return at.err;
	}
	return 0;
}

static int map_in_child(const struct forking *f, cop_va va, cop_pfn pfn, uint32_t attrs)
{
	return cop_map(&f->child->tree, va, page_pa(f->child, pfn), space_page(f->child), attrs, 0,
		       COP_MAP_CONTENDED | COP_MAP_NO_CONT);
}

/* Somebody holds the parent's page for a device: it stays the parent's, and the child gets a copy of its own. */
static int copy_pinned(const struct forking *f, const struct cop_leaf *leaf)
{
	const cop_pfn pfn = cop_anon_alloc(f->child, leaf->va);
	int err;

	if (pfn == COP_PFN_NONE)
		return -COP_ENOMEM;
	cop_copy(cop_phys(page_pa(f->child, pfn)), cop_phys(leaf->pa), space_page(f->child));
	err = map_in_child(f, leaf->va, pfn, leaf->attrs & ~(uint32_t)COP_CONT);
	if (err)
		cop_anon_discard(f->child, pfn);
	return err;
}

static bool is_pinned(const struct forking *f, cop_pfn head)
{
	/* Who pins says so first in the space, then in the page, and then looks whether this fork has begun. */
	return cop_load(&f->parent->pinned, acquire) && cop_page_maybe_pinned(f->parent->mem, head);
}

/* Return: 0; -COP_EAGAIN if the parent's entry has changed. */
static int share_leaf(struct forking *f, const struct cop_leaf *leaf)
{
	const cop_pfn pfn = leaf->pa >> f->parent->mem->page_lg2;
	const uint32_t attrs = leaf->attrs & ~(uint32_t)(COP_WRITE | COP_CONT);
	int err;

	if ((leaf->attrs & COP_SPECIAL) || !cop_folio_anon(f->parent->mem, pfn))
		return 0;
	if (is_pinned(f, pfn))
		return copy_pinned(f, leaf);
	if (leaf->attrs & COP_WRITE) {
		err = cop_replace(&f->gather, leaf->va, leaf->entry, leaf->pa, attrs).err;
		if (err)
			return err;
	}
	/* The parent's mapping holds it: its family is locked, and nobody else takes entries out. */
	if (!cop_page_try_get(f->parent->mem, pfn))
		cop_panic("mapped-free-folio", cop_page(f->parent->mem, pfn));
	cop_mapping_add(f->child, pfn);
	err = map_in_child(f, leaf->va, pfn, attrs);
	if (err)
		cop_mapping_drop(f->child, pfn, 0);
	return err;
}

static int copy_pages(struct forking *f, cop_va va, cop_va end)
{
	struct cop_leaf leaf[FORK_BATCH];
	int err = 0;

	while (va < end && !err) {
		struct cop_unmapped seen;

		cop_rcu_read_lock();
		seen = cop_leaves(&f->parent->tree, va, end - va, leaf, FORK_BATCH);
		cop_rcu_read_unlock();
		va += seen.done;
		for (unsigned i = 0; i < seen.runs && !err; i++) {
			err = share_leaf(f, leaf + i);
			/* Hardware has set a bit: look again. */
			if (err == -COP_EAGAIN) {
				va = leaf[i].va;
				err = 0;
				break;
			}
		}
	}
	return err;
}

static int copy_all(struct forking *f)
{
	const struct cop_area *area;
	int err = 0;

	/*
	 * Whoever pins without the lock looks at this before and after. Full: before any pin is looked for; pairs with
	 * the fence of GUP-fast between its pins and its second look.
	 */
	cop_fetch_add(&f->parent->fork_seq, 1ULL, acq_rel);
	cop_fence_full();
	cop_gather_begin(&f->gather, &f->parent->tree);
	for (cop_va va = 0; !err && (area = cop_area_from(f->parent, va)); va = cop_read(&area->end)) {
		const uint8_t kind = cop_read(&area->kind);

		if (kind == COP_AREA_ANON || kind == COP_AREA_PRIVATE)
			err = copy_pages(f, cop_read(&area->start), cop_read(&area->end));
	}
	/* No CPU writes to a shared folio through what it remembers when the child begins to run. */
	(void)cop_gather_finish(&f->gather);
	cop_fetch_add(&f->parent->fork_seq, 1ULL, acq_rel);
	return err;
}

int cop_space_fork(struct cop_space *child, struct cop_space *parent, const struct cop_table_source *source,
		   uint32_t asid)
{
	struct forking f = {.parent = parent, .child = child};
	struct cop_family *family = parent->family;
	int err;

	cop_rwsem_write_lock(&parent->lock);
	cop_mutex_lock(&family->lock);
	err = cop_space_set_up(child, parent->spaces, &parent->tree.geom, source, asid, parent);
	if (!err) {
		/* The family stays locked: who comes from a folio finds it in both spaces or, before, in one. */
		err = copy_areas(&f);
		if (!err)
			err = copy_all(&f);
		cop_mutex_unlock(&family->lock);
		if (err)
			cop_space_destroy(child);
	} else {
		cop_mutex_unlock(&family->lock);
	}
	cop_rwsem_write_unlock(&parent->lock);
	return err;
}
