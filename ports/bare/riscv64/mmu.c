/* SPDX-License-Identifier: MIT */
/* Fences, here and remote; translation on; the other harts the same. */
#include "ports/bare/riscv64/cpu.h"

BARE_LINKED(bare_va_bits)
BARE_LINKED(bare_svnapot)
BARE_LINKED(bare_svpbmt)

/* ---- invalidation ---- */

#define SBI_RFENCE     0x52464e43
#define BY_ADDRESS_MAX 64 /* more steps than this cost more than starting afresh */

static void fence_all(bool global, uint64_t asid)
{
	if (global)
		__asm__ volatile("sfence.vma" ::: "memory");
	else
		__asm__ volatile("sfence.vma x0, %0" ::"r"(asid) : "memory");
}

static void fence_at(bool global, uint64_t asid, cop_va va)
{
	if (global)
		__asm__ volatile("sfence.vma %0" ::"r"(va) : "memory");
	else
		__asm__ volatile("sfence.vma %0, %1" ::"r"(va), "r"(asid) : "memory");
}

static void local(const struct cop_tlbi *tlbi, bool whole)
{
	const bool global = tlbi->scope & COP_TLBI_GLOBAL;
	const uint64_t first = tlbi->start >> tlbi->stride_lg2, last = tlbi->last >> tlbi->stride_lg2;

	if (whole || last - first >= BY_ADDRESS_MAX) {
		fence_all(global, tlbi->asid);
		return;
	}
	for (uint64_t i = first; i <= last; i++)
		fence_at(global, tlbi->asid, i << tlbi->stride_lg2);
}

/* Of the CPUs that run, this one included. */
static uint64_t online_harts(void)
{
	uint64_t mask = 0;

	for (unsigned i = 0; i < BARE_CPUS; i++)
		if (cop_load(&bare_cpus[i].online, acquire))
			mask |= COP_LG2(bare_hart_of(i));
	return mask;
}

/*
 * A fence with an address reaches leaves only ("Supervisor Memory-Management Fence Instruction"): where tables were
 * linked or unlinked it is one without. To firmware a size of -1 says that.
 */
void cop_tlbi(const struct cop_tlbi *tlbi)
{
	const bool whole = tlbi->scope & (COP_TLBI_TABLES | COP_TLBI_ASID);
	const cop_va start = whole ? 0 : COP_ALIGN_DOWN(tlbi->start, 4096);
	const uint64_t bytes = whole ? ~0ULL : COP_ALIGN_UP(tlbi->last - start + 1, 4096);
	struct sbi_ret ret;

	if (tlbi->scope & COP_TLBI_LOCAL) {
		local(tlbi, whole);
		return;
	}
	/* The entries before the interrupt that makes the others fence: what SFENCE.VMA asks for when it is remote. */
	__asm__ volatile("fence w, ow" ::: "memory");
	if (tlbi->scope & COP_TLBI_GLOBAL)
		ret = bare_sbi(SBI_RFENCE, 1, online_harts(), 0, start, bytes, 0);
	else
		ret = bare_sbi(SBI_RFENCE, 2, online_harts(), 0, start, bytes, tlbi->asid);
	if (ret.error)
		cop_panic("remote fence refused", tlbi);
}

uint64_t cop_entry_xchg(uint64_t *entry, uint64_t new_, const struct cop_tlbi *tlbi)
{
	(void)new_;
	(void)tlbi;
	cop_panic("riscv64 has no such instruction", entry);
}

void cop_entries_break(uint64_t *entry, unsigned n, uint64_t invalid_bit, const struct cop_tlbi *tlbi)
{
	(void)n;
	(void)invalid_bit;
	(void)tlbi;
	cop_panic("riscv64 has no such instruction", entry);
}

/* ---- translation on ---- */

/* satp.MODE: 8, 9 and 10 are Sv39, Sv48 and Sv57. */
uint64_t riscv_satp_of(const struct cop_geom *geom, cop_pa root, uint32_t asid)
{
	return (geom->levels + 5ULL) << 60 | (uint64_t)(asid & 0xffff) << 44 | root >> 12;
}

static uint64_t satp;

void bare_mmu_remember(void)
{
	satp = READ_CSR(satp);
	cop_fence_full(); /* pairs with the firmware's starting the other hart */
}

void bare_mmu_recall(void)
{
	if (!satp)
		return;
	WRITE_CSR(satp, satp);
	__asm__ volatile("sfence.vma" ::: "memory");
}

/* QEMU's harts set A and D themselves (Svadu); the others are those that the emulator is started with. */
uint32_t riscv_features(void)
{
	return COP_F_ADUE | (bare_svnapot() ? COP_F_SVNAPOT : 0) | (bare_svpbmt() ? COP_F_SVPBMT : 0);
}

int bare_life_geom(struct cop_geom *geom)
{
	const int err = cop_geom_init(geom, COP_RISCV64, 12, (unsigned)bare_va_bits());

	geom->features |= riscv_features();
	return err;
}

int bare_kernel_geom(struct cop_geom *geom)
{
	return bare_life_geom(geom);
}

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

static int map_identity(struct cop_tree *tree)
{
	const cop_pa text = BARE_KERNEL_BASE, data = (uintptr_t)bare_text_end;
	int err = cop_map(tree, BARE_FINISHER, BARE_FINISHER, 4096, COP_KERNEL_RW, 0, 0);

	if (!err)
		err = cop_map(tree, BARE_UART, BARE_UART, 4096, COP_KERNEL_RW, 0, 0);
	if (!err)
		err = cop_map(tree, text, text, data - text, COP_KERNEL_RX, 0, 0);
	if (!err)
		err = cop_map(tree, data, data, bare_ram_end - data, COP_KERNEL_RW, 0, 0);
	return err;
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
	satp = riscv_satp_of(geom, tree->root, 0);
	bare_mmu_recall();
	return READ_CSR(satp) == satp ? 0 : -COP_EOPNOTSUPP;
}

/* One root translates everything: what the machine runs by, the lower half, hangs in the new one too. */
void bare_tree_use(const struct cop_tree *tree)
{
	const uint64_t *from = cop_phys((READ_CSR(satp) & (COP_LG2(44) - 1)) << 12);
	uint64_t *to = cop_phys(tree->root);

	for (unsigned i = 0; i < 256; i++)
		cop_store(&to[i], cop_load(&from[i], relaxed), relaxed);
	satp = riscv_satp_of(&tree->geom, tree->root, tree->asid);
	bare_mmu_recall();
}
