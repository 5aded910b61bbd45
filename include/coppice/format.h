/* SPDX-License-Identifier: MIT */
/*
 * What the bits mean: the language between formats and everything else.
 *
 * A format is a header of pure functions over entry *values* (never pointers), compiled into the algorithms. Each format
 * header defines the names listed at the end of this file. Tools that choose the format at run time use struct
 * cop_format, the one table of function pointers.
 */
#ifndef COPPICE_FORMAT_H
#define COPPICE_FORMAT_H

#include <coppice/types.h>

#ifdef __cplusplus
extern "C" {
#endif

enum cop_arch { COP_ARM64, COP_X86_64, COP_RISCV64, COP_S390X };

/* Which virtual addresses a tree translates. */
enum cop_half {
	COP_HALF_LOW,  /* 0 .. 2^va_bits - 1 (TTBR0, an s390x ASCE) */
	COP_HALF_HIGH, /* -2^va_bits .. -1 (TTBR1) */
	COP_HALF_BOTH, /* sign-extended from bit va_bits - 1 (x86-64, riscv64) */
};

/* CPU features that change what entries mean or which changes are allowed. */
enum cop_feature {
	/* arm64 */
	COP_F_LPA2 = 1 << 0,         /* TCR_ELx.DS: 52-bit OA with 4K and 16K granules */
	COP_F_LPA = 1 << 1,          /* 52-bit OA with the 64K granule */
	COP_F_HAF = 1 << 2,          /* hardware access flag (TCR_ELx.HA) */
	COP_F_HD = 1 << 3,           /* hardware dirty state through DBM (TCR_ELx.HD) */
	COP_F_BBM1 = 1 << 4,         /* FEAT_BBM level 1 */
	COP_F_BBM2 = 1 << 5,         /* FEAT_BBM level 2 */
	COP_F_BBM2_NOABORT = 1 << 6, /* ... and known not to raise conflict aborts */
	COP_F_CONT = 1 << 7,         /* use contiguous runs */
	/* x86-64 */
	COP_F_NX = 1 << 8,
	COP_F_1G = 1 << 9,
	COP_F_PCID = 1 << 10,
	COP_F_PGE = 1 << 11,
	/* riscv64 */
	COP_F_SVNAPOT = 1 << 12,
	COP_F_SVPBMT = 1 << 13,
	COP_F_ADUE = 1 << 14, /* hardware updates A and D (Svadu); else software does */
	COP_F_SVVPTC = 1 << 15,
	/* s390x */
	COP_F_EDAT1 = 1 << 16,
	COP_F_EDAT2 = 1 << 17,
	COP_F_IEP = 1 << 18, /* instruction-execution protection */
	COP_F_RDP = 1 << 19,
	/* x86-64 */
	COP_F_INVLPGB =
		1 << 20, /* invalidations are broadcast (AMD), or a hypervisor's: other CPUs take no interrupt */
};

/**
 * struct cop_geom - the shape of a tree, chosen at run time within a format
 * @arch: enum cop_arch
 * @half: enum cop_half
 * @page_lg2: lg2 of the page size, bytes
 * @levels: number of levels; the root is a table of level @levels - 1
 * @va_bits: bits of virtual address that are translated
 * @pa_bits: bits of output address
 * @features: enum cop_feature bits
 */
struct cop_geom {
	uint8_t arch, half, page_lg2, levels, va_bits, pa_bits;
	uint32_t features;
};

/* Attributes of a leaf, the same for every architecture; what a format cannot express it refuses in check_attrs. */
enum cop_attr {
	COP_READ = 1 << 0,
	COP_WRITE = 1 << 1,
	COP_EXEC = 1 << 2, /* executable at the privilege that may access it (user if COP_USER, else kernel) */
	COP_USER = 1 << 3,
	COP_GLOBAL = 1 << 4, /* not tied to an address space */
	COP_YOUNG = 1 << 5,  /* accessed */
	COP_DIRTY = 1 << 6,
	COP_SPECIAL = 1 << 7, /* no struct page behind it */
	COP_SOFT_DIRTY = 1 << 8,
	COP_PROTNONE = 1 << 9, /* present to software, no access by hardware */
	COP_CONT = 1 << 10,    /* member of a contiguous run (reported by decode; chosen by map) */
	COP_KEXEC = 1 << 11,   /* COP_USER leaf that the kernel may execute too */
	COP_DEVMAP = 1 << 12,
	/* memory types, one of: */
	COP_MT_NORMAL = 0 << 16, /* write-back */
	COP_MT_WT = 1 << 16,
	COP_MT_NC = 2 << 16,        /* non-cacheable, write-combining */
	COP_MT_DEVICE = 3 << 16,    /* strongly ordered, uncached */
	COP_MT_TAGGED = 4 << 16,    /* arm64 MTE */
	COP_MT_DEVICE_RE = 5 << 16, /* arm64 Device-nGnRE */
	COP_MT_MASK = 7 << 16,
};
#define COP_KERNEL_RW (COP_READ | COP_WRITE | COP_GLOBAL | COP_YOUNG | COP_DIRTY)
#define COP_KERNEL_RO (COP_READ | COP_GLOBAL | COP_YOUNG)
#define COP_KERNEL_RX (COP_READ | COP_EXEC | COP_GLOBAL | COP_YOUNG)
#define COP_USER_RW   (COP_READ | COP_WRITE | COP_USER | COP_YOUNG | COP_DIRTY)

enum cop_kind {
	COP_EMPTY,  /* the format's empty entry of that level */
	COP_TABLE,  /* points to a table one level lower */
	COP_LEAF,   /* maps an output address (protnone included: present) */
	COP_SWAP,   /* not present: a swap or migration entry */
	COP_MARKER, /* not present: a table was unlinked here and its invalidation has not completed */
	COP_BAD,    /* reserved encoding */
};

/* What it takes to change a live entry from one value to another. */
enum cop_change {
	COP_CHANGE_DIRECT,    /* one store (or compare-and-swap where hardware updates the entry) */
	COP_CHANGE_INSTR,     /* one instruction that changes and invalidates (s390x: CRDTE, IPTE, IDTE, RDP) */
	COP_CHANGE_BREAK,     /* clear, invalidate, sync, then write */
	COP_CHANGE_FORBIDDEN, /* never, whatever the order: reserved encoding, wrong level */
};

/* Which invalidation a change takes, weakest first. */
enum cop_covers {
	COP_COVERS_NONE,   /* nothing stale can exist, or staleness is harmless (a spurious fault) */
	COP_COVERS_LEAF,   /* last-level, by address */
	COP_COVERS_TABLES, /* paging-structure caches too */
};

/* A leaf after hardware has translated an access by it. */
struct cop_access {
	bool fault;
	uint64_t entry; /* with the accessed and dirty bits that this CPU sets by itself */
};

/* One field of an entry, for tools that name every bit. */
struct cop_field {
	const char *name;     /* the manual's name */
	uint8_t shift, width; /* bits */
	const char *section;  /* manual and section */
};

/**
 * struct cop_format - a format behind function pointers, for tools that choose at run time
 *
 * Every member is the function of the same name of the format header; see the list below.
 */
struct cop_format {
	const char *name;      /* "arm64-4k", "arm64-16k", "arm64-64k", "x86-64", "riscv64", "s390x" */
	const char *arch_name; /* "arm64", ... */
	uint8_t arch, page_lg2;
	uint8_t min_table_lg2; /* smallest table, lg2 of bytes */
	int (*check_geom)(const struct cop_geom *);
	unsigned (*shift)(unsigned level);
	unsigned (*index_bits)(const struct cop_geom *, unsigned level);
	unsigned (*table_lg2)(const struct cop_geom *, unsigned level);
	bool (*can_leaf)(const struct cop_geom *, unsigned level);
	unsigned (*cont_lg2)(const struct cop_geom *, unsigned level);
	uint64_t (*empty)(unsigned level);
	enum cop_kind (*kind)(const struct cop_geom *, uint64_t entry, unsigned level);
	uint64_t (*leaf)(const struct cop_geom *, cop_pa, unsigned level, uint32_t attrs);
	uint64_t (*table)(const struct cop_geom *, cop_pa, unsigned level);
	cop_pa (*leaf_pa)(const struct cop_geom *, uint64_t entry, unsigned level);
	cop_pa (*table_pa)(const struct cop_geom *, uint64_t entry, unsigned level);
	uint32_t (*attrs)(const struct cop_geom *, uint64_t entry, unsigned level);
	int (*check_attrs)(const struct cop_geom *, uint32_t attrs, unsigned level);
	enum cop_change (*change)(const struct cop_geom *, uint64_t old, uint64_t new_, unsigned level);
	enum cop_covers (*covers)(const struct cop_geom *, uint64_t old, uint64_t new_, unsigned level);
	struct cop_access (*access)(const struct cop_geom *, uint64_t entry, unsigned level, bool write);
	const char *(*level_name)(const struct cop_geom *,
				  unsigned level); /* "PGD", "PMD", ... as the kernel's ptdump */
	const struct cop_field *(*fields)(const struct cop_geom *, uint64_t entry, unsigned level, unsigned *count);
};

extern const struct cop_format cop_format_arm64_4k, cop_format_arm64_16k, cop_format_arm64_64k, cop_format_x86_64,
	cop_format_riscv64, cop_format_s390x;

/**
 * cop_format_for() - the format of an architecture and page size
 * @arch: enum cop_arch
 * @page_lg2: lg2 of bytes; 0 for the architecture's smallest
 *
 * Return: the format, or NULL if the architecture has no such page size.
 */
const struct cop_format *cop_format_for(enum cop_arch arch, unsigned page_lg2);

/**
 * cop_geom_init() - a tree's geometry with the features that every CPU of today has
 * @arch: enum cop_arch
 * @page_lg2: lg2 of bytes; 0 for the default (12)
 * @va_bits: bits translated, 0 for the default (48, 48, 39, 42); this decides the number of levels
 *
 * Return: 0; -COP_EINVAL if the combination does not exist.
 */
int cop_geom_init(struct cop_geom *, enum cop_arch arch, unsigned page_lg2, unsigned va_bits);

#ifdef __cplusplus
}
#endif

