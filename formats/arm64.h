/* SPDX-License-Identifier: MIT */
/*
 * arm64, stage 1, VMSAv8-64 (Arm ARM, DDI 0487, D8.3 "Translation table descriptor formats").
 *
 * Compiled for one granule: the includer defines ARM64_PAGE_LG2 as 12, 14 or 16. Arm counts levels from the top of the
 * largest tree (level 3 is the page level); here level 0 is the page level, so Arm's level n is 3 - n.
 *
 *   63    59 58 57 56 55  54  53   52  51  50 49                     12 11 10 9  8 7  6  5  4  2 1 0
 *   +-------+--+--+--+--+---+---+----+---+--+-------------------------+--+--+-----+-----+--+----+-+-+
 *   | PBHA  |SD|DM|SP|DI|UXN|PXN|CONT|DBM|GP| OA, upwards from page   |nG|AF|SH   |AP   |NS|Attr|T|V|  leaf
 *   +-------+--+--+--+--+---+---+----+---+--+-------------------------+--+--+-----+-----+--+----+-+-+
 *   | NSTable, APTable(2), UXNTable, PXNTable at 63, 62:61, 60, 59; next table's address; T = V = 1  |  table
 *
 * T: 1 for a page or a table, 0 for a block. Output address bits above 47 are where the granule has room for them: with
 * 64K OA[51:48] in [15:12] (FEAT_LPA), with 4K and 16K OA[49:48] in place and OA[51:50] in [9:8] (FEAT_LPA2, TCR.DS;
 * then shareability comes from TCR.SH0/SH1).
 *
 * Bits that hardware ignores carry the meanings Linux gives them: 55 dirty (DI), 56 special (SP), 57 devmap (DM); 58 is
 * soft-dirty (SD; Linux has none on arm64 and uses 58 for uffd-wp). "Writable" to software is DBM. An entry that
 * software calls present though V is 0 (protnone, mkinvalid) has nG set and keeps every other field (Linux's
 * PTE_PRESENT_INVALID); what nG was is remembered in bit 62, hardware ignoring invalid entries. Swap entries and
 * markers keep nG clear.
 *
 * Memory types are Linux's MT_* indexes into MAIR_EL1: 0 Normal, 1 Normal-Tagged, 2 Normal-NC, 3 Device-nGnRnE,
 * 4 Device-nGnRE. Linux leaves the other bytes 0, so indexes 5 to 7 read as Device-nGnRnE.
 */
#ifndef COPPICE_FORMATS_ARM64_H
#define COPPICE_FORMATS_ARM64_H

#include <coppice/format.h>

#ifndef ARM64_PAGE_LG2
#error "define ARM64_PAGE_LG2 as 12, 14 or 16"
#endif

#define FMT_ARCH                COP_ARM64
#define FMT_ARCH_NAME           "arm64"
#define FMT_PAGE_LG2            ARM64_PAGE_LG2
#define FMT_MIN_TABLE_LG2       ARM64_PAGE_LG2 /* a root with fewer entries still has a frame of its own */
#define FMT_LIVE_BY_INSTRUCTION 0
#define FMT_CACHES_INVALID      0 /* D8.16: an entry that faults is not cached */
#define FMT_SWAP_TYPE_BITS      5
#define FMT_SWAP_OFFSET_BITS    50

#define ARM64_INDEX_LG2 (ARM64_PAGE_LG2 - 3)
#if ARM64_PAGE_LG2 == 12
#define FMT_NAME       "arm64-4k"
#define FMT_FORMAT     cop_format_arm64_4k
#define FMT_MAX_LEVELS 5
#elif ARM64_PAGE_LG2 == 14
#define FMT_NAME       "arm64-16k"
#define FMT_FORMAT     cop_format_arm64_16k
#define FMT_MAX_LEVELS 4
#elif ARM64_PAGE_LG2 == 16
#define FMT_NAME       "arm64-64k"
#define FMT_FORMAT     cop_format_arm64_64k
#define FMT_MAX_LEVELS 3
#else
#error "ARM64_PAGE_LG2 is 12, 14 or 16"
#endif

