/* SPDX-License-Identifier: MIT */
/* The way back from trees to the registers that describe them; see inspect/input/trees_*.c for the way there. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "inspect/export_frames.h"

static unsigned ips(unsigned pa_bits)
{
	static const uint8_t bits[] = {32, 36, 40, 42, 44, 48, 52};
	unsigned i = 0;

	while (i < 6 && bits[i] < pa_bits)
		i++;
	return i;
}

/* What TCR_EL1 says of one half. */
static uint64_t arm64_half(const struct cop_geom *g)
{
	static const uint8_t tg0[] = {[12] = 0, [14] = 2, [16] = 1}, tg1[] = {[12] = 2, [14] = 1, [16] = 3};
	const bool high = g->half == COP_HALF_HIGH;
	uint64_t tcr = (uint64_t)ips(g->pa_bits) << 32;

	tcr |= (uint64_t)(64 - g->va_bits) << (high ? 16 : 0);
	tcr |= high ? (uint64_t)tg1[g->page_lg2] << 30 : (uint64_t)tg0[g->page_lg2] << 14;
	tcr |= g->features & COP_F_HAF ? 1ULL << 39 : 0;
	tcr |= g->features & COP_F_HD ? 1ULL << 40 : 0;
	tcr |= g->features & COP_F_LPA2 ? 1ULL << 59 : 0;
	return tcr;
}

static int arm64(const struct insp_machine *m, char *out, size_t room)
{
	uint64_t tcr = 1ULL << 7 | 1ULL << 23, ttbr[2] = {0, 0}, mair = 0;

	for (unsigned i = 0; i < m->trees; i++) {
		const struct insp_tree *t = &m->tree[i];
		const bool high = t->geom.half == COP_HALF_HIGH;

		tcr = (tcr & ~(1ULL << (high ? 23 : 7))) | arm64_half(&t->geom);
		ttbr[high] = (t->root & 0x0000ffffffffffff) | (t->root >> 46 & 0x3c);
		mair = t->mair ? t->mair : mair;
	}
	return snprintf(out, room,
			"TTBR0_EL1=%#" PRIx64 "\nTTBR1_EL1=%#" PRIx64 "\nTCR_EL1=%#" PRIx64 "\nMAIR_EL1=%#" PRIx64 "\n",
			ttbr[0], ttbr[1], tcr, mair);
}

static int x86_64(const struct insp_machine *m, char *out, size_t room)
{
	const struct insp_tree *t = &m->tree[0];
	const uint32_t f = t->geom.features;
	const unsigned cr4 = 1U << 5 | (f & COP_F_PGE ? 1U << 7 : 0) | (t->geom.levels == 5 ? 1U << 12 : 0) |
			     (f & COP_F_PCID ? 1U << 17 : 0);
	int size = snprintf(out, room, "cr3=%#" PRIx64 "\ncr4=%#x\nefer=%#x\n", t->root, cr4,
			    f & COP_F_NX ? 0xd00U : 0x500U);

	if (t->mair && (size_t)size < room)
		size += snprintf(out + size, room - (size_t)size, "pat=%#" PRIx64 "\n", t->mair);
	return size;
}

static int riscv64(const struct insp_machine *m, char *out, size_t room)
{
	const struct insp_tree *t = &m->tree[0];

	return snprintf(out, room, "satp=%#" PRIx64 "\n", (uint64_t)(t->geom.levels + 5U) << 60 | t->root >> 12);
}

static int s390x(const struct insp_machine *m, char *out, size_t room)
{
	const uint32_t f = m->tree[0].geom.features;
	int size = snprintf(out, room, "cr0=%#x\n", (f & COP_F_EDAT1 ? 1U << 23 : 0) | (f & COP_F_IEP ? 1U << 20 : 0));

	for (unsigned i = 0; i < m->trees; i++) {
		const struct insp_tree *t = &m->tree[i];
		const unsigned length = t->root_entries ? t->root_entries / 512 - 1 : 3;
		const char *name = strcmp(t->name, "user") == 0      ? "cr7"
				   : strcmp(t->name, "primary") == 0 ? "cr1"
								     : "cr13";

		if ((size_t)size < room)
			size += snprintf(out + size, room - (size_t)size, "%s=%#" PRIx64 "\n", name,
					 t->root | (t->geom.levels - 2U) << 2 | length);
	}
	return size;
}

int insp_export_regs(const struct insp_machine *m, char *out, size_t room)
{
	static int (*const of[])(const struct insp_machine *, char *, size_t) = {
		[COP_ARM64] = arm64,
		[COP_X86_64] = x86_64,
		[COP_RISCV64] = riscv64,
		[COP_S390X] = s390x,
	};

	return of[m->tree[0].geom.arch](m, out, room);
}
