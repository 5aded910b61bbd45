/* SPDX-License-Identifier: MIT */
/* What an x86-64 leaf permits and remembers: the algebra and the attributes; part of x86_64.h and included by nothing
 * else. */
#ifndef COPPICE_FORMATS_X86_64_LEAF_H
#define COPPICE_FORMATS_X86_64_LEAF_H

#define X86_DIRTY_BITS (X86_D | X86_SW_SAVED_DIRTY)

static inline bool fmt_young(uint64_t e, unsigned l)
{
	(void)l;
	return e & X86_A;
}

static inline uint64_t fmt_mkyoung(uint64_t e, unsigned l)
{
	(void)l;
	return e | X86_A;
}

static inline uint64_t fmt_mkold(uint64_t e, unsigned l)
{
	(void)l;
	return e & ~X86_A;
}

/* Shadow stacks are not used: a leaf without R/W is not writable, whatever D says (SDM 4.6.1). */
static inline bool fmt_write(uint64_t e, unsigned l)
{
	(void)l;
	return e & X86_RW;
}

static inline bool fmt_dirty(uint64_t e, unsigned l)
{
	(void)l;
	return e & X86_DIRTY_BITS;
}

static inline uint64_t x86_dirty_bit(uint64_t e)
{
	return e & X86_RW ? X86_D : X86_SW_SAVED_DIRTY;
}

/* Dirty as this entry should say it: see the head of x86_64.h. */
static inline uint64_t x86_normal_dirty(uint64_t e)
{
	return e & X86_DIRTY_BITS ? (e & ~X86_DIRTY_BITS) | x86_dirty_bit(e) : e;
}

static inline uint64_t fmt_mkdirty(uint64_t e, unsigned l)
{
	(void)l;
	return x86_normal_dirty(e | X86_D);
}

static inline uint64_t fmt_mkclean(uint64_t e, unsigned l)
{
	(void)l;
	return e & ~X86_DIRTY_BITS;
}

static inline uint64_t fmt_mkwrite(uint64_t e, unsigned l)
{
	(void)l;
	return x86_normal_dirty(e | X86_RW);
}

static inline uint64_t fmt_wrprotect(uint64_t e, unsigned l)
{
	(void)l;
	return x86_normal_dirty(e & ~X86_RW);
}

static inline bool fmt_special(uint64_t e, unsigned l)
{
	(void)l;
	return e & X86_SW_SPECIAL;
}

static inline uint64_t fmt_mkspecial(uint64_t e, unsigned l)
{
	(void)l;
	return e | X86_SW_SPECIAL;
}

static inline bool fmt_soft_dirty(uint64_t e, unsigned l)
{
	(void)l;
	return e & X86_SW_SOFT_DIRTY;
}

static inline uint64_t fmt_mksoft_dirty(uint64_t e, unsigned l)
{
	(void)l;
	return e | X86_SW_SOFT_DIRTY;
}

static inline uint64_t fmt_clear_soft_dirty(uint64_t e, unsigned l)
{
	(void)l;
	return e & ~X86_SW_SOFT_DIRTY;
}

/* A leaf that hardware faults on is one thing here, whether by protnone or by mkinvalid. */
static inline bool fmt_protnone(uint64_t e, unsigned l)
{
	return !(e & X86_P) && fmt_present(e, l);
}

static inline uint64_t fmt_mkprotnone(uint64_t e, unsigned l)
{
	const uint64_t was_global = e & X86_G ? X86_WAS_GLOBAL : 0;

	if (!(e & X86_P))
		return e;
	e &= ~(X86_P | X86_WAS_GLOBAL | X86_NO_READ);
	return (e ^ x86_leaf_address(l)) | X86_PROTNONE | was_global;
}

static inline uint64_t fmt_mkinvalid(uint64_t e, unsigned l)
{
	return fmt_mkprotnone(e, l);
}

static inline bool fmt_huge(uint64_t e, unsigned l)
{
	return l != 0 && (e & X86_PS);
}

