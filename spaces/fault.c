/* SPDX-License-Identifier: MIT */
/*
 * Faults. What is to be mapped is got ready without a table's lock; the entry then changes under it, if it still is what was
 * seen. Whoever comes second starts again and mostly finds that there is nothing left to do.
 */
#include "internal.h"

struct faulting {
	struct cop_space *space;
	const struct cop_area *area;
	cop_va va; /* of the page */
	enum cop_access_kind access;
	bool write;
	bool pin; /* not for an access: a page that is not written to gets pinned, and must be the space's own */
};

static bool area_permits(const struct cop_area *area, enum cop_access_kind access)
{
	const uint32_t prot = cop_read(&area->prot);

	switch (access) {
	case COP_ACCESS_WRITE:
		return prot & COP_WRITE;
	case COP_ACCESS_EXEC:
		return prot & COP_EXEC;
	default:
		return prot;
	}
}

static bool is_shared(const struct cop_area *area)
{
	return cop_read(&area->kind) == COP_AREA_SHARED;
}

/* For a folio that nobody else writes to. */
static uint32_t owned_attrs(const struct faulting *f)
{
	return cop_area_attrs(f->area) | (f->write ? COP_DIRTY : 0);
}

static int map_page(const struct faulting *f, cop_pa pa, uint32_t attrs)
{
	return cop_map(&f->space->tree, f->va, pa, space_page(f->space), attrs, 0, COP_MAP_CONTENDED | COP_MAP_NO_CONT);
}

/* ---- nothing is mapped ---- */

static int fault_anon(const struct faulting *f)
{
	const cop_pfn pfn = cop_anon_alloc(f->space, f->va);
	int err;

	if (pfn == COP_PFN_NONE)
		return -COP_ENOMEM;
	cop_fill64(cop_phys(page_pa(f->space, pfn)), 0, space_page(f->space));
	err = map_page(f, page_pa(f->space, pfn), owned_attrs(f));
	if (err)
		cop_anon_discard(f->space, pfn);
	return err;
}

/* A private copy of the folio at @from. COP_PFN_NONE: no memory. */
static cop_pfn copy_page(const struct faulting *f, cop_pa from)
{
	const cop_pfn pfn = cop_anon_alloc(f->space, f->va);

	if (pfn != COP_PFN_NONE)
		cop_copy(cop_phys(page_pa(f->space, pfn)), cop_phys(from), space_page(f->space));
	return pfn;
}

/* The cache's folio, locked and still in the cache, with a reference. */
static cop_pfn lock_cached(const struct faulting *f, int *err)
{
	struct cop_cache *cache = cop_read(&f->area->cache);
	const uint64_t index = area_index(f->area, f->va);

	for (;;) {
		const struct cop_cached got = cop_cache_read(cache, index);

		*err = got.err;
		if (got.err)
			return COP_PFN_NONE;
		cop_folio_lock(f->space->mem, got.pfn);
		if (cop_read(&cop_page(f->space->mem, got.pfn)->mapping) == (uint64_t)(uintptr_t)cache)
			return got.pfn;
		cop_folio_unlock(f->space->mem, got.pfn);
		cop_page_put(f->space->mem, got.pfn);
	}
}

/* Under the folio's lock, so that who takes it out of the cache finds all mappings. */
static int map_cached(const struct faulting *f, cop_pfn pfn, uint32_t attrs)
{
	int err;

	cop_mapping_add(f->space, pfn);
	err = map_page(f, page_pa(f->space, pfn), attrs);
	cop_folio_unlock(f->space->mem, pfn);
	if (err)
		cop_mapping_drop(f->space, pfn, 0);
	return err;
}

static int fault_file(const struct faulting *f)
{
	cop_pfn pfn, copy;
	int err;

	pfn = lock_cached(f, &err);
	if (pfn == COP_PFN_NONE)
		return err;
	if (is_shared(f->area))
		return map_cached(f, pfn, owned_attrs(f));
	if (!f->write)
		return map_cached(f, pfn, cop_area_attrs(f->area) & ~(uint32_t)COP_WRITE);
	cop_folio_unlock(f->space->mem, pfn);
	copy = copy_page(f, page_pa(f->space, pfn));
	cop_page_put(f->space->mem, pfn);
	if (copy == COP_PFN_NONE)
		return -COP_ENOMEM;
	err = map_page(f, page_pa(f->space, copy), owned_attrs(f));
	if (err)
		cop_anon_discard(f->space, copy);
	return err;
}

static int fault_missing(const struct faulting *f)
{
	switch (cop_read(&f->area->kind)) {
	case COP_AREA_ANON:
		return fault_anon(f);
	case COP_AREA_SPECIAL:
		return map_page(f, page_pa(f->space, area_index(f->area, f->va)), owned_attrs(f));
	default:
		return fault_file(f);
	}
}

/* ---- something is ---- */

static int replace(const struct faulting *f, const struct cop_translation *t, cop_pa pa, uint32_t attrs)
{
	struct cop_replaced done;
	struct cop_gather gather;

	cop_gather_begin(&gather, &f->space->tree);
	done = cop_replace(&gather, f->va, t->entry, pa, attrs);
	(void)cop_gather_finish(&gather);
	return done.err;
}

/*
 * The folio at a leaf that was seen, with a reference. The mapping holds one too, but it may go at any time: the folio may
 * not even have a struct page any more. COP_PFN_NONE: it is another leaf by now.
 */
