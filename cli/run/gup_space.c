// SPDX-License-Identifier: MIT
/* An address space lives: it is faulted in, discarded, mapped anew, protected, forked, and grows; then the next one. */
#include <string.h>

#include "cli/cli.h"
#include "cli/run/gup_room.h"

#define STEPS 600 /* of one space */

static cop_va va_of(const struct gup *g, unsigned window, unsigned slot)
{
	return g->life.window[window] + slot * g->page;
}

static unsigned windows(const struct gup *g)
{
	return g->life.grown + 1;
}

/* ---- cuts ---- */

static void cut_begin(struct gup *g, unsigned window, unsigned first, unsigned n)
{
	for (unsigned i = first; i < first + n; i++)
		atomic_fetch_add(&g->slot[window][i].begun, 1);
}

static void cut_end(struct gup *g, unsigned window, unsigned first, unsigned n)
{
	for (unsigned i = first; i < first + n; i++)
		atomic_fetch_add(&g->slot[window][i].done, 1);
}

/* In all windows, whatever maps the file's page. */
static void cut_file(struct gup *g, unsigned index, void (*cut)(struct gup *, unsigned, unsigned, unsigned))
{
	for (unsigned w = 0; w < GUP_WINDOWS; w++) {
		cut(g, w, g->pages / 2 + index, 1);
		cut(g, w, g->pages / 4 * 3 + index, 1);
	}
}

void gup_evict(struct gup *g, unsigned index)
{
	cop_pfn pfn;

	/* One at a time: who removes a page and who hears that it is gone are the same. */
	cop_mutex_lock(&g->evict_lock);
	pfn = cop_cache_get(&g->life.cache, index);
	if (pfn != COP_PFN_NONE) {
		cut_file(g, index, cut_begin);
		if (cop_cache_remove(&g->life.cache, index))
			gup_dead(g, pfn);
		cut_file(g, index, cut_end);
		cop_page_put(&g->machine->mem, pfn);
		gup_event(g, GUP_EVICTIONS);
	}
	cop_mutex_unlock(&g->evict_lock);
}

/* ---- what is changed ---- */

/* Pages that are there, so that they can be told that they are no more. A file's stay where they are, in the cache. */
static struct cop_pages hold(struct gup *g, unsigned window, unsigned first, unsigned n, cop_pfn *page)
{
	if (gup_kind_of(g, first) == GUP_SHARED)
		return (struct cop_pages){page, 0};
	return cop_gup_fast(&g->life.space, va_of(g, window, first), n, COP_GUP_FAST_ONLY, page);
}

static void let_die(struct gup *g, unsigned window, unsigned first, const struct cop_pages *held)
{
	for (int64_t i = 0; i < held->count; i++)
		gup_slot_dead(g, window, first + (unsigned)i, held->page[i]);
	if (held->count > 0)
		cop_pages_put(&g->machine->mem, held->page, (uint64_t)held->count);
}

/* Memory may be short; nothing else may fail. Return: whether it did not. */
static bool worked(struct gup *g, int err, cop_va va)
{
	if (err == -COP_ENOMEM)
		gup_event(g, GUP_NO_MEMORY);
	else if (err)
		gup_wrong(g, &g->changer.count.wrong, "is refused to the one who changes it", va, 0);
	return !err;
}

void gup_discard(struct gup *g, unsigned window, unsigned first, unsigned n)
{
	const cop_va va = va_of(g, window, first);
	int err;

	cut_begin(g, window, first, n);
	err = cop_space_discard(&g->life.space, va, n * g->page);
	cut_end(g, window, first, n);
	/* Memory was short when a hole was to be mapped: all else is done. */
	if (err && err != -COP_ENOMEM)
		gup_wrong(g, &g->changer.count.wrong, "cannot be discarded", va, 0);
	gup_event(g, GUP_DISCARDS);
}

static void discard(struct gup *g, unsigned window, unsigned first, unsigned n)
{
	cop_pfn page[GUP_MOST];
	const struct cop_pages held = hold(g, window, first, n, page);

	gup_discard(g, window, first, n);
	let_die(g, window, first, &held);
}

static struct cop_area_spec spec_of(struct gup *g, unsigned window, unsigned first, unsigned n)
{
	static const uint32_t kinds[] = {COP_AREA_ANON, COP_AREA_SHARED, COP_AREA_PRIVATE};
	const enum gup_kind kind = gup_kind_of(g, first);
	struct cop_area_spec spec = {.va = va_of(g, window, first),
				     .bytes = n * g->page,
				     .prot = COP_READ | COP_WRITE,
				     .kind = kinds[kind],
				     .flags = COP_AREA_REPLACE};

	if (kind != GUP_ANON) {
		spec.cache = &g->life.cache;
		spec.index = gup_index_of(g, first);
	}
	return spec;
}

