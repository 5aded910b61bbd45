/* SPDX-License-Identifier: MIT */
/* Every leaf of a recorded riscv64 kernel is found, read and written again as the kernel wrote it. */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "formats/riscv64.h"
#include "tests/formats/dump.h"

#define SET "riscv64-sv39"

/* "Supervisor Address Translation and Protection (satp) Register": MODE 63:60 (8: Sv39), ASID 59:44, PPN 43:0. */
static struct cop_geom geom_of(uint64_t satp)
{
	struct cop_geom g;

	assert_int_equal(satp >> 60, 8);
	assert_int_equal(cop_geom_init(&g, COP_RISCV64, 0, 39), 0);
	return g;
}

static struct dump_leaves found_leaves(void)
{
	const uint64_t satp = dump_register(SET, "regs.txt", "satp");
	const struct cop_geom g = geom_of(satp);
	struct dump d = dump_open(SET, "frames.bin.xz", 12, false);
	struct dump_leaves found = {0};

	dump_walk(&d, cop_format_for(COP_RISCV64, 12), &g, (satp & ((1ULL << 44) - 1)) << 12, &found);
	assert_int_equal(d.missing, 0);
	dump_close(&d);
	dump_sort(&found);
	return found;
}

static void leaves(void **state)
{
	struct dump_leaves found = found_leaves(), expected = dump_expected(SET, "leaves.txt.xz");

	(void)state;
	dump_sort(&expected);
	for (size_t i = 0; i < found.count && i < expected.count; i++) {
		const struct dump_leaf *f = &found.leaf[i], *e = &expected.leaf[i];

		if (f->va != e->va || f->pa != e->pa || f->bytes != e->bytes || f->entry != e->entry)
			fail_msg("found %#" PRIx64 " %#" PRIx64 " %#" PRIx64 " %#" PRIx64 ", expected %#" PRIx64
				 " %#" PRIx64 " %#" PRIx64 " %#" PRIx64,
				 f->va, f->pa, f->bytes, f->entry, e->va, e->pa, e->bytes, e->entry);
	}
	assert_int_equal(found.count, expected.count);
	assert_true(found.count > 1000);
	dump_leaves_free(&found);
	dump_leaves_free(&expected);
}

/* Through address and attributes and back, with nothing left over. */
static void again(void **state)
{
	const struct cop_geom g = geom_of(dump_register(SET, "regs.txt", "satp"));
	struct dump_leaves found = found_leaves();
	unsigned levels = 0;

	(void)state;
	for (size_t i = 0; i < found.count; i++) {
		const uint64_t e = found.leaf[i].entry;
		const unsigned l = found.leaf[i].level;
		const uint32_t attrs = fmt_attrs(&g, e, l);

		assert_int_equal(fmt_rest_mask(&g, e, l), 0);
		assert_int_equal(fmt_leaf(&g, fmt_leaf_pa(&g, e, l), l, attrs), e);
		assert_int_equal(fmt_check_attrs(&g, attrs, l), 0);
		levels |= 1U << l;
	}
	assert_int_equal(levels, 3); /* 4K and 2M */
	dump_leaves_free(&found);
}

/* QEMU's "info mem": stretches of leaves of one size that continue each other and permit the same, in its order of letters. */
struct stretch {
	cop_va va;
	cop_pa pa;
	uint64_t bytes;
	char permits[8];
};

static void permits_of(const struct cop_geom *g, const struct dump_leaf *leaf, char permits[8])
{
	static const uint32_t order[7] = {COP_READ, COP_WRITE, COP_EXEC, COP_USER, COP_GLOBAL, COP_YOUNG, COP_DIRTY};
	const uint32_t attrs = fmt_attrs(g, leaf->entry, leaf->level);

	for (size_t i = 0; i < 7; i++)
		permits[i] = attrs & order[i] ? "rwxugad"[i] : '-';
	permits[7] = 0;
}

static bool next_stretch(const struct cop_geom *g, const struct dump_leaves *found, size_t *at, struct stretch *s)
{
	const uint64_t size = *at < found->count ? found->leaf[*at].bytes : 0;
	char permits[8];

	if (*at == found->count)
		return false;
	s->va = found->leaf[*at].va;
	s->pa = found->leaf[*at].pa;
	s->bytes = 0;
	permits_of(g, &found->leaf[*at], s->permits);
	for (; *at < found->count; ++*at) {
		const struct dump_leaf *leaf = &found->leaf[*at];

		permits_of(g, leaf, permits);
		if (leaf->bytes != size || leaf->va != s->va + s->bytes || leaf->pa != s->pa + s->bytes ||
		    strcmp(permits, s->permits) != 0)
			break;
		s->bytes += leaf->bytes;
	}
	return true;
}

static void info_mem(void **state)
{
	const struct cop_geom g = geom_of(dump_register(SET, "regs.txt", "satp"));
	struct dump_leaves found = found_leaves();
	FILE *f = fopen(COP_TEST_DATA "/dumps/" SET "/info-mem.txt", "r");
	char line[128];
	size_t at = 0, lines = 0;
	struct stretch s = {0};

	(void)state;
	assert_non_null(f);
	while (fgets(line, sizeof(line), f)) {
		char mine[128];

		line[strcspn(line, "\r\n")] = 0;
		/* Two lines of heading. */
		if (lines++ < 2 || !line[0])
			continue;
		assert_true(next_stretch(&g, &found, &at, &s));
		(void)snprintf(mine, sizeof(mine), "%016" PRIx64 " %016" PRIx64 " %016" PRIx64 " %s", s.va, s.pa,
			       s.bytes, s.permits);
		assert_string_equal(mine, line);
	}
	fclose(f);
	assert_int_equal(at, found.count);
	assert_true(lines > 100);
	dump_leaves_free(&found);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(leaves),
		cmocka_unit_test(again),
		cmocka_unit_test(info_mem),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
