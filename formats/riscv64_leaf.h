/* SPDX-License-Identifier: MIT */
/* What a riscv64 leaf permits and remembers: the algebra and the attributes; part of riscv64.h and included by nothing
 * else. */
#ifndef COPPICE_FORMATS_RISCV64_LEAF_H
#define COPPICE_FORMATS_RISCV64_LEAF_H

static inline bool fmt_young(uint64_t e, unsigned l)
{
	(void)l;
	return e & RISCV_A;
}

static inline uint64_t fmt_mkyoung(uint64_t e, unsigned l)
{
	(void)l;
	return e | RISCV_A;
}

static inline uint64_t fmt_mkold(uint64_t e, unsigned l)
{
	(void)l;
	return e & ~RISCV_A;
}

static inline bool fmt_write(uint64_t e, unsigned l)
{
	(void)l;
	return e & RISCV_W;
}

/* W without R is reserved. */
static inline uint64_t fmt_mkwrite(uint64_t e, unsigned l)
{
	(void)l;
	return e | RISCV_W | RISCV_R;
}

static inline uint64_t fmt_wrprotect(uint64_t e, unsigned l)
{
	(void)l;
	return e & ~RISCV_W;
}

static inline bool fmt_dirty(uint64_t e, unsigned l)
{
	(void)l;
	return e & RISCV_D;
}

static inline uint64_t fmt_mkdirty(uint64_t e, unsigned l)
{
	(void)l;
	return e | RISCV_D;
}

static inline uint64_t fmt_mkclean(uint64_t e, unsigned l)
{
	(void)l;
	return e & ~RISCV_D;
}

static inline bool fmt_special(uint64_t e, unsigned l)
{
	(void)l;
	return e & RISCV_SW_SPECIAL;
}

static inline uint64_t fmt_mkspecial(uint64_t e, unsigned l)
{
	(void)l;
	return e | RISCV_SW_SPECIAL;
}

static inline bool fmt_soft_dirty(uint64_t e, unsigned l)
{
	(void)l;
	return e & RISCV_SW_SOFT_DIRTY;
}

static inline uint64_t fmt_mksoft_dirty(uint64_t e, unsigned l)
{
	(void)l;
	return e | RISCV_SW_SOFT_DIRTY;
}

static inline uint64_t fmt_clear_soft_dirty(uint64_t e, unsigned l)
{
	(void)l;
	return e & ~RISCV_SW_SOFT_DIRTY;
}

/* A leaf that hardware faults on is one thing here, whether by protnone or by mkinvalid: nothing else tells them apart.
 */
static inline bool fmt_protnone(uint64_t e, unsigned l)
{
	(void)l;
	return (e & (RISCV_V | RISCV_PRESENT_INVALID)) == RISCV_PRESENT_INVALID;
}

static inline uint64_t fmt_mkprotnone(uint64_t e, unsigned l)
{
	if (fmt_protnone(e, l))
		return e;
	return (e & ~RISCV_V) | (e & RISCV_G ? RISCV_WAS_GLOBAL : RISCV_PRESENT_INVALID);
}

static inline uint64_t fmt_mkinvalid(uint64_t e, unsigned l)
{
	return fmt_mkprotnone(e, l);
}

static inline bool fmt_huge(uint64_t e, unsigned l)
{
	return l != 0 && fmt_present(e, l) && !fmt_is_table(e, l);
}

/* What makes a leaf of an upper entry is that it permits something. */
static inline uint64_t fmt_mkhuge(uint64_t e, unsigned l)
{
	(void)l;
	return e;
}

static inline bool fmt_cont(uint64_t e, unsigned l)
{
	(void)l;
	return e & RISCV_N;
}

/* Svnapot: the size takes the place of the address bits inside the run. */
static inline uint64_t fmt_mkcont(uint64_t e, unsigned l)
{
	return l == 0 ? (e & ~RISCV_NAPOT_PPN) | RISCV_NAPOT_64K | RISCV_N : e;
}

/* Of any member, the leaf of the run's first page: which member it was, the entry does not say. */
static inline uint64_t fmt_mknoncont(uint64_t e, unsigned l)
{
	(void)l;
	return e & RISCV_N ? e & ~(RISCV_N | RISCV_NAPOT_PPN) : e;
}

/* "Svpbmt": 0 leaves it to the memory's physical attributes. */
static inline uint64_t riscv_encode_mt(uint32_t attrs)
{
	switch (attrs & COP_MT_MASK) {
	case COP_MT_NC:
		return RISCV_PBMT_NC;
	case COP_MT_DEVICE:
		return RISCV_PBMT_IO;
	default:
		return 0;
	}
}

static inline uint32_t riscv_decode_mt(uint64_t e)
{
	return e & RISCV_PBMT_IO ? COP_MT_DEVICE : e & RISCV_PBMT_NC ? COP_MT_NC : COP_MT_NORMAL;
}

/*
 * KEXEC cannot be said: supervisor mode never executes from a U page ("Sv32: Addressing and Memory Protection"). READ and
 * EXEC may be had alone, WRITE not without READ; an entry with none of them is a table.
 */
