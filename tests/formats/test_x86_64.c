/* SPDX-License-Identifier: MIT */
/* The format suite, and what x86-64 adds to it. */
#include "formats/x86_64.h"

#define GEOM(levels_, va, pa, features_)                                                                               \
	{                                                                                                              \
		.arch = COP_X86_64, .half = COP_HALF_BOTH, .page_lg2 = 12, .levels = levels_, .va_bits = va,           \
		.pa_bits = pa, .features = features_                                                                   \
	}

static const struct cop_geom geoms[] = {
	GEOM(4, 48, 36, COP_F_NX),
	GEOM(4, 48, 46, COP_F_NX | COP_F_1G | COP_F_PGE | COP_F_PCID),
	GEOM(5, 57, 52, COP_F_NX | COP_F_1G | COP_F_PGE | COP_F_PCID),
};

#define SUITE_GEOMS         geoms
#define SUITE_RUN_SHARES_PA 0
#include "tests/formats/format_suite.h"

#define OLD  (&geoms[0]) /* no 1G pages */
#define NONX (&no_nx)
#define FOUR (&geoms[1])
#define FIVE (&geoms[2])

/* Every leaf is executable there, which the suite's are not. */
static const struct cop_geom no_nx = GEOM(4, 48, 39, COP_F_PGE);

static void geometry_rules(void **state)
{
	struct cop_geom g;

	assert_int_equal(cop_geom_init(&g, COP_X86_64, 0, 0), 0);
	assert_int_equal(g.levels, 4);
	assert_int_equal(g.va_bits, 48);
	assert_int_equal(g.half, COP_HALF_BOTH);
	assert_int_equal(g.features, COP_F_NX | COP_F_1G | COP_F_PGE | COP_F_PCID);
	assert_int_equal(cop_geom_init(&g, COP_X86_64, 12, 57), 0);
	assert_int_equal(g.levels, 5);
	assert_int_equal(g.pa_bits, 52);
	assert_int_equal(cop_geom_init(&g, COP_X86_64, 12, 39), -COP_EINVAL);
	assert_int_equal(cop_geom_init(&g, COP_X86_64, 12, 52), -COP_EINVAL);
	assert_int_equal(cop_geom_init(&g, COP_X86_64, 14, 48), -COP_EINVAL);
	g = *FOUR;
	g.half = COP_HALF_LOW;
	assert_int_equal(fmt_check_geom(&g), -COP_EINVAL);
	g = *FOUR;
	g.pa_bits = 53;
	assert_int_equal(fmt_check_geom(&g), -COP_EINVAL);
	g = *FOUR;
	g.features |= COP_F_CONT;
	assert_int_equal(fmt_check_geom(&g), -COP_EINVAL);
}

static void leaf_sizes(void **state)
{
	assert_int_equal(fmt_shift(1), 21);
	assert_int_equal(fmt_shift(2), 30);
	assert_true(fmt_can_leaf(OLD, 1) && !fmt_can_leaf(OLD, 2));
	assert_true(fmt_can_leaf(FIVE, 2) && !fmt_can_leaf(FIVE, 3));
	assert_int_equal(fmt_cont_lg2(FIVE, 0), 0);
}

struct known {
	uint64_t entry;
	uint32_t attrs;
	unsigned level;
};

