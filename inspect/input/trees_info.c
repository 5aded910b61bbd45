/* SPDX-License-Identifier: MIT */
/* The kernel's tree from VMCOREINFO, where no register says: swapper_pg_dir, and what makes its address a physical one. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "inspect/input/input.h"

#define X86_TEXT 0xffffffff80000000ULL

/* Only one architecture's kernel leaves each of these. */
int input_info_arch(const struct input *in)
{
	uint64_t v;

	if (input_info(in, "NUMBER(kimage_voffset)", &v) || input_info(in, "NUMBER(TCR_EL1_T1SZ)", &v))
		return COP_ARM64;
	if (input_info(in, "NUMBER(pgtable_l5_enabled)", &v) || input_info(in, "SYMBOL(init_top_pgt)", &v))
		return COP_X86_64;
	if (input_info(in, "NUMBER(va_kernel_pa_offset)", &v) || input_info(in, "NUMBER(KERNEL_LINK_ADDR)", &v) ||
	    input_info(in, "NUMBER(phys_ram_base)", &v))
		return COP_RISCV64;
	if (input_info(in, "SYMBOL(lowcore_ptr)", &v))
		return COP_S390X;
	return -1;
}

static unsigned page_lg2(const struct input *in)
{
	uint64_t size;

	if (!input_info(in, "PAGESIZE", &size))
		return 12;
	return size == 65536 ? 16 : size == 16384 ? 14 : 12;
}

/* A kernel of 52 bits on a CPU of 48 uses the end of its root (arch/arm64/mm/proc.S, offset_ttbr1). */
static cop_pa arm64_root(cop_pa pgd, unsigned lg2, unsigned built, unsigned used)
{
	const unsigned top = lg2 == 16 ? 42 : 0;

	if (built == 52 && used == 48 && top)
		pgd += ((1ULL << (52 - top)) - (1ULL << (48 - top))) * 8;
	return pgd;
}

static bool arm64(struct input *in, struct insp_tree *t)
{
	const unsigned lg2 = page_lg2(in);
	uint64_t built, t1sz, offset;

	if (!input_info(in, "NUMBER(kimage_voffset)", &offset))
		return false;
	if (!input_info(in, "NUMBER(VA_BITS)", &built))
		built = 48;
	if (!input_info(in, "NUMBER(TCR_EL1_T1SZ)", &t1sz) || t1sz > 63)
		t1sz = 64 - (built & 63);
	t->format = cop_format_for(COP_ARM64, lg2);
	if (cop_geom_init(&t->geom, COP_ARM64, lg2, 64 - (unsigned)t1sz) != 0)
		return false;
	t->name = "kernel";
	t->geom.half = COP_HALF_HIGH;
	/* Where descriptors can hold 52 bits, they read as 48 if the kernel uses no more. */
	if (lg2 == 16) {
		t->geom.features |= COP_F_LPA;
		t->geom.pa_bits = 52;
	}
	t->root = arm64_root(in->machine->kernel.swapper_pg_dir - offset, lg2, (unsigned)built, 64 - (unsigned)t1sz);
	return true;
}

static bool x86_64(struct input *in, struct insp_tree *t)
{
	uint64_t five, phys_base;

	(void)input_info(in, "NUMBER(pgtable_l5_enabled)", &five);
	(void)input_info(in, "NUMBER(phys_base)", &phys_base);
	t->format = cop_format_for(COP_X86_64, 0);
	if (cop_geom_init(&t->geom, COP_X86_64, 0, five ? 57 : 48) != 0)
		return false;
	t->geom.pa_bits = 52;
	t->root = in->machine->kernel.swapper_pg_dir - X86_TEXT + phys_base;
	return true;
}

static bool riscv64(struct input *in, struct insp_tree *t)
{
	uint64_t bits, offset;

	if (!input_info(in, "NUMBER(va_kernel_pa_offset)", &offset))
		return false;
	if (!input_info(in, "NUMBER(VA_BITS)", &bits))
		bits = 39;
	t->format = cop_format_for(COP_RISCV64, 0);
	if (bits > 57 || cop_geom_init(&t->geom, COP_RISCV64, 0, (unsigned)bits) != 0)
		return false;
	t->geom.features |= COP_F_SVNAPOT | COP_F_SVPBMT;
	t->root = in->machine->kernel.swapper_pg_dir - offset;
	return true;
}

/* An entry of a region or segment table says which of them it belongs to (TT, bits 3:2). */
static unsigned s390x_levels(struct input *in, cop_pa root)
{
	void *buffer = aligned_alloc(64, 16384);
	const unsigned char *table = buffer ? insp_frame(in->machine->memory, root, 16384, buffer) : NULL;
	unsigned levels = 0;

	for (unsigned i = 0; table && i < 2048 && !levels; i++) {
		const unsigned char low = table[8 * i + 7];

		if (!(low & 0x20))
			levels = 2 + (low >> 2 & 3U);
	}
	free(buffer);
	return levels;
}

static bool s390x(struct input *in, struct insp_tree *t)
{
	uint64_t offset, physical;
	unsigned levels;

	/* Kernels that run where they are loaded say neither. */
	(void)input_info(in, "KERNELOFFPHYS", &physical);
	if (!physical || !input_info(in, "KERNELOFFSET", &offset))
		offset = 0;
	t->format = cop_format_for(COP_S390X, 0);
	t->name = "kernel";
	t->big_endian = true;
	t->root = in->machine->kernel.swapper_pg_dir - offset + physical;
	if (!COP_IS_ALIGNED(t->root, 16384))
		return false;
	levels = s390x_levels(in, t->root);
	return levels && cop_geom_init(&t->geom, COP_S390X, 0, t->format->shift(levels)) == 0;
}

int input_trees_info(struct input *in)
{
	static bool (*const of[])(struct input *, struct insp_tree *) = {
		[COP_ARM64] = arm64,
		[COP_X86_64] = x86_64,
		[COP_RISCV64] = riscv64,
		[COP_S390X] = s390x,
	};
	struct insp_tree tree = {.name = ""};
	uint64_t satp, mask;

	if (in->arch == COP_RISCV64 && input_info(in, "NUMBER(satp)", &satp)) {
		in->regs.from = "VMCOREINFO";
		input_reg_set(&in->regs, "satp", satp);
		return input_trees_riscv64(in);
	}
	if (input_info(in, "NUMBER(sme_mask)", &mask) && mask)
		input_found(in, "memory is encrypted: addresses in entries have bit %#" PRIx64 " set", mask);
	if (!in->vmcoreinfo || !in->machine->kernel.swapper_pg_dir || !of[in->arch](in, &tree))
		return 0;
	return input_tree_add(in, &tree, "swapper_pg_dir of VMCOREINFO");
}
