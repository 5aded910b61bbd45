/* SPDX-License-Identifier: MIT */
/* Which formats there are, and the geometry each has by default. */
#include <coppice/format.h>

struct registered {
	const struct cop_format *format;
	uint32_t features; /* every CPU of today has these */
	uint8_t half, va_bits, pa_bits;
	/* Beyond 48 bits of virtual address: what that takes, and the output address it brings. */
	uint32_t wide_features;
	uint8_t wide_pa_bits;
};

/* One line for each format; the first of an architecture is its smallest page. */
static const struct registered registry[] = {
	{&cop_format_arm64_4k, COP_F_CONT, COP_HALF_LOW, 48, 48, COP_F_LPA2, 52},
	{&cop_format_arm64_16k, COP_F_CONT, COP_HALF_LOW, 48, 48, COP_F_LPA2, 52},
	{&cop_format_arm64_64k, COP_F_CONT, COP_HALF_LOW, 48, 48, 0, 48},
	{&cop_format_x86_64, COP_F_NX | COP_F_1G | COP_F_PGE | COP_F_PCID, COP_HALF_BOTH, 48, 46, 0, 52},
	{&cop_format_riscv64, 0, COP_HALF_BOTH, 39, 56, 0, 56},
	{&cop_format_s390x, COP_F_EDAT1 | COP_F_EDAT2 | COP_F_IEP, COP_HALF_LOW, 42, 53, 0, 53},
};
#define REGISTRY_COUNT (sizeof(registry) / sizeof(registry[0]))

static size_t registry_find(enum cop_arch arch, unsigned page_lg2)
{
	size_t i;

	for (i = 0; i < REGISTRY_COUNT; i++)
		if (registry[i].format->arch == arch && (page_lg2 == 0 || registry[i].format->page_lg2 == page_lg2))
			break;
	return i;
}

const struct cop_format *cop_format_for(enum cop_arch arch, unsigned page_lg2)
{
	const size_t i = registry_find(arch, page_lg2);

	return i < REGISTRY_COUNT ? registry[i].format : NULL;
}

/* As few levels as resolve the address; a format with rules of its own refuses what is left over in check_geom. */
static unsigned levels_for(const struct cop_format *format, unsigned va_bits)
{
	unsigned levels = 1;

	while (levels < 5 && format->shift(levels) < va_bits)
		levels++;
	return levels;
}

int cop_geom_init(struct cop_geom *g, enum cop_arch arch, unsigned page_lg2, unsigned va_bits)
{
	const size_t i = registry_find(arch, page_lg2);
	const struct registered *r;
	bool wide;

	if (i == REGISTRY_COUNT || va_bits > 64)
		return -COP_EINVAL;
	r = &registry[i];
	if (va_bits == 0)
		va_bits = r->va_bits;
	wide = va_bits > 48;
	*g = (struct cop_geom){
		.arch = (uint8_t)arch,
		.half = r->half,
		.page_lg2 = r->format->page_lg2,
		.levels = (uint8_t)levels_for(r->format, va_bits),
		.va_bits = (uint8_t)va_bits,
		.pa_bits = wide ? r->wide_pa_bits : r->pa_bits,
		.features = r->features | (wide ? r->wide_features : 0),
	};
	return r->format->check_geom(g);
}
