/* SPDX-License-Identifier: MIT */
/* Trees of a machine: of its registers, or of what the user says. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "inspect/input/input.h"

int input_tree_add(struct input *in, const struct insp_tree *tree, const char *from)
{
	struct insp_machine *m = in->machine;
	const struct cop_geom *g = &tree->geom;

	if (tree->format->check_geom(g) != 0)
		return input_fail(
			in->error, EINVAL,
			"%s: %s says %u levels, %u bits of virtual and %u of physical address; %s has no such tree",
			in->source->path, from, g->levels, g->va_bits, g->pa_bits, tree->format->name);
	if (m->trees == INSP_TREES)
		return input_fail(in->error, E2BIG, "%s: more than %u trees", in->source->path, INSP_TREES);
	m->tree[m->trees++] = *tree;
	input_found(in, "tree%s%s: root %#" PRIx64 ", %s, %u levels, %u-bit virtual addresses (%s)",
		    *tree->name ? " " : "", tree->name, tree->root, tree->format->name, g->levels, g->va_bits, from);
	return 0;
}

int input_trees_regs(struct input *in)
{
	static int (*const of[])(struct input *) = {
		[COP_ARM64] = input_trees_arm64,
		[COP_X86_64] = input_trees_x86_64,
		[COP_RISCV64] = input_trees_riscv64,
		[COP_S390X] = input_trees_s390x,
	};

	return of[in->arch](in);
}

/* Levels alone say how many bits the root resolves; 48 bits is what a tree of that many levels has where it could have more. */
static unsigned default_va_bits(const struct insp_source *s, const struct cop_format *f)
{
	unsigned bits;

	if (s->va_bits || s->levels == 0 || s->levels > 5)
		return s->va_bits;
	bits = f->shift(s->levels);
	if (f->arch == COP_ARM64 && bits > 48 && f->shift(s->levels - 1) < 48)
		return 48;
	return bits > 52 && f->arch == COP_ARM64 ? 52 : bits;
}

int input_trees_root(struct input *in)
{
	const struct insp_source *s = in->source;
	const struct cop_format *f = cop_format_for((enum cop_arch)in->arch, s->page_lg2);
	struct insp_tree tree = {.name = "", .format = f, .root = s->root, .big_endian = in->arch == COP_S390X};

	if (!f || cop_geom_init(&tree.geom, (enum cop_arch)in->arch, s->page_lg2, default_va_bits(s, f)) != 0 ||
	    (s->levels && s->levels != tree.geom.levels))
		return input_fail(
			in->error, EINVAL,
			"%s: no tree has %u-byte pages, %u levels and %u bits of virtual address (0: default)",
			in->source->path, s->page_lg2 ? 1U << s->page_lg2 : 0, s->levels, s->va_bits);
	if (in->arch == COP_ARM64)
		tree.geom.half = COP_HALF_HIGH;
	if (in->arch == COP_X86_64)
		tree.geom.pa_bits = 52;
	if (in->arch == COP_RISCV64)
		tree.geom.features |= COP_F_SVNAPOT | COP_F_SVPBMT;
	return input_tree_add(in, &tree, "as told");
}
