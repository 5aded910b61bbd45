/* SPDX-License-Identifier: MIT */
/* SDM 3A tables 4-16 to 4-20; what is software's as Linux has it (arch/x86/include/asm/pgtable_types.h, pgtable_64.h). */
#include "tests/bare/common/layout.h"

#define BIT(n) (1ULL << (n))
#define ALL    7
#define SMALL  1
#define LARGE  6
#define RX     (COP_READ | COP_EXEC)
#define NONE   (RX | COP_PROTNONE)

static const struct bare_layout leaves[] = {
	{"P", SMALL, false, RX, RX, BIT(0), 0},
	{"P and PS", LARGE, false, RX, RX, BIT(0) | BIT(7), 0xfe000},
	{"R/W", ALL, false, RX, RX | COP_WRITE, BIT(1), 0},
	{"U/S", ALL, false, RX, RX | COP_USER, BIT(2), 0},
	{"PWT", ALL, false, RX, RX | COP_MT_NC, BIT(3), 0},
	{"PCD and PWT", ALL, false, RX, RX | COP_MT_DEVICE, BIT(3) | BIT(4), 0},
	{"PAT", SMALL, false, RX | COP_MT_DEVICE, RX | COP_MT_WT, BIT(7), 0},
	{"PAT of large leaves", LARGE, false, RX | COP_MT_DEVICE, RX | COP_MT_WT, BIT(12), 0},
	{"A", ALL, false, RX, RX | COP_YOUNG, BIT(5), 0},
	{"D", ALL, false, RX | COP_WRITE, RX | COP_WRITE | COP_DIRTY, BIT(6), 0},
	{"G", ALL, false, RX, RX | COP_GLOBAL, BIT(8), 0},
	{"special", ALL, false, RX, RX | COP_SPECIAL, BIT(9), 0},
	{"soft-dirty", ALL, false, RX, RX | COP_SOFT_DIRTY, BIT(11), 0},
	{"devmap", ALL, false, RX, RX | COP_DEVMAP, BIT(57), 0},
	{"saved-dirty", ALL, false, RX, RX | COP_DIRTY, BIT(58), 0},
	{"XD", ALL, false, RX, COP_READ, BIT(63), 0},
	{"protnone", ALL, true, RX, NONE, BIT(0) | BIT(8), 0},
	{"was-global", ALL, false, NONE, NONE | COP_GLOBAL, BIT(52), 0},
	{"no-read", ALL, false, NONE, COP_EXEC | COP_PROTNONE, BIT(53), 0},
};

/* Type in 63:59; the offset's complement in 58:9. */
static const struct bare_swap_layout swaps = {
	.zero = (BIT(59) - 1) & ~(BIT(9) - 1),
	.type = BIT(59),
	.offset = BIT(9),
	.exclusive = BIT(3),
	.soft_dirty = BIT(1),
	.any = ~(BIT(9) - 1) | BIT(1) | BIT(2) | BIT(3), /* 2: uffd-wp */
	.marker = ((BIT(52) - 1) & ~0x10fffULL) | BIT(4),
};

void bare_x86_check_layout(const struct cop_geom *geom);

void bare_x86_check_layout(const struct cop_geom *geom)
{
	bare_check_layouts(geom, leaves, sizeof(leaves) / sizeof(leaves[0]), &swaps);
}
