/* SPDX-License-Identifier: MIT */
/* The format suite and riscv64's own cases. */
#include "formats/riscv64.h"

#define GEOM(va, levels_, features_)                                                                                   \
	{                                                                                                              \
		.arch = COP_RISCV64, .half = COP_HALF_BOTH, .page_lg2 = 12, .levels = levels_, .va_bits = va,          \
		.pa_bits = 56, .features = features_                                                                   \
	}
#define ALL_FEATURES (COP_F_SVNAPOT | COP_F_SVPBMT | COP_F_ADUE | COP_F_SVVPTC)

static const struct cop_geom geoms[] = {
	GEOM(39, 3, 0),
	GEOM(39, 3, COP_F_SVNAPOT | COP_F_ADUE),
	GEOM(48, 4, COP_F_SVPBMT),
	GEOM(48, 4, COP_F_SVNAPOT | COP_F_SVVPTC),
	GEOM(57, 5, 0),
	GEOM(57, 5, ALL_FEATURES),
};

#define SUITE_GEOMS         geoms
#define SUITE_RUN_SHARES_PA 1
#include "tests/formats/format_suite.h"

static struct cop_geom with(uint32_t features)
{
	const struct cop_geom g = GEOM(57, 5, features);

	assert_int_equal(fmt_check_geom(&g), 0);
	return g;
}

#define WITHOUT(attrs, gone) ((attrs) & ~(uint32_t)(gone))

static void leaf_sizes(void **state)
{
	static const unsigned lg2[] = {12, 21, 30, 39, 48};

	(void)state;
	SUITE_EACH_GEOM(g)
	{
		for (unsigned l = 0; l < 5; l++) {
			assert_int_equal(fmt_shift(l), lg2[l]);
			assert_int_equal(fmt_can_leaf(g, l), l < g->levels);
			assert_int_equal(fmt_cont_lg2(g, l), l == 0 && (g->features & COP_F_SVNAPOT) ? 4 : 0);
		}
	}
}

static void geometry_rules(void **state)
{
	static const struct {
		unsigned va, levels;
	} modes[] = {{0, 3}, {39, 3}, {48, 4}, {57, 5}};
	struct cop_geom g;

	(void)state;
	for (size_t i = 0; i < SUITE_COUNT(modes); i++) {
		assert_int_equal(cop_geom_init(&g, COP_RISCV64, 0, modes[i].va), 0);
		assert_int_equal(g.levels, modes[i].levels);
		assert_int_equal(g.va_bits, modes[i].va ? modes[i].va : 39);
		assert_int_equal(g.pa_bits, 56);
		assert_int_equal(g.half, COP_HALF_BOTH);
		assert_int_equal(g.features, 0);
	}
	for (unsigned va = 1; va <= 64; va++)
		assert_int_equal(cop_geom_init(&g, COP_RISCV64, 12, va),
				 va == 39 || va == 48 || va == 57 ? 0 : -COP_EINVAL);
	assert_null(cop_format_for(COP_RISCV64, 14));
	g = with(0);
	g.half = COP_HALF_LOW;
	assert_int_equal(fmt_check_geom(&g), -COP_EINVAL);
	g = with(0);
	g.pa_bits = 57;
	assert_int_equal(fmt_check_geom(&g), -COP_EINVAL);
	g = with(0);
	g.features = COP_F_NX;
	assert_int_equal(fmt_check_geom(&g), -COP_EINVAL);
}

