/* SPDX-License-Identifier: MIT */
/*
 * GUP: the pages are those of the mapping, each with one reference or pin more; what cannot be had leaves none behind. After
 * every call all references of all frames are counted.
 */
#include "tests/memory/machine.h"

#include <coppice/gup.h>

#define VA    (1ULL << 37)
#define SMALL 10 /* frames of their own, in no order */
#define ORDER 4  /* a folio that is mapped in parts */
#define MAX   4096

struct user {
	struct machine m;
	struct cop_spaces spaces;
	struct cop_space space;
	uint64_t page; /* bytes */
	cop_pfn small[SMALL], folio, block;
	unsigned block_order; /* 0: a block is larger than a section here */
	cop_pfn got[MAX];
};

struct refs {
	uint64_t refs, pins;
};

static struct refs count_refs(struct user *u)
{
	struct refs sum = {0};

	for (uint64_t i = 0; i < u->m.mem.section_count; i++) {
		const cop_pa pa = MACHINE_BASE + i * u->m.section;

		for (cop_pfn pfn = pa / u->page; pfn < (pa + u->m.section) / u->page; pfn++) {
			if (!cop_pfn_valid(&u->m.mem, pfn))
				continue;
			sum.refs += cop_page(&u->m.mem, pfn)->refcount;
			sum.pins += cop_page(&u->m.mem, pfn)->pincount;
		}
	}
	return sum;
}

static void same_refs(struct user *u, struct refs before)
{
	const struct refs now = count_refs(u);

	assert_int_equal(now.refs, before.refs);
	assert_int_equal(now.pins, before.pins);
}

static struct cop_geom user_geom(const struct machine *m)
{
	struct cop_geom geom = m->config.geom;

	if (geom.half == COP_HALF_HIGH)
		geom.half = COP_HALF_LOW;
	return geom;
}

static void user_on(struct user *u, const void *shape)
{
	struct cop_geom geom;

	assert_true(machine_shape(&u->m, shape));
	machine_on(&u->m);
	u->page = COP_LG2(u->m.mem.page_lg2);
	geom = user_geom(&u->m);
	cop_spaces_init(&u->spaces, &u->m.mem);
	assert_int_equal(cop_space_init(&u->space, &u->spaces, &geom, NULL, 1), 0);
}

static void user_off(struct user *u)
{
	struct cop_gather gather;

	cop_gather_begin(&gather, &u->space.tree);
	assert_int_equal(cop_unmap(&gather, VA, MAX * u->page, COP_UNMAP_BLIND | COP_UNMAP_HOLES_OK, NULL, 0).err, 0);
	(void)cop_gather_finish(&gather);
	cop_space_destroy(&u->space);
	machine_check(&u->m);
	machine_off(&u->m);
	free(u);
}

static struct user *new_user(void)
{
	struct user *u = calloc(1, sizeof(*u));

	assert_non_null(u);
	return u;
}

static void map_at(struct user *u, uint64_t at, cop_pfn pfn, uint64_t pages, uint32_t attrs, unsigned max_leaf_lg2)
{
	assert_int_equal(
		cop_map(&u->space.tree, VA + at * u->page, pfn * u->page, pages * u->page, attrs, max_leaf_lg2, 0), 0);
}

static cop_pfn frames(struct user *u, unsigned order)
{
	const cop_pfn pfn = cop_frames_alloc(&u->m.mem, order, COP_ALLOC_FOLIO);

	assert_int_not_equal(pfn, COP_PFN_NONE);
	return pfn;
}

/* Pages 0 to 9 small ones, 16 to 31 a folio in parts and as a run where there are runs, a block where it fits. */
static uint64_t block_at(const struct user *u)
{
	return COP_LG2(u->block_order);
}

static void map_all(struct user *u, uint32_t attrs)
{
	const struct cop_format *format = u->space.tree.ops->format;

	for (unsigned i = 0; i < SMALL; i++)
		u->small[i] = frames(u, 0);
	for (unsigned i = 0; i < SMALL; i++)
		map_at(u, i, u->small[i * 7 % SMALL], 1, attrs, 0);
	u->folio = frames(u, ORDER);
	map_at(u, COP_LG2(ORDER), u->folio, COP_LG2(ORDER), attrs, u->m.mem.page_lg2);
	if (format->shift(1) < u->m.shape->section_lg2) {
		u->block_order = format->shift(1) - u->m.mem.page_lg2;
		u->block = frames(u, u->block_order);
		map_at(u, block_at(u), u->block, COP_LG2(u->block_order), attrs, 0);
	}
}

