/* SPDX-License-Identifier: MIT */
/*
 * Page tables: map, unmap, protect, query, translate, split and collapse over ranges of one tree.
 *
 * Concurrency. Operations on disjoint ranges may run in parallel, inside one table too; the caller serialises operations
 * whose ranges overlap, and owns a range it unmaps until cop_gather_finish() returned. Software walkers (cop_translate,
 * cop_query) may run at any time inside an RCU read section.
 *
 * clear -> invalidate -> free is a type: what cop_unmap() takes out of a tree is *detached*; cop_gather_finish()
 * invalidates, syncs and returns a struct cop_flushed, and only with that token does a detached run become a free run.
 * Detached tables go back to the tree's source after the flush and a grace period, by themselves.
 */
#ifndef COPPICE_TABLES_H
#define COPPICE_TABLES_H

#include <coppice/format.h>
#include <coppice/port.h>

#ifdef __cplusplus
extern "C" {
#endif

#define COP_MAX_LEVELS 5

/**
 * struct cop_table_source - where a tree's tables come from
 * @alloc: a frame of 1 << lg2 bytes, aligned to its size, contents arbitrary; COP_PA_NONE when there is none. May sleep.
 * @free: gives one back. Called after a grace period, from the RCU callback's context: must not sleep.
 * @ctx: passed to both
 */
struct cop_table_source {
	cop_pa (*alloc)(void *ctx, unsigned lg2);
	void (*free)(void *ctx, cop_pa table, unsigned lg2);
	void *ctx;
};

/*
 * struct cop_ptdesc - what is known of one table beside its entries; 64 bytes, found by cop_ptdesc(pa), all zeros at first
 * @state: entries in use (leaves, tables, swap entries, markers) reserved before each store; COP_TABLE_DEAD when unlinked
 * @rcu: head of the deferred free, embedded so that freeing allocates nothing
 * @next: list of detached or stocked tables
 * @lock_lg2: tables that lie in one block of 1 << lock_lg2 bytes share the lock of the first descriptor there; 0: this one
 * has its own. Set by whoever hands out parts of a block (fragments.h)
 * @mem, @page_lg2: of a fragment that waits for a grace period, instead of what they lie in
 * ...
 */
#define COP_TABLE_DEAD (1ULL << 32)
struct cop_mem;
struct cop_ptdesc {
	uint64_t state;
	cop_rcu rcu;
	struct cop_ptdesc *next;
	union {
		const struct cop_table_source *source;
		struct cop_mem *mem;
	};
	cop_pa pa;     /* of the table */
	cop_pa parent; /* table that linked it; COP_PA_NONE for a root */
	union {
		uint16_t slot; /* entry of the parent */
		uint16_t page_lg2;
	};
	uint8_t level, lg2, flags;
	uint8_t lock; /* held while an entry changes that may be somebody else's too; marked */
	uint8_t lock_lg2;
};

struct cop_table_ops;

/* A root and what it translates: from here a walk begins. Constant once it is published. */
struct cop_top {
	struct cop_geom geom;
	cop_pa root;
	cop_va va_bias, va_mask; /* va is in the tree if va + bias <= mask; the root is indexed by va & mask */
};

/**
 * struct cop_tree - one translation tree
 * @geom, @root, @va_bias, @va_mask: as in the newest top; for those whom cop_tree_grow() does not run beside
 * @levels: of the newest top, which is top[levels - 1]; marked: lockless walkers begin here
 * @top: by number of levels; of those that the tree has had
 * @tables: tables linked, by level; marked
 * @constructed: tables that went through the constructor and not yet through the destructor; marked
 * @deferred: lists of tables that wait for a grace period; marked
 * @linking: map calls that have linked tables which hardware may still know as invalid entries (riscv64); marked
 * @seam: first addresses of regions with different owners, 0: none. A table that translates addresses on both sides of one
 *	is never freed, whoever empties it; changed only while nothing else is under way. See sharing.h
 */
#define COP_TREE_SEAMS 2
struct cop_tree {
	const struct cop_table_ops *ops;
	struct cop_geom geom;
	struct cop_table_source source;
	cop_pa root;
	cop_va va_bias, va_mask;
	uint32_t asid;
	uint32_t flags;
	uint32_t levels;
	struct cop_top top[COP_MAX_LEVELS];
	uint64_t tables[COP_MAX_LEVELS];
	uint64_t constructed;
	uint64_t deferred;
	uint32_t linking;
	cop_va seam[COP_TREE_SEAMS];
};
enum cop_tree_flag {
	COP_TREE_KERNEL = 1 << 0, /* invalidations reach every address space */
	/*
	 * How unlinked tables get back to their source, for trees whose operations the caller serialises all and that
	 * nobody walks but with interrupts off. With neither: after a grace period, whoever walks under RCU.
	 */
	COP_TREE_FREE_BY_IPI = 1 << 1,  /* after every CPU took an interrupt */
	COP_TREE_FREE_AT_ONCE = 1 << 2, /* the invalidation interrupts every CPU that may walk: only where it does */
};

/**
 * cop_tree_init() - an empty tree
 * @geom: checked with the format's check_geom; copied
 * @source: copied
 * @asid: address space
 *
 * Context: any; the tree is not yet shared.
 * Return: 0; -COP_EINVAL (geometry), -COP_ENOMEM (root).
 */
int cop_tree_init(struct cop_tree *, const struct cop_geom *geom, const struct cop_table_source *source, uint32_t asid,
		  uint32_t flags) COP_MUST_CHECK;

/**
 * cop_tree_set_reclaim() - how unlinked tables get back to their source
 * @flags: 0, COP_TREE_FREE_BY_IPI or COP_TREE_FREE_AT_ONCE
 *
 * Context: nobody has walked or changed the tree yet.
 * Return: 0; -COP_EINVAL (flags), -COP_EOPNOTSUPP (COP_TREE_FREE_AT_ONCE where invalidations do not interrupt).
 */
int cop_tree_set_reclaim(struct cop_tree *, uint32_t flags) COP_MUST_CHECK;

/**
 * cop_tree_destroy() - free the root of an empty tree; waits for a grace period
 *
 * Former roots are freed too.
 * Return: 0; -COP_EBUSY if anything is still mapped (nothing has changed).
 */
int cop_tree_destroy(struct cop_tree *) COP_MUST_CHECK;

/**
 * cop_tree_grow() - translate more addresses, by levels above the root
 * @va_bits: bits of address from now on; nothing happens if it translates as many already
 *
 * The root becomes a table of a new one. It stays where it is for as long as the tree lives, even when it is empty, so that
 * whoever has loaded it goes on walking: software until the end of its read section, a CPU until it loads tree->root (ASCE;
 * TTBR and TCR; satp), which the caller sees to when this has returned, in any order. Until then addresses above the old
 * limit fault there.
 *
 * Context: may sleep when the source does. Lockless walkers (cop_translate(), cop_query(), cop_lookup()) may run; the
 * caller excludes everything else that takes the tree, and has finished its gathers: faults hold a space's lock for reading,
 * this one holds it for writing.
 * Return: 0; -COP_EINVAL (the format does not translate so many bits, or the root's index is not as wide as that of a table
 * further down), -COP_EBUSY (a sign-extended tree that maps something in its upper half, which would not be there),
 * -COP_EOPNOTSUPP (x86-64: the number of levels is fixed while paging is on), -COP_ENOMEM: nothing has changed.
 */
int cop_tree_grow(struct cop_tree *, unsigned va_bits) COP_MUST_CHECK;

enum cop_map_flag {
	COP_MAP_NO_CONT = 1 << 0, /* no contiguous runs */
	COP_MAP_NO_CTOR = 1 << 1, /* new tables are not constructed or accounted (vmemmap) */
	/* One page, which others may map too, replace or take at the same time: one of them does, the others are told. */
	COP_MAP_CONTENDED = 1 << 2,
};

/**
 * cop_map() - map [va, va + bytes) to [pa, pa + bytes) with the fewest leaves
 * @va, @pa, @bytes: multiples of the page size; the range lies within the tree's half and the format's OA width
 * @attrs: enum cop_attr bits
 * @max_leaf_lg2: no leaf larger than this (lg2 of bytes; runs count as their leaves); 0 for no limit
 * @flags: enum cop_map_flag
 *
 * All or nothing: on failure the tree maps exactly what it mapped before and holds no more tables.
 *
 * Context: may sleep when the source does. In parallel with anything on disjoint ranges.
 * Return: 0; -COP_EINVAL (alignment, wrap, outside the tree, attributes, flags), -COP_EADDRINUSE (something is mapped there),
 *         -COP_ENOMEM (the source), -COP_EOPNOTSUPP (attributes this CPU lacks).
 */
int cop_map(struct cop_tree *, cop_va va, cop_pa pa, uint64_t bytes, uint32_t attrs, unsigned max_leaf_lg2,
	    uint32_t flags) COP_MUST_CHECK;

/* A physical range that was taken out of a tree: not free before the flush. */
struct cop_detached_run {
	cop_pa pa_;
	uint64_t bytes_;
	uint32_t attrs_; /* COP_YOUNG | COP_DIRTY as far as any leaf of the run had them */
};
/* A physical range that nobody can translate to any more. */
struct cop_free_run {
	cop_pa pa;
	uint64_t bytes;
	uint32_t attrs;
};

/**
 * struct cop_gather - what has been taken out of a tree and not yet invalidated
 *
 * One batched invalidation covers everything gathered. Lives on the caller's stack; not shared.
 */
struct cop_gather {
	struct cop_tree *tree;
	cop_va start, last; /* hull of what must be invalidated; start > last: nothing */
	uint8_t stride_lg2, level, scope;
	struct cop_ptdesc *detached; /* tables unlinked, not yet invalidated */
	struct cop_ptdesc *flushed;  /* tables whose slot needs nothing more: to RCU when all is invalidated */
	uint64_t invalidations;      /* issued by this gather */
};

/* Token: this gather has invalidated and synced. Only cop_gather_finish() makes one. */
struct cop_flushed {
	const struct cop_gather *gather_;
};

void cop_gather_begin(struct cop_gather *, struct cop_tree *);

/**
 * cop_gather_finish() - invalidate, sync, and let go of the tables
 *
 * Publishes the cleared entries, issues one invalidation for the hull of everything gathered, syncs, resolves the
 * markers of unlinked tables, reclaims parents that this emptied (bottom-up; each such round is one more invalidation),
 * and hands the tables to RCU.
 *
 * Context: interrupts on. Return: the token.
 */
struct cop_flushed cop_gather_finish(struct cop_gather *);

/* The one way from detached to free. */
static inline struct cop_free_run cop_freeable(struct cop_flushed token, struct cop_detached_run run)
{
	(void)token;
	return (struct cop_free_run){run.pa_, run.bytes_, run.attrs_};
}

enum cop_unmap_mode {
	COP_UNMAP_BLIND,  /* entries are cleared unread: the caller knows what was there */
	COP_UNMAP_FRAMES, /* runs are handed back */
	COP_UNMAP_EXACT,  /* runs are handed back with exact accessed and dirty state */
};
enum cop_unmap_flag {
	COP_UNMAP_NO_SPLIT = 1 << 8, /* refuse to split a leaf (-COP_EBUSY, nothing changed) */
	COP_UNMAP_HOLES_OK = 1 << 9, /* parts that are not mapped are skipped; else -COP_ENOENT, nothing changed */
};

/* done: bytes unmapped from va on; less than asked only when `runs` was full (call again with the rest) or err. */
struct cop_unmapped {
	uint64_t done;
	unsigned runs;
	int err;
};

/**
 * cop_unmap() - take [va, va + bytes) out of the tree
 * @how: enum cop_unmap_mode | enum cop_unmap_flag
 * @runs, @max_runs: where detached runs go (physically contiguous ones merged), at least one; unused with COP_UNMAP_BLIND
 *
 * Leaves that are only partly covered are split (a live split breaks before it makes where the CPU needs that; see the
 * format's change()); partly covered contiguous runs are unfolded. Wholly covered subtrees are detached at the highest
 * level. Emptied tables are reclaimed. Whether there are holes is told from the tables' counts and, in tables that are
 * partly covered, from their entries: COP_UNMAP_BLIND too refuses a range with holes.
 *
 * Context: the range stays the caller's until cop_gather_finish().
 * Return: .err 0; -COP_EINVAL (range), -COP_ENOENT, -COP_EBUSY (NO_SPLIT), -COP_ENOMEM (a split's table): nothing changed
 * beyond .done.
 */
struct cop_unmapped cop_unmap(struct cop_gather *, cop_va va, uint64_t bytes, uint32_t how,
			      struct cop_detached_run *runs, unsigned max_runs);

/**
 * cop_protect() - replace the attributes of every leaf in a range; accessed and dirty state is kept
 *
 * Splits leaves at the ends. Holes are an error. Invalidates through the gather where that is needed.
 * Return: 0; -COP_EINVAL, -COP_ENOENT, -COP_ENOMEM: nothing changed.
 */
int cop_protect(struct cop_gather *, cop_va va, uint64_t bytes, uint32_t attrs) COP_MUST_CHECK;

/**
 * cop_split() - make [va, va + bytes) consist of leaves no larger than 1 << max_leaf_lg2, runs unfolded
 * Return: 0; -COP_EINVAL, -COP_ENOMEM (what was split stays split: it maps the same).
 */
int cop_split(struct cop_gather *, cop_va va, uint64_t bytes, unsigned max_leaf_lg2) COP_MUST_CHECK;

/**
 * cop_collapse() - replace tables in the range by the largest leaves that map the same
 * Return: number of leaves made (0: nothing could be), or -COP_EINVAL.
 */
long cop_collapse(struct cop_gather *, cop_va va, uint64_t bytes, unsigned max_leaf_lg2);

/**
 * cop_move() - what a range maps is mapped at another address instead
 * @from, @to: of the ranges, both @bytes long, which do not meet; the caller owns both
 *
 * Pages keep their attributes, accessed and dirty state; holes stay holes, swap entries are moved too. Larger leaves are
 * split first. An entry goes clear -> invalidate -> set, under the locks of both its tables, so that whoever looks for it
 * under one of them finds it in one place. Tables that this empties are reclaimed through the gather.
 *
 * Context: may sleep when the source does.
 * Return: 0; -COP_EINVAL (ranges), -COP_EADDRINUSE (something is mapped at @to), -COP_ENOMEM: it maps what it mapped before.
 */
int cop_move(struct cop_gather *, cop_va from, cop_va to, uint64_t bytes) COP_MUST_CHECK;

/* What one address translates to. size_lg2: of the leaf (its run not counted); attrs 0 when not mapped. */
struct cop_translation {
	cop_pa pa; /* of the address itself; COP_PA_NONE: not mapped */
	uint64_t entry;
	uint32_t attrs;
	uint8_t level, size_lg2;
};

/**
 * cop_translate() - walk in software
 * Context: [irq] inside an RCU read section, or the caller owns the range. Never writes.
 */
struct cop_translation cop_translate(const struct cop_tree *, cop_va);

/**
 * cop_translate_pa() - the output address and nothing else: for those who translate all the time
 *
 * Context: as cop_translate(). Return: its .pa.
 */
cop_pa cop_translate_pa(const struct cop_tree *, cop_va);

/* How cop_lookup() comes by levels that the tree has not (folding.h). */
enum cop_fold {
	COP_FOLD_TOP,    /* the first step goes along the root; entries are passed down as values */
	COP_FOLD_MIDDLE, /* the step at the root's level goes along it; pointers are passed down */
};

/**
 * cop_lookup() - output addresses of consecutive pages, in one walk
 * @va, @pages: the range, page aligned
 * @out: an address for each page
 * @fold: enum cop_fold; the answer is the same
 *
 * Context: as cop_translate(). Return: pages found before the first that is not mapped.
 */
unsigned long cop_lookup(const struct cop_tree *, cop_va va, unsigned long pages, cop_pa *out, enum cop_fold fold);

/* A merged stretch: leaves of one level and one set of attributes, contiguous in both address spaces; or a hole. */
struct cop_extent {
	cop_va va;
	uint64_t bytes;
	cop_pa pa;      /* COP_PA_NONE: hole */
	uint32_t attrs; /* without accessed and dirty; COP_CONT for runs */
	uint8_t level;
};

/**
 * cop_query() - the next merged extents of a range, like the kernel's ptdump
 * @va, @last: from va to last (inclusive); holes are skipped
 * @out, @max: filled with at most max extents
 *
 * Context: inside an RCU read section, or the caller owns the range.
 * Return: number of extents; fewer than max: the end was reached. Go on from the byte after the last one.
 */
unsigned cop_query(const struct cop_tree *, cop_va va, cop_va last, struct cop_extent *out, unsigned max);

/*
 * Entries that more than one caller may change: cop_map() of one page with COP_MAP_CONTENDED, cop_replace() and cop_take()
 * may meet at one address. Each change is made under the lock of its table. Nobody uses cop_unmap(), cop_protect(),
 * cop_collapse() or plain cop_map() in such a range at the same time.
 */

/* A leaf: at va (of the whole leaf), of that level; attrs and entry as they were at the last. */
struct cop_leaf {
	cop_va va;
	cop_pa pa;
	uint64_t entry;
	uint32_t attrs;
	uint8_t level;
};

struct cop_replaced {
	uint32_t attrs; /* the old leaf's, accessed and dirty as hardware left them */
	int err;
};

/**
 * cop_replace() - change a leaf if it still is what the caller saw
 * @gather: gets what is to be invalidated afterwards
 * @va: of a page in the leaf
 * @old: the entry, as from cop_translate()
 * @pa: output address of the new leaf, of the same size; COP_PA_NONE: the leaf is taken out
 * @attrs: its attributes; where the output address stays, accessed and dirty are kept besides
 *
 * A leaf with another output address is made only when no CPU can use the old one, on every architecture.
 *
 * Context: may not be called with interrupts off. Return: .err 0; -COP_EAGAIN (it is another entry by now, or a contiguous
 * run's: nothing changed); -COP_EINVAL.
 */
struct cop_replaced cop_replace(struct cop_gather *gather, cop_va va, uint64_t old, cop_pa pa,
				uint32_t attrs) COP_MUST_CHECK;

/**
 * cop_take() - take the leaves of a range out, each with what it was
 * @out, @max: filled with at most max leaves
 *
 * Holes are skipped. Leaves that are only partly covered are split. The memory is nobody else's after
 * cop_gather_finish() only.
 *
 * Return: .done bytes, less than asked only when @out was full; .runs leaves; .err 0, -COP_EINVAL, -COP_ENOMEM (a split's
 * table; nothing changed).
 */
struct cop_unmapped cop_take(struct cop_gather *gather, cop_va va, uint64_t bytes, struct cop_leaf *out,
			     unsigned max) COP_MUST_CHECK;

/**
 * cop_leaves() - look at the leaves of a range
 *
 * Context: inside an RCU read section. Return: as cop_take().
 */
struct cop_unmapped cop_leaves(const struct cop_tree *tree, cop_va va, uint64_t bytes, struct cop_leaf *out,
			       unsigned max);

/**
 * cop_refresh() - after a fault that the tables do not explain: this CPU forgets what it knows of the page
 */
void cop_refresh(const struct cop_tree *tree, cop_va va);

/* Table pages linked, bytes. */
uint64_t cop_tree_table_bytes(const struct cop_tree *);

/*
 * The algorithms compiled for one format; the single place of indirect calls. Kernels that have one format call
 * cop_<format>_map() etc. directly.
 */
struct cop_table_ops {
	const struct cop_format *format;
	int (*map)(struct cop_tree *, cop_va, cop_pa, uint64_t, uint32_t, unsigned, uint32_t);
	struct cop_unmapped (*unmap)(struct cop_gather *, cop_va, uint64_t, uint32_t, struct cop_detached_run *,
				     unsigned);
	int (*protect)(struct cop_gather *, cop_va, uint64_t, uint32_t);
	int (*split)(struct cop_gather *, cop_va, uint64_t, unsigned);
	long (*collapse)(struct cop_gather *, cop_va, uint64_t, unsigned);
	int (*move)(struct cop_gather *, cop_va, cop_va, uint64_t);
	unsigned long (*lookup)(const struct cop_tree *, cop_va, unsigned long, cop_pa *, enum cop_fold);
	struct cop_translation (*translate)(const struct cop_tree *, cop_va);
	cop_pa (*translate_pa)(const struct cop_tree *, cop_va);
	unsigned (*query)(const struct cop_tree *, cop_va, cop_va, struct cop_extent *, unsigned);
	struct cop_flushed (*finish)(struct cop_gather *);
	struct cop_replaced (*replace)(struct cop_gather *, cop_va, uint64_t, cop_pa, uint32_t);
	struct cop_unmapped (*take)(struct cop_gather *, cop_va, uint64_t, struct cop_leaf *, unsigned);
	struct cop_unmapped (*leaves)(const struct cop_tree *, cop_va, uint64_t, struct cop_leaf *, unsigned);
	void (*refresh)(const struct cop_tree *, cop_va);
};

extern const struct cop_table_ops cop_tables_arm64_4k, cop_tables_arm64_16k, cop_tables_arm64_64k, cop_tables_x86_64,
	cop_tables_riscv64, cop_tables_s390x;

#ifdef __cplusplus
}
#endif

#endif