/* Values as the manual and Linux define them, written out: the round trips would not notice two bits swapped. */
static void known_encodings(void **state)
{
	static const struct {
		uint64_t entry;
		uint32_t attrs;
		unsigned level;
	} known[] = {
		{0x00000000200000e7, COP_KERNEL_RW, 0},
		{0x00000000200000e7, COP_KERNEL_RW, 1},
		{0x00000000200000e7, COP_KERNEL_RW, 2},
		{0x0000000020000063, COP_KERNEL_RO, 0},
		{0x000000002000006b, COP_KERNEL_RX, 0},
		{0x00000000200000d7, COP_USER_RW, 0},
		{0x000000002000005b, COP_READ | COP_EXEC | COP_USER | COP_YOUNG, 0},
		{0x0000000020000059, COP_EXEC | COP_USER | COP_YOUNG, 0},
		{0x0000000020000013, COP_READ | COP_USER, 0},
		{0x00000000200001d7, COP_USER_RW | COP_SPECIAL, 0},
		{0x00000000200002d7, COP_USER_RW | COP_SOFT_DIRTY, 0},
		{0x20000000200000e7, COP_KERNEL_RW | COP_MT_NC, 0},
		{0x40000000200000e7, COP_KERNEL_RW | COP_MT_DEVICE, 1},
		{0x80000000200020e7, COP_KERNEL_RW | COP_CONT, 0},
		{0xa0000000200020e7, COP_KERNEL_RW | COP_MT_NC | COP_CONT, 0},
		{0x00000000200000f6, COP_USER_RW | COP_PROTNONE, 0},
		{0x00400000200000e6, COP_KERNEL_RW | COP_PROTNONE, 1},
		{0x0000000020000022, COP_READ | COP_PROTNONE, 0},
		{0x0000000020000020, COP_PROTNONE, 0},
	};
	const struct cop_geom g = with(ALL_FEATURES);

	(void)state;
	for (size_t i = 0; i < SUITE_COUNT(known); i++) {
		const unsigned l = known[i].level;

		SUITE_EQUAL(&g, l, known[i].attrs, fmt_check_attrs(&g, known[i].attrs, l), 0);
		SUITE_EQUAL(&g, l, known[i].attrs, fmt_leaf(&g, 0x80000000, l, known[i].attrs), known[i].entry);
		SUITE_EQUAL(&g, l, known[i].attrs, fmt_attrs(&g, known[i].entry, l), known[i].attrs);
	}
	assert_int_equal(fmt_leaf(&g, 0xfffffffffff000, 0, COP_KERNEL_RW), 0x003ffffffffffce7);
	assert_int_equal(fmt_table(&g, 0x80000000, 1), 0x20000001);
	assert_int_equal(fmt_marker(&g, 0x80000000, 1), 0x20000004);
	assert_int_equal(fmt_swap(3, 5, 0), 0x5180);
	assert_int_equal(fmt_swap_mkexclusive(fmt_swap(3, 5, 0), 0), 0x51c0);
	assert_int_equal(fmt_swap_mksoft_dirty(fmt_swap(3, 5, 0), 0), 0x5188);
	assert_int_equal(fmt_swap(31, 1ULL << 51, 0), 0x8000000000000f80);
}

/* All sixteen entries of a run are one encoding, and its address is the run's. */
static void napot_runs(void **state)
{
	const struct cop_geom g = with(COP_F_SVNAPOT);
	const uint64_t run = fmt_leaf(&g, 0x80000000, 0, COP_USER_RW | COP_CONT);
	const uint64_t plain = fmt_leaf(&g, 0x80000000, 0, COP_USER_RW);

	(void)state;
	for (cop_pa at = 0; at < 0x10000; at += 0x1000)
		assert_int_equal(fmt_leaf(&g, 0x80000000 + at, 0, COP_USER_RW | COP_CONT), run);
	assert_true(fmt_leaf(&g, 0x80010000, 0, COP_USER_RW | COP_CONT) != run);
	assert_int_equal(fmt_leaf_pa(&g, run, 0), 0x80000000);
	assert_int_equal(fmt_leaf_step(&g, 0, COP_USER_RW | COP_CONT), 0);
	assert_int_equal(fmt_leaf_step(&g, 0, COP_USER_RW), 0x400);
	assert_int_equal(fmt_leaf_step(&g, 1, COP_USER_RW), 0x80000);
	assert_int_equal(fmt_mkcont(plain, 0), run);
	assert_int_equal(fmt_mkcont(fmt_leaf(&g, 0x80007000, 0, COP_USER_RW), 0), run);
	assert_int_equal(fmt_mknoncont(run, 0), plain);
	assert_int_equal(fmt_mknoncont(plain | 0x1400, 0), plain | 0x1400);
	/* An upper leaf has no runs: bits 13:10 of it stay what they are. */
	assert_int_equal(fmt_mkcont(fmt_leaf(&g, 0, 1, COP_USER_RW), 1), fmt_leaf(&g, 0, 1, COP_USER_RW));
	/* A run that software took from hardware is a run still. */
	assert_int_equal(fmt_kind(&g, fmt_mkinvalid(run, 0), 0), COP_LEAF);
	assert_int_equal(fmt_leaf_pa(&g, fmt_mkinvalid(run, 0), 0), 0x80000000);
}

