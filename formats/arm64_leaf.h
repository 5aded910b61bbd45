/* SPDX-License-Identifier: MIT */
/* What an arm64 leaf permits and remembers: the algebra and the attributes; part of arm64.h and included by nothing
 * else. */
#ifndef COPPICE_FORMATS_ARM64_LEAF_H
#define COPPICE_FORMATS_ARM64_LEAF_H

static inline bool fmt_young(uint64_t e, unsigned l)
{
	(void)l;
	return e & ARM64_AF;
}

static inline uint64_t fmt_mkyoung(uint64_t e, unsigned l)
{
	(void)l;
	return e | ARM64_AF;
}

static inline uint64_t fmt_mkold(uint64_t e, unsigned l)
{
	(void)l;
	return e & ~ARM64_AF;
}

/* D8.5 "Hardware updates": DBM with AP[2] set is writable-clean; hardware clears AP[2] at the first write. */
static inline bool fmt_write(uint64_t e, unsigned l)
{
	(void)l;
	return (e & (ARM64_DBM | ARM64_AP_RDONLY)) != ARM64_AP_RDONLY;
}

static inline bool fmt_dirty(uint64_t e, unsigned l)
{
	(void)l;
	return (e & (ARM64_SW_DIRTY | ARM64_AP_RDONLY)) != ARM64_AP_RDONLY;
}

static inline uint64_t fmt_mkdirty(uint64_t e, unsigned l)
{
	if (fmt_write(e, l))
		e &= ~ARM64_AP_RDONLY;
	return e | ARM64_SW_DIRTY;
}

/* An entry writable without DBM becomes writable-clean, so it needs DBM to stay writable. */
static inline uint64_t fmt_mkclean(uint64_t e, unsigned l)
{
	if (fmt_write(e, l))
		e |= ARM64_DBM;
	return (e & ~ARM64_SW_DIRTY) | ARM64_AP_RDONLY;
}

static inline uint64_t fmt_mkwrite(uint64_t e, unsigned l)
{
	(void)l;
	if (e & ARM64_SW_DIRTY)
		e &= ~ARM64_AP_RDONLY;
	return e | ARM64_DBM;
}

/* AP[2] was the dirty state while the entry was writable: keep it in software's bit. */
static inline uint64_t fmt_wrprotect(uint64_t e, unsigned l)
{
	if (fmt_dirty(e, l))
		e |= ARM64_SW_DIRTY;
	return (e & ~ARM64_DBM) | ARM64_AP_RDONLY;
}

static inline bool fmt_special(uint64_t e, unsigned l)
{
	(void)l;
	return e & ARM64_SW_SPECIAL;
}

static inline uint64_t fmt_mkspecial(uint64_t e, unsigned l)
{
	(void)l;
	return e | ARM64_SW_SPECIAL;
}

static inline bool fmt_soft_dirty(uint64_t e, unsigned l)
{
	(void)l;
	return e & ARM64_SW_SOFT_DIRTY;
}

static inline uint64_t fmt_mksoft_dirty(uint64_t e, unsigned l)
{
	(void)l;
	return e | ARM64_SW_SOFT_DIRTY;
}

static inline uint64_t fmt_clear_soft_dirty(uint64_t e, unsigned l)
{
	(void)l;
	return e & ~ARM64_SW_SOFT_DIRTY;
}

/* A leaf that hardware faults on is one thing here, whether by protnone or by mkinvalid: nothing else tells them apart.
 */
static inline bool fmt_protnone(uint64_t e, unsigned l)
{
	(void)l;
	return (e & (ARM64_VALID | ARM64_PRESENT_INVALID)) == ARM64_PRESENT_INVALID;
}

static inline uint64_t fmt_mkprotnone(uint64_t e, unsigned l)
{
	if (fmt_protnone(e, l))
		return e;
	e &= ~(ARM64_VALID | ARM64_WAS_GLOBAL);
	return e & ARM64_NG ? e : e | ARM64_PRESENT_INVALID | ARM64_WAS_GLOBAL;
}

static inline uint64_t fmt_mkinvalid(uint64_t e, unsigned l)
{
	return fmt_mkprotnone(e, l);
}

static inline bool fmt_huge(uint64_t e, unsigned l)
{
	return l != 0 && fmt_present(e, l) && !(e & ARM64_TYPE);
}

static inline uint64_t fmt_mkhuge(uint64_t e, unsigned l)
{
	return l == 0 ? e : e & ~ARM64_TYPE;
}

static inline bool fmt_cont(uint64_t e, unsigned l)
{
	(void)l;
	return e & ARM64_CONT;
}

static inline uint64_t fmt_mkcont(uint64_t e, unsigned l)
{
	(void)l;
	return e | ARM64_CONT;
}

static inline uint64_t fmt_mknoncont(uint64_t e, unsigned l)
{
	(void)l;
	return e & ~ARM64_CONT;
}

