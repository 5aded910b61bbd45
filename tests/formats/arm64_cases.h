/* SPDX-License-Identifier: MIT */
/* What arm64 adds to the suite, for the granule of the includer; each granule's program is this file. */
#ifndef COPPICE_TESTS_ARM64_CASES_H
#define COPPICE_TESTS_ARM64_CASES_H

#include "formats/arm64.h"

#define GEOM(va, levels_, pa, features_)                                                                               \
	{                                                                                                              \
		.arch = COP_ARM64, .half = COP_HALF_LOW, .page_lg2 = ARM64_PAGE_LG2, .levels = levels_, .va_bits = va, \
		.pa_bits = pa, .features = features_                                                                   \
	}

/* Levels by Arm's table of initial lookup levels, not by our arithmetic. */
#if ARM64_PAGE_LG2 == 12
static const struct cop_geom geoms[] = {
	GEOM(36, 3, 40, 0),
	GEOM(39, 3, 48, COP_F_CONT | COP_F_HAF),
	GEOM(42, 4, 48, COP_F_CONT),
	GEOM(47, 4, 48, COP_F_CONT),
	GEOM(48, 4, 48, COP_F_CONT | COP_F_HAF | COP_F_HD | COP_F_BBM1),
	GEOM(52, 5, 52, COP_F_CONT | COP_F_LPA2 | COP_F_HAF | COP_F_HD | COP_F_BBM2 | COP_F_BBM2_NOABORT),
};
#define FIRST_LEAF_ONLY_WIDE 3
#elif ARM64_PAGE_LG2 == 14
static const struct cop_geom geoms[] = {
	GEOM(36, 2, 40, COP_F_CONT),
	GEOM(39, 3, 48, 0),
	GEOM(42, 3, 48, COP_F_CONT),
	GEOM(47, 3, 48, COP_F_CONT | COP_F_HAF | COP_F_HD | COP_F_BBM1),
	GEOM(48, 4, 48, COP_F_CONT),
	GEOM(52, 4, 52, COP_F_CONT | COP_F_LPA2 | COP_F_HAF | COP_F_HD | COP_F_BBM2 | COP_F_BBM2_NOABORT),
};
#define FIRST_LEAF_ONLY_WIDE 2
#else
static const struct cop_geom geoms[] = {
	GEOM(36, 2, 40, COP_F_CONT),
	GEOM(39, 2, 48, 0),
	GEOM(42, 2, 48, COP_F_CONT | COP_F_HAF | COP_F_HD | COP_F_BBM1),
	GEOM(47, 3, 48, COP_F_CONT),
	GEOM(48, 3, 48, COP_F_CONT),
	GEOM(52, 3, 48, COP_F_CONT),
	GEOM(52, 3, 52, COP_F_CONT | COP_F_LPA | COP_F_HAF | COP_F_HD | COP_F_BBM2 | COP_F_BBM2_NOABORT),
};
#define FIRST_LEAF_ONLY_WIDE 2
#endif

#define SUITE_GEOMS         geoms
#define SUITE_RUN_SHARES_PA 0
#include "tests/formats/format_suite.h"

#define WIDE (&geoms[SUITE_COUNT(geoms) - 1])

static struct cop_geom with(uint32_t features)
{
	struct cop_geom g = {.arch = COP_ARM64, .page_lg2 = ARM64_PAGE_LG2, .va_bits = 42, .pa_bits = 48};

	g.levels = ARM64_PAGE_LG2 == 12 ? 4 : ARM64_PAGE_LG2 == 14 ? 3 : 2;
	g.features = features;
	assert_int_equal(fmt_check_geom(&g), 0);
	return g;
}

