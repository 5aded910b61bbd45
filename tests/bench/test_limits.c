/* SPDX-License-Identifier: MIT */
/* A limit that does less than it says makes every ratio wrong: each loop is held against what it is to do. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bench/limits.h"
#include <coppice/format.h>

#define TABLES  3
#define ENTRIES 32
#define FRAMES  6 /* for tables of up to 128 KB */
#define LEAF_PA 0x123450000ULL

struct fixture {
	uint64_t memory[TABLES][ENTRIES];
	uint64_t *table[TABLES];
	struct limit_tables tables;
};

static void fill(struct fixture *f)
{
	for (size_t i = 0; i < TABLES; i++) {
		/* Not in the order of their addresses: a list of frames has no order. */
		f->table[i] = f->memory[TABLES - 1 - i];
		for (size_t j = 0; j < ENTRIES; j++)
			f->table[i][j] = 1 + i * ENTRIES + j;
	}
	f->tables = (struct limit_tables){f->table, TABLES, ENTRIES};
}

static void expect_clear(const struct fixture *f)
{
	for (size_t i = 0; i < TABLES * ENTRIES; i++)
		assert_int_equal(f->memory[i / ENTRIES][i % ENTRIES], 0);
}

static void store_writes_every_descriptor(void **state)
{
	struct fixture f;

	fill(&f);
	limit_store(&f.tables, 0x40000703, 4096);
	for (size_t i = 0; i < TABLES * ENTRIES; i++)
		assert_int_equal(f.table[i / ENTRIES][i % ENTRIES], 0x40000703 + i * 4096);
}

static void clearing_loops_clear_and_read(void **state)
{
	const uint64_t n = TABLES * ENTRIES;
	uint64_t list[TABLES * ENTRIES];
	struct fixture f;

	fill(&f);
	limit_clear(&f.tables);
	expect_clear(&f);
	fill(&f);
	assert_int_equal(limit_read_clear(&f.tables), n * (n + 1) / 2);
	expect_clear(&f);
	fill(&f);
	assert_int_equal(limit_exchange(&f.tables), n * (n + 1) / 2);
	expect_clear(&f);
	fill(&f);
	limit_read_clear_list(&f.tables, list);
	expect_clear(&f);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(list[i], i + 1);
}

static void stream_writes_all_and_no_more(void **state)
{
	uint64_t to[24] = {0};

	limit_stream(to, 16 * sizeof(*to), 7);
	for (size_t i = 0; i < 24; i++)
		assert_int_equal(to[i], i < 16 ? 7 : 0);
}

struct chased {
	const struct cop_format *format;
	const struct limit_chase *chase;
};

/* The entry gets the value, the counter of its table, and of no other, the addition. */
static void expect_write(const struct chased *c, const struct limit_walk *walk, uint64_t leaf, unsigned tables)
{
	uint64_t counter[FRAMES] = {0};
	const struct limit_write write = {(char *)counter, 17, 3, 5, 99};

	assert_true(c->chase->write(walk, &write) == leaf);
	assert_int_equal(c->chase->independent(walk), 99);
	for (unsigned i = 0; i < FRAMES; i++)
		assert_int_equal(counter[i], i + 1 == tables ? 5 : 0);
}

/* The frame of the leaf, of whose counter the address is known only now, and nothing after it. */
static void expect_frames(const struct chased *c, const struct limit_walk *walk, uint64_t frame)
{
	uint32_t counter[2] = {7, 7};
	uint64_t out[2] = {0, 0};
	const struct limit_frames frames = {.va = walk->va[0],
					    .pages = 1,
					    .counters = (char *)((uintptr_t)counter - (frame << 2)),
					    .stride_lg2 = 2,
					    .add = 5,
					    .out = out};

	c->chase->frames(walk, &frames);
	assert_int_equal(out[0], frame);
	assert_int_equal(out[1], 0);
	assert_int_equal(counter[0], 12);
	assert_int_equal(counter[1], 7);
}

static uint64_t *table_at(char *base, cop_pa pa)
{
	return (uint64_t *)(void *)(base + pa);
}

/* One path of tables at scattered places, by the format's own encoding. Return: the leaf entry. */
static uint64_t build_path(char *base, const struct cop_format *format, const struct cop_geom *g, cop_va va)
{
	cop_pa table = 0;

	for (unsigned l = g->levels - 1U;; l--) {
		uint64_t index = va >> format->shift(l) & (COP_LG2(format->index_bits(g, l)) - 1);
		uint64_t *slot = table_at(base, table) + index;

		if (!l)
			return *slot = format->leaf(g, LEAF_PA, 0, COP_KERNEL_RW);
		table += COP_LG2(17);
		*slot = format->table(g, table, l);
	}
}

static void chase_ends_where_the_format_says(const struct chased *c)
{
	/* The last index of each level below the root, then the first ones. */
	const cop_va va[] = {0x3fffffff8, 0x1000000000, 0x15a5a5a5a8};
	char *base = calloc(FRAMES, COP_LG2(17));
	struct cop_geom g;

	assert_non_null(base);
	assert_int_equal(cop_geom_init(&g, c->format->arch, c->format->page_lg2, 0), 0);
	for (size_t i = 0; i < sizeof(va) / sizeof(*va); i++) {
		const struct limit_walk walk = {.base = base, .va = &va[i], .count = 1};
		uint64_t leaf;

		memset(base, 0, (FRAMES)*COP_LG2(17));
		leaf = build_path(base, c->format, &g, va[i]);
		assert_int_not_equal(leaf, 0);
		assert_true(c->chase->dependent(&walk) == leaf);
		assert_true(c->chase->independent(&walk) == leaf);
		expect_frames(c, &walk, LEAF_PA >> c->format->page_lg2);
		expect_write(c, &walk, leaf, g.levels);
	}
	free(base);
}

static void chases_follow_their_formats(void **state)
{
	static const struct chased all[] = {
		{&cop_format_arm64_4k, &limit_chase_arm64_4k},   {&cop_format_arm64_16k, &limit_chase_arm64_16k},
		{&cop_format_arm64_64k, &limit_chase_arm64_64k}, {&cop_format_x86_64, &limit_chase_x86_64},
		{&cop_format_riscv64, &limit_chase_riscv64},     {&cop_format_s390x, &limit_chase_s390x},
	};

	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++)
		chase_ends_where_the_format_says(&all[i]);
}

static void dependent_chase_uses_what_it_found(void **state)
{
	/* With .zero not 0 the second address is formed from the first entry: that is the dependency. */
	const cop_va va[] = {0, 0};
	uint64_t *table = calloc(4, 4096);
	struct limit_walk walk = {.base = (char *)table, .va = va, .count = 2, .zero = 0x1000};

	assert_non_null(table);
	table[0] = 0x1000;
	table[512] = 0x2000;
	table[1024] = 0x3000;
	table[1536] = 0x1003;
	table[1537] = 0x77;
	assert_int_equal(limit_chase_arm64_4k.dependent(&walk), 0x77);
	free(table);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(store_writes_every_descriptor),      cmocka_unit_test(clearing_loops_clear_and_read),
		cmocka_unit_test(stream_writes_all_and_no_more),      cmocka_unit_test(chases_follow_their_formats),
		cmocka_unit_test(dependent_chase_uses_what_it_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