static void refused_attributes(void **state)
{
	const struct cop_geom g = with(ALL_FEATURES), poor = with(0);
	static const uint32_t never[] = {
		COP_KERNEL_RW | COP_MT_WT,   COP_KERNEL_RW | COP_MT_TAGGED, COP_KERNEL_RW | COP_MT_DEVICE_RE,
		COP_KERNEL_RW | COP_MT_MASK, COP_KERNEL_RW | COP_DEVMAP,    COP_USER_RW | COP_EXEC | COP_KEXEC,
		COP_WRITE | COP_USER,        COP_WRITE | COP_EXEC,          COP_WRITE | COP_PROTNONE,
		COP_USER | COP_YOUNG,        COP_KERNEL_RW | 1U << 13,      COP_KERNEL_RW | 1U << 31,
	};

	(void)state;
	for (size_t i = 0; i < SUITE_COUNT(never); i++) {
		SUITE_EQUAL(&g, 0, never[i], fmt_check_attrs(&g, never[i], 0), -COP_EINVAL);
		SUITE_EQUAL(&poor, 0, never[i], fmt_check_attrs(&poor, never[i], 0), -COP_EINVAL);
	}
	assert_int_equal(fmt_check_attrs(&poor, COP_KERNEL_RW | COP_MT_NC, 0), -COP_EOPNOTSUPP);
	assert_int_equal(fmt_check_attrs(&poor, COP_KERNEL_RW | COP_MT_DEVICE, 0), -COP_EOPNOTSUPP);
	assert_int_equal(fmt_check_attrs(&poor, COP_KERNEL_RW | COP_CONT, 0), -COP_EOPNOTSUPP);
	assert_int_equal(fmt_check_attrs(&g, COP_KERNEL_RW | COP_CONT, 1), -COP_EINVAL);
	assert_int_equal(fmt_check_attrs(&g, COP_KERNEL_RW, 5), -COP_EINVAL);
}

