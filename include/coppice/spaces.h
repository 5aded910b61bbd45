/* SPDX-License-Identifier: MIT */
/*
 * Address spaces: areas, faults, fork with copy-on-write, unmap and discard, and the way back from a folio to who maps it.
 *
 * Locks, in this order; a table's own lock (struct cop_ptdesc) is the last and nothing sleeps under it:
 *
 *	struct cop_space.lock      areas: read to look one up, written to change them. Parent before child at fork
 *	struct cop_cache.lock      which areas map a cache's pages
 *	struct cop_family.lock     which spaces may share anonymous folios
 *	a table's lock             one entry's change, with a second look at the entry
 *
 * Entries are changed under the lock of their table and after a second look, so that faults, discards and those who come
 * from a folio meet in any order. Whoever reads without any of this (GUP-fast, cop_translate) is inside an RCU read section.
 *
 * A mapping of a folio holds one reference to it and counts in .mapcount. An anonymous folio's .mapping is its family, with
 * COP_MAPPING_ANON set, and .index the page number of the address it is mapped at, which is the same in every space of
 * the family; a file's are its cache and the page number in there.
 */
#ifndef COPPICE_SPACES_H
#define COPPICE_SPACES_H

#include <coppice/memory.h>

#ifdef __cplusplus
extern "C" {
#endif

#define COP_MAPPING_ANON 1ULL

struct cop_area;
struct cop_family;

/**
 * struct cop_spaces - what all address spaces of a memory have in common
 * @mem: where folios come from
 * @objects: frames that small objects are cut from; under @lock
 * @frames: how many those are
 *
 * Set up by cop_spaces_init(); private to the library.
 */
struct cop_spaces {
	struct cop_mem *mem;
	cop_spinlock lock;
	cop_pfn objects;
	uint64_t frames;
};

/**
 * enum cop_reclaim - how tables that were unlinked reach the allocator again
 * @COP_RECLAIM_RCU: after a grace period. Whoever walks under RCU or with interrupts off is waited for, by nobody: the table's
 *	own descriptor has the head, and nothing is allocated
 * @COP_RECLAIM_IPI: after every CPU took an interrupt, which the one who unmaps waits for. Holds off only walkers with
 *	interrupts off: for systems where nobody walks under RCU alone
 * @COP_RECLAIM_SHOOTDOWN: at once. The invalidation interrupted every CPU, and that is the same: only where it does, on
 *	x86-64 without COP_F_INVLPGB
 */
enum cop_reclaim { COP_RECLAIM_RCU, COP_RECLAIM_IPI, COP_RECLAIM_SHOOTDOWN };

/**
 * struct cop_space - one address space: the user's half
 * @tree: its tables
 * @mem: = @spaces->mem
 * @lock: areas
 * @fork_seq: odd while fork write-protects; who pins without the lock looks before and after; marked
 * @pinned: somebody has pinned pages here: fork looks at pin counts; marked
 * @reclaim: enum cop_reclaim; constant
 * @first, @end: addresses that areas may use, [first, end); constant
 * @areas: root of the areas' tree
 * @area_count, @area_bytes: of areas; under @lock
 * @anon, @file: pages mapped, by kind; marked
 * @family: of the anonymous folios; @next, @prev: in its list, under its lock
 *
 * Set up by cop_space_init() and private to the library, but for being read.
 */
struct cop_space {
	struct cop_tree tree;
	struct cop_spaces *spaces;
	struct cop_mem *mem;
	cop_mutex lock;
	uint64_t fork_seq;
	uint32_t pinned;
	uint32_t reclaim;
	cop_va first, end;
	struct cop_area *areas;
	uint64_t area_count, area_bytes;
	uint64_t anon, file;
	struct cop_family *family;
	struct cop_space *next, *prev;
};

/* The locks of an address space; may sleep. */
static inline void cop_space_read_lock(struct cop_space *space)
{
	cop_mutex_lock(&space->lock);
}

static inline void cop_space_read_unlock(struct cop_space *space)
{
	cop_mutex_unlock(&space->lock);
}

static inline void cop_space_write_lock(struct cop_space *space)
{
	cop_mutex_lock(&space->lock);
}

static inline void cop_space_write_unlock(struct cop_space *space)
{
	cop_mutex_unlock(&space->lock);
}

/**
 * cop_spaces_init() - nothing is allocated yet
 * @mem: lives longer than @spaces
 */
void cop_spaces_init(struct cop_spaces *spaces, struct cop_mem *mem);

/**
 * cop_space_init() - an empty address space
 * @spaces: lives longer than @space
 * @geom: of the user's half: COP_HALF_LOW, or COP_HALF_BOTH of which the lower half is used; pages of the memory's size
 * @source: of its tables, copied; NULL for cop_mem_table_source()
 * @asid: address space of its translations
 *
 * The page at 0 is never mapped.
 *
 * Context: sleeps. Return: 0; -COP_EINVAL (geometry), -COP_ENOMEM.
 */
int cop_space_init(struct cop_space *space, struct cop_spaces *spaces, const struct cop_geom *geom,
		   const struct cop_table_source *source, uint32_t asid) COP_MUST_CHECK;

/**
 * cop_space_set_reclaim() - another way for unlinked tables than COP_RECLAIM_RCU
 *
 * With any other, nobody may walk the space's tables but with interrupts off or with its lock held.
 *
 * Context: the space is empty and not shared yet. Return: 0; -COP_EOPNOTSUPP (COP_RECLAIM_SHOOTDOWN: not on this machine).
 */
int cop_space_set_reclaim(struct cop_space *space, enum cop_reclaim reclaim) COP_MUST_CHECK;

/**
 * cop_space_destroy() - unmap everything and give everything back; waits for a grace period
 *
 * Context: sleeps; nobody else uses the space any more, but for those who come from a folio.
 */
void cop_space_destroy(struct cop_space *space);

#ifdef __cplusplus
}
#endif

#endif
