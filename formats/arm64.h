/* SPDX-License-Identifier: MIT */
/*
 * arm64, stage 1, VMSAv8-64 (Arm ARM, DDI 0487, D8.3 "Translation table descriptor formats").
 *
 * Compiled for one granule: the includer defines ARM64_PAGE_LG2 as 12, 14 or 16. Arm counts levels from the top of the
 * largest tree (level 3 is the page level); here level 0 is the page level, so Arm's level n is 3 - n.
 *
 *   63    59 58 57 56 55  54  53   52  51  50 49                     12 11 10 9  8 7  6  5  4  2 1 0
 *   +-------+--+--+--+--+---+---+----+---+--+-------------------------+--+--+-----+-----+--+----+-+-+
 *   | PBHA  |SD|DM|SP|DI|UXN|PXN|CONT|DBM|GP| OA, upwards from page   |nG|AF|SH   |AP   |NS|Attr|T|V|  leaf
 *   +-------+--+--+--+--+---+---+----+---+--+-------------------------+--+--+-----+-----+--+----+-+-+
 *   | NSTable, APTable(2), UXNTable, PXNTable at 63, 62:61, 60, 59; next table's address; T = V = 1  |  table
 *
 * T: 1 for a page or a table, 0 for a block. Output address bits above 47 are where the granule has room for them: with
 * 64K OA[51:48] in [15:12] (FEAT_LPA), with 4K and 16K OA[49:48] in place and OA[51:50] in [9:8] (FEAT_LPA2, TCR.DS; then
 * shareability comes from TCR.SH0/SH1).
 *
 * Bits that hardware ignores carry the meanings Linux gives them: 55 dirty (DI), 56 special (SP), 57 devmap (DM); 58 is
 * soft-dirty (SD; Linux has none on arm64 and uses 58 for uffd-wp). "Writable" to software is DBM. An entry that software
 * calls present though V is 0 (protnone, mkinvalid) has nG set and keeps every other field (Linux's PTE_PRESENT_INVALID);
 * what nG was is remembered in bit 62, hardware ignoring invalid entries. Swap entries and markers keep nG clear.
 *
 * Memory types are Linux's MT_* indexes into MAIR_EL1: 0 Normal, 1 Normal-Tagged, 2 Normal-NC, 3 Device-nGnRnE,
 * 4 Device-nGnRE. Linux leaves the other bytes 0, so indexes 5 to 7 read as Device-nGnRnE.
 */
#ifndef COPPICE_FORMATS_ARM64_H
#define COPPICE_FORMATS_ARM64_H

#include <coppice/format.h>

#ifndef ARM64_PAGE_LG2
#error "define ARM64_PAGE_LG2 as 12, 14 or 16"
#endif

#define FMT_ARCH                COP_ARM64
#define FMT_ARCH_NAME           "arm64"
#define FMT_PAGE_LG2            ARM64_PAGE_LG2
#define FMT_MIN_TABLE_LG2       ARM64_PAGE_LG2 /* a root with fewer entries still has a frame of its own */
#define FMT_LIVE_BY_INSTRUCTION 0
#define FMT_CACHES_INVALID      0 /* D8.16: an entry that faults is not cached */
#define FMT_SWAP_TYPE_BITS      5
#define FMT_SWAP_OFFSET_BITS    50

#define ARM64_INDEX_LG2 (ARM64_PAGE_LG2 - 3)
#if ARM64_PAGE_LG2 == 12
#define FMT_NAME       "arm64-4k"
#define FMT_FORMAT     cop_format_arm64_4k
#define FMT_MAX_LEVELS 5
#elif ARM64_PAGE_LG2 == 14
#define FMT_NAME       "arm64-16k"
#define FMT_FORMAT     cop_format_arm64_16k
#define FMT_MAX_LEVELS 4
#elif ARM64_PAGE_LG2 == 16
#define FMT_NAME       "arm64-64k"
#define FMT_FORMAT     cop_format_arm64_64k
#define FMT_MAX_LEVELS 3
#else
#error "ARM64_PAGE_LG2 is 12, 14 or 16"
#endif

