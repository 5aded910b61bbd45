/* SPDX-License-Identifier: MIT */
/*
 * What every format must hold, whatever the architecture.
 *
 * The includer has included one format header and defines, before including this:
 *   SUITE_GEOMS          name of an array of struct cop_geom, each accepted by fmt_check_geom
 *   SUITE_RUN_SHARES_PA  1 if all members of a contiguous run carry one address (riscv64 Svnapot)
 * and lists SUITE_TESTS among its cmocka tests.
 */
#ifndef COPPICE_TESTS_FORMAT_SUITE_H
#define COPPICE_TESTS_FORMAT_SUITE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#define SUITE_COUNT(a)              (sizeof(a) / sizeof((a)[0]))
#define SUITE_ATTR_BITS             13 /* COP_READ .. COP_DEVMAP */
#define SUITE_EACH_GEOM(g)          for (const struct cop_geom *g = SUITE_GEOMS; g < SUITE_GEOMS + SUITE_COUNT(SUITE_GEOMS); g++)
#define SUITE_EACH_LEVEL(g, l)      for (unsigned l = 0; l < (g)->levels; l++)
#define SUITE_EACH_LEAF_LEVEL(g, l) SUITE_EACH_LEVEL(g, l) if (fmt_can_leaf(g, l))
/* Every set of attributes that the format can say at this level. */
#define SUITE_EACH_ATTRS(g, l, attrs)                                                                                  \
	for (uint32_t attrs = 0; attrs <= COP_MT_MASK; attrs = suite_next_attrs(attrs))                                \
		if (fmt_check_attrs(g, attrs, l) == 0)

/* Like assert_int_equal, naming the geometry, level and attributes: a loop's failure must say where. */
#define SUITE_EQUAL(g, l, attrs, got, expected)                                                                        \
	do {                                                                                                           \
		const uint64_t got_ = (uint64_t)(got), expected_ = (uint64_t)(expected);                               \
		if (got_ != expected_)                                                                                 \
			fail_msg("%s va %u features %#x level %u attrs %#x: %s = %#llx, expected %#llx", FMT_NAME,     \
				 (g)->va_bits, (g)->features, (unsigned)(l), (unsigned)(attrs), #got,                  \
				 (unsigned long long)got_, (unsigned long long)expected_);                             \
	} while (0)
#define SUITE_TRUE(g, l, attrs, cond) SUITE_EQUAL(g, l, attrs, !!(cond), 1)

static inline uint32_t suite_next_attrs(uint32_t attrs)
{
	const uint32_t flags = (1U << SUITE_ATTR_BITS) - 1;

	return (attrs & flags) == flags ? (attrs & ~flags) + (1U << 16) : attrs + 1;
}

static inline uint64_t suite_random(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15ULL;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
	return z ^ (z >> 31);
}

/* A quarter of the bits. */
static COP_UNUSED uint64_t suite_sparse(uint64_t *seed)
{
	const uint64_t some = suite_random(seed);

	return some & suite_random(seed);
}

static inline uint64_t suite_low_bits(unsigned bits)
{
	return bits >= 64 ? ~0ULL : (1ULL << bits) - 1;
}

/* Addresses of a frame of 1 << @lg2 bytes: none, each bit alone, all bits, then random ones. */
#define SUITE_PAS 96
static inline cop_pa suite_pa(const struct cop_geom *g, unsigned lg2, unsigned i)
{
	const uint64_t mask = suite_low_bits(g->pa_bits) & ~suite_low_bits(lg2);
	uint64_t state = i;

	if (i == 0)
		return 0;
	if (lg2 + i - 1 < g->pa_bits)
		return 1ULL << (lg2 + i - 1);
	return lg2 + i - 1 == g->pa_bits ? mask : suite_random(&state) & mask;
}

static inline cop_pa suite_leaf_pa(const struct cop_geom *g, cop_pa pa, unsigned l, uint32_t attrs)
{
	if (SUITE_RUN_SHARES_PA && (attrs & COP_CONT))
		return COP_ALIGN_DOWN(pa, 1ULL << (fmt_shift(l) + fmt_cont_lg2(g, l)));
	return pa;
}