static inline uint64_t arm64_encode_mt(uint32_t attrs)
{
	switch (attrs & COP_MT_MASK) {
	case COP_MT_TAGGED:
		return 1ULL << ARM64_ATTR_SHIFT;
	case COP_MT_NC:
		return 2ULL << ARM64_ATTR_SHIFT;
	case COP_MT_DEVICE:
		return 3ULL << ARM64_ATTR_SHIFT;
	case COP_MT_DEVICE_RE:
		return 4ULL << ARM64_ATTR_SHIFT;
	default:
		return 0;
	}
}

static inline uint32_t arm64_decode_mt(uint64_t e)
{
	switch ((e & ARM64_ATTR) >> ARM64_ATTR_SHIFT) {
	case 0:
		return COP_MT_NORMAL;
	case 1:
		return COP_MT_TAGGED;
	case 2:
		return COP_MT_NC;
	case 4:
		return COP_MT_DEVICE_RE;
	default:
		return COP_MT_DEVICE;
	}
}

static inline int fmt_check_attrs(const struct cop_geom *g, uint32_t attrs, unsigned l)
{
	const uint32_t known = COP_READ | COP_WRITE | COP_EXEC | COP_USER | COP_GLOBAL | COP_YOUNG | COP_DIRTY |
			       COP_SPECIAL | COP_SOFT_DIRTY | COP_PROTNONE | COP_CONT | COP_KEXEC | COP_DEVMAP |
			       COP_MT_MASK;

	if ((attrs & ~known) || (attrs & COP_MT_MASK) == COP_MT_WT || (attrs & COP_MT_MASK) > COP_MT_DEVICE_RE)
		return -COP_EINVAL;
	if (!fmt_can_leaf(g, l) || ((attrs & COP_KEXEC) && !(attrs & COP_USER)))
		return -COP_EINVAL;
	/* D8.4: EL1 reads whatever it maps; EL0 may execute without reading, and writes only what it reads. */
	if (!(attrs & (COP_READ | COP_PROTNONE)) &&
	    (attrs & (COP_EXEC | COP_USER | COP_WRITE)) != (COP_EXEC | COP_USER))
		return -COP_EINVAL;
	if ((attrs & COP_CONT) && fmt_cont_lg2(g, l) == 0)
		return g->features & COP_F_CONT ? -COP_EINVAL : -COP_EOPNOTSUPP;
	return 0;
}

static inline bool arm64_user_exec_only(uint32_t attrs)
{
	return (attrs & (COP_USER | COP_EXEC | COP_READ)) == (COP_USER | COP_EXEC);
}

/*
 * D8.4 "Memory access control". Execute-only for EL0 is AP[1] = 0 with UXN = 0, so that a leaf is the user's if either
 * says so; this makes (AP[1], UXN, PXN) and (READ, EXEC, USER, KEXEC) a bijection.
 */
static inline uint64_t arm64_encode_access(uint32_t attrs)
{
	const bool user = attrs & COP_USER;
	uint64_t e = 0;

	if (user && !arm64_user_exec_only(attrs))
		e |= ARM64_AP_USER;
	if (!user || !(attrs & COP_EXEC))
		e |= ARM64_UXN;
	if (!(attrs & (user ? COP_KEXEC : COP_EXEC)))
		e |= ARM64_PXN;
	if (attrs & COP_WRITE)
		e |= ARM64_DBM;
	if ((attrs & (COP_WRITE | COP_DIRTY)) != (COP_WRITE | COP_DIRTY))
		e |= ARM64_AP_RDONLY;
	return e;
}

/* Only what AP and UXN cannot say is said this way: with UXN clear the bit means nothing. */
static inline bool arm64_no_read(uint64_t e)
{
	return fmt_protnone(e, 0) && (e & (ARM64_NO_READ | ARM64_UXN)) == (ARM64_NO_READ | ARM64_UXN);
}

static inline uint32_t arm64_decode_access(uint64_t e)
{
	const bool no_read = arm64_no_read(e);
	const bool user = (e & ARM64_AP_USER) || !(e & ARM64_UXN);
	uint32_t attrs = user ? COP_USER : 0;

	if (!no_read && (e & (ARM64_AP_USER | ARM64_UXN)))
		attrs |= COP_READ;
	if (!(e & (user ? ARM64_UXN : ARM64_PXN)))
		attrs |= COP_EXEC;
	if (user && !(e & ARM64_PXN))
		attrs |= COP_KEXEC;
	if (fmt_write(e, 0))
		attrs |= COP_WRITE;
	return attrs;
}

static inline uint64_t arm64_encode_valid(uint32_t attrs)
{
	if (!(attrs & COP_PROTNONE))
		return ARM64_VALID | (attrs & COP_GLOBAL ? 0 : ARM64_NG);
	return ARM64_PRESENT_INVALID | (attrs & COP_GLOBAL ? ARM64_WAS_GLOBAL : 0) |
	       (attrs & COP_READ || arm64_user_exec_only(attrs) ? 0 : ARM64_NO_READ);
}