#define ARM64_BITS(last, first) ((~0ULL >> (63 - (last))) & (~0ULL << (first)))

/* D8.3.2 block and page descriptors. */
#define ARM64_VALID         (1ULL << 0)
#define ARM64_TYPE          (1ULL << 1)
#define ARM64_ATTR_SHIFT    2
#define ARM64_ATTR          ARM64_BITS(4, 2)
#define ARM64_NS            (1ULL << 5)
#define ARM64_AP_USER       (1ULL << 6)
#define ARM64_AP_RDONLY     (1ULL << 7)
#define ARM64_SH            ARM64_BITS(9, 8)
#define ARM64_SH_INNER      (3ULL << 8)
#define ARM64_AF            (1ULL << 10)
#define ARM64_NG            (1ULL << 11)
#define ARM64_NT            (1ULL << 16) /* blocks, FEAT_BBM */
#define ARM64_GP            (1ULL << 50)
#define ARM64_DBM           (1ULL << 51)
#define ARM64_CONT          (1ULL << 52)
#define ARM64_PXN           (1ULL << 53)
#define ARM64_UXN           (1ULL << 54)
#define ARM64_SW_DIRTY      (1ULL << 55)
#define ARM64_SW_SPECIAL    (1ULL << 56)
#define ARM64_SW_DEVMAP     (1ULL << 57)
#define ARM64_SW_SOFT_DIRTY (1ULL << 58)
#define ARM64_PBHA          ARM64_BITS(62, 59)
#define ARM64_BIT63         (1ULL << 63)
/* Only while V is 0. */
#define ARM64_PRESENT_INVALID ARM64_NG
#define ARM64_WAS_GLOBAL      (1ULL << 62)
#define ARM64_NO_READ         (1ULL << 61) /* neither READ nor user execute-only: AP and UXN cannot say so */
/* D8.3.1 table descriptors. */
#define ARM64_TABLE_ATTRS ARM64_BITS(63, 59)
/* Swap entries: Linux's layout, type in 10:6, offset in 61:12. */
#define ARM64_SWP_EXCLUSIVE    (1ULL << 2)
#define ARM64_SWP_SOFT_DIRTY   (1ULL << 3)
#define ARM64_SWP_TYPE_SHIFT   6
#define ARM64_SWP_OFFSET_SHIFT 12
#define ARM64_SWP_ALL                                                                                                  \
	(ARM64_BITS(61, ARM64_SWP_OFFSET_SHIFT) | ARM64_BITS(10, ARM64_SWP_TYPE_SHIFT) | ARM64_SWP_SOFT_DIRTY |        \
	 ARM64_SWP_EXCLUSIVE)
/* Markers: V = 0, T = 1, nG = 0, and the table's address where a table descriptor has it. No swap entry has T. */
#define ARM64_MARKER ARM64_TYPE

#if ARM64_PAGE_LG2 == 16
#define ARM64_OA_TOP        47
#define ARM64_OA_HIGH       ARM64_BITS(15, 12)
#define ARM64_OA_HIGH_SHIFT 36
#define ARM64_OA52          COP_F_LPA
#define ARM64_STEP_LG2      48
#else
#define ARM64_OA_TOP        49
#define ARM64_OA_HIGH       ARM64_BITS(9, 8)
#define ARM64_OA_HIGH_SHIFT 42
#define ARM64_OA52          COP_F_LPA2
#define ARM64_STEP_LG2      50
#endif

/* ------------------------------------------------------------------------------------------------ geometry */

/* D8.2 "Translation granules": each level resolves as many bits as a page holds entries. */
static inline unsigned fmt_shift(unsigned l)
{
	return ARM64_PAGE_LG2 + ARM64_INDEX_LG2 * l;
}

static inline unsigned fmt_index_bits(const struct cop_geom *g, unsigned l)
{
	return l + 1 == g->levels ? g->va_bits - fmt_shift(l) : (unsigned)ARM64_INDEX_LG2;
}