static int map_anew(struct gup *g, unsigned window, unsigned first, unsigned n)
{
	const struct cop_area_spec spec = spec_of(g, window, first, n);

	return cop_space_map(&g->life.space, &spec).err;
}

static void remap(struct gup *g, unsigned window, unsigned first, unsigned n, bool gap)
{
	const cop_va va = va_of(g, window, first);
	cop_pfn page[GUP_MOST];
	const struct cop_pages held = hold(g, window, first, n, page);

	cut_begin(g, window, first, n);
	if (gap)
		(void)worked(g, cop_space_unmap(&g->life.space, va, n * g->page), va);
	if (worked(g, map_anew(g, window, first, n), va))
		let_die(g, window, first, &held);
	else if (held.count > 0)
		cop_pages_put(&g->machine->mem, page, (uint64_t)held.count);
	cut_end(g, window, first, n);
	gup_event(g, GUP_REMAPS);
}

/* Not a cut: a page that is pinned is the same when it may be written to again. */
static void protect(struct gup *g, unsigned window, unsigned first, unsigned n, uint32_t prot)
{
	const cop_va va = va_of(g, window, first);

	if (worked(g, cop_space_protect(&g->life.space, va, n * g->page, prot), va))
		(void)worked(g, cop_space_protect(&g->life.space, va, n * g->page, COP_READ | COP_WRITE), va);
	gup_event(g, GUP_PROTECTS);
}

static void fault(struct gup *g, unsigned window, unsigned slot, bool write)
{
	const int err =
		cop_space_fault(&g->life.space, va_of(g, window, slot), write ? COP_ACCESS_WRITE : COP_ACCESS_READ);

	gup_event(g, err == -COP_ENOMEM ? GUP_NO_MEMORY : GUP_FAULTS);
}

/* ---- fork ---- */

static void look_at_child(struct gup *g, struct cop_space *child, unsigned window, unsigned slot, cop_pfn pinned)
{
	const struct gup_call call = {.child = true};
	const cop_va va = va_of(g, window, slot);
	cop_pfn page;
	const char *what = NULL;

	if (cop_gup_fast(child, va, 1, slot % 2 ? COP_GUP_WRITE : 0, &page).count != 1)
		return;
	if (gup_kind_of(g, slot) != GUP_SHARED && page == pinned)
		what = "is its parent's, which has pinned it";
	if (!what)
		what = gup_page_wrong(g, &call, window, slot, page);
	if (what)
		gup_wrong(g, &g->changer.count.wrong, what, va, page);
	cop_pages_put(&g->machine->mem, &page, 1);
}

static int fork_space(struct gup *g, struct cop_space *child)
{
	struct gup_life *life = &g->life;
	struct cop_table_source source;

	if (!g->fragments)
		return cop_space_fork(child, &life->space, NULL, 2);
	source = cop_fragments_source(&life->child_fragments);
	return cop_space_fork(child, &life->space, &source, 2);
}

/* A page that the parent has pinned before stays its own, and the child gets another. */
static void fork_once(struct gup *g, unsigned window, unsigned slot)
{
	const uint32_t flags = COP_GUP_PIN | COP_GUP_WRITE;
	struct cop_space child;
	cop_pfn pinned = COP_PFN_NONE;
	const bool has_pin = cop_gup_fast(&g->life.space, va_of(g, window, slot), 1, flags, &pinned).count == 1;
	uint64_t seed = g->changer.seed;

	if (fork_space(g, &child)) {
		gup_event(g, GUP_NO_MEMORY);
	} else {
		look_at_child(g, &child, window, slot, has_pin ? pinned : COP_PFN_NONE);
		for (unsigned i = 0; i < 8; i++)
			look_at_child(g, &child, (unsigned)(gup_random(&seed) % windows(g)),
				      (unsigned)(gup_random(&seed) % g->pages), COP_PFN_NONE);
		cop_space_destroy(&child);
		gup_event(g, GUP_FORKS);
	}
	if (has_pin)
		cop_pages_unpin(&g->machine->mem, &pinned, 1, true);
}

/* ---- a life ---- */

static void map_window(struct gup *g, unsigned window)
{
	static const unsigned quarters[] = {0, 2, 3, 4};

	for (unsigned i = 0; i < 3; i++) {
		const unsigned first = g->pages / 4 * quarters[i], n = g->pages / 4 * (quarters[i + 1] - quarters[i]);

		(void)worked(g, map_anew(g, window, first, n), va_of(g, window, first));
	}
}

static void grow(struct gup *g)
{
	struct gup_life *life = &g->life;
	int err;

	/* Who takes a folio out comes from elsewhere. */
	cop_mutex_lock(&g->folios_lock);
	err = cop_space_grow(&life->space, g->bits[life->grown]);
	cop_mutex_unlock(&g->folios_lock);
	if (!worked(g, err, life->space.end))
		return;
	life->grown++;
	gup_event(g, GUP_GROWN);
	map_window(g, life->grown);
}