/* Values as the manual and Linux define them, written out: the round trips would not notice two bits swapped. */
static void known_encodings(void **state)
{
	static const struct known known[] = {
		{0x8000000080000163, COP_KERNEL_RW, 0},
		{0x80000000800001e3, COP_KERNEL_RW, 1},
		{0x80000000800001e3, COP_KERNEL_RW, 2},
		{0x8000000080000121, COP_KERNEL_RO, 0},
		{0x8400000080000121, COP_KERNEL_RO | COP_DIRTY, 0},
		{0x0400000080000121, COP_KERNEL_RX | COP_DIRTY, 0},
		{0x8000000080000067, COP_USER_RW, 0},
		{0x8000000080000007, COP_READ | COP_WRITE | COP_USER, 0},
		{0x0000000080000025, COP_READ | COP_EXEC | COP_USER | COP_YOUNG, 0},
		{0x8000000080000267, COP_USER_RW | COP_SPECIAL, 0},
		{0x8000000080000867, COP_USER_RW | COP_SOFT_DIRTY, 0},
		{0x8200000080000067, COP_USER_RW | COP_DEVMAP, 0},
		{0x800000008000016b, COP_KERNEL_RW | COP_MT_NC, 0},
		{0x80000000800001eb, COP_KERNEL_RW | COP_MT_NC, 1},
		{0x800000008000017b, COP_KERNEL_RW | COP_MT_DEVICE, 0},
		{0x80000000800001fb, COP_KERNEL_RW | COP_MT_WT, 0},
		{0x80000000800011fb, COP_KERNEL_RW | COP_MT_WT, 1},
		{0x80000000800011fb, COP_KERNEL_RW | COP_MT_WT, 2},
		{0x800fffff7ffff166, COP_USER_RW | COP_PROTNONE, 0},
		{0x800fffff7fe001e6, COP_USER_RW | COP_PROTNONE, 1},
		{0x801fffff7ffff162, COP_KERNEL_RW | COP_PROTNONE, 0},
		{0x802fffff7ffff100, COP_PROTNONE, 0},
	};

	for (size_t i = 0; i < SUITE_COUNT(known); i++) {
		const struct known *k = &known[i];

		SUITE_EQUAL(FOUR, k->level, k->attrs, fmt_check_attrs(FOUR, k->attrs, k->level), 0);
		SUITE_EQUAL(FOUR, k->level, k->attrs, fmt_leaf(FOUR, 0x80000000, k->level, k->attrs), k->entry);
	}
	assert_int_equal(fmt_table(FOUR, 0x80000000, 1), 0x80000067);
	assert_int_equal(fmt_leaf(FIVE, 0xfffffc0000000, 2, COP_USER_RW), 0x800fffffc00000e7);
}

/* arch/x86/include/asm/pgtable_64.h: type in 63:59, complement of the offset in 58:9. */
static void known_swap(void **state)
{
	assert_int_equal(fmt_swap(3, 5, 0), 0x1ffffffffffff400);
	assert_int_equal(fmt_swap(31, 0, 0), 0xfffffffffffffe00);
	assert_int_equal(fmt_swap_mkexclusive(fmt_swap(3, 5, 0), 0), 0x1ffffffffffff408);
	assert_int_equal(fmt_swap_mksoft_dirty(fmt_swap(3, 5, 0), 0), 0x1ffffffffffff402);
	assert_int_equal(fmt_kind(FOUR, fmt_swap(3, 5, 0) | X86_SWP_UFFD_WP, 0), COP_SWAP);
	assert_int_equal(fmt_swap(0, (1ULL << 50) - 1, 0), 0);
	assert_int_equal(fmt_marker(FOUR, 0x80000000, 1), 0x000fffff7ffff010);
}

/* L1TF: what is not present names no memory, whatever it remembers. */
static void absent_names_no_memory(void **state)
{
	uint64_t seed = 5;

	for (unsigned i = 0; i < 10000; i++) {
		const cop_pa pa = suite_random(&seed) & suite_low_bits(FOUR->pa_bits) & ~0x3fffffffULL;
		const uint64_t top = 1ULL << 51;

		assert_true(fmt_leaf(FOUR, pa, 0, COP_USER_RW | COP_PROTNONE) & top);
		assert_true(fmt_mkinvalid(fmt_leaf(FOUR, pa, 1, COP_USER_RW), 1) & top);
		assert_true(fmt_mkinvalid(fmt_leaf(FOUR, pa, 2, COP_USER_RW), 2) & top);
		assert_true(fmt_marker(FOUR, pa, 1) & top);
		assert_true(fmt_swap(1, pa >> 12, 0) & top);
	}
}

