/* SPDX-License-Identifier: MIT */
/*
 * Address spaces: areas, faults, fork with copy-on-write, unmap and discard, and the way back from a folio to who maps it.
 *
 * Locks, in this order; a table's own lock (struct cop_ptdesc) is the last and nothing sleeps under it:
 *
 *	struct cop_space.lock      areas: read to look one up, written to change them
 *	struct cop_family.lock     which spaces may share anonymous folios; held by fork. Then a child's .lock
 *	a folio's lock             COP_PG_LOCKED: that a cache has it
 *	struct cop_cache.lock      which areas map a cache's pages, and where those begin and end
 *	struct cop_space.levels_lock  read to change entries without .lock, coming from a folio; written to add levels
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
struct cop_space;

/**
 * struct cop_spaces - what all address spaces of a memory have in common
 * @mem: where folios come from
 * @objects: frames that small objects are cut from; under @lock
 * @frames: how many those are
 * @families: that are not freed yet; marked
 *
 * Set up by cop_spaces_init(); private to the library.
 */
struct cop_spaces {
	struct cop_mem *mem;
	cop_spinlock lock;
	cop_pfn objects;
	uint64_t frames;
	uint64_t families;
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
 * @levels_lock: for those who change entries without @lock: the tree does not grow meanwhile
 * @fork_seq: odd while fork write-protects; who pins without the lock looks before and after; marked
 * @pinned: somebody has pinned pages here: fork looks at pin counts; marked
 * @reclaim: enum cop_reclaim; constant
 * @first, @end: addresses that areas may use, [first, end). @first is constant, @end grows under @lock; marked
 * @areas: root of the areas' tree
 * @implied: attributes that leaves of this format have whether asked for or not; constant
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
	cop_rwsem lock;
	cop_rwsem levels_lock;
	uint64_t fork_seq;
	uint32_t pinned;
	uint32_t reclaim;
	uint32_t implied;
	cop_va first, end;
	struct cop_area *areas;
	uint64_t area_count, area_bytes;
	uint64_t anon, file;
	struct cop_family *family;
	struct cop_space *next, *prev;
};

/**
 * cop_spaces_init() - nothing is allocated yet
 * @mem: lives longer than @spaces
 */
void cop_spaces_init(struct cop_spaces *spaces, struct cop_mem *mem);

/**
 * cop_spaces_exit() - all spaces have been destroyed; waits for what a grace period still holds
 *
 * Context: sleeps. Panics ("spaces-not-empty") otherwise.
 */
void cop_spaces_exit(struct cop_spaces *spaces);

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
 * cop_space_grow() - more addresses, by levels above the root
 * @va_bits: as of cop_tree_grow(), which says what CPUs that use the space have to do afterwards
 *
 * Whoever walks without a lock goes on. Spaces forked from this one before are as large as they were.
 *
 * Context: sleeps. Return: as cop_tree_grow().
 */
int cop_space_grow(struct cop_space *space, unsigned va_bits) COP_MUST_CHECK;

/**
 * cop_space_destroy() - unmap everything and give everything back; waits for a grace period
 *
 * Context: sleeps; nobody else uses the space any more, but for those who come from a folio.
 */
void cop_space_destroy(struct cop_space *space);

/* ---- files ---- */

/**
 * struct cop_cache - the pages of a file-like object
 * @slots: frame number + 1 of each page, 0: not there; marked
 * @fill: gives a new page its contents; NULL: they are arbitrary. May sleep; 0 or a negative errno
 * @lock: @areas, and where each begins and ends
 *
 * Set up by cop_cache_init(). The cache holds one reference to each page.
 */
struct cop_cache {
	struct cop_mem *mem;
	uint64_t *slots;
	uint64_t pages;
	int (*fill)(void *ctx, uint64_t index, cop_pfn pfn);
	void *ctx;
	cop_mutex lock;
	struct cop_area *areas;
};

/**
 * cop_cache_init() - no page is there
 * @slots: @pages of them, the caller's; they live as long as the cache
 */
void cop_cache_init(struct cop_cache *cache, struct cop_mem *mem, uint64_t *slots, uint64_t pages,
		    int (*fill)(void *ctx, uint64_t index, cop_pfn pfn), void *ctx);

/**
 * cop_cache_get() - find a page
 * @index: below .pages
 *
 * Context: [irq]. Return: the frame, with a reference; COP_PFN_NONE: it is not there.
 */
cop_pfn cop_cache_get(const struct cop_cache *cache, uint64_t index);

struct cop_cached {
	cop_pfn pfn; /* with a reference */
	int err;
};

/**
 * cop_cache_read() - find a page or fill a new one
 *
 * Context: sleeps. Return: .err 0; -COP_ENOMEM, or what .fill returned.
 */
struct cop_cached cop_cache_read(struct cop_cache *cache, uint64_t index);

/**
 * cop_cache_remove() - take a page out of the cache and of all that map it
 *
 * It is free once nobody else holds a reference. Private copies stay.
 *
 * Context: sleeps. Return: false if it was not there.
 */
bool cop_cache_remove(struct cop_cache *cache, uint64_t index);

/**
 * cop_cache_destroy() - take all pages out; no area maps the cache any more, or will be touched again
 */
void cop_cache_destroy(struct cop_cache *cache);

/* ---- areas ---- */

