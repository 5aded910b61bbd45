/* SPDX-License-Identifier: MIT */
/* The lockless walk of GUP-fast, as the formats' copies and what calls them know it. */
#ifndef COPPICE_SPACES_GUP_WALK_H
#define COPPICE_SPACES_GUP_WALK_H

#include <coppice/gup.h>

/**
 * struct cop_gup_walk - one walk: what is asked, and how far it has come
 * @geom: of the root that the walk began at: the tree may grow meanwhile
 * @va: next page
 * @left: pages from there on
 * @done: pages obtained, in @pages
 * @want, @mask: a leaf lets the caller in if of the attributes in @mask it has just those in @want
 * @pin, @longterm: as asked
 * @own: pages that are not writable must be no other space's too: for pins that do not write
 * @may_not_last: a page could have been had, but not for long
 * @permitted, @alike: an entry that lets the caller in, and the bits in which another one must be like it to do so too
 * @valid_first, @valid_count: frames known to have a struct page as long as the read section lasts
 */
struct cop_gup_walk {
	struct cop_mem *mem;
	const struct cop_tree *tree;
	const struct cop_geom *geom;
	cop_va va;
	uint64_t left, done;
	cop_pfn *pages;
	uint32_t want, mask;
	bool pin, longterm, own, may_not_last;
	uint64_t permitted, alike;
	cop_pfn valid_first;
	uint64_t valid_count;
};

/*
 * Goes on until all is done or a page cannot be had without a lock. Context: interrupts off, or an RCU read section that
 * everybody waits for who frees tables of this tree.
 */
void cop_gup_walk(struct cop_gup_walk *);

/* Drops what the walk has obtained after its first @keep pages. */
void cop_gup_walk_undo(struct cop_gup_walk *, uint64_t keep);

/* Is a page that is mapped without write access to be pinned as it is? */
bool cop_gup_may_stay(const struct cop_gup_walk *, cop_pfn head);

typedef void cop_gup_fn(struct cop_gup_walk *);
cop_gup_fn cop_gup_arm64_4k, cop_gup_arm64_16k, cop_gup_arm64_64k, cop_gup_x86_64, cop_gup_riscv64, cop_gup_s390x;

#endif