static void leaf_sizes(void **state)
{
	const struct cop_geom narrow = with(COP_F_CONT);

	(void)state;
#if ARM64_PAGE_LG2 == 12
	assert_int_equal(fmt_shift(1), 21);
	assert_int_equal(fmt_shift(2), 30);
	assert_int_equal(fmt_shift(3), 39);
	assert_int_equal(fmt_cont_lg2(&narrow, 0), 4);
	assert_int_equal(fmt_cont_lg2(&narrow, 1), 4);
	assert_int_equal(fmt_cont_lg2(&narrow, 2), 4);
	assert_int_equal(fmt_cont_lg2(WIDE, 3), 0);
#elif ARM64_PAGE_LG2 == 14
	assert_int_equal(fmt_shift(1), 25);
	assert_int_equal(fmt_shift(2), 36);
	assert_int_equal(fmt_cont_lg2(&narrow, 0), 7);
	assert_int_equal(fmt_cont_lg2(&narrow, 1), 5);
	assert_int_equal(fmt_cont_lg2(WIDE, 2), 0);
#else
	assert_int_equal(fmt_shift(1), 29);
	assert_int_equal(fmt_shift(2), 42);
	assert_int_equal(fmt_cont_lg2(&narrow, 0), 5);
	assert_int_equal(fmt_cont_lg2(&narrow, 1), 5);
	assert_int_equal(fmt_cont_lg2(WIDE, 2), 0);
	assert_int_equal(fmt_index_bits(WIDE, 2), 10);
#endif
	assert_true(fmt_can_leaf(&narrow, FIRST_LEAF_ONLY_WIDE - 1));
	assert_false(fmt_can_leaf(&narrow, FIRST_LEAF_ONLY_WIDE));
	assert_true(fmt_can_leaf(WIDE, FIRST_LEAF_ONLY_WIDE));
}

/* A run is never longer than the table it would lie in, and is not offered where the tree does not use runs. */
static void runs_fit(void **state)
{
	struct cop_geom g = with(COP_F_CONT);

	(void)state;
	g.levels = 2;
	g.va_bits = (uint8_t)(fmt_shift(1) + 3);
	assert_int_equal(fmt_check_geom(&g), 0);
	assert_int_equal(fmt_cont_lg2(&g, 1), 0);
	assert_true(fmt_cont_lg2(&g, 0) != 0);
	g.features = 0;
	assert_int_equal(fmt_cont_lg2(&g, 0), 0);
	assert_int_equal(fmt_check_attrs(&g, COP_KERNEL_RW | COP_CONT, 0), -COP_EOPNOTSUPP);
	g.features = COP_F_CONT;
	assert_int_equal(fmt_check_attrs(&g, COP_KERNEL_RW | COP_CONT, 1), -COP_EINVAL);
}

static void geometry_rules(void **state)
{
	struct cop_geom g;

	(void)state;
	assert_int_equal(cop_geom_init(&g, COP_ARM64, ARM64_PAGE_LG2, 0), 0);
	assert_int_equal(g.va_bits, 48);
	assert_int_equal(cop_geom_init(&g, COP_ARM64, ARM64_PAGE_LG2, 52), 0);
	assert_int_equal(g.levels, WIDE->levels);
	assert_int_equal(cop_geom_init(&g, COP_ARM64, ARM64_PAGE_LG2, 53), -COP_EINVAL);
	assert_int_equal(cop_geom_init(&g, COP_ARM64, 13, 48), -COP_EINVAL);
	assert_null(cop_format_for(COP_ARM64, 13));
	g = *WIDE;
	g.features &= ~(uint32_t)ARM64_BIG_OA;
	assert_int_equal(fmt_check_geom(&g), -COP_EINVAL); /* 52 bits of output address */
	g.pa_bits = 48;
	assert_int_equal(fmt_check_geom(&g), ARM64_PAGE_LG2 == 16 ? 0 : -COP_EINVAL);
	g = *WIDE;
	g.features |= COP_F_LPA | COP_F_LPA2;
	assert_int_equal(fmt_check_geom(&g), -COP_EINVAL);
	g = *WIDE;
	g.half = COP_HALF_BOTH;
	assert_int_equal(fmt_check_geom(&g), -COP_EINVAL);
	g = *WIDE;
	g.features &= ~(uint32_t)COP_F_HAF;
	assert_int_equal(fmt_check_geom(&g), -COP_EINVAL);
}