/* ------------------------------------------------------------------------------------------------ geometry */

static void suite_geometry_tiles(void **state)
{
	(void)state;
	SUITE_EACH_GEOM(g)
	{
		unsigned resolved = fmt_shift(0);

		SUITE_EQUAL(g, 0, 0, fmt_check_geom(g), 0);
		SUITE_EQUAL(g, 0, 0, fmt_shift(0), FMT_PAGE_LG2);
		SUITE_TRUE(g, 0, 0, g->levels <= FMT_MAX_LEVELS);
		SUITE_EACH_LEVEL(g, l)
		{
			SUITE_EQUAL(g, l, 0, fmt_shift(l), resolved);
			SUITE_TRUE(g, l, 0, fmt_table_lg2(g, l) >= fmt_index_bits(g, l) + 3);
			SUITE_TRUE(g, l, 0, fmt_table_lg2(g, l) >= FMT_MIN_TABLE_LG2);
			SUITE_TRUE(g, l, 0, fmt_index_bits(g, l) >= 1);
			SUITE_TRUE(g, l, 0, fmt_cont_lg2(g, l) <= fmt_index_bits(g, l));
			SUITE_TRUE(g, l, 0, fmt_cont_lg2(g, l) == 0 || fmt_can_leaf(g, l));
			resolved += fmt_index_bits(g, l);
		}
		SUITE_EQUAL(g, 0, 0, resolved, g->va_bits);
		SUITE_TRUE(g, 0, 0, fmt_can_leaf(g, 0));
	}
}

static void suite_geometry_refuses(void **state)
{
	(void)state;
	SUITE_EACH_GEOM(g)
	{
		struct cop_geom bad = *g;

		bad.levels++;
		assert_int_equal(fmt_check_geom(&bad), -COP_EINVAL);
		bad.levels = (uint8_t)(g->levels - 1);
		assert_int_equal(fmt_check_geom(&bad), -COP_EINVAL);
		bad = *g;
		bad.page_lg2++;
		assert_int_equal(fmt_check_geom(&bad), -COP_EINVAL);
		bad = *g;
		bad.arch ^= 1;
		assert_int_equal(fmt_check_geom(&bad), -COP_EINVAL);
		bad = *g;
		bad.pa_bits = 64;
		assert_int_equal(fmt_check_geom(&bad), -COP_EINVAL);
		bad = *g;
		bad.features |= 1U << 31;
		assert_int_equal(fmt_check_geom(&bad), -COP_EINVAL);
	}
}

/* ------------------------------------------------------------------------------------------------ encoding */

static void suite_leaf_round_trip(void **state)
{
	(void)state;
	SUITE_EACH_GEOM(g)
	SUITE_EACH_LEAF_LEVEL(g, l)
	{
		unsigned said = 0, i = 0;

		SUITE_EACH_ATTRS(g, l, attrs)
		{
			const cop_pa pa = suite_pa(g, fmt_shift(l), i++ % SUITE_PAS);
			const uint64_t e = fmt_leaf(g, pa, l, attrs);

			SUITE_EQUAL(g, l, attrs, fmt_kind(g, e, l), COP_LEAF);
			SUITE_TRUE(g, l, attrs, fmt_present(e, l));
			SUITE_TRUE(g, l, attrs, !fmt_is_table(e, l));
			SUITE_EQUAL(g, l, attrs, fmt_leaf_pa(g, e, l), suite_leaf_pa(g, pa, l, attrs));
			SUITE_EQUAL(g, l, attrs, fmt_attrs(g, e, l), attrs);
			SUITE_EQUAL(g, l, attrs, fmt_huge(e, l), l != 0);
			SUITE_EQUAL(g, l, attrs, fmt_cont(e, l), !!(attrs & COP_CONT));
			said++;
		}
		assert_true(said > 100);
	}
}