/* Leaves that hardware faults on go by an address that counts down. */
static void protnone_steps(void **state)
{
	const uint32_t attrs = COP_USER_RW | COP_PROTNONE;

	for (unsigned l = 0; l < 3; l++)
		for (cop_pa n = 0; n < 2048; n++)
			SUITE_EQUAL(FIVE, l, attrs,
				    fmt_leaf(FIVE, n << fmt_shift(l), l, attrs) + fmt_leaf_step(FIVE, l, attrs),
				    fmt_leaf(FIVE, (n + 1) << fmt_shift(l), l, attrs));
}

/* All eight slots of the PAT: decoded as the type Linux gives them, and kept apart from it by the rest bits alone. */
static void pat_slots(void **state)
{
	static const uint32_t types[] = {COP_MT_NORMAL, COP_MT_NC, COP_MT_DEVICE, COP_MT_DEVICE,
					 COP_MT_NORMAL, COP_MT_WT, COP_MT_DEVICE, COP_MT_WT};

	for (unsigned l = 0; l < 3; l++)
		for (unsigned slot = 0; slot < 8; slot++) {
			const uint64_t pat = l == 0 ? 1ULL << 7 : 1ULL << 12;
			const uint64_t e = fmt_leaf(FOUR, 0, l, COP_KERNEL_RW) | (slot & 4 ? pat : 0) |
					   (slot & 2 ? 1ULL << 4 : 0) | (slot & 1 ? 1ULL << 3 : 0);
			const bool named = slot == 0 || slot == 1 || slot == 3 || slot == 7;

			SUITE_EQUAL(FOUR, l, slot, fmt_attrs(FOUR, e, l), COP_KERNEL_RW | types[slot]);
			SUITE_EQUAL(FOUR, l, slot, (fmt_rest_mask(FOUR, e, l) & (pat | 0x18)) == 0, named);
		}
}

static void refused_attributes(void **state)
{
	assert_int_equal(fmt_check_attrs(FOUR, COP_KERNEL_RW | COP_MT_TAGGED, 0), -COP_EINVAL);
	assert_int_equal(fmt_check_attrs(FOUR, COP_KERNEL_RW | COP_MT_DEVICE_RE, 0), -COP_EINVAL);
	assert_int_equal(fmt_check_attrs(FOUR, COP_KERNEL_RW | COP_CONT, 0), -COP_EINVAL);
	assert_int_equal(fmt_check_attrs(FOUR, COP_USER_RW | COP_EXEC | COP_KEXEC, 0), -COP_EINVAL);
	assert_int_equal(fmt_check_attrs(FOUR, COP_WRITE | COP_USER, 0), -COP_EINVAL);
	assert_int_equal(fmt_check_attrs(FOUR, COP_EXEC | COP_USER, 0), -COP_EINVAL);
	assert_int_equal(fmt_check_attrs(FOUR, COP_WRITE | COP_PROTNONE, 0), -COP_EINVAL);
	assert_int_equal(fmt_check_attrs(FOUR, COP_KERNEL_RW, 3), -COP_EINVAL);
	assert_int_equal(fmt_check_attrs(OLD, COP_KERNEL_RW, 2), -COP_EINVAL);
	assert_int_equal(fmt_check_attrs(FOUR, COP_KERNEL_RW | 1U << 13, 0), -COP_EINVAL);
	assert_int_equal(fmt_check_attrs(NONX, COP_KERNEL_RW, 0), -COP_EOPNOTSUPP);
	assert_int_equal(fmt_check_attrs(NONX, COP_KERNEL_RW | COP_EXEC, 0), 0);
}

static void without_nx(void **state)
{
	unsigned said = 0;

	assert_int_equal(fmt_check_geom(NONX), 0);
	SUITE_EACH_LEAF_LEVEL(NONX, l)
	SUITE_EACH_ATTRS(NONX, l, attrs)
	{
		const uint64_t e = fmt_leaf(NONX, 1ULL << 38, l, attrs);

		SUITE_TRUE(NONX, l, attrs, attrs & COP_EXEC);
		SUITE_EQUAL(NONX, l, attrs, e >> 63, 0);
		SUITE_EQUAL(NONX, l, attrs, fmt_kind(NONX, e, l), COP_LEAF);
		SUITE_EQUAL(NONX, l, attrs, fmt_attrs(NONX, e, l), attrs);
		said++;
	}
	assert_true(said > 100);
}

