/* SPDX-License-Identifier: MIT */
/* Physical memory: one sparse memfd, seen flat, and beside it the table descriptors in another. */
#define _GNU_SOURCE
#include "ports/host/internal.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define HOST_PAGE 4096ULL

static struct {
	uint64_t bytes;
	int fd, desc_fd;
	struct phys_extent *extents; /* populated; sorted, never adjacent */
	size_t count, room, most;
} phys = {.fd = -1, .desc_fd = -1};

uint64_t phys_bytes(void)
{
	return phys.bytes;
}

int phys_fd(void)
{
	return phys.fd;
}

static uint64_t desc_offset(cop_pa pa)
{
	return pa >> COP_HOST_PTDESC_GRAIN_LG2 << COP_HOST_PTDESC_LG2;
}

static int sparse_file(const char *name, uint64_t bytes)
{
	int fd = memfd_create(name, MFD_CLOEXEC);

	if (fd < 0)
		return -COP_ENOMEM;
	if (ftruncate(fd, (off_t)bytes)) {
		close(fd);
		return -COP_ENOMEM;
	}
	return fd;
}

static int map_views(void)
{
	int err = host_map_fixed(COP_HOST_PHYS, phys.bytes, PROT_NONE, phys.fd, 0, false);

	if (err)
		return err;
	err = host_map_fixed(COP_HOST_PTDESC, desc_offset(phys.bytes), PROT_READ | PROT_WRITE, phys.desc_fd, 0, false);
	if (err)
		host_unmap(COP_HOST_PHYS, phys.bytes);
	return err;
}

int phys_init(uint64_t bytes)
{
	int err;

	phys.bytes = bytes;
	phys.most = host_max_map_count() / 4;
	phys.fd = sparse_file("coppice-phys", bytes);
	if (phys.fd < 0)
		return phys.fd;
	phys.desc_fd = sparse_file("coppice-ptdesc", desc_offset(bytes));
	err = phys.desc_fd < 0 ? phys.desc_fd : map_views();
	if (!err)
		return 0;
	if (phys.desc_fd >= 0)
		close(phys.desc_fd);
	close(phys.fd);
	phys.fd = phys.desc_fd = -1;
	return err;
}

void phys_exit(void)
{
	host_unmap(COP_HOST_PHYS, phys.bytes);
	host_unmap(COP_HOST_PTDESC, desc_offset(phys.bytes));
	close(phys.fd);
	close(phys.desc_fd);
	free(phys.extents);
	memset(&phys, 0, sizeof(phys));
	phys.fd = phys.desc_fd = -1;
}