static void reserved_encodings(void **state)
{
	const struct cop_geom g = with(ALL_FEATURES), poor = with(0);
	const uint64_t rw = fmt_leaf(&g, 0, 0, COP_KERNEL_RW), run = fmt_mkcont(rw, 0);
	const uint64_t table = fmt_table(&g, 1ULL << 30, 1);

	(void)state;
	assert_int_equal(fmt_kind(&g, rw & ~RISCV_R, 0), COP_BAD);
	assert_int_equal(fmt_kind(&g, (rw | RISCV_X) & ~RISCV_R, 0), COP_BAD);
	assert_int_equal(fmt_kind(&g, (rw | RISCV_X) & ~(RISCV_R | RISCV_W), 0), COP_LEAF);
	assert_int_equal(fmt_kind(&g, table, 1), COP_TABLE);
	assert_int_equal(fmt_kind(&g, table, 0), COP_BAD);
	assert_int_equal(fmt_kind(&g, table | RISCV_G | RISCV_RSW, 1), COP_TABLE);
	assert_int_equal(fmt_kind(&g, table | RISCV_U, 1), COP_BAD);
	assert_int_equal(fmt_kind(&g, table | RISCV_A, 1), COP_BAD);
	assert_int_equal(fmt_kind(&g, table | RISCV_D, 1), COP_BAD);
	for (unsigned bit = 54; bit < 64; bit++)
		assert_int_equal(fmt_kind(&g, table | 1ULL << bit, 1), COP_BAD);
	for (unsigned bit = 54; bit < 61; bit++) {
		assert_int_equal(fmt_kind(&g, rw | 1ULL << bit, 0), COP_BAD);
		assert_int_equal(fmt_kind(&g, fmt_mkinvalid(rw, 0) | 1ULL << bit, 0), bit == 54 ? COP_LEAF : COP_BAD);
	}
	for (unsigned l = 1; l < 5; l++)
		for (unsigned bit = 10; bit < 54; bit++)
			assert_int_equal(fmt_kind(&g, rw | 1ULL << bit, l), bit < 10 + 9 * l ? COP_BAD : COP_LEAF);
	assert_int_equal(fmt_kind(&g, rw | RISCV_PBMT, 0), COP_BAD);
	assert_int_equal(fmt_kind(&g, rw | RISCV_PBMT_NC, 0), COP_LEAF);
	assert_int_equal(fmt_kind(&poor, rw | RISCV_PBMT_NC, 0), COP_BAD);
	assert_int_equal(fmt_kind(&g, run, 0), COP_LEAF);
	assert_int_equal(fmt_kind(&poor, run, 0), COP_BAD);
	assert_int_equal(fmt_kind(&g, rw | RISCV_N, 1), COP_BAD);
	for (uint64_t ppn = 0; ppn < 16; ppn++)
		assert_int_equal(fmt_kind(&g, rw | RISCV_N | ppn << 10, 0), ppn == 8 ? COP_LEAF : COP_BAD);
	assert_int_equal(fmt_kind(&geoms[0], rw, 3), COP_BAD);
	assert_int_equal(fmt_kind(&g, RISCV_MARKER, 0), COP_BAD);
	assert_int_equal(fmt_kind(&g, fmt_marker(&g, 0, 1) | 1ULL << 54, 1), COP_BAD);
	assert_int_equal(fmt_kind(&g, fmt_swap(1, 1, 0) | RISCV_R, 0), COP_BAD);
	assert_int_equal(fmt_kind(&g, fmt_swap(1, 1, 0) | RISCV_U, 0), COP_BAD);
	assert_int_equal(fmt_change(&g, 0, rw & ~RISCV_R, 0), COP_CHANGE_FORBIDDEN);
	assert_int_equal(fmt_change(&g, rw, rw | 1ULL << 60, 0), COP_CHANGE_FORBIDDEN);
}

#define DIRECT COP_CHANGE_DIRECT
#define BREAK  COP_CHANGE_BREAK
#define NONE   COP_COVERS_NONE
#define LEAF   COP_COVERS_LEAF
#define TABLES COP_COVERS_TABLES

