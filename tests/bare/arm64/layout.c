/* SPDX-License-Identifier: MIT */
/* DDI 0487 D8.3.2; what is software's as Linux has it (arch/arm64/include/asm/pgtable-prot.h, pgtable.h). */
#include "tests/bare/common/layout.h"

#define BIT(n)        (1ULL << (n))
#define BITS(last, n) ((BIT(last) << 1) - BIT(n))
#define ALL           15
#define RX            (COP_READ | COP_EXEC)
#define NONE          (RX | COP_PROTNONE)

static const struct bare_layout leaves[] = {
	{"dirty", ALL, false, RX, RX | COP_DIRTY, BIT(55), 0},
	{"special", ALL, false, RX, RX | COP_SPECIAL, BIT(56), 0},
	{"devmap", ALL, false, RX, RX | COP_DEVMAP, BIT(57), 0},
	{"soft-dirty", ALL, false, RX, RX | COP_SOFT_DIRTY, BIT(58), 0},
	{"protnone", ALL, false, RX, NONE, BIT(0), 0},
	{"protnone, was-global", ALL, false, RX | COP_GLOBAL, NONE | COP_GLOBAL, BIT(0) | BIT(11) | BIT(62), 0},
	{"was-global", ALL, false, NONE, NONE | COP_GLOBAL, BIT(62), 0},
	{"no-read", ALL, false, NONE, COP_EXEC | COP_PROTNONE, BIT(61), 0},
};

/* Type in 10:6, offset in 61:12; nothing is both a swap entry and present (11) or a marker (1). */
static const struct bare_swap_layout swaps = {
	.zero = 0,
	.type = BIT(6),
	.offset = BIT(12),
	.exclusive = BIT(2),
	.soft_dirty = BIT(3),
	.any = BITS(61, 12) | BITS(10, 6) | BIT(3) | BIT(2),
	.marker = 0x10000 | BIT(1),
};

void bare_arm64_check_layout(const struct cop_geom *geom);

void bare_arm64_check_layout(const struct cop_geom *geom)
{
	bare_check_layouts(geom, leaves, sizeof(leaves) / sizeof(leaves[0]), &swaps);
}