#define ARM64_BITS(last, first) ((~0ULL >> (63 - (last))) & (~0ULL << (first)))

/* D8.3.2 block and page descriptors. */
#define ARM64_VALID         (1ULL << 0)
#define ARM64_TYPE          (1ULL << 1)
#define ARM64_ATTR_SHIFT    2
#define ARM64_ATTR          ARM64_BITS(4, 2)
#define ARM64_NS            (1ULL << 5)
#define ARM64_AP_USER       (1ULL << 6)
#define ARM64_AP_RDONLY     (1ULL << 7)
#define ARM64_SH            ARM64_BITS(9, 8)
#define ARM64_SH_INNER      (3ULL << 8)
#define ARM64_AF            (1ULL << 10)
#define ARM64_NG            (1ULL << 11)
#define ARM64_NT            (1ULL << 16) /* blocks, FEAT_BBM */
#define ARM64_GP            (1ULL << 50)
#define ARM64_DBM           (1ULL << 51)
#define ARM64_CONT          (1ULL << 52)
#define ARM64_PXN           (1ULL << 53)
#define ARM64_UXN           (1ULL << 54)
#define ARM64_SW_DIRTY      (1ULL << 55)
#define ARM64_SW_SPECIAL    (1ULL << 56)
#define ARM64_SW_DEVMAP     (1ULL << 57)
#define ARM64_SW_SOFT_DIRTY (1ULL << 58)
#define ARM64_PBHA          ARM64_BITS(62, 59)
#define ARM64_BIT63         (1ULL << 63)
/* Only while V is 0. */
#define ARM64_PRESENT_INVALID ARM64_NG
#define ARM64_WAS_GLOBAL      (1ULL << 62)
#define ARM64_NO_READ         (1ULL << 61) /* neither READ nor user execute-only: AP and UXN cannot say so */
/* Swap entries: Linux's layout, type in 10:6, offset in 61:12. */
#define ARM64_SWP_EXCLUSIVE    (1ULL << 2)
#define ARM64_SWP_SOFT_DIRTY   (1ULL << 3)
#define ARM64_SWP_TYPE_SHIFT   6
#define ARM64_SWP_OFFSET_SHIFT 12
#define ARM64_SWP_ALL                                                                                                  \
	(ARM64_BITS(61, ARM64_SWP_OFFSET_SHIFT) | ARM64_BITS(10, ARM64_SWP_TYPE_SHIFT) | ARM64_SWP_SOFT_DIRTY |        \
	 ARM64_SWP_EXCLUSIVE)
/* Markers: V = 0, T = 1, nG = 0, and the table's address where a table descriptor has it. No swap entry has T. */
#define ARM64_MARKER ARM64_TYPE

#if ARM64_PAGE_LG2 == 16
#define ARM64_OA_TOP        47
#define ARM64_OA_HIGH       ARM64_BITS(15, 12)
#define ARM64_OA_HIGH_SHIFT 36
#define ARM64_BIG_OA        COP_F_LPA
#define ARM64_STEP_LG2      48
#else
#define ARM64_OA_TOP        49
#define ARM64_OA_HIGH       ARM64_BITS(9, 8)
#define ARM64_OA_HIGH_SHIFT 42
#define ARM64_BIG_OA        COP_F_LPA2
#define ARM64_STEP_LG2      50
#endif

/* D8.2 "Translation granules": each level resolves as many bits as a page holds entries. */
static inline unsigned fmt_shift(unsigned l)
{
	return ARM64_PAGE_LG2 + ARM64_INDEX_LG2 * l;
}

/* Where the address bits of an entry depend on it (D8.3.1). */
#define FMT_WALK_FEATURES ARM64_BIG_OA

static inline unsigned fmt_index_bits(const struct cop_geom *g, unsigned l)
{
	return l + 1 == g->levels ? g->va_bits - fmt_shift(l) : (unsigned)ARM64_INDEX_LG2;
}

static inline unsigned fmt_table_lg2(const struct cop_geom *g, unsigned l)
{
	(void)g;
	(void)l;
	return ARM64_PAGE_LG2;
}

