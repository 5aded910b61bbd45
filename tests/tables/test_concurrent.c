/* SPDX-License-Identifier: MIT */
/*
 * Threads map, unmap, split and reclaim neighbouring pages of one leaf table and neighbouring tables of one upper table; each
 * owns its pages and knows what they map. Readers translate meanwhile. COP_ROUNDS sets the operations per test.
 */
#include "tests/tables/rig.h"

#define THREADS 4
#define READERS 1

static struct arena {
	struct cop_tree tree;
	struct rig_source source;
	cop_va base;
	uint64_t bytes; /* of one owner's piece */
	uint64_t page;
	uint64_t pieces;   /* pieces belong to threads in turn */
	uint64_t rounds;   /* of each thread */
	bool large;        /* a piece is mapped whole, as large as fits, and unmapped in parts */
	uint32_t next_cpu; /* marked */
	uint32_t done;     /* marked: threads that have finished */
} a;

static uint64_t rounds_wanted(uint64_t otherwise)
{
	const char *env = getenv("COP_ROUNDS");

	return env ? strtoull(env, NULL, 0) : otherwise;
}

/* What an address maps when it maps anything: congruent, so that large leaves fit. */
static cop_pa pa_of(cop_va va)
{
	return (va - a.base) | (1ULL << 40);
}

static void check(bool ok, const char *what)
{
	if (!ok) {
		fprintf(stderr, "%s\n", what);
		abort();
	}
}

static cop_pa look(cop_va va)
{
	struct cop_translation t;

	cop_rcu_read_lock();
	t = cop_translate(&a.tree, va);
	cop_rcu_read_unlock();
	return t.pa;
}

static void reader(uint64_t seed)
{
	while (cop_load(&a.done, acquire) < THREADS) {
		const cop_va va = a.base + rig_below(&seed, a.pieces * a.bytes);
		const cop_pa pa = look(va);

		check(pa == COP_PA_NONE || pa == pa_of(va), "a reader saw a translation that nobody made");
	}
}

static void unmap(cop_va va, uint64_t bytes, uint32_t mode)
{
	static __thread struct cop_detached_run runs[8];
	struct cop_gather gather;
	struct cop_unmapped u;

	cop_gather_begin(&gather, &a.tree);
	u = cop_unmap(&gather, va, bytes, mode, runs, 8);
	check(u.err == 0 && u.done == bytes, "unmap failed");
	check(mode == COP_UNMAP_BLIND || (u.runs == 1 && runs[0].pa_ == pa_of(va) && runs[0].bytes_ == bytes),
	      "wrong runs");
	check(look(va) == COP_PA_NONE && look(va + bytes - 1) == COP_PA_NONE, "still there after unmap");
	(void)cop_gather_finish(&gather);
}

static void map(cop_va va, uint64_t bytes)
{
	check(cop_map(&a.tree, va, pa_of(va), bytes, COP_KERNEL_RW, 0, 0) == 0, "map failed");
	check(look(va) == pa_of(va) && look(va + bytes - 1) == pa_of(va + bytes - 1), "not there after map");
}

static void owner(uint64_t me, uint64_t seed)
{
	uint8_t *mapped = calloc(a.pieces, 1);

	for (uint64_t i = 0; i < a.rounds; i++) {
		const uint64_t piece = rig_below(&seed, a.pieces / THREADS) * THREADS + me;
		const cop_va va = a.base + piece * a.bytes;
		const uint64_t half = a.bytes / 2 & ~(a.page - 1);
		const uint32_t mode = (uint32_t)rig_below(&seed, 3);

		if (!mapped[piece]) {
			check(look(va) == COP_PA_NONE, "mapped by somebody else");
			map(va, a.bytes);
		} else if (a.large && half && rig_below(&seed, 2)) {
			unmap(va + half, a.bytes - half, mode);
			unmap(va, half, mode);
		} else {
			unmap(va, a.bytes, mode);
		}
		mapped[piece] ^= 1;
	}
	for (uint64_t piece = me; piece < a.pieces; piece += THREADS)
		if (mapped[piece])
			unmap(a.base + piece * a.bytes, a.bytes, COP_UNMAP_FRAMES);
	free(mapped);
	cop_fetch_add(&a.done, 1U, release);
}

static void cpu(void *arg)
{
	const uint32_t me = cop_fetch_add(&a.next_cpu, 1U, relaxed);

	(void)arg;
	if (me < THREADS)
		owner(me, me + 1);
	else
		reader(me + 1);
}