static void suite_leaf_addresses(void **state)
{
	static const uint32_t kinds[] = {COP_KERNEL_RW, COP_KERNEL_RX, COP_USER_RW, COP_USER_RW | COP_CONT,
					 COP_USER | COP_READ | COP_PROTNONE};

	(void)state;
	SUITE_EACH_GEOM(g)
	SUITE_EACH_LEAF_LEVEL(g, l)
	for (size_t k = 0; k < SUITE_COUNT(kinds); k++) {
		if (fmt_check_attrs(g, kinds[k], l))
			continue;
		for (unsigned i = 0; i < SUITE_PAS; i++) {
			const cop_pa pa = suite_pa(g, fmt_shift(l), i);
			const uint64_t e = fmt_leaf(g, pa, l, kinds[k]);

			SUITE_EQUAL(g, l, kinds[k], fmt_leaf_pa(g, e, l), suite_leaf_pa(g, pa, l, kinds[k]));
			SUITE_EQUAL(g, l, kinds[k], fmt_attrs(g, e, l), kinds[k]);
		}
	}
}

/* The step takes one leaf to the next everywhere but across a segment's end (or a run's, where members share an address). */
static void suite_leaf_step(void **state)
{
	uint64_t seed = 1;

	(void)state;
	SUITE_EACH_GEOM(g)
	SUITE_EACH_LEAF_LEVEL(g, l)
	for (unsigned cont = 0; cont <= (fmt_cont_lg2(g, l) != 0); cont++) {
		const uint32_t attrs = COP_KERNEL_RW | (cont ? COP_CONT : 0);
		const uint64_t size = 1ULL << fmt_shift(l);
		COP_UNUSED const unsigned run = cont ? fmt_cont_lg2(g, l) : 0;

		for (unsigned i = 0; i < SUITE_PAS; i++) {
			/* Below each power of two, where the carry goes furthest, then anywhere. */
			const cop_pa carry = fmt_shift(l) + i < g->pa_bits ? (size << i) - size : suite_random(&seed);
			const cop_pa pa = carry & suite_low_bits(g->pa_bits) & ~(size - 1);
			const cop_pa next = pa + size;

			if (next >> g->pa_bits || pa >> fmt_step_lg2 != next >> fmt_step_lg2)
				continue;
			if (SUITE_RUN_SHARES_PA && pa >> (fmt_shift(l) + run) != next >> (fmt_shift(l) + run))
				continue;
			SUITE_EQUAL(g, l, attrs, fmt_leaf(g, pa, l, attrs) + fmt_leaf_step(g, l, attrs),
				    fmt_leaf(g, next, l, attrs));
		}
	}
}

static void suite_table_round_trip(void **state)
{
	(void)state;
	SUITE_EACH_GEOM(g)
	for (unsigned l = 1; l < g->levels; l++)
		for (unsigned i = 0; i < SUITE_PAS; i++) {
			const cop_pa pa = suite_pa(g, fmt_table_lg2(g, l - 1), i);
			const uint64_t e = fmt_table(g, pa, l);

			SUITE_EQUAL(g, l, 0, fmt_kind(g, e, l), COP_TABLE);
			SUITE_TRUE(g, l, 0, fmt_present(e, l) && fmt_is_table(e, l));
			SUITE_TRUE(g, l, 0, !fmt_huge(e, l));
			SUITE_EQUAL(g, l, 0, fmt_table_pa(g, e, l), pa);
			SUITE_TRUE(g, l, 0, !fmt_racy(g, e, l));
		}
}

static void suite_marker_round_trip(void **state)
{
	(void)state;
	SUITE_EACH_GEOM(g)
	for (unsigned l = 1; l < g->levels; l++)
		for (unsigned i = 0; i < SUITE_PAS; i++) {
			const cop_pa pa = suite_pa(g, fmt_table_lg2(g, l - 1), i);
			const uint64_t e = fmt_marker(g, pa, l);

			SUITE_EQUAL(g, l, 0, fmt_kind(g, e, l), COP_MARKER);
			SUITE_TRUE(g, l, 0, !fmt_present(e, l));
			SUITE_EQUAL(g, l, 0, fmt_marker_pa(g, e, l), pa);
			SUITE_TRUE(g, l, 0, e != fmt_empty(l));
		}
}