/* Values as Arm and Linux define them, written out: the round trips would not notice two bits swapped. */
static void known_encodings(void **state)
{
	static const struct {
		uint64_t entry;
		uint32_t attrs;
		unsigned level;
	} known[] = {
		{0x00e8000080000703, COP_KERNEL_RW, 0},
		{0x00e8000080000707, COP_KERNEL_RW | COP_MT_TAGGED, 0},
		{0x00f8000080000705, COP_KERNEL_RW | COP_MT_TAGGED | COP_CONT, 1},
		{0x00e800008000070b, COP_KERNEL_RW | COP_MT_NC, 0},
		{0x00e800008000070d, COP_KERNEL_RW | COP_MT_DEVICE, 1},
		{0x00e8000080000713, COP_KERNEL_RW | COP_MT_DEVICE_RE, 0},
		{0x0040000080000783, COP_KERNEL_RX, 0},
		{0x0060000080000783, COP_KERNEL_RO, 0},
		{0x0020000080000fc3, COP_READ | COP_EXEC | COP_USER | COP_YOUNG, 0},
		{0x0020000080000f83, COP_EXEC | COP_USER | COP_YOUNG, 0},
		{0x0000000080000fc3, COP_READ | COP_EXEC | COP_KEXEC | COP_USER | COP_YOUNG, 0},
		{0x00e8000080000f43, COP_USER_RW, 0},
		{0x0068000080000bc3, COP_READ | COP_WRITE | COP_USER, 0},
		{0x01e8000080000f43, COP_USER_RW | COP_SPECIAL, 0},
		{0x02e8000080000f43, COP_USER_RW | COP_DEVMAP, 0},
		{0x04e8000080000f43, COP_USER_RW | COP_SOFT_DIRTY, 0},
		{0x00e8000080000f42, COP_USER_RW | COP_PROTNONE, 0},
		{0x00e8000080000f40, COP_USER_RW | COP_PROTNONE, 1},
	};
	const struct cop_geom g = with(COP_F_CONT);

	(void)state;
	for (size_t i = 0; i < SUITE_COUNT(known); i++) {
		assert_int_equal(fmt_check_attrs(&g, known[i].attrs, known[i].level), 0);
		SUITE_EQUAL(&g, known[i].level, known[i].attrs,
			    fmt_leaf(&g, 0x80000000, known[i].level, known[i].attrs), known[i].entry);
	}
	assert_int_equal(fmt_table(&g, 0x80000000, 1), 0x80000003);
	assert_int_equal(fmt_swap(3, 5, 0), 0x50c0);
	assert_int_equal(fmt_swap_mkexclusive(fmt_swap(3, 5, 0), 0), 0x50c4);
}

/* Output address bits 51 and up to 48, where Arm puts them. */
static void wide_addresses(void **state)
{
	(void)state;
#if ARM64_PAGE_LG2 == 16
	assert_int_equal(fmt_leaf(WIDE, 0xf000080000000, 0, COP_KERNEL_RW), 0x00e800008000f703);
	assert_int_equal(fmt_table(WIDE, 0x9000080000000, 1), 0x80009003);
#else
	assert_int_equal(fmt_leaf(WIDE, 0xf000080000000, 0, COP_KERNEL_RW), 0x00eb000080000703);
	assert_int_equal(fmt_leaf(WIDE, 0x9000080000000, 0, COP_KERNEL_RW), 0x00e9000080000603);
	assert_int_equal(fmt_table(WIDE, 0x9000080000000, 1), 0x1000080000203);
#endif
}

