/* SPDX-License-Identifier: MIT */
/*
 * Tables smaller than the page they lie in: 2 of 2 KB in 4 KB (s390x), 16 of 4 KB in 64 KB (as Power has them).
 *
 * Each address space has an allocator of its own, so that the tables of one lie close together. What a page's fragments
 * are is in its struct page (enum cop_fragment_shift), and outlives the allocator: a table may be on its way back when its
 * address space is gone.
 *
 *	       free ------alloc-----> in use
 *	        ^  <------- free -------|  |
 *	        |                       |  '-- free_defer --> held: until all of the page are free or held
 *	        '--- grace period --- pending                          and a grace period has passed
 *	                                ^-- free_rcu
 *
 * A page is on the allocator's list while it has a fragment that is, or will be, free, and one in use; never when one is
 * held. So a page that somebody deferred takes no new tables, and one grace period is enough for all of it. Heads of grace
 * periods are those of the fragments' descriptors: neither in a table, which walkers may still read, nor where the list
 * has its links.
 *
 * The fragments of a page share one lock, in the first one's descriptor (struct cop_ptdesc.lock_lg2).
 */
#ifndef COPPICE_FRAGMENTS_H
#define COPPICE_FRAGMENTS_H

#include <coppice/tables.h>

#ifdef __cplusplus
extern "C" {
#endif

#define COP_FRAGMENTS_MAX 16 /* in one page */

/* struct cop_page.private_ of a page of fragments: bit masks, one bit a fragment. One that is in none of them is in use. */
enum cop_fragment_shift {
	COP_FRAGMENT_FREE = 0,
	COP_FRAGMENT_PENDING = 16, /* its own grace period is under way */
	COP_FRAGMENT_HELD = 32,    /* waits for the others of its page */
};

struct cop_mem;

/**
 * struct cop_fragments - the fragments of one address space
 * @mem: where pages come from; outlives everything here
 * @lock: the list, and which fragments are in use
 * @first, @last: pages on the list, frame numbers
 * @lg2: of a fragment, bytes
 * @order: of a page, lg2 of frames
 * @in_use: fragments; marked
 */
struct cop_fragments {
	struct cop_mem *mem;
	cop_spinlock lock;
	cop_pfn first, last;
	uint8_t lg2, order;
	uint64_t in_use;
};

/**
 * cop_fragments_init() - an allocator that has nothing yet
 * @page_lg2: bytes of a page; one frame or more
 * @lg2: bytes of a fragment; not less than the format's smallest table
 *
 * Return: 0; -COP_EINVAL unless a page has 2 to COP_FRAGMENTS_MAX fragments.
 */
int cop_fragments_init(struct cop_fragments *fragments, struct cop_mem *mem, unsigned page_lg2,
		       unsigned lg2) COP_MUST_CHECK;

/**
 * cop_fragments_exit() - the address space is gone
 *
 * Tables may still wait for their grace period; nothing that comes after it touches @fragments.
 * Return: 0; -COP_EBUSY if a fragment is in use (nothing has changed).
 */
int cop_fragments_exit(struct cop_fragments *fragments) COP_MUST_CHECK;

/**
 * cop_fragment_alloc() - a table, contents arbitrary
 *
 * Context: [irq]. Return: COP_PA_NONE when there is no memory.
 */
cop_pa cop_fragment_alloc(struct cop_fragments *fragments);

/**
 * cop_fragment_free() - give a table back that nobody can reach
 *
 * Context: [irq]. Allocates nothing. Panics ("double-free") if it is not in use.
 */
void cop_fragment_free(struct cop_fragments *fragments, cop_pa table);

/**
 * cop_fragment_free_rcu() - ... that lockless walkers may still be in: it can be had again after a grace period
 *
 * Context, panics: as cop_fragment_free().
 */
void cop_fragment_free_rcu(struct cop_fragments *fragments, cop_pa table);

/**
 * cop_fragment_free_defer() - the same, for tables that are taken from others' address spaces, many at a time
 *
 * Its page takes no more tables, and waits for one grace period when the last of them is free: however many are deferred
 * at once, there is one callback for each page.
 *
 * Context, panics: as cop_fragment_free().
 */
void cop_fragment_free_defer(struct cop_fragments *fragments, cop_pa table);

/**
 * cop_fragments_source() - tables of this size from here, all others from the memory
 *
 * For cop_tree_init(); .free comes after the tree's own grace period, and the tree is destroyed before @fragments.
 */
struct cop_table_source cop_fragments_source(struct cop_fragments *fragments);

#ifdef __cplusplus
}
#endif

#endif
