/* SPDX-License-Identifier: MIT */
/*
 * s390x, dynamic address translation (z/Architecture Principles of Operation, SA22-7832, chapter 3 "Dynamic Address
 * Translation"). The manual counts bits from the left: its bit n is 1 << (63 - n) here, and masks are written in hex.
 *
 * Level 0 is the page table (256 entries, 2 KB), level 1 the segment table, levels 2 to 4 the region-third, -second and
 * -first tables (2048 entries, 16 KB). The address-space-control element (ASCE) designates the root, whose type decides
 * the number of levels: 31, 42, 53 or 64 bits of address.
 *
 *   63                                                12  11  10   9   8    7   6   5   4  3 2  1   0
 *   +----------------------------------------------------+---+---+---+----+---+---+---+---+----+---+---+
 *   | page-frame real address                            | 0 | I | P |IEP | us  sp  wr  rd  di  yo  sd  pr|  page
 *   | segment-/region-frame address   |AV| wr rd di yo   |sp | FC| P |IEP | us| - | I |CS | TT |sd |pr |  large leaf
 *   | page-table origin, bit 11 included                     | FC| P | 0  | 0 | 0 | I |CS | TT | - |pr |  segment -> table
 *   | table origin                                       | 0 | FC| P | 0  |  TF   | I |CR | TT |  TL   |  region -> table
 *   +----------------------------------------------------+---+---+---+----+---+---+---+---+----+---+---+
 *
 * FC: 1 for a leaf (EDAT-1: 1 MB in segment tables; EDAT-2: 2 GB in region-third tables). TT: the table's own type, 0
 * for segment, 1 to 3 for region-third to -first; an entry whose TT is wrong is a translation-specification exception.
 * TF and TL: first and last quarter of the next table that exist; here always 0 and 3.
 *
 * Software's bits are Linux's (arch/s390/include/asm/pgtable.h): pr present, sd soft-dirty, yo young, di dirty, rd
 * readable, wr writable, sp special (pages only; for large leaves the F position is used, which means nothing while AV
 * is 0). A large leaf has wr, rd, di, yo where ACC would be, so AV must be 0. This is the layout in which large leaves
 * have a present bit and can be swap entries; kernels before it (6.1) had rd and wr in bits 0 and 1.
 *
 * Hardware records no accesses in entries (storage keys belong to frames). Linux's protocol: a leaf that is old has I
 * set, a leaf that is clean or not writable has P set, and a fault makes it young or dirty. So an old leaf is invalid to
 * hardware and present to software. Of a valid leaf hardware's bits are believed first: it is young and readable, and
 * with P clear writable and dirty, whatever software's bits say.
 *
 * "us" (COP_USER) is remembered for software in a bit that Linux leaves to guest page states: user and kernel are
 * different address spaces here, and no entry says which. Nor is there a global page: the common-segment bit shares
 * tables between address spaces, and leaves without COP_USER are not given it. See fmt_check_attrs.
 */
#ifndef COPPICE_FORMATS_S390X_H
#define COPPICE_FORMATS_S390X_H

#include <coppice/format.h>

#define FMT_NAME                "s390x"
#define FMT_ARCH                COP_S390X
#define FMT_ARCH_NAME           "s390x"
#define FMT_FORMAT              cop_format_s390x
#define FMT_PAGE_LG2            12
#define FMT_MIN_TABLE_LG2       11
#define FMT_MAX_LEVELS          5
#define FMT_WALK_LEVELS         3 /* Linux's default, 42 bits */
#define FMT_LIVE_BY_INSTRUCTION 1
#define FMT_CACHES_INVALID      0 /* chapter 3, "Formation of TLB Entries": only from valid entries */
#define FMT_SWAP_TYPE_BITS      5
#define FMT_SWAP_OFFSET_BITS    52