static inline unsigned fmt_table_lg2(const struct cop_geom *g, unsigned l)
{
	(void)g;
	(void)l;
	return ARM64_PAGE_LG2;
}

/* 52-bit output addresses are what makes the largest blocks useful, and only then are they defined (D8.3.2). */
static inline bool fmt_can_leaf(const struct cop_geom *g, unsigned l)
{
	const bool big = (g->features & ARM64_OA52) != 0;

	if (ARM64_PAGE_LG2 == 12)
		return l <= 2 || (l == 3 && big);
	return l <= 1 || (l == 2 && big);
}

/* D8.7.1 "The Contiguous bit". A run must fit in its table: a short root has none. */
static inline unsigned fmt_cont_lg2(const struct cop_geom *g, unsigned l)
{
	unsigned lg2 = 0;

	if (!(g->features & COP_F_CONT))
		return 0;
	if (ARM64_PAGE_LG2 == 12)
		lg2 = l <= 2 ? 4 : 0;
	else if (ARM64_PAGE_LG2 == 14)
		lg2 = l == 0 ? 7 : l == 1 ? 5 : 0;
	else
		lg2 = l <= 1 ? 5 : 0;
	return fmt_index_bits(g, l) < lg2 ? 0 : lg2;
}

/* The initial level follows from the address size alone (D8.2, TCR_ELx.TxSZ): no more levels than it takes. */
static inline unsigned arm64_levels(unsigned va_bits)
{
	return (va_bits - ARM64_PAGE_LG2 + ARM64_INDEX_LG2 - 1) / ARM64_INDEX_LG2;
}

static inline int fmt_check_geom(const struct cop_geom *g)
{
	const uint32_t known =
		COP_F_HAF | COP_F_HD | COP_F_BBM1 | COP_F_BBM2 | COP_F_BBM2_NOABORT | COP_F_CONT | ARM64_OA52;
	const bool big = (g->features & ARM64_OA52) != 0;

	if (g->arch != COP_ARM64 || g->page_lg2 != ARM64_PAGE_LG2 || (g->features & ~known))
		return -COP_EINVAL;
	if (g->half != COP_HALF_LOW && g->half != COP_HALF_HIGH)
		return -COP_EINVAL;
	/* FEAT_TTST: TxSZ up to 48 (47 with 64K). FEAT_LVA is all that 64K takes to go beyond 48 bits. */
	if (g->va_bits < (ARM64_PAGE_LG2 == 16 ? 17 : 16) || g->va_bits > 52)
		return -COP_EINVAL;
	if (g->va_bits > 48 && ARM64_PAGE_LG2 != 16 && !big)
		return -COP_EINVAL;
	if (g->levels != arm64_levels(g->va_bits))
		return -COP_EINVAL;
	if (g->pa_bits < 32 || g->pa_bits > (big ? 52 : 48))
		return -COP_EINVAL;
	if ((g->features & COP_F_HD) && !(g->features & COP_F_HAF))
		return -COP_EINVAL;
	if ((g->features & COP_F_BBM2_NOABORT) && !(g->features & COP_F_BBM2))
		return -COP_EINVAL;
	return 0;
}

/* ---------------------------------------------------------------------------------------- output addresses */

static inline uint64_t arm64_encode_pa(const struct cop_geom *g, cop_pa pa)
{
	uint64_t e = pa & ARM64_BITS(ARM64_OA_TOP, ARM64_PAGE_LG2);

	if (ARM64_PAGE_LG2 == 16 || (g->features & COP_F_LPA2))
		e |= (pa >> ARM64_OA_HIGH_SHIFT) & ARM64_OA_HIGH;
	return e;
}

