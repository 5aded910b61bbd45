/* SPDX-License-Identifier: MIT */
/* What callers may get wrong: an error that says what, and a tree that is as before. */
#include "tests/tables/rig.h"

static struct {
	struct cop_tree tree;
	struct rig_source source;
	uint64_t page;
} w;

static void open_tree(const struct rig_geom *rg)
{
	struct cop_table_source source;

	memset(&w, 0, sizeof(w));
	rig_source_init(&w.source);
	source = rig_table_source(&w.source);
	assert_int_equal(cop_tree_init(&w.tree, &rg->geom, &source, 1, 0), 0);
	w.page = 1ULL << rg->geom.page_lg2;
}

static void close_tree(void)
{
	rig_no_leak(&w.tree, &w.source);
	assert_int_equal(rig_table_count(&w.tree), 1);
	assert_int_equal(cop_tree_destroy(&w.tree), 0);
	assert_int_equal(w.source.live, 0);
	rig_source_fini(&w.source);
}

static int map(cop_va va, cop_pa pa, uint64_t bytes)
{
	return cop_map(&w.tree, va, pa, bytes, COP_KERNEL_RW, 0, 0);
}

static int unmap(cop_va va, uint64_t bytes, uint32_t how)
{
	struct cop_gather gather;
	struct cop_detached_run runs[4];
	struct cop_unmapped u;

	cop_gather_begin(&gather, &w.tree);
	u = cop_unmap(&gather, va, bytes, how, runs, 4);
	(void)cop_gather_finish(&gather);
	return u.err;
}

/* Every operation refuses the range. */
static void refused(cop_va va, uint64_t bytes)
{
	struct cop_gather gather;

	assert_int_equal(map(va, 0, bytes), -COP_EINVAL);
	assert_int_equal(unmap(va, bytes, COP_UNMAP_FRAMES | COP_UNMAP_HOLES_OK), -COP_EINVAL);
	cop_gather_begin(&gather, &w.tree);
	assert_int_equal(cop_protect(&gather, va, bytes, COP_KERNEL_RO), -COP_EINVAL);
	assert_int_equal(cop_split(&gather, va, bytes, w.tree.geom.page_lg2), -COP_EINVAL);
	assert_int_equal(cop_collapse(&gather, va, bytes, 0), -COP_EINVAL);
	(void)cop_gather_finish(&gather);
	assert_int_equal(gather.invalidations, 0);
}

static void test_ranges(void **state)
{
	(void)state;
	for (unsigned i = 0; i < RIG_GEOMS; i++) {
		const struct cop_geom *g = &rig_geoms[i].geom;
		const cop_va base = rig_base(g), top = rig_top(g);

		open_tree(&rig_geoms[i]);
		refused(base, 0);
		refused(base + 1, w.page);
		refused(base + w.page / 2, w.page);
		refused(base, w.page + 8);
		refused(base + 4 * w.page, -(2 * w.page));
		/* These a tree of 64 bits has. */
		if (g->va_bits < 64) {
			refused(base + 4 * w.page, -(4 * w.page));
			refused(base, ~0ULL & ~(w.page - 1));
		}
		if (base)
			refused(base - w.page, 2 * w.page);
		if (g->half == COP_HALF_LOW && g->va_bits < 64) {
			refused(top + 1, w.page);
			refused(top + 1 - w.page, 2 * w.page);
			refused(-w.page, w.page);
		} else {
			refused(top + 1 - w.page, 2 * w.page);
			refused(0x1000000, base - 0x1000000 + w.page);
		}
		/* The first and the last page are as good as any. */
		assert_int_equal(map(base, 0, w.page), 0);
		assert_int_equal(map(top + 1 - w.page, 4 * w.page, w.page), 0);
		assert_true(cop_translate(&w.tree, top).pa == 5 * w.page - 1);
		assert_int_equal(unmap(base, w.page, COP_UNMAP_EXACT), 0);
		assert_int_equal(unmap(top + 1 - w.page, w.page, COP_UNMAP_EXACT), 0);
		close_tree();
	}
}