static void suite_empty(void **state)
{
	(void)state;
	SUITE_EACH_GEOM(g)
	SUITE_EACH_LEVEL(g, l)
	{
		SUITE_EQUAL(g, l, 0, fmt_kind(g, fmt_empty(l), l), COP_EMPTY);
		SUITE_TRUE(g, l, 0, !fmt_present(fmt_empty(l), l));
		SUITE_TRUE(g, l, 0, !fmt_racy(g, fmt_empty(l), l));
		SUITE_EQUAL(g, l, 0, fmt_attrs(g, fmt_empty(l), l), 0);
	}
}

/* Any 64 bits are of one kind, and the cheap predicates agree with it. */
static void suite_kinds_disjoint(void **state)
{
	uint64_t seed = 2;
	unsigned seen[COP_BAD + 1] = {0};

	(void)state;
	SUITE_EACH_GEOM(g)
	SUITE_EACH_LEVEL(g, l)
	for (unsigned i = 0; i < 20000; i++) {
		/* Few bits, or the address bits would always be reserved ones. */
		uint64_t e = suite_sparse(&seed);
		enum cop_kind kind;

		for (unsigned thin = i % 4; thin; thin--)
			e &= suite_random(&seed);
		kind = fmt_kind(g, e, l);
		seen[kind]++;
		if (kind == COP_TABLE || kind == COP_LEAF) {
			SUITE_TRUE(g, l, e, fmt_present(e, l));
			SUITE_EQUAL(g, l, e, fmt_is_table(e, l), kind == COP_TABLE);
			SUITE_EQUAL(g, l, e, fmt_links(e, l), kind == COP_TABLE);
		} else if (kind != COP_BAD) {
			SUITE_TRUE(g, l, e, !fmt_present(e, l));
		}
		if (kind == COP_MARKER)
			SUITE_EQUAL(g, l, e, fmt_marker(g, fmt_marker_pa(g, e, l), l), e);
		SUITE_TRUE(g, l, e, kind != COP_MARKER || l != 0);
	}
	assert_true(seen[COP_LEAF] && seen[COP_TABLE] && seen[COP_BAD]);
}

/* Address, attributes and the rest are all there is to a leaf. */
static void suite_leaf_rest(void **state)
{
	uint64_t seed = 3;

	(void)state;
	SUITE_EACH_GEOM(g)
	SUITE_EACH_LEAF_LEVEL(g, l)
	for (unsigned i = 0; i < 100000; i++) {
		const uint64_t model = fmt_leaf(g, 0, l, i & 1 ? COP_USER_RW : COP_KERNEL_RO);
		const uint64_t e = model ^ (suite_sparse(&seed));
		uint64_t again, rest;

		if (fmt_kind(g, e, l) != COP_LEAF)
			continue;
		again = fmt_leaf(g, fmt_leaf_pa(g, e, l), l, fmt_attrs(g, e, l));
		rest = fmt_rest_mask(g, e, l);
		SUITE_EQUAL(g, l, fmt_attrs(g, e, l), again & ~rest, e & ~rest);
		SUITE_EQUAL(g, l, fmt_attrs(g, e, l), fmt_leaf_pa(g, (again & ~rest) | (e & rest), l),
			    fmt_leaf_pa(g, e, l));
	}
}

/* ------------------------------------------------------------------------------------------------- algebra */

/* @op changes nothing but the attributes in @mask, which become @value. */
#define SUITE_CHANGES(g, l, attrs, e, op, mask, value)                                                                 \
	do {                                                                                                           \
		const uint64_t changed_ = op(e, l);                                                                    \
		SUITE_EQUAL(g, l, attrs, fmt_kind(g, changed_, l), COP_LEAF);                                          \
		SUITE_EQUAL(g, l, attrs, fmt_attrs(g, changed_, l), ((attrs) & ~(uint32_t)(mask)) | (value));          \
		SUITE_EQUAL(g, l, attrs, fmt_leaf_pa(g, changed_, l), fmt_leaf_pa(g, e, l));                           \
		SUITE_EQUAL(g, l, attrs, op(changed_, l), changed_);                                                   \
	} while (0)