/* @l: bits below that level's shift are not address. Without 52-bit addresses the high bits are 0 where they are not SH. */
static inline cop_pa arm64_decode_pa(const struct cop_geom *g, uint64_t e, unsigned l)
{
	cop_pa pa = e & ARM64_BITS(ARM64_OA_TOP, 0) & (~0ULL << fmt_shift(l));

	if (ARM64_PAGE_LG2 == 16 || (g->features & COP_F_LPA2))
		pa |= (e & ARM64_OA_HIGH) << ARM64_OA_HIGH_SHIFT;
	return pa;
}

/* ------------------------------------------------------------------------------------------------ decoding */

static inline uint64_t fmt_empty(unsigned l)
{
	(void)l;
	return 0;
}

static inline bool fmt_present(uint64_t e, unsigned l)
{
	(void)l;
	return (e & (ARM64_VALID | ARM64_PRESENT_INVALID)) != 0;
}

static inline bool fmt_is_table(uint64_t e, unsigned l)
{
	return l != 0 && (e & ARM64_TYPE);
}

static inline cop_pa fmt_leaf_pa(const struct cop_geom *g, uint64_t e, unsigned l)
{
	return arm64_decode_pa(g, e, l);
}

static inline cop_pa fmt_table_pa(const struct cop_geom *g, uint64_t e, unsigned l)
{
	(void)l;
	return arm64_decode_pa(g, e, 0);
}

static inline bool arm64_valid(uint64_t e)
{
	return e & ARM64_VALID;
}

/* Address bits that must be 0 in a leaf of this level. */
static inline uint64_t arm64_leaf_res0(const struct cop_geom *g, unsigned l)
{
	uint64_t res0 = ARM64_BITS(fmt_shift(l) - 1, 12);

	if (ARM64_PAGE_LG2 == 16 && (g->features & COP_F_LPA))
		res0 &= ~ARM64_OA_HIGH;
	if (l != 0 && (g->features & (COP_F_BBM1 | COP_F_BBM2)))
		res0 &= ~ARM64_NT;
	if (!(g->features & COP_F_LPA2))
		res0 |= ARM64_BITS(49, 48);
	return res0;
}

static inline uint64_t arm64_table_res0(const struct cop_geom *g)
{
	return arm64_leaf_res0(g, 0);
}

static inline enum cop_kind arm64_kind_leaf(const struct cop_geom *g, uint64_t e, unsigned l)
{
	if (!fmt_can_leaf(g, l) || (e & arm64_leaf_res0(g, l)))
		return COP_BAD;
	return COP_LEAF;
}

static inline enum cop_kind arm64_kind_marker(const struct cop_geom *g, uint64_t e, unsigned l)
{
	const uint64_t high = g->features & ARM64_OA52 ? ARM64_OA_HIGH : 0;
	const uint64_t pa = ARM64_BITS(ARM64_OA_TOP, ARM64_PAGE_LG2) | high;

	if (l == 0 || (e & ~(pa | ARM64_MARKER)) || (e & arm64_table_res0(g)))
		return COP_BAD;
	return COP_MARKER;
}

static inline enum cop_kind arm64_kind_invalid(const struct cop_geom *g, uint64_t e, unsigned l)
{
	if (e == 0)
		return COP_EMPTY;
	if (e & ARM64_PRESENT_INVALID)
		return (l == 0) == ((e & ARM64_TYPE) != 0) ? arm64_kind_leaf(g, e, l) : COP_BAD;
	if (e & ARM64_TYPE)
		return arm64_kind_marker(g, e, l);
	return e & ~ARM64_SWP_ALL ? COP_BAD : COP_SWAP;
}

static inline enum cop_kind fmt_kind(const struct cop_geom *g, uint64_t e, unsigned l)
{
	if (!arm64_valid(e))
		return arm64_kind_invalid(g, e, l);
	if (fmt_is_table(e, l))
		return e & arm64_table_res0(g) ? COP_BAD : COP_TABLE;
	if (l == 0 && !(e & ARM64_TYPE))
		return COP_BAD;
	return arm64_kind_leaf(g, e, l);
}

/* ------------------------------------------------------------------------------------------------- algebra */

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

/* A leaf that hardware faults on is one thing here, whether by protnone or by mkinvalid: nothing else tells them apart. */
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