/*
 * What a format header (formats/<arch>.h) defines, all `static inline`, all pure; `g` is const struct cop_geom *, `e` an
 * entry value, `l` a level. Level 0 is the bottom.
 *
 *   FMT_NAME, FMT_ARCH, FMT_PAGE_LG2, FMT_MIN_TABLE_LG2, FMT_MAX_LEVELS     constants
 *   FMT_ARCH_NAME, FMT_FORMAT            for formats/ops.h: arch_name, and the cop_format_* it defines
 *   FMT_LIVE_BY_INSTRUCTION   1 when a valid entry may be changed only by instruction (s390x)
 *   FMT_CACHES_INVALID        1 when hardware may cache an invalid entry (riscv64), so that making one valid wants a fence
 *
 *   geometry   fmt_check_geom(g)       0 or -COP_EINVAL
 *              fmt_shift(l)            lg2 of the bytes that one entry of level l maps; constant-folds for constant l
 *              fmt_index_bits(g, l)    lg2 of the entries of a table (the root may differ)
 *              fmt_table_lg2(g, l)     lg2 of the bytes of a table of level l
 *              fmt_can_leaf(g, l)      an entry of level l may be a leaf
 *              fmt_cont_lg2(g, l)      lg2 of the entries of a contiguous run at level l; 0: none
 *   encoding   fmt_empty(l)            the empty entry
 *              fmt_kind(g, e, l)
 *              fmt_leaf(g, pa, l, attrs)   attrs with COP_CONT: as a member of a run (on riscv64 the whole run shares one
 *                                      encoding: pa is rounded down and N set; leaf_pa of a member rounds down too)
 *              fmt_leaf_step(g, l, attrs)  what to add to a leaf to get the next one's encoding, 0 inside a riscv64 run;
 *                                      valid within one OA segment (see fmt_step_lg2)
 *              fmt_step_lg2            OA segment in which fmt_leaf_step holds, lg2 of bytes (arm64 LPA2: 50, LPA: 48)
 *              fmt_table(g, pa, l)     entry of level l that points to a table of level l - 1
 *              fmt_marker(g, pa, l)    invalid entry of level l (>= 1) that remembers an unlinked table's address
 *              fmt_marker_pa(g, e, l)
 *   decoding   fmt_present(e, l)       cheap: leaf or table, valid to hardware or protnone
 *              fmt_is_table(e, l)      cheap: for a present entry
 *              fmt_links(e, l)         both of these in one test, for the way down
 *              fmt_leaf_pa(g, e, l)    of the entry itself: for a riscv64 run member, the run's base
 *              fmt_table_pa(g, e, l)
 *              fmt_attrs(g, e, l)
 *              fmt_rest_mask(g, e, l)  bits of a leaf that its address and attributes do not determine; in all others
 *                                      fmt_leaf(g, fmt_leaf_pa(g, e, l), l, fmt_attrs(g, e, l)) equals e
 *              fmt_check_attrs(g, attrs, l)   0; -COP_EINVAL what can't be said; -COP_EOPNOTSUPP what this CPU lacks
 *   algebra    fmt_young/mkyoung/mkold, fmt_dirty/mkdirty/mkclean, fmt_write/mkwrite/wrprotect, fmt_special/mkspecial,
 *              fmt_soft_dirty/mksoft_dirty/clear_soft_dirty, fmt_protnone/mkprotnone, fmt_huge/mkhuge, fmt_mkinvalid
 *              (not present to hardware, still a leaf to software), fmt_cont/mkcont/mknoncont: all (e, l)
 *   swap       fmt_swap(type, offset, l), fmt_swap_type(e, l), fmt_swap_offset(e, l), fmt_swap_exclusive/
 *              swap_mkexclusive/swap_clear_exclusive, fmt_swap_soft_dirty/..., FMT_SWAP_TYPE_BITS, FMT_SWAP_OFFSET_BITS
 *   facts      fmt_change(g, old, new, l), fmt_covers(g, old, new, l)
 *              fmt_access(g, e, l, write)   struct cop_access: what hardware makes of an access by a leaf
 *              fmt_racy(g, e, l)       hardware may still change the entry (set young or dirty) while it is linked
 *   names      fmt_level_name(g, l), fmt_fields(g, e, l, &count)
 */

#endif
