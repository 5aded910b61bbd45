/* SPDX-License-Identifier: MIT */
/* Frames of the allocator at addresses that adjoin. */
#include <coppice/vmalloc.h>

#include "internal.h"

#define RUNS 16

/* Frames that were unmapped and not yet flushed: a list through their struct pages. */
static cop_pfn pile_add(struct cop_mem *mem, cop_pfn pile, struct cop_detached_run run)
{
	const cop_pfn end = (run.pa_ + run.bytes_) >> mem->page_lg2;

	for (cop_pfn pfn = run.pa_ >> mem->page_lg2; pfn < end; pfn++) {
		cop_write(&cop_page(mem, pfn)->next, pile);
		pile = pfn;
	}
	return pile;
}

static void pile_free(struct cop_mem *mem, cop_pfn pile, struct cop_flushed token)
{
	while (pile != COP_PFN_NONE) {
		const struct cop_detached_run frame = {.pa_ = pile << mem->page_lg2, .bytes_ = COP_LG2(mem->page_lg2)};

		pile = cop_read(&cop_page(mem, pile)->next);
		cop_frames_free(mem, cop_freeable(token, frame).pa >> mem->page_lg2);
	}
}

static void unmap_frames(struct cop_mem *mem, cop_va va, uint64_t bytes)
{
	struct cop_detached_run runs[RUNS];
	cop_pfn pile = COP_PFN_NONE;
	struct cop_gather gather;

	cop_gather_begin(&gather, mem->tree);
	while (bytes) {
		const struct cop_unmapped out =
			cop_unmap(&gather, va, bytes, COP_UNMAP_FRAMES | COP_UNMAP_NO_SPLIT, runs, RUNS);

		if (out.err || !out.done)
			cop_panic("vmalloc-not-mapped", cop_virt(va));
		for (unsigned i = 0; i < out.runs; i++)
			pile = pile_add(mem, pile, runs[i]);
		va += out.done;
		bytes -= out.done;
	}
	pile_free(mem, pile, cop_gather_finish(&gather));
}

static int map_frame(struct cop_mem *mem, cop_va va)
{
	const cop_pfn pfn = cop_frames_alloc(mem, 0, 0);
	int err;

	if (pfn == COP_PFN_NONE)
		return -COP_ENOMEM;
	err = cop_map(mem->tree, va, pfn << mem->page_lg2, COP_LG2(mem->page_lg2), COP_KERNEL_RW, 0, 0);
	if (err)
		cop_frames_free(mem, pfn);
	return err;
}

static int map_frames(struct cop_mem *mem, cop_va va, uint64_t bytes)
{
	for (uint64_t done = 0; done < bytes; done += COP_LG2(mem->page_lg2)) {
		const int err = map_frame(mem, va + done);

		if (!err)
			continue;
		unmap_frames(mem, va, done);
		return err;
	}
	return 0;
}

int cop_vmalloc(struct cop_vm *vm, struct cop_mem *mem, struct cop_vm_area *area, uint64_t bytes)
{
	int err = cop_vm_claim(vm, area, bytes);

	if (err)
		return err;
	cop_sharing_use_begin(vm->sharing);
	err = map_frames(mem, area->start, bytes);
	cop_sharing_use_end(vm->sharing);
	if (err)
		cop_vm_release(vm, area);
	return err;
}

void cop_vfree(struct cop_vm *vm, struct cop_mem *mem, struct cop_vm_area *area)
{
	cop_sharing_use_begin(vm->sharing);
	unmap_frames(mem, area->start, area->bytes);
	cop_sharing_use_end(vm->sharing);
	cop_vm_release(vm, area);
}
