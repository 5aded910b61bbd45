/* SPDX-License-Identifier: MIT */
/*
 * x86-64, 4-level and 5-level paging (Intel SDM volume 3A, chapter 4, "SDM" below; AMD APM volume 2, chapter 5).
 *
 *   63 62  59 58  57  56:52   51                         12 11 10 9  8 7   6 5 4   3   2   1   0
 *   +--+-----+--+---+-------+-----------------------------+--+--+--+-+---+-+-+---+---+---+---+-+
 *   |XD| PK  |SD|DM | ign.  | address, from MAXPHYADDR    |SO|UF|SP|G|PAT|D|A|PCD|PWT|U/S|R/W|P|  4K leaf
 *   |XD| PK  |SD|DM | ign.  | address    | reserved | PAT |SO|UF|SP|G| 1 |D|A|PCD|PWT|U/S|R/W|P|  2M, 1G leaf (PS)
 *   |XD| ignored            | next table's address        | ignored  | 0 |-|A|PCD|PWT|U/S|R/W|P|  table
 *   +--+--------------------+-----------------------------+----------+---+-+-+---+---+---+---+-+
 *
 * Large leaves have PAT in bit 12 and reserve 20:13 (2M) or 29:13 (1G); bit 7 of a PML4E or PML5E is reserved, and so are
 * address bits from MAXPHYADDR on and, while IA32_EFER.NXE is 0, XD (SDM tables 4-14 to 4-20).
 *
 * Bits that hardware ignores carry the meanings Linux gives them since 6.6: 9 special (SP), 10 uffd-wp (UF), 11
 * soft-dirty (SO), 57 devmap (DM; Linux has none since 6.17), 58 saved-dirty (SD): the dirty state of a leaf that is not
 * writable, since R/W = 0 with D = 1 is a shadow-stack page to a CPU with CET (SDM 4.6.1).
 *
 * A leaf that software calls present though P is 0 (protnone, mkinvalid) has bit 8 set (and PS if it is large) and keeps
 * its other fields, with the address inverted: not present does not keep a CPU from using the address speculatively
 * (L1 terminal fault, CVE-2018-3620), and no memory lies there. What G was is remembered in bit 52. Swap entries
 * and markers keep bits 7 and 8 clear, and 5 and 6: some CPUs set A and D in entries that are not present.
 *
 * PAT, PCD and PWT index the IA32_PAT that Linux programs (arch/x86/mm/pat/memtype.c, pat_bp_init; SDM "Page Attribute
 * Table (PAT)"), 0x0407050600070106: 0 WB, 1 WC, 2 UC-, 3 UC, 4 WB, 5 WP, 6 UC-, 7 WT.
 *
 * Hardware ANDs R/W and U/S over all levels and ORs XD (SDM 4.6). fmt_table() is permissive (Linux's _PAGE_TABLE: R/W,
 * U/S, A, D), so that the leaf alone decides.
 */
#ifndef COPPICE_FORMATS_X86_64_H
#define COPPICE_FORMATS_X86_64_H

#include <coppice/format.h>

#define FMT_NAME                "x86-64"
#define FMT_FORMAT              cop_format_x86_64
#define FMT_ARCH                COP_X86_64
#define FMT_ARCH_NAME           "x86-64"
#define FMT_PAGE_LG2            12
#define FMT_MIN_TABLE_LG2       12
#define FMT_MAX_LEVELS          5
#define FMT_LIVE_BY_INSTRUCTION 0
#define FMT_CACHES_INVALID      0 /* SDM 4.10.2.3: nothing is cached of an entry with P = 0 or a reserved bit */
#define FMT_SWAP_TYPE_BITS      5
#define FMT_SWAP_OFFSET_BITS    50

#define X86_INDEX_LG2         9
#define X86_BITS(last, first) ((~0ULL >> (63 - (last))) & (~0ULL << (first)))

