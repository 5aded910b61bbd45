/* SPDX-License-Identifier: MIT */
/* What an entry of a real machine's table is: fmt_kind() and, on s390x, tables shorter than Linux makes them. */
#ifndef COPPICE_INSPECT_ENTRY_H
#define COPPICE_INSPECT_ENTRY_H

#include "inspect/machine.h"

/*
 * z/Architecture Principles of Operation, "Region-Table Entries": TF (bits 56-57) and TL (62-63) are the first and the
 * last quarter of the next table that exist; TT is the table's own type, I (58) makes it invalid.
 */
static inline bool insp_short_table(uint64_t e, unsigned level)
{
	const unsigned first = (unsigned)(e >> 6) & 3, last = (unsigned)e & 3;

	return level >= 2 && (e & 0xd3cULL) == (uint64_t)(level - 1) << 2 && first <= last;
}

static inline unsigned insp_table_first(uint64_t e)
{
	return ((unsigned)(e >> 6) & 3) * 512;
}

static inline unsigned insp_table_end(uint64_t e)
{
	return (((unsigned)e & 3) + 1) * 512;
}

/* fmt_kind() of the format, and COP_TABLE for what insp_short_table() is on s390x. */
enum cop_kind insp_kind(const struct insp_tree *, uint64_t entry, unsigned level);

/* The table that @entry of @level links has its entries from the first to below the end. */
struct insp_part {
	unsigned first, end;
};
struct insp_part insp_part(const struct insp_tree *, uint64_t entry, unsigned level);

/*
 * What a table's entry takes away from the leaves below: COP_WRITE, COP_USER, COP_EXEC (of user leaves), COP_KEXEC.
 */

/* SDM 4.6: R/W and U/S count only if set at every level, XD if set at any. */
static inline uint32_t insp_denies_x86_64(uint64_t e)
{
	return (e & 2 ? 0U : COP_WRITE) | (e & 4 ? 0U : COP_USER) | (e >> 63 ? COP_EXEC | COP_KEXEC : 0U);
}

/* DDI 0487 D8.4, hierarchical control: PXNTable 59, UXNTable 60, APTable 62:61 (no EL0 access, read-only). */
static inline uint32_t insp_denies_arm64(uint64_t e)
{
	return (e >> 59 & 1 ? COP_KEXEC : 0U) | (e >> 60 & 1 ? COP_EXEC : 0U) | (e >> 61 & 1 ? COP_USER : 0U) |
	       (e >> 62 & 1 ? COP_WRITE : 0U);
}

/* "Protection": with enhanced DAT that of a region- or segment-table entry covers all below. */
static inline uint32_t insp_denies_s390x(uint64_t e)
{
	return e & 0x200 ? COP_WRITE : 0;
}

uint32_t insp_denies(const struct insp_tree *, uint64_t entry);

/* @attrs of a leaf below tables that deny @denied. */
uint32_t insp_less(uint32_t attrs, uint32_t denied);

#endif
