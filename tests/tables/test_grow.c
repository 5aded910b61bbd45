/* SPDX-License-Identifier: MIT */
/* Growing by levels: random maps against a plain list before and after, both ways to fold, errors, no memory. */
#include "tests/tables/rig.h"

#define PAGES 96

struct growing {
	const char *name;
	struct cop_geom geom;
	unsigned bits[3]; /* to grow to; 0: no more */
};

static const struct growing growings[] = {
	{"s390x", {COP_S390X, COP_HALF_LOW, 12, 3, 42, 48, COP_F_IEP | COP_F_EDAT1}, {53, 64}},
	{"s390x at once", {COP_S390X, COP_HALF_LOW, 12, 3, 42, 48, COP_F_IEP}, {64}},
	{"s390x from 2 levels", {COP_S390X, COP_HALF_LOW, 12, 2, 31, 48, COP_F_IEP}, {42, 53, 64}},
	{"arm64-4k", {COP_ARM64, COP_HALF_LOW, 12, 3, 39, 48, COP_F_HAF}, {43, 0}},
	{"arm64-4k 48", {COP_ARM64, COP_HALF_LOW, 12, 3, 39, 52, COP_F_LPA2}, {48, 52}},
	{"arm64-4k high", {COP_ARM64, COP_HALF_HIGH, 12, 3, 39, 48, COP_F_CONT}, {48}},
	{"arm64-16k", {COP_ARM64, COP_HALF_LOW, 14, 3, 47, 48, COP_F_CONT}, {48}},
	{"arm64-16k high", {COP_ARM64, COP_HALF_HIGH, 14, 2, 36, 48, 0}, {47, 48}},
	{"arm64-64k", {COP_ARM64, COP_HALF_LOW, 16, 2, 42, 48, 0}, {52}},
	{"riscv64", {COP_RISCV64, COP_HALF_BOTH, 12, 3, 39, 56, 0}, {48, 57}},
	{"riscv64 at once", {COP_RISCV64, COP_HALF_BOTH, 12, 3, 39, 56, COP_F_SVNAPOT}, {57}},
};
#define GROWINGS (sizeof(growings) / sizeof(growings[0]))

static struct {
	struct cop_tree tree;
	struct rig_source source;
	uint64_t page, seed;
	struct {
		cop_va va;
		cop_pa pa;
	} at[PAGES];
	unsigned count;
} w;

static void open_tree(const struct cop_geom *geom)
{
	struct cop_table_source source;

	memset(&w, 0, sizeof(w));
	rig_source_init(&w.source);
	source = rig_table_source(&w.source);
	assert_int_equal(cop_tree_init(&w.tree, geom, &source, 1, 0), 0);
	w.page = 1ULL << geom->page_lg2;
	w.seed = 0x67726f77;
}

/* A page that the tree translates; of a sign-extended one in its lower half. Some lie beside others. */
static cop_va random_va(void)
{
	const struct cop_geom *g = &w.tree.geom;
	const unsigned bits = g->half == COP_HALF_BOTH ? g->va_bits - 1U : g->va_bits;
	cop_va va = rig_random(&w.seed) >> (64 - bits) >> rig_below(&w.seed, bits - g->page_lg2);

	if (w.count && !rig_below(&w.seed, 3))
		va = w.at[rig_below(&w.seed, w.count)].va + w.page;
	else if (g->half == COP_HALF_HIGH)
		va = ~va;
	if (g->half == COP_HALF_HIGH && !(va >> 63))
		va = ~0ULL;
	if (g->half != COP_HALF_HIGH && bits < 64 && va >> bits)
		va = 0;
	return COP_ALIGN_DOWN(va, w.page);
}

static bool is_mapped(cop_va va)
{
	for (unsigned i = 0; i < w.count; i++)
		if (w.at[i].va == va)
			return true;
	return false;
}

static void map_some(unsigned n)
{
	while (w.count < PAGES && n--) {
		const cop_va va = random_va();
		const cop_pa pa = w.page * (1 + rig_below(&w.seed, 1000));

		if (is_mapped(va))
			continue;
		assert_int_equal(cop_map(&w.tree, va, pa, w.page, COP_USER_RW, 0, 0), 0);
		w.at[w.count].va = va;
		w.at[w.count++].pa = pa;
	}
}