static inline int fmt_check_attrs(const struct cop_geom *g, uint32_t attrs, unsigned l)
{
	const uint32_t known = COP_READ | COP_WRITE | COP_EXEC | COP_USER | COP_GLOBAL | COP_YOUNG | COP_DIRTY |
			       COP_SPECIAL | COP_SOFT_DIRTY | COP_PROTNONE | COP_CONT | COP_MT_MASK;
	const uint32_t type = attrs & COP_MT_MASK;

	if (!fmt_can_leaf(g, l) || (attrs & ~known))
		return -COP_EINVAL;
	if (type != COP_MT_NORMAL && type != COP_MT_NC && type != COP_MT_DEVICE)
		return -COP_EINVAL;
	if ((attrs & (COP_READ | COP_WRITE)) == COP_WRITE)
		return -COP_EINVAL;
	if (!(attrs & (COP_READ | COP_EXEC | COP_PROTNONE)))
		return -COP_EINVAL;
	if ((attrs & COP_CONT) && l != 0)
		return -COP_EINVAL;
	if ((attrs & COP_CONT) && !(g->features & COP_F_SVNAPOT))
		return -COP_EOPNOTSUPP;
	return type != COP_MT_NORMAL && !(g->features & COP_F_SVPBMT) ? -COP_EOPNOTSUPP : 0;
}

static inline uint64_t riscv_encode_valid(uint32_t attrs)
{
	if (!(attrs & COP_PROTNONE))
		return RISCV_V | (attrs & COP_GLOBAL ? RISCV_G : 0);
	return RISCV_PRESENT_INVALID | (attrs & COP_GLOBAL ? RISCV_WAS_GLOBAL : 0);
}

static inline uint64_t riscv_encode_access(uint32_t attrs)
{
	return (attrs & COP_READ ? RISCV_R : 0) | (attrs & COP_WRITE ? RISCV_W : 0) | (attrs & COP_EXEC ? RISCV_X : 0) |
	       (attrs & COP_USER ? RISCV_U : 0);
}

static inline uint64_t fmt_leaf(const struct cop_geom *g, cop_pa pa, unsigned l, uint32_t attrs)
{
	const uint64_t e = riscv_encode_pa(pa) | riscv_encode_valid(attrs) | riscv_encode_access(attrs) |
			   riscv_encode_mt(attrs) | (attrs & COP_YOUNG ? RISCV_A : 0) |
			   (attrs & COP_DIRTY ? RISCV_D : 0) | (attrs & COP_SPECIAL ? RISCV_SW_SPECIAL : 0) |
			   (attrs & COP_SOFT_DIRTY ? RISCV_SW_SOFT_DIRTY : 0);

	(void)g;
	return attrs & COP_CONT ? fmt_mkcont(e, l) : e;
}

/* All output addresses are one segment. */
#define fmt_step_lg2 56

static inline uint64_t fmt_leaf_step(const struct cop_geom *g, unsigned l, uint32_t attrs)
{
	(void)g;
	return attrs & COP_CONT && l == 0 ? 0 : 1ULL << (fmt_shift(l) - 12 + RISCV_PPN_SHIFT);
}

static inline uint64_t fmt_table(const struct cop_geom *g, cop_pa pa, unsigned l)
{
	(void)g;
	(void)l;
	return riscv_encode_pa(pa) | RISCV_V;
}

static inline uint64_t fmt_marker(const struct cop_geom *g, cop_pa pa, unsigned l)
{
	(void)g;
	(void)l;
	return riscv_encode_pa(pa) | RISCV_MARKER;
}

static inline cop_pa fmt_marker_pa(const struct cop_geom *g, uint64_t e, unsigned l)
{
	return fmt_table_pa(g, e, l);
}

static inline bool riscv_global(uint64_t e)
{
	return e & (riscv_valid(e) ? RISCV_G : RISCV_WAS_GLOBAL);
}

static inline uint32_t riscv_attrs_leaf(uint64_t e)
{
	return (e & RISCV_R ? COP_READ : 0U) | (e & RISCV_W ? COP_WRITE : 0U) | (e & RISCV_X ? COP_EXEC : 0U) |
	       (e & RISCV_U ? COP_USER : 0U) | (riscv_global(e) ? COP_GLOBAL : 0U) | (e & RISCV_A ? COP_YOUNG : 0U) |
	       (e & RISCV_D ? COP_DIRTY : 0U) | (e & RISCV_SW_SPECIAL ? COP_SPECIAL : 0U) |
	       (e & RISCV_SW_SOFT_DIRTY ? COP_SOFT_DIRTY : 0U) | (riscv_valid(e) ? 0U : COP_PROTNONE) |
	       (e & RISCV_N ? COP_CONT : 0U) | riscv_decode_mt(e);
}

static inline uint32_t fmt_attrs(const struct cop_geom *g, uint64_t e, unsigned l)
{
	(void)g;
	if (!fmt_present(e, l) || fmt_is_table(e, l))
		return 0;
	return riscv_attrs_leaf(e);
}

/* Address and attributes say all of a leaf. */
static inline uint64_t fmt_rest_mask(const struct cop_geom *g, uint64_t e, unsigned l)
{
	(void)g;
	(void)e;
	(void)l;
	return 0;
}

#endif
