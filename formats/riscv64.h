/* SPDX-License-Identifier: MIT */
/*
 * riscv64: Sv39, Sv48 and Sv57 (RISC-V Privileged Architecture, "Supervisor-Level ISA"), with Svnapot, Svpbmt, Svadu and
 * Svvptc. Sections are cited by name: their numbers differ between editions of the manual.
 *
 *   63  62 61  60   54 53                      10 9  8 7 6 5 4 3 2 1 0
 *   +--+------+-------+--------------------------+----+-+-+-+-+-+-+-+-+
 *   | N| PBMT | 0     | PPN                      |RSW |D|A|G|U|X|W|R|V|  leaf: R, W, X not all 0
 *   +--+------+-------+--------------------------+----+-+-+-+-+-+-+-+-+
 *   | 0  0      0     | next table's PPN         |RSW |0|0|G|0|0|0|0|1|  table
 *
 * RSW carries what Linux gives it: bit 8 special. Linux used bit 9 for devmap up to 6.16 and leaves it free now; it is
 * soft-dirty here (Linux has soft-dirty only with Svrsw60t59b, in a bit that all other CPUs reserve). There is no devmap.
 *
 * An entry that software calls present though V is 0 (protnone, mkinvalid) has G set and keeps every other field (Linux's
 * _PAGE_PROT_NONE); what G was is remembered in bit 54, hardware ignoring all of an invalid entry. Swap entries and
 * markers keep G clear.
 *
 * Hardware may cache an entry that is invalid, or that faults for any other reason ("Supervisor Memory-Management Fence
 * Instruction"): a change that only adds must be fenced too, unless Svvptc bounds how long it goes unseen. A fence with an
 * address orders leaves only: after a table was linked or unlinked it must be one without, so ports ignore the address
 * with COP_TLBI_TABLES.
 */
#ifndef COPPICE_FORMATS_RISCV64_H
#define COPPICE_FORMATS_RISCV64_H

#include <coppice/format.h>

#define FMT_NAME                "riscv64"
#define FMT_ARCH                COP_RISCV64
#define FMT_ARCH_NAME           "riscv64"
#define FMT_FORMAT              cop_format_riscv64
#define FMT_PAGE_LG2            12
#define FMT_MIN_TABLE_LG2       12
#define FMT_MAX_LEVELS          5
#define FMT_WALK_LEVELS         3 /* Sv39 */
#define FMT_LIVE_BY_INSTRUCTION 0
#define FMT_CACHES_INVALID      1
#define FMT_SWAP_TYPE_BITS      5
#define FMT_SWAP_OFFSET_BITS    52

#define RISCV_BITS(last, first) ((~0ULL >> (63 - (last))) & (~0ULL << (first)))