static void test_outputs(void **state)
{
	(void)state;
	for (unsigned i = 0; i < RIG_GEOMS; i++) {
		const cop_va base = rig_base(&rig_geoms[i].geom);
		const cop_pa top = 1ULL << rig_geoms[i].geom.pa_bits;

		open_tree(&rig_geoms[i]);
		assert_int_equal(map(base, 1, w.page), -COP_EINVAL);
		assert_int_equal(map(base, top, w.page), -COP_EINVAL);
		assert_int_equal(map(base, top - w.page, 2 * w.page), -COP_EINVAL);
		assert_int_equal(map(base, -w.page, 2 * w.page), -COP_EINVAL);
		assert_int_equal(map(base, top - 2 * w.page, 2 * w.page), 0);
		assert_int_equal(unmap(base, 2 * w.page, COP_UNMAP_FRAMES), 0);
		assert_int_equal(cop_map(&w.tree, base, 0, w.page, COP_KERNEL_RW | COP_CONT, 0, 0), -COP_EINVAL);
		assert_int_equal(cop_map(&w.tree, base, 0, w.page, 1U << 31, 0, 0), -COP_EINVAL);
		assert_int_equal(cop_map(&w.tree, base, 0, w.page, COP_KERNEL_RW, 5, 0), -COP_EINVAL);
		assert_int_equal(cop_map(&w.tree, base, 0, w.page, COP_KERNEL_RW, 0, 1U << 31), -COP_EINVAL);
		assert_int_equal(unmap(base, w.page, 7), -COP_EINVAL);
		close_tree();
	}
}

static void test_overlap(void **state)
{
	(void)state;
	for (unsigned i = 0; i < RIG_GEOMS; i++) {
		const cop_va base = rig_base(&rig_geoms[i].geom);
		const uint64_t leaf = 1ULL
				      << cop_format_for(rig_geoms[i].geom.arch, rig_geoms[i].geom.page_lg2)->shift(1);
		struct rig_census before, after;

		open_tree(&rig_geoms[i]);
		assert_int_equal(map(base + leaf, leaf, leaf), 0);
		assert_int_equal(map(base + 2 * leaf + 5 * w.page, 0, w.page), 0);
		before = rig_census(&w.tree);
		/* Into the large leaf, over it, up to a page behind it, onto a page. */
		assert_int_equal(map(base + leaf + 3 * w.page, 0, w.page), -COP_EADDRINUSE);
		assert_int_equal(map(base, 0, 4 * leaf), -COP_EADDRINUSE);
		assert_int_equal(map(base, 0, leaf + w.page), -COP_EADDRINUSE);
		assert_int_equal(map(base + 2 * leaf, 0, 6 * w.page), -COP_EADDRINUSE);
		assert_int_equal(map(base + 2 * leaf + 5 * w.page, 0, w.page), -COP_EADDRINUSE);
		assert_int_equal(unmap(base, 2 * leaf, COP_UNMAP_FRAMES), -COP_ENOENT);
		assert_int_equal(unmap(base + 2 * leaf + 4 * w.page, w.page, COP_UNMAP_BLIND), -COP_ENOENT);
		if (w.tree.ops->format->can_leaf(&w.tree.geom, 1))
			assert_int_equal(unmap(base + leaf, w.page, COP_UNMAP_BLIND | COP_UNMAP_NO_SPLIT), -COP_EBUSY);
		after = rig_census(&w.tree);
		assert_memory_equal(&before, &after, sizeof(before));
		rig_no_leak(&w.tree, &w.source);
		assert_int_equal(cop_tree_destroy(&w.tree), -COP_EBUSY);
		assert_int_equal(unmap(base, 3 * leaf, COP_UNMAP_FRAMES | COP_UNMAP_HOLES_OK), 0);
		close_tree();
	}
}

static void test_geometries(void **state)
{
	struct rig_source source;
	struct cop_table_source s;
	struct cop_geom g = rig_geoms[0].geom;

	(void)state;
	rig_source_init(&source);
	s = rig_table_source(&source);
	g.arch = 77;
	assert_int_equal(cop_tree_init(&w.tree, &g, &s, 0, 0), -COP_EINVAL);
	g = rig_geoms[0].geom;
	g.page_lg2 = 13;
	assert_int_equal(cop_tree_init(&w.tree, &g, &s, 0, 0), -COP_EINVAL);
	g = rig_geoms[0].geom;
	g.levels = 0;
	assert_int_equal(cop_tree_init(&w.tree, &g, &s, 0, 0), -COP_EINVAL);
	g.levels = 6;
	assert_int_equal(cop_tree_init(&w.tree, &g, &s, 0, 0), -COP_EINVAL);
	source.fail_from = 1;
	assert_int_equal(cop_tree_init(&w.tree, &rig_geoms[0].geom, &s, 0, 0), -COP_ENOMEM);
	assert_int_equal(source.live, 0);
	rig_source_fini(&source);
}