/* Only a memory type wants a moment in which nobody uses either: all else may be seen early or late. */
static void changes(void **state)
{
	const struct cop_geom g = with(ALL_FEATURES);
	const uint64_t rw = fmt_leaf(&g, 0, 1, COP_KERNEL_RW), table = fmt_table(&g, 1ULL << 30, 1);
	const uint64_t nc = fmt_leaf(&g, 0, 1, COP_KERNEL_RW | COP_MT_NC);
	const uint64_t device = fmt_leaf(&g, 0, 1, COP_KERNEL_RW | COP_MT_DEVICE);
	const uint64_t page = fmt_leaf(&g, 0, 0, COP_KERNEL_RW);

	(void)state;
	assert_int_equal(fmt_change(&g, rw, nc, 1), BREAK);
	assert_int_equal(fmt_change(&g, nc, rw, 1), BREAK);
	assert_int_equal(fmt_change(&g, nc, device, 1), BREAK);
	assert_int_equal(fmt_change(&g, nc, fmt_mkinvalid(device, 1), 1), DIRECT);
	assert_int_equal(fmt_change(&g, fmt_mkinvalid(nc, 1), device, 1), DIRECT);
	assert_int_equal(fmt_change(&g, rw, fmt_wrprotect(rw, 1), 1), DIRECT);
	assert_int_equal(fmt_change(&g, rw, fmt_leaf(&g, 1ULL << 21, 1, COP_KERNEL_RW), 1), DIRECT);
	assert_int_equal(fmt_change(&g, rw, rw & ~RISCV_G, 1), DIRECT);
	assert_int_equal(fmt_change(&g, rw, table, 1), DIRECT);
	assert_int_equal(fmt_change(&g, table, rw, 1), DIRECT);
	assert_int_equal(fmt_change(&g, table, fmt_marker(&g, 1ULL << 30, 1), 1), DIRECT);
	assert_int_equal(fmt_change(&g, page, fmt_mkcont(page, 0), 0), DIRECT);
	assert_int_equal(fmt_change(&g, fmt_mkcont(page, 0), page, 0), DIRECT);
}

/* An entry may be cached as invalid: what is made valid is fenced, but for what Svvptc and a retry take care of. */
static void covers_new(void **state)
{
	const struct cop_geom plain = with(0), bounded = with(COP_F_SVVPTC);
	const uint64_t user = fmt_leaf(&plain, 0, 0, COP_USER_RW), kernel = fmt_leaf(&plain, 0, 0, COP_KERNEL_RW);
	const uint64_t table = fmt_table(&plain, 1ULL << 30, 1), marker = fmt_marker(&plain, 1ULL << 31, 1);

	(void)state;
	assert_int_equal(fmt_covers(&plain, 0, user, 0), LEAF);
	assert_int_equal(fmt_covers(&plain, 0, kernel, 0), LEAF);
	assert_int_equal(fmt_covers(&plain, fmt_mkprotnone(user, 0), user, 0), LEAF);
	assert_int_equal(fmt_covers(&plain, 0, table, 1), TABLES);
	assert_int_equal(fmt_covers(&plain, marker, table, 1), TABLES);
	assert_int_equal(fmt_covers(&bounded, 0, user, 0), NONE);
	assert_int_equal(fmt_covers(&bounded, 0, kernel, 0), LEAF);
	assert_int_equal(fmt_covers(&bounded, 0, table, 1), NONE);
	assert_int_equal(fmt_covers(&plain, 0, fmt_swap(1, 1, 0), 0), NONE);
	assert_int_equal(fmt_covers(&plain, fmt_swap(1, 1, 0), 0, 0), NONE);
	assert_int_equal(fmt_covers(&plain, 0, fmt_mkprotnone(user, 0), 0), NONE);
	/* Svvptc is about V only: to relax what is valid still takes a fence. */
	assert_int_equal(fmt_covers(&bounded, fmt_wrprotect(user, 0), user, 0), LEAF);
}

