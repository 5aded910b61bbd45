/* SPDX-License-Identifier: MIT */
/* Shared by the files of memory/. */
#ifndef COPPICE_MEMORY_INTERNAL_H
#define COPPICE_MEMORY_INTERNAL_H

#include <coppice/memory.h>

/* Tables are freed from RCU callbacks, which may interrupt the holder of a lock on their CPU. */
static inline uintptr_t cop_lock_irq(cop_spinlock *lock)
{
	uintptr_t irq = cop_irq_save();

	cop_spin_lock(lock);
	return irq;
}

static inline void cop_unlock_irq(cop_spinlock *lock, uintptr_t irq)
{
	cop_spin_unlock(lock);
	cop_irq_restore(irq);
}

/* Under the lock of what is counted. */
static inline void cop_count(uint64_t *counter, uint64_t by)
{
	cop_write(counter, cop_read(counter) + by);
}

static inline uint64_t cop_section_frames(const struct cop_mem *mem)
{
	return COP_LG2(mem->section_lg2 - mem->page_lg2);
}

static inline uint64_t cop_section_memmap_bytes(const struct cop_mem *mem)
{
	return cop_section_frames(mem) << COP_PAGE_STRUCT_LG2;
}

static inline cop_pa cop_section_pa(const struct cop_mem *mem, const struct cop_section *section)
{
	return mem->pa_start + ((uint64_t)(section - mem->sections) << mem->section_lg2);
}

static inline cop_pfn cop_section_pfn(const struct cop_mem *mem, const struct cop_section *section)
{
	return cop_section_pa(mem, section) >> mem->page_lg2;
}

/* First frame that is not the section's own memmap. */
static inline cop_pfn cop_section_usable(const struct cop_mem *mem, const struct cop_section *section)
{
	cop_pfn pfn = cop_section_pfn(mem, section);

	return cop_load(&section->flags, relaxed) & COP_SECTION_ALTMAP ? pfn + cop_read(&section->memmap_frames) : pfn;
}

/* buddy.c: a block for one use; page_flags are added to its first struct page. */
cop_pfn cop_block_alloc(struct cop_mem *mem, unsigned order, uint32_t alloc_flags, uint64_t page_flags);
/* Frames [start, end) that are in no zone become free in the zone of their sections. */
void cop_zone_give(struct cop_mem *mem, cop_pfn start, cop_pfn end);
/* A reserved block, aligned to its size, becomes free. */
void cop_reserved_give(struct cop_mem *mem, cop_pfn pfn, unsigned order);

/* early.c */
unsigned cop_early_capacity(const struct cop_mem_config *config);
int cop_early_init(struct cop_mem *mem, const struct cop_mem_config *config);
cop_pa cop_early_alloc(struct cop_mem *mem, uint64_t bytes);
cop_pa cop_early_alloc_top(struct cop_mem *mem, uint64_t bytes);
void cop_early_free(struct cop_mem *mem, cop_pa pa, uint64_t bytes);

/* vmap.c: a range of a region's addresses; -COP_EINVAL, -COP_ENOMEM. */
struct cop_vm;
struct cop_vm_area;
int cop_vm_claim(struct cop_vm *vm, struct cop_vm_area *area, uint64_t bytes);
void cop_vm_release(struct cop_vm *vm, struct cop_vm_area *area);

/* source.c: a block of tables, which may have been taken before the allocator was up. */
void cop_table_frames_free(struct cop_mem *mem, cop_pfn pfn, unsigned order);

/* fragments.c: unchecked. */
void cop_fragments_setup(struct cop_fragments *, struct cop_mem *mem, unsigned page_lg2, unsigned lg2);

#endif
