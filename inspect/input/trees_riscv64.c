/* SPDX-License-Identifier: MIT */
/* satp: RISC-V privileged architecture, "Supervisor Address Translation and Protection Register". */
#include <errno.h>
#include <inttypes.h>

#include "inspect/input/input.h"

int input_trees_riscv64(struct input *in)
{
	struct insp_tree tree = {.name = "", .format = cop_format_for(COP_RISCV64, 0)};
	uint64_t satp;
	unsigned mode;
	char from[80];

	(void)input_reg(&in->regs, "satp", &satp);
	mode = (unsigned)(satp >> 60);
	if (mode == 0)
		return input_fail(in->error, EINVAL,
				  "%s: satp=%#" PRIx64 ": translation is off (Bare); expected Sv39, "
				  "Sv48 or Sv57",
				  in->regs.from, satp);
	/* MODE 8, 9, 10: 9 bits more each. */
	if (mode < 8 || mode > 10 || cop_geom_init(&tree.geom, COP_RISCV64, 0, 39 + 9 * (mode - 8)) != 0)
		return input_fail(in->error, EINVAL,
				  "%s: satp=%#" PRIx64 ": mode %u; expected 8 (Sv39), 9 (Sv48) or 10 (Sv57)",
				  in->regs.from, satp, mode);
	/* No register says which extensions there are; a kernel sets their bits only where they mean something. */
	tree.geom.features |= COP_F_SVNAPOT | COP_F_SVPBMT;
	tree.root = (satp & 0x00000fffffffffffULL) << 12;
	(void)snprintf(from, sizeof(from), "satp of %s, ASID %u", in->regs.from, (unsigned)(satp >> 44) & 0xffff);
	return input_tree_add(in, &tree, from);
}