/* 52-bit output addresses are what makes the largest blocks useful, and only then are they defined (D8.3.2). */
static inline bool fmt_can_leaf(const struct cop_geom *g, unsigned l)
{
	const bool big = (g->features & ARM64_BIG_OA) != 0;

	if (ARM64_PAGE_LG2 == 12)
		return l <= 2 || (l == 3 && big);
	return l <= 1 || (l == 2 && big);
}

/* D8.7.1 "The Contiguous bit". A run must fit in its table: a short root has none. */
static inline unsigned fmt_cont_lg2(const struct cop_geom *g, unsigned l)
{
	unsigned lg2 = 0;

	if (!(g->features & COP_F_CONT))
		return 0;
	if (ARM64_PAGE_LG2 == 12)
		lg2 = l <= 2 ? 4 : 0;
	else if (ARM64_PAGE_LG2 == 14)
		lg2 = l == 0 ? 7 : l == 1 ? 5 : 0;
	else
		lg2 = l <= 1 ? 5 : 0;
	return fmt_index_bits(g, l) < lg2 ? 0 : lg2;
}

/* The initial level follows from the address size alone (D8.2, TCR_ELx.TxSZ): no more levels than it takes. */
static inline unsigned arm64_levels(unsigned va_bits)
{
	return (va_bits - ARM64_PAGE_LG2 + ARM64_INDEX_LG2 - 1) / ARM64_INDEX_LG2;
}

static inline int fmt_check_geom(const struct cop_geom *g)
{
	const uint32_t known =
		COP_F_HAF | COP_F_HD | COP_F_BBM1 | COP_F_BBM2 | COP_F_BBM2_NOABORT | COP_F_CONT | ARM64_BIG_OA;
	const bool big = (g->features & ARM64_BIG_OA) != 0;

	if (g->arch != COP_ARM64 || g->page_lg2 != ARM64_PAGE_LG2 || (g->features & ~known))
		return -COP_EINVAL;
	if (g->half != COP_HALF_LOW && g->half != COP_HALF_HIGH)
		return -COP_EINVAL;
	/* FEAT_TTST: TxSZ up to 48 (47 with 64K). FEAT_LVA is all that 64K takes to go beyond 48 bits. */
	if (g->va_bits < (ARM64_PAGE_LG2 == 16 ? 17 : 16) || g->va_bits > 52)
		return -COP_EINVAL;
	if (g->va_bits > 48 && ARM64_PAGE_LG2 != 16 && !big)
		return -COP_EINVAL;
	if (g->levels != arm64_levels(g->va_bits))
		return -COP_EINVAL;
	if (g->pa_bits < 32 || g->pa_bits > (big ? 52 : 48))
		return -COP_EINVAL;
	if ((g->features & COP_F_HD) && !(g->features & COP_F_HAF))
		return -COP_EINVAL;
	if ((g->features & COP_F_BBM2_NOABORT) && !(g->features & COP_F_BBM2))
		return -COP_EINVAL;
	return 0;
}

static inline uint64_t arm64_encode_pa(const struct cop_geom *g, cop_pa pa)
{
	uint64_t e = pa & ARM64_BITS(ARM64_OA_TOP, ARM64_PAGE_LG2);

	if (ARM64_PAGE_LG2 == 16 || (g->features & COP_F_LPA2))
		e |= (pa >> ARM64_OA_HIGH_SHIFT) & ARM64_OA_HIGH;
	return e;
}

/* @l: bits below that level's shift are not address. Without 52-bit addresses the high bits are 0 where they are not
 * SH. */
static inline cop_pa arm64_decode_pa(const struct cop_geom *g, uint64_t e, unsigned l)
{
	cop_pa pa = e & ARM64_BITS(ARM64_OA_TOP, 0) & (~0ULL << fmt_shift(l));

	if (g->features & ARM64_BIG_OA)
		pa |= (e & ARM64_OA_HIGH) << ARM64_OA_HIGH_SHIFT;
	return pa;
}

static inline uint64_t fmt_empty(unsigned l)
{
	(void)l;
	return 0;
}