/* ---------------------------------------------------------------------------------------------- attributes */

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
 * D8.4 "Memory access control". Execute-only for EL0 is AP[1] = 0 with UXN = 0, so that a leaf is the user's if either says
 * so; this makes (AP[1], UXN, PXN) and (READ, EXEC, USER, KEXEC) a bijection.
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

static inline uint32_t arm64_decode_access(uint64_t e, bool no_read)
{
	const bool user = (e & ARM64_AP_USER) || (!no_read && !(e & ARM64_UXN));
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
	uint32_t attrs = arm64_decode_access(e, protnone && (e & ARM64_NO_READ)) | arm64_decode_mt(e);

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
	uint64_t mask = ARM64_NS | ARM64_GP;

	/* While V is 0 bits 62:61 are ours. */
	mask |= fmt_protnone(e, l) ? ARM64_BIT63 | ARM64_BITS(60, 59) : ARM64_BIT63 | ARM64_PBHA;
	if (!(g->features & COP_F_LPA2))
		mask |= ARM64_SH;
	if (l != 0)
		mask |= ARM64_NT;
	/* Hardware's dirty state makes software's redundant, and hardware's writable makes DBM so. */
	if (!(e & ARM64_AP_RDONLY))
		mask |= ARM64_SW_DIRTY | ARM64_DBM;
	/* Linux leaves MAIR bytes 5 to 7 zero: Device-nGnRnE under other names. */
	if ((e & ARM64_ATTR) >> ARM64_ATTR_SHIFT > 4)
		mask |= ARM64_ATTR;
	return mask;
}

/* ---------------------------------------------------------------------------------------------------- swap */

/* Type 0 with offset 0 is the empty entry, as in Linux, where the first slot of swap space is its header. */
static inline uint64_t fmt_swap(unsigned type, uint64_t offset, unsigned l)
{
	(void)l;
	return (uint64_t)type << ARM64_SWP_TYPE_SHIFT | offset << ARM64_SWP_OFFSET_SHIFT;
}

static inline unsigned fmt_swap_type(uint64_t e, unsigned l)
{
	(void)l;
	return (unsigned)(e >> ARM64_SWP_TYPE_SHIFT) & ((1U << FMT_SWAP_TYPE_BITS) - 1);
}

static inline uint64_t fmt_swap_offset(uint64_t e, unsigned l)
{
	(void)l;
	return (e >> ARM64_SWP_OFFSET_SHIFT) & ((1ULL << FMT_SWAP_OFFSET_BITS) - 1);
}

static inline bool fmt_swap_exclusive(uint64_t e, unsigned l)
{
	(void)l;
	return e & ARM64_SWP_EXCLUSIVE;
}

static inline uint64_t fmt_swap_mkexclusive(uint64_t e, unsigned l)
{
	(void)l;
	return e | ARM64_SWP_EXCLUSIVE;
}

static inline uint64_t fmt_swap_clear_exclusive(uint64_t e, unsigned l)
{
	(void)l;
	return e & ~ARM64_SWP_EXCLUSIVE;
}

static inline bool fmt_swap_soft_dirty(uint64_t e, unsigned l)
{
	(void)l;
	return e & ARM64_SWP_SOFT_DIRTY;
}

static inline uint64_t fmt_swap_mksoft_dirty(uint64_t e, unsigned l)
{
	(void)l;
	return e | ARM64_SWP_SOFT_DIRTY;
}

static inline uint64_t fmt_swap_clear_soft_dirty(uint64_t e, unsigned l)
{
	(void)l;
	return e & ~ARM64_SWP_SOFT_DIRTY;
}

/* --------------------------------------------------------------------------------------------------- facts */

/* D8.5: hardware sets AF at an access and clears AP[2] at a write; only valid leaves, so a table never races. */
static inline bool fmt_racy(const struct cop_geom *g, uint64_t e, unsigned l)
{
	if (!arm64_valid(e) || fmt_is_table(e, l))
		return false;
	if ((g->features & COP_F_HAF) && !(e & ARM64_AF))
		return true;
	return (g->features & COP_F_HD) && (e & (ARM64_DBM | ARM64_AP_RDONLY)) == (ARM64_DBM | ARM64_AP_RDONLY);
}

