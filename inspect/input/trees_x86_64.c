/* SPDX-License-Identifier: MIT */
/* CR0, CR3, CR4 and EFER: Intel SDM volume 3, 2.5 and 4.1.2 (which of them turn 4- and 5-level paging on), 4.5 (CR3). */
#include <errno.h>
#include <inttypes.h>

#include "inspect/input/input.h"

#define CR0_PG    (1ULL << 31)
#define CR4_PAE   (1ULL << 5)
#define CR4_PGE   (1ULL << 7)
#define CR4_LA57  (1ULL << 12)
#define CR4_PCIDE (1ULL << 17)
#define EFER_LMA  (1ULL << 10)
#define EFER_NXE  (1ULL << 11)
/* Below: PCID, or PWT and PCD; above: LAM. */
#define CR3_ADDRESS 0x000ffffffffff000ULL

static int paging_on(struct input *in, uint64_t *cr4)
{
	uint64_t cr0, efer;

	if (input_reg(&in->regs, "cr0", &cr0) && !(cr0 & CR0_PG))
		return input_fail(in->error, EINVAL, "%s: CR0=%#" PRIx64 ": paging is off; expected a CPU in long mode",
				  in->regs.from, cr0);
	if (input_reg(&in->regs, "efer", &efer) && !(efer & EFER_LMA))
		return input_fail(in->error, EINVAL, "%s: EFER=%#" PRIx64 ": not in long mode; expected LMA",
				  in->regs.from, efer);
	if (input_reg(&in->regs, "cr4", cr4) && !(*cr4 & CR4_PAE))
		return input_fail(in->error, EINVAL, "%s: CR4=%#" PRIx64 ": not in long mode; expected PAE",
				  in->regs.from, *cr4);
	return 0;
}

int input_trees_x86_64(struct input *in)
{
	struct insp_tree tree = {.name = "", .format = cop_format_for(COP_X86_64, 0)};
	uint64_t cr3, cr4, efer;
	char from[64];
	int err;

	if (!input_reg(&in->regs, "cr3", &cr3))
		return input_fail(in->error, EINVAL, "%s: no CR3; expected a root", in->regs.from);
	err = paging_on(in, &cr4);
	if (err)
		return err;
	/* Without CR4 the user may still say how many levels. */
	if (!input_reg(&in->regs, "cr4", &cr4)) {
		cr4 = CR4_PAE | CR4_PGE | CR4_PCIDE;
		if (in->source->levels == 5 || in->source->va_bits == 57)
			cr4 |= CR4_LA57;
	}
	err = cop_geom_init(&tree.geom, COP_X86_64, 0, cr4 & CR4_LA57 ? 57 : 48);
	if (err)
		return input_fail(in->error, EINVAL, "%s: no such tree", in->regs.from);
	/* MAXPHYADDR is CPUID's, which no dump has. */
	tree.geom.pa_bits = 52;
	tree.geom.features = COP_F_1G | (cr4 & CR4_PGE ? COP_F_PGE : 0) | (cr4 & CR4_PCIDE ? COP_F_PCID : 0);
	if (!input_reg(&in->regs, "efer", &efer) || (efer & EFER_NXE))
		tree.geom.features |= COP_F_NX;
	tree.root = cr3 & CR3_ADDRESS;
	(void)input_reg(&in->regs, "pat", &tree.mair);
	(void)snprintf(from, sizeof(from), "CR3, CR4 of %s", in->regs.from);
	return input_tree_add(in, &tree, from);
}