static inline uint64_t fmt_mkhuge(uint64_t e, unsigned l)
{
	return l == 0 ? e : e | X86_PS;
}

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

static inline uint64_t x86_pat_bit(unsigned l)
{
	return l == 0 ? X86_PAT_4K : X86_PAT_LARGE;
}

static inline uint64_t x86_type_mask(unsigned l)
{
	return X86_PWT | X86_PCD | x86_pat_bit(l);
}

/* SDM 4.9.2: PAT, PCD, PWT from the highest bit of the index to the lowest. */
static inline unsigned x86_pat_index(uint64_t e, unsigned l)
{
	return (e & x86_pat_bit(l) ? 4U : 0U) | (e & X86_PCD ? 2U : 0U) | (e & X86_PWT ? 1U : 0U);
}

static inline uint64_t x86_encode_mt(uint32_t attrs, unsigned l)
{
	switch (attrs & COP_MT_MASK) {
	case COP_MT_NC:
		return X86_PWT; /* 1: WC */
	case COP_MT_DEVICE:
		return X86_PCD | X86_PWT; /* 3: UC */
	case COP_MT_WT:
		return x86_pat_bit(l) | X86_PCD | X86_PWT; /* 7: WT */
	default:
		return 0; /* WB */
	}
}

/*
 * UC- differs from UC in what an MTRR may make of it, and is no less uncached in the PAT. WP caches what is read and
 * lets every write through, like WT.
 */
static inline uint32_t x86_decode_mt(uint64_t e, unsigned l)
{
	static const uint32_t types[] = {COP_MT_NORMAL, COP_MT_NC, COP_MT_DEVICE, COP_MT_DEVICE,
					 COP_MT_NORMAL, COP_MT_WT, COP_MT_DEVICE, COP_MT_WT};

	return types[x86_pat_index(e, l)];
}

static inline int fmt_check_attrs(const struct cop_geom *g, uint32_t attrs, unsigned l)
{
	const uint32_t known = COP_READ | COP_WRITE | COP_EXEC | COP_USER | COP_GLOBAL | COP_YOUNG | COP_DIRTY |
			       COP_SPECIAL | COP_SOFT_DIRTY | COP_PROTNONE | COP_DEVMAP | COP_MT_MASK;

	/* Neither runs, nor a say per leaf in what the kernel may execute of the user's (CR4.SMEP). */
	if ((attrs & ~known) || (attrs & COP_MT_MASK) > COP_MT_DEVICE || !fmt_can_leaf(g, l))
		return -COP_EINVAL;
	/* SDM 4.6: what is present can be read. */
	if (!(attrs & COP_READ) && (!(attrs & COP_PROTNONE) || (attrs & COP_WRITE)))
		return -COP_EINVAL;
	if (!(attrs & COP_EXEC) && !(g->features & COP_F_NX))
		return -COP_EOPNOTSUPP;
	return 0;
}

/* G is ignored while CR4.PGE is 0 (SDM 4.10.2.4), so it takes no feature. */
static inline uint64_t x86_encode_present(cop_pa pa, unsigned l, uint32_t attrs)
{
	const uint64_t size = l == 0 ? 0 : X86_PS;

	if (!(attrs & COP_PROTNONE))
		return (pa & x86_leaf_address(l)) | size | X86_P | (attrs & COP_GLOBAL ? X86_G : 0);
	return (~pa & x86_leaf_address(l)) | size | X86_PROTNONE | (attrs & COP_GLOBAL ? X86_WAS_GLOBAL : 0) |
	       (attrs & COP_READ ? 0 : X86_NO_READ);
}

static inline uint64_t x86_encode_access(uint32_t attrs)
{
	uint64_t e = (attrs & COP_WRITE ? X86_RW : 0) | (attrs & COP_USER ? X86_US : 0) |
		     (attrs & COP_EXEC ? 0 : X86_XD) | (attrs & COP_YOUNG ? X86_A : 0);

	return attrs & COP_DIRTY ? e | x86_dirty_bit(e) : e;
}