/* Young and dirty come back exactly, leaf by leaf, and runs are merged where frames continue. */
static void test_exact_state(void **state)
{
	(void)state;
	for (unsigned i = 0; i < RIG_GEOMS; i++) {
		const cop_va base = rig_base(&rig_geoms[i].geom);
		struct cop_detached_run runs[16];
		struct cop_gather gather;
		struct cop_unmapped u;

		open_tree(&rig_geoms[i]);
		for (unsigned k = 0; k < 8; k++)
			assert_int_equal(cop_map(&w.tree, base + k * w.page, (64 + 2 * k) * w.page, w.page,
						 COP_READ | COP_WRITE | COP_GLOBAL | (k & 1 ? COP_YOUNG : 0) |
							 (k & 2 ? COP_DIRTY : 0),
						 0, 0),
					 0);
		assert_int_equal(cop_map(&w.tree, base + 8 * w.page, 79 * w.page, 24 * w.page, COP_KERNEL_RO, 0, 0), 0);
		cop_gather_begin(&gather, &w.tree);
		u = cop_unmap(&gather, base, 32 * w.page, COP_UNMAP_EXACT, runs, 16);
		assert_int_equal(u.err, 0);
		assert_int_equal(u.runs, 8);
		for (unsigned k = 0; k < 8; k++) {
			const struct cop_free_run run = cop_freeable(cop_gather_finish(&gather), runs[k]);

			assert_int_equal(run.pa, (64 + 2 * k) * w.page);
			assert_int_equal(run.bytes, (k == 7 ? 25 : 1) * w.page);
			assert_int_equal(run.attrs, (k & 1 ? COP_YOUNG : 0) | (k & 2 ? COP_DIRTY : 0));
		}
		/* Where instructions change entries they invalidate too. */
		assert_int_equal(gather.invalidations, rig_geoms[i].geom.arch == COP_S390X ? 0 : 1);
		close_tree();
	}
}

/* Tables without constructor never meet the destructor. */
static void test_constructors(void **state)
{
	const cop_va base = rig_base(&rig_geoms[0].geom);

	(void)state;
	open_tree(&rig_geoms[0]);
	assert_int_equal(cop_map(&w.tree, base, 0, w.page, COP_KERNEL_RW, 0, COP_MAP_NO_CTOR), 0);
	assert_int_equal(w.tree.constructed, 0);
	assert_int_equal(cop_map(&w.tree, base + (1ULL << 30), 0, w.page, COP_KERNEL_RW, 0, 0), 0);
	assert_int_equal(w.tree.constructed, 2);
	assert_int_equal(cop_tree_table_bytes(&w.tree), 6 * w.page);
	assert_int_equal(unmap(base + (1ULL << 30), w.page, COP_UNMAP_BLIND), 0);
	assert_int_equal(w.tree.constructed, 0);
	assert_int_equal(unmap(base, w.page, COP_UNMAP_BLIND), 0);
	close_tree();
}

/* ---- tables that go while the source is asked for others ---- */

static struct {
	cop_va neighbour[2];
	unsigned calls;
} leaving;

static cop_pa alloc_while_leaving(void *ctx, unsigned lg2)
{
	if (leaving.calls < 2)
		assert_int_equal(unmap(leaving.neighbour[leaving.calls++], w.page, COP_UNMAP_BLIND), 0);
	return rig_alloc(ctx, lg2);
}

/* The way that the walk found is gone each time its stock has been filled for what was missing of it. */
static void test_way_goes_meanwhile(void **state)
{
	(void)state;
	for (unsigned i = 0; i < RIG_GEOMS; i++) {
		const cop_va base = rig_base(&rig_geoms[i].geom);

		if (rig_geoms[i].geom.levels < 4)
			continue;
		open_tree(&rig_geoms[i]);
		leaving.calls = 0;
		for (unsigned l = 0; l < 2; l++) {
			leaving.neighbour[l] = base + (1ULL << w.tree.ops->format->shift(l + 1));
			assert_int_equal(map(leaving.neighbour[l], 0, w.page), 0);
		}
		w.tree.source.alloc = alloc_while_leaving;
		assert_int_equal(map(base, 0, w.page), 0);
		assert_int_equal(leaving.calls, 2);
		assert_int_equal(unmap(base, w.page, COP_UNMAP_BLIND), 0);
		close_tree();
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ranges),
		cmocka_unit_test(test_outputs),
		cmocka_unit_test(test_overlap),
		cmocka_unit_test(test_geometries),
		cmocka_unit_test(test_exact_state),
		cmocka_unit_test(test_constructors),
		cmocka_unit_test(test_way_goes_meanwhile),
	};

	return cmocka_run_group_tests(tests, rig_power_on, rig_power_off);
}
