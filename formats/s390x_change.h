/* SPDX-License-Identifier: MIT */
/*
 * What it takes to change a live s390x entry; part of s390x.h and included by nothing else.
 *
 * A valid entry that a CPU may use is changed only by the instructions that keep TLBs in step (chapter 3, "Modification
 * of Translation Tables"): IPTE and IDTE set I; CRDTE and CSPG put any entry in the place of any other, a leaf for a
 * table or another address included; RDP clears P in a page-table entry. Bits 56-63 of a page-table entry are software's
 * and may be stored at any time. Each instruction ends when no CPU holds a translation formed through the entry, of
 * whatever level; only RDP may do so for its own CPU alone.
 */
#ifndef COPPICE_FORMATS_S390X_CHANGE_H
#define COPPICE_FORMATS_S390X_CHANGE_H

/* Accesses are recorded in storage keys, by frame, never in entries. */
static inline bool fmt_racy(const struct cop_geom *g, uint64_t e, unsigned l)
{
	(void)g;
	(void)e;
	(void)l;
	return false;
}

/* Chapter 3, "DAT-Protection". */
static inline struct cop_access fmt_access(const struct cop_geom *g, uint64_t e, unsigned l, bool write)
{
	return (struct cop_access){!s390x_valid(e, l) || fmt_kind(g, e, l) != COP_LEAF || (write && (e & S390X_P)), e};
}

/* Hardware uses none of the bits in which they differ. */
static inline bool s390x_same(uint64_t old, uint64_t new_, unsigned l)
{
	return !((old ^ new_) & ~(l == 0 ? S390X_PAGE_FREE : 0));
}

/*
 * A reserved encoding that is valid has no type that CRDTE could be told, so it is invalidated first. (IPTE and IDTE take
 * theirs from the instruction.)
 */
static inline enum cop_change fmt_change(const struct cop_geom *g, uint64_t old, uint64_t new_, unsigned l)
{
	if (fmt_kind(g, new_, l) == COP_BAD)
		return COP_CHANGE_FORBIDDEN;
	if (!s390x_valid(old, l) || s390x_same(old, new_, l))
		return COP_CHANGE_DIRECT;
	return fmt_kind(g, old, l) == COP_BAD && s390x_valid(new_, l) ? COP_CHANGE_BREAK : COP_CHANGE_INSTR;
}

/*
 * A stale P only makes a store fault that need not: the user's fault handler repeats it, and RDP exists for that. Not for
 * the kernel's own stores, which have no handler.
 */
static inline bool s390x_stale_harmless(const struct cop_geom *g, uint64_t old, uint64_t new_, unsigned l)
{
	return l == 0 && (g->features & COP_F_RDP) && (old & S390X_USER) && (old & ~new_ & S390X_P) &&
	       s390x_same(old & ~S390X_P, new_, l);
}

/*
 * What the change leaves stale until it is invalidated. Where fmt_change says COP_CHANGE_INSTR the instruction does that
 * itself, for every address that the entry translates, and nothing remains; what is stored by other means (an entry of a
 * table that is already unlinked) needs what this says, unless the invalidation of the link above covered it.
 */
static inline enum cop_covers fmt_covers(const struct cop_geom *g, uint64_t old, uint64_t new_, unsigned l)
{
	if (!s390x_valid(old, l) || s390x_same(old, new_, l) || s390x_stale_harmless(g, old, new_, l))
		return COP_COVERS_NONE;
	return fmt_is_table(old, l) ? COP_COVERS_TABLES : COP_COVERS_LEAF;
}

#endif
