/* SPDX-License-Identifier: MIT */
#include "stories/stage_format.h"

#include <string.h>

static const struct {
	const char *name;
	uint32_t bit;
	enum cop_arch arch;
	unsigned page_lg2;
} formats[] = {
	{"arm64-4k", COP_ON_ARM64_4K, COP_ARM64, 12},   {"arm64-16k", COP_ON_ARM64_16K, COP_ARM64, 14},
	{"arm64-64k", COP_ON_ARM64_64K, COP_ARM64, 16}, {"x86-64", COP_ON_X86_64, COP_X86_64, 12},
	{"riscv64", COP_ON_RISCV64, COP_RISCV64, 12},   {"s390x", COP_ON_S390X, COP_S390X, 12},
};
#define FORMATS (sizeof(formats) / sizeof(*formats))

static size_t chosen;
static uint32_t more_features;

const char *stage_format_name(uint32_t bit)
{
	for (size_t i = 0; i < FORMATS; i++) {
		if (formats[i].bit == bit)
			return formats[i].name;
	}
	return NULL;
}

uint32_t stage_format_bits(const char *name)
{
	uint32_t bits = 0;

	for (size_t i = 0; i < FORMATS; i++) {
		size_t n = strcspn(formats[i].name, "-");

		/* "arm64" is all of them, "x86-64" one. */
		if (!strcmp(formats[i].name, name) ||
		    (formats[i].arch == COP_ARM64 && strlen(name) == n && !strncmp(formats[i].name, name, n)))
			bits |= formats[i].bit;
	}
	return bits;
}

void stage_format_choose(uint32_t bit)
{
	for (chosen = 0; chosen < FORMATS - 1 && formats[chosen].bit != bit;)
		chosen++;
}

void stage_format_features(uint32_t features)
{
	more_features = features;
}

struct cop_geom cop_stage_geom(void)
{
	struct cop_geom geom;

	if (cop_geom_init(&geom, formats[chosen].arch, formats[chosen].page_lg2, 0))
		__builtin_trap();
	if (geom.half == COP_HALF_LOW && formats[chosen].arch == COP_ARM64)
		geom.half = COP_HALF_HIGH; /* the kernel's */
	if (formats[chosen].arch == COP_X86_64)
		geom.features |= more_features & COP_F_INVLPGB;
	return geom;
}

const struct cop_format *cop_stage_format(void)
{
	return cop_format_for(formats[chosen].arch, formats[chosen].page_lg2);
}

cop_va cop_stage_va(void)
{
	const struct cop_geom geom = cop_stage_geom();

	switch (geom.half) {
	case COP_HALF_HIGH:
		return ~0ULL << geom.va_bits;
	case COP_HALF_BOTH:
		return ~0ULL << (geom.va_bits - 1);
	default:
		return 1ULL << 33; /* an address of zero is more often a mistake */
	}
}