static void unmap_at(cop_va va, uint64_t bytes, uint32_t how)
{
	struct cop_gather gather;

	cop_gather_begin(&gather, &w.tree);
	assert_int_equal(cop_unmap(&gather, va, bytes, COP_UNMAP_BLIND | how, NULL, 0).err, 0);
	(void)cop_gather_finish(&gather);
}

static void unmap_some(unsigned n)
{
	while (w.count > 1 && n--) {
		const unsigned i = 1 + (unsigned)rig_below(&w.seed, w.count - 1);

		unmap_at(w.at[i].va, w.page, 0);
		w.at[i] = w.at[--w.count];
	}
}

static cop_pa pa_of(cop_va va)
{
	for (unsigned i = 0; i < w.count; i++)
		if (w.at[i].va == va)
			return w.at[i].pa;
	return COP_PA_NONE;
}

static void check_lookup(unsigned i, enum cop_fold fold)
{
	cop_pa out[5];
	const unsigned long n = cop_lookup(&w.tree, w.at[i].va, 5, out, fold);
	unsigned long expected = 0;

	if (!cop_lookup(&w.tree, w.at[i].va, 1, out, fold))
		fail_msg("page %#lx is not found", (unsigned long)w.at[i].va);
	/* The range may end beyond the tree: then it is refused. */
	if (!n)
		return;
	(void)cop_lookup(&w.tree, w.at[i].va, 5, out, fold);
	while (expected < 5 && pa_of(w.at[i].va + expected * w.page) != COP_PA_NONE) {
		assert_int_equal(out[expected], pa_of(w.at[i].va + expected * w.page));
		expected++;
	}
	assert_int_equal(n, expected);
}

static void check(void)
{
	for (unsigned i = 0; i < w.count; i++) {
		struct cop_extent x;

		assert_int_equal(cop_translate(&w.tree, w.at[i].va).pa, w.at[i].pa);
		assert_int_equal(cop_translate_pa(&w.tree, w.at[i].va + 8), w.at[i].pa + 8);
		assert_int_equal(cop_query(&w.tree, w.at[i].va, w.at[i].va + w.page - 1, &x, 1), 1);
		assert_int_equal(x.pa, w.at[i].pa);
		check_lookup(i, COP_FOLD_TOP);
		check_lookup(i, COP_FOLD_MIDDLE);
	}
	if (w.count)
		(void)rig_census(&w.tree);
	rig_no_leak(&w.tree, &w.source);
}

/* Just beyond what the tree translates there is nothing, before and after. */
static void check_beyond(const struct growing *x)
{
	const struct cop_geom *g = &w.tree.geom;
	const unsigned bits = g->half == COP_HALF_BOTH ? g->va_bits - 1U : g->va_bits;
	const cop_va va = bits >= 64 ? 0 : g->half == COP_HALF_HIGH ? (~0ULL << bits) - w.page : 1ULL << bits;
	cop_pa out;

	if (bits >= 64 || x->geom.half == COP_HALF_BOTH)
		return;
	assert_int_equal(cop_translate(&w.tree, va).pa, COP_PA_NONE);
	assert_int_equal(cop_translate_pa(&w.tree, va), COP_PA_NONE);
	assert_int_equal(cop_lookup(&w.tree, va, 1, &out, COP_FOLD_TOP), 0);
	assert_int_equal(cop_map(&w.tree, va, 0, w.page, COP_USER_RW, 0, 0), -COP_EINVAL);
}

static void close_tree(void)
{
	const struct cop_geom *g = &w.tree.geom;
	const unsigned bits = g->half == COP_HALF_BOTH ? g->va_bits - 1U : g->va_bits;

	if (w.count)
		assert_int_equal(cop_tree_destroy(&w.tree), -COP_EBUSY);
	/* All of it at once: former roots are covered wholly, and stay. */
	if (g->half == COP_HALF_HIGH)
		unmap_at(~0ULL << bits, 1ULL << bits, COP_UNMAP_HOLES_OK);
	else
		unmap_at(0, bits >= 64 ? ~(w.page - 1) : 1ULL << bits, COP_UNMAP_HOLES_OK);
	if (bits >= 64)
		unmap_at(~(w.page - 1), w.page, COP_UNMAP_HOLES_OK);
	w.count = 0;
	rig_no_leak(&w.tree, &w.source);
	assert_int_equal(cop_tree_destroy(&w.tree), 0);
	cop_host_rcu_barrier();
	assert_int_equal(w.source.live, 0);
	rig_source_fini(&w.source);
}