static void refused_attributes(void **state)
{
	const struct cop_geom g = with(COP_F_CONT);

	(void)state;
	assert_int_equal(fmt_check_attrs(&g, COP_KERNEL_RW | COP_MT_WT, 0), -COP_EINVAL);
	assert_int_equal(fmt_check_attrs(&g, COP_KERNEL_RW | COP_MT_MASK, 0), -COP_EINVAL);
	assert_int_equal(fmt_check_attrs(&g, COP_WRITE | COP_USER, 0), -COP_EINVAL);
	assert_int_equal(fmt_check_attrs(&g, COP_EXEC, 0), -COP_EINVAL);
	assert_int_equal(fmt_check_attrs(&g, COP_KERNEL_RX | COP_KEXEC, 0), -COP_EINVAL);
	assert_int_equal(fmt_check_attrs(&g, COP_KERNEL_RW, FIRST_LEAF_ONLY_WIDE), -COP_EINVAL);
	assert_int_equal(fmt_check_attrs(&g, COP_KERNEL_RW | 1U << 13, 0), -COP_EINVAL);
	assert_int_equal(fmt_check_attrs(&g, COP_KERNEL_RW | 1U << 31, 0), -COP_EINVAL);
}

static void reserved_encodings(void **state)
{
	const struct cop_geom g = with(COP_F_CONT);
	const uint64_t rw = fmt_leaf(&g, 0, 1, COP_KERNEL_RW);

	(void)state;
	assert_int_equal(fmt_kind(&g, fmt_leaf(&g, 0, 0, COP_KERNEL_RW) & ~2ULL, 0), COP_BAD);
	assert_int_equal(fmt_kind(&g, rw, FIRST_LEAF_ONLY_WIDE), COP_BAD);
	assert_int_equal(fmt_kind(WIDE, rw, FIRST_LEAF_ONLY_WIDE), COP_LEAF);
	assert_int_equal(fmt_kind(&g, rw | 1ULL << 20, 1), COP_BAD);
	assert_int_equal(fmt_kind(&g, rw | 1ULL << 48, 1), COP_BAD);
	assert_int_equal(fmt_kind(&g, rw | ARM64_NT, 1), COP_BAD);
	assert_int_equal(fmt_kind(WIDE, rw | ARM64_NT, 1), COP_LEAF);
	assert_int_equal(fmt_kind(&g, 1ULL << 62, 0), COP_BAD);
	assert_int_equal(fmt_kind(&g, ARM64_MARKER, 0), COP_BAD);
	assert_int_equal(fmt_kind(&g, fmt_marker(&g, 0, 1) | 1ULL << 60, 1), COP_BAD);
	assert_int_equal(fmt_change(&g, 0, rw | 1ULL << 20, 1), COP_CHANGE_FORBIDDEN);
	assert_int_equal(fmt_change(&g, rw, rw | 1ULL << 20, 1), COP_CHANGE_FORBIDDEN);
}

#define DIRECT COP_CHANGE_DIRECT
#define BREAK  COP_CHANGE_BREAK

/* A change of one leaf of level 1 into another, judged both ways. */
struct change_case {
	const char *what;
	uint32_t old_attrs, new_attrs;
	cop_pa old_pa, new_pa; /* in units of the leaf's size */
	enum cop_change forth, back;
};

