/* SPDX-License-Identifier: MIT */
/* SA22-7832 chapter 3; what is software's as Linux has it (arch/s390/include/asm/pgtable.h). */
#include "tests/bare/common/layout.h"

#define PAGE   1
#define LARGE  6
#define K      (COP_READ | COP_EXEC | COP_GLOBAL)
#define YOUNG  (K | COP_YOUNG)
#define BARRED (YOUNG | COP_PROTNONE)
#define STORED (YOUNG | COP_WRITE | COP_DIRTY)
#define NONE   (COP_EXEC | COP_GLOBAL | COP_PROTNONE)

/* Large leaves too, which this machine does not have. */
static const struct bare_layout leaves[] = {
	{"present, young, dirty, read, write", PAGE, false, STORED, STORED, 0x3d, 0x800},
	{"the same, FC", 2, false, STORED, STORED, 0xf401, 0xf0000},
	{"the same, FC, TT", 4, false, STORED, STORED, 0xf405, 0x7fff0000},
	{"young, I", PAGE, false, K, YOUNG, 0x404, 0},
	{"young, I", LARGE, false, K, YOUNG, 0x1020, 0},
	{"write", PAGE, false, YOUNG, YOUNG | COP_WRITE, 0x20, 0},
	{"write", LARGE, false, YOUNG, YOUNG | COP_WRITE, 0x8000, 0},
	{"dirty", PAGE, false, YOUNG, YOUNG | COP_DIRTY, 0x8, 0},
	{"dirty", LARGE, false, YOUNG, YOUNG | COP_DIRTY, 0x2000, 0},
	{"dirty, P", PAGE, false, YOUNG | COP_WRITE, STORED, 0x208, 0},
	{"dirty, P", LARGE, false, YOUNG | COP_WRITE, STORED, 0x2200, 0},
	{"special", PAGE, false, K, K | COP_SPECIAL, 0x40, 0},
	{"special", LARGE, false, K, K | COP_SPECIAL, 0x800, 0},
	{"soft-dirty", PAGE | LARGE, false, K, K | COP_SOFT_DIRTY, 0x2, 0},
	{"user", PAGE | LARGE, false, K, COP_READ | COP_EXEC | COP_USER, 0x80, 0},
	{"IEP", PAGE | LARGE, false, K, COP_READ | COP_GLOBAL, 0x100, 0},
	{"I, barred", PAGE, false, YOUNG, BARRED, 0xc00, 0},
	{"I, barred", LARGE, false, YOUNG, BARRED, 0x60, 0},
	{"read, barred", PAGE, false, NONE, K | COP_PROTNONE, 0x810, 0},
	{"read, barred", LARGE, false, NONE, K | COP_PROTNONE, 0x4040, 0},
};

static struct bare_swap_layout swap_of(unsigned level)
{
	const uint64_t type = level ? (level - 1ULL) << 2 : 0;

	if (!level)
		return (struct bare_swap_layout){.zero = 0x600,
						 .type = 0x4,
						 .offset = 0x1000,
						 .exclusive = 0x800,
						 .soft_dirty = 0x2,
						 .any = ~0xfffULL | 0x87e};
	return (struct bare_swap_layout){.zero = type | 0x30,
					 .type = 0x40,
					 .offset = 0x1000,
					 .exclusive = 0x800,
					 .soft_dirty = 0x2,
					 .any = ~0x3dULL,
					 .marker = 0x10020 | type | (level == 1 ? 1 : 3)};
}

/* Bits 56 to 63 of a valid page-table entry may be stored at any time; every other wants an instruction. */
static void check_free_bits(const struct cop_geom *geom)
{
	const struct cop_format *format = cop_format_for(COP_S390X, 12);
	const uint64_t e = format->leaf(geom, 0x10000, 0, STORED);

	for (unsigned bit = 0; bit < 64; bit++) {
		const uint64_t other = e ^ COP_LG2(bit);

		if (format->kind(geom, other, 0) != COP_BAD &&
		    (format->change(geom, e, other, 0) == COP_CHANGE_DIRECT) != (bit < 8))
			cop_panic("bits that may change at any time", NULL);
	}
}

void bare_s390x_check_layout(const struct cop_geom *geom);

void bare_s390x_check_layout(const struct cop_geom *geom)
{
	struct cop_geom g = *geom;

	g.features |= COP_F_EDAT1 | COP_F_EDAT2;
	bare_check_layout(&g, leaves, sizeof(leaves) / sizeof(leaves[0]));
	check_free_bits(&g);
	for (unsigned level = 0; level < g.levels; level++) {
		const struct bare_swap_layout swap = swap_of(level);

		bare_check_swap_layout(&g, level, &swap);
	}
}