/* Index of the first extent that ends after pa. */
static size_t extent_after(cop_pa pa)
{
	size_t low = 0, high = phys.count;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (phys.extents[mid].pa + phys.extents[mid].bytes <= pa)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

struct phys_extent phys_extent_at(cop_pa pa)
{
	size_t i = extent_after(pa);

	if (i == phys.count || phys.extents[i].pa > pa)
		return (struct phys_extent){pa, 0};
	return phys.extents[i];
}

/*
 * Room for one more, so that nothing can fail once the host's mappings have changed. A stretch costs two host mappings;
 * the bound leaves the TLB and the rest of the process theirs.
 */
static int extents_reserve(bool grows)
{
	struct phys_extent *more;
	size_t room;

	if (grows && phys.count >= phys.most)
		return -COP_ENOMEM;
	if (phys.count < phys.room)
		return 0;
	room = phys.room ? 2 * phys.room : 64;
	more = realloc(phys.extents, room * sizeof(*more));
	if (!more)
		return -COP_ENOMEM;
	phys.extents = more;
	phys.room = room;
	return 0;
}

static void extent_insert(size_t at, struct phys_extent extent)
{
	memmove(&phys.extents[at + 1], &phys.extents[at], (phys.count - at) * sizeof(extent));
	phys.extents[at] = extent;
	phys.count++;
}

static void extent_delete(size_t at)
{
	phys.count--;
	memmove(&phys.extents[at], &phys.extents[at + 1], (phys.count - at) * sizeof(phys.extents[0]));
}

static void extents_add(cop_pa pa, uint64_t bytes)
{
	size_t at = extent_after(pa);

	extent_insert(at, (struct phys_extent){pa, bytes});
	if (at + 1 < phys.count && phys.extents[at + 1].pa == pa + bytes) {
		phys.extents[at].bytes += phys.extents[at + 1].bytes;
		extent_delete(at + 1);
	}
	if (at > 0 && phys.extents[at - 1].pa + phys.extents[at - 1].bytes == pa) {
		phys.extents[at - 1].bytes += phys.extents[at].bytes;
		extent_delete(at);
	}
}

/* [pa, pa + bytes) lies within one extent. */
static void extents_remove(cop_pa pa, uint64_t bytes)
{
	size_t at = extent_after(pa);
	struct phys_extent was = phys.extents[at];
	struct phys_extent before = {was.pa, pa - was.pa};
	struct phys_extent after = {pa + bytes, was.pa + was.bytes - (pa + bytes)};

	extent_delete(at);
	if (after.bytes)
		extent_insert(at, after);
	if (before.bytes)
		extent_insert(at, before);
}

static bool range_ok(cop_pa pa, uint64_t bytes)
{
	return bytes && COP_IS_ALIGNED(pa | bytes, HOST_PAGE) && pa < phys.bytes && bytes <= phys.bytes - pa;
}

static int view_protect(cop_pa pa, uint64_t bytes, int prot)
{
	return mprotect(cop_phys(pa), bytes, prot) ? -COP_ENOMEM : 0;
}

static int populate_locked(cop_pa pa, uint64_t bytes)
{
	size_t next = extent_after(pa);
	bool above = next < phys.count && phys.extents[next].pa == pa + bytes;
	bool below = pa && phys_extent_at(pa - 1).bytes;
	int err;

	if (next < phys.count && phys.extents[next].pa < pa + bytes)
		return -COP_EEXIST;
	err = extents_reserve(!above && !below);
	if (!err)
		err = view_protect(pa, bytes, PROT_READ | PROT_WRITE);
	if (!err)
		extents_add(pa, bytes);
	return err;
}

int cop_host_populate(cop_pa pa, uint64_t bytes)
{
	int err;

	if (!range_ok(pa, bytes))
		return -COP_EINVAL;
	host_lock();
	err = populate_locked(pa, bytes);
	host_unlock();
	return err;
}

static int hole(int fd, uint64_t start, uint64_t end)
{
	if (start >= end)
		return 0;
	if (fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)start, (off_t)(end - start)))
		return -COP_EIO;
	return 0;
}

static int punch_locked(cop_pa pa, uint64_t bytes)
{
	struct phys_extent extent = phys_extent_at(pa);
	int err;

	if (!extent.bytes || pa + bytes > extent.pa + extent.bytes)
		return -COP_ENOENT;
	err = extents_reserve(pa > extent.pa && pa + bytes < extent.pa + extent.bytes);
	if (!err)
		err = view_protect(pa, bytes, PROT_NONE);
	if (err)
		return err;
	err = hole(phys.fd, pa, pa + bytes);
	if (!err)
		err = hole(phys.desc_fd, COP_ALIGN_UP(desc_offset(pa), HOST_PAGE),
			   COP_ALIGN_DOWN(desc_offset(pa + bytes), HOST_PAGE));
	if (err) {
		(void)view_protect(pa, bytes, PROT_READ | PROT_WRITE);
		return err;
	}
	extents_remove(pa, bytes);
	return 0;
}

int cop_host_punch(cop_pa pa, uint64_t bytes)
{
	int err;

	if (!range_ok(pa, bytes))
		return -COP_EINVAL;
	host_lock();
	/* Before the hole: a stale translation would read it as zero and bring its pages back. */
	if (tlb_maps(pa, bytes))
		cop_panic("freed-while-translated", (const void *)(uintptr_t)pa);
	err = punch_locked(pa, bytes);
	host_unlock();
	return err;
}

static uint64_t held(int fd)
{
	struct stat st;

	return fstat(fd, &st) ? 0 : (uint64_t)st.st_blocks * 512;
}

uint64_t cop_host_held(void)
{
	return held(phys.fd) + held(phys.desc_fd);
}