static inline uint64_t x86_encode_software(uint32_t attrs)
{
	return (attrs & COP_SPECIAL ? X86_SW_SPECIAL : 0) | (attrs & COP_SOFT_DIRTY ? X86_SW_SOFT_DIRTY : 0) |
	       (attrs & COP_DEVMAP ? X86_SW_DEVMAP : 0);
}

static inline uint64_t fmt_leaf(const struct cop_geom *g, cop_pa pa, unsigned l, uint32_t attrs)
{
	(void)g;
	return x86_encode_present(pa, l, attrs) | x86_encode_access(attrs) | x86_encode_software(attrs) |
	       x86_encode_mt(attrs, l);
}

/* The segment of output addresses in which fmt_leaf_step holds, lg2 of bytes: all of them. */
#define fmt_step_lg2 52

static inline uint64_t fmt_leaf_step(const struct cop_geom *g, unsigned l, uint32_t attrs)
{
	const uint64_t size = 1ULL << fmt_shift(l);

	(void)g;
	return attrs & COP_PROTNONE ? -size : size;
}

static inline uint64_t fmt_table(const struct cop_geom *g, cop_pa pa, unsigned l)
{
	(void)g;
	(void)l;
	return (pa & X86_ADDRESS) | X86_P | X86_RW | X86_US | X86_A | X86_D;
}

static inline uint64_t fmt_marker(const struct cop_geom *g, cop_pa pa, unsigned l)
{
	(void)g;
	(void)l;
	return (~pa & X86_ADDRESS) | X86_MARKER;
}

static inline uint32_t x86_attrs_leaf(uint64_t e, unsigned l)
{
	const bool protnone = !(e & X86_P);
	const uint64_t global = protnone ? X86_WAS_GLOBAL : X86_G;

	return (protnone ? COP_PROTNONE : 0U) | (protnone && (e & X86_NO_READ) ? 0U : COP_READ) |
	       (e & X86_RW ? COP_WRITE : 0U) | (e & X86_XD ? 0U : COP_EXEC) | (e & X86_US ? COP_USER : 0U) |
	       (e & global ? COP_GLOBAL : 0U) | (e & X86_A ? COP_YOUNG : 0U) | (fmt_dirty(e, l) ? COP_DIRTY : 0U) |
	       (e & X86_SW_SPECIAL ? COP_SPECIAL : 0U) | (e & X86_SW_SOFT_DIRTY ? COP_SOFT_DIRTY : 0U) |
	       (e & X86_SW_DEVMAP ? COP_DEVMAP : 0U) | x86_decode_mt(e, l);
}

static inline uint32_t fmt_attrs(const struct cop_geom *g, uint64_t e, unsigned l)
{
	(void)g;
	if (!fmt_present(e, l) || fmt_is_table(e, l))
		return 0;
	return x86_attrs_leaf(e, l);
}

/*
 * Bits of this leaf that its address and attributes do not determine; real entries may hold anything there:
 * fmt_leaf(g, fmt_leaf_pa(e), l, fmt_attrs(e)) equals e in all the others.
 */
static inline uint64_t fmt_rest_mask(const struct cop_geom *g, uint64_t e, unsigned l)
{
	const uint64_t type = x86_encode_mt(x86_decode_mt(e, l), l);
	uint64_t mask = X86_SW_UFFD_WP | X86_IGNORED | X86_PK;

	(void)g;
	if (!(e & X86_P)) {
		mask &= ~(X86_WAS_GLOBAL | X86_NO_READ);
		/* Linux's mkinvalid leaves a large leaf PS alone. */
		if (l != 0)
			mask |= X86_PROTNONE;
	}
	/* Dirty the other way (kernels before saved-dirty, hardware after wrprotect), and PAT slots of one type. */
	return mask | (e ^ x86_normal_dirty(e)) | ((e ^ type) & x86_type_mask(l));
}

#endif
