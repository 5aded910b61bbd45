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

static COP_ALWAYS_INLINE bool gup_permits(const struct cop_gup_walk *w, uint64_t e, unsigned l)
{
	return is_leaf(e, l) && (fmt_attrs(w->geom, e, l) & w->mask) == w->want;
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

static COP_ALWAYS_INLINE bool gup_leaves_hold(const struct cop_gup_walk *w, const struct gup_batch *b, const unsigned l)
{
	if (COP_UNLIKELY(cop_load(b->entry, relaxed) != b->e))
		return false;
	for (unsigned i = 1; i < b->entries; i++) {
		const uint64_t e = cop_load(b->entry + i, relaxed);

		if (!gup_permits(w, e, l) || gup_leaf_pfn(w, e, b->slot + i, l) != b->pfn + i)
			return false;
	}
	return true;
}

static COP_ALWAYS_INLINE bool gup_take(struct cop_gup_walk *w, const struct gup_batch *b)
{
	if (COP_UNLIKELY(w->pin))
		return cop_page_try_pin(w->mem, b->head, b->pages);
	return cop_page_try_get_many(cop_page(w->mem, b->head), b->pages);
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

static COP_ALWAYS_INLINE bool gup_batch_get(struct cop_gup_walk *w, const struct gup_batch *b, const unsigned l)
{
	if (!gup_take(w, b))
		return false;
	/* While there is a reference the folio stays: its last page being of it, those before are. */
	if (COP_LIKELY(gup_leaves_hold(w, b, l) && gup_head(w, b->pfn + b->pages - 1) == b->head &&
		       (!w->longterm || gup_may_last(w, b))))
		return true;
	if (w->pin)
		cop_page_unpin(w->mem, b->head, b->pages);
	else
		cop_page_put_many(w->mem, b->head, b->pages);
	return false;
}

static COP_ALWAYS_INLINE void gup_advance(struct cop_gup_walk *w, const struct gup_batch *b)
{
	cop_pfn *out = w->pages + w->done;

	for (uint32_t i = 0; i < b->pages; i++)
		out[i] = b->pfn + i;
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

/* Leaves of one table. Return: false if the walk ends here. */
static COP_ALWAYS_INLINE bool gup_table(struct cop_gup_walk *w, const struct gup_path *path, const unsigned l)
{
	uint64_t *entries = table_entries(path->table);
	const cop_va last = table_last(w->geom, w->va, l);

	do {
		if (!gup_folio(w, entries, l))
			return false;
	} while (w->left && w->va <= last &&
		 (l == 0 || !fmt_links(cop_load(entries + slot_of(w->geom, w->va, l), relaxed), l)));
	return w->left != 0;
}

void GUP_PASTE(cop_gup_, COP_TABLES_NAME, )(struct cop_gup_walk *w)
{
	struct gup_path path;
	uint64_t before;
	bool more;

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