static void test_model(void **state)
{
	(void)state;
	for (unsigned i = 0; i < GROWINGS; i++) {
		const struct growing *x = &growings[i];

		open_tree(&x->geom);
		map_some(30);
		check();
		check_beyond(x);
		for (unsigned k = 0; k < 3 && x->bits[k]; k++) {
			const cop_pa old = w.tree.root;

			assert_int_equal(cop_tree_grow(&w.tree, x->bits[k]), 0);
			assert_true(w.tree.root != old && w.tree.geom.va_bits == x->bits[k]);
			assert_int_equal(cop_tree_grow(&w.tree, x->bits[k]), 0);
			check();
			check_beyond(x);
			map_some(25);
			check();
			unmap_some(20);
			check();
		}
		close_tree();
	}
}

/* Whoever still has an old root finds what was there; and it is there when all of it is unmapped. */
static void test_old_root(void **state)
{
	(void)state;
	for (unsigned i = 0; i < GROWINGS; i++) {
		const struct growing *x = &growings[i];
		cop_pa old;

		open_tree(&x->geom);
		map_some(10);
		old = w.tree.root;
		assert_int_equal(cop_tree_grow(&w.tree, x->bits[0]), 0);
		while (w.count) {
			w.count--;
			unmap_at(w.at[w.count].va, w.page, 0);
		}
		rig_no_leak(&w.tree, &w.source);
		assert_int_equal(cop_ptdesc(old)->state, 0);
		map_some(10);
		check();
		close_tree();
	}
}

static void test_refused(void **state)
{
	const struct cop_geom x86 = {COP_X86_64, COP_HALF_BOTH, 12, 4, 48, 46, COP_F_NX};
	const struct cop_geom partial = {COP_ARM64, COP_HALF_LOW, 12, 4, 42, 48, 0};

	(void)state;
	open_tree(&x86);
	assert_int_equal(cop_tree_grow(&w.tree, 57), -COP_EOPNOTSUPP);
	close_tree();
	/* A root of 8 entries has no others. */
	open_tree(&partial);
	assert_int_equal(cop_tree_grow(&w.tree, 48), -COP_EINVAL);
	close_tree();
	open_tree(&growings[0].geom);
	assert_int_equal(cop_tree_grow(&w.tree, 50), -COP_EINVAL);
	assert_int_equal(cop_tree_grow(&w.tree, 65), -COP_EINVAL);
	assert_int_equal(cop_tree_grow(&w.tree, 31), 0);
	assert_int_equal(w.tree.geom.levels, 3);
	close_tree();
	open_tree(&growings[9].geom);
	assert_int_equal(cop_map(&w.tree, ~0ULL << 38, 0, w.page, COP_KERNEL_RW, 0, 0), 0);
	assert_int_equal(cop_tree_grow(&w.tree, 48), -COP_EBUSY);
	unmap_at(~0ULL << 38, w.page, 0);
	assert_int_equal(cop_tree_grow(&w.tree, 48), 0);
	close_tree();
}

static void test_no_memory(void **state)
{
	(void)state;
	for (unsigned i = 0; i < GROWINGS; i++) {
		const unsigned bits = growings[i].bits[2]   ? growings[i].bits[2]
				      : growings[i].bits[1] ? growings[i].bits[1]
							    : growings[i].bits[0];
		unsigned failed = 0;
		int err;

		open_tree(&growings[i].geom);
		map_some(10);
		do {
			const cop_pa root = w.tree.root;

			w.source.calls = 0;
			w.source.fail_from = failed + 1;
			err = cop_tree_grow(&w.tree, bits);
			w.source.fail_from = 0;
			if (err) {
				assert_int_equal(err, -COP_ENOMEM);
				assert_true(w.tree.root == root);
				failed++;
			}
			check();
		} while (err);
		assert_true(failed >= 1 && w.tree.geom.va_bits == bits);
		close_tree();
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_model),
		cmocka_unit_test(test_old_root),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_no_memory),
	};

	return cmocka_run_group_tests(tests, rig_power_on, rig_power_off);
}