/* SDM tables 4-14 to 4-20. */
#define X86_P              (1ULL << 0)
#define X86_RW             (1ULL << 1)
#define X86_US             (1ULL << 2)
#define X86_PWT            (1ULL << 3)
#define X86_PCD            (1ULL << 4)
#define X86_A              (1ULL << 5)
#define X86_D              (1ULL << 6)
#define X86_PAT_4K         (1ULL << 7)
#define X86_PS             (1ULL << 7)
#define X86_G              (1ULL << 8)
#define X86_SW_SPECIAL     (1ULL << 9)
#define X86_SW_UFFD_WP     (1ULL << 10)
#define X86_SW_SOFT_DIRTY  (1ULL << 11)
#define X86_PAT_LARGE      (1ULL << 12)
#define X86_SW_DEVMAP      (1ULL << 57)
#define X86_SW_SAVED_DIRTY (1ULL << 58)
#define X86_IGNORED        X86_BITS(56, 52)
#define X86_PK             X86_BITS(62, 59) /* SDM 4.6.2 */
#define X86_XD             (1ULL << 63)
#define X86_ADDRESS_TOP    51
#define X86_ADDRESS        X86_BITS(X86_ADDRESS_TOP, 12)
/* Only while P is 0. */
#define X86_PROTNONE   X86_G
#define X86_WAS_GLOBAL (1ULL << 52)
#define X86_NO_READ    (1ULL << 53) /* R/W and U/S cannot say so */
/* Swap entries: Linux's layout, type in 63:59, the offset's complement in 58:9. */
#define X86_SWP_SOFT_DIRTY   (1ULL << 1)
#define X86_SWP_UFFD_WP      (1ULL << 2)
#define X86_SWP_EXCLUSIVE    (1ULL << 3)
#define X86_SWP_OFFSET_SHIFT 9
#define X86_SWP_TYPE_SHIFT   59
#define X86_SWP_ALL          (X86_BITS(63, X86_SWP_OFFSET_SHIFT) | X86_SWP_SOFT_DIRTY | X86_SWP_UFFD_WP | X86_SWP_EXCLUSIVE)
/* Markers: P = 0, bit 4, and the complement of the table's address where a table entry has it. No swap entry has bit 4. */
#define X86_MARKER X86_PCD

/* SDM 4.5: every level resolves 9 bits. */
static inline unsigned fmt_shift(unsigned l)
{
	return FMT_PAGE_LG2 + X86_INDEX_LG2 * l;
}

static inline unsigned fmt_index_bits(const struct cop_geom *g, unsigned l)
{
	(void)g;
	(void)l;
	return X86_INDEX_LG2;
}

static inline unsigned fmt_table_lg2(const struct cop_geom *g, unsigned l)
{
	(void)g;
	(void)l;
	return FMT_PAGE_LG2;
}

/* 1G pages: CPUID.80000001H:EDX.Page1GB (SDM 4.1.4). */
static inline bool fmt_can_leaf(const struct cop_geom *g, unsigned l)
{
	return l <= 1 || (l == 2 && (g->features & COP_F_1G));
}

static inline unsigned fmt_cont_lg2(const struct cop_geom *g, unsigned l)
{
	(void)g;
	(void)l;
	return 0;
}

static inline int fmt_check_geom(const struct cop_geom *g)
{
	const uint32_t known = COP_F_NX | COP_F_1G | COP_F_PCID | COP_F_PGE | COP_F_INVLPGB;

	if (g->arch != COP_X86_64 || g->half != COP_HALF_BOTH || g->page_lg2 != FMT_PAGE_LG2 || (g->features & ~known))
		return -COP_EINVAL;
	/* CR4.LA57 chooses between these two and nothing else. */
	if (!(g->levels == 4 && g->va_bits == 48) && !(g->levels == 5 && g->va_bits == 57))
		return -COP_EINVAL;
	/* MAXPHYADDR is at most 52 (SDM 4.1.4). */
	if (g->pa_bits < 32 || g->pa_bits > 52)
		return -COP_EINVAL;
	return 0;
}

