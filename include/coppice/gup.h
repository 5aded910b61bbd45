/* SPDX-License-Identifier: MIT */
/*
 * The pages behind a range of user addresses: get_user_pages, fast and locked.
 *
 * GUP-fast takes no lock. It walks the tables with interrupts off, takes a reference to each folio unless it is free, and
 * looks again whether the tables still say what they said. So a page that it returns is one that the mapping had while there
 * was a reference to it. Whoever frees tables or removes memory waits for such walkers: by RCU, which interrupts that are
 * off hold up, or as enum cop_reclaim says.
 *
 * A page is got, for the kernel to look at what the mapping has, or pinned, for somebody (a device) to read or write it. Fork
 * gives the child a copy of a pinned anonymous page at once, so that the parent keeps the one that is pinned; and one that
 * fork has shared is copied before it is pinned.
 */
#ifndef COPPICE_GUP_H
#define COPPICE_GUP_H

#include <coppice/spaces.h>

#ifdef __cplusplus
extern "C" {
#endif

enum cop_gup_flag {
	COP_GUP_WRITE = 1 << 0, /* the pages are going to be written to: mapped writable, copied if shared */
	COP_GUP_PIN = 1 << 1,   /* pins, to be dropped by cop_pages_unpin(); else references, by cop_pages_put() */
	COP_GUP_LONGTERM =
		1 << 2, /* for an unlimited time, with COP_GUP_PIN: no page that must stay movable, no file's */
	COP_GUP_FAST_ONLY = 1 << 3, /* no lock, no fault: what can be had without */
};

/**
 * struct cop_pages - pages obtained
 * @page: the caller's array: frame numbers, in the order of the addresses
 * @count: how many; a negative errno if there is none
 */
struct cop_pages {
	cop_pfn *page;
	int64_t count;
};

/**
 * cop_gup_fast() - the pages of a range, without a lock where that can be
 * @va: first address; rounded down to a page
 * @pages: how many
 * @flags: enum cop_gup_flag
 * @page: room for so many
 *
 * What cannot be had without a lock is asked for with: see cop_gup(). With COP_GUP_FAST_ONLY it is not, and nothing is
 * said about why.
 *
 * Each page holds one reference to, or one pin of, its folio: as many as pages of it are returned.
 *
 * Context: [irq] with COP_GUP_FAST_ONLY; else sleeps.
 * Return: .count the number of pages, fewer than asked where one cannot be had. If that is the first: 0 with
 * COP_GUP_FAST_ONLY, else what cop_gup() says. -COP_EINVAL (flags), -COP_EOVERFLOW (the range wraps), -COP_EFAULT (it is not
 * all within the user's addresses): nothing was looked at.
 */
struct cop_pages cop_gup_fast(struct cop_space *space, cop_va va, uint64_t pages, uint32_t flags, cop_pfn *page);

/**
 * cop_gup() - the same under the space's lock; pages that are not there are faulted in
 *
 * Context: sleeps; takes the space's lock for reading.
 * Return: as cop_gup_fast(); for the first page -COP_EFAULT (nothing is mapped there, or it may not be accessed so, or it has
 * no struct page), -COP_ENOMEM (the fault), -COP_EOPNOTSUPP (COP_GUP_LONGTERM: it may not be kept).
 */
struct cop_pages cop_gup(struct cop_space *space, cop_va va, uint64_t pages, uint32_t flags, cop_pfn *page);

/* Drops the references that were got without COP_GUP_PIN; one atomic operation for neighbours of one folio. [irq] */
void cop_pages_put(struct cop_mem *mem, const cop_pfn *page, uint64_t count);

/* Drops pins. @dirty: they were written to, and their folios are dirty. [irq] */
void cop_pages_unpin(struct cop_mem *mem, const cop_pfn *page, uint64_t count, bool dirty);

#ifdef __cplusplus
}
#endif

#endif
