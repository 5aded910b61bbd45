/* SPDX-License-Identifier: MIT */
/* What architectures do that their formats do not say: what is valid, types as registers define them. */
#include "inspect/lint/lint.h"

/* MAIR_EL1 and IA32_PAT as Linux programs them (arch/arm64/mm/proc.S; arch/x86/mm/pat/memtype.c). */
#define LINUX_MAIR 0x000000040044ffffULL
#define LINUX_PAT  0x0407050600070106ULL

bool lint_valid(const struct insp_tree *tree, uint64_t e, unsigned level)
{
	if (tree->format->arch == COP_S390X)
		return !(e & (level == 0 ? 0x400 : 0x20)); /* I: SA22-7832 chapter 3 */
	return e & 1;
}

bool lint_high_half(const struct insp_tree *tree, cop_va va)
{
	return tree->geom.half == COP_HALF_HIGH || (tree->geom.half == COP_HALF_BOTH && va >> 63);
}

uint64_t lint_run_may_differ(const struct insp_tree *tree)
{
	/* DDI 0487 D8.7.1: Access flag and dirty state; software's dirty bits with them. Svnapot: A and D. */
	if (tree->format->arch == COP_ARM64)
		return 1ULL << 10 | 1ULL << 7 | 1ULL << 55 | 1ULL << 58;
	return 1ULL << 6 | 1ULL << 7 | 1ULL << 9;
}

/* DDI 0487 D24, MAIR_EL1: inner cacheability decides what another alias may hold in a cache. */
static enum lint_type type_of_mair(unsigned attr)
{
	const unsigned inner = attr & 15;

	if (attr >> 4 == 0)
		return LINT_DEVICE;
	if (attr == 0xf0) /* tagged, write-back */
		return LINT_WB;
	if (inner == 4)
		return LINT_NC;
	return inner & 4 ? LINT_WB : LINT_WT;
}

/* SDM 3A 12.12.2: UC- is UC unless an MTRR says write-combining; WP lets every write through. */
static enum lint_type type_of_pat(unsigned pat)
{
	static const uint8_t types[8] = {LINT_UC, LINT_NC, LINT_UC, LINT_UC, LINT_WT, LINT_WT, LINT_WB, LINT_UC};

	return (enum lint_type)types[pat & 7];
}

enum lint_type lint_type(const struct insp_tree *tree, uint64_t e, unsigned level)
{
	unsigned index;

	switch (tree->format->arch) {
	case COP_ARM64:
		index = (unsigned)(e >> 2) & 7;
		return type_of_mair((unsigned)((tree->mair ? tree->mair : LINUX_MAIR) >> 8 * index) & 255);
	case COP_X86_64:
		index = (unsigned)(e >> 3 & 3) | (unsigned)(e >> (level == 0 ? 7 : 12) & 1) << 2;
		return type_of_pat((unsigned)((tree->mair ? tree->mair : LINUX_PAT) >> 8 * index) & 255);
	case COP_RISCV64:
		/* Svpbmt; 0 leaves it to the physical attributes, which no dump has. */
		return e >> 62 & 1 ? LINT_DEVICE : e >> 61 & 1 ? LINT_NC : LINT_WB;
	default:
		return LINT_WB;
	}
}

const char *lint_type_name(const struct insp_tree *tree, enum lint_type type)
{
	static const char *const names[LINT_TYPES] = {"write-back", "write-through", "non-cacheable", "uncached",
						      "device"};

	if (type == LINT_NC && tree->format->arch == COP_X86_64)
		return "write-combining";
	if (type == LINT_WB && tree->format->arch == COP_RISCV64)
		return "of its physical attributes' type";
	return names[type];
}