/* Both kinds of entry. */
#define S390X_P       0x200ULL
#define S390X_IEP     0x100ULL
#define S390X_USER    0x80ULL
#define S390X_SOFT    0x2ULL
#define S390X_PRESENT 0x1ULL
/* Page-table entries. */
#define S390X_PAGE_ZERO    0x800ULL /* in a valid entry */
#define S390X_PAGE_I       0x400ULL
#define S390X_PAGE_SPECIAL 0x40ULL
#define S390X_PAGE_WRITE   0x20ULL
#define S390X_PAGE_READ    0x10ULL
#define S390X_PAGE_DIRTY   0x8ULL
#define S390X_PAGE_YOUNG   0x4ULL
#define S390X_PAGE_BARRED  S390X_PAGE_ZERO /* only while I is 1 */
#define S390X_PAGE_FREE    0xffULL         /* the manual leaves bits 56-63 to software, in valid entries too */
/* Segment- and region-table entries. */
#define S390X_FC            0x400ULL
#define S390X_I             0x20ULL
#define S390X_COMMON        0x10ULL
#define S390X_TT            0xcULL
#define S390X_TT_SHIFT      2
#define S390X_TL            0x3ULL
#define S390X_LARGE_WRITE   0x8000ULL
#define S390X_LARGE_READ    0x4000ULL
#define S390X_LARGE_DIRTY   0x2000ULL
#define S390X_LARGE_YOUNG   0x1000ULL
#define S390X_LARGE_SPECIAL 0x800ULL
#define S390X_LARGE_BARRED  0x40ULL /* only while I is 1 */

static inline unsigned fmt_shift(unsigned l)
{
	return l == 0 ? 12 : 9 + 11 * l;
}

static inline unsigned fmt_index_bits(const struct cop_geom *g, unsigned l)
{
	(void)g;
	return l == 0 ? 8 : 11;
}

static inline unsigned fmt_table_lg2(const struct cop_geom *g, unsigned l)
{
	return fmt_index_bits(g, l) + 3;
}

static inline bool fmt_can_leaf(const struct cop_geom *g, unsigned l)
{
	return l == 0 || (l == 1 && (g->features & COP_F_EDAT1)) || (l == 2 && (g->features & COP_F_EDAT2));
}

static inline unsigned fmt_cont_lg2(const struct cop_geom *g, unsigned l)
{
	(void)g;
	(void)l;
	return 0;
}

/* Two to five levels: what a segment, region-third, -second or -first table resolves. */
static inline int fmt_check_geom(const struct cop_geom *g)
{
	const uint32_t known = COP_F_EDAT1 | COP_F_EDAT2 | COP_F_IEP | COP_F_RDP;

	if (g->arch != COP_S390X || g->page_lg2 != FMT_PAGE_LG2 || g->half != COP_HALF_LOW || (g->features & ~known))
		return -COP_EINVAL;
	if (g->levels < 2 || g->levels > FMT_MAX_LEVELS || g->va_bits != fmt_shift(g->levels))
		return -COP_EINVAL;
	if (g->pa_bits < 31 || g->pa_bits > 63)
		return -COP_EINVAL;
	if ((g->features & COP_F_EDAT2) && !(g->features & COP_F_EDAT1))
		return -COP_EINVAL;
	return 0;
}

/* The table's own type, where its entries carry it. */
static inline uint64_t s390x_tt(unsigned l)
{
	return l == 0 ? 0 : (uint64_t)(l - 1) << S390X_TT_SHIFT;
}

static inline uint64_t s390x_i(unsigned l)
{
	return l == 0 ? S390X_PAGE_I : S390X_I;
}

static inline bool s390x_valid(uint64_t e, unsigned l)
{
	return !(e & s390x_i(l));
}

static inline uint64_t fmt_empty(unsigned l)
{
	return s390x_i(l) | s390x_tt(l);
}

/* Bit 0 is part of TL in a region entry, so there it says present only beside FC. */
static inline bool fmt_present(uint64_t e, unsigned l)
{
	const uint64_t leaf = l == 0 ? S390X_PRESENT : S390X_PRESENT | S390X_FC;

	return s390x_valid(e, l) || (e & leaf) == leaf;
}

static inline bool fmt_is_table(uint64_t e, unsigned l)
{
	return l != 0 && !(e & S390X_FC);
}

static inline bool fmt_links(uint64_t e, unsigned l)
{
	return l != 0 && !(e & (S390X_FC | s390x_i(l)));
}

static inline cop_pa fmt_leaf_pa(const struct cop_geom *g, uint64_t e, unsigned l)
{
	(void)g;
	return e & (~0ULL << fmt_shift(l));
}

/* Page tables are half a frame. */
static inline uint64_t s390x_origin(unsigned l)
{
	return ~0ULL << (l == 1 ? 11 : 12);
}

static inline cop_pa fmt_table_pa(const struct cop_geom *g, uint64_t e, unsigned l)
{
	(void)g;
	return e & s390x_origin(l);
}