static const struct change_case changes[] = {
	{"nothing", COP_USER_RW, COP_USER_RW, 1, 1, DIRECT, DIRECT},
	{"write", COP_USER_RW, COP_USER | COP_READ | COP_YOUNG | COP_DIRTY, 1, 1, DIRECT, DIRECT},
	{"dirty", COP_USER_RW, COP_USER_RW & ~COP_DIRTY, 1, 1, DIRECT, DIRECT},
	{"young", COP_USER_RW, COP_USER_RW & ~COP_YOUNG, 1, 1, DIRECT, DIRECT},
	{"exec", COP_USER_RW, COP_USER_RW | COP_EXEC, 1, 1, DIRECT, DIRECT},
	{"kernel exec", COP_KERNEL_RO, COP_KERNEL_RX, 1, 1, DIRECT, DIRECT},
	{"special", COP_USER_RW, COP_USER_RW | COP_SPECIAL, 1, 1, DIRECT, DIRECT},
	{"soft-dirty", COP_USER_RW, COP_USER_RW | COP_SOFT_DIRTY, 1, 1, DIRECT, DIRECT},
	{"protnone", COP_USER_RW, COP_USER_RW | COP_PROTNONE, 1, 1, DIRECT, DIRECT},
	{"protnone elsewhere", COP_USER_RW, COP_USER_RW | COP_PROTNONE, 1, 2, DIRECT, DIRECT},
	{"non-global", COP_KERNEL_RW, COP_KERNEL_RW & ~COP_GLOBAL, 1, 1, DIRECT, BREAK},
	{"tagged", COP_KERNEL_RW, COP_KERNEL_RW | COP_MT_TAGGED, 1, 1, DIRECT, DIRECT},
	{"non-cacheable", COP_KERNEL_RW, COP_KERNEL_RW | COP_MT_NC, 1, 1, BREAK, BREAK},
	{"device", COP_KERNEL_RO, COP_KERNEL_RO | COP_MT_DEVICE, 1, 1, BREAK, BREAK},
	{"device kinds", COP_KERNEL_RO | COP_MT_DEVICE_RE, COP_KERNEL_RO | COP_MT_DEVICE, 1, 1, BREAK, BREAK},
	{"tagged to non-cacheable", COP_KERNEL_RW | COP_MT_TAGGED, COP_KERNEL_RW | COP_MT_NC, 1, 1, BREAK, BREAK},
	{"address, writable", COP_USER_RW, COP_USER_RW, 1, 2, BREAK, BREAK},
	{"address, far bits", COP_USER_RW, COP_USER_RW, 1, 1025, BREAK, BREAK},
	{"address, one side writable", COP_KERNEL_RO, COP_KERNEL_RW, 1, 2, BREAK, BREAK},
	{"address, both read-only", COP_KERNEL_RO, COP_KERNEL_RO, 1, 2, DIRECT, DIRECT},
};

static uint64_t change_leaf(const struct cop_geom *g, cop_pa pa, uint32_t attrs, unsigned l)
{
	return fmt_leaf(g, pa << fmt_shift(l), l, attrs);
}

static void change_leaves(void **state)
{
	const struct cop_geom g = with(COP_F_CONT);

	(void)state;
	for (unsigned l = 0; l < 2; l++)
		for (size_t i = 0; i < SUITE_COUNT(changes); i++) {
			const struct change_case *c = &changes[i];
			const uint64_t old = change_leaf(&g, c->old_pa, c->old_attrs, l);
			const uint64_t new_ = change_leaf(&g, c->new_pa, c->new_attrs, l);

			if (fmt_change(&g, old, new_, l) != c->forth || fmt_change(&g, new_, old, l) != c->back)
				fail_msg("level %u: %s", l, c->what);
		}
}

/* Bit 16 is address in a page and nT in a block: every single address bit of a page counts. */
static void change_every_address_bit(void **state)
{
	(void)state;
	SUITE_EACH_GEOM(g)
	SUITE_EACH_LEAF_LEVEL(g, l)
	for (unsigned bit = fmt_shift(l); bit < g->pa_bits; bit++) {
		const uint64_t old = fmt_leaf(g, 0, l, COP_KERNEL_RW),
			       new_ = fmt_leaf(g, 1ULL << bit, l, COP_KERNEL_RW);

		SUITE_EQUAL(g, l, bit, fmt_change(g, old, new_, l), BREAK);
		SUITE_EQUAL(g, l, bit, fmt_covers(g, old, new_, l), COP_COVERS_LEAF);
	}
}

