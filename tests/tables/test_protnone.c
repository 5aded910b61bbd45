/* SPDX-License-Identifier: MIT */
/*
 * Leaves that hardware faults on are mapped, split, read and taken out like others. A format may store their address
 * inverted (x86-64), so that entries which continue each other map frames that do not, and the other way round.
 */
#include "tests/tables/rig.h"

#define PAGES 64
#define ATTRS (COP_READ | COP_WRITE | COP_USER | COP_YOUNG | COP_PROTNONE)

struct world {
	struct cop_tree tree;
	struct rig_source source;
	uint64_t page;
	cop_va va;
};

static void world_open(struct world *w, const struct rig_geom *rg)
{
	struct cop_table_source source;

	memset(w, 0, sizeof(*w));
	rig_source_init(&w->source);
	source = rig_table_source(&w->source);
	assert_int_equal(cop_tree_init(&w->tree, &rg->geom, &source, 1, 0), 0);
	w->page = 1ULL << rg->geom.page_lg2;
	w->va = rig_base(&rg->geom) + (1ULL << 30);
}

static void world_close(struct world *w)
{
	rig_no_leak(&w->tree, &w->source);
	assert_int_equal(cop_tree_destroy(&w->tree), 0);
	rig_source_fini(&w->source);
}

/* Unmaps from @w->va on and expects frames @stride bytes apart, from @first on. */
static void unmap_expecting(struct world *w, uint64_t bytes, uint32_t how, cop_pa first, int64_t stride)
{
	static struct cop_detached_run runs[PAGES];
	struct cop_gather gather;
	struct cop_flushed token;
	struct cop_unmapped u;
	uint64_t n = 0;

	cop_gather_begin(&gather, &w->tree);
	u = cop_unmap(&gather, w->va, bytes, how, runs, PAGES);
	token = cop_gather_finish(&gather);
	assert_int_equal(u.err, 0);
	assert_int_equal(u.done, bytes);
	for (unsigned i = 0; i < u.runs; i++) {
		const struct cop_free_run run = cop_freeable(token, runs[i]);

		for (uint64_t b = 0; b < run.bytes; b += w->page, n++)
			if (run.pa + b != first + (uint64_t)((int64_t)n * stride))
				fail_msg("page %u: frame %#lx", (unsigned)n, (unsigned long)(run.pa + b));
	}
	assert_int_equal(n * w->page, bytes);
}

static void check_pages(struct world *w, cop_pa first, int64_t stride)
{
	for (int64_t i = 0; i < PAGES; i++) {
		const struct cop_translation t = cop_translate(&w->tree, w->va + (uint64_t)i * w->page);

		assert_true(t.pa == first + (uint64_t)(i * stride));
		assert_int_equal(t.attrs & ~(uint32_t)COP_CONT, ATTRS);
	}
}

/* One page at a time, each in the frame @stride bytes from the last one's. */
static void one_by_one(const struct rig_geom *rg, int direction, uint32_t how)
{
	struct world w;
	int64_t stride;
	cop_pa first;

	world_open(&w, rg);
	stride = direction * (int64_t)w.page;
	first = 2 * PAGES * w.page;
	for (int64_t i = 0; i < PAGES; i++)
		assert_int_equal(cop_map(&w.tree, w.va + (uint64_t)i * w.page, first + (uint64_t)(i * stride), w.page,
					 ATTRS, 0, COP_MAP_NO_CONT),
				 0);
	check_pages(&w, first, stride);
	unmap_expecting(&w, PAGES * w.page, how, first, stride);
	world_close(&w);
}

static void test_frames(void **state)
{
	for (unsigned i = 0; i < RIG_GEOMS; i++)
		for (int direction = -1; direction <= 1; direction++) {
			one_by_one(&rig_geoms[i], direction, COP_UNMAP_FRAMES);
			one_by_one(&rig_geoms[i], direction, COP_UNMAP_EXACT);
		}
}

/* A leaf of the next level, split; its pages are where they were. */
static void test_split(void **state)
{
	for (unsigned i = 0; i < RIG_GEOMS; i++) {
		const struct cop_format *f = cop_format_for(rig_geoms[i].geom.arch, rig_geoms[i].geom.page_lg2);
		struct cop_gather gather;
		struct world w;
		cop_pa first;
		uint64_t large;

		world_open(&w, &rig_geoms[i]);
		large = 1ULL << f->shift(1);
		first = 3 * large;
		assert_int_equal(cop_map(&w.tree, w.va, first, large, ATTRS, 0, 0), 0);
		check_pages(&w, first, (int64_t)w.page);
		cop_gather_begin(&gather, &w.tree);
		assert_int_equal(cop_split(&gather, w.va, large, rig_geoms[i].geom.page_lg2), 0);
		(void)cop_gather_finish(&gather);
		check_pages(&w, first, (int64_t)w.page);
		unmap_expecting(&w, large, COP_UNMAP_FRAMES, first, (int64_t)w.page);
		world_close(&w);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_frames),
		cmocka_unit_test(test_split),
	};

	return cmocka_run_group_tests(tests, rig_power_on, rig_power_off);
}