static inline bool fmt_present(uint64_t e, unsigned l)
{
	(void)l;
	return (e & (ARM64_VALID | ARM64_PRESENT_INVALID)) != 0;
}

static inline bool fmt_is_table(uint64_t e, unsigned l)
{
	return l != 0 && (e & ARM64_TYPE);
}

static inline bool fmt_links(uint64_t e, unsigned l)
{
	return l != 0 && (e & (ARM64_VALID | ARM64_TYPE)) == (ARM64_VALID | ARM64_TYPE);
}

static inline cop_pa fmt_leaf_pa(const struct cop_geom *g, uint64_t e, unsigned l)
{
	return arm64_decode_pa(g, e, l);
}

static inline cop_pa fmt_table_pa(const struct cop_geom *g, uint64_t e, unsigned l)
{
	(void)l;
	return arm64_decode_pa(g, e, 0);
}

static inline bool arm64_valid(uint64_t e)
{
	return e & ARM64_VALID;
}

/* Address bits that must be 0 in a leaf of this level. */
static inline uint64_t arm64_leaf_res0(const struct cop_geom *g, unsigned l)
{
	uint64_t res0 = ARM64_BITS(fmt_shift(l) - 1, 12);

	if (ARM64_PAGE_LG2 == 16 && (g->features & COP_F_LPA))
		res0 &= ~ARM64_OA_HIGH;
	if (l != 0 && (g->features & (COP_F_BBM1 | COP_F_BBM2)))
		res0 &= ~ARM64_NT;
	if (!(g->features & COP_F_LPA2))
		res0 |= ARM64_BITS(49, 48);
	return res0;
}

static inline uint64_t arm64_table_res0(const struct cop_geom *g)
{
	return arm64_leaf_res0(g, 0);
}

static inline enum cop_kind arm64_kind_leaf(const struct cop_geom *g, uint64_t e, unsigned l)
{
	if (!fmt_can_leaf(g, l) || (e & arm64_leaf_res0(g, l)))
		return COP_BAD;
	return COP_LEAF;
}

static inline enum cop_kind arm64_kind_marker(const struct cop_geom *g, uint64_t e, unsigned l)
{
	const uint64_t high = g->features & ARM64_BIG_OA ? ARM64_OA_HIGH : 0;
	const uint64_t pa = ARM64_BITS(ARM64_OA_TOP, ARM64_PAGE_LG2) | high;

	if (l == 0 || (e & ~(pa | ARM64_MARKER)) || (e & arm64_table_res0(g)))
		return COP_BAD;
	return COP_MARKER;
}

static inline enum cop_kind arm64_kind_invalid(const struct cop_geom *g, uint64_t e, unsigned l)
{
	if (e == 0)
		return COP_EMPTY;
	if (e & ARM64_PRESENT_INVALID)
		return (l == 0) == ((e & ARM64_TYPE) != 0) ? arm64_kind_leaf(g, e, l) : COP_BAD;
	if (e & ARM64_TYPE)
		return arm64_kind_marker(g, e, l);
	return e & ~ARM64_SWP_ALL ? COP_BAD : COP_SWAP;
}

static inline enum cop_kind fmt_kind(const struct cop_geom *g, uint64_t e, unsigned l)
{
	if (!arm64_valid(e))
		return arm64_kind_invalid(g, e, l);
	if (fmt_is_table(e, l))
		return e & arm64_table_res0(g) ? COP_BAD : COP_TABLE;
	if (l == 0 && !(e & ARM64_TYPE))
		return COP_BAD;
	return arm64_kind_leaf(g, e, l);
}

/* Linux's ptdump calls the root PGD however many levels there are. */
static inline const char *fmt_level_name(const struct cop_geom *g, unsigned l)
{
	static const char *const names[] = {"PTE", "PMD", "PUD", "P4D", "PGD"};

	return l + 1 == g->levels ? "PGD" : names[l];
}

#include "formats/arm64_leaf.h"
#include "formats/arm64_swap.h"
#include "formats/arm64_change.h"
#include "formats/arm64_fields.h"

#endif
