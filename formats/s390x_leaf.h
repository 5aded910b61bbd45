/* SPDX-License-Identifier: MIT */
/* What an s390x leaf permits and remembers: the algebra and the attributes; part of s390x.h and included by nothing
 * else. */
#ifndef COPPICE_FORMATS_S390X_LEAF_H
#define COPPICE_FORMATS_S390X_LEAF_H

/* Page and large leaves keep software's bits in different places. */
static inline uint64_t s390x_young(unsigned l)
{
	return l == 0 ? S390X_PAGE_YOUNG : S390X_LARGE_YOUNG;
}

static inline uint64_t s390x_dirty(unsigned l)
{
	return l == 0 ? S390X_PAGE_DIRTY : S390X_LARGE_DIRTY;
}

static inline uint64_t s390x_read(unsigned l)
{
	return l == 0 ? S390X_PAGE_READ : S390X_LARGE_READ;
}

static inline uint64_t s390x_write(unsigned l)
{
	return l == 0 ? S390X_PAGE_WRITE : S390X_LARGE_WRITE;
}

static inline uint64_t s390x_special(unsigned l)
{
	return l == 0 ? S390X_PAGE_SPECIAL : S390X_LARGE_SPECIAL;
}

/*
 * An invalid leaf is old, or software may not read it (Linux's PROT_NONE), or it was made invalid though readable. Only
 * the last needs a bit of its own: hardware ignores an invalid entry, so one that must be 0 in a valid entry will do.
 */
static inline uint64_t s390x_barred(unsigned l)
{
	return l == 0 ? S390X_PAGE_BARRED : S390X_LARGE_BARRED;
}

static inline bool s390x_all(uint64_t e, uint64_t bits)
{
	return (e & bits) == bits;
}

/* Software's bits as hardware's imply them. */
static inline uint64_t s390x_settle(uint64_t e, unsigned l)
{
	if (s390x_valid(e, l)) {
		e = (e & ~s390x_barred(l)) | S390X_PRESENT | s390x_read(l) | s390x_young(l);
		return e & S390X_P ? e : e | s390x_write(l) | s390x_dirty(l);
	}
	if (!(e & s390x_read(l)))
		return e & ~s390x_barred(l);
	return e & s390x_young(l) ? e | s390x_barred(l) : e;
}

/* Hardware's bits as software's demand them. */
static inline uint64_t s390x_derive(uint64_t e, unsigned l)
{
	e &= ~(s390x_i(l) | S390X_P);
	if (!s390x_all(e, s390x_read(l) | s390x_young(l)) || (e & s390x_barred(l)))
		e |= s390x_i(l);
	return s390x_all(e, s390x_write(l) | s390x_dirty(l)) ? e : e | S390X_P;
}

static inline bool fmt_young(uint64_t e, unsigned l)
{
	return s390x_valid(e, l) || (e & s390x_young(l));
}

static inline uint64_t fmt_mkyoung(uint64_t e, unsigned l)
{
	return s390x_derive(s390x_settle(e, l) | s390x_young(l), l);
}

static inline uint64_t fmt_mkold(uint64_t e, unsigned l)
{
	return s390x_derive(s390x_settle(e, l) & ~s390x_young(l), l);
}

static inline bool s390x_storable(uint64_t e, unsigned l)
{
	return s390x_valid(e, l) && !(e & S390X_P);
}

static inline bool fmt_dirty(uint64_t e, unsigned l)
{
	return s390x_storable(e, l) || (e & s390x_dirty(l));
}

static inline uint64_t fmt_mkdirty(uint64_t e, unsigned l)
{
	return s390x_derive(s390x_settle(e, l) | s390x_dirty(l), l);
}

static inline uint64_t fmt_mkclean(uint64_t e, unsigned l)
{
	return s390x_derive(s390x_settle(e, l) & ~s390x_dirty(l), l);
}

static inline bool fmt_write(uint64_t e, unsigned l)
{
	return s390x_storable(e, l) || (e & s390x_write(l));
}

static inline uint64_t fmt_mkwrite(uint64_t e, unsigned l)
{
	return s390x_derive(s390x_settle(e, l) | s390x_write(l), l);
}

static inline uint64_t fmt_wrprotect(uint64_t e, unsigned l)
{
	return s390x_derive(s390x_settle(e, l) & ~s390x_write(l), l);
}

static inline bool fmt_special(uint64_t e, unsigned l)
{
	return e & s390x_special(l);
}

static inline uint64_t fmt_mkspecial(uint64_t e, unsigned l)
{
	return e | s390x_special(l);
}

static inline bool fmt_soft_dirty(uint64_t e, unsigned l)
{
	(void)l;
	return e & S390X_SOFT;
}

static inline uint64_t fmt_mksoft_dirty(uint64_t e, unsigned l)
{
	(void)l;
	return e | S390X_SOFT;
}

static inline uint64_t fmt_clear_soft_dirty(uint64_t e, unsigned l)
{
	(void)l;
	return e & ~S390X_SOFT;
}

/* Invalid for a reason other than age. */
static inline bool fmt_protnone(uint64_t e, unsigned l)
{
	const uint64_t settled = s390x_settle(e, l);

	return (settled & s390x_barred(l)) || !(settled & s390x_read(l));
}