static void covers_accessed_dirty(void **state)
{
	const struct cop_geom soft = with(0), hard = with(COP_F_ADUE);
	const uint64_t rw = fmt_leaf(&soft, 0, 0, COP_USER_RW), old = fmt_mkold(rw, 0), clean = fmt_mkclean(rw, 0);

	(void)state;
	assert_int_equal(fmt_covers(&soft, old, rw, 0), LEAF);
	assert_int_equal(fmt_covers(&hard, old, rw, 0), NONE);
	assert_int_equal(fmt_covers(&soft, rw, old, 0), NONE);
	assert_int_equal(fmt_covers(&hard, rw, old, 0), NONE);
	assert_int_equal(fmt_covers(&soft, clean, rw, 0), LEAF);
	assert_int_equal(fmt_covers(&hard, clean, rw, 0), NONE);
	assert_int_equal(fmt_covers(&soft, rw, clean, 0), LEAF);
	assert_int_equal(fmt_covers(&hard, rw, clean, 0), LEAF);
	/* Without hardware's updates a leaf with A clear translates nothing, cached or not. */
	assert_int_equal(fmt_covers(&soft, old, 0, 0), NONE);
	assert_int_equal(fmt_covers(&soft, old, fmt_mkprotnone(old, 0), 0), NONE);
	assert_int_equal(fmt_covers(&hard, old, 0, 0), LEAF);
	assert_int_equal(fmt_covers(&soft, old, fmt_leaf(&soft, 0x1000, 0, COP_USER_RW), 0), LEAF);
	assert_int_equal(fmt_covers(&soft, old, old ^ 0x400, 0), LEAF);
	assert_int_equal(fmt_covers(&hard, old, fmt_wrprotect(rw, 0), 0), LEAF);
}

static void covers_valid(void **state)
{
	const struct cop_geom g = with(ALL_FEATURES);
	const uint64_t user = fmt_leaf(&g, 0, 1, COP_USER_RW), kernel = fmt_leaf(&g, 0, 1, COP_KERNEL_RW);
	const uint64_t table = fmt_table(&g, 1ULL << 30, 1);

	(void)state;
	assert_int_equal(fmt_covers(&g, user, fmt_mksoft_dirty(fmt_mkspecial(user, 1), 1), 1), NONE);
	assert_int_equal(fmt_covers(&g, kernel, kernel & ~RISCV_G, 1), LEAF);
	assert_int_equal(fmt_covers(&g, kernel, kernel | RISCV_X, 1), LEAF);
	assert_int_equal(fmt_covers(&g, kernel, table, 1), LEAF);
	assert_int_equal(fmt_covers(&g, table, kernel, 1), TABLES);
	assert_int_equal(fmt_covers(&g, table, fmt_marker(&g, 1ULL << 30, 1), 1), TABLES);
	assert_int_equal(fmt_covers(&g, table, table | RISCV_G, 1), TABLES);
	assert_int_equal(fmt_covers(&g, table, table | RISCV_RSW, 1), NONE);
	for (unsigned bit = 10 + 9; bit < 54; bit++)
		assert_int_equal(fmt_covers(&g, user, user ^ 1ULL << bit, 1), LEAF);
}

static void racy(void **state)
{
	const struct cop_geom soft = with(0), hard = with(COP_F_ADUE);
	const uint64_t rw = fmt_leaf(&soft, 0, 0, COP_USER_RW), clean = fmt_mkclean(rw, 0), old = fmt_mkold(rw, 0);

	(void)state;
	assert_false(fmt_racy(&soft, old, 0) || fmt_racy(&soft, clean, 0));
	assert_true(fmt_racy(&hard, old, 0) && fmt_racy(&hard, clean, 0));
	assert_false(fmt_racy(&hard, rw, 0) || fmt_racy(&hard, fmt_wrprotect(clean, 0), 0));
	assert_true(fmt_racy(&hard, fmt_mkold(fmt_wrprotect(clean, 0), 0), 0));
	assert_false(fmt_racy(&hard, fmt_mkprotnone(old, 0), 0));
	assert_false(fmt_racy(&hard, fmt_table(&hard, 0, 1), 1));
}

/* Execute-only becomes readable with write, since write alone is reserved. */
static void write_brings_read(void **state)
{
	const struct cop_geom g = with(0);
	const uint64_t x = fmt_leaf(&g, 0, 0, COP_EXEC | COP_USER | COP_YOUNG);

	(void)state;
	assert_int_equal(fmt_kind(&g, fmt_mkwrite(x, 0), 0), COP_LEAF);
	assert_int_equal(fmt_attrs(&g, fmt_mkwrite(x, 0), 0), COP_READ | COP_WRITE | COP_EXEC | COP_USER | COP_YOUNG);
}