static void reserved_encodings(void **state)
{
	const uint64_t large = fmt_leaf(FOUR, 0, 1, COP_KERNEL_RW), table = fmt_table(FOUR, 0, 1);
	const uint64_t none = fmt_leaf(FOUR, 0, 1, COP_USER_RW | COP_PROTNONE);

	for (unsigned bit = 13; bit < 30; bit++) {
		SUITE_EQUAL(FOUR, 1, bit, fmt_kind(FOUR, large | 1ULL << bit, 1), bit < 21 ? COP_BAD : COP_LEAF);
		SUITE_EQUAL(FOUR, 1, bit, fmt_kind(FOUR, none ^ 1ULL << bit, 1), bit < 21 ? COP_BAD : COP_LEAF);
		SUITE_EQUAL(FOUR, 2, bit, fmt_kind(FOUR, large | 1ULL << bit, 2), COP_BAD);
		SUITE_EQUAL(FOUR, 1, bit, fmt_kind(FOUR, table | 1ULL << bit, 1), COP_TABLE);
	}
	for (unsigned bit = 40; bit < 52; bit++) {
		const enum cop_kind leaf = bit < FOUR->pa_bits ? COP_LEAF : COP_BAD;
		const enum cop_kind linked = bit < FOUR->pa_bits ? COP_TABLE : COP_BAD;
		const enum cop_kind unlinked = bit < FOUR->pa_bits ? COP_MARKER : COP_BAD;

		SUITE_EQUAL(FOUR, 1, bit, fmt_kind(FOUR, large | 1ULL << bit, 1), leaf);
		SUITE_EQUAL(FOUR, 1, bit, fmt_kind(FOUR, none ^ 1ULL << bit, 1), leaf);
		SUITE_EQUAL(FOUR, 1, bit, fmt_kind(FOUR, table | 1ULL << bit, 1), linked);
		SUITE_EQUAL(FOUR, 1, bit, fmt_kind(FOUR, fmt_marker(FOUR, 0, 1) ^ 1ULL << bit, 1), unlinked);
	}
	assert_int_equal(fmt_kind(FOUR, large, 3), COP_BAD);
	assert_int_equal(fmt_kind(FIVE, large, 4), COP_BAD);
	assert_int_equal(fmt_kind(OLD, large, 2), COP_BAD);
	assert_int_equal(fmt_kind(OLD, none, 2), COP_BAD);
	assert_int_equal(fmt_kind(NONX, table, 1), COP_TABLE);
	assert_int_equal(fmt_kind(NONX, table | X86_XD, 1), COP_BAD);
	assert_int_equal(fmt_kind(NONX, large, 1), COP_BAD);
	assert_int_equal(fmt_kind(NONX, large & ~X86_XD, 1), COP_LEAF);
	assert_int_equal(fmt_kind(FOUR, X86_PROTNONE, 1), COP_BAD);
	assert_int_equal(fmt_kind(FOUR, X86_PS, 0), COP_BAD);
	assert_int_equal(fmt_kind(FOUR, X86_MARKER, 0), COP_BAD);
	assert_int_equal(fmt_kind(FOUR, fmt_marker(FOUR, 0, 1) | 1ULL << 52, 1), COP_BAD);
	assert_int_equal(fmt_kind(FOUR, fmt_swap(1, 1, 0) | X86_A, 0), COP_BAD);
	assert_int_equal(fmt_kind(FOUR, fmt_swap(1, 1, 0) | X86_D, 0), COP_BAD);
	assert_int_equal(fmt_change(FOUR, 0, large | 1ULL << 20, 1), COP_CHANGE_FORBIDDEN);
	assert_int_equal(fmt_change(FOUR, table, large, 3), COP_CHANGE_FORBIDDEN);
}

