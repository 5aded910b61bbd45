/* SPDX-License-Identifier: MIT */
/*
 * The memmap of hot-added sections: mapped on add, unmapped on remove, its frames told apart by owner.
 *
 * Its tables have no constructor and are not accounted as page tables (COP_MAP_NO_CTOR): who made them without must take
 * them down without. arm64-hot-remove-generic-2019-04.
 */
#include "internal.h"

/*
 * Blocks whose memmap has been unmapped and not yet flushed: a list through their own struct pages, since a memmap may
 * have been backed frame by frame, and one flush has to do for all. Only pile_free() frees from it, with the token.
 */
struct detached_pile {
	cop_pfn first;
};

/*
 * Adds the allocator's blocks of a run to the pile. Frames that are their section's own memmap go away with the section:
 * their struct pages are what has just been unmapped.
 */
static void pile_add(struct cop_mem *mem, struct detached_pile *pile, struct cop_detached_run run)
{
	cop_pfn pfn = run.pa_ >> mem->page_lg2, end = (run.pa_ + run.bytes_) >> mem->page_lg2;

	while (pfn < end) {
		cop_pfn usable = cop_section_usable(mem, cop_pfn_section(mem, pfn));
		struct cop_page *page;

		if (pfn < usable) {
			pfn = usable;
			continue;
		}
		page = cop_page(mem, pfn);
		if (!(cop_load(&page->flags, relaxed) & COP_PG_MEMMAP))
			cop_panic("free-reserved", page);
		cop_write(&page->next, pile->first);
		pile->first = pfn;
		pfn += COP_LG2(cop_read(&page->order));
	}
}

static void pile_free(struct cop_mem *mem, struct detached_pile pile, struct cop_flushed token)
{
	while (pile.first != COP_PFN_NONE) {
		struct cop_page *page = cop_page(mem, pile.first);
		struct cop_detached_run block = {
			.pa_ = pile.first << mem->page_lg2,
			.bytes_ = COP_LG2(mem->page_lg2 + cop_read(&page->order)),
		};

		pile.first = cop_read(&page->next);
		cop_frames_free(mem, cop_freeable(token, block).pa >> mem->page_lg2);
	}
}

#define RUNS 16

static void unmap_memmap(struct cop_mem *mem, cop_va va, uint64_t bytes)
{
	struct detached_pile pile = {COP_PFN_NONE};
	struct cop_detached_run runs[RUNS];
	struct cop_gather gather;

	cop_gather_begin(&gather, mem->tree);
	while (bytes) {
		struct cop_unmapped out =
			cop_unmap(&gather, va, bytes, COP_UNMAP_FRAMES | COP_UNMAP_NO_SPLIT, runs, RUNS);

		if (out.err || !out.done)
			cop_panic("memmap-not-mapped", cop_virt(va));
		for (unsigned i = 0; i < out.runs; i++)
			pile_add(mem, &pile, runs[i]);
		va += out.done;
		bytes -= out.done;
	}
	pile_free(mem, pile, cop_gather_finish(&gather));
}

/* Bytes mapped so far; less than asked: the allocator or the tables had no more. */
static uint64_t map_from_allocator(struct cop_mem *mem, cop_va va, uint64_t bytes, int *err)
{
	unsigned order = (unsigned)__builtin_ctzll(bytes) - mem->page_lg2;
	uint64_t done = 0;

	if (order > mem->max_order)
		order = mem->max_order;
	while (done < bytes) {
		uint64_t piece = COP_LG2(mem->page_lg2 + order);
		cop_pfn pfn = cop_block_alloc(mem, order, 0, COP_PG_MEMMAP);

		if (pfn == COP_PFN_NONE && order) {
			order--;
			continue;
		}
		*err = -COP_ENOMEM;
		if (pfn == COP_PFN_NONE)
			break;
		*err = cop_map(mem->tree, va + done, pfn << mem->page_lg2, piece, COP_KERNEL_RW, 0, COP_MAP_NO_CTOR);
		if (*err) {
			cop_frames_free(mem, pfn);
			break;
		}
		done += piece;
	}
	return done;
}

int cop_vmemmap_populate(struct cop_mem *mem, struct cop_section *section, bool altmap)
{
	cop_va va = cop_page_va(mem, cop_section_pfn(mem, section));
	uint64_t bytes = cop_section_memmap_bytes(mem), done;
	int err = 0;

	if (altmap) {
		err = cop_map(mem->tree, va, cop_section_pa(mem, section), bytes, COP_KERNEL_RW, 0, COP_MAP_NO_CTOR);
		done = err ? 0 : bytes;
	} else {
		done = map_from_allocator(mem, va, bytes, &err);
	}
	if (done < bytes) {
		if (done)
			unmap_memmap(mem, va, done);
		return err;
	}
	cop_fill64(cop_virt(va), 0, bytes);
	cop_write(&section->memmap_frames, bytes >> mem->page_lg2);
	cop_fetch_add(&mem->present, cop_section_frames(mem), relaxed);
	if (altmap) {
		cop_store(&section->flags, (uint16_t)(section->flags | COP_SECTION_ALTMAP), relaxed);
		cop_fetch_add(&mem->altmap, bytes >> mem->page_lg2, relaxed);
	}
	return 0;
}

int cop_vmemmap_depopulate(struct cop_mem *mem, struct cop_section *section, uint64_t count)
{
	for (uint64_t i = 0; i < count; i++)
		if (cop_load(&section[i].flags, relaxed) & COP_SECTION_EARLY)
			return -COP_EPERM;
	unmap_memmap(mem, cop_page_va(mem, cop_section_pfn(mem, section)), count * cop_section_memmap_bytes(mem));
	for (uint64_t i = 0; i < count; i++) {
		if (cop_load(&section[i].flags, relaxed) & COP_SECTION_ALTMAP)
			cop_fetch_add(&mem->altmap, -cop_read(&section[i].memmap_frames), relaxed);
		cop_store(&section[i].flags, (uint16_t)(section[i].flags & ~COP_SECTION_ALTMAP), relaxed);
		cop_write(&section[i].memmap_frames, 0);
	}
	cop_fetch_add(&mem->present, -(count * cop_section_frames(mem)), relaxed);
	return 0;
}