static void change_fields_without_attributes(void **state)
{
	const struct cop_geom g = with(0);
	const uint64_t rw = fmt_leaf(&g, 0, 0, COP_KERNEL_RW), inner = ARM64_SH_INNER;

	(void)state;
	assert_int_equal(fmt_change(&g, rw, rw & ~inner, 0), BREAK);
	assert_int_equal(fmt_change(&g, rw & ~inner, rw, 0), BREAK);
	assert_int_equal(fmt_change(&g, rw, rw | ARM64_NS, 0), BREAK);
	assert_int_equal(fmt_change(&g, rw, rw | 1ULL << 59, 0), BREAK);
	assert_int_equal(fmt_change(&g, rw, rw | ARM64_GP, 0), DIRECT);
	/* Under LPA2 those two bits are address. */
	if (ARM64_PAGE_LG2 != 16)
		assert_int_equal(fmt_leaf_pa(WIDE, rw, 0), 0xc000000000000);
}

/* Writable-clean is writable only where hardware may make it dirty. */
static void change_address_writable_clean(void **state)
{
	const struct cop_geom soft = with(0), hard = with(COP_F_HAF | COP_F_HD);
	const uint32_t clean = COP_USER_RW & ~(uint32_t)COP_DIRTY;

	(void)state;
	assert_int_equal(fmt_change(&soft, change_leaf(&soft, 1, clean, 0), change_leaf(&soft, 2, clean, 0), 0),
			 DIRECT);
	assert_int_equal(fmt_change(&hard, change_leaf(&hard, 1, clean, 0), change_leaf(&hard, 2, clean, 0), 0), BREAK);
}

/* An entry with AF = 0 is not cached, unless hardware may set AF behind our back. */
static void change_old_leaf(void **state)
{
	const struct cop_geom soft = with(0), hard = with(COP_F_HAF);
	const uint64_t old = change_leaf(&soft, 1, COP_USER_RW & ~(uint32_t)COP_YOUNG, 0);
	const uint64_t new_ = change_leaf(&soft, 2, COP_USER_RW, 0);

	(void)state;
	assert_int_equal(fmt_change(&soft, old, new_, 0), DIRECT);
	assert_int_equal(fmt_covers(&soft, old, new_, 0), COP_COVERS_NONE);
	assert_int_equal(fmt_change(&hard, old, new_, 0), BREAK);
	assert_int_equal(fmt_covers(&hard, old, new_, 0), COP_COVERS_LEAF);
}

static void change_sizes(void **state)
{
	static const struct {
		uint32_t features;
		enum cop_change plain, with_nt, run;
	} levels[] = {
		{0, BREAK, BREAK, BREAK},
		{COP_F_BBM1, BREAK, DIRECT, BREAK},
		{COP_F_BBM2, BREAK, DIRECT, BREAK},
		{COP_F_BBM2 | COP_F_BBM2_NOABORT, DIRECT, DIRECT, DIRECT},
	};

	(void)state;
	for (size_t i = 0; i < SUITE_COUNT(levels); i++) {
		const struct cop_geom g = with(COP_F_CONT | levels[i].features);
		const uint64_t block = fmt_leaf(&g, 0, 1, COP_KERNEL_RW), table = fmt_table(&g, 1ULL << 30, 1);

		SUITE_EQUAL(&g, 1, 0, fmt_change(&g, block, table, 1), levels[i].plain);
		SUITE_EQUAL(&g, 1, 0, fmt_change(&g, table, block, 1), levels[i].plain);
		SUITE_EQUAL(&g, 1, 0, fmt_change(&g, block, fmt_mkcont(block, 1), 1), levels[i].run);
		SUITE_EQUAL(&g, 1, 0, fmt_change(&g, fmt_mkcont(block, 1), block, 1), levels[i].run);
		if (levels[i].features == 0)
			continue;
		SUITE_EQUAL(&g, 1, 0, fmt_change(&g, block | ARM64_NT, table, 1), levels[i].with_nt);
		SUITE_EQUAL(&g, 1, 0, fmt_change(&g, table, block | ARM64_NT, 1), levels[i].with_nt);
		SUITE_EQUAL(&g, 1, 0, fmt_change(&g, block, block | ARM64_NT, 1), DIRECT);
		SUITE_EQUAL(&g, 1, 0, fmt_change(&g, block | ARM64_NT, block, 1), DIRECT);
	}
}

