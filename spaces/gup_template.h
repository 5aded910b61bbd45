/* SPDX-License-Identifier: MIT */
/*
 * GUP-fast's walk, compiled for one format. The includer has included a format header and defines COP_TABLES_NAME.
 *
 * Nothing holds the tables still but that they are not freed under a walker, and nothing holds the folio at all until there
 * is a reference. So: every entry is loaded once; the leaf says which frame; the frame has a struct page (its section may be
 * gone already); a reference is taken unless the count is 0; and then, all over again: it is still the folio it was, the
 * leaf still maps it and lets the caller in, and every link on the way there is still what it was. The last is not implied
 * by the one before: a table that was replaced by a leaf (collapse) keeps its entries, and what they named may long be
 * somebody else's. A link that was taken out never comes back while we are here, so that it is enough to look at the links
 * once for all leaves of a table, after the last of them. gup-fast-vs-hotplug-2022-10.
 */
#ifndef COP_TABLES_NAME
#error "include a format header and define COP_TABLES_NAME"
#endif

#include "spaces/gup_walk.h"
#include "tables/where.h"

#define GUP_PASTE_(a, b, c) a##b##c
#define GUP_PASTE(a, b, c)  GUP_PASTE_(a, b, c)

/* The links from the root to a table of level .level, each as it was loaded. */
struct gup_path {
	uint64_t *entry[FMT_MAX_LEVELS];
	uint64_t e[FMT_MAX_LEVELS];
	cop_pa table;
	unsigned level, levels;
};

/* Pages of one folio that follow each other in both address spaces. */
struct gup_batch {
	uint64_t *entry; /* the first leaf */
	uint64_t e;
	cop_pfn pfn; /* the first page's */
	cop_pfn head;
	unsigned slot, entries;
	uint32_t pages;
};

/* Folios of one frame at a time. */
#define GUP_SMALL 16

static COP_ALWAYS_INLINE void gup_descend(struct cop_gup_walk *w, struct gup_path *path)
{
	const struct cop_top *top = tree_top(w->tree);
	const struct cop_geom *g = w->geom = &top->geom;
	unsigned l = g->levels - 1U;

	path->levels = g->levels;
	path->table = top->root;
	for (;; l--) {
		path->level = l;
		if (l == 0)
			return;
		path->entry[l] = table_entries(path->table) + slot_of(g, w->va, l);
		/* Acquire: what the table held when it was linked is seen; pairs with the release of its link. */
		path->e[l] = cop_load(path->entry[l], acquire);
		if (!fmt_links(path->e[l], l))
			return;
		path->table = fmt_table_pa(g, path->e[l], l);
	}
}

static COP_ALWAYS_INLINE bool gup_path_holds(const struct gup_path *path)
{
	for (unsigned l = path->level + 1; l < path->levels; l++)
		if (cop_load(path->entry[l], relaxed) != path->e[l])
			return false;
	return true;
}

static COP_NOINLINE bool gup_ask_permits(struct cop_gup_walk *w, uint64_t e, unsigned l)
{
	if ((fmt_attrs(w->geom, e, l) & w->mask) != w->want)
		return false;
	if (l != 0)
		return true;
	/* Bits that an output address is in, of entries that are present to hardware. */
	w->alike = ~(fmt_leaf(w->geom, COP_LG2(w->geom->pa_bits) - PAGE_BYTES, 0, COP_READ) ^
		     fmt_leaf(w->geom, 0, 0, COP_READ));
	w->permitted = e;
	return true;
}

/* One that differs from a leaf that did in nothing but the address needs not be decoded. */
static COP_ALWAYS_INLINE bool gup_permits(struct cop_gup_walk *w, uint64_t e, unsigned l)
{
	return is_leaf(e, l) && (COP_LIKELY(!((e ^ w->permitted) & w->alike) && l == 0) || gup_ask_permits(w, e, l));
}

static COP_ALWAYS_INLINE cop_pfn gup_leaf_pfn(const struct cop_gup_walk *w, uint64_t e, unsigned slot, unsigned l)
{
	return entry_pa_inline(w->geom, e, l, slot) >> FMT_PAGE_LG2;
}