/* "Sv32: Addressing and Memory Protection", "Sv39: Addressing and Memory Protection". */
#define RISCV_V             (1ULL << 0)
#define RISCV_R             (1ULL << 1)
#define RISCV_W             (1ULL << 2)
#define RISCV_X             (1ULL << 3)
#define RISCV_U             (1ULL << 4)
#define RISCV_G             (1ULL << 5)
#define RISCV_A             (1ULL << 6)
#define RISCV_D             (1ULL << 7)
#define RISCV_SW_SPECIAL    (1ULL << 8)
#define RISCV_SW_SOFT_DIRTY (1ULL << 9)
#define RISCV_RSW           RISCV_BITS(9, 8)
#define RISCV_PPN_SHIFT     10
#define RISCV_PPN           RISCV_BITS(53, RISCV_PPN_SHIFT)
#define RISCV_RESERVED      RISCV_BITS(60, 54)
#define RISCV_RWX           (RISCV_R | RISCV_W | RISCV_X)
/* "Svpbmt". */
#define RISCV_PBMT_SHIFT 61
#define RISCV_PBMT       RISCV_BITS(62, 61)
#define RISCV_PBMT_NC    (1ULL << RISCV_PBMT_SHIFT)
#define RISCV_PBMT_IO    (2ULL << RISCV_PBMT_SHIFT)
/* "Svnapot": the one size defined is 64K, said by ppn[3:0] = 1000. */
#define RISCV_N         (1ULL << 63)
#define RISCV_NAPOT_LG2 4
#define RISCV_NAPOT_PPN RISCV_BITS(RISCV_PPN_SHIFT + RISCV_NAPOT_LG2 - 1, RISCV_PPN_SHIFT)
#define RISCV_NAPOT_64K (1ULL << (RISCV_PPN_SHIFT + RISCV_NAPOT_LG2 - 1))
/* Only while V is 0. */
#define RISCV_PRESENT_INVALID RISCV_G
#define RISCV_WAS_GLOBAL      (1ULL << 54)
/* Swap entries: Linux's layout, type in 11:7, offset in 63:12. */
#define RISCV_SWP_SOFT_DIRTY   (1ULL << 3)
#define RISCV_SWP_EXCLUSIVE    (1ULL << 6)
#define RISCV_SWP_TYPE_SHIFT   7
#define RISCV_SWP_OFFSET_SHIFT 12
#define RISCV_SWP_ALL          (RISCV_BITS(63, RISCV_SWP_TYPE_SHIFT) | RISCV_SWP_EXCLUSIVE | RISCV_SWP_SOFT_DIRTY)
/* Markers: W alone, and the table's address where a table entry has it. No swap entry has W. */
#define RISCV_MARKER RISCV_W

/* "Sv39: Virtual Address Translation Process": nine bits of address at every level, whatever the mode. */
static inline unsigned fmt_shift(unsigned l)
{
	return 12 + 9 * l;
}

static inline unsigned fmt_index_bits(const struct cop_geom *g, unsigned l)
{
	(void)g;
	(void)l;
	return 9;
}

static inline unsigned fmt_table_lg2(const struct cop_geom *g, unsigned l)
{
	(void)g;
	(void)l;
	return 12;
}

/* "any level of PTE may be a leaf PTE": 4K, 2M, 1G, with Sv48 512G, with Sv57 256T. */
static inline bool fmt_can_leaf(const struct cop_geom *g, unsigned l)
{
	return l < g->levels;
}

/* Without Svnapot no entry has N. */
#define FMT_WALK_ASSUMES COP_F_SVNAPOT

static inline unsigned fmt_cont_lg2(const struct cop_geom *g, unsigned l)
{
	return l == 0 && (g->features & COP_F_SVNAPOT) ? RISCV_NAPOT_LG2 : 0;
}

/* satp.MODE: Sv39, Sv48, Sv57 and nothing between. */
static inline int fmt_check_geom(const struct cop_geom *g)
{
	const uint32_t known = COP_F_SVNAPOT | COP_F_SVPBMT | COP_F_ADUE | COP_F_SVVPTC;

	if (g->arch != COP_RISCV64 || g->half != COP_HALF_BOTH || g->page_lg2 != 12 || (g->features & ~known))
		return -COP_EINVAL;
	if (g->levels < 3 || g->levels > FMT_MAX_LEVELS || g->va_bits != fmt_shift(g->levels))
		return -COP_EINVAL;
	return g->pa_bits < 32 || g->pa_bits > 56 ? -COP_EINVAL : 0;
}

static inline uint64_t riscv_encode_pa(cop_pa pa)
{
	return (pa >> (12 - RISCV_PPN_SHIFT)) & RISCV_PPN;
}

static inline cop_pa riscv_decode_pa(uint64_t e)
{
	return (e & RISCV_PPN) << (12 - RISCV_PPN_SHIFT);
}

static inline uint64_t fmt_empty(unsigned l)
{
	(void)l;
	return 0;
}

static inline bool riscv_valid(uint64_t e)
{
	return e & RISCV_V;
}

static inline bool fmt_present(uint64_t e, unsigned l)
{
	(void)l;
	return (e & (RISCV_V | RISCV_PRESENT_INVALID)) != 0;
}

