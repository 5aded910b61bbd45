// SPDX-License-Identifier: MIT
/* What the picture shows adds up to the leaves and tables there are. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "inspect/picture.h"
#include "tests/inspect/overlay.h"

static unsigned bins(uint64_t bytes)
{
	return bytes / 4096 < PICTURE_BINS ? (unsigned)(bytes / 4096) : PICTURE_BINS;
}

/* Stretches are ascending in each tree and apart; bins hold what is mapped. */
static void check_stretch(const struct picture *p, unsigned i)
{
	const struct picture_stretch *s = &p->stretch[i];
	double in_bins = 0, mapped = 0;

	for (unsigned size = 0; size < PICTURE_SIZES; size++) {
		mapped += (double)s->mapped[size];
		for (unsigned b = 0; b < s->bins; b++)
			in_bins += (double)s->bin[b][size] * (double)s->bytes / s->bins;
	}
	assert_true(mapped <= (double)s->bytes);
	assert_true(fabs(in_bins - mapped) <= 1e-4 * mapped);
	if (i && s->tree == s[-1].tree)
		assert_true(s->start >= s[-1].start + s[-1].bytes);
}

static void adds_up(void **state)
{
	static const char *const sets[] = {"amd64-4level",  "amd64-hotplug/added", "arm64-blocks",
					   "arm64-default", "riscv64-sv39",        "s390x"};

	for (unsigned i = 0; i < 6; i++) {
		struct overlay *o = overlay_open(sets[i]);
		size_t count;
		struct overlay_leaf *leaf = overlay_leaves(o, &count);
		uint64_t bytes = 0, mapped = 0, leaves = 0, tables = 0, used = 0;
		struct picture p;

		assert_int_equal(insp_picture(&o->machine, NULL, 0, ~0ULL, bins, &p), 0);
		for (size_t k = 0; k < count; k++)
			bytes += COP_LG2(leaf[k].lg2);
		for (unsigned k = 0; k < p.stretches; k++) {
			check_stretch(&p, k);
			for (unsigned size = 0; size < PICTURE_SIZES; size++) {
				mapped += p.stretch[k].mapped[size];
				leaves += p.stretch[k].leaves[size];
			}
		}
		assert_int_equal(mapped, bytes);
		assert_int_equal(leaves, count);
		for (unsigned k = 0; k < p.levels; k++) {
			uint64_t n = 0;

			for (unsigned f = 0; f < PICTURE_FULLNESS; f++)
				n += p.level[k].fullness[f];
			assert_int_equal(n, p.level[k].tables);
			tables += p.level[k].tables;
			used += p.level[k].used;
		}
		assert_int_equal(tables, p.scanned.tables);
		/* Every table but the roots is an entry of another. */
		assert_true(used >= count + tables - o->machine.trees);
		insp_picture_free(&p);
		free(leaf);
		overlay_close(o);
	}
}

/* More stretches than fit are joined where they are nearest, and nothing is lost. */
static void many_stretches(void **state)
{
	struct overlay *o = overlay_open("amd64-4level");
	struct overlay_at at = overlay_at_level(o, 0xffff8cfa00000000, 1);
	uint64_t mapped = 0, expected = 0;
	struct picture p;

	for (unsigned i = 0; i < 512; i++) {
		struct overlay_at one = overlay_entry(o, &at, i);

		/* Gaps grow upwards: 2M, 4M, 6M, ... */
		unsigned n = 0;

		for (unsigned sum = 0; sum < i; sum += ++n + 1)
			;
		one.index = i;
		overlay_plant(o, &one, 0);
	}
	for (unsigned i = 0, gap = 1; i < 512; i += ++gap) {
		struct overlay_at one = overlay_entry(o, &at, i);

		overlay_plant(o, &one, at.tree->format->leaf(&at.tree->geom, 0, 1, COP_KERNEL_RW));
		expected += 2ULL << 20;
	}
	assert_int_equal(insp_picture(&o->machine, NULL, 0xffff8cfa00000000, 0xffff8cfa3fffffff, bins, &p), 0);
	assert_true(p.stretches <= PICTURE_STRETCHES);
	for (unsigned k = 0; k < p.stretches; k++) {
		check_stretch(&p, k);
		for (unsigned size = 0; size < PICTURE_SIZES; size++)
			mapped += p.stretch[k].mapped[size];
	}
	assert_int_equal(mapped, expected);
	assert_int_equal(p.stretch[p.stretches - 1].bytes, 2 << 20);
	insp_picture_free(&p);
	overlay_close(o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(adds_up),
		cmocka_unit_test(many_stretches),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