static inline uint64_t fmt_empty(unsigned l)
{
	(void)l;
	return 0;
}

/* A large leaf has PS whether hardware sees it or not; Linux's mkinvalid leaves it nothing else. */
static inline bool fmt_present(uint64_t e, unsigned l)
{
	return e & (X86_P | (l == 0 ? X86_PROTNONE : X86_PS));
}

static inline bool fmt_is_table(uint64_t e, unsigned l)
{
	return l != 0 && !(e & X86_PS);
}

static inline bool fmt_links(uint64_t e, unsigned l)
{
	return l != 0 && (e & (X86_P | X86_PS)) == X86_P;
}

static inline uint64_t x86_leaf_address(unsigned l)
{
	return X86_BITS(X86_ADDRESS_TOP, 0) & (~0ULL << fmt_shift(l));
}

static inline cop_pa fmt_leaf_pa(const struct cop_geom *g, uint64_t e, unsigned l)
{
	(void)g;
	return (e & X86_P ? e : ~e) & x86_leaf_address(l);
}

static inline cop_pa fmt_table_pa(const struct cop_geom *g, uint64_t e, unsigned l)
{
	(void)g;
	(void)l;
	return e & X86_ADDRESS;
}

static inline cop_pa fmt_marker_pa(const struct cop_geom *g, uint64_t e, unsigned l)
{
	(void)g;
	(void)l;
	return ~e & X86_ADDRESS;
}

/* Set in an entry with P = 1, each of these makes every access through it fault. */
static inline uint64_t x86_reserved(const struct cop_geom *g)
{
	return (X86_ADDRESS & (~0ULL << g->pa_bits)) | (g->features & COP_F_NX ? 0 : X86_XD);
}

/* Below the address of a large leaf and above PAT. */
static inline uint64_t x86_leaf_low(unsigned l)
{
	return l == 0 ? 0 : X86_BITS(fmt_shift(l) - 1, 13);
}

static inline enum cop_kind x86_kind_leaf(const struct cop_geom *g, uint64_t e, unsigned l)
{
	const uint64_t plain = (e & ~x86_leaf_address(l)) | fmt_leaf_pa(g, e, l);

	return !fmt_can_leaf(g, l) || (plain & (x86_reserved(g) | x86_leaf_low(l))) ? COP_BAD : COP_LEAF;
}

static inline enum cop_kind x86_kind_marker(const struct cop_geom *g, uint64_t e, unsigned l)
{
	if (l == 0 || (e & ~(X86_ADDRESS | X86_MARKER)) || (fmt_marker_pa(g, e, l) & x86_reserved(g)))
		return COP_BAD;
	return COP_MARKER;
}

static inline enum cop_kind x86_kind_absent(const struct cop_geom *g, uint64_t e, unsigned l)
{
	if (e == 0)
		return COP_EMPTY;
	if (fmt_present(e, l))
		return x86_kind_leaf(g, e, l);
	if (e & X86_MARKER)
		return x86_kind_marker(g, e, l);
	return e & ~X86_SWP_ALL ? COP_BAD : COP_SWAP;
}

static inline enum cop_kind fmt_kind(const struct cop_geom *g, uint64_t e, unsigned l)
{
	if (!(e & X86_P))
		return x86_kind_absent(g, e, l);
	if (fmt_is_table(e, l))
		return e & x86_reserved(g) ? COP_BAD : COP_TABLE;
	return x86_kind_leaf(g, e, l);
}

/* Linux's ptdump calls the root PGD however many levels there are. */
static inline const char *fmt_level_name(const struct cop_geom *g, unsigned l)
{
	static const char *const names[] = {"PTE", "PMD", "PUD", "P4D", "PGD"};

	return l + 1 == g->levels ? "PGD" : names[l];
}

#include "formats/x86_64_leaf.h"
#include "formats/x86_64_swap.h"
#include "formats/x86_64_change.h"
#include "formats/x86_64_fields.h"

#endif