static void suite_algebra(void **state)
{
	(void)state;
	SUITE_EACH_GEOM(g)
	SUITE_EACH_LEAF_LEVEL(g, l)
	SUITE_EACH_ATTRS(g, l, attrs)
	{
		const uint64_t e = fmt_leaf(g, suite_pa(g, fmt_shift(l), 70), l, attrs);

		SUITE_EQUAL(g, l, attrs, fmt_young(e, l), !!(attrs & COP_YOUNG));
		SUITE_EQUAL(g, l, attrs, fmt_dirty(e, l), !!(attrs & COP_DIRTY));
		SUITE_EQUAL(g, l, attrs, fmt_write(e, l), !!(attrs & COP_WRITE));
		SUITE_EQUAL(g, l, attrs, fmt_special(e, l), !!(attrs & COP_SPECIAL));
		SUITE_EQUAL(g, l, attrs, fmt_soft_dirty(e, l), !!(attrs & COP_SOFT_DIRTY));
		SUITE_EQUAL(g, l, attrs, fmt_protnone(e, l), !!(attrs & COP_PROTNONE));
		SUITE_CHANGES(g, l, attrs, e, fmt_mkyoung, COP_YOUNG, COP_YOUNG);
		SUITE_CHANGES(g, l, attrs, e, fmt_mkold, COP_YOUNG, 0);
		SUITE_CHANGES(g, l, attrs, e, fmt_mkdirty, COP_DIRTY, COP_DIRTY);
		SUITE_CHANGES(g, l, attrs, e, fmt_mkclean, COP_DIRTY, 0);
		SUITE_CHANGES(g, l, attrs, e, fmt_wrprotect, COP_WRITE, 0);
		if (attrs & COP_READ)
			SUITE_CHANGES(g, l, attrs, e, fmt_mkwrite, COP_WRITE, COP_WRITE);
		SUITE_CHANGES(g, l, attrs, e, fmt_mkspecial, COP_SPECIAL, COP_SPECIAL);
		SUITE_CHANGES(g, l, attrs, e, fmt_mksoft_dirty, COP_SOFT_DIRTY, COP_SOFT_DIRTY);
		SUITE_CHANGES(g, l, attrs, e, fmt_clear_soft_dirty, COP_SOFT_DIRTY, 0);
	}
}

/* The laws that Linux's debug_vm_pgtable asserts, in its order: what comes last decides, and nothing leaks between bits. */
static void suite_algebra_laws(void **state)
{
	(void)state;
	SUITE_EACH_GEOM(g)
	SUITE_EACH_LEAF_LEVEL(g, l)
	SUITE_EACH_ATTRS(g, l, attrs)
	{
		const uint64_t e = fmt_leaf(g, suite_pa(g, fmt_shift(l), 71), l, attrs);

		SUITE_TRUE(g, l, attrs, fmt_young(fmt_mkyoung(fmt_mkold(fmt_mkyoung(e, l), l), l), l));
		SUITE_TRUE(g, l, attrs, !fmt_young(fmt_mkold(fmt_mkyoung(fmt_mkold(e, l), l), l), l));
		SUITE_TRUE(g, l, attrs, fmt_dirty(fmt_mkdirty(fmt_mkclean(fmt_mkdirty(e, l), l), l), l));
		SUITE_TRUE(g, l, attrs, !fmt_dirty(fmt_mkclean(fmt_mkdirty(fmt_mkclean(e, l), l), l), l));
		SUITE_TRUE(g, l, attrs, !fmt_dirty(fmt_wrprotect(fmt_mkclean(e, l), l), l));
		SUITE_TRUE(g, l, attrs, fmt_dirty(fmt_wrprotect(fmt_mkdirty(e, l), l), l));
		SUITE_TRUE(g, l, attrs, !fmt_write(fmt_wrprotect(fmt_mkdirty(e, l), l), l));
		if (!(attrs & COP_READ))
			continue;
		SUITE_TRUE(g, l, attrs, fmt_write(fmt_mkwrite(fmt_wrprotect(fmt_mkwrite(e, l), l), l), l));
		SUITE_TRUE(g, l, attrs, !fmt_write(fmt_wrprotect(fmt_mkwrite(fmt_wrprotect(e, l), l), l), l));
		SUITE_TRUE(g, l, attrs, fmt_dirty(fmt_mkwrite(fmt_mkdirty(fmt_wrprotect(e, l), l), l), l));
		SUITE_TRUE(g, l, attrs, !fmt_dirty(fmt_mkwrite(fmt_mkclean(fmt_wrprotect(e, l), l), l), l));
		SUITE_TRUE(g, l, attrs, fmt_write(fmt_mkdirty(fmt_mkwrite(e, l), l), l));
		SUITE_TRUE(g, l, attrs, fmt_write(fmt_mkclean(fmt_mkwrite(e, l), l), l));
	}
}