static void free_all(struct user *u)
{
	for (unsigned i = 0; i < SMALL; i++)
		cop_frames_free(&u->m.mem, u->small[i]);
	cop_frames_free(&u->m.mem, u->folio);
	if (u->block_order)
		cop_frames_free(&u->m.mem, u->block);
}

static int64_t gup(struct user *u, uint64_t at, uint64_t pages, uint32_t flags)
{
	return cop_gup_fast(&u->space, VA + at * u->page, pages, flags, u->got).count;
}

static void drop(struct user *u, int64_t n, uint32_t flags)
{
	if (flags & COP_GUP_PIN)
		cop_pages_unpin(&u->m.mem, u->got, (uint64_t)n, false);
	else
		cop_pages_put(&u->m.mem, u->got, (uint64_t)n);
}

/* A range that is all there: the pages of the mapping, and as many references. */
static void get(struct user *u, uint64_t at, uint64_t pages, uint32_t flags)
{
	const struct refs before = count_refs(u);
	struct refs now;

	assert_int_equal(gup(u, at, pages, flags), pages);
	for (uint64_t i = 0; i < pages; i++)
		assert_int_equal(u->got[i], cop_translate_pa(&u->space.tree, VA + (at + i) * u->page) / u->page);
	now = count_refs(u);
	if (flags & COP_GUP_PIN)
		assert_true(now.refs >= before.refs + pages);
	else
		assert_int_equal(now.refs, before.refs + pages);
	drop(u, (int64_t)pages, flags);
	same_refs(u, before);
}

static void every_leaf(void **state)
{
	static const uint32_t flags[] = {0, COP_GUP_WRITE, COP_GUP_PIN, COP_GUP_WRITE | COP_GUP_PIN | COP_GUP_LONGTERM};
	struct user *u = new_user();

	user_on(u, *state);
	map_all(u, COP_USER_RW);
	for (unsigned i = 0; i < 4; i++) {
		get(u, 0, SMALL, flags[i]);
		get(u, 3, 1, flags[i]);
		get(u, COP_LG2(ORDER), COP_LG2(ORDER), flags[i]);
		get(u, COP_LG2(ORDER) + 5, 7, flags[i] | COP_GUP_FAST_ONLY);
		if (!u->block_order)
			continue;
		get(u, block_at(u), COP_LG2(u->block_order), flags[i]);
		get(u, block_at(u) + 17, 100, flags[i]);
		get(u, block_at(u) + COP_LG2(u->block_order) - 1, 1, flags[i]);
	}
	free_all(u);
	user_off(u);
}

/* Two blocks that follow each other, and the end of a table of pages before them: one call. */
static void across_tables(void **state)
{
	struct user *u = new_user();
	uint64_t n;

	user_on(u, *state);
	map_all(u, COP_USER_RW);
	n = COP_LG2(u->block_order);
	if (u->block_order) {
		const cop_pfn second = frames(u, u->block_order), before = frames(u, 0);

		map_at(u, block_at(u) + n, second, n, COP_USER_RW, u->m.mem.page_lg2);
		map_at(u, block_at(u) - 1, before, 1, COP_USER_RW, 0);
		get(u, block_at(u) - 1, 2 * n + 1, COP_GUP_WRITE);
		get(u, block_at(u) - 1, 3, COP_GUP_WRITE | COP_GUP_PIN);
		get(u, block_at(u) + 5, n, 0);
		cop_frames_free(&u->m.mem, second);
		cop_frames_free(&u->m.mem, before);
	}
	free_all(u);
	user_off(u);
}

/* Contiguous runs, where the format has them: of a folio that is larger, and of one that is smaller than the run. */
static void runs(void **state)
{
	struct user *u = new_user();
	unsigned run;
	cop_pfn pfn;

	user_on(u, *state);
	run = u->space.tree.ops->format->cont_lg2(&u->space.tree.geom, 0);
	if (run) {
		pfn = frames(u, run + 1);
		map_at(u, COP_LG2(run + 1), pfn, COP_LG2(run + 1), COP_USER_RW, 0);
		assert_true(cop_translate(&u->space.tree, VA + COP_LG2(run + 1) * u->page).attrs & COP_CONT);
		get(u, COP_LG2(run + 1), COP_LG2(run + 1), COP_GUP_WRITE);
		get(u, COP_LG2(run + 1) + 3, COP_LG2(run), COP_GUP_PIN);
		cop_frames_free(&u->m.mem, pfn);
	}
	user_off(u);
}

