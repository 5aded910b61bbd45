/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "bench/minimum.h"

#define KB 1024ULL
#define MB (1024 * KB)
#define GB (1024 * MB)

static uint64_t minimum(const struct minimum_range *range, unsigned ranges)
{
	struct cop_geom g;

	assert_int_equal(cop_geom_init(&g, COP_ARM64, 12, 0), 0);
	return minimum_table_bytes(&cop_format_arm64_4k, &g, range, ranges);
}

static void a_gigabyte_leaf_takes_two_tables(void **state)
{
	const struct minimum_range r = {64 * GB, 64 * GB, GB, 0};

	assert_int_equal(minimum(&r, 1), 8 * KB);
}

static void smaller_leaves_take_tables_below(void **state)
{
	struct minimum_range r = {64 * GB, 64 * GB, GB, 21};

	assert_int_equal(minimum(&r, 1), 12 * KB);
	r.max_leaf_lg2 = 12;
	assert_int_equal(minimum(&r, 1), (3 + 512) * 4 * KB);
	/* An output address that is aligned to less has the same effect as a limit. */
	r.max_leaf_lg2 = 0;
	r.pa += 4 * KB;
	assert_int_equal(minimum(&r, 1), (3 + 512) * 4 * KB);
}

static void neighbours_share_tables(void **state)
{
	const struct minimum_range r[] = {
		{64 * GB, 64 * GB, 2 * MB, 12},
		{64 * GB + 4 * MB, GB, 2 * MB, 12},
		{65 * GB, 2 * GB, 2 * MB, 12},
	};

	/* Root, one of 512 GB, two of 1 GB, three of 2 MB. */
	assert_int_equal(minimum(r, 3), 7 * 4 * KB);
}

static void an_unaligned_range_touches_both_ends(void **state)
{
	const struct minimum_range r = {64 * GB + 2 * MB - 4 * KB, 0, 8 * KB, 12};

	assert_int_equal(minimum(&r, 1), 5 * 4 * KB);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_gigabyte_leaf_takes_two_tables),
		cmocka_unit_test(smaller_leaves_take_tables_below),
		cmocka_unit_test(neighbours_share_tables),
		cmocka_unit_test(an_unaligned_range_touches_both_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
