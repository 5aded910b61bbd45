/* SPDX-License-Identifier: MIT */
/* Every leaf of two recorded arm64 kernels is found, read and written again as the kernel wrote it. */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

#define ARM64_PAGE_LG2 12
#include "formats/arm64.h"
#include "tests/formats/dump.h"

/* D24 "TCR_EL1": T0SZ 5:0, T1SZ 21:16, TG0 15:14 (0: 4K), TG1 31:30 (2: 4K), HA 39, HD 40. */
static struct cop_geom geom_of(const char *set, enum cop_half half)
{
	const uint64_t tcr = dump_register(set, "regs.txt", "TCR_EL1");
	const unsigned tsz = (unsigned)(half == COP_HALF_LOW ? tcr : tcr >> 16) & 63;
	struct cop_geom g;

	assert_int_equal((tcr >> 14) & 3, 0);
	assert_int_equal((tcr >> 30) & 3, 2);
	assert_int_equal(cop_geom_init(&g, COP_ARM64, 12, 64 - tsz), 0);
	g.half = (uint8_t)half;
	g.features |= (tcr >> 39 & 1 ? COP_F_HAF : 0) | (tcr >> 40 & 1 ? COP_F_HD : 0);
	return g;
}

/* TTBRn_EL1: ASID above bit 47, CnP in bit 0. */
static cop_pa root_of(const char *set, const char *name)
{
	return dump_register(set, "regs.txt", name) & 0x0000fffffffff000;
}

/* Linux keeps MAIR_EL1 so that our types are right: Normal, Tagged (untagged here), NC, nGnRnE, nGnRE. */
static void check_mair(const char *set)
{
	assert_int_equal(dump_register(set, "regs.txt", "MAIR_EL1"), 0x040044ffff);
}

static struct dump_leaves found_in(const char *set)
{
	const struct cop_geom low = geom_of(set, COP_HALF_LOW), high = geom_of(set, COP_HALF_HIGH);
	const struct cop_format *format = cop_format_for(COP_ARM64, 12);
	struct dump d = dump_open(set, "frames.bin.xz", 12, false);
	struct dump_leaves found = {0};

	dump_walk(&d, format, &low, root_of(set, "TTBR0_EL1"), &found);
	dump_walk(&d, format, &high, root_of(set, "TTBR1_EL1"), &found);
	assert_int_equal(d.missing, 0);
	dump_close(&d);
	dump_sort(&found);
	return found;
}

static void check_leaves(const char *set)
{
	struct dump_leaves found = found_in(set), expected = dump_expected(set, "leaves.txt.xz");

	dump_sort(&expected);
	for (size_t i = 0; i < found.count && i < expected.count; i++) {
		const struct dump_leaf *f = &found.leaf[i], *e = &expected.leaf[i];

		if (f->va != e->va || f->pa != e->pa || f->bytes != e->bytes || f->entry != e->entry)
			fail_msg("%s: found %#" PRIx64 " %#" PRIx64 " %#" PRIx64 " %#" PRIx64 ", expected %#" PRIx64
				 " %#" PRIx64 " %#" PRIx64 " %#" PRIx64,
				 set, f->va, f->pa, f->bytes, f->entry, e->va, e->pa, e->bytes, e->entry);
	}
	assert_int_equal(found.count, expected.count);
	assert_true(found.count > 1000);
	dump_leaves_free(&found);
	dump_leaves_free(&expected);
}

/*
 * Through address and attributes and back. What those do not hold of these kernels' entries are two bits of a leaf that is
 * writable and dirty to hardware: whether software recorded the write too, and DBM (one early mapping of Linux has neither).
 */
static void check_again(const char *set)
{
	const struct cop_geom g = geom_of(set, COP_HALF_HIGH);
	struct dump_leaves found = found_in(set);

	for (size_t i = 0; i < found.count; i++) {
		const uint64_t e = found.leaf[i].entry;
		const unsigned l = found.leaf[i].level;
		const uint32_t attrs = fmt_attrs(&g, e, l);
		const uint64_t rest = fmt_rest_mask(&g, e, l) & (ARM64_SW_DIRTY | ARM64_DBM);
		const uint64_t again = fmt_leaf(&g, fmt_leaf_pa(&g, e, l), l, attrs);

		if (((again & ~rest) | (e & rest)) != e)
			fail_msg("%s: %#" PRIx64 " became %#" PRIx64, set, e, again);
		assert_int_equal(fmt_check_attrs(&g, attrs, l), 0);
		if (!fmt_dirty(e, l))
			assert_int_equal(again, e);
	}
	dump_leaves_free(&found);
}

/* Runs as this format draws them are runs as the kernel drew them: aligned, whole, alike. Returns how many leaves are members. */
static size_t check_runs(const char *set)
{
	const struct cop_geom g = geom_of(set, COP_HALF_HIGH);
	struct dump_leaves found = found_in(set);
	size_t members = 0;

	for (size_t i = 0; i < found.count; i++) {
		const struct dump_leaf *leaf = &found.leaf[i];
		const size_t run = (size_t)1 << fmt_cont_lg2(&g, leaf->level);
		const size_t at = (leaf->va / leaf->bytes) % run;

		if (!fmt_cont(leaf->entry, leaf->level))
			continue;
		members++;
		assert_true(i >= at && i - at + run <= found.count);
		assert_int_equal(leaf[-(ptrdiff_t)at].va, leaf->va - at * leaf->bytes);
		assert_int_equal(leaf[-(ptrdiff_t)at].entry, leaf->entry - at * fmt_leaf_step(&g, leaf->level, 0));
		assert_int_equal(leaf[-(ptrdiff_t)at].pa % (run * leaf->bytes), 0);
	}
	dump_leaves_free(&found);
	return members;
}

static void default_mappings(void **state)
{
	(void)state;
	check_mair("arm64-default");
	check_leaves("arm64-default");
}

static void default_again(void **state)
{
	(void)state;
	check_again("arm64-default");
}

static void block_mappings(void **state)
{
	(void)state;
	check_mair("arm64-blocks");
	check_leaves("arm64-blocks");
}

static void block_again(void **state)
{
	(void)state;
	check_again("arm64-blocks");
}

static void runs(void **state)
{
	(void)state;
	assert_true(check_runs("arm64-default") > 900);
	assert_true(check_runs("arm64-blocks") > 900);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(default_mappings), cmocka_unit_test(default_again), cmocka_unit_test(block_mappings),
		cmocka_unit_test(block_again),      cmocka_unit_test(runs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