/* Linux's pmd_mkinvalid leaves neither P nor bit 8. */
static void linux_invalid_pmd(void **state)
{
	const uint64_t e = fmt_mkinvalid(fmt_leaf(FOUR, 0x80000000, 1, COP_USER_RW), 1) & ~X86_PROTNONE;

	assert_int_equal(e, 0x800fffff7fe000e6);
	assert_true(fmt_present(e, 1) && fmt_protnone(e, 1));
	assert_int_equal(fmt_kind(FOUR, e, 1), COP_LEAF);
	assert_int_equal(fmt_leaf_pa(FOUR, e, 1), 0x80000000);
	assert_int_equal(fmt_attrs(FOUR, e, 1), COP_USER_RW | COP_PROTNONE);
	assert_true(fmt_rest_mask(FOUR, e, 1) & X86_PROTNONE);
}

/* Bits 52 and 53 mean something only while P is 0. */
static void invalid_keeps_scope(void **state)
{
	const uint64_t user = fmt_leaf(FOUR, 0, 0, COP_USER_RW), kernel = fmt_leaf(FOUR, 0, 0, COP_KERNEL_RW);

	assert_int_equal(fmt_attrs(FOUR, fmt_mkinvalid(user | 3ULL << 52, 0), 0), COP_USER_RW | COP_PROTNONE);
	assert_int_equal(fmt_attrs(FOUR, fmt_mkinvalid(kernel, 0), 0), COP_KERNEL_RW | COP_PROTNONE);
	assert_int_equal(fmt_attrs(FOUR, user | 3ULL << 52, 0), COP_USER_RW);
}

/* R/W = 0 with D = 1 would be a shadow stack: nothing here makes one of a leaf that was not. */
static void no_shadow_stacks(void **state)
{
	SUITE_EACH_GEOM(g)
	SUITE_EACH_LEAF_LEVEL(g, l)
	SUITE_EACH_ATTRS(g, l, attrs)
	{
		const uint64_t e = fmt_leaf(g, 0, l, attrs);
		const uint64_t made[] = {e, fmt_mkdirty(e, l), fmt_wrprotect(e, l), fmt_wrprotect(fmt_mkdirty(e, l), l),
					 fmt_mkdirty(fmt_wrprotect(e, l), l)};

		for (size_t i = 0; i < SUITE_COUNT(made); i++)
			SUITE_TRUE(g, l, attrs, (made[i] & (X86_RW | X86_D)) != X86_D);
		SUITE_TRUE(g, l, attrs, fmt_mkwrite(fmt_wrprotect(fmt_mkdirty(e, l), l), l) & X86_D);
	}
	/* Kernels before saved-dirty have such leaves: dirty, not writable. */
	assert_int_equal(fmt_attrs(FOUR, 0x8000000000000161, 0), COP_KERNEL_RO | COP_DIRTY);
	assert_int_equal(fmt_rest_mask(FOUR, 0x8000000000000161, 0) & X86_DIRTY_BITS, X86_DIRTY_BITS);
}

#define DIRECT  COP_CHANGE_DIRECT
#define BREAK   COP_CHANGE_BREAK
#define NONE    COP_COVERS_NONE
#define LEAF    COP_COVERS_LEAF
#define TABLES  COP_COVERS_TABLES
#define USER_RO (COP_READ | COP_USER | COP_YOUNG | COP_DIRTY)