static void suite_huge_and_invalid(void **state)
{
	(void)state;
	SUITE_EACH_GEOM(g)
	SUITE_EACH_LEAF_LEVEL(g, l)
	SUITE_EACH_ATTRS(g, l, attrs)
	{
		const uint64_t e = fmt_leaf(g, suite_pa(g, fmt_shift(l), 72), l, attrs);
		const uint64_t invalid = fmt_mkinvalid(e, l);
		const uint64_t none = fmt_mkprotnone(e, l);

		SUITE_EQUAL(g, l, attrs, fmt_mkhuge(e, l), e);
		SUITE_EQUAL(g, l, attrs, fmt_kind(g, invalid, l), COP_LEAF);
		SUITE_TRUE(g, l, attrs, fmt_present(invalid, l) && !fmt_is_table(invalid, l));
		SUITE_EQUAL(g, l, attrs, fmt_huge(invalid, l), l != 0);
		SUITE_EQUAL(g, l, attrs, fmt_leaf_pa(g, invalid, l), fmt_leaf_pa(g, e, l));
		SUITE_TRUE(g, l, attrs, !fmt_racy(g, invalid, l));
		SUITE_TRUE(g, l, attrs, fmt_protnone(none, l) && fmt_present(none, l));
		SUITE_EQUAL(g, l, attrs, fmt_kind(g, none, l), COP_LEAF);
		SUITE_EQUAL(g, l, attrs, fmt_leaf_pa(g, none, l), fmt_leaf_pa(g, e, l));
		SUITE_TRUE(g, l, attrs, fmt_mkprotnone(none, l) == none);
	}
}

/* ---------------------------------------------------------------------------------------------------- swap */

static uint64_t suite_offset(unsigned i)
{
	uint64_t state = i;

	if (i < FMT_SWAP_OFFSET_BITS)
		return 1ULL << i;
	return suite_low_bits(FMT_SWAP_OFFSET_BITS) & (i == FMT_SWAP_OFFSET_BITS ? ~0ULL : suite_random(&state) | 1);
}

/* A step of the exclusive or soft-dirty mark: the entry stays swap, of the same type and offset. */
static void suite_swap_same(const struct cop_geom *g, uint64_t e, unsigned l, unsigned type, uint64_t offset)
{
	SUITE_EQUAL(g, l, type, fmt_kind(g, e, l), COP_SWAP);
	SUITE_TRUE(g, l, type, !fmt_present(e, l));
	SUITE_EQUAL(g, l, type, fmt_swap_type(e, l), type);
	SUITE_EQUAL(g, l, type, fmt_swap_offset(e, l), offset);
}

