/* SPDX-License-Identifier: MIT */
/* What it takes to change a live arm64 entry; part of arm64.h and included by nothing else. */
#ifndef COPPICE_FORMATS_ARM64_CHANGE_H
#define COPPICE_FORMATS_ARM64_CHANGE_H

/* D8.5: hardware sets AF at an access and clears AP[2] at a write; only valid leaves, so a table never races. */
static inline bool fmt_racy(const struct cop_geom *g, uint64_t e, unsigned l)
{
	if (!arm64_valid(e) || fmt_is_table(e, l))
		return false;
	if ((g->features & COP_F_HAF) && !(e & ARM64_AF))
		return true;
	return (g->features & COP_F_HD) && (e & (ARM64_DBM | ARM64_AP_RDONLY)) == (ARM64_DBM | ARM64_AP_RDONLY);
}

/* D8.5: without hardware management AF = 0 faults; a write that AP[2] refuses clears it where DBM says so. */
static inline struct cop_access fmt_access(const struct cop_geom *g, uint64_t e, unsigned l, bool write)
{
	(void)l;
	if (!arm64_valid(e) || (!(e & ARM64_AF) && !(g->features & COP_F_HAF)))
		return (struct cop_access){true, e};
	if (write && (e & ARM64_AP_RDONLY)) {
		if (!(g->features & COP_F_HD) || !(e & ARM64_DBM))
			return (struct cop_access){true, e};
		e &= ~ARM64_AP_RDONLY;
	}
	return (struct cop_access){false, e | ARM64_AF};
}

/*
 * D8.16: an entry that takes an Access flag fault is not cached. With hardware management of the flag a speculative
 * access may set it and cache the entry at any time, so there AF = 0 proves nothing.
 */
static inline bool arm64_cacheable(const struct cop_geom *g, uint64_t e, unsigned l)
{
	if (!arm64_valid(e))
		return false;
	return fmt_is_table(e, l) || (e & ARM64_AF) || (g->features & COP_F_HAF);
}

/* Some write can go through this entry without software's leave. */
static inline bool arm64_writable(const struct cop_geom *g, uint64_t e)
{
	return !(e & ARM64_AP_RDONLY) || ((g->features & COP_F_HD) && (e & ARM64_DBM));
}

/*
 * FEAT_BBM (D8.16.1, "Support levels for changing table or block size"): level 1 allows a change of size while the block
 * has nT set. Level 2 allows it without, but a lookup that hits both sizes may still raise a TLB conflict abort;
 * nothing here could handle that abort, so level 2 counts only on CPUs known not to raise it.
 */
static inline bool arm64_resize_direct(const struct cop_geom *g, uint64_t block)
{
	if (g->features & COP_F_BBM2_NOABORT)
		return true;
	return (g->features & (COP_F_BBM1 | COP_F_BBM2)) && (block & ARM64_NT);
}

static inline uint64_t arm64_pa_bits(const struct cop_geom *g)
{
	return ARM64_BITS(ARM64_OA_TOP, ARM64_PAGE_LG2) | (g->features & ARM64_BIG_OA ? ARM64_OA_HIGH : 0);
}

/* The type's index, except that Normal and Normal-Tagged differ in a permission only (D8.6, D10 "Allocation tags"). */
static inline bool arm64_same_type(uint64_t old, uint64_t new_)
{
	const uint64_t tagged = 1ULL << ARM64_ATTR_SHIFT;

	return !((old ^ new_) & ARM64_ATTR) || !((old | new_) & ARM64_ATTR & ~tagged);
}

/*
 * D8.16.1 "Using break-before-make when updating translation table entries": memory type, cacheability and
 * shareability; the Contiguous bit; non-global to global; the output address if either side is writable or the contents
 * differ. A format cannot see contents: of two read-only leaves it answers "direct", and whoever changes the address
 * answers for the contents. Members of a run must agree in address, so a member's address never changes alone (D8.7.1).
 * PBHA and NS select what memory answers, like an address.
 */
static inline bool arm64_leaf_needs_break(const struct cop_geom *g, uint64_t old, uint64_t new_, unsigned l)
{
	const uint64_t diff = old ^ new_;
	uint64_t fixed = ARM64_NS | ARM64_PBHA | ARM64_BIT63;

	if (!(g->features & COP_F_LPA2))
		fixed |= ARM64_SH;
	if ((diff & fixed) || !arm64_same_type(old, new_) || (old & ~new_ & ARM64_NG))
		return true;
	if ((diff & ARM64_CONT) && !(g->features & COP_F_BBM2_NOABORT))
		return true;
	if (fmt_leaf_pa(g, old, l) == fmt_leaf_pa(g, new_, l))
		return false;
	return ((old | new_) & ARM64_CONT) || arm64_writable(g, old) || arm64_writable(g, new_);
}

static inline enum cop_change fmt_change(const struct cop_geom *g, uint64_t old, uint64_t new_, unsigned l)
{
	const enum cop_kind to = fmt_kind(g, new_, l);
	bool direct;

	if (to == COP_BAD)
		return COP_CHANGE_FORBIDDEN;
	if (!arm64_cacheable(g, old, l) || !arm64_valid(new_))
		return COP_CHANGE_DIRECT;
	if (fmt_kind(g, old, l) == COP_BAD)
		return COP_CHANGE_BREAK;
	if (fmt_is_table(old, l) && fmt_is_table(new_, l))
		/* Hierarchical permissions may change; where the table lies (NSTable included) may not. */
		direct = !((old ^ new_) & (arm64_pa_bits(g) | ARM64_BIT63));
	else if (fmt_is_table(old, l) || fmt_is_table(new_, l))
		direct = arm64_resize_direct(g, fmt_is_table(old, l) ? new_ : old);
	else
		direct = !arm64_leaf_needs_break(g, old, new_, l);
	return direct ? COP_CHANGE_DIRECT : COP_CHANGE_BREAK;
}

/*
 * What a stale copy of @old may be used for without harm: software bits and AF are not part of what is cached, and a
 * user access refused by a stale copy faults spuriously. A kernel access has nobody to retry it, so for kernel leaves
 * relaxing wants invalidation too. Guarding (GP) and the user bit both give and take, so either change counts.
 */
static inline bool arm64_stale_harmless(uint64_t old, uint64_t new_, unsigned l)
{
	const uint64_t software = ARM64_AF | ARM64_SW_DIRTY | ARM64_SW_SPECIAL | ARM64_SW_DEVMAP | ARM64_SW_SOFT_DIRTY;
	const uint64_t access = ARM64_AP_RDONLY | ARM64_DBM | ARM64_PXN | ARM64_UXN;
	const uint64_t diff = (old ^ new_) & ~software;

	if (diff == 0)
		return true;
	if ((diff & ~access) || !(old & ARM64_AP_USER))
		return false;
	if (((new_ & ~old) & (ARM64_PXN | ARM64_UXN | ARM64_AP_RDONLY)) || (fmt_write(old, l) && !fmt_write(new_, l)))
		return false;
	return true;
}

static inline enum cop_covers fmt_covers(const struct cop_geom *g, uint64_t old, uint64_t new_, unsigned l)
{
	if (old == new_ || !arm64_cacheable(g, old, l))
		return COP_COVERS_NONE;
	if (fmt_is_table(old, l))
		return COP_COVERS_TABLES;
	if (arm64_valid(new_) && !fmt_is_table(new_, l) && arm64_stale_harmless(old, new_, l))
		return COP_COVERS_NONE;
	return COP_COVERS_LEAF;
}

#endif
