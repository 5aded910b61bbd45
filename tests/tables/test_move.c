/* SPDX-License-Identifier: MIT */
/* Moving pages about one tree, against a plain model; what is refused; no memory at every turn. */
#include "tests/tables/rig.h"

#define SPANS 6 /* tables of pages */
#define STEPS 400
#define PAGES 48 /* of each table, from its end on into the next: ranges cross tables */

static struct {
	struct cop_tree tree;
	struct rig_source source;
	cop_va va;
	uint64_t page, span;
	cop_pa at[SPANS * PAGES]; /* what each page maps; COP_PA_NONE: nothing */
	uint64_t seed;
} w;

/* Pages lie around the ends of tables. */
static cop_va va_of(unsigned i)
{
	return w.va + (i / PAGES + 1) * w.span - (PAGES / 2) * w.page + i % PAGES * w.page;
}

static void open_tree(const struct rig_geom *rg)
{
	struct cop_table_source source;

	memset(&w, 0, sizeof(w));
	rig_source_init(&w.source);
	source = rig_table_source(&w.source);
	assert_int_equal(cop_tree_init(&w.tree, &rg->geom, &source, 1, 0), 0);
	w.page = 1ULL << rg->geom.page_lg2;
	w.span = 1ULL << w.tree.ops->format->shift(1);
	w.va = rig_base(&rg->geom);
	w.seed = 0x6d6f7665;
	for (unsigned i = 0; i < SPANS * PAGES; i++)
		w.at[i] = COP_PA_NONE;
}

static void close_tree(void)
{
	struct cop_gather gather;

	for (unsigned i = 0; i < SPANS; i++) {
		cop_gather_begin(&gather, &w.tree);
		assert_int_equal(cop_unmap(&gather, va_of(i * PAGES), PAGES * w.page,
					   COP_UNMAP_BLIND | COP_UNMAP_HOLES_OK, NULL, 0)
					 .err,
				 0);
		(void)cop_gather_finish(&gather);
	}
	rig_no_leak(&w.tree, &w.source);
	assert_int_equal(rig_table_count(&w.tree), 1);
	assert_int_equal(cop_tree_destroy(&w.tree), 0);
	rig_source_fini(&w.source);
}

static void check(void)
{
	for (unsigned i = 0; i < SPANS * PAGES; i++)
		assert_int_equal(cop_translate(&w.tree, va_of(i)).pa, w.at[i]);
	(void)rig_census(&w.tree);
}

static void map(unsigned i, unsigned n)
{
	const cop_pa pa = w.page * (1 + rig_below(&w.seed, 1000));

	for (unsigned k = i; k < i + n; k++)
		if (w.at[k] != COP_PA_NONE)
			return;
	assert_int_equal(cop_map(&w.tree, va_of(i), pa, n * w.page, COP_KERNEL_RW | COP_DIRTY, 0, 0), 0);
	for (unsigned k = 0; k < n; k++)
		w.at[i + k] = pa + k * w.page;
}

static int move(unsigned from, unsigned to, unsigned n)
{
	struct cop_gather gather;
	int err;

	cop_gather_begin(&gather, &w.tree);
	err = cop_move(&gather, va_of(from), va_of(to), n * w.page);
	(void)cop_gather_finish(&gather);
	return err;
}

static int move_expected(unsigned from, unsigned to, unsigned n)
{
	if (from < to + n && to < from + n)
		return -COP_EINVAL;
	for (unsigned k = to; k < to + n; k++)
		if (w.at[k] != COP_PA_NONE)
			return -COP_EADDRINUSE;
	return 0;
}

static void note(unsigned from, unsigned to, unsigned n)
{
	for (unsigned k = 0; k < n; k++) {
		w.at[to + k] = w.at[from + k];
		w.at[from + k] = COP_PA_NONE;
	}
}

static void step(void)
{
	const unsigned n = 1 + (unsigned)rig_below(&w.seed, PAGES);
	const unsigned from = (unsigned)rig_below(&w.seed, SPANS) * PAGES + (unsigned)rig_below(&w.seed, PAGES + 1 - n);
	const unsigned to = (unsigned)rig_below(&w.seed, SPANS) * PAGES + (unsigned)rig_below(&w.seed, PAGES + 1 - n);
	int err;

	if (!rig_below(&w.seed, 3)) {
		map(from, n);
		return;
	}
	err = move_expected(from, to, n);
	assert_int_equal(move(from, to, n), err);
	if (!err)
		note(from, to, n);
}

