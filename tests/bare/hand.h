/* SPDX-License-Identifier: MIT */
/* A walk as somebody writes it whose trees are all of one shape: the levels are constants, the masks from the manual. */
#ifndef COPPICE_TESTS_BARE_HAND_H
#define COPPICE_TESTS_BARE_HAND_H

#include "ports/bare/common/bare.h"

/* The same of the library, for a kernel with one format. */
#define HAND_TRANSLATE(stem) cop_pa cop_##stem##_translate_pa(const struct cop_tree *, cop_va)

#if defined(__x86_64__)
HAND_TRANSLATE(x86_64);
#define HAND_LIBRARY cop_x86_64_translate_pa
#define HAND_ADDRESS 0x000ffffffffff000ULL

static COP_NOINLINE cop_pa hand_translate(const struct cop_tree *tree, cop_va va)
{
	cop_pa table = tree->root;
	uint64_t e;

	if (va + tree->va_bias > tree->va_mask)
		return COP_PA_NONE;
#pragma GCC unroll 4
	for (int shift = 39; shift > 12; shift -= 9) {
		e = cop_load((uint64_t *)cop_phys(table) + (va >> shift & 511), acquire);
		if (!(e & 1))
			return COP_PA_NONE;
		if (e & 0x80)
			return (e & HAND_ADDRESS & ~(COP_LG2(shift) - 1)) | (va & (COP_LG2(shift) - 1));
		table = e & HAND_ADDRESS;
	}
	e = cop_load((uint64_t *)cop_phys(table) + (va >> 12 & 511), acquire);
	return e & 1 ? (e & HAND_ADDRESS) | (va & 4095) : COP_PA_NONE;
}

#elif defined(__s390x__)
HAND_TRANSLATE(s390x);
#define HAND_LIBRARY cop_s390x_translate_pa

static COP_NOINLINE cop_pa hand_translate(const struct cop_tree *tree, cop_va va)
{
	cop_pa table = tree->root;
	uint64_t e;

	if (va + tree->va_bias > tree->va_mask)
		return COP_PA_NONE;
#pragma GCC unroll 2
	for (int shift = 31; shift > 12; shift -= 11) {
		e = cop_load((uint64_t *)cop_phys(table) + (va >> shift & 2047), acquire);
		if (e & 0x20)
			return COP_PA_NONE;
		if (e & 0x400)
			return (e & ~(COP_LG2(shift) - 1)) | (va & (COP_LG2(shift) - 1));
		table = e & (shift == 20 ? ~0x7ffULL : ~0xfffULL);
	}
	e = cop_load((uint64_t *)cop_phys(table) + (va >> 12 & 255), acquire);
	return e & 0x400 ? COP_PA_NONE : (e & ~0xfffULL) | (va & 4095);
}

#elif defined(__aarch64__)
HAND_TRANSLATE(arm64_4k);
#define HAND_LIBRARY cop_arm64_4k_translate_pa
#define HAND_ADDRESS 0x0000fffffffff000ULL

static COP_NOINLINE cop_pa hand_translate(const struct cop_tree *tree, cop_va va)
{
	cop_pa table = tree->root;
	uint64_t e;

	if (va + tree->va_bias > tree->va_mask)
		return COP_PA_NONE;
#pragma GCC unroll 4
	for (int shift = 39; shift > 12; shift -= 9) {
		e = cop_load((uint64_t *)cop_phys(table) + (va >> shift & 511), acquire);
		if ((e & 3) == 1)
			return (e & HAND_ADDRESS & ~(COP_LG2(shift) - 1)) | (va & (COP_LG2(shift) - 1));
		if ((e & 3) != 3)
			return COP_PA_NONE;
		table = e & HAND_ADDRESS;
	}
	e = cop_load((uint64_t *)cop_phys(table) + (va >> 12 & 511), acquire);
	return e & 1 ? (e & HAND_ADDRESS) | (va & 4095) : COP_PA_NONE;
}

#elif defined(__riscv)
HAND_TRANSLATE(riscv64);
#define HAND_LIBRARY    cop_riscv64_translate_pa
#define HAND_ADDRESS(e) (((e) >> 10 & (COP_LG2(44) - 1)) << 12)

/* Sv39. */
static COP_NOINLINE cop_pa hand_translate(const struct cop_tree *tree, cop_va va)
{
	cop_pa table = tree->root;
	uint64_t e;

	if (va + tree->va_bias > tree->va_mask)
		return COP_PA_NONE;
#pragma GCC unroll 3
	for (int shift = 30; shift > 12; shift -= 9) {
		e = cop_load((uint64_t *)cop_phys(table) + (va >> shift & 511), acquire);
		if (!(e & 1))
			return COP_PA_NONE;
		if (e & 14)
			return (HAND_ADDRESS(e) & ~(COP_LG2(shift) - 1)) | (va & (COP_LG2(shift) - 1));
		table = HAND_ADDRESS(e);
	}
	e = cop_load((uint64_t *)cop_phys(table) + (va >> 12 & 511), acquire);
	return e & 1 ? HAND_ADDRESS(e) | (va & 4095) : COP_PA_NONE;
}
#endif

/* The call alone. */
static COP_NOINLINE cop_pa hand_nothing(const struct cop_tree *tree, cop_va va)
{
	__asm__ volatile("" : "+r"(tree), "+r"(va));
	return va;
}

#endif