/*
 * D8.16: an entry that takes an Access flag fault is not cached. With hardware management of the flag a speculative access
 * may set it and cache the entry at any time, so there AF = 0 proves nothing.
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
 * FEAT_BBM (D8.16, "Support levels for changing table or block size"): level 1 allows a change of size while the block has
 * nT set. Level 2 allows it without, but a lookup that hits both sizes may still raise a TLB conflict abort; nothing here
 * could handle that abort, so level 2 counts only on CPUs known not to raise it.
 */
static inline bool arm64_resize_direct(const struct cop_geom *g, uint64_t block)
{
	if (g->features & COP_F_BBM2_NOABORT)
		return true;
	return (g->features & (COP_F_BBM1 | COP_F_BBM2)) && (block & ARM64_NT);
}

static inline uint64_t arm64_pa_bits(const struct cop_geom *g)
{
	return ARM64_BITS(ARM64_OA_TOP, ARM64_PAGE_LG2) | (g->features & ARM64_OA52 ? ARM64_OA_HIGH : 0);
}

/* The type's index, except that Normal and Normal-Tagged differ in a permission only (D8.6, D10 "Allocation tags"). */
static inline bool arm64_same_type(uint64_t old, uint64_t new_)
{
	const uint64_t tagged = 1ULL << ARM64_ATTR_SHIFT;

	return !((old ^ new_) & ARM64_ATTR) || !((old | new_) & ARM64_ATTR & ~tagged);
}

/*
 * D8.16 "Using break-before-make": memory type, cacheability and shareability; the Contiguous bit; non-global to global;
 * the output address if either side is writable or the contents differ. A format cannot see contents: of two read-only
 * leaves it answers "direct", and whoever changes the address answers for the contents. Members of a run must agree in
 * address, so a member's address never changes alone. PBHA and NS select what memory answers, like an address.
 */
static inline bool arm64_leaf_needs_break(const struct cop_geom *g, uint64_t old, uint64_t new_)
{
	const uint64_t diff = old ^ new_;
	uint64_t fixed = ARM64_NS | ARM64_PBHA | ARM64_BIT63;

	if (!(g->features & COP_F_LPA2))
		fixed |= ARM64_SH;
	if ((diff & fixed) || !arm64_same_type(old, new_) || (old & ~new_ & ARM64_NG))
		return true;
	if ((diff & ARM64_CONT) && !(g->features & COP_F_BBM2_NOABORT))
		return true;
	if (!(diff & arm64_pa_bits(g) & ~ARM64_NT))
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
		direct = !((old ^ new_) &
			   (arm64_pa_bits(g) | ARM64_BIT63)); /* hierarchical permissions may change; NSTable not */
	else if (fmt_is_table(old, l) || fmt_is_table(new_, l))
		direct = arm64_resize_direct(g, fmt_is_table(old, l) ? new_ : old);
	else
		direct = !arm64_leaf_needs_break(g, old, new_);
	return direct ? COP_CHANGE_DIRECT : COP_CHANGE_BREAK;
}

/*
 * What a stale copy of @old may be used for without harm: software bits and AF are not part of what is cached, and a user
 * access refused by a stale copy faults spuriously. A kernel access has nobody to retry it, so for kernel leaves relaxing
 * wants invalidation too. Guarding (GP) and the user bit both give and take, so either change counts.
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

/* --------------------------------------------------------------------------------------------------- names */

/* Linux's ptdump calls the root PGD however many levels there are. */
static inline const char *fmt_level_name(const struct cop_geom *g, unsigned l)
{
	static const char *const names[] = {"PTE", "PMD", "PUD", "P4D", "PGD"};

	return l + 1 == g->levels ? "PGD" : names[l];
}

#include "arm64_fields.h"

#endif