static void test_model(void **state)
{
	unsigned moved = 0;

	(void)state;
	for (unsigned i = 0; i < RIG_GEOMS; i++) {
		open_tree(&rig_geoms[i]);
		for (unsigned k = 0; k < STEPS; k++) {
			step();
			if (k % 16 == 0)
				check();
		}
		check();
		for (unsigned k = 0; k < SPANS * PAGES; k++)
			moved += w.at[k] != COP_PA_NONE;
		close_tree();
	}
	assert_true(moved > RIG_GEOMS);
}

/* Attributes, accessed and dirty state go along; a larger leaf is moved in pages. */
static void test_attrs(void **state)
{
	(void)state;
	for (unsigned i = 0; i < RIG_GEOMS; i++) {
		struct cop_translation before, after;
		struct cop_gather gather;

		open_tree(&rig_geoms[i]);
		assert_int_equal(
			cop_map(&w.tree, w.va + w.span, 0, w.span, COP_KERNEL_RW | COP_DIRTY | COP_YOUNG, 0, 0), 0);
		before = cop_translate(&w.tree, w.va + w.span + 5 * w.page);
		cop_gather_begin(&gather, &w.tree);
		assert_int_equal(cop_move(&gather, w.va + w.span, w.va + 3 * w.span, w.span), 0);
		(void)cop_gather_finish(&gather);
		assert_int_equal(cop_translate(&w.tree, w.va + w.span + 5 * w.page).pa, COP_PA_NONE);
		after = cop_translate(&w.tree, w.va + 3 * w.span + 5 * w.page);
		assert_int_equal(after.pa, before.pa);
		assert_int_equal(after.attrs & ~(uint32_t)COP_CONT, before.attrs & ~(uint32_t)COP_CONT);
		assert_int_equal(after.level, 0);
		cop_gather_begin(&gather, &w.tree);
		assert_int_equal(cop_unmap(&gather, w.va + 3 * w.span, w.span, COP_UNMAP_BLIND, NULL, 0).err, 0);
		(void)cop_gather_finish(&gather);
		close_tree();
	}
}

static void test_refused(void **state)
{
	(void)state;
	for (unsigned i = 0; i < RIG_GEOMS; i++) {
		const cop_va top = rig_top(&rig_geoms[i].geom) + 1;
		struct cop_gather gather;

		open_tree(&rig_geoms[i]);
		cop_gather_begin(&gather, &w.tree);
		assert_int_equal(cop_move(&gather, w.va, w.va + w.span, 0), -COP_EINVAL);
		assert_int_equal(cop_move(&gather, w.va + 1, w.va + w.span, w.page), -COP_EINVAL);
		assert_int_equal(cop_move(&gather, w.va, w.va + w.span + 1, w.page), -COP_EINVAL);
		assert_int_equal(cop_move(&gather, w.va, w.va, w.page), -COP_EINVAL);
		assert_int_equal(cop_move(&gather, w.va, w.va + w.page, 2 * w.page), -COP_EINVAL);
		assert_int_equal(cop_move(&gather, w.va, top - w.page, 2 * w.page), -COP_EINVAL);
		assert_int_equal(cop_move(&gather, top - w.page, w.va, 2 * w.page), -COP_EINVAL);
		(void)cop_gather_finish(&gather);
		close_tree();
	}
}

/* Whichever table is not there, everything is where it was. */
static void test_no_memory(void **state)
{
	unsigned failed = 0;

	(void)state;
	for (unsigned i = 0; i < RIG_GEOMS; i++) {
		open_tree(&rig_geoms[i]);
		map(0, PAGES);
		for (uint64_t at = 1; at < 12; at++) {
			const uint64_t tables = rig_table_count(&w.tree);
			int err;

			w.source.calls = 0;
			w.source.fail_from = at;
			err = move(0, 2 * PAGES, PAGES);
			w.source.fail_from = 0;
			if (!err) {
				note(0, 2 * PAGES, PAGES);
				break;
			}
			assert_int_equal(err, -COP_ENOMEM);
			assert_int_equal(rig_table_count(&w.tree), tables);
			failed++;
			check();
			rig_no_leak(&w.tree, &w.source);
		}
		check();
		assert_int_equal(w.at[0], COP_PA_NONE);
		close_tree();
	}
	assert_true(failed >= 2 * RIG_GEOMS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_model),
		cmocka_unit_test(test_attrs),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_no_memory),
	};

	return cmocka_run_group_tests(tests, rig_power_on, rig_power_off);
}