enum cop_area_kind {
	COP_AREA_ANON,    /* private memory, zero at first */
	COP_AREA_SHARED,  /* a cache's pages; writes reach them */
	COP_AREA_PRIVATE, /* a cache's pages; a write makes a private copy */
	COP_AREA_SPECIAL, /* frames without a struct page, or whose struct page is not to be touched */
};

enum cop_area_flag {
	COP_AREA_FIXED = 1 << 0,   /* at .va or not at all */
	COP_AREA_REPLACE = 1 << 1, /* at .va, whatever is there is unmapped first */
};

/**
 * struct cop_area_spec - what to map
 * @va: where, or (without a flag) where to begin to look for room; 0: anywhere
 * @bytes: multiple of the page size
 * @prot: COP_READ, COP_WRITE, COP_EXEC; 0: no access. Writable and executable areas are readable too
 * @kind: enum cop_area_kind
 * @flags: enum cop_area_flag
 * @cache, @index: COP_AREA_SHARED, COP_AREA_PRIVATE: the cache, and its page that comes first
 * @index: COP_AREA_SPECIAL: number of the first frame
 */
struct cop_area_spec {
	cop_va va;
	uint64_t bytes;
	uint32_t prot, kind, flags;
	struct cop_cache *cache;
	uint64_t index;
};

struct cop_mapped {
	cop_va va;
	int err;
};

/**
 * cop_space_map() - a new area; nothing is mapped before it is touched
 *
 * Areas that continue each other are merged.
 *
 * Context: sleeps. Return: .va; .err 0; -COP_EINVAL (alignment, range, protection, kind, cache), -COP_EEXIST (FIXED, and
 * something is there), -COP_ENOMEM (no room, or no memory).
 */
struct cop_mapped cop_space_map(struct cop_space *space, const struct cop_area_spec *spec) COP_MUST_CHECK;

/**
 * cop_space_unmap() - no area in [va, va + bytes) any more; holes are no error
 *
 * Context: sleeps. Return: 0; -COP_EINVAL (range), -COP_ENOMEM: nothing has changed.
 */
int cop_space_unmap(struct cop_space *space, cop_va va, uint64_t bytes) COP_MUST_CHECK;

/**
 * cop_space_protect() - another protection for [va, va + bytes)
 *
 * Context: sleeps. Return: 0; -COP_EINVAL (range, protection), -COP_ENOMEM (a hole, or no memory): nothing has changed.
 */
int cop_space_protect(struct cop_space *space, cop_va va, uint64_t bytes, uint32_t prot) COP_MUST_CHECK;

/**
 * cop_space_discard() - forget the contents of [va, va + bytes): the next access finds zeros, or the file's
 *
 * Context: sleeps. Return: 0; -COP_EINVAL (range, or a special area: what comes before it is done), -COP_ENOMEM (there are
 * holes: all else is done).
 */
int cop_space_discard(struct cop_space *space, cop_va va, uint64_t bytes) COP_MUST_CHECK;

/* bytes 0: there is none. */
struct cop_area_info {
	cop_va va;
	uint64_t bytes;
	uint32_t prot, kind;
	const struct cop_cache *cache;
	uint64_t index;
};

/**
 * cop_space_find() - the lowest area that ends after @va
 */
struct cop_area_info cop_space_find(struct cop_space *space, cop_va va);

/* ---- faults ---- */

enum cop_access_kind { COP_ACCESS_READ, COP_ACCESS_WRITE, COP_ACCESS_EXEC };

/**
 * cop_space_fault() - make an access possible that has faulted
 *
 * A fault that another CPU has resolved already, or that comes from what this CPU remembers, is no error: it forgets, and
 * the access is repeated.
 *
 * Context: sleeps. Return: 0: repeat the access; -COP_EFAULT (no area, or not permitted), -COP_ENOMEM, or what the
 * cache's .fill returned.
 */
int cop_space_fault(struct cop_space *space, cop_va va, enum cop_access_kind access) COP_MUST_CHECK;

/**
 * cop_space_fork() - a copy of an address space
 * @child: to be set up
 * @source, @asid: as of cop_space_init()
 *
 * Private pages are shared until one side writes; those that are pinned are copied now. When this returns no CPU
 * writes to a shared page any more.
 *
 * Context: sleeps. Return: 0; -COP_ENOMEM: there is no child.
 */
int cop_space_fork(struct cop_space *child, struct cop_space *parent, const struct cop_table_source *source,
		   uint32_t asid) COP_MUST_CHECK;

/* ---- from a folio to who maps it ---- */

/* Hears of each mapping; false: that was enough. The space's areas must not be changed from in here. */
typedef bool (*cop_rmap_fn)(void *ctx, struct cop_space *space, cop_va va);

/**
 * cop_rmap_walk() - who maps a folio?
 * @pfn: its first frame; the caller holds a reference
 *
 * Mappings that come or go meanwhile are found or not. A cache's folio is locked by the caller, or cannot leave the cache.
 *
 * Context: sleeps. Return: how many mappings were found.
 */
unsigned cop_rmap_walk(struct cop_mem *mem, cop_pfn pfn, cop_rmap_fn fn, void *ctx);

/**
 * cop_rmap_unmap() - take a cache's folio out of all that map it
 * @pfn: as above
 *
 * Context: sleeps. Return: 0; -COP_EBUSY (anonymous: its contents are nowhere else: nothing changed), -COP_EAGAIN
 * (somebody maps it again, because it was not locked).
 */
int cop_rmap_unmap(struct cop_mem *mem, cop_pfn pfn);

#ifdef __cplusplus
}
#endif

#endif