static cop_pfn get_mapped(const struct faulting *f, const struct cop_translation *t)
{
	const cop_pfn pfn = t->pa >> f->space->mem->page_lg2;
	cop_pfn head = COP_PFN_NONE;

	cop_rcu_read_lock();
	if (cop_pfn_valid(f->space->mem, pfn)) {
		head = cop_page_head(f->space->mem, pfn);
		if (!cop_page_try_get(f->space->mem, head)) {
			head = COP_PFN_NONE;
		} else if (cop_translate(&f->space->tree, f->va).entry != t->entry) {
			cop_page_put(f->space->mem, head);
			head = COP_PFN_NONE;
		}
	}
	cop_rcu_read_unlock();
	return head;
}

/*
 * References are this mapping's and the fault's: nobody else can reach the folio, and nobody can begin to map it. Fork, which
 * could, takes the lock for writing. Whoever pins it in the meantime pins it here. Nor does a pin make it anybody else's: what
 * is shared is not pinned, and what is pinned not shared by fork; the one who holds it must see what is written now.
 */
static bool is_exclusive(const struct cop_mem *mem, cop_pfn head)
{
	if (!cop_folio_anon(mem, head))
		return false;
	/* Acquire: what those who have left did to it comes before what is written now. */
	if (cop_load(&cop_page(mem, head)->refcount, acquire) == 2)
		return true;
	return cop_folio_mapped_once(mem, head) && cop_page_maybe_pinned(mem, head);
}

/* Makes a private, write-protected page the writer's own. */
static int copy_on_write(const struct faulting *f, const struct cop_translation *t, cop_pfn head)
{
	const cop_pfn pfn = copy_page(f, COP_ALIGN_DOWN(t->pa, space_page(f->space)));
	int err;

	if (pfn == COP_PFN_NONE)
		return -COP_ENOMEM;
	err = replace(f, t, page_pa(f->space, pfn), owned_attrs(f));
	if (err)
		cop_anon_discard(f->space, pfn);
	else
		/* Invalidated: only now may it be anybody else's. */
		cop_mapping_drop(f->space, head, t->attrs);
	return err;
}

/* A page that others map too is replaced by a copy before it is pinned: the first write would copy it, and leave the pin behind. */
static int unshare(const struct faulting *f, const struct cop_translation *t)
{
	const cop_pfn head = get_mapped(f, t);
	int err = 0;

	if (head == COP_PFN_NONE)
		return -COP_EAGAIN;
	if (cop_folio_anon(f->space->mem, head) && !cop_folio_mapped_once(f->space->mem, head))
		err = copy_on_write(f, t, head);
	cop_page_put(f->space->mem, head);
	return err;
}

static int fault_protected(const struct faulting *f, const struct cop_translation *t)
{
	bool mine = (t->attrs & (COP_SPECIAL | COP_WRITE)) || is_shared(f->area);
	cop_pfn head;
	int err;

	if (t->attrs & COP_SPECIAL)
		return replace(f, t, t->pa, owned_attrs(f));
	head = get_mapped(f, t);
	if (head == COP_PFN_NONE)
		return -COP_EAGAIN;
	mine = mine || is_exclusive(f->space->mem, head);
	if (mine)
		err = replace(f, t, t->pa, owned_attrs(f));
	else if (f->write)
		err = copy_on_write(f, t, head);
	else
		err = replace(f, t, t->pa, cop_area_attrs(f->area) & ~(uint32_t)COP_WRITE);
	cop_page_put(f->space->mem, head);
	return err;
}

/* Does the leaf give what is asked for, to hardware that sets no bits by itself too? */
static bool leaf_permits(const struct cop_translation *t, const struct faulting *f)
{
	uint32_t need = COP_READ | COP_YOUNG;

	if (f->write)
		need |= COP_WRITE | COP_DIRTY;
	if (f->access == COP_ACCESS_EXEC)
		need |= COP_EXEC;
	return (t->attrs & need) == need && !(t->attrs & COP_PROTNONE);
}

static int fault_once(const struct faulting *f)
{
	struct cop_translation t;

	cop_rcu_read_lock();
	t = cop_translate(&f->space->tree, f->va);
	cop_rcu_read_unlock();
	if (t.pa == COP_PA_NONE)
		return fault_missing(f);
	if (!leaf_permits(&t, f))
		return fault_protected(f, &t);
	if (f->pin && !(t.attrs & (COP_WRITE | COP_SPECIAL)))
		return unshare(f, &t);
	/* Somebody has been faster, or this CPU goes by what it remembers. */
	cop_refresh(&f->space->tree, f->va);
	return 0;
}

static int fault_until_done(struct faulting *f)
{
	int err = -COP_EFAULT;

	cop_rwsem_read_lock(&f->space->lock);
	f->area = cop_area_at(f->space, f->va);
	if (f->area && area_permits(f->area, f->access))
		do
			err = fault_once(f);
		while (err == -COP_EAGAIN || err == -COP_EADDRINUSE);
	cop_rwsem_read_unlock(&f->space->lock);
	return err;
}

int cop_space_fault(struct cop_space *space, cop_va va, enum cop_access_kind access)
{
	struct faulting f = {.space = space,
			     .va = COP_ALIGN_DOWN(va, space_page(space)),
			     .access = access,
			     .write = access == COP_ACCESS_WRITE};

	return fault_until_done(&f);
}

int cop_space_fault_pin(struct cop_space *space, cop_va va)
{
	struct faulting f = {
		.space = space, .va = COP_ALIGN_DOWN(va, space_page(space)), .access = COP_ACCESS_READ, .pin = true};

	return fault_until_done(&f);
}