/* Asked, not asserted: a leaf may name memory that is being removed. */
static COP_NOINLINE bool gup_ask_valid(struct cop_gup_walk *w, cop_pfn pfn)
{
	const struct cop_mem *mem = w->mem;
	const uint64_t frames = COP_LG2(mem->section_lg2 - FMT_PAGE_LG2);
	const cop_pfn start = mem->pa_start >> FMT_PAGE_LG2;

	if (!cop_pfn_valid(mem, pfn))
		return false;
	w->valid_first = start + COP_ALIGN_DOWN(pfn - start, frames);
	w->valid_count = frames;
	return true;
}

static COP_ALWAYS_INLINE bool gup_valid(struct cop_gup_walk *w, cop_pfn pfn)
{
	return COP_LIKELY(pfn - w->valid_first < w->valid_count) || gup_ask_valid(w, pfn);
}

static COP_ALWAYS_INLINE cop_pfn gup_head(const struct cop_gup_walk *w, cop_pfn pfn)
{
	const unsigned lg2 = cop_load(&cop_page(w->mem, pfn)->tail_lg2, relaxed);

	return pfn >> lg2 << lg2;
}

/* Pages from the batch's first to the end of its folio, as it looks now. A head does not say how large it is: a tail does. */
static COP_ALWAYS_INLINE uint64_t gup_folio_rest(struct cop_gup_walk *w, const struct gup_batch *b)
{
	struct cop_page *page = cop_page(w->mem, b->pfn);
	unsigned lg2 = cop_load(&page->tail_lg2, relaxed);

	if (!lg2 && (cop_load(&page->flags, relaxed) & COP_PG_HEAD) && gup_valid(w, b->pfn + 1))
		lg2 = cop_load(&cop_page(w->mem, b->pfn + 1)->tail_lg2, relaxed);
	return (((b->pfn >> lg2) + 1) << lg2) - b->pfn;
}

/* The entries after the first that go on with the same folio: a contiguous run, or a folio that is mapped in parts. */
static COP_ALWAYS_INLINE void gup_extend(struct cop_gup_walk *w, struct gup_batch *b, uint64_t most, const unsigned l)
{
	while (b->pages < most) {
		const unsigned slot = b->slot + b->entries;
		const uint64_t e = cop_load(b->entry + b->entries, acquire);

		if (!gup_permits(w, e, l) || gup_leaf_pfn(w, e, slot, l) != b->pfn + b->pages)
			return;
		b->entries++;
		b->pages++;
	}
}

static COP_ALWAYS_INLINE bool gup_leaf_holds(uint64_t *entry, uint64_t e)
{
	return COP_LIKELY(cop_load(entry, relaxed) == e);
}

static COP_ALWAYS_INLINE bool gup_leaves_hold(struct cop_gup_walk *w, const struct gup_batch *b, const unsigned l)
{
	if (COP_UNLIKELY(!gup_leaf_holds(b->entry, b->e)))
		return false;
	for (unsigned i = 1; i < b->entries; i++) {
		const uint64_t e = cop_load(b->entry + i, relaxed);

		if (!gup_permits(w, e, l) || gup_leaf_pfn(w, e, b->slot + i, l) != b->pfn + i)
			return false;
	}
	return true;
}

static COP_ALWAYS_INLINE bool gup_take(struct cop_gup_walk *w, struct cop_page *page, cop_pfn head, uint32_t pages)
{
	if (COP_UNLIKELY(w->pin))
		return cop_page_try_pin(w->mem, head, pages);
	return cop_page_try_get_many(page, pages);
}

static COP_NOINLINE void gup_drop(struct cop_gup_walk *w, cop_pfn head, uint32_t pages)
{
	if (w->pin)
		cop_page_unpin(w->mem, head, pages);
	else
		cop_page_put_many(w->mem, head, pages);
}

/* Nobody may keep a page for long that must be movable, or whose file somebody else writes back. */
static COP_NOINLINE bool gup_may_last(struct cop_gup_walk *w, const struct gup_batch *b)
{
	const uint64_t mapping = cop_load(&cop_page(w->mem, b->head)->mapping, relaxed);
	const bool file = mapping && !(mapping & COP_MAPPING_ANON);

	if (!file && cop_pfn_zone(w->mem, b->head) != COP_ZONE_MOVABLE)
		return true;
	w->may_not_last = true;
	return false;
}

