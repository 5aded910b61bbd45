/* SPDX-License-Identifier: MIT */
/*
 * Kernel addresses for whoever asks: a range of a region's addresses, mapped to given memory (vmap) or to frames of the
 * allocator, which need not adjoin (vmalloc). A page stays free after each range, so that running over its end faults.
 */
#ifndef COPPICE_VMALLOC_H
#define COPPICE_VMALLOC_H

#include <coppice/memory.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * struct cop_vm_area - a range in use; the caller's memory until it is unmapped
 * @start, @bytes: to be read
 * @next: private
 */
struct cop_vm_area {
	cop_va start;
	uint64_t bytes;
	struct cop_vm_area *next;
};

/**
 * struct cop_vm - a region of kernel addresses; private
 * @first: areas by address, under @lock
 */
struct cop_vm {
	struct cop_sharing *sharing;
	cop_va start, last;
	cop_spinlock lock;
	struct cop_vm_area *first;
};

/**
 * cop_vm_init() - a region
 * @start, @last: nobody else maps anything there; for vmalloc, that of struct cop_layout
 *
 * Return: 0; -COP_EINVAL (not whole pages, start > last).
 */
int cop_vm_init(struct cop_vm *, struct cop_sharing *, cop_va start, cop_va last) COP_MUST_CHECK;

/**
 * cop_vmap() - find addresses for memory that the caller has, and map it there
 * @area: filled in
 * @pa, @bytes: multiples of the page size
 * @attrs: enum cop_attr
 *
 * Takes time linear in the areas below the first gap that is wide enough.
 * Context: may sleep. In parallel with everything. Return: 0; -COP_EINVAL, -COP_ENOMEM (addresses, tables),
 * -COP_EOPNOTSUPP, as cop_map(): nothing has changed.
 */
int cop_vmap(struct cop_vm *, struct cop_vm_area *area, cop_pa pa, uint64_t bytes, uint32_t attrs) COP_MUST_CHECK;

/**
 * cop_vunmap() - undo cop_vmap()
 *
 * When it returns no CPU can reach the memory through the area any more.
 * Context: may sleep; interrupts on. Panics ("vmalloc-not-mapped") if somebody else unmapped some of it.
 */
void cop_vunmap(struct cop_vm *, struct cop_vm_area *area);

/**
 * cop_vmalloc() - frames of the allocator, at addresses that adjoin; contents arbitrary
 * @bytes: a multiple of the page size
 *
 * Context: may sleep. Return: 0; -COP_EINVAL, -COP_ENOMEM: nothing has changed.
 */
int cop_vmalloc(struct cop_vm *, struct cop_mem *, struct cop_vm_area *area, uint64_t bytes) COP_MUST_CHECK;
/* Context: as cop_vunmap(). */
void cop_vfree(struct cop_vm *, struct cop_mem *, struct cop_vm_area *area);

#ifdef __cplusplus
}
#endif

#endif
