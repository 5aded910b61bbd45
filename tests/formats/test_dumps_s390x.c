/* SPDX-License-Identifier: MIT */
/* Every leaf of a recorded s390x kernel (Linux 6.1) is found, read and written again as the kernel wrote it. */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

#include "formats/s390x.h"
#include "tests/formats/dump.h"

#define SET "s390x"

/* The root is of type DT (bits 3:2) and, as every table of Linux, of full length (TL, 1:0). */
static struct cop_geom geom_of(uint64_t asce)
{
	const unsigned levels = 2 + ((unsigned)(asce >> 2) & 3);
	struct cop_geom g;

	assert_int_equal(asce & 3, 3);
	assert_int_equal(cop_geom_init(&g, COP_S390X, 0, fmt_shift(levels)), 0);
	assert_int_equal(g.levels, levels);
	return g;
}

/* The kernel's address space is primary (CR1) and home (CR13) while it runs; CR7 is a user's, which was not recorded. */
static uint64_t kernel_asce(void)
{
	const uint64_t asce = dump_register(SET, "regs.txt", "cr1");

	assert_int_equal(asce, dump_register(SET, "regs.txt", "cr13"));
	return asce;
}

static struct dump_leaves found(const struct cop_geom *g)
{
	struct dump d = dump_open(SET, "frames.bin.xz", 12, true);
	struct dump_leaves leaves = {0};

	dump_walk(&d, cop_format_for(COP_S390X, 0), g, kernel_asce() & ~0xfffULL, &leaves);
	assert_int_equal(d.missing, 0);
	dump_close(&d);
	dump_sort(&leaves);
	return leaves;
}

static void leaves_found(void **state)
{
	const struct cop_geom g = geom_of(kernel_asce());
	struct dump_leaves got = found(&g), expected = dump_expected(SET, "leaves.txt.xz");

	(void)state;
	assert_int_equal(g.levels, 3);
	dump_sort(&expected);
	assert_int_equal(got.count, expected.count);
	assert_true(got.count > 1000);
	for (size_t i = 0; i < got.count; i++) {
		const struct dump_leaf *f = &got.leaf[i], *e = &expected.leaf[i];

		if (f->va != e->va || f->pa != e->pa || f->bytes != e->bytes || f->entry != e->entry)
			fail_msg("found %#" PRIx64 " %#" PRIx64 " %#" PRIx64 " %#" PRIx64 ", expected %#" PRIx64
				 " %#" PRIx64 " %#" PRIx64 " %#" PRIx64,
				 f->va, f->pa, f->bytes, f->entry, e->va, e->pa, e->bytes, e->entry);
	}
	dump_leaves_free(&got);
	dump_leaves_free(&expected);
}

/* Nothing is left over: Linux's kernel leaves are in canonical form. */
static void leaves_again(void **state)
{
	const struct cop_geom g = geom_of(kernel_asce());
	struct dump_leaves got = found(&g);

	(void)state;
	for (size_t i = 0; i < got.count; i++) {
		const uint64_t e = got.leaf[i].entry;
		const unsigned l = got.leaf[i].level;
		const uint32_t attrs = fmt_attrs(&g, e, l);
		const uint64_t again = fmt_leaf(&g, fmt_leaf_pa(&g, e, l), l, attrs);

		if (again != e)
			fail_msg("%#" PRIx64 " became %#" PRIx64, e, again);
		assert_int_equal(fmt_check_attrs(&g, attrs, l), 0);
		assert_true((attrs & COP_GLOBAL) && (attrs & COP_READ) && (attrs & COP_YOUNG) && (attrs & COP_DIRTY));
	}
	dump_leaves_free(&got);
}

/* As Linux set it up: text read-only and executable, read-only data neither, the rest writable. */
static void kernel_permissions(void **state)
{
	const struct cop_geom g = geom_of(kernel_asce());
	struct dump_leaves got = found(&g);
	size_t rx = 0, ro = 0, rw = 0, rwx = 0;

	(void)state;
	for (size_t i = 0; i < got.count; i++)
		switch (fmt_attrs(&g, got.leaf[i].entry, got.leaf[i].level) & (COP_READ | COP_WRITE | COP_EXEC)) {
		case COP_READ | COP_EXEC:
			rx++;
			break;
		case COP_READ:
			ro++;
			break;
		case COP_READ | COP_WRITE:
			rw++;
			break;
		default:
			rwx++;
		}
	/* The lowcore alone is all three: interrupts start in it. */
	assert_int_equal(rwx, 1);
	assert_true(rx > 1000 && ro > 100 && rw > 10000);
	dump_leaves_free(&got);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(leaves_found),
		cmocka_unit_test(leaves_again),
		cmocka_unit_test(kernel_permissions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