static void change_in_run(void **state)
{
	const struct cop_geom g = with(COP_F_CONT | COP_F_BBM2 | COP_F_BBM2_NOABORT);
	const uint32_t ro = COP_KERNEL_RO | COP_CONT;

	(void)state;
	assert_int_equal(fmt_change(&g, change_leaf(&g, 1, ro, 0), change_leaf(&g, 2, ro, 0), 0), BREAK);
	assert_int_equal(fmt_change(&g, change_leaf(&g, 1, COP_KERNEL_RW | COP_CONT, 0), change_leaf(&g, 1, ro, 0), 0),
			 DIRECT);
}

static void change_tables(void **state)
{
	const struct cop_geom g = with(0);
	const uint64_t a = fmt_table(&g, 1ULL << 30, 1), b = fmt_table(&g, 1ULL << 31, 1);

	(void)state;
	assert_int_equal(fmt_change(&g, a, b, 1), BREAK);
	assert_int_equal(fmt_change(&g, a, a | 1ULL << 59, 1), DIRECT);
	assert_int_equal(fmt_covers(&g, a, a | 1ULL << 59, 1), COP_COVERS_TABLES);
	assert_int_equal(fmt_change(&g, a, fmt_marker(&g, 1ULL << 30, 1), 1), DIRECT);
	assert_int_equal(fmt_covers(&g, a, fmt_marker(&g, 1ULL << 30, 1), 1), COP_COVERS_TABLES);
	assert_int_equal(fmt_change(&g, fmt_marker(&g, 1ULL << 30, 1), b, 1), DIRECT);
	assert_int_equal(fmt_covers(&g, fmt_marker(&g, 1ULL << 30, 1), b, 1), COP_COVERS_NONE);
}

/* Relaxing a user's leaf may stay stale, the fault being retried; nobody retries the kernel's. */
static void covers_permissions(void **state)
{
	const struct cop_geom g = with(0);
	const uint64_t user_ro = fmt_leaf(&g, 0, 0, COP_USER | COP_READ | COP_YOUNG),
		       user_rw = fmt_leaf(&g, 0, 0, COP_USER_RW);
	const uint64_t kernel_ro = fmt_leaf(&g, 0, 0, COP_KERNEL_RO), kernel_rw = fmt_leaf(&g, 0, 0, COP_KERNEL_RW);

	(void)state;
	assert_int_equal(fmt_covers(&g, user_ro, user_rw, 0), COP_COVERS_NONE);
	assert_int_equal(fmt_covers(&g, user_rw, user_ro, 0), COP_COVERS_LEAF);
	assert_int_equal(fmt_covers(&g, kernel_ro, kernel_rw, 0), COP_COVERS_LEAF);
	assert_int_equal(fmt_covers(&g, kernel_rw, kernel_ro, 0), COP_COVERS_LEAF);
	assert_int_equal(fmt_covers(&g, user_rw, fmt_mkclean(user_rw, 0), 0), COP_COVERS_LEAF);
	assert_int_equal(fmt_covers(&g, user_rw, fmt_mkold(user_rw, 0), 0), COP_COVERS_NONE);
	assert_int_equal(fmt_covers(&g, kernel_rw, fmt_mksoft_dirty(kernel_rw, 0), 0), COP_COVERS_NONE);
	assert_int_equal(fmt_covers(&g, user_rw, user_rw & ~ARM64_UXN, 0), COP_COVERS_NONE);
	assert_int_equal(fmt_covers(&g, user_rw & ~ARM64_UXN, user_rw, 0), COP_COVERS_LEAF);
	assert_int_equal(fmt_covers(&g, user_rw, kernel_rw, 0), COP_COVERS_LEAF);
}

