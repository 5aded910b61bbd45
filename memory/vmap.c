/* SPDX-License-Identifier: MIT */
/* Ranges of a region's addresses, and given memory mapped there. */
#include <coppice/vmalloc.h>

#include "internal.h"

static uint64_t page_bytes(const struct cop_vm *vm)
{
	return COP_LG2(vm->sharing->tree->geom.page_lg2);
}

int cop_vm_init(struct cop_vm *vm, struct cop_sharing *sharing, cop_va start, cop_va last)
{
	if (start > last || !COP_IS_ALIGNED(start | (last + 1), COP_LG2(sharing->tree->geom.page_lg2)))
		return -COP_EINVAL;
	*vm = (struct cop_vm){.sharing = sharing, .start = start, .last = last};
	cop_spin_init(&vm->lock);
	return 0;
}

/* What is left from @at on; none of it is in use. */
static uint64_t room(const struct cop_vm *vm, cop_va at, const struct cop_vm_area *next)
{
	const uint64_t page = page_bytes(vm);

	if (next)
		return cop_read(&next->start) - at < page ? 0 : cop_read(&next->start) - at - page;
	return at - vm->start > vm->last - vm->start ? 0 : vm->last - at + 1;
}

/* Lock held. */
static int claim_first(struct cop_vm *vm, struct cop_vm_area *area, uint64_t bytes)
{
	struct cop_vm_area **link = &vm->first, *next = cop_read(link);
	cop_va at = vm->start;

	for (; next && room(vm, at, next) < bytes; next = cop_read(link)) {
		at = cop_read(&next->start) + cop_read(&next->bytes) + page_bytes(vm);
		link = &next->next;
	}
	if (room(vm, at, next) < bytes)
		return -COP_ENOMEM;
	cop_write(&area->start, at);
	cop_write(&area->bytes, bytes);
	cop_write(&area->next, next);
	cop_write(link, area);
	return 0;
}

int cop_vm_claim(struct cop_vm *vm, struct cop_vm_area *area, uint64_t bytes)
{
	uintptr_t irq;
	int err;

	if (!bytes || !COP_IS_ALIGNED(bytes, page_bytes(vm)))
		return -COP_EINVAL;
	irq = cop_lock_irq(&vm->lock);
	err = claim_first(vm, area, bytes);
	cop_unlock_irq(&vm->lock, irq);
	return err;
}

void cop_vm_release(struct cop_vm *vm, struct cop_vm_area *area)
{
	const uintptr_t irq = cop_lock_irq(&vm->lock);
	struct cop_vm_area **link = &vm->first;

	while (cop_read(link) != area)
		link = &cop_read(link)->next;
	cop_write(link, cop_read(&area->next));
	cop_unlock_irq(&vm->lock, irq);
}

int cop_vmap(struct cop_vm *vm, struct cop_vm_area *area, cop_pa pa, uint64_t bytes, uint32_t attrs)
{
	int err = cop_vm_claim(vm, area, bytes);

	if (err)
		return err;
	cop_sharing_use_begin(vm->sharing);
	err = cop_map(vm->sharing->tree, area->start, pa, bytes, attrs, 0, 0);
	cop_sharing_use_end(vm->sharing);
	if (err)
		cop_vm_release(vm, area);
	return err;
}

void cop_vunmap(struct cop_vm *vm, struct cop_vm_area *area)
{
	struct cop_gather gather;

	cop_sharing_use_begin(vm->sharing);
	cop_gather_begin(&gather, vm->sharing->tree);
	if (cop_unmap(&gather, area->start, area->bytes, COP_UNMAP_BLIND | COP_UNMAP_NO_SPLIT, NULL, 0).err)
		cop_panic("vmalloc-not-mapped", cop_virt(area->start));
	(void)cop_gather_finish(&gather);
	cop_sharing_use_end(vm->sharing);
	/* Only now: whoever gets the addresses next must not find a stale translation there. */
	cop_vm_release(vm, area);
}
