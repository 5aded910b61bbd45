/* SPDX-License-Identifier: MIT */
/* An address space grows, and is used above its old limit, while others walk it without a lock in every way there is. */
#include "tests/tables/rig.h"

#define ROUNDS  300
#define READERS 3

static const struct {
	struct cop_geom geom;
	unsigned bits[2];
} growings[] = {
	{{COP_S390X, COP_HALF_LOW, 12, 3, 42, 48, COP_F_IEP}, {53, 64}},
	{{COP_ARM64, COP_HALF_LOW, 12, 3, 39, 52, COP_F_LPA2}, {48, 52}},
	{{COP_RISCV64, COP_HALF_BOTH, 12, 3, 39, 56, 0}, {48, 57}},
};

static struct {
	struct cop_tree tree;
	cop_va border; /* of two entries of the first root: a page is mapped on either side */
	uint64_t page, wrong, looked;
	uint32_t running;
} w;

static void expect(bool right)
{
	if (!right)
		cop_fetch_add(&w.wrong, 1ULL, relaxed);
}

static void look(void)
{
	struct cop_extent x;
	cop_pa out[2];

	cop_rcu_read_lock();
	expect(cop_translate(&w.tree, w.border).pa == 2 * w.page);
	expect(cop_translate_pa(&w.tree, w.border - w.page) == w.page);
	expect(cop_lookup(&w.tree, w.border - w.page, 2, out, COP_FOLD_TOP) == 2 && out[1] == 2 * w.page);
	expect(cop_lookup(&w.tree, w.border - w.page, 2, out, COP_FOLD_MIDDLE) == 2 && out[1] == 2 * w.page);
	expect(cop_query(&w.tree, w.border, w.border + w.page - 1, &x, 1) == 1 && x.pa == 2 * w.page);
	cop_rcu_read_unlock();
	cop_fetch_add(&w.looked, 1ULL, relaxed);
}

static void reader(void)
{
	while (cop_load(&w.running, acquire)) {
		look();
		cop_host_poll();
	}
}

static void grow(const unsigned bits[2])
{
	for (unsigned i = 0; i < 2; i++) {
		const cop_va high = 1ULL << (w.tree.geom.va_bits - (w.tree.geom.half == COP_HALF_BOTH));
		struct cop_gather gather;

		expect(!cop_tree_grow(&w.tree, bits[i]));
		expect(!cop_map(&w.tree, high, 3 * w.page, w.page, COP_USER_RW, 0, 0));
		expect(cop_translate_pa(&w.tree, high) == 3 * w.page);
		cop_gather_begin(&gather, &w.tree);
		expect(!cop_unmap(&gather, high, w.page, COP_UNMAP_BLIND, NULL, 0).err);
		(void)cop_gather_finish(&gather);
	}
	cop_store(&w.running, 0U, release);
}

static void on_cpu(void *arg)
{
	if (cop_cpu())
		reader();
	else
		grow(arg);
}

static void round_of(unsigned i)
{
	struct cop_table_source from;
	struct rig_source source;
	struct cop_gather gather;

	memset(&w, 0, sizeof(w));
	rig_source_init(&source);
	from = rig_table_source(&source);
	assert_int_equal(cop_tree_init(&w.tree, &growings[i].geom, &from, 1, 0), 0);
	w.page = 1ULL << growings[i].geom.page_lg2;
	w.border = 1ULL << w.tree.ops->format->shift(growings[i].geom.levels - 1U);
	assert_int_equal(cop_map(&w.tree, w.border - w.page, w.page, 2 * w.page, COP_USER_RW, 0, 0), 0);
	w.running = 1;
	assert_int_equal(cop_host_run(READERS + 1, on_cpu, (void *)(uintptr_t)growings[i].bits), 0);
	assert_int_equal(w.wrong, 0);
	cop_gather_begin(&gather, &w.tree);
	assert_int_equal(cop_unmap(&gather, w.border - w.page, 2 * w.page, COP_UNMAP_BLIND, NULL, 0).err, 0);
	(void)cop_gather_finish(&gather);
	assert_int_equal(cop_tree_destroy(&w.tree), 0);
	cop_host_rcu_barrier();
	assert_int_equal(source.live, 0);
	rig_source_fini(&source);
}

static void test_parallel(void **state)
{
	(void)state;
	for (unsigned i = 0; i < ROUNDS; i++)
		round_of(i % (sizeof(growings) / sizeof(growings[0])));
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_parallel)};

	return cmocka_run_group_tests(tests, rig_power_on, rig_power_off);
}