static inline uint64_t fmt_mkprotnone(uint64_t e, unsigned l)
{
	e = s390x_settle(e, l);
	return s390x_derive(e & s390x_read(l) ? e | s390x_barred(l) : e, l);
}

static inline uint64_t fmt_mkinvalid(uint64_t e, unsigned l)
{
	return fmt_mkprotnone(e, l);
}

static inline bool fmt_huge(uint64_t e, unsigned l)
{
	return l != 0 && fmt_present(e, l) && (e & S390X_FC);
}

static inline uint64_t fmt_mkhuge(uint64_t e, unsigned l)
{
	return l == 0 ? e : e | S390X_FC;
}

/* No contiguous runs. */
static inline bool fmt_cont(uint64_t e, unsigned l)
{
	(void)e;
	(void)l;
	return false;
}

static inline uint64_t fmt_mkcont(uint64_t e, unsigned l)
{
	(void)l;
	return e;
}

static inline uint64_t fmt_mknoncont(uint64_t e, unsigned l)
{
	(void)l;
	return e;
}

/*
 * A leaf is either the user's or the kernel's, and the kernel's counts as global: its address space is one for all, and
 * an entry cannot say more. Readable unless it is no access at all; writable implies readable; without IEP (instruction-
 * execution protection) readable implies executable. Memory types belong to no entry.
 */
static inline int fmt_check_attrs(const struct cop_geom *g, uint32_t attrs, unsigned l)
{
	const uint32_t known = COP_READ | COP_WRITE | COP_EXEC | COP_USER | COP_GLOBAL | COP_YOUNG | COP_DIRTY |
			       COP_SPECIAL | COP_SOFT_DIRTY | COP_PROTNONE;

	if ((attrs & ~known) || !fmt_can_leaf(g, l))
		return -COP_EINVAL;
	if (!(attrs & COP_USER) == !(attrs & COP_GLOBAL))
		return -COP_EINVAL;
	if (!(attrs & COP_READ) && (!(attrs & COP_PROTNONE) || (attrs & COP_WRITE)))
		return -COP_EINVAL;
	if (!(attrs & COP_EXEC) && !(g->features & COP_F_IEP))
		return -COP_EOPNOTSUPP;
	return 0;
}

static inline uint64_t s390x_encode_software(uint32_t attrs, unsigned l)
{
	const bool barred = s390x_all(attrs, COP_PROTNONE | COP_READ);

	return S390X_PRESENT | (attrs & COP_READ ? s390x_read(l) : 0) | (attrs & COP_WRITE ? s390x_write(l) : 0) |
	       (attrs & COP_YOUNG ? s390x_young(l) : 0) | (attrs & COP_DIRTY ? s390x_dirty(l) : 0) |
	       (attrs & COP_SPECIAL ? s390x_special(l) : 0) | (attrs & COP_SOFT_DIRTY ? S390X_SOFT : 0) |
	       (attrs & COP_USER ? S390X_USER : 0) | (barred ? s390x_barred(l) : 0);
}

static inline uint64_t fmt_leaf(const struct cop_geom *g, cop_pa pa, unsigned l, uint32_t attrs)
{
	uint64_t e = pa | s390x_tt(l) | s390x_encode_software(attrs, l);

	if (l != 0)
		e |= S390X_FC;
	if (!(attrs & COP_EXEC) && (g->features & COP_F_IEP))
		e |= S390X_IEP;
	return s390x_derive(e, l);
}

/* One step holds everywhere. */
#define fmt_step_lg2 63

static inline uint64_t fmt_leaf_step(const struct cop_geom *g, unsigned l, uint32_t attrs)
{
	(void)g;
	(void)attrs;
	return 1ULL << fmt_shift(l);
}

static inline uint32_t fmt_attrs(const struct cop_geom *g, uint64_t e, unsigned l)
{
	uint32_t attrs = COP_MT_NORMAL;

	(void)g;
	if (!fmt_present(e, l) || fmt_is_table(e, l))
		return 0;
	if (fmt_protnone(e, l))
		attrs |= COP_PROTNONE;
	e = s390x_settle(e, l);
	return attrs | (e & s390x_read(l) ? COP_READ : 0) | (e & s390x_write(l) ? COP_WRITE : 0) |
	       (e & S390X_IEP ? 0 : COP_EXEC) | (e & S390X_USER ? COP_USER : COP_GLOBAL) |
	       (e & s390x_young(l) ? COP_YOUNG : 0) | (e & s390x_dirty(l) ? COP_DIRTY : 0) |
	       (e & s390x_special(l) ? COP_SPECIAL : 0) | (e & S390X_SOFT ? COP_SOFT_DIRTY : 0);
}

/*
 * Bits of this leaf that its address and attributes do not determine; real entries may hold anything there:
 * fmt_leaf(g, fmt_leaf_pa(e), l, fmt_attrs(e)) equals e in all the others. These are the common-segment bit and wherever
 * hardware's bits and software's contradict each other.
 */
static inline uint64_t fmt_rest_mask(const struct cop_geom *g, uint64_t e, unsigned l)
{
	(void)g;
	return (e ^ s390x_derive(s390x_settle(e, l), l)) | (l == 0 ? 0 : S390X_COMMON);
}

#endif