static inline uint64_t arm64_encode_software(uint32_t attrs)
{
	return (attrs & COP_DIRTY ? ARM64_SW_DIRTY : 0) | (attrs & COP_SPECIAL ? ARM64_SW_SPECIAL : 0) |
	       (attrs & COP_DEVMAP ? ARM64_SW_DEVMAP : 0) | (attrs & COP_SOFT_DIRTY ? ARM64_SW_SOFT_DIRTY : 0);
}

static inline uint64_t fmt_leaf(const struct cop_geom *g, cop_pa pa, unsigned l, uint32_t attrs)
{
	uint64_t e = arm64_encode_pa(g, pa) | arm64_encode_valid(attrs) | arm64_encode_access(attrs) |
		     arm64_encode_software(attrs) | arm64_encode_mt(attrs);

	if (l == 0)
		e |= ARM64_TYPE;
	if (!(g->features & COP_F_LPA2))
		e |= ARM64_SH_INNER;
	if (attrs & COP_YOUNG)
		e |= ARM64_AF;
	if (attrs & COP_CONT)
		e |= ARM64_CONT;
	return e;
}

/* The segment of output addresses in which fmt_leaf_step holds, lg2 of bytes: above it the bits lie elsewhere. */
#define fmt_step_lg2 ARM64_STEP_LG2

static inline uint64_t fmt_leaf_step(const struct cop_geom *g, unsigned l, uint32_t attrs)
{
	(void)g;
	(void)attrs;
	return 1ULL << fmt_shift(l);
}

static inline uint64_t fmt_table(const struct cop_geom *g, cop_pa pa, unsigned l)
{
	(void)l;
	return arm64_encode_pa(g, pa) | ARM64_TYPE | ARM64_VALID;
}

static inline uint64_t fmt_marker(const struct cop_geom *g, cop_pa pa, unsigned l)
{
	(void)l;
	return arm64_encode_pa(g, pa) | ARM64_MARKER;
}

static inline cop_pa fmt_marker_pa(const struct cop_geom *g, uint64_t e, unsigned l)
{
	return fmt_table_pa(g, e, l);
}

static inline uint32_t arm64_attrs_leaf(uint64_t e)
{
	const bool protnone = fmt_protnone(e, 0);
	uint32_t attrs = arm64_decode_access(e) | arm64_decode_mt(e);

	if (protnone ? (e & ARM64_WAS_GLOBAL) != 0 : !(e & ARM64_NG))
		attrs |= COP_GLOBAL;
	return attrs | (protnone ? COP_PROTNONE : 0) | (fmt_young(e, 0) ? COP_YOUNG : 0) |
	       (fmt_dirty(e, 0) ? COP_DIRTY : 0) | (e & ARM64_SW_SPECIAL ? COP_SPECIAL : 0) |
	       (e & ARM64_SW_DEVMAP ? COP_DEVMAP : 0) | (e & ARM64_SW_SOFT_DIRTY ? COP_SOFT_DIRTY : 0) |
	       (e & ARM64_CONT ? COP_CONT : 0);
}

static inline uint32_t fmt_attrs(const struct cop_geom *g, uint64_t e, unsigned l)
{
	(void)g;
	if (!fmt_present(e, l) || fmt_is_table(e, l))
		return 0;
	return arm64_attrs_leaf(e);
}

/*
 * Bits of this leaf that its address and attributes do not determine; real entries may hold anything there:
 * fmt_leaf(g, fmt_leaf_pa(e), l, fmt_attrs(e)) equals e in all the others.
 */
static inline uint64_t fmt_rest_mask(const struct cop_geom *g, uint64_t e, unsigned l)
{
	uint64_t mask = ARM64_NS | ARM64_GP | ARM64_PBHA | ARM64_BIT63;

	if (fmt_protnone(e, l))
		mask &= ~(ARM64_WAS_GLOBAL | (e & ARM64_UXN ? ARM64_NO_READ : 0));
	if (!(g->features & COP_F_LPA2))
		mask |= ARM64_SH;
	if (l != 0)
		mask |= ARM64_NT;
	/* Hardware's dirty state makes software's redundant and the other way round; hardware's writable makes DBM so. */
	if (!(e & ARM64_AP_RDONLY))
		mask |= ARM64_SW_DIRTY | ARM64_DBM;
	else if ((e & ARM64_SW_DIRTY) && (e & ARM64_DBM))
		mask |= ARM64_AP_RDONLY;
	/* Linux leaves MAIR bytes 5 to 7 zero: Device-nGnRnE under other names. */
	if ((e & ARM64_ATTR) >> ARM64_ATTR_SHIFT > 4)
		mask |= ARM64_ATTR;
	return mask;
}

#endif
