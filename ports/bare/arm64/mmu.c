/* SPDX-License-Identifier: MIT */
/* Invalidation by address, by range, by address space; translation on; the other CPUs the same. */
#include "ports/bare/arm64/cpu.h"

/* ---- invalidation (D8.14) ---- */

/* One instruction, its inner-shareable or its local form: op2 is the same in both. */
#define TLBI(is, op2, operand)                                                                                         \
	do {                                                                                                           \
		if (is)                                                                                                \
			__asm__ volatile("sys #0, c8, c3, #" #op2 ", %0" ::"r"(operand) : "memory");                   \
		else                                                                                                   \
			__asm__ volatile("sys #0, c8, c7, #" #op2 ", %0" ::"r"(operand) : "memory");                   \
	} while (0)
#define RTLBI(is, op2, operand)                                                                                        \
	do {                                                                                                           \
		if (is)                                                                                                \
			__asm__ volatile("sys #0, c8, c2, #" #op2 ", %0" ::"r"(operand) : "memory");                   \
		else                                                                                                   \
			__asm__ volatile("sys #0, c8, c6, #" #op2 ", %0" ::"r"(operand) : "memory");                   \
	} while (0)

#define TG              ((COPPICE_PAGE_LG2 - 10ULL) / 2) /* 1, 2, 3 */
#define RANGE_MAX_PAGES (1ULL << 21)
#define BY_ADDRESS_MAX  512 /* more steps than this cost more than starting afresh */

/* Leaf level or any; one address space or all: bits 0 and 1 of what selects the instruction. */
struct op {
	bool shared, leaves, global;
	uint64_t asid, ttl;
};

static void by_asid(const struct op *op)
{
	if (op->global)
		TLBI(op->shared, 0, 0UL); /* VMALLE1 */
	else
		TLBI(op->shared, 2, op->asid << 48); /* ASIDE1 */
}

static void by_address(const struct op *op, cop_va va)
{
	const uint64_t level = op->ttl ? TG << 2 | op->ttl : 0;
	const uint64_t operand = (va >> 12 & (COP_LG2(44) - 1)) | level << 44 | (op->global ? 0 : op->asid << 48);

	switch (op->leaves << 1 | op->global) {
	case 0:
		TLBI(op->shared, 1, operand); /* VAE1 */
		break;
	case 1:
		TLBI(op->shared, 3, operand); /* VAAE1 */
		break;
	case 2:
		TLBI(op->shared, 5, operand); /* VALE1 */
		break;
	default:
		TLBI(op->shared, 7, operand); /* VAALE1 */
		break;
	}
}

/* (num + 1) << (5 * scale + 1) pages from @base (FEAT_TLBIRANGE). */
static void by_range(const struct op *op, uint64_t base, uint64_t scale, uint64_t num)
{
	const uint64_t operand = (base & (COP_LG2(37) - 1)) | op->ttl << 37 | num << 39 | scale << 44 | TG << 46 |
				 (op->global ? 0 : op->asid << 48);

	switch (op->leaves << 1 | op->global) {
	case 0:
		RTLBI(op->shared, 1, operand); /* RVAE1 */
		break;
	case 1:
		RTLBI(op->shared, 3, operand); /* RVAAE1 */
		break;
	case 2:
		RTLBI(op->shared, 5, operand); /* RVALE1 */
		break;
	default:
		RTLBI(op->shared, 7, operand); /* RVAALE1 */
		break;
	}
}

/* FEAT_TTL: the level of the leaves may be told. */
static bool has_levels(void)
{
	return READ_SYSREG(id_aa64mmfr2_el1) >> 48 & 15;
}

static bool has_ranges(void)
{
	return (READ_SYSREG(id_aa64isar0_el1) >> 56 & 15) >= 2;
}

/*
 * Largest pieces first; what is left of an odd number of pages goes page by page. With TCR_EL1.DS the base counts 64 KB
 * whatever the granule is: until the address is aligned to that, page by page too.
 */
static void by_ranges(const struct op *op, cop_va va, uint64_t pages)
{
	const unsigned grain = READ_SYSREG(tcr_el1) & ARM64_TCR_DS ? 16 : COPPICE_PAGE_LG2;

	while (pages) {
		unsigned scale = 3;
		uint64_t num;

		while (scale && !(pages >> (5 * scale + 1)))
			scale--;
		num = pages >> (5 * scale + 1);
		if (!num || !COP_IS_ALIGNED(va, COP_LG2(grain))) {
			by_address(op, va);
			va += COP_LG2(COPPICE_PAGE_LG2);
			pages--;
			continue;
		}
		num = num > 32 ? 32 : num;
		by_range(op, va >> grain, scale, num - 1);
		va += num << (5 * scale + 1) << COPPICE_PAGE_LG2;
		pages -= num << (5 * scale + 1);
	}
}

void cop_tlbi(const struct cop_tlbi *tlbi)
{
	const struct op op = {
		.shared = !(tlbi->scope & COP_TLBI_LOCAL),
		.leaves = !(tlbi->scope & COP_TLBI_TABLES),
		.global = tlbi->scope & COP_TLBI_GLOBAL,
		.asid = tlbi->asid,
		.ttl = tlbi->level < 3 && has_levels() ? 3U - tlbi->level : 0,
	};
	const uint64_t first = tlbi->start >> tlbi->stride_lg2, last = tlbi->last >> tlbi->stride_lg2;
	const uint64_t page = tlbi->start >> COPPICE_PAGE_LG2, pages = (tlbi->last >> COPPICE_PAGE_LG2) - page + 1;

	if ((tlbi->scope & COP_TLBI_ASID) || (last - first >= BY_ADDRESS_MAX && pages > RANGE_MAX_PAGES)) {
		by_asid(&op);
	} else if (last == first) {
		by_address(&op, tlbi->start);
	} else if (has_ranges() && pages <= RANGE_MAX_PAGES) {
		by_ranges(&op, page << COPPICE_PAGE_LG2, pages);
	} else if (last - first >= BY_ADDRESS_MAX) {
		by_asid(&op);
	} else {
		for (uint64_t i = first; i <= last; i++)
			by_address(&op, i << tlbi->stride_lg2);
	}
}

uint64_t cop_entry_xchg(uint64_t *entry, uint64_t new_, const struct cop_tlbi *tlbi)
{
	(void)new_;
	(void)tlbi;
	cop_panic("arm64 has no such instruction", entry);
}

void cop_entries_break(uint64_t *entry, unsigned n, uint64_t invalid_bit, const struct cop_tlbi *tlbi)
{
	(void)n;
	(void)invalid_bit;
	(void)tlbi;
	cop_panic("arm64 has no such instruction", entry);
}

/* ---- translation on ---- */

uint64_t arm64_tcr_of(const struct cop_geom *geom)
{
	static const uint8_t tg0[] = {0, 2, 1}, tg1[] = {2, 1, 3};
	const unsigned granule = (geom->page_lg2 - 12U) / 2;
	const uint64_t sz = 64U - geom->va_bits;
	uint64_t tcr = geom->half == COP_HALF_HIGH ? sz << 16 | (uint64_t)tg1[granule] << 30
						   : sz | (uint64_t)tg0[granule] << 14;

	if (geom->features & COP_F_LPA2)
		tcr |= ARM64_TCR_DS;
	if (geom->features & COP_F_HAF)
		tcr |= ARM64_TCR_HA;
	if (geom->features & COP_F_HD)
		tcr |= ARM64_TCR_HD;
	return tcr;
}

/* IPS: D17.2.131. */
uint64_t arm64_ips_of(const struct cop_geom *geom)
{
	static const uint8_t bits[] = {32, 36, 40, 42, 44, 48, 52};
	uint64_t ips = 0;

	while (ips < 6 && bits[ips] < geom->pa_bits)
		ips++;
	return ips << 32;
}

uint64_t arm64_ttbr_of(cop_pa root, uint32_t asid)
{
	return (root & (COP_LG2(48) - 1)) | root >> 48 << 2 | (uint64_t)asid << 48;
}

/* As start.S reads it. Its size is its alignment, so that it lies in as few cache lines as it can. */
struct mmu_state {
	uint64_t ttbr0, ttbr1, tcr, sctlr;
} __attribute__((aligned(32)));
extern struct mmu_state bare_mmu_state;
struct mmu_state bare_mmu_state;

#define LINE_MIN 16 /* bytes: CTR_EL0.DminLine is no less */

#define SCTLR_M    (1ULL << 0)
#define SCTLR_C    (1ULL << 2)
#define SCTLR_I    (1ULL << 12)
#define SCTLR_RES1 (1ULL << 29 | 1ULL << 28 | 1ULL << 23 | 1ULL << 22 | 1ULL << 20 | 1ULL << 11 | 1ULL << 8 | 1ULL << 7)

/* The other CPU reads it with its MMU, and so its cache, off: it must be in memory (D7.5, DC CVAC). */
void bare_mmu_remember(void)
{
	bare_mmu_state = (struct mmu_state){READ_SYSREG(ttbr0_el1), READ_SYSREG(ttbr1_el1), READ_SYSREG(tcr_el1),
					    READ_SYSREG(sctlr_el1)};
	for (uintptr_t at = (uintptr_t)&bare_mmu_state; at < (uintptr_t)(&bare_mmu_state + 1); at += LINE_MIN)
		__asm__ volatile("dc cvac, %0" ::"r"(at) : "memory");
	__asm__ volatile("dsb sy" ::: "memory"); /* pairs with PSCI's starting the other CPU */
}

/*
 * What was written with the MMU off is in memory only. A cache may hold older, clean, copies of it from before this
 * program, which shall not be found once the MMU is on.
 */
static void forget_cached(uint64_t start, uint64_t end)
{
	const uint64_t line = COP_LG2((READ_SYSREG(ctr_el0) >> 16 & 15) + 2); /* DminLine */

	for (; start < end; start += line)
		__asm__ volatile("dc ivac, %0" ::"r"(start) : "memory");
	__asm__ volatile("dsb sy" ::: "memory");
}

/* ---- the machine at its own addresses ---- */

static cop_pa identity_alloc(void *ctx, unsigned lg2)
{
	const cop_pa at = COP_ALIGN_UP(bare_image_end, COP_LG2(lg2));

	(void)ctx;
	bare_image_end = at + COP_LG2(lg2);
	return at;
}

static void identity_free(void *ctx, cop_pa pa, unsigned lg2)
{
	(void)ctx;
	(void)pa;
	(void)lg2;
}

extern const char bare_text_end[];

static int map_identity(struct cop_tree *tree)
{
	const cop_pa text = BARE_IMAGE_BASE, data = (uintptr_t)bare_text_end;
	int err = cop_map(tree, BARE_GICD, BARE_GICD, 0x2000000, COP_KERNEL_RW | COP_MT_DEVICE, 0, 0);

	if (!err)
		err = cop_map(tree, BARE_RAM_BASE, BARE_RAM_BASE, text - BARE_RAM_BASE, COP_KERNEL_RW, 0, 0);
	if (!err)
		err = cop_map(tree, text, text, data - text, COP_KERNEL_RX, 0, 0);
	if (!err)
		err = cop_map(tree, data, data, bare_ram_end - data, COP_KERNEL_RW, 0, 0);
	return err;
}

BARE_LINKED(bare_va_bits)
BARE_LINKED(bare_without_bbm)

/* What the CPU has (D17.2: ID_AA64MMFR1_EL1.HAFDBS, MMFR2.BBM). QEMU raises no TLB conflict aborts: it has one size of entry. */
static uint32_t features(void)
{
	const uint64_t hafdbs = READ_SYSREG(id_aa64mmfr1_el1) & 15, bbm = READ_SYSREG(id_aa64mmfr2_el1) >> 52 & 15;
	uint32_t f = COP_F_CONT | (hafdbs >= 1 ? COP_F_HAF : 0) | (hafdbs >= 2 ? COP_F_HD : 0);

	if (bbm >= 2 && !bare_without_bbm())
		f |= COP_F_BBM2 | COP_F_BBM2_NOABORT;
	return f;
}

/* TCR_EL1 has one DS, one IPS and one HA for both halves. */
int bare_life_geom(struct cop_geom *geom)
{
	const int err = cop_geom_init(geom, COP_ARM64, COPPICE_PAGE_LG2, 48);
	const bool wide = bare_va_bits() > 48;

	geom->features |= features() | (wide ? (COPPICE_PAGE_LG2 == 16 ? COP_F_LPA : COP_F_LPA2) : 0);
	geom->pa_bits = wide ? 52 : 48;
	return err;
}

int bare_kernel_geom(struct cop_geom *geom)
{
	int err = cop_geom_init(geom, COP_ARM64, COPPICE_PAGE_LG2, (unsigned)bare_va_bits());
	struct cop_geom low;

	if (!err)
		err = bare_life_geom(&low);
	if (err)
		return err;
	geom->half = COP_HALF_HIGH;
	geom->features = low.features;
	geom->pa_bits = low.pa_bits;
	return 0;
}

int bare_mmu_on(struct cop_tree *tree, const struct cop_geom *geom)
{
	const struct cop_table_source source = {identity_alloc, identity_free, NULL};
	int err = cop_tree_init(tree, geom, &source, 0, COP_TREE_KERNEL);

	if (!err)
		err = map_identity(tree);
	if (err)
		return err;
	bare_image_end = COP_ALIGN_UP(bare_image_end, 65536);
	cop_mmu_publish();
	forget_cached(BARE_IMAGE_BASE, bare_image_end);
	bare_mmu_state = (struct mmu_state){
		.ttbr0 = arm64_ttbr_of(tree->root, 0),
		.tcr = ARM64_TCR_BASE | ARM64_TCR_EPD1 | ARM64_TCR_AS | arm64_tcr_of(geom) | arm64_ips_of(geom),
		.sctlr = SCTLR_RES1 | SCTLR_M | SCTLR_C | SCTLR_I,
	};
	bare_mmu_load();
	return 0;
}

/* D8.2: TTBR1_EL1 translates the upper half. EPD1 kept walks away from it until there was a tree. */
void bare_tree_use(const struct cop_tree *tree)
{
	uint64_t tcr = READ_SYSREG(tcr_el1) & ~(ARM64_TCR_EPD1 | 0xc03f0000ULL);

	cop_mmu_publish();
	WRITE_SYSREG(ttbr1_el1, arm64_ttbr_of(tree->root, tree->asid));
	__asm__ volatile("isb" ::: "memory"); /* the root before walks to it are allowed */
	WRITE_SYSREG(tcr_el1, tcr | arm64_tcr_of(&tree->geom));
	__asm__ volatile("isb\n\ttlbi vmalle1\n\tdsb nsh\n\tisb" ::: "memory");
}