/* G says present while V is 0; what it said before must come back. */
static void invalid_keeps_scope(void **state)
{
	const struct cop_geom g = with(0);
	const uint64_t user = fmt_leaf(&g, 0, 0, COP_USER_RW), kernel = fmt_leaf(&g, 0, 0, COP_KERNEL_RW);

	(void)state;
	assert_int_equal(fmt_attrs(&g, fmt_mkinvalid(user, 0), 0), COP_USER_RW | COP_PROTNONE);
	assert_int_equal(fmt_attrs(&g, fmt_mkinvalid(kernel, 0), 0), COP_KERNEL_RW | COP_PROTNONE);
}

static const char *field_at(const struct cop_geom *g, uint64_t e, unsigned l, unsigned bit)
{
	unsigned count;
	const struct cop_field *fields = fmt_fields(g, e, l, &count);

	while (count-- && fields->shift + fields->width <= bit)
		fields++;
	return fields->name;
}

static void field_names(void **state)
{
	const struct cop_geom g = with(ALL_FEATURES);
	const uint64_t rw = fmt_leaf(&g, 0, 0, COP_KERNEL_RW);
	static const char *const low[] = {
		"V", "R", "W", "X", "U", "G", "A", "D", "RSW[0] special", "RSW[1] soft-dirty"};

	(void)state;
	for (unsigned bit = 0; bit < 10; bit++)
		assert_string_equal(field_at(&g, rw, 0, bit), low[bit]);
	assert_string_equal(field_at(&g, rw, 0, 10), "PPN");
	assert_string_equal(field_at(&g, rw, 0, 53), "PPN");
	assert_string_equal(field_at(&g, rw, 0, 54), "reserved");
	assert_string_equal(field_at(&g, rw, 0, 61), "PBMT");
	assert_string_equal(field_at(&g, rw, 0, 63), "N");
	assert_string_equal(field_at(&g, fmt_mkcont(rw, 0), 0, 13), "ppn[3:0] size");
	for (unsigned l = 1; l < 5; l++) {
		assert_string_equal(field_at(&g, rw, l, 9 + 9 * l), "zero (alignment)");
		assert_string_equal(field_at(&g, rw, l, 10 + 9 * l), "PPN");
	}
	assert_string_equal(field_at(&g, fmt_mkinvalid(rw, 0), 0, 5), "present-invalid");
	assert_string_equal(field_at(&g, fmt_mkinvalid(rw, 0), 0, 54), "was-global");
	assert_string_equal(field_at(&g, fmt_swap(1, 1, 0), 0, 6), "exclusive");
	assert_string_equal(field_at(&g, fmt_swap(1, 1, 0), 0, 11), "type");
	assert_string_equal(field_at(&g, fmt_swap(1, 1, 0), 0, 12), "offset");
	assert_string_equal(field_at(&g, fmt_marker(&g, 0, 1), 1, 2), "marker");
	assert_string_equal(field_at(&g, fmt_table(&g, 0, 1), 1, 7), "reserved");
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
		cmocka_unit_test(geometry_rules),
		cmocka_unit_test(known_encodings),
		cmocka_unit_test(napot_runs),
		cmocka_unit_test(refused_attributes),
		cmocka_unit_test(reserved_encodings),
		cmocka_unit_test(changes),
		cmocka_unit_test(covers_new),
		cmocka_unit_test(covers_accessed_dirty),
		cmocka_unit_test(covers_valid),
		cmocka_unit_test(racy),
		cmocka_unit_test(write_brings_read),
		cmocka_unit_test(invalid_keeps_scope),
		cmocka_unit_test(field_names),
		cmocka_unit_test(level_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
