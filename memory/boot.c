/* SPDX-License-Identifier: MIT */
/*
 * From ranges of memory to an allocator. Everything is carved out of the early extents first: tables of the linear map,
 * memmap, its tables. Only then are struct pages written, and what is left in the extents handed over.
 */
#include "internal.h"

#define CHUNK_MAX_LG2 30 /* no format has use for larger contiguous pieces of memmap */

static cop_pa ram_start(const struct cop_mem *mem, const struct cop_mem_range *ram)
{
	return COP_ALIGN_UP(ram->start, COP_LG2(mem->page_lg2));
}

static cop_pa ram_end(const struct cop_mem *mem, const struct cop_mem_range *ram)
{
	return COP_ALIGN_DOWN(ram->start + ram->bytes, COP_LG2(mem->page_lg2));
}

static int populate(struct cop_mem *mem, const struct cop_mem_config *config)
{
	int err = 0;

	for (unsigned i = 0; !err && mem->hooks.populate && i < config->rams; i++) {
		cop_pa start = ram_start(mem, &config->ram[i]), end = ram_end(mem, &config->ram[i]);

		if (start < end)
			err = mem->hooks.populate(mem->hooks.ctx, start, end - start);
	}
	return err;
}

static int map_linear(struct cop_mem *mem, const struct cop_mem_config *config)
{
	unsigned max_leaf = mem->flags & COP_MEM_PAGE_MAPPED ? mem->page_lg2 : 0;
	int err = 0;

	for (unsigned i = 0; !err && i < config->rams; i++) {
		cop_pa start = ram_start(mem, &config->ram[i]), end = ram_end(mem, &config->ram[i]);

		if (start < end)
			err = cop_map(mem->tree, cop_linear_va(mem, start), start, end - start, COP_KERNEL_RW, max_leaf,
				      mem->flags & COP_MEM_PAGE_MAPPED ? COP_MAP_NO_CONT : 0);
	}
	return err;
}

/* Claims the sections that have boot memory. Return: frames of that memory. */
static uint64_t claim_sections(struct cop_mem *mem, const struct cop_mem_config *config)
{
	uint64_t frames = 0;

	for (unsigned i = 0; i < config->rams; i++) {
		cop_pa start = ram_start(mem, &config->ram[i]), end = ram_end(mem, &config->ram[i]);

		if (start >= end)
			continue;
		frames += (end - start) >> mem->page_lg2;
		for (cop_pa pa = COP_ALIGN_DOWN(start, COP_LG2(mem->section_lg2)); pa < end;
		     pa += COP_LG2(mem->section_lg2))
			cop_pfn_section(mem, pa >> mem->page_lg2)->flags = COP_SECTION_EARLY;
	}
	return frames;
}

/* The memmap of adjoining sections, in the largest aligned pieces that are free. Boot memory never goes away. */
static int map_memmap(struct cop_mem *mem, cop_va va, uint64_t bytes)
{
	unsigned lg2 = CHUNK_MAX_LG2;

	while (bytes) {
		cop_pa pa;
		int err;

		while (COP_LG2(lg2) > bytes || !COP_IS_ALIGNED(va, COP_LG2(lg2)))
			lg2--;
		pa = cop_early_alloc_top(mem, COP_LG2(lg2));
		if (pa == COP_PA_NONE && lg2-- > mem->page_lg2)
			continue;
		if (pa == COP_PA_NONE)
			return -COP_ENOMEM;
		err = cop_map(mem->tree, va, pa, COP_LG2(lg2), COP_KERNEL_RW, 0, COP_MAP_NO_CTOR);
		if (err)
			return err;
		mem->early.memmap_bytes += COP_LG2(lg2);
		va += COP_LG2(lg2);
		bytes -= COP_LG2(lg2);
	}
	return 0;
}

static int map_memmaps(struct cop_mem *mem)
{
	uint64_t i = 0, count;
	int err = 0;

	for (; !err && i < mem->section_count; i += count) {
		count = 0;
		while (i + count < mem->section_count && mem->sections[i + count].flags)
			count++;
		if (count)
			err = map_memmap(mem, cop_page_va(mem, cop_section_pfn(mem, &mem->sections[i])),
					 count * cop_section_memmap_bytes(mem));
		else
			count = 1;
	}
	return err;
}

/* First and last whole free frame of an extent. */
static cop_pfn extent_first(const struct cop_mem *mem, unsigned i)
{
	return COP_ALIGN_UP(mem->early.extents[i].start, COP_LG2(mem->page_lg2)) >> mem->page_lg2;
}

static cop_pfn extent_end(const struct cop_mem *mem, unsigned i)
{
	return (mem->early.extents[i].start + mem->early.extents[i].bytes) >> mem->page_lg2;
}

static void mark_reserved(struct cop_mem *mem, cop_pfn start, cop_pfn end)
{
	for (; start < end; start++)
		cop_store(&cop_page(mem, start)->flags, (uint64_t)COP_PG_RESERVED, relaxed);
}

