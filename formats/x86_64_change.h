/* SPDX-License-Identifier: MIT */
/* What it takes to change a live x86-64 entry; part of x86_64.h and included by nothing else. */
#ifndef COPPICE_FORMATS_X86_64_CHANGE_H
#define COPPICE_FORMATS_X86_64_CHANGE_H

/*
 * SDM 4.8: hardware sets A in every entry it walks through and D in the leaf it writes through, each by a locked
 * operation, whenever it likes; there is no switch for either.
 */
static inline bool fmt_racy(const struct cop_geom *g, uint64_t e, unsigned l)
{
	(void)g;
	if (!(e & X86_P))
		return false;
	if (!(e & X86_A))
		return true;
	return !fmt_is_table(e, l) && (e & X86_RW) && !(e & X86_D);
}

/* SDM 4.6, 4.8; CR0.WP is set. */
static inline struct cop_access fmt_access(const struct cop_geom *g, uint64_t e, unsigned l, bool write)
{
	if (!(e & X86_P) || fmt_kind(g, e, l) != COP_LEAF || (write && !(e & X86_RW)))
		return (struct cop_access){true, e};
	return (struct cop_access){false, e | X86_A | (write ? X86_D : 0)};
}

/*
 * SDM 4.10.2.3, 4.10.3.1: only entries with P = 1 and no reserved bit set are cached. A = 0 proves nothing: the copy may
 * be from before software cleared it.
 */
static inline bool x86_cacheable(const struct cop_geom *g, uint64_t e, unsigned l)
{
	return (e & X86_P) && fmt_kind(g, e, l) != COP_BAD;
}

/* Memory types by what the PAT makes of them: 0 and 4 are both WB, 2 and 6 both UC-. */
static inline bool x86_same_type(uint64_t old, uint64_t new_, unsigned l)
{
	const unsigned a = x86_pat_index(old, l), b = x86_pat_index(new_, l);

	return a == b || ((a ^ b) == 4 && (a & 1) == 0);
}

/*
 * Hardware takes any change of a linked entry in one store; until the invalidation it may use either (SDM 4.10.4.2).
 * Two exceptions are software's:
 *
 * - Memory type: not present, invalidate, and only then the new type, or lines cached under the old one are reached
 *   under the new (SDM "Programming the PAT", APM volume 2, 7.8).
 * - Page size: a change of size *and* of address, rights or type wants the same (SDM 4.10.2.3; on CPUs with the iTLB
 *   multihit erratum, CVE-2018-12207, size and address or type changed live may end in a machine check). Size alone is
 *   direct; Linux splits its own mappings so. A format sees one entry: whoever links a table for a leaf answers for the
 *   table mapping the same, alike. AMD family 10h before revision D (erratum 383) is not supported.
 */
static inline enum cop_change fmt_change(const struct cop_geom *g, uint64_t old, uint64_t new_, unsigned l)
{
	if (fmt_kind(g, new_, l) == COP_BAD)
		return COP_CHANGE_FORBIDDEN;
	if (!x86_cacheable(g, old, l) || !(new_ & X86_P))
		return COP_CHANGE_DIRECT;
	if (fmt_is_table(old, l) || fmt_is_table(new_, l))
		return COP_CHANGE_DIRECT;
	return x86_same_type(old, new_, l) ? COP_CHANGE_DIRECT : COP_CHANGE_BREAK;
}

/*
 * What a stale copy of @old may be used for without harm (SDM 4.10.4.3): bits that hardware ignores and A are not part
 * of what is used; a copy without D makes hardware look at the entry before it writes; an access refused by a
 * stale copy faults, and the fault drops that copy (SDM 4.10.4.1). A kernel access has nobody to retry it, so for kernel
 * leaves relaxing wants invalidation too.
 */
static inline bool x86_stale_harmless(uint64_t old, uint64_t new_)
{
	const uint64_t ignored = X86_A | X86_SW_SPECIAL | X86_SW_UFFD_WP | X86_SW_SOFT_DIRTY | X86_IGNORED |
				 X86_SW_DEVMAP | X86_SW_SAVED_DIRTY;
	const uint64_t diff = (old ^ new_) & ~ignored, lost = old & ~new_, gained = new_ & ~old;

	if ((diff & ~(X86_RW | X86_XD | X86_D)) || (lost & (X86_RW | X86_D)) || (gained & X86_XD))
		return false;
	return (old & X86_US) || !(diff & (X86_RW | X86_XD));
}

/* Paging-structure caches hold R/W, U/S, XD and where the next table is (SDM 4.10.3.1). */
static inline bool x86_table_same(uint64_t old, uint64_t new_, unsigned l)
{
	const uint64_t used = X86_P | X86_RW | X86_US | X86_PWT | X86_PCD | X86_PS | X86_ADDRESS | X86_XD;

	return fmt_is_table(new_, l) && !((old ^ new_) & used);
}

/*
 * INVLPG drops, for one address, TLB entries of the current PCID and global ones of every PCID, and *all* paging-structure
 * cache entries of the current PCID (SDM 4.10.4.1); other PCIDs take INVPCID or a load of CR3 without bit 63 when
 * they come next. So LEAF and TABLES are one instruction here, except for AMD's INVLPGB, which can spare the
 * upper levels (APM volume 3). Whether TLB entries are large does not matter: any address in the page will do.
 */
static inline enum cop_covers fmt_covers(const struct cop_geom *g, uint64_t old, uint64_t new_, unsigned l)
{
	if (old == new_ || !x86_cacheable(g, old, l))
		return COP_COVERS_NONE;
	if (fmt_is_table(old, l))
		return x86_table_same(old, new_, l) ? COP_COVERS_NONE : COP_COVERS_TABLES;
	if ((new_ & X86_P) && !fmt_is_table(new_, l) && x86_stale_harmless(old, new_))
		return COP_COVERS_NONE;
	return COP_COVERS_LEAF;
}

#endif
