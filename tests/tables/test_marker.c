/* SPDX-License-Identifier: MIT */
/*
 * What must be invalidated while a table's unlinking is under way, seen at the port: each invalidation is kept.
 */
#include "tests/tables/rig.h"

#define KEPT 64

static struct {
	struct cop_tree tree;
	struct rig_source source;
	const struct cop_format *format;
	struct cop_tlbi kept[KEPT];
	unsigned count;
} w;

void __real_cop_tlbi(const struct cop_tlbi *);
void __wrap_cop_tlbi(const struct cop_tlbi *);

void __wrap_cop_tlbi(const struct cop_tlbi *t)
{
	if (w.count < KEPT)
		w.kept[w.count++] = *t;
	__real_cop_tlbi(t);
}

static void open_tree(const struct rig_geom *rg)
{
	struct cop_table_source source;

	memset(&w, 0, sizeof(w));
	rig_source_init(&w.source);
	source = rig_table_source(&w.source);
	assert_int_equal(cop_tree_init(&w.tree, &rg->geom, &source, 1, 0), 0);
	w.format = w.tree.ops->format;
}

static void close_tree(void)
{
	rig_no_leak(&w.tree, &w.source);
	assert_int_equal(rig_table_count(&w.tree), 1);
	assert_int_equal(cop_tree_destroy(&w.tree), 0);
	rig_source_fini(&w.source);
}

static void map(cop_va va, cop_pa pa, uint64_t bytes)
{
	assert_int_equal(cop_map(&w.tree, va, pa, bytes, COP_KERNEL_RW, w.tree.geom.page_lg2, COP_MAP_NO_CONT), 0);
}

static void unmap(cop_va va, uint64_t bytes)
{
	struct cop_gather gather;

	cop_gather_begin(&gather, &w.tree);
	assert_int_equal(cop_unmap(&gather, va, bytes, COP_UNMAP_BLIND, NULL, 0).err, 0);
	(void)cop_gather_finish(&gather);
}

/* Has an invalidation reached what a walk cache knows of the tables on the way to [first, last]? */
static bool walks_invalidated(cop_va first, cop_va last)
{
	for (unsigned i = 0; i < w.count; i++)
		if ((w.kept[i].scope & COP_TLBI_TABLES) && w.kept[i].start <= last && w.kept[i].last >= first)
			return true;
	return false;
}

/*
 * Somebody unmaps pages at the end of one leaf table and the beginning of the next, which empties the tables above too, and
 * has not invalidated yet. Others map beside them: a walk cache may know either leaf table, and is told before a new table
 * is linked above both.
 */
static void marker_replaced(const struct rig_geom *rg)
{
	struct cop_gather gather;
	uint64_t page, span;
	cop_va edge;

	open_tree(rg);
	page = 1ULL << rg->geom.page_lg2;
	span = 1ULL << w.format->shift(1);
	edge = rig_base(&rg->geom) + (1ULL << w.format->shift(2)) + 6 * span;
	map(edge - 2 * page, 0, 4 * page);
	w.count = 0;
	cop_gather_begin(&gather, &w.tree);
	assert_int_equal(cop_unmap(&gather, edge - 2 * page, 4 * page, COP_UNMAP_BLIND, NULL, 0).err, 0);
	map(edge - 4 * page, 0, 2 * page);
	map(edge + 2 * page, 0, 2 * page);
	assert_true(walks_invalidated(edge - span, edge - 1));
	assert_true(walks_invalidated(edge, edge + span - 1));
	(void)cop_gather_finish(&gather);
	unmap(edge - 4 * page, 2 * page);
	unmap(edge + 2 * page, 2 * page);
	close_tree();
}

static void test_marker_replaced(void **state)
{
	(void)state;
	for (unsigned i = 0; i < RIG_GEOMS; i++) {
		const struct cop_geom *g = &rig_geoms[i].geom;

		/* Unlinking is an instruction of its own on s390x, which invalidates. */
		if (g->levels > 2 && g->arch != COP_S390X)
			marker_replaced(&rig_geoms[i]);
	}
}

/* `runs` is full after one of two tables below the detached one: its invalidation must not be taken for one of leaves. */
static void stopped(const struct rig_geom *rg)
{
	const cop_va base = rig_base(&rg->geom);
	struct cop_detached_run run;
	struct cop_gather gather;
	struct cop_unmapped u;
	uint64_t span, whole;

	open_tree(rg);
	span = 1ULL << w.format->shift(1);
	whole = 1ULL << w.format->shift(2);
	map(base, 0, span);
	map(base + span, 4 * span, span);
	w.count = 0;
	cop_gather_begin(&gather, &w.tree);
	u = cop_unmap(&gather, base, whole, COP_UNMAP_FRAMES | COP_UNMAP_HOLES_OK, &run, 1);
	assert_int_equal(u.err, 0);
	assert_int_equal(u.done, span);
	(void)cop_gather_finish(&gather);
	for (unsigned i = 0; i < w.count; i++)
		if (w.kept[i].scope & COP_TLBI_TABLES)
			assert_int_equal(w.kept[i].level, COP_TLBI_ANY_LEVEL);
	assert_true(walks_invalidated(base, base + span - 1) || rg->geom.arch == COP_S390X);
	unmap(base + span, span);
	close_tree();
}

static void test_stopped(void **state)
{
	(void)state;
	for (unsigned i = 0; i < RIG_GEOMS; i++)
		if (rig_geoms[i].geom.levels > 2)
			stopped(&rig_geoms[i]);
}

/* All of a tree at once, where that is more bytes than a count holds. */
static void test_query_all(void **state)
{
	(void)state;
	for (unsigned i = 0; i < RIG_GEOMS; i++) {
		const struct cop_geom *g = &rig_geoms[i].geom;
		const uint64_t page = 1ULL << g->page_lg2;
		const cop_va at = rig_top(g) - (page - 1);
		struct cop_extent x[4];

		open_tree(&rig_geoms[i]);
		map(at, 0, page);
		assert_int_equal(cop_query(&w.tree, rig_base(g), rig_top(g), x, 4), 1);
		assert_int_equal(x[0].va, at);
		assert_int_equal(x[0].bytes, page);
		map(at - page, 16 * page, page);
		assert_int_equal(cop_query(&w.tree, rig_base(g), rig_top(g), x, 1), 1);
		assert_int_equal(x[0].va, at - page);
		unmap(at - page, 2 * page);
		close_tree();
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_marker_replaced),
		cmocka_unit_test(test_stopped),
		cmocka_unit_test(test_query_all),
	};

	return cmocka_run_group_tests(tests, rig_power_on, rig_power_off);
}