static inline bool fmt_is_table(uint64_t e, unsigned l)
{
	return l != 0 && (e & (RISCV_V | RISCV_RWX)) == RISCV_V;
}

static inline bool fmt_links(uint64_t e, unsigned l)
{
	return fmt_is_table(e, l);
}

/* Of a member of a run: the run's base, whichever member it is. */
static inline cop_pa fmt_leaf_pa(const struct cop_geom *g, uint64_t e, unsigned l)
{
	(void)g;
	(void)l;
	return riscv_decode_pa(e & RISCV_N ? e & ~RISCV_NAPOT_PPN : e);
}

static inline cop_pa fmt_table_pa(const struct cop_geom *g, uint64_t e, unsigned l)
{
	(void)g;
	(void)l;
	return riscv_decode_pa(e);
}

/* "Svnapot", page table entry encodings when N is 1: all but one are reserved. */
static inline bool riscv_napot_ok(const struct cop_geom *g, uint64_t e, unsigned l)
{
	if (!(e & RISCV_N))
		return true;
	return fmt_cont_lg2(g, l) && (e & RISCV_NAPOT_PPN) == RISCV_NAPOT_64K;
}

static inline bool riscv_pbmt_ok(const struct cop_geom *g, uint64_t e)
{
	if (!(e & RISCV_PBMT))
		return true;
	return (g->features & COP_F_SVPBMT) && (e & RISCV_PBMT) != RISCV_PBMT;
}

/* What makes the translation process raise a page fault: reserved bits, W without R, a superpage not aligned. */
static inline enum cop_kind riscv_kind_leaf(const struct cop_geom *g, uint64_t e, unsigned l)
{
	const uint64_t reserved = riscv_valid(e) ? RISCV_RESERVED : RISCV_RESERVED & ~RISCV_WAS_GLOBAL;
	const uint64_t misaligned = ((1ULL << (9 * l)) - 1) << RISCV_PPN_SHIFT;

	if (!fmt_can_leaf(g, l) || (e & (reserved | misaligned)) || (e & (RISCV_R | RISCV_W)) == RISCV_W)
		return COP_BAD;
	return riscv_napot_ok(g, e, l) && riscv_pbmt_ok(g, e) ? COP_LEAF : COP_BAD;
}

/* "For non-leaf PTEs, the D, A, and U bits are reserved"; so are N and PBMT. */
static inline enum cop_kind riscv_kind_table(uint64_t e, unsigned l)
{
	const uint64_t reserved = RISCV_N | RISCV_PBMT | RISCV_RESERVED | RISCV_D | RISCV_A | RISCV_U;

	return l == 0 || (e & reserved) ? COP_BAD : COP_TABLE;
}

static inline enum cop_kind riscv_kind_invalid(const struct cop_geom *g, uint64_t e, unsigned l)
{
	if (e == 0)
		return COP_EMPTY;
	if (e & RISCV_PRESENT_INVALID)
		return riscv_kind_leaf(g, e, l);
	if (e & RISCV_MARKER)
		return l == 0 || (e & ~(RISCV_PPN | RISCV_MARKER)) ? COP_BAD : COP_MARKER;
	return e & ~RISCV_SWP_ALL ? COP_BAD : COP_SWAP;
}

static inline enum cop_kind fmt_kind(const struct cop_geom *g, uint64_t e, unsigned l)
{
	if (!riscv_valid(e))
		return riscv_kind_invalid(g, e, l);
	return e & RISCV_RWX ? riscv_kind_leaf(g, e, l) : riscv_kind_table(e, l);
}

/* Linux's ptdump calls the root PGD however many levels there are. */
static inline const char *fmt_level_name(const struct cop_geom *g, unsigned l)
{
	static const char *const names[] = {"PTE", "PMD", "PUD", "P4D", "PGD"};

	return l + 1 == g->levels ? "PGD" : names[l];
}

#include "formats/riscv64_leaf.h"
#include "formats/riscv64_swap.h"
#include "formats/riscv64_change.h"
#include "formats/riscv64_fields.h"

#endif