/* All that is in no extent: holes, firmware, tables, memmap. */
static void init_section(struct cop_mem *mem, struct cop_section *section)
{
	cop_pfn pfn = cop_section_pfn(mem, section), end = pfn + cop_section_frames(mem);

	cop_fill64(cop_page(mem, pfn), 0, cop_section_memmap_bytes(mem));
	for (unsigned i = 0; i < mem->early.count && pfn < end; i++) {
		cop_pfn first = extent_first(mem, i), last = extent_end(mem, i);

		if (first >= last || last <= pfn)
			continue;
		if (first >= end)
			break;
		mark_reserved(mem, pfn, first);
		pfn = last;
	}
	mark_reserved(mem, pfn, end);
	section->zone = COP_ZONE_NORMAL;
	section->memmap_frames = cop_section_memmap_bytes(mem) >> mem->page_lg2;
	/* Pairs with cop_pfn_valid(). */
	cop_store(&section->state, (uint32_t)COP_BLOCK_ONLINE, release);
}

/* Free fragments [start, end), less than a frame: the others of it are in use. */
static void give_fragments(struct cop_mem *mem, cop_pa start, cop_pa end)
{
	for (; start < end; start += COP_LG2(mem->fragments.lg2)) {
		mem->fragments.in_use++;
		cop_fragment_free(&mem->fragments, start);
	}
}

static void give_extent(struct cop_mem *mem, unsigned i)
{
	cop_pa start = mem->early.extents[i].start, end = start + mem->early.extents[i].bytes;
	cop_pa first = extent_first(mem, i) << mem->page_lg2, last = extent_end(mem, i) << mem->page_lg2;

	if (first > last) {
		give_fragments(mem, start, end);
		return;
	}
	give_fragments(mem, start, first);
	give_fragments(mem, last, end);
	cop_zone_give(mem, first >> mem->page_lg2, last >> mem->page_lg2);
}

static void hand_over(struct cop_mem *mem, uint64_t ram_frames)
{
	uint64_t sections = 0, free = 0;

	for (uint64_t i = 0; i < mem->section_count; i++) {
		if (!mem->sections[i].flags)
			continue;
		init_section(mem, &mem->sections[i]);
		sections++;
	}
	for (unsigned i = 0; i < mem->early.count; i++)
		if (extent_first(mem, i) < extent_end(mem, i))
			free += extent_end(mem, i) - extent_first(mem, i);
	mem->present = sections * cop_section_frames(mem);
	mem->holes = mem->present - ram_frames;
	mem->reserved = ram_frames - free;
	mem->early.active = false;
	for (unsigned i = 0; i < mem->early.count; i++)
		give_extent(mem, i);
}

static int set_up(struct cop_mem *mem, struct cop_tree *tree, void *arena, const struct cop_mem_config *config)
{
	struct cop_layout_result layout = cop_mem_layout_for(config);
	const struct cop_format *format;
	uint64_t size;

	if (layout.err)
		return layout.err;
	format = cop_format_for((enum cop_arch)config->geom.arch, config->geom.page_lg2);
	if (!format || !config->rams)
		return -COP_EINVAL;
	size = COP_LG2(config->section_lg2);
	cop_fill64(mem, 0, sizeof(*mem));
	mem->tree = tree;
	mem->layout = layout.layout;
	mem->hooks = config->hooks;
	mem->flags = config->flags;
	mem->page_lg2 = config->geom.page_lg2;
	mem->section_lg2 = config->section_lg2;
	mem->max_order = (uint8_t)(config->section_lg2 - config->geom.page_lg2);
	mem->pa_start = COP_ALIGN_DOWN(config->pa_start, size);
	mem->pa_limit = COP_ALIGN_UP(config->pa_limit, size);
	mem->section_count = (mem->pa_limit - mem->pa_start) >> mem->section_lg2;
	mem->sections = arena;
	cop_fill64(mem->sections, 0, mem->section_count * sizeof(*mem->sections));
	mem->early.extents = (struct cop_mem_range *)(mem->sections + mem->section_count);
	mem->early.capacity = cop_early_capacity(config);
	cop_fragments_setup(&mem->fragments, mem, mem->page_lg2,
			    format->min_table_lg2 < mem->page_lg2 ? format->min_table_lg2 : mem->page_lg2);
	cop_mutex_init(&mem->notify_lock);
	for (unsigned id = 0; id < COP_ZONES; id++) {
		cop_spin_init(&mem->zone[id].lock);
		for (unsigned order = 0; order < COP_ORDERS; order++)
			mem->zone[id].area[order].first = COP_PFN_NONE;
	}
	return cop_early_init(mem, config);
}

int cop_mem_boot(struct cop_mem *mem, struct cop_tree *tree, void *arena, const struct cop_mem_config *config)
{
	struct cop_table_source source = cop_mem_table_source(mem);
	uint64_t ram_frames;
	int err = set_up(mem, tree, arena, config);

	if (!err)
		err = populate(mem, config);
	if (!err)
		err = cop_tree_init(tree, &config->geom, &source, 0, COP_TREE_KERNEL);
	if (!err)
		err = cop_sharing_init(&mem->sharing, tree, config->sharing, mem->layout.linear_start,
				       COP_ALIGN_UP(mem->layout.vmemmap_last + 1, COP_LG2(mem->page_lg2)) - 1);
	if (!err)
		err = map_linear(mem, config);
	if (err)
		return err;
	ram_frames = claim_sections(mem, config);
	err = map_memmaps(mem);
	if (!err)
		hand_over(mem, ram_frames);
	return err;
}
