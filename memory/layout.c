/* SPDX-License-Identifier: MIT */
#include "internal.h"

#define COP_GIGABYTE_LG2 30

static int check_shape(const struct cop_geom *geom, cop_pa pa_start, cop_pa pa_limit, unsigned section_lg2)
{
	/* A section's memmap is whole frames: section / page * 64 >= page. */
	if (geom->page_lg2 < 12 || geom->page_lg2 > 16 || section_lg2 + COP_PAGE_STRUCT_LG2 < 2U * geom->page_lg2)
		return -COP_EINVAL;
	if (section_lg2 >= (unsigned)geom->page_lg2 + COP_ORDERS || section_lg2 > 40 || pa_start >= pa_limit)
		return -COP_EINVAL;
	if (geom->pa_bits < 64 && (pa_limit - 1) >> geom->pa_bits)
		return -COP_ERANGE;
	return 0;
}

/* The kernel's addresses. */
static cop_va window_start(const struct cop_geom *geom)
{
	if (geom->half == COP_HALF_LOW)
		return 0;
	return ~(cop_va)0 << (geom->half == COP_HALF_BOTH ? geom->va_bits - 1 : geom->va_bits);
}

static cop_va window_last(const struct cop_geom *geom)
{
	if (geom->half == COP_HALF_LOW && geom->va_bits < 64)
		return COP_LG2(geom->va_bits) - 1;
	return ~(cop_va)0;
}

static void set_vmalloc(struct cop_layout *out, const struct cop_geom *geom)
{
	const uint64_t page = COP_LG2(geom->page_lg2);

	out->vmalloc_start = 1;
	out->vmalloc_last = 0;
	if (window_last(geom) - out->vmemmap_last < page)
		return;
	out->vmalloc_start = COP_ALIGN_UP(out->vmemmap_last + 1, page);
	out->vmalloc_last = window_last(geom);
}

struct cop_layout_result cop_mem_layout(const struct cop_geom *geom, cop_pa pa_start, cop_pa pa_limit,
					unsigned section_lg2)
{
	struct cop_layout_result result = {.err = check_shape(geom, pa_start, pa_limit, section_lg2)};
	struct cop_layout *out = &result.layout;
	uint64_t grain, linear_bytes, vmemmap_bytes, window;
	cop_pa base;

	if (result.err)
		return result;
	grain = COP_LG2(section_lg2 > COP_GIGABYTE_LG2 ? section_lg2 : COP_GIGABYTE_LG2);
	base = COP_ALIGN_DOWN(pa_start, grain);
	window = window_last(geom) - window_start(geom);
	result.err = -COP_ERANGE;
	if (pa_limit - base > window || pa_limit > ~(cop_pa)0 - grain)
		return result;
	pa_limit = COP_ALIGN_UP(pa_limit, COP_LG2(section_lg2));
	linear_bytes = pa_limit - base;
	vmemmap_bytes = linear_bytes >> geom->page_lg2 << COP_PAGE_STRUCT_LG2;
	if (COP_ALIGN_UP(linear_bytes, grain) > window || vmemmap_bytes > window - COP_ALIGN_UP(linear_bytes, grain))
		return result;

	result.err = 0;
	out->linear_start = window_start(geom);
	out->linear_last = out->linear_start + linear_bytes - 1;
	out->linear = out->linear_start - base;
	out->vmemmap_start = out->linear_start + COP_ALIGN_UP(linear_bytes, grain);
	out->vmemmap_last = out->vmemmap_start + vmemmap_bytes - 1;
	set_vmalloc(out, geom);
	out->vmemmap = out->vmemmap_start - (base >> geom->page_lg2 << COP_PAGE_STRUCT_LG2);
	return result;
}

struct cop_layout_result cop_mem_layout_for(const struct cop_mem_config *config)
{
	return cop_mem_layout(&config->geom, config->pa_start, config->pa_limit, config->section_lg2);
}

/* Sections from the one that has pa_start on, so that their numbers are those of their addresses. */
static uint64_t section_count(const struct cop_mem_config *config)
{
	uint64_t size = COP_LG2(config->section_lg2);

	return (COP_ALIGN_UP(config->pa_limit, size) - COP_ALIGN_DOWN(config->pa_start, size)) >> config->section_lg2;
}

uint64_t cop_mem_arena_bytes(const struct cop_mem_config *config)
{
	if (cop_mem_layout_for(config).err)
		return 0;
	return section_count(config) * sizeof(struct cop_section) +
	       cop_early_capacity(config) * sizeof(struct cop_mem_range);
}