static void racy(void **state)
{
	const struct cop_geom none = with(0), haf = with(COP_F_HAF), hd = with(COP_F_HAF | COP_F_HD);
	const uint64_t rw = fmt_leaf(&none, 0, 0, COP_USER_RW), clean = fmt_mkclean(rw, 0), old = fmt_mkold(rw, 0);
	const uint64_t ro = fmt_wrprotect(clean, 0);

	(void)state;
	assert_false(fmt_racy(&none, old, 0) || fmt_racy(&none, clean, 0));
	assert_true(fmt_racy(&haf, old, 0));
	assert_false(fmt_racy(&haf, clean, 0));
	assert_true(fmt_racy(&hd, clean, 0));
	assert_false(fmt_racy(&hd, rw, 0) || fmt_racy(&hd, ro, 0));
	assert_false(fmt_racy(&hd, fmt_mkprotnone(old, 0), 0));
}

/* Hardware marks a write by clearing AP[2] alone; software must not lose that with the write permission. */
static void hardware_dirty(void **state)
{
	const struct cop_geom g = with(COP_F_HAF | COP_F_HD);
	const uint64_t clean = fmt_leaf(&g, 0, 0, COP_USER_RW & ~(uint32_t)COP_DIRTY);
	const uint64_t written = clean & ~ARM64_AP_RDONLY;

	(void)state;
	assert_true(!fmt_dirty(clean, 0) && fmt_write(clean, 0));
	assert_true(fmt_dirty(written, 0) && fmt_write(written, 0));
	assert_true(fmt_dirty(fmt_wrprotect(written, 0), 0));
	assert_false(fmt_write(fmt_wrprotect(written, 0), 0));
	assert_false(fmt_dirty(fmt_mkclean(written, 0), 0));
	/* Without DBM an entry is writable and dirty as long as AP[2] is clear. */
	assert_true(fmt_write(written & ~ARM64_DBM, 0) && fmt_dirty(written & ~ARM64_DBM, 0));
	assert_true(fmt_write(fmt_mkclean(written & ~ARM64_DBM, 0), 0));
}

/* Bit 62 is PBHA while the entry is valid and ours while it is not: the one must not be read as the other. */
static void invalid_keeps_scope(void **state)
{
	const struct cop_geom g = with(0);
	const uint64_t user = fmt_leaf(&g, 0, 0, COP_USER_RW), kernel = fmt_leaf(&g, 0, 0, COP_KERNEL_RW);

	(void)state;
	assert_int_equal(fmt_attrs(&g, fmt_mkinvalid(user | 1ULL << 62, 0), 0), COP_USER_RW | COP_PROTNONE);
	assert_int_equal(fmt_attrs(&g, fmt_mkinvalid(kernel, 0), 0), COP_KERNEL_RW | COP_PROTNONE);
}

static void level_names(void **state)
{
	static const char *const names[] = {"PTE", "PMD", "PUD", "P4D"};

	(void)state;
	SUITE_EACH_GEOM(g)
	SUITE_EACH_LEVEL(g, l)
	assert_string_equal(fmt_level_name(g, l), l + 1 == g->levels ? "PGD" : names[l]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SUITE_TESTS,
		cmocka_unit_test(leaf_sizes),
		cmocka_unit_test(runs_fit),
		cmocka_unit_test(geometry_rules),
		cmocka_unit_test(known_encodings),
		cmocka_unit_test(wide_addresses),
		cmocka_unit_test(refused_attributes),
		cmocka_unit_test(reserved_encodings),
		cmocka_unit_test(change_leaves),
		cmocka_unit_test(change_every_address_bit),
		cmocka_unit_test(change_fields_without_attributes),
		cmocka_unit_test(change_address_writable_clean),
		cmocka_unit_test(change_old_leaf),
		cmocka_unit_test(change_sizes),
		cmocka_unit_test(change_in_run),
		cmocka_unit_test(change_tables),
		cmocka_unit_test(covers_permissions),
		cmocka_unit_test(racy),
		cmocka_unit_test(hardware_dirty),
		cmocka_unit_test(invalid_keeps_scope),
		cmocka_unit_test(level_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#endif