/* With the lock or without: the same. */
static void refused_at(struct user *u, cop_va va, uint64_t pages, uint32_t flags, int64_t count)
{
	const struct refs before = count_refs(u);

	assert_int_equal(cop_gup_fast(&u->space, va, pages, flags, u->got).count, count);
	if (count > 0)
		drop(u, count, flags);
	same_refs(u, before);
	if (flags & COP_GUP_FAST_ONLY)
		return;
	assert_int_equal(cop_gup(&u->space, va, pages, flags, u->got).count, count);
	if (count > 0)
		drop(u, count, flags);
	same_refs(u, before);
}

static void refused(struct user *u, uint64_t at, uint64_t pages, uint32_t flags, int64_t count)
{
	refused_at(u, VA + at * u->page, pages, flags, count);
}

static void bad_ranges(void **state)
{
	struct user *u = new_user();
	struct cop_pages p;

	user_on(u, *state);
	map_all(u, COP_USER_RW);
	refused(u, 0, 0, 0, 0);
	refused(u, 0, 1, 1U << 30, -COP_EINVAL);
	refused(u, 0, 1, COP_GUP_LONGTERM, -COP_EINVAL);
	refused(u, 0, ~0ULL, 0, -COP_EOVERFLOW);
	refused(u, 0, 1ULL << (63 - u->m.mem.page_lg2), 0, -COP_EOVERFLOW);
	refused_at(u, -u->page, 2, 0, -COP_EOVERFLOW);
	refused_at(u, u->space.end, 1, 0, u->space.end + u->page ? -COP_EFAULT : -COP_EOVERFLOW);
	refused_at(u, u->space.end - u->page, 2, 0, u->space.end + u->page ? -COP_EFAULT : -COP_EOVERFLOW);
	/* Nothing is there. */
	refused_at(u, u->space.end - u->page, 1, 0, -COP_EFAULT);
	refused_at(u, u->space.end - u->page, 1, COP_GUP_FAST_ONLY, 0);
	refused_at(u, 0, 1, 0, -COP_EFAULT);
	/* The first pages are, the next is not; a huge count ends where the mapping does. */
	refused(u, SMALL - 2, 5, 0, 2);
	refused(u, SMALL - 2, 1ULL << 20, COP_GUP_PIN, 2);
	refused(u, SMALL, 1, COP_GUP_PIN, -COP_EFAULT);
	/* In the middle of a page is in the page. */
	p = cop_gup_fast(&u->space, VA + 3 * u->page + 5, 1, 0, u->got);
	assert_int_equal(p.count, 1);
	assert_int_equal(u->got[0], cop_translate_pa(&u->space.tree, VA + 3 * u->page) / u->page);
	cop_pages_put(&u->m.mem, u->got, 1);
	free_all(u);
	user_off(u);
}

static void bad_leaves(void **state)
{
	const uint32_t ro = COP_READ | COP_USER | COP_YOUNG, kernel = COP_READ | COP_WRITE | COP_YOUNG | COP_DIRTY;
	struct user *u = new_user();
	cop_pfn pfn;

	user_on(u, *state);
	pfn = frames(u, 0);
	map_at(u, 0, pfn, 1, COP_USER_RW, 0);
	map_at(u, 1, pfn, 1, ro, 0);
	refused(u, 0, 2, 0, 2);
	refused(u, 0, 2, COP_GUP_WRITE, 1);
	refused(u, 1, 1, COP_GUP_WRITE, -COP_EFAULT);
	refused(u, 1, 1, COP_GUP_WRITE | COP_GUP_PIN | COP_GUP_FAST_ONLY, 0);
	if (!u->space.tree.ops->format->check_attrs(&u->space.tree.geom, COP_USER_RW | COP_SPECIAL, 0)) {
		map_at(u, 2, pfn, 1, COP_USER_RW | COP_SPECIAL, 0);
		refused(u, 2, 1, 0, -COP_EFAULT);
	}
	if (!u->space.tree.ops->format->check_attrs(&u->space.tree.geom, COP_USER_RW | COP_PROTNONE, 0)) {
		map_at(u, 3, pfn, 1, COP_USER_RW | COP_PROTNONE, 0);
		refused(u, 3, 1, 0, -COP_EFAULT);
	}
	/* s390x knows no kernel's pages in a user's space. */
	if (u->space.tree.geom.arch != COP_S390X) {
		map_at(u, 4, pfn, 1, kernel, 0);
		refused(u, 4, 1, 0, -COP_EFAULT);
	}
	cop_frames_free(&u->m.mem, pfn);
	/* A frame that nobody has, and one that there is no struct page for. */
	refused(u, 0, 1, 0, -COP_EFAULT);
	map_at(u, 5, u->m.hot / u->page, 1, COP_USER_RW, 0);
	refused(u, 5, 1, 0, -COP_EFAULT);
	map_at(u, 6, (MACHINE_BASE - u->page) / u->page, 1, COP_USER_RW, 0);
	refused(u, 6, 1, 0, -COP_EFAULT);
	user_off(u);
}

