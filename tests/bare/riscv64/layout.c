/* SPDX-License-Identifier: MIT */
/* RISC-V Privileged, "Sv39"; what is software's as Linux has it (arch/riscv/include/asm/pgtable-bits.h, pgtable.h). */
#include "tests/bare/common/layout.h"

#define BIT(n)        (1ULL << (n))
#define BITS(last, n) ((BIT(last) << 1) - BIT(n))
#define ALL           31
#define RX            (COP_READ | COP_EXEC)
#define NONE          (RX | COP_PROTNONE)

static const struct bare_layout leaves[] = {
	{"special", ALL, false, RX, RX | COP_SPECIAL, BIT(8), 0},
	{"soft-dirty", ALL, false, RX, RX | COP_SOFT_DIRTY, BIT(9), 0},
	{"protnone", ALL, false, RX, NONE, BIT(0) | BIT(5), 0},
	{"protnone, was-global", ALL, false, RX | COP_GLOBAL, NONE | COP_GLOBAL, BIT(0) | BIT(54), 0},
	{"was-global", ALL, false, NONE, NONE | COP_GLOBAL, BIT(54), 0},
};

/* Type in 11:7, offset in 63:12; nothing is both a swap entry and present (5) or a marker (2). */
static const struct bare_swap_layout swaps = {
	.zero = 0,
	.type = BIT(7),
	.offset = BIT(12),
	.exclusive = BIT(6),
	.soft_dirty = BIT(3),
	.any = BITS(63, 6) | BIT(3),
	.marker = 0x10000 >> 2 | BIT(2),
};

void bare_riscv64_check_layout(const struct cop_geom *geom);

void bare_riscv64_check_layout(const struct cop_geom *geom)
{
	bare_check_layouts(geom, leaves, sizeof(leaves) / sizeof(leaves[0]), &swaps);
}