static void run(const struct rig_geom *rg, uint64_t pieces, uint64_t pages, bool large, uint64_t rounds)
{
	struct cop_table_source source;

	memset(&a, 0, sizeof(a));
	rig_source_init(&a.source);
	source = rig_table_source(&a.source);
	assert_int_equal(cop_tree_init(&a.tree, &rg->geom, &source, 1, 0), 0);
	a.page = 1ULL << rg->geom.page_lg2;
	a.base = rig_base(&rg->geom) + (1ULL << (rg->geom.va_bits - 2));
	a.bytes = pages * a.page;
	a.pieces = pieces;
	a.rounds = rounds / THREADS;
	a.large = large;
	assert_int_equal(cop_host_run(THREADS + READERS, cpu, NULL), 0);
	(void)rig_census(&a.tree);
	rig_no_leak(&a.tree, &a.source);
	assert_int_equal(rig_table_count(&a.tree), 1);
	assert_int_equal(cop_tree_destroy(&a.tree), 0);
	assert_int_equal(a.source.live, 0);
	rig_source_fini(&a.source);
}

/* Few pages, so that the table is emptied and killed all the time. */
static void test_pages_of_one_table(void **state)
{
	(void)state;
	for (unsigned i = 0; i < RIG_GEOMS; i++) {
		run(&rig_geoms[i], 4, 1, false, rounds_wanted(140000) / RIG_GEOMS / 2);
		run(&rig_geoms[i], 64, 1, false, rounds_wanted(140000) / RIG_GEOMS / 2);
	}
}

/* Pieces straddle tables: what is whole is detached, what is shared is reclaimed. */
static void test_tables_of_one_upper_table(void **state)
{
	(void)state;
	for (unsigned i = 0; i < RIG_GEOMS; i++) {
		const unsigned slots = 1U << cop_format_for(rig_geoms[i].geom.arch, rig_geoms[i].geom.page_lg2)
						     ->index_bits(&rig_geoms[i].geom, 0);

		run(&rig_geoms[i], 8, slots + 3, false, rounds_wanted(28000) / RIG_GEOMS);
	}
}

/* Pieces share large leaves and runs, so that several split one at a time. */
static void test_split_together(void **state)
{
	(void)state;
	for (unsigned i = 0; i < RIG_GEOMS; i++)
		run(&rig_geoms[i], 64, 64, true, rounds_wanted(70000) / RIG_GEOMS);
}

/* ---- one large leaf that everybody owns a part of ---- */

static struct {
	uint64_t parts, part;
} shared;

static void split_cpu(void *arg)
{
	const uint32_t me = cop_fetch_add(&a.next_cpu, 1U, relaxed);

	(void)arg;
	if (me >= THREADS) {
		reader(me + 1);
		return;
	}
	for (uint64_t i = me; i < shared.parts; i += THREADS)
		unmap(a.base + i * shared.part, shared.part, (uint32_t)(i % 3));
	cop_fetch_add(&a.done, 1U, release);
}

static void test_one_leaf_in_parts(void **state)
{
	(void)state;
	for (unsigned i = 0; i < RIG_GEOMS; i++) {
		const struct rig_geom *rg = &rig_geoms[i];
		const uint64_t leaf = 1ULL << cop_format_for(rg->geom.arch, rg->geom.page_lg2)->shift(1);
		struct cop_table_source source;

		memset(&a, 0, sizeof(a));
		rig_source_init(&a.source);
		source = rig_table_source(&a.source);
		assert_int_equal(cop_tree_init(&a.tree, &rg->geom, &source, 1, 0), 0);
		a.page = 1ULL << rg->geom.page_lg2;
		a.base = rig_base(&rg->geom) + (1ULL << (rg->geom.va_bits - 2));
		a.pieces = 64;
		a.bytes = leaf;
		shared.part = leaf / 8;
		shared.parts = 512;
		for (uint64_t round = 0; round < rounds_wanted(14000) / RIG_GEOMS / 128; round++) {
			a.next_cpu = 0;
			a.done = 0;
			map(a.base, a.pieces * leaf);
			assert_int_equal(cop_host_run(THREADS + READERS, split_cpu, NULL), 0);
			(void)rig_census(&a.tree);
		}
		rig_no_leak(&a.tree, &a.source);
		assert_int_equal(rig_table_count(&a.tree), 1);
		assert_int_equal(cop_tree_destroy(&a.tree), 0);
		rig_source_fini(&a.source);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pages_of_one_table),
		cmocka_unit_test(test_tables_of_one_upper_table),
		cmocka_unit_test(test_split_together),
		cmocka_unit_test(test_one_leaf_in_parts),
	};

	return cmocka_run_group_tests(tests, rig_power_on, rig_power_off);
}