static void longterm(void **state)
{
	const uint32_t flags = COP_GUP_PIN | COP_GUP_LONGTERM;
	struct user *u = new_user();
	cop_pfn pfn;

	user_on(u, *state);
	assert_int_equal(cop_mem_add(&u->m.mem, u->m.hot, u->m.section, 0), 0);
	assert_int_equal(cop_mem_online(&u->m.mem, u->m.hot, u->m.section, COP_ZONE_MOVABLE), 0);
	pfn = cop_frames_alloc(&u->m.mem, 0, COP_ALLOC_MOVABLE);
	assert_int_equal(cop_pfn_zone(&u->m.mem, pfn), COP_ZONE_MOVABLE);
	map_at(u, 0, pfn, 1, COP_USER_RW, 0);
	refused(u, 0, 1, COP_GUP_PIN, 1);
	refused(u, 0, 1, flags, -COP_EOPNOTSUPP);
	refused(u, 0, 1, flags | COP_GUP_FAST_ONLY, 0);
	cop_frames_free(&u->m.mem, pfn);
	pfn = frames(u, 0);
	map_at(u, 1, pfn, 1, COP_USER_RW, 0);
	refused(u, 1, 1, flags, 1);
	cop_page(&u->m.mem, pfn)->mapping = 64; /* a file's */
	refused(u, 1, 1, flags, -COP_EOPNOTSUPP);
	refused(u, 1, 1, COP_GUP_PIN, 1);
	cop_page(&u->m.mem, pfn)->mapping = 64 | COP_MAPPING_ANON;
	refused(u, 1, 1, flags, 1);
	cop_frames_free(&u->m.mem, pfn);
	user_off(u);
}

static void pins(void **state)
{
	struct user *u = new_user();

	user_on(u, *state);
	map_all(u, COP_USER_RW);
	assert_int_equal(gup(u, COP_LG2(ORDER), 3, COP_GUP_PIN | COP_GUP_WRITE), 3);
	assert_true(cop_load(&u->space.pinned, relaxed));
	assert_true(cop_page_maybe_pinned(&u->m.mem, u->folio));
	assert_int_equal(cop_page(&u->m.mem, u->folio)->pincount, 3);
	assert_false(cop_page(&u->m.mem, u->folio)->flags & COP_PG_DIRTY);
	/* One by one. */
	for (unsigned i = 0; i < 3; i++)
		cop_pages_unpin(&u->m.mem, u->got + i, 1, i == 1);
	assert_false(cop_page_maybe_pinned(&u->m.mem, u->folio));
	assert_true(cop_page(&u->m.mem, u->folio)->flags & COP_PG_DIRTY);
	free_all(u);
	user_off(u);
}

/* While fork write-protects, nothing is pinned without the lock. */
static void not_during_fork(void **state)
{
	struct user *u = new_user();

	user_on(u, *state);
	map_all(u, COP_USER_RW);
	cop_fetch_add(&u->space.fork_seq, 1ULL, relaxed);
	refused(u, 0, 4, COP_GUP_PIN | COP_GUP_FAST_ONLY, 0);
	refused(u, 0, 4, COP_GUP_FAST_ONLY, 4);
	cop_fetch_add(&u->space.fork_seq, 1ULL, relaxed);
	refused(u, 0, 4, COP_GUP_PIN | COP_GUP_FAST_ONLY, 4);
	free_all(u);
	user_off(u);
}

/* The other ways for tables: at once only where invalidations interrupt. */
static void reclaim_policies(void **state)
{
	const struct shape *shape = *state;

	for (unsigned way = 0; way < 3; way++) {
		struct user *u = new_user();
		int err;

		user_on(u, shape);
		err = cop_space_set_reclaim(&u->space, (enum cop_reclaim)way);
		assert_int_equal(err, way == COP_RECLAIM_SHOOTDOWN && shape->arch != COP_X86_64 ? -COP_EOPNOTSUPP : 0);
		map_all(u, COP_USER_RW);
		get(u, 0, SMALL, 0);
		free_all(u);
		user_off(u);
	}
}

int main(void)
{
	static const struct shaped_test tests[] = {
		SHAPED(every_leaf),      SHAPED(across_tables),    SHAPED(runs),
		SHAPED(bad_ranges),      SHAPED(bad_leaves),       SHAPED(longterm),
		SHAPED(not_during_fork), SHAPED(reclaim_policies), SHAPED(pins),
	};

	return run_shaped("gup", tests, sizeof(tests) / sizeof(tests[0]));
}