/* A page that is shared with another space is copied before it is pinned: else the first write leaves the pin behind. */
static COP_NOINLINE bool gup_is_own(const struct cop_gup_walk *w, const struct gup_batch *b, unsigned l)
{
	return (fmt_attrs(w->geom, b->e, l) & COP_WRITE) || cop_gup_may_stay(w, b->head);
}

static COP_ALWAYS_INLINE bool gup_batch_get(struct cop_gup_walk *w, const struct gup_batch *b, const unsigned l)
{
	if (!gup_take(w, cop_page(w->mem, b->head), b->head, b->pages))
		return false;
	/* While there is a reference the folio stays: its last page being of it, those before are. */
	if (COP_LIKELY(gup_leaves_hold(w, b, l) && gup_head(w, b->pfn + b->pages - 1) == b->head &&
		       (!w->own || gup_is_own(w, b, l)) && (!w->longterm || gup_may_last(w, b))))
		return true;
	gup_drop(w, b->head, b->pages);
	return false;
}

/* Most of what a block takes are these stores. */
static COP_NOINLINE void gup_store(cop_pfn *out, cop_pfn pfn, uint32_t pages)
{
	for (; pages >= 8; pages -= 8, out += 8, pfn += 8) {
		out[0] = pfn;
		out[1] = pfn + 1;
		out[2] = pfn + 2;
		out[3] = pfn + 3;
		out[4] = pfn + 4;
		out[5] = pfn + 5;
		out[6] = pfn + 6;
		out[7] = pfn + 7;
	}
	for (; pages; pages--)
		*out++ = pfn++;
}

static COP_ALWAYS_INLINE void gup_advance(struct cop_gup_walk *w, const struct gup_batch *b)
{
	gup_store(w->pages + w->done, b->pfn, b->pages);
	w->done += b->pages;
	w->left -= b->pages;
	w->va += (uint64_t)b->pages << FMT_PAGE_LG2;
}

/* The pages of one folio from the cursor on. Return: false if they cannot be had so. */
static COP_ALWAYS_INLINE bool gup_folio(struct cop_gup_walk *w, uint64_t *entries, const unsigned l)
{
	struct gup_batch b = {.slot = slot_of(w->geom, w->va, l), .entries = 1, .pages = 1};
	const uint64_t offset = (w->va & (leaf_bytes(l) - 1)) >> FMT_PAGE_LG2;
	uint64_t most;

	b.entry = entries + b.slot;
	/* Acquire: the folio was whole before it was mapped; pairs with the release of the store that mapped it. */
	b.e = cop_load(b.entry, acquire);
	if (COP_UNLIKELY(!gup_permits(w, b.e, l)))
		return false;
	b.pfn = gup_leaf_pfn(w, b.e, b.slot, l) + offset;
	if (COP_UNLIKELY(!gup_valid(w, b.pfn)))
		return false;
	b.head = gup_head(w, b.pfn);
	most = w->left == 1 ? 1 : gup_folio_rest(w, &b);
	if (COP_UNLIKELY(most > 1)) {
		const uint64_t room = l ? (leaf_bytes(l) >> FMT_PAGE_LG2) - offset : table_slots(w->geom, 0) - b.slot;

		most = most < w->left ? most : w->left;
		most = most < room ? most : room;
		if (l)
			b.pages = (uint32_t)most;
		else
			gup_extend(w, &b, most, l);
	}
	if (!gup_batch_get(w, &b, l))
		return false;
	gup_advance(w, &b);
	return true;
}

/* What leaves have in common that need not be decoded one by one, and struct pages that need not be asked for. */
struct gup_alike {
	uint64_t permitted, alike;
	cop_pfn first;
	uint64_t count;
	uintptr_t memmap; /* where frame 0 would have its struct page */
};

static COP_ALWAYS_INLINE struct cop_page *gup_page(const struct gup_alike *a, cop_pfn pfn)
{
	return (struct cop_page *)(a->memmap + (pfn << COP_PAGE_STRUCT_LG2));
}

