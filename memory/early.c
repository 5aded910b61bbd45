/* SPDX-License-Identifier: MIT */
/*
 * Before the buddy allocator there is a short ascending list of free extents. Tables are taken from the bottom, memmap
 * from the top, so that the memmap's blocks stay aligned. Extents may begin and end inside a frame where tables are
 * smaller than one.
 */
#include "internal.h"

/*
 * Each range can be cut by each reserved part; an allocation leaves at most one alignment gap at either end of an
 * extent. What does not fit into the list stays reserved.
 */
unsigned cop_early_capacity(const struct cop_mem_config *config)
{
	return 3 * (config->rams + config->reserveds) + 32;
}

static bool insert(struct cop_mem *mem, unsigned at, cop_pa start, cop_pa end)
{
	struct cop_mem_range *extents = mem->early.extents;

	if (start >= end)
		return true;
	if (mem->early.count == mem->early.capacity)
		return false;
	for (unsigned i = mem->early.count++; i > at; i--)
		extents[i] = extents[i - 1];
	extents[at] = (struct cop_mem_range){start, end - start};
	return true;
}

static void drop(struct cop_mem *mem, unsigned at)
{
	mem->early.count--;
	for (unsigned i = at; i < mem->early.count; i++)
		mem->early.extents[i] = mem->early.extents[i + 1];
}

/* Take [start, end) out of the extents. */
static int carve(struct cop_mem *mem, cop_pa start, cop_pa end)
{
	for (unsigned i = 0; i < mem->early.count; i++) {
		cop_pa from = mem->early.extents[i].start, to = from + mem->early.extents[i].bytes;

		if (end <= from || start >= to)
			continue;
		drop(mem, i);
		if (end < to && !insert(mem, i, end, to))
			return -COP_ENOSPC;
		if (start > from && !insert(mem, i, from, start))
			return -COP_ENOSPC;
		if (start <= from)
			i--; /* what is now here has not been looked at */
	}
	return 0;
}

static int add_ram(struct cop_mem *mem, const struct cop_mem_config *config)
{
	uint64_t page = COP_LG2(mem->page_lg2);
	cop_pa last_end = 0;

	for (unsigned i = 0; i < config->rams; i++) {
		cop_pa start = config->ram[i].start, end = start + config->ram[i].bytes;

		if (end < start || start < last_end)
			return -COP_EINVAL;
		last_end = end;
		if (end > start && (end > mem->pa_limit || start < mem->pa_start))
			return -COP_ERANGE;
		insert(mem, mem->early.count, COP_ALIGN_UP(start, page), COP_ALIGN_DOWN(end, page));
	}
	return 0;
}

int cop_early_init(struct cop_mem *mem, const struct cop_mem_config *config)
{
	uint64_t page = COP_LG2(mem->page_lg2);
	int err = add_ram(mem, config);

	for (unsigned i = 0; !err && i < config->reserveds; i++) {
		cop_pa start = config->reserved[i].start, end = start + config->reserved[i].bytes;

		if (end < start || end > ~(cop_pa)0 - page)
			return -COP_EINVAL;
		if (end > start)
			err = carve(mem, COP_ALIGN_DOWN(start, page), COP_ALIGN_UP(end, page));
	}
	mem->early.active = !err;
	return err;
}

/* [pa, pa + bytes) of extent `at` is taken: what is left of it stays in the list. */
static void take(struct cop_mem *mem, unsigned at, cop_pa pa, uint64_t bytes)
{
	cop_pa start = mem->early.extents[at].start, end = start + mem->early.extents[at].bytes;

	drop(mem, at);
	/* An alignment gap that the list has no room for is lost: it stays reserved. */
	insert(mem, at, pa + bytes, end);
	insert(mem, at, start, pa);
}

cop_pa cop_early_alloc(struct cop_mem *mem, uint64_t bytes)
{
	for (unsigned i = 0; i < mem->early.count; i++) {
		const struct cop_mem_range *extent = &mem->early.extents[i];
		cop_pa pa = COP_ALIGN_UP(extent->start, bytes), end = extent->start + extent->bytes;

		if (pa > end || end - pa < bytes)
			continue;
		take(mem, i, pa, bytes);
		return pa;
	}
	return COP_PA_NONE;
}

cop_pa cop_early_alloc_top(struct cop_mem *mem, uint64_t bytes)
{
	for (unsigned i = mem->early.count; i-- > 0;) {
		const struct cop_mem_range *extent = &mem->early.extents[i];
		cop_pa end = COP_ALIGN_DOWN(extent->start + extent->bytes, bytes);

		if (end < extent->start || end - extent->start < bytes)
			continue;
		take(mem, i, end - bytes, bytes);
		return end - bytes;
	}
	return COP_PA_NONE;
}

void cop_early_free(struct cop_mem *mem, cop_pa pa, uint64_t bytes)
{
	struct cop_mem_range *extents = mem->early.extents;
	unsigned at = 0;

	while (at < mem->early.count && extents[at].start < pa)
		at++;
	if (at && extents[at - 1].start + extents[at - 1].bytes == pa) {
		pa = extents[at - 1].start;
		bytes += extents[at - 1].bytes;
		drop(mem, --at);
	}
	if (at < mem->early.count && extents[at].start == pa + bytes) {
		bytes += extents[at].bytes;
		drop(mem, at);
	}
	insert(mem, at, pa, pa + bytes);
}
