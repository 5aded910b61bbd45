/* SPDX-License-Identifier: MIT */
/* TTBR0_EL1, TTBR1_EL1 and TCR_EL1: Arm ARM (DDI 0487) D24.2, "TCR_EL1" and "TTBRn_EL1"; D8.2 for what they make. */
#include <errno.h>
#include <inttypes.h>

#include "inspect/input/input.h"

#define TCR_HA (1ULL << 39)
#define TCR_HD (1ULL << 40)
#define TCR_DS (1ULL << 59)

/* TG0 and TG1 number the granules differently; 0: reserved. */
static unsigned granule(uint64_t tcr, bool high)
{
	static const uint8_t tg0[4] = {12, 16, 14, 0}, tg1[4] = {0, 14, 12, 16};

	return high ? tg1[tcr >> 30 & 3] : tg0[tcr >> 14 & 3];
}

static unsigned physical_bits(uint64_t tcr)
{
	static const uint8_t ips[8] = {32, 36, 40, 42, 44, 48, 52, 52};

	return ips[tcr >> 32 & 7];
}

/* A root smaller than a page is aligned to its own size, at least 64 bytes; with 52-bit addresses bits 5:2 hold 51:48. */
static cop_pa base_address(const struct cop_format *f, const struct cop_geom *g, uint64_t ttbr)
{
	const unsigned lg2 = f->index_bits(g, g->levels - 1U) + 3;
	cop_pa pa = ttbr & 0x0000ffffffffffff & ~(COP_LG2(lg2 < 6 ? 6 : lg2) - 1);

	if (g->pa_bits == 52)
		pa |= (ttbr & 0x3c) << 46;
	return pa;
}

static int add_half(struct input *in, bool high, uint64_t ttbr, uint64_t tcr)
{
	const char *name = high ? "TTBR1_EL1" : "TTBR0_EL1";
	const unsigned page_lg2 = granule(tcr, high), size = (unsigned)(high ? tcr >> 16 : tcr) & 63;
	struct insp_tree tree = {.name = high ? "kernel" : "user"};
	struct cop_geom *g = &tree.geom;
	char from[64];

	if (tcr >> (high ? 23 : 7) & 1) {
		input_found(in, "tree %s: off (TCR_EL1.EPD%u)", tree.name, high);
		return 0;
	}
	if (page_lg2 == 0)
		return input_fail(in->error, EINVAL,
				  "%s: TCR_EL1=%#" PRIx64 " has a reserved TG%u; expected 4K, 16K or 64K",
				  in->regs.from, tcr, high);
	tree.format = cop_format_for(COP_ARM64, page_lg2);
	if (cop_geom_init(g, COP_ARM64, page_lg2, 64 - size) != 0)
		return input_fail(in->error, EINVAL,
				  "%s: TCR_EL1=%#" PRIx64 " has T%uSZ %u; no tree of %uK pages has that", in->regs.from,
				  tcr, high, size, 1U << (page_lg2 - 10));
	g->half = high ? COP_HALF_HIGH : COP_HALF_LOW;
	g->features &= ~(uint32_t)(COP_F_LPA2 | COP_F_LPA);
	if (page_lg2 != 16 && (tcr & TCR_DS))
		g->features |= COP_F_LPA2;
	g->pa_bits = (uint8_t)physical_bits(tcr);
	if (page_lg2 == 16 && g->pa_bits == 52)
		g->features |= COP_F_LPA;
	if (g->pa_bits == 52 && !(g->features & (COP_F_LPA2 | COP_F_LPA)))
		g->pa_bits = 48; /* IPS may say more than the descriptors can hold */
	if (tcr & TCR_HA)
		g->features |= COP_F_HAF | (tcr & TCR_HD ? COP_F_HD : 0);
	tree.root = base_address(tree.format, g, ttbr);
	(void)input_reg(&in->regs, "mair", &tree.mair);
	(void)snprintf(from, sizeof(from), "%s, TCR_EL1 of %s", name, in->regs.from);
	return input_tree_add(in, &tree, from);
}

int input_trees_arm64(struct input *in)
{
	uint64_t ttbr0, ttbr1, tcr;
	const bool low = input_reg(&in->regs, "ttbr0", &ttbr0), high = input_reg(&in->regs, "ttbr1", &ttbr1);
	int err = 0;

	if (!low && !high)
		return input_fail(in->error, EINVAL, "%s: neither TTBR0_EL1 nor TTBR1_EL1; expected a root",
				  in->regs.from);
	if (!input_reg(&in->regs, "tcr", &tcr))
		return input_fail(in->error, EINVAL, "%s: no TCR_EL1; expected it to say granule and address size",
				  in->regs.from);
	if (high)
		err = add_half(in, true, ttbr1, tcr);
	if (!err && low)
		err = add_half(in, false, ttbr0, tcr);
	return err;
}