static int fill(void *ctx, uint64_t index, cop_pfn pfn)
{
	gup_file_fill(ctx, (unsigned)index, pfn);
	return 0;
}

/*
 * The first window goes from one entry of the root to the next. The others lie where the space ends before it grows, and as
 * far beyond as the first is from 0: who takes such an address for a lower one finds the first window's pages.
 */
static void place_windows(struct gup *g)
{
	struct gup_life *life = &g->life;
	const struct cop_format *format = g->machine->plan->format;
	const unsigned sign = g->geom.half == COP_HALF_BOTH;

	life->window[0] = COP_LG2(format->shift(g->geom.levels - 1U)) - g->pages / 4 * g->page;
	for (unsigned i = 0; i < g->grows; i++)
		life->window[i + 1] = COP_LG2((i ? g->bits[i - 1] : g->geom.va_bits) - sign) + life->window[0];
	life->places = COP_ALIGN_UP(life->window[0] + g->pages * g->page, g->page << g->order) + (g->page << g->order);
}

static int space_on(struct gup *g)
{
	struct gup_life *life = &g->life;
	struct cop_mem *mem = &g->machine->mem;
	const unsigned lg2 = g->machine->plan->format->min_table_lg2;
	struct cop_table_source source;
	int err;

	if (!g->fragments)
		return cop_space_init(&life->space, &life->spaces, &g->geom, NULL, 1);
	err = cop_fragments_init(&life->fragments, mem, mem->page_lg2, lg2);
	if (!err)
		err = cop_fragments_init(&life->child_fragments, mem, mem->page_lg2, lg2);
	if (err)
		return err;
	source = cop_fragments_source(&life->fragments);
	return cop_space_init(&life->space, &life->spaces, &g->geom, &source, 1);
}

bool gup_begin(struct gup *g)
{
	struct gup_life *life = &g->life;
	const uint64_t number = life->number + 1;

	memset(life, 0, sizeof(*life));
	life->number = number;
	cop_spaces_init(&life->spaces, &g->machine->mem);
	if (space_on(g))
		return false;
	cop_cache_init(&life->cache, &g->machine->mem, life->slots, g->pages / 4, fill, g);
	place_windows(g);
	life->there = true;
	map_window(g, 0);
	gup_event(g, GUP_SPACES);
	return true;
}

void gup_end(struct gup *g)
{
	struct gup_life *life = &g->life;

	if (!life->there)
		return;
	gup_folios_drop(g);
	cop_space_destroy(&life->space);
	cop_cache_destroy(&life->cache);
	cop_spaces_exit(&life->spaces);
	if (g->fragments && (cop_fragments_exit(&life->fragments) || cop_fragments_exit(&life->child_fragments)))
		g->left++;
}

static void step(struct gup *g, uint64_t *seed)
{
	const uint64_t dice = gup_random(seed);
	const unsigned window = (unsigned)((dice >> 8) % windows(g)), quarter = g->pages / 4;
	const unsigned n = 1 + (unsigned)((dice >> 24) % (dice & 64 ? 4 : quarter < GUP_MOST ? quarter : GUP_MOST));
	/* Within one kind. */
	const unsigned first = (unsigned)((dice >> 16) % 4) * quarter + (unsigned)((dice >> 40) % (quarter - n + 1));

	switch (dice % 32) {
	case 0 ... 5:
		fault(g, window, first, dice & 32);
		break;
	case 6 ... 12:
		discard(g, window, first, n);
		break;
	case 13 ... 15:
		remap(g, window, first, n, dice & 32);
		break;
	case 16 ... 18:
		protect(g, window, first, n, dice & 32 ? COP_READ : 0);
		break;
	case 19 ... 23:
		gup_evict(g, (unsigned)((dice >> 16) % quarter));
		break;
	case 24:
		fork_once(g, window, first);
		break;
	default:
		gup_folios_step(g, seed);
	}
}

static bool stopped(const struct gup *g)
{
	return atomic_load_explicit(&g->stop, memory_order_relaxed);
}

static void live(struct gup *g, uint64_t *seed)
{
	for (unsigned i = 0; i < STEPS && !stopped(g); i++) {
		if (g->life.grown < g->grows && i >= STEPS / (g->grows + 1) * (g->life.grown + 1))
			grow(g);
		step(g, seed);
		cop_host_poll();
	}
}

static bool replace(struct gup *g)
{
	bool good;

	cop_rwsem_write_lock(&g->alive);
	gup_end(g);
	do
		good = gup_begin(g);
	while (!good && !stopped(g));
	cop_rwsem_write_unlock(&g->alive);
	return good;
}

void gup_change(struct gup_thread *t)
{
	do
		live(t->all, &t->seed);
	while (!stopped(t->all) && replace(t->all));
}