/* Below the origin: a segment entry says present, as in Linux; a region entry gives the next table's length. */
static inline uint64_t s390x_link(unsigned l)
{
	return s390x_tt(l) | (l == 1 ? S390X_PRESENT : S390X_TL);
}

static inline uint64_t fmt_table(const struct cop_geom *g, cop_pa pa, unsigned l)
{
	(void)g;
	return pa | s390x_link(l);
}

/* What IDTE leaves of a table's link is the marker. */
static inline uint64_t fmt_marker(const struct cop_geom *g, cop_pa pa, unsigned l)
{
	return fmt_table(g, pa, l) | S390X_I;
}

static inline cop_pa fmt_marker_pa(const struct cop_geom *g, uint64_t e, unsigned l)
{
	return fmt_table_pa(g, e, l);
}

/* Address bits below the leaf's size; AV would turn software's bits into an access key. */
static inline enum cop_kind s390x_kind_leaf(const struct cop_geom *g, uint64_t e, unsigned l)
{
	uint64_t zero = g->features & COP_F_IEP ? 0 : S390X_IEP;

	if (l == 0 && s390x_valid(e, l))
		zero |= S390X_PAGE_ZERO;
	if (l != 0)
		zero |= ((1ULL << fmt_shift(l)) - 1) & (~0ULL << 16);
	return !fmt_can_leaf(g, l) || (e & zero) ? COP_BAD : COP_LEAF;
}

/* Short tables (TF, TL) are architecture but not ours: nothing that walks could tell where they end. */
static inline enum cop_kind s390x_kind_table(uint64_t e, unsigned l)
{
	const uint64_t below = e & ~s390x_origin(l) & ~(S390X_P | S390X_COMMON | S390X_TT);

	if (l == 1)
		return below & ~S390X_TL ? COP_BAD : COP_TABLE;
	return below == S390X_TL ? COP_TABLE : COP_BAD;
}

/* Linux: I and P without present; the type in 6:2, the offset from 12 up, 11 for an exclusive anonymous page. */
#define S390X_SWP_OFFSET_SHIFT     12
#define S390X_SWP_EXCLUSIVE        0x800ULL
#define S390X_SWP_TYPE_SHIFT       2
#define S390X_LARGE_SWP_TYPE_SHIFT 6

static inline enum cop_kind s390x_kind_invalid_page(const struct cop_geom *g, uint64_t e)
{
	const uint64_t swap =
		S390X_SWP_EXCLUSIVE | S390X_PAGE_I | S390X_P | 0x1fULL << S390X_SWP_TYPE_SHIFT | S390X_SOFT;

	if (e == fmt_empty(0))
		return COP_EMPTY;
	if (e & S390X_PRESENT)
		return s390x_kind_leaf(g, e, 0);
	if ((e & S390X_P) && !(e & 0xfff & ~swap))
		return COP_SWAP;
	return COP_BAD;
}

/* Linux: a large swap entry has the common bit without present. */
static inline enum cop_kind s390x_kind_invalid_large(const struct cop_geom *g, uint64_t e, unsigned l)
{
	if (e == fmt_empty(l))
		return COP_EMPTY;
	if (fmt_present(e, l))
		return s390x_kind_leaf(g, e, l);
	if ((e & S390X_COMMON) && !(e & S390X_PRESENT))
		return COP_SWAP;
	return e == fmt_marker(g, fmt_marker_pa(g, e, l), l) ? COP_MARKER : COP_BAD;
}

static inline enum cop_kind fmt_kind(const struct cop_geom *g, uint64_t e, unsigned l)
{
	if (l == 0)
		return s390x_valid(e, l) ? s390x_kind_leaf(g, e, l) : s390x_kind_invalid_page(g, e);
	if ((e & S390X_TT) != s390x_tt(l))
		return COP_BAD;
	if (!s390x_valid(e, l))
		return s390x_kind_invalid_large(g, e, l);
	return fmt_is_table(e, l) ? s390x_kind_table(e, l) : s390x_kind_leaf(g, e, l);
}

/* Linux's ptdump on s390x calls a region-first table's entries by the ASCE that points to it. */
static inline const char *fmt_level_name(const struct cop_geom *g, unsigned l)
{
	static const char *const names[] = {"PTE", "PMD", "PUD", "PGD", "ASCE"};

	(void)g;
	return names[l];
}

#include "formats/s390x_leaf.h"
#include "formats/s390x_swap.h"
#include "formats/s390x_change.h"
#include "formats/s390x_fields.h"

#endif
