/* SPDX-License-Identifier: MIT */
/* What is known of the machine beside its tables: memory, regions, where the memmap lies. */
#include <string.h>

#include "inspect/lint/lint.h"

const struct insp_region *lint_region(const struct insp_machine *m, cop_va va)
{
	for (size_t i = 0; i < m->region_count; i++)
		if (va >= m->regions[i].start && va <= m->regions[i].last)
			return &m->regions[i];
	return NULL;
}

const struct insp_extent *lint_memory(const struct lint *l, size_t *count)
{
	const struct insp_memory *m = l->machine->memory;

	if (l->options->memory_count) {
		*count = l->options->memory_count;
		return l->options->memory;
	}
	*count = m->ram ? m->extent_count : 0;
	return m->extents;
}

bool lint_knows_memory(const struct lint *l)
{
	size_t count;

	(void)lint_memory(l, &count);
	return count != 0;
}

/* The first stretch that ends above @pa. */
static size_t find(const struct insp_extent *extent, size_t count, cop_pa pa)
{
	size_t low = 0, high = count;

	while (low < high) {
		const size_t middle = low + (high - low) / 2;

		if (extent[middle].end <= pa)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

struct insp_extent lint_outside(const struct lint *l, cop_pa start, cop_pa end)
{
	size_t count = l->options->known_count;
	const struct insp_extent *known = l->options->known;
	size_t i;

	if (l->options->memory_count == 0)
		known = lint_memory(l, &count);
	for (i = find(known, count, start); i < count && known[i].start <= start && start < end; i++)
		start = known[i].end;
	if (start >= end)
		return (struct insp_extent){end, end};
	return (struct insp_extent){start, i < count && known[i].start < end ? known[i].start : end};
}

bool lint_in_memory(const struct lint *l, cop_pa start, uint64_t bytes)
{
	const struct insp_extent outside = lint_outside(l, start, start + bytes);

	return start + bytes > start && outside.start == outside.end;
}

#define STRUCT_PAGE_LG2 6 /* 64 bytes, as on every 64-bit configuration of note */
#define SECTION_LG2     27

bool lint_vmemmap_of(const struct lint *l, struct lint_vmemmap *v)
{
	const struct insp_kernel *k = &l->machine->kernel;

	if (l->machine->kernel.vmemmap == 0 ||
	    (k->struct_page_size && (k->struct_page_size & (k->struct_page_size - 1))))
		return false;
	for (size_t i = 0; i < l->machine->region_count; i++) {
		const struct insp_region *r = &l->machine->regions[i];

		if (!strcasestr(r->name, "vmemmap"))
			continue;
		if (l->tree->geom.half == COP_HALF_LOW && r->start >> 63)
			return false;
		*v = (struct lint_vmemmap){.base = k->vmemmap,
					   .start = r->start,
					   .last = r->last,
					   .page_lg2 = l->tree->geom.page_lg2,
					   .struct_lg2 = STRUCT_PAGE_LG2,
					   .section_lg2 = k->section_bits ? (unsigned)k->section_bits : SECTION_LG2};
		if (k->struct_page_size)
			v->struct_lg2 = (unsigned)__builtin_ctzll(k->struct_page_size);
		return v->section_lg2 >= v->page_lg2 && v->section_lg2 < 63 && v->struct_lg2 < v->page_lg2;
	}
	return false;
}

cop_pa lint_vmemmap_pa(const struct lint_vmemmap *v, cop_va va)
{
	return (va - v->base) >> v->struct_lg2 << v->page_lg2;
}

cop_va lint_vmemmap_va(const struct lint_vmemmap *v, cop_pa pa)
{
	return v->base + (pa >> v->page_lg2 << v->struct_lg2);
}