/* A change of one leaf into another, judged both ways. */
static const struct change_case {
	const char *what;
	uint32_t old_attrs, new_attrs;
	cop_pa old_pa, new_pa; /* in units of the leaf's size */
	enum cop_change change;
	enum cop_covers forth, back;
} changes[] = {
	{"nothing", COP_USER_RW, COP_USER_RW, 1, 1, DIRECT, NONE, NONE},
	{"write", COP_USER_RW & ~COP_DIRTY, USER_RO & ~COP_DIRTY, 1, 1, DIRECT, LEAF, NONE},
	{"write, dirty", COP_USER_RW, USER_RO, 1, 1, DIRECT, LEAF, NONE},
	{"write, kernel", COP_KERNEL_RW, COP_KERNEL_RO, 1, 1, DIRECT, LEAF, LEAF},
	{"dirty", COP_USER_RW, COP_USER_RW & ~COP_DIRTY, 1, 1, DIRECT, LEAF, NONE},
	{"dirty, kernel", COP_KERNEL_RW, COP_KERNEL_RW & ~COP_DIRTY, 1, 1, DIRECT, LEAF, NONE},
	{"young", COP_USER_RW, COP_USER_RW & ~COP_YOUNG, 1, 1, DIRECT, NONE, NONE},
	{"exec", COP_USER_RW | COP_EXEC, COP_USER_RW, 1, 1, DIRECT, LEAF, NONE},
	{"exec, kernel", COP_KERNEL_RX, COP_KERNEL_RO, 1, 1, DIRECT, LEAF, LEAF},
	{"user", COP_USER_RW, COP_USER_RW & ~COP_USER, 1, 1, DIRECT, LEAF, LEAF},
	{"global", COP_KERNEL_RW, COP_KERNEL_RW & ~COP_GLOBAL, 1, 1, DIRECT, LEAF, LEAF},
	{"special", COP_USER_RW, COP_USER_RW | COP_SPECIAL, 1, 1, DIRECT, NONE, NONE},
	{"soft-dirty", COP_USER_RW, COP_USER_RW | COP_SOFT_DIRTY, 1, 1, DIRECT, NONE, NONE},
	{"devmap", COP_KERNEL_RW, COP_KERNEL_RW | COP_DEVMAP, 1, 1, DIRECT, NONE, NONE},
	{"protnone", COP_USER_RW, COP_USER_RW | COP_PROTNONE, 1, 1, DIRECT, LEAF, NONE},
	{"address", COP_USER_RW, COP_USER_RW, 1, 2, DIRECT, LEAF, LEAF},
	{"address, far bits", COP_KERNEL_RO, COP_KERNEL_RO, 1, 1025, DIRECT, LEAF, LEAF},
	{"write-through", COP_KERNEL_RW, COP_KERNEL_RW | COP_MT_WT, 1, 1, BREAK, LEAF, LEAF},
	{"write-combining", COP_KERNEL_RW, COP_KERNEL_RW | COP_MT_NC, 1, 1, BREAK, LEAF, LEAF},
	{"uncached", COP_KERNEL_RW, COP_KERNEL_RW | COP_MT_DEVICE, 1, 1, BREAK, LEAF, LEAF},
	{"uncached kinds", COP_KERNEL_RW | COP_MT_NC, COP_KERNEL_RW | COP_MT_DEVICE, 1, 1, BREAK, LEAF, LEAF},
	{"uncached to through", COP_KERNEL_RW | COP_MT_DEVICE, COP_KERNEL_RW | COP_MT_WT, 1, 1, BREAK, LEAF, LEAF},
};

static void change_leaves(void **state)
{
	for (unsigned l = 0; l < 3; l++)
		for (size_t i = 0; i < SUITE_COUNT(changes); i++) {
			const struct change_case *c = &changes[i];
			const uint64_t old = fmt_leaf(FOUR, c->old_pa << fmt_shift(l), l, c->old_attrs);
			const uint64_t new_ = fmt_leaf(FOUR, c->new_pa << fmt_shift(l), l, c->new_attrs);

			if (fmt_change(FOUR, old, new_, l) != c->change || fmt_change(FOUR, new_, old, l) != c->change)
				fail_msg("change, level %u: %s", l, c->what);
			if (fmt_covers(FOUR, old, new_, l) != c->forth || fmt_covers(FOUR, new_, old, l) != c->back)
				fail_msg("covers, level %u: %s", l, c->what);
		}
}