static void suite_swap_one(const struct cop_geom *g, unsigned l, unsigned type, uint64_t offset)
{
	const uint64_t e = fmt_swap(type, offset, l);
	const uint64_t exclusive = fmt_swap_mkexclusive(e, l);
	const uint64_t soft = fmt_swap_mksoft_dirty(e, l);

	suite_swap_same(g, e, l, type, offset);
	suite_swap_same(g, exclusive, l, type, offset);
	suite_swap_same(g, soft, l, type, offset);
	suite_swap_same(g, fmt_swap_mksoft_dirty(exclusive, l), l, type, offset);
	SUITE_TRUE(g, l, type, !fmt_swap_exclusive(e, l) && !fmt_swap_soft_dirty(e, l));
	SUITE_TRUE(g, l, type, fmt_swap_exclusive(exclusive, l) && !fmt_swap_soft_dirty(exclusive, l));
	SUITE_TRUE(g, l, type, fmt_swap_soft_dirty(soft, l) && !fmt_swap_exclusive(soft, l));
	SUITE_EQUAL(g, l, type, fmt_swap_clear_exclusive(exclusive, l), e);
	SUITE_EQUAL(g, l, type, fmt_swap_clear_soft_dirty(soft, l), e);
	SUITE_EQUAL(g, l, type, fmt_swap(fmt_swap_type(e, l), fmt_swap_offset(e, l), l), e);
}

static void suite_swap(void **state)
{
	(void)state;
	SUITE_EACH_GEOM(g)
	SUITE_EACH_LEAF_LEVEL(g, l)
	{
		unsigned empty = 0;

		for (unsigned type = 0; type < 1U << FMT_SWAP_TYPE_BITS; type++)
			for (unsigned i = 0; i < FMT_SWAP_OFFSET_BITS + 8; i++)
				if (fmt_swap(type, suite_offset(i), l) == fmt_empty(l))
					empty++;
				else
					suite_swap_one(g, l, type, suite_offset(i));
		/* A format may have given one type and offset to the empty entry. */
		SUITE_TRUE(g, l, 0, empty <= 1);
	}
}

/* --------------------------------------------------------------------------------------------------- facts */

static void suite_change_from_empty(void **state)
{
	(void)state;
	SUITE_EACH_GEOM(g)
	SUITE_EACH_LEAF_LEVEL(g, l)
	SUITE_EACH_ATTRS(g, l, attrs)
	{
		const uint64_t e = fmt_leaf(g, suite_pa(g, fmt_shift(l), 73), l, attrs);

		SUITE_EQUAL(g, l, attrs, fmt_change(g, fmt_empty(l), e, l), COP_CHANGE_DIRECT);
		SUITE_EQUAL(g, l, attrs, fmt_covers(g, e, e, l), COP_COVERS_NONE);
		if (!FMT_CACHES_INVALID)
			SUITE_EQUAL(g, l, attrs, fmt_covers(g, fmt_empty(l), e, l), COP_COVERS_NONE);
		if (!FMT_LIVE_BY_INSTRUCTION)
			SUITE_EQUAL(g, l, attrs, fmt_change(g, e, fmt_empty(l), l), COP_CHANGE_DIRECT);
	}
}

/* What is taken away or loses a permission must be invalidated; a table takes its walk caches with it. */
static void suite_covers(void **state)
{
	(void)state;
	SUITE_EACH_GEOM(g)
	SUITE_EACH_LEVEL(g, l)
	{
		const uint64_t rw = fmt_leaf(g, 0, l, COP_USER_RW), ro = fmt_wrprotect(rw, l);
		const uint64_t other = fmt_leaf(g, 1ULL << fmt_shift(l), l, COP_USER_RW);
		const uint64_t table = fmt_table(g, 1ULL << FMT_PAGE_LG2, l);

		if (l != 0)
			SUITE_EQUAL(g, l, 0, fmt_covers(g, table, fmt_empty(l), l), COP_COVERS_TABLES);
		if (!fmt_can_leaf(g, l))
			continue;
		SUITE_EQUAL(g, l, 0, fmt_covers(g, rw, fmt_empty(l), l), COP_COVERS_LEAF);
		SUITE_EQUAL(g, l, 0, fmt_covers(g, rw, other, l), COP_COVERS_LEAF);
		SUITE_EQUAL(g, l, 0, fmt_covers(g, rw, ro, l), COP_COVERS_LEAF);
		SUITE_EQUAL(g, l, 0, fmt_covers(g, rw, fmt_mkprotnone(rw, l), l), COP_COVERS_LEAF);
	}
}

