/* SPDX-License-Identifier: MIT */
/*
 * Frames of device memory: each has a reference of its driver's from the moment it may be mapped to the moment it may not.
 * The driver's is the last to go, so that such a frame never gets to the allocator, whoever puts a reference late.
 */
#include "internal.h"

static bool owns(const struct cop_blocks *blocks)
{
	for (uint64_t i = 0; i < blocks->count; i++) {
		const struct cop_section *section = &blocks->first[i];

		if (cop_load(&section->state, acquire) != COP_BLOCK_OFFLINE ||
		    !(cop_load(&section->flags, relaxed) & COP_SECTION_DEVICE))
			return false;
	}
	return true;
}

/* Frames [first, end) of a device block: what is not its memmap. */
struct frames {
	cop_pfn first, end;
};

static struct frames frames_of(const struct cop_mem *mem, const struct cop_blocks *blocks, uint64_t i)
{
	const struct cop_section *section = &blocks->first[i];
	const cop_pfn pfn = (blocks->start + i * cop_block_bytes(mem)) >> mem->page_lg2;
	const bool altmap = cop_load(&section->flags, relaxed) & COP_SECTION_ALTMAP;

	return (struct frames){pfn + (altmap ? cop_read(&section->memmap_frames) : 0),
			       pfn + (cop_block_bytes(mem) >> mem->page_lg2)};
}

int cop_device_frames_begin(struct cop_mem *mem, cop_pa start, uint64_t bytes)
{
	const struct cop_blocks blocks = cop_blocks_of(mem, start, bytes);

	if (blocks.err)
		return blocks.err;
	if (!owns(&blocks))
		return -COP_EINVAL;
	for (uint64_t i = 0; i < blocks.count; i++) {
		const struct frames f = frames_of(mem, &blocks, i);

		for (cop_pfn pfn = f.first; pfn < f.end; pfn++) {
			struct cop_page *page = cop_page(mem, pfn);

			cop_store(&page->flags, (uint64_t)COP_PG_DEVICE, relaxed);
			/* Release: whoever gets a reference finds it a device's. Pairs with cop_page_try_get(). */
			cop_store(&page->refcount, 1U, release);
		}
	}
	return 0;
}

/* Takes the driver's references of [first, end) away where they are the last. Return: the first frame that has others. */
static cop_pfn freeze(struct cop_mem *mem, cop_pfn first, cop_pfn end)
{
	/* Acquire: what the holders of other references did comes before the frames are gone. */
	while (first < end && cop_cas(&cop_page(mem, first)->refcount, 1U, 0U, acq_rel) == 1U)
		first++;
	return first;
}

static void thaw(struct cop_mem *mem, cop_pfn first, cop_pfn end)
{
	for (; first < end; first++)
		cop_store(&cop_page(mem, first)->refcount, 1U, release);
}

int cop_device_frames_end(struct cop_mem *mem, cop_pa start, uint64_t bytes)
{
	const struct cop_blocks blocks = cop_blocks_of(mem, start, bytes);

	if (blocks.err)
		return blocks.err;
	if (!owns(&blocks))
		return -COP_EINVAL;
	for (uint64_t i = 0; i < blocks.count; i++) {
		struct frames f = frames_of(mem, &blocks, i);
		const cop_pfn stopped = freeze(mem, f.first, f.end);

		if (stopped == f.end)
			continue;
		thaw(mem, f.first, stopped);
		while (i-- > 0) {
			f = frames_of(mem, &blocks, i);
			thaw(mem, f.first, f.end);
		}
		return -COP_EBUSY;
	}
	return 0;
}