static void change_every_address_bit(void **state)
{
	SUITE_EACH_GEOM(g)
	SUITE_EACH_LEAF_LEVEL(g, l)
	for (unsigned bit = fmt_shift(l); bit < g->pa_bits; bit++) {
		const uint32_t attrs = COP_KERNEL_RW | COP_EXEC;

		SUITE_EQUAL(g, l, bit, fmt_covers(g, fmt_leaf(g, 0, l, attrs), fmt_leaf(g, 1ULL << bit, l, attrs), l),
			    LEAF);
	}
}

static void change_fields_without_attributes(void **state)
{
	const uint64_t rw = fmt_leaf(FOUR, 0, 0, COP_USER_RW), uc = fmt_leaf(FOUR, 0, 0, COP_KERNEL_RW | COP_MT_DEVICE);

	for (unsigned bit = 59; bit < 63; bit++)
		assert_int_equal(fmt_covers(FOUR, rw, rw | 1ULL << bit, 0), LEAF);
	for (unsigned bit = 52; bit < 57; bit++)
		assert_int_equal(fmt_covers(FOUR, rw, rw | 1ULL << bit, 0), NONE);
	assert_int_equal(fmt_covers(FOUR, rw, rw | X86_SW_UFFD_WP, 0), NONE);
	/* Slot 4 is WB like slot 0; UC- is not UC. */
	assert_int_equal(fmt_change(FOUR, rw, rw | X86_PAT_4K, 0), DIRECT);
	assert_int_equal(fmt_change(FOUR, uc, uc & ~X86_PWT, 0), BREAK);
	assert_int_equal(fmt_change(FOUR, uc, uc | X86_PAT_4K, 0), BREAK);
	/* An entry with a reserved bit is never cached. */
	assert_int_equal(fmt_covers(FOUR, rw | 1ULL << 50, rw, 0), NONE);
	assert_int_equal(fmt_change(FOUR, uc | 1ULL << 50, rw, 0), DIRECT);
}

static void change_tables(void **state)
{
	const uint64_t a = fmt_table(FOUR, 1ULL << 30, 1), b = fmt_table(FOUR, 1ULL << 31, 1);
	const uint64_t leaf = fmt_leaf(FOUR, 0, 1, COP_KERNEL_RW), marker = fmt_marker(FOUR, 1ULL << 30, 1);

	assert_int_equal(fmt_change(FOUR, leaf, a, 1), DIRECT);
	assert_int_equal(fmt_covers(FOUR, leaf, a, 1), LEAF);
	assert_int_equal(fmt_change(FOUR, a, leaf, 1), DIRECT);
	assert_int_equal(fmt_covers(FOUR, a, leaf, 1), TABLES);
	assert_int_equal(fmt_covers(FOUR, a, b, 1), TABLES);
	assert_int_equal(fmt_covers(FOUR, a, a & ~X86_RW, 1), TABLES);
	assert_int_equal(fmt_covers(FOUR, a, a & ~X86_US, 1), TABLES);
	assert_int_equal(fmt_covers(FOUR, a, a | X86_XD, 1), TABLES);
	assert_int_equal(fmt_covers(FOUR, a, a & ~(X86_A | X86_D), 1), NONE);
	assert_int_equal(fmt_covers(FOUR, a, a | 1ULL << 58, 1), NONE);
	assert_int_equal(fmt_change(FOUR, a, marker, 1), DIRECT);
	assert_int_equal(fmt_covers(FOUR, a, marker, 1), TABLES);
	assert_int_equal(fmt_covers(FOUR, marker, b, 1), NONE);
}

static void racy(void **state)
{
	const uint64_t rw = fmt_leaf(FOUR, 0, 0, COP_USER_RW), clean = fmt_mkclean(rw, 0);

	assert_false(fmt_racy(FOUR, rw, 0));
	assert_true(fmt_racy(FOUR, clean, 0));
	assert_true(fmt_racy(FOUR, fmt_mkold(rw, 0), 0));
	assert_false(fmt_racy(FOUR, fmt_wrprotect(clean, 0), 0));
	assert_false(fmt_racy(FOUR, fmt_mkprotnone(fmt_mkold(clean, 0), 0), 0));
	assert_true(fmt_racy(FOUR, fmt_table(FOUR, 0, 1) & ~X86_A, 1));
	assert_false(fmt_racy(FOUR, fmt_table(FOUR, 0, 1) & ~X86_D, 1));
}