/* --------------------------------------------------------------------------------------------------- names */

static void suite_fields_of(const struct cop_geom *g, uint64_t e, unsigned l)
{
	unsigned count = 0, bit = 0;
	const struct cop_field *fields = fmt_fields(g, e, l, &count);

	SUITE_TRUE(g, l, 0, fields && count);
	for (unsigned i = 0; i < count; i++) {
		SUITE_EQUAL(g, l, i, fields[i].shift, bit);
		SUITE_TRUE(g, l, i, fields[i].width && fields[i].name[0] && fields[i].section[0]);
		bit += fields[i].width;
	}
	SUITE_EQUAL(g, l, 0, bit, 64);
}

static void suite_fields(void **state)
{
	uint64_t seed = 4;

	(void)state;
	SUITE_EACH_GEOM(g)
	SUITE_EACH_LEVEL(g, l)
	{
		suite_fields_of(g, fmt_empty(l), l);
		suite_fields_of(g, fmt_swap(1, 1, l), l);
		if (l != 0) {
			suite_fields_of(g, fmt_table(g, 0, l), l);
			suite_fields_of(g, fmt_marker(g, 0, l), l);
		}
		for (unsigned i = 0; i < 1000; i++)
			suite_fields_of(g, suite_sparse(&seed), l);
		assert_non_null(fmt_level_name(g, l));
		if (!fmt_can_leaf(g, l))
			continue;
		suite_fields_of(g, fmt_leaf(g, 0, l, COP_USER_RW), l);
		suite_fields_of(g, fmt_mkinvalid(fmt_leaf(g, 0, l, COP_USER_RW), l), l);
	}
}

/* The run-time table is this header and no other. */
static void suite_format_table(void **state)
{
	const struct cop_format *format = cop_format_for(FMT_ARCH, FMT_PAGE_LG2);

	(void)state;
	assert_ptr_equal(format, &FMT_FORMAT);
	assert_string_equal(format->name, FMT_NAME);
	assert_int_equal(format->page_lg2, FMT_PAGE_LG2);
	SUITE_EACH_GEOM(g)
	SUITE_EACH_LEAF_LEVEL(g, l)
	{
		const uint64_t e = fmt_leaf(g, 0, l, COP_USER_RW);

		SUITE_EQUAL(g, l, 0, format->check_geom(g), 0);
		SUITE_EQUAL(g, l, 0, format->leaf(g, 0, l, COP_USER_RW), e);
		SUITE_EQUAL(g, l, 0, format->attrs(g, e, l), COP_USER_RW);
		SUITE_EQUAL(g, l, 0, format->kind(g, e, l), COP_LEAF);
		SUITE_EQUAL(g, l, 0, format->shift(l), fmt_shift(l));
	}
}

#define SUITE_TESTS                                                                                                    \
	cmocka_unit_test(suite_geometry_tiles), cmocka_unit_test(suite_geometry_refuses),                              \
		cmocka_unit_test(suite_leaf_round_trip), cmocka_unit_test(suite_leaf_addresses),                       \
		cmocka_unit_test(suite_leaf_step), cmocka_unit_test(suite_table_round_trip),                           \
		cmocka_unit_test(suite_marker_round_trip), cmocka_unit_test(suite_empty),                              \
		cmocka_unit_test(suite_kinds_disjoint), cmocka_unit_test(suite_leaf_rest),                             \
		cmocka_unit_test(suite_algebra), cmocka_unit_test(suite_algebra_laws),                                 \
		cmocka_unit_test(suite_huge_and_invalid), cmocka_unit_test(suite_swap),                                \
		cmocka_unit_test(suite_change_from_empty), cmocka_unit_test(suite_covers),                             \
		cmocka_unit_test(suite_fields), cmocka_unit_test(suite_format_table)

#endif