/* A leaf like that which maps a folio of one frame, as it looks now. */
static COP_ALWAYS_INLINE bool gup_find_small(const struct cop_gup_walk *w, const struct gup_alike *a, uint64_t e,
					     unsigned slot, cop_pfn *out)
{
	const cop_pfn pfn = gup_leaf_pfn(w, e, slot, 0);
	struct cop_page *page = gup_page(a, pfn);

	*out = pfn;
	return !((e ^ a->permitted) & a->alike) && pfn - a->first < a->count &&
	       !(cop_load(&page->tail_lg2, relaxed) | (cop_load(&page->flags, relaxed) & COP_PG_HEAD));
}

/*
 * Folios of one frame from the cursor on: all are found, then referenced, and only then looked at again, so that what is
 * loaded does not wait for one atomic operation after the other. What cannot be had so is left to gup_folio().
 */
static COP_ALWAYS_INLINE void gup_small(struct cop_gup_walk *w, uint64_t *entries)
{
	const unsigned slot = slot_of(w->geom, w->va, 0);
	uint64_t *entry = entries + slot, e[GUP_SMALL];
	unsigned most = table_slots(w->geom, 0) - slot, n = 0, taken = 0, held = 0;
	cop_pfn *pfn = w->pages + w->done;
	struct gup_alike a;

	/* Acquire: as in gup_folio(). */
	e[0] = cop_load(entry, acquire);
	if (!gup_permits(w, e[0], 0) || !gup_valid(w, gup_leaf_pfn(w, e[0], slot, 0)))
		return;
	a = (struct gup_alike){
		.permitted = w->permitted,
		.alike = w->alike,
		.first = w->valid_first,
		.count = w->valid_count,
		.memmap = (uintptr_t)cop_page(w->mem, w->valid_first) - (w->valid_first << COP_PAGE_STRUCT_LG2),
	};
	most = most < GUP_SMALL ? most : GUP_SMALL;
	most = most < w->left ? most : (unsigned)w->left;
	while (COP_LIKELY(gup_find_small(w, &a, e[n], slot + n, pfn + n)) && ++n < most)
		e[n] = cop_load(entry + n, acquire);
	while (taken < n && COP_LIKELY(gup_take(w, gup_page(&a, pfn[taken]), pfn[taken], 1)))
		taken++;
	while (held < taken && gup_leaf_holds(entry + held, e[held]) &&
	       COP_LIKELY(!cop_load(&gup_page(&a, pfn[held])->tail_lg2, relaxed)))
		held++;
	for (unsigned i = held; i < taken; i++)
		gup_drop(w, pfn[i], 1);
	w->done += held;
	w->left -= held;
	w->va += (uint64_t)held << FMT_PAGE_LG2;
}

static COP_ALWAYS_INLINE bool gup_more(const struct cop_gup_walk *w, uint64_t *entries, cop_va last, const unsigned l)
{
	return w->left && w->va <= last &&
	       (l == 0 || !fmt_links(cop_load(entries + slot_of(w->geom, w->va, l), relaxed), l));
}

/* Leaves of one table. Return: false if the walk ends here. */
static COP_ALWAYS_INLINE bool gup_table(struct cop_gup_walk *w, const struct gup_path *path, const unsigned l)
{
	uint64_t *entries = table_entries(path->table);
	const cop_va last = table_last(w->geom, w->va, l);

	do {
		const uint64_t before = w->done;

		if (l == 0 && !w->longterm && !w->own && w->left > 1)
			gup_small(w, entries);
		if (w->done == before && !gup_folio(w, entries, l))
			return false;
	} while (gup_more(w, entries, last, l));
	return w->left != 0;
}

void GUP_PASTE(cop_gup_, COP_TABLES_NAME, )(struct cop_gup_walk *w)
{
	struct gup_path path;
	uint64_t before;
	bool more;

	/* No leaf is like that; and whatever was valid in an earlier read section may have gone. */
	w->permitted = fmt_empty(0);
	w->alike = ~0ULL;
	w->valid_first = 0;
	w->valid_count = 0;
	do {
		before = w->done;
		gup_descend(w, &path);
		more = path.level == 0 ? gup_table(w, &path, 0) : gup_table(w, &path, path.level);
		if (COP_UNLIKELY(!gup_path_holds(&path))) {
			cop_gup_walk_undo(w, before);
			return;
		}
	} while (more);
}
