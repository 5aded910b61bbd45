/* SPDX-License-Identifier: MIT */
/*
 * Frames: sections, the memmap, zones and the buddy allocator.
 *
 * Physical memory is divided into *sections* of one size. A section that is present has a *memmap*, one struct cop_page
 * per frame, at a fixed virtual address (struct cop_layout), so that a frame number and its struct page are found from
 * each other by arithmetic. The memmap of a section comes and goes with the section: whoever touches a struct page
 * without holding a reference to the frame does so inside an RCU read section, after cop_pfn_valid() said yes in it.
 *
 * A section is also the *memory block*, the unit in which memory goes online and offline (hotplug.h).
 */
#ifndef COPPICE_MEMORY_H
#define COPPICE_MEMORY_H

#include <coppice/fragments.h>
#include <coppice/sharing.h>

#ifdef __cplusplus
extern "C" {
#endif

#define COP_PFN_NONE        (~(cop_pfn)0)
#define COP_PAGE_STRUCT_LG2 6  /* lg2 of sizeof(struct cop_page), bytes */
#define COP_ORDERS          32 /* orders a zone can have, 0 .. COP_ORDERS - 1 */

/* State of a frame: struct cop_page.flags. A frame with none of them is part of a larger free or allocated block. */
enum cop_page_flag {
	COP_PG_RESERVED = 1 << 0,  /* never handed out: firmware, holes, boot-time tables and memmap */
	COP_PG_BUDDY = 1 << 1,     /* first frame of a free block of .order */
	COP_PG_ALLOCATED = 1 << 2, /* first frame of an allocated block of .order */
	COP_PG_HEAD = 1 << 3,      /* ... that is a folio of more than one frame: the others are tails */
	COP_PG_TAIL = 1 << 4,
	COP_PG_MOVABLE = 1 << 5, /* allocated with COP_ALLOC_MOVABLE: may be migrated */
	COP_PG_TABLE = 1 << 6,   /* holds translation tables */
	COP_PG_MEMMAP = 1 << 7,  /* holds struct pages */
	COP_PG_DEVICE = 1 << 8,  /* belongs to a driver */
	COP_PG_LRU = 1 << 9,
	COP_PG_LOCKED = 1 << 10,
	COP_PG_DIRTY = 1 << 11,
	COP_PG_UPTODATE = 1 << 12,
	COP_PG_WRITEBACK = 1 << 13,
	COP_PG_SWAPBACKED = 1 << 14,
	COP_PG_POISONED = 1 << 15, /* hardware memory error; in the head of a folio */
	COP_PG_OFFLINE = 1 << 16,  /* logically offline: a balloon's */
};

/**
 * struct cop_page - what is known of one frame; of a folio in the first of its frames
 * @flags: enum cop_page_flag; marked
 * @refcount: marked; 0: free, or frozen. Speculative references are taken unless it is 0
 * @mapcount: mappings; marked
 * @next, @prev: free list or LRU, frame numbers; under the list's lock
 * @mapping, @index, @private_: the owner's. A table page that is handed out in fragments has their state in @private_
 * (enum cop_fragment_shift); marked
 * @pincount: pages pinned, of a folio of more than one frame; in its head; marked
 * @tail_lg2: 0, or in a tail lg2 of the folio's frames; marked
 * @order: lg2 of the block's frames, in the first frame of a free or allocated block
 *
 * All zeros is the state of a frame that nobody has handed out, so that a memmap is initialised by clearing it. There
 * is no zone and no section number in it: both follow from the frame number, and tails must not differ by them. A tail
 * does not name its head: its address rounded down to the folio's size does. All tails of one order are therefore the same 64 bytes and any of
 * them can stand for all (HugeTLB's memmap optimisation).
 *
 * Accessed through the port only, at the address that cop_page() returns: a memmap that has gone is a fault.
 */
struct cop_page {
	uint64_t flags;
	uint32_t refcount;
	uint32_t mapcount;
	union {
		struct {
			cop_pfn next, prev;
		};
		struct {
			uint64_t pgmap; /* COP_PG_DEVICE */
			uint64_t device_private;
		};
	};
	uint64_t mapping;
	uint64_t index;
	uint64_t private_;
	uint32_t pincount;
	uint8_t tail_lg2;
	uint8_t order;
	uint16_t unused_;
};
COP_STATIC_ASSERT(sizeof(struct cop_page) == 1 << COP_PAGE_STRUCT_LG2, "a memmap entry is one cache line");

enum cop_zone_id {
	COP_ZONE_NORMAL,
	COP_ZONE_MOVABLE, /* only movable allocations: can be offlined */
	COP_ZONE_DEVICE,  /* never in the buddy allocator */
	COP_ZONES,
};

/* A section's life; struct cop_section.state. */
enum cop_block_state {
	COP_BLOCK_ABSENT,
	COP_BLOCK_ADDING,  /* claimed; its memmap is not there yet */
	COP_BLOCK_OFFLINE, /* memmap and linear map are there; frames are not in use */
	COP_BLOCK_GOING_ONLINE,
	COP_BLOCK_ONLINE,
	COP_BLOCK_GOING_OFFLINE,
	COP_BLOCK_REMOVING, /* claimed for removal; still valid */
	COP_BLOCK_GONE,     /* being removed: whoever finds it so must not touch its memmap */
};

enum cop_section_flag {
	COP_SECTION_EARLY = 1 << 0,  /* boot memory: cannot be removed */
	COP_SECTION_ALTMAP = 1 << 1, /* its memmap lies in its own first frames */
	COP_SECTION_DEVICE = 1 << 2, /* a driver's: never online */
};

/**
 * struct cop_section - one section
 * @state: enum cop_block_state; marked. Whoever changes it to a transient state by compare-and-swap owns the section
 * @flags: enum cop_section_flag; owner
 * @zone: enum cop_zone_id; owner, constant while online
 * @isolated: allocations do not take its frames; zone lock
 * @managed: frames given to the buddy allocator; zone lock
 * @withheld: of these, frames that are free and, because of @isolated, on no list; zone lock
 * @memmap_frames: frames that hold its memmap, whoever owns them; owner
 */
struct cop_section {
	uint32_t state;
	uint16_t flags;
	uint8_t zone;
	uint8_t isolated;
	uint64_t managed;
	uint64_t withheld;
	uint64_t memmap_frames;
};

/**
 * struct cop_layout - where a kernel's tree maps memory and memmap
 * @linear: virtual address of physical address 0 (arithmetic: that address itself need not be in the linear map)
 * @vmemmap: virtual address of frame 0's struct page (likewise)
 * @linear_start, @linear_last: addresses the linear map may use
 * @vmemmap_start, @vmemmap_last: addresses the memmap may use
 * @vmalloc_start, @vmalloc_last: what is left; none if start > last
 */
struct cop_layout {
	cop_va linear, vmemmap;
	cop_va linear_start, linear_last;
	cop_va vmemmap_start, vmemmap_last;
	cop_va vmalloc_start, vmalloc_last;
};
struct cop_layout_result {
	struct cop_layout layout;
	int err;
};

/* Physical memory [start, start + bytes). */
struct cop_mem_range {
	cop_pa start;
	uint64_t bytes;
};

struct cop_mem;

/**
 * struct cop_mem_hooks - what the machine does when memory comes and goes; each may be NULL
 * @populate: [pa, pa + bytes) is about to be touched for the first time; 0 or a negative errno
 * @punch: nothing can reach [pa, pa + bytes) any more
 * @migrate: empty the allocated block of 1 << order frames at pfn, which is being offlined: move it elsewhere and free
 * it. 0: it is free or will be soon; a negative errno: it cannot be moved now. Only asked for COP_PG_MOVABLE blocks.
 * @deny: true makes this allocation of 1 << order frames fail, to see what happens; must not sleep
 * @ctx: passed to each
 *
 * Context: may sleep but for @deny; no lock is held. In parallel for different ranges.
 */
struct cop_mem_hooks {
	int (*populate)(void *ctx, cop_pa pa, uint64_t bytes);
	void (*punch)(void *ctx, cop_pa pa, uint64_t bytes);
	int (*migrate)(void *ctx, struct cop_mem *mem, cop_pfn pfn, unsigned order);
	bool (*deny)(void *ctx, unsigned order);
	void *ctx;
};

enum cop_mem_flag {
	COP_MEM_PAGE_MAPPED = 1 << 0, /* linear map in smallest leaves, contiguous runs neither */
	COP_MEM_NO_REMOVE = 1 << 1,   /* this machine has no way to remove memory: cop_mem_remove() is -COP_EBUSY */
};

/**
 * struct cop_mem_config - a machine's memory
 * @geom: of the kernel's tree
 * @ram, @rams: memory at boot, ascending, not overlapping; rounded inwards to whole frames
 * @reserved, @reserveds: parts of it that must not be touched, in any order; rounded outwards
 * @pa_start: no memory will ever be below this address; 0 is always right
 * @pa_limit: no memory will ever be at or above this address; decides the size of arena and linear map. Rounded up to a
 * section
 * @section_lg2: section size, lg2 of bytes; at least 2 * page_lg2 - 6, so that a section's memmap is whole frames
 * @flags: enum cop_mem_flag
 * @sharing: how hot-plug and vmalloc share tables
 * @hooks: copied
 *
 * Only read during cop_mem_boot().
 */
struct cop_mem_config {
	struct cop_geom geom;
	const struct cop_mem_range *ram;
	const struct cop_mem_range *reserved;
	unsigned rams, reserveds;
	cop_pa pa_start, pa_limit;
	uint8_t section_lg2;
	uint32_t flags;
	enum cop_share_policy sharing;
	struct cop_mem_hooks hooks;
};

/* One order's free blocks of a zone. */
struct cop_free_area {
	cop_pfn first;
	uint64_t blocks;
};

/**
 * struct cop_zone - frames of one use
 * @lock: everything here, and .next, .prev, .order and the buddy state of its free frames
 * @managed: frames given to the allocator
 * @free: of these, frames on the lists
 * @withheld: of these, free frames that isolation keeps off the lists
 */
struct cop_zone {
	cop_spinlock lock;
	uint64_t managed, free, withheld;
	struct cop_free_area area[COP_ORDERS];
};

/* What allocated frames are for. */
enum cop_frame_use { COP_USE_OTHER, COP_USE_TABLE, COP_USE_MEMMAP, COP_USES };

struct cop_notifier;

/**
 * struct cop_mem - the memory of one machine; everything below is set by cop_mem_boot() and private to the library
 *
 * Constant after boot: tree, layout, geometry, limits, hooks.
 */
struct cop_mem {
	struct cop_tree *tree;
	struct cop_layout layout;
	struct cop_sharing sharing;
	struct cop_mem_hooks hooks;
	uint32_t flags;
	uint8_t page_lg2, section_lg2, max_order;
	cop_pa pa_start, pa_limit;
	struct cop_section *sections; /* of pa_start onwards */
	uint64_t section_count;
	struct cop_zone zone[COP_ZONES];
	uint64_t used[COP_USES];        /* frames allocated, by use; marked */
	uint64_t table_bytes;           /* handed out by the table source; marked */
	uint64_t present;               /* frames with a struct page; marked */
	uint64_t reserved;              /* boot memory never given to the allocator, frames; marked */
	uint64_t altmap;                /* frames of memmaps in their own section; marked */
	uint64_t holes;                 /* frames with a struct page and no memory */
	struct cop_fragments fragments; /* the kernel's; .lg2 is the page size: there are none */
	/* Until the buddy allocator is up. */
	struct {
		struct cop_mem_range *extents; /* free memory, ascending */
		unsigned count, capacity;
		uint64_t memmap_bytes;
		bool active;
	} early;
	cop_mutex notify_lock;
	struct cop_notifier *notifiers;
};

/**
 * cop_mem_layout() - where memory and memmap are mapped
 * @geom: of the kernel's tree
 * @pa_start: lowest address that memory will ever have
 * @pa_limit: as in struct cop_mem_config
 * @section_lg2: lg2 of bytes
 *
 * The linear map begins with the kernel's addresses (the upper half of a tree that is sign-extended, all of one that
 * is not); the memmap begins at the first multiple of 1 GB after it. What is left above is for vmalloc (vmalloc.h): both
 * may use one table, see sharing.h.
 *
 *	linear map (.pa_limit - .pa_start) | memmap (that / page size * 64) | vmalloc
 *
 * Both begin at what belongs to @pa_start rounded down to 1 GB and to a section, so that virtual and physical addresses
 * agree in as many low bits as leaves of up to 1 GB ask for.
 *
 * Return: .err 0; -COP_ERANGE if both do not fit into the kernel's addresses, or the memory not into the output
 * address width; -COP_EINVAL (section size, pa_start >= pa_limit).
 */
struct cop_layout_result cop_mem_layout(const struct cop_geom *geom, cop_pa pa_start, cop_pa pa_limit,
					unsigned section_lg2) COP_MUST_CHECK;

/**
 * cop_mem_layout_for() - the layout that cop_mem_boot() will use for a configuration
 *
 * Return: as cop_mem_layout().
 */
struct cop_layout_result cop_mem_layout_for(const struct cop_mem_config *config) COP_MUST_CHECK;

/**
 * cop_mem_arena_bytes() - memory that cop_mem_boot() needs beside physical memory
 *
 * 32 bytes for each section between the lowest memory and .pa_limit, and some for each range.
 */
uint64_t cop_mem_arena_bytes(const struct cop_mem_config *config);

/**
 * cop_mem_boot() - from ranges of memory to an allocator
 * @mem: to be set up; not yet shared
 * @tree: kernel tree, uninitialised: it is initialised here, because its tables come from this memory. The port must
 *	translate cop_virt() addresses by it as soon as its root is set
 * @arena: cop_mem_arena_bytes(), aligned to 64, not in the memory managed here; lives as long as @mem
 *
 * Maps the linear map with the largest leaves and the memmap with block leaves where they fit; tables and memmap are
 * carved out of the memory itself and stay reserved. All sections with boot memory are online in COP_ZONE_NORMAL and
 * cannot be removed. populate() is called for each range first.
 *
 * Return: 0; -COP_EINVAL (ranges unordered, overlapping, wrapping; section size; geometry; sharing), -COP_ERANGE (memory beyond
 * .pa_limit or what the geometry can map), -COP_ENOMEM (not enough memory for tables and memmap), or what populate()
 * returned. After a failure nothing of @mem and @tree is of use and the memory's contents are undefined.
 */
int cop_mem_boot(struct cop_mem *mem, struct cop_tree *tree, void *arena,
		 const struct cop_mem_config *config) COP_MUST_CHECK;

/**
 * cop_mem_table_source() - tables from this memory
 *
 * Any power of two: frames, blocks of them, and fragments of a frame (2 KB page tables of s390x), all of one fragment
 * size.
 */
struct cop_table_source cop_mem_table_source(struct cop_mem *mem);

/* Addresses. */
static inline cop_va cop_linear_va(const struct cop_mem *mem, cop_pa pa)
{
	return mem->layout.linear + pa;
}

static inline cop_va cop_page_va(const struct cop_mem *mem, cop_pfn pfn)
{
	return mem->layout.vmemmap + (pfn << COP_PAGE_STRUCT_LG2);
}

/**
 * cop_page() - a frame's struct page
 *
 * Context: [irq]. The caller holds the frame, or is inside an RCU read section in which cop_pfn_valid() said yes.
 */
static inline struct cop_page *cop_page(const struct cop_mem *mem, cop_pfn pfn)
{
	return (struct cop_page *)cop_virt(cop_page_va(mem, pfn));
}

/**
 * cop_pfn_section() - section of a frame
 *
 * Return: NULL where no memory can be.
 */
static inline struct cop_section *cop_pfn_section(const struct cop_mem *mem, cop_pfn pfn)
{
	cop_pa pa = pfn << mem->page_lg2;

	if (pfn >> (64 - mem->page_lg2) || pa < mem->pa_start || pa >= mem->pa_limit)
		return NULL;
	return &mem->sections[(pa - mem->pa_start) >> mem->section_lg2];
}

/**
 * cop_pfn_valid() - does the frame have a struct page?
 *
 * Context: [irq]; the answer holds until the end of the RCU read section it was asked in.
 */
bool cop_pfn_valid(const struct cop_mem *mem, cop_pfn pfn);

/**
 * cop_pfn_zone() - zone of a frame that the caller holds, or that is in a section it owns
 */
static inline enum cop_zone_id cop_pfn_zone(const struct cop_mem *mem, cop_pfn pfn)
{
	return (enum cop_zone_id)cop_pfn_section(mem, pfn)->zone;
}

/**
 * cop_page_head() - first frame of the folio that a frame belongs to; the frame itself if it is not a tail
 *
 * Context: [irq], as cop_page(). Without a reference the answer may be outdated when it arrives.
 */
cop_pfn cop_page_head(const struct cop_mem *mem, cop_pfn pfn);

enum cop_alloc_flag {
	COP_ALLOC_MOVABLE = 1 << 0, /* from the movable zone if it can; the owner can migrate it */
	COP_ALLOC_FOLIO = 1 << 1,   /* make a folio: frames after the first become tails */
};

/**
 * cop_frames_alloc() - a block of frames
 * @order: lg2 of frames
 * @flags: enum cop_alloc_flag
 *
 * The block is aligned to its size; its first struct page has a reference count of 1. Contents are arbitrary. Blocks
 * of low addresses are not preferred to others.
 *
 * Context: [irq]. Return: first frame; COP_PFN_NONE.
 */
cop_pfn cop_frames_alloc(struct cop_mem *mem, unsigned order, uint32_t flags);

/**
 * cop_frames_free() - drop the reference that the allocation gave
 * @pfn: the block's first frame
 *
 * The block is free once nobody else holds a reference; cop_page_put() is the same for the others.
 *
 * Context: [irq]. Panics ("double-free") when the frame does not begin an allocated block.
 */
void cop_frames_free(struct cop_mem *mem, cop_pfn pfn);

/**
 * cop_page_try_get() - take a reference to a folio unless it is free or frozen
 *
 * Context: [irq], as cop_page(). Return: false if the count was 0. The caller checks afterwards that the folio is still
 * the one it meant.
 */
bool cop_page_try_get(const struct cop_mem *mem, cop_pfn head);

/**
 * cop_page_put() - drop a reference; the last one frees the folio
 */
void cop_page_put(struct cop_mem *mem, cop_pfn head);

#define COP_PAGE_REFS_MAX (1U << 31) /* no reference is taken beyond: whoever overflows a count frees what is in use */

/* cop_page_try_get() of @n references at once, by one atomic operation. Return: false also at COP_PAGE_REFS_MAX. */
static COP_ALWAYS_INLINE bool cop_page_try_get_many(struct cop_page *head, uint32_t n)
{
	uint32_t was = cop_load(&head->refcount, relaxed);

	while (was && was <= COP_PAGE_REFS_MAX - n) {
		/*
		 * Acquire: what the owner wrote before it published the folio, and whatever the caller checks again is
		 * loaded afterwards; pairs with the release in the allocation.
		 */
		uint32_t now = cop_cas(&head->refcount, was, was + n, acquire);

		if (COP_LIKELY(now == was))
			return true;
		was = now;
	}
	return false;
}

/* cop_page_put() of @n references at once. */
void cop_page_put_many(struct cop_mem *mem, cop_pfn head, uint32_t n);

/*
 * Pins: references of those who let a device read or write the pages, which the owner must be able to tell from others. A
 * pinned page of a folio of one frame is COP_PAGE_PIN_BIAS references; of a larger folio, one reference and one in
 * .pincount.
 */
#define COP_PAGE_PIN_BIAS 1024U

/**
 * cop_page_try_pin() - pin @n pages of a folio unless it is free or frozen
 * @n: at most the folio's frames
 *
 * Context: [irq], as cop_page(). Return: false if the count was 0 or would be too large, or it was just becoming another
 * folio. The caller checks afterwards that the folio is still the one it meant.
 */
bool cop_page_try_pin(struct cop_mem *mem, cop_pfn head, uint32_t n);

/* Drops @n of a folio's pins; the last reference frees it. */
void cop_page_unpin(struct cop_mem *mem, cop_pfn head, uint32_t n);

/**
 * cop_page_maybe_pinned() - is a page of the folio pinned?
 *
 * Context: [irq]; the caller holds a reference. Return: false: none was. true though none is when a folio of one frame
 * has COP_PAGE_PIN_BIAS other references.
 */
bool cop_page_maybe_pinned(const struct cop_mem *mem, cop_pfn head);

/**
 * struct cop_mem_account - where every frame is
 * @present: frames that have a struct page
 * @holes: of these, frames that are no memory (boot sections)
 * @reserved: boot memory that was never given to the allocator, tables and memmap included
 * @offline: frames that are present, and in none of the other figures: sections that are not online
 * @managed, @free, @withheld: by zone
 * @tables: bytes of tables handed out by the source
 * @tables_linked: bytes of tables that the tree says it has; less than @tables while some await a grace period
 * @memmap_early, @memmap_buddy, @memmap_altmap: bytes of memmap by owner of the frames
 * @used: frames allocated, by use
 * @constructed: tables with a constructor not yet undone
 * @leaked: frames the zones miss and no use has: managed - free - withheld - used. 0 when nothing is amiss
 *
 * To the frame when nothing is under way; while operations run, each figure is one that was true at some time.
 */
struct cop_mem_account {
	uint64_t present, holes, reserved, offline;
	uint64_t managed[COP_ZONES], free[COP_ZONES], withheld[COP_ZONES];
	uint64_t tables, tables_linked;
	uint64_t memmap_early, memmap_buddy, memmap_altmap;
	uint64_t used[COP_USES];
	uint64_t constructed;
	int64_t leaked;
};
struct cop_mem_account cop_mem_account(struct cop_mem *mem);

/* One thing that is not as it must be. */
struct cop_mem_fault {
	const char *rule; /* short name, e.g. "free-list-link" */
	cop_pfn pfn;      /* frame it was found at; COP_PFN_NONE: totals */
};

/**
 * cop_mem_check() - walk all free lists and sections
 * @faults, @max: filled with at most max findings
 *
 * Context: nothing else is under way. Return: number of findings, which may exceed @max.
 */
unsigned cop_mem_check(struct cop_mem *mem, struct cop_mem_fault *faults, unsigned max);

/*
 * For those who bring memory and take it away (hotplug/).
 */

/**
 * cop_vmemmap_populate() - map the memmap of a section and clear it
 * @altmap: place it in the section's own first frames instead of the allocator's
 *
 * Backing frames are one block where the allocator has one, else smaller ones.
 * Return: 0; -COP_ENOMEM, -COP_EADDRINUSE: nothing changed.
 */
int cop_vmemmap_populate(struct cop_mem *mem, struct cop_section *section, bool altmap) COP_MUST_CHECK;

/**
 * cop_vmemmap_depopulate() - unmap the memmap of adjoining sections, and give its frames back to whoever they belong to
 * @count: sections
 *
 * Return: 0; -COP_EPERM if one of them is boot memory, whose memmap is reserved: nothing changed.
 */
int cop_vmemmap_depopulate(struct cop_mem *mem, struct cop_section *section, uint64_t count) COP_MUST_CHECK;

/* Give a section's frames to the allocator of a zone; the caller owns the section. */
void cop_section_give(struct cop_mem *mem, struct cop_section *section, enum cop_zone_id zone);

/**
 * cop_section_isolate() - keep a section's frames from being allocated
 *
 * Free ones leave the lists, and those that are freed later do not get there.
 */
void cop_section_isolate(struct cop_mem *mem, struct cop_section *section);
void cop_section_unisolate(struct cop_mem *mem, struct cop_section *section);

/* A block of 1 << order frames that is allocated or reserved. */
struct cop_block_in_use {
	cop_pfn pfn; /* COP_PFN_NONE: there is none */
	uint64_t flags;
	unsigned order;
};

/* The first one at or after @pfn in an isolated section that the caller owns. */
struct cop_block_in_use cop_section_in_use(struct cop_mem *mem, struct cop_section *section, cop_pfn pfn);

/**
 * cop_section_withdraw() - take an isolated section's frames away from the allocator
 *
 * Return: 0; -COP_EBUSY if one is in use: nothing changed.
 */
int cop_section_withdraw(struct cop_mem *mem, struct cop_section *section) COP_MUST_CHECK;

#ifdef __cplusplus
}
#endif

#endif