/* What hardware sets on its own is read as what it means. */
static void hardware_marks(void **state)
{
	const uint64_t e = fmt_leaf(FOUR, 0, 1, COP_READ | COP_WRITE | COP_USER);

	assert_int_equal(fmt_attrs(FOUR, e | 1ULL << 5, 1), COP_READ | COP_WRITE | COP_USER | COP_YOUNG);
	assert_int_equal(fmt_attrs(FOUR, e | 3ULL << 5, 1), COP_USER_RW);
}

static void field_at(uint64_t e, unsigned l, unsigned shift, unsigned width, const char *name)
{
	unsigned count;
	const struct cop_field *fields = fmt_fields(FIVE, e, l, &count);

	for (unsigned i = 0; i < count; i++)
		if (fields[i].shift == shift && fields[i].width == width) {
			assert_string_equal(fields[i].name, name);
			return;
		}
	fail_msg("level %u entry %#llx: no %s at %u", l, (unsigned long long)e, name, shift);
}

static void field_names(void **state)
{
	const uint64_t page = fmt_leaf(FIVE, 0, 0, COP_USER_RW), large = fmt_leaf(FIVE, 0, 1, COP_USER_RW);

	field_at(page, 0, 7, 1, "PAT");
	field_at(page, 0, 12, 40, "address");
	field_at(page, 0, 59, 4, "protection key");
	field_at(large, 1, 7, 1, "PS");
	field_at(large, 1, 12, 1, "PAT");
	field_at(large, 1, 13, 8, "reserved");
	field_at(large, 1, 21, 31, "address");
	field_at(large, 2, 13, 17, "reserved");
	field_at(large, 2, 30, 22, "address");
	field_at(fmt_table(FIVE, 0, 2), 2, 7, 1, "PS");
	field_at(fmt_table(FIVE, 0, 3), 3, 7, 1, "reserved");
	field_at(fmt_mkinvalid(large, 1), 1, 8, 1, "protnone");
	field_at(fmt_mkinvalid(large, 1), 1, 21, 31, "~address");
	field_at(fmt_swap(1, 1, 0), 0, 9, 50, "~offset");
	field_at(fmt_marker(FIVE, 0, 1), 1, 4, 1, "marker");
}

static void level_names(void **state)
{
	assert_string_equal(fmt_level_name(FOUR, 3), "PGD");
	assert_string_equal(fmt_level_name(FIVE, 4), "PGD");
	assert_string_equal(fmt_level_name(FIVE, 3), "P4D");
	assert_string_equal(fmt_level_name(FIVE, 2), "PUD");
	assert_string_equal(fmt_level_name(FIVE, 1), "PMD");
	assert_string_equal(fmt_level_name(FIVE, 0), "PTE");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SUITE_TESTS,
		cmocka_unit_test(geometry_rules),
		cmocka_unit_test(leaf_sizes),
		cmocka_unit_test(known_encodings),
		cmocka_unit_test(known_swap),
		cmocka_unit_test(absent_names_no_memory),
		cmocka_unit_test(protnone_steps),
		cmocka_unit_test(pat_slots),
		cmocka_unit_test(refused_attributes),
		cmocka_unit_test(without_nx),
		cmocka_unit_test(reserved_encodings),
		cmocka_unit_test(linux_invalid_pmd),
		cmocka_unit_test(invalid_keeps_scope),
		cmocka_unit_test(no_shadow_stacks),
		cmocka_unit_test(change_leaves),
		cmocka_unit_test(change_every_address_bit),
		cmocka_unit_test(change_fields_without_attributes),
		cmocka_unit_test(change_tables),
		cmocka_unit_test(racy),
		cmocka_unit_test(hardware_marks),
		cmocka_unit_test(field_names),
		cmocka_unit_test(level_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
