/* SPDX-License-Identifier: MIT */
/* Control registers 1, 7 and 13: z/Architecture Principles of Operation, "Address-Space-Control Element" and "Control Registers". */
#include <errno.h>
#include <inttypes.h>

#include "inspect/input/input.h"

#define ASCE_ORIGIN     0xfffffffffffff000ULL
#define ASCE_REAL_SPACE (1ULL << 5)
#define CR0_EDAT        (1ULL << 23)
#define CR0_IEP         (1ULL << 20)

static int add_asce(struct input *in, const char *name, const char *reg, uint64_t asce)
{
	struct insp_tree tree = {.name = name, .format = cop_format_for(COP_S390X, 0), .big_endian = true};
	/* DT: 0 is a segment table, the top of two levels. */
	const unsigned levels = 2 + ((unsigned)(asce >> 2) & 3), length = (unsigned)asce & 3;
	uint64_t cr0;
	char from[64];

	if (asce & ASCE_REAL_SPACE) {
		input_found(in, "tree %s: none, %s=%#" PRIx64 " is a real-space designation", name, reg, asce);
		return 0;
	}
	if (cop_geom_init(&tree.geom, COP_S390X, 0, tree.format->shift(levels)) != 0)
		return input_fail(in->error, EINVAL, "%s: %s=%#" PRIx64 ": no such tree", in->regs.from, reg, asce);
	if (input_reg(&in->regs, "cr0", &cr0)) {
		if (!(cr0 & CR0_EDAT))
			tree.geom.features &= ~(uint32_t)(COP_F_EDAT1 | COP_F_EDAT2);
		if (!(cr0 & CR0_IEP))
			tree.geom.features &= ~(uint32_t)COP_F_IEP;
	}
	/* TL counts frames of 512 entries, less one. */
	tree.root_entries = length == 3 ? 0 : (length + 1) * 512;
	tree.root = asce & ASCE_ORIGIN;
	(void)snprintf(from, sizeof(from), "%s of %s", reg, in->regs.from);
	return input_tree_add(in, &tree, from);
}

/* Linux runs with the kernel's space as primary (CR1) and home (CR13), a process's as secondary (CR7). */
int input_trees_s390x(struct input *in)
{
	uint64_t cr1, cr7, cr13;
	const bool has1 = input_reg(&in->regs, "cr1", &cr1), has7 = input_reg(&in->regs, "cr7", &cr7);
	const bool has13 = input_reg(&in->regs, "cr13", &cr13);
	int err = 0;

	if (!has1 && !has7 && !has13)
		return input_fail(in->error, EINVAL, "%s: none of CR1, CR7 and CR13; expected a root", in->regs.from);
	if (has13)
		err = add_asce(in, "kernel", "CR13", cr13);
	if (!err && has1 && !(has13 && cr1 == cr13))
		err = add_asce(in, has13 ? "primary" : "kernel", "CR1", cr1);
	if (!err && has7 && !(has1 && cr7 == cr1) && !(has13 && cr7 == cr13))
		err = add_asce(in, "user", "CR7", cr7);
	return err;
}
