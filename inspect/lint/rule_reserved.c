/* SPDX-License-Identifier: MIT */
/* Entries that no manual gives a meaning. */
#include <inttypes.h>

#include "inspect/lint/lint.h"

/* The highest bit without which the entry would be one, or 64 if it takes more than that. */
static unsigned culprit(const struct insp_tree *tree, uint64_t e, unsigned level)
{
	for (unsigned bit = 63; bit > 0; bit--)
		if ((e >> bit & 1) && tree->format->kind(&tree->geom, e & ~(1ULL << bit), level) != COP_BAD)
			return bit;
	return 64;
}

static void run(struct lint *l, void *state, const struct insp_run *r)
{
	struct insp_finding f;
	unsigned bit;

	(void)state;
	if (r->kind != COP_BAD)
		return;
	f = lint_of_run(l, r);
	if (!lint_valid(l->tree, r->entry, r->level)) {
		f.severity = INSP_WARNING;
		lint_report(l, &f, "The entry is not valid, not empty, and nothing that software is known to store");
		return;
	}
	bit = culprit(l->tree, r->entry, r->level);
	if (bit < 64)
		lint_report(l, &f, "Bit %u is reserved in an entry of level %u and set", bit, r->level);
	else
		lint_report(l, &f, "The encoding is reserved at level %u", r->level);
}

const struct lint_rule lint_reserved = {
	.rule = {"reserved-bits",
		 "an entry has reserved bits set, or an encoding that its level reserves",
		 INSP_ERROR,
		 {[COP_ARM64] = "DDI 0487 D8.3",
		  [COP_X86_64] = "SDM 3A 4.7",
		  [COP_RISCV64] = "RISC-V Privileged, Sv39: Virtual Address Translation Process",
		  [COP_S390X] = "SA22-7832 chapter 3, Translation-Specification Exception"}},
	.run = run,
};
