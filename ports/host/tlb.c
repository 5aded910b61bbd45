/* SPDX-License-Identifier: MIT */
/*
 * The TLB: host mappings of the window, filled on a fault, dropped by invalidation, bounded in number.
 *
 * All CPUs share it. That is a legal TLB: one CPU's fill is another's speculation, and dropping more than was asked for
 * is allowed at any time. A fill never leaves its 2 MB chunk of the window, so an invalidation looks only at the chunks
 * of its range.
 */
#define _GNU_SOURCE
#include "ports/host/internal.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define HOST_PAGE   4096ULL
#define CHUNK_LG2   21
#define CHUNK_BYTES COP_LG2(CHUNK_LG2)
#define NO_FILL     UINT32_MAX

/* offset: in the window. older, newer: in order of age; peer: next of the same chunk, or next free. */
struct fill {
	uint64_t offset, bytes;
	cop_pa pa;
	uint64_t serial;
	uint32_t older, newer, peer;
	bool writable, global;
};

static struct {
	uint64_t bytes;
	struct fill *pool;
	uint32_t max;
	uint32_t oldest, newest, unused;
	uint32_t live; /* fills and fills about to be; marked */
	uint32_t *chunk;
	uint64_t serial;
	struct cop_host_translation (*translate)(void *, cop_va);
	void *ctx;
} tlb;

uint64_t cop_host_window_delta;

/* The last miss that found its fill in place: another one at once means that the fill forbids the access. */
static _Thread_local struct {
	uint64_t address, serial;
} retried;

static int alloc_pool(uint32_t max, uint64_t chunks)
{
	tlb.pool = calloc(max, sizeof(*tlb.pool));
	tlb.chunk = malloc(chunks * sizeof(*tlb.chunk));
	if (tlb.pool && tlb.chunk)
		return 0;
	free(tlb.pool);
	free(tlb.chunk);
	return -COP_ENOMEM;
}

static void empty_pool(uint32_t max, uint64_t chunks)
{
	uint32_t i;

	for (i = 0; i < max; i++)
		tlb.pool[i].peer = i + 1 < max ? i + 1 : NO_FILL;
	memset(tlb.chunk, 0xff, chunks * sizeof(*tlb.chunk));
	tlb.max = max;
	tlb.unused = 0;
	tlb.oldest = tlb.newest = NO_FILL;
}

int tlb_init(const struct cop_host_config *config)
{
	uint64_t most = host_max_map_count() / 8, chunks = config->window_bytes >> CHUNK_LG2;
	uint32_t max = (uint32_t)(config->max_fills && config->max_fills < most ? config->max_fills : most);
	int err;

	memset(&tlb, 0, sizeof(tlb));
	cop_host_window_delta = COP_HOST_WINDOW - config->window_va;
	if (!config->window_bytes)
		return 0;
	err = alloc_pool(max, chunks);
	if (err)
		return err;
	err = host_map_fixed(COP_HOST_WINDOW, config->window_bytes, PROT_NONE, -1, 0, false);
	if (err) {
		free(tlb.pool);
		free(tlb.chunk);
		return err;
	}
	empty_pool(max, chunks);
	tlb.bytes = config->window_bytes;
	return 0;
}

void tlb_exit(void)
{
	if (!tlb.bytes)
		return;
	host_unmap(COP_HOST_WINDOW, tlb.bytes);
	free(tlb.pool);
	free(tlb.chunk);
	memset(&tlb, 0, sizeof(tlb));
}

void cop_host_set_translate(struct cop_host_translation (*translate)(void *, cop_va), void *ctx)
{
	host_lock();
	tlb.translate = translate;
	tlb.ctx = ctx;
	host_unlock();
}

bool tlb_covers(uint64_t address)
{
	return address - COP_HOST_WINDOW < tlb.bytes;
}

bool tlb_maps(cop_pa pa, uint64_t bytes)
{
	uint32_t i;

	if (!tlb.bytes)
		return false;
	for (i = tlb.oldest; i != NO_FILL; i = tlb.pool[i].newer) {
		if (tlb.pool[i].pa < pa + bytes && pa < tlb.pool[i].pa + tlb.pool[i].bytes)
			return true;
	}
	return false;
}

/* ---- fills ---- */

static void unlink_age(const struct fill *fill)
{
	if (fill->older == NO_FILL)
		tlb.oldest = fill->newer;
	else
		tlb.pool[fill->older].newer = fill->newer;
	if (fill->newer == NO_FILL)
		tlb.newest = fill->older;
	else
		tlb.pool[fill->newer].older = fill->older;
}

static void forget(uint32_t i)
{
	struct fill *fill = &tlb.pool[i];
	uint32_t *link = &tlb.chunk[fill->offset >> CHUNK_LG2];

	while (*link != i)
		link = &tlb.pool[*link].peer;
	*link = fill->peer;
	unlink_age(fill);
	fill->peer = tlb.unused;
	tlb.unused = i;
	__atomic_fetch_sub(&tlb.live, 1, __ATOMIC_RELAXED);
}

static void remember(const struct fill *new_)
{
	uint32_t i = tlb.unused, *head = &tlb.chunk[new_->offset >> CHUNK_LG2];
	struct fill *fill = &tlb.pool[i];

	tlb.unused = fill->peer;
	*fill = *new_;
	fill->serial = ++tlb.serial;
	fill->peer = *head;
	*head = i;
	fill->newer = NO_FILL;
	fill->older = tlb.newest;
	if (tlb.newest == NO_FILL)
		tlb.oldest = i;
	else
		tlb.pool[tlb.newest].newer = i;
	tlb.newest = i;
}

static void blank(uint64_t offset, uint64_t bytes)
{
	if (host_map_fixed(COP_HOST_WINDOW + offset, bytes, PROT_NONE, -1, 0, true))
		cop_panic("host-maps-exhausted", (const void *)(uintptr_t)(COP_HOST_WINDOW + offset));
}

static void drop(uint32_t i)
{
	blank(tlb.pool[i].offset, tlb.pool[i].bytes);
	forget(i);
}

static void evict(uint32_t n)
{
	for (; n && tlb.oldest != NO_FILL; n--) {
		drop(tlb.oldest);
		cop_host_count(&cop_host_self->events.evictions, 1);
	}
}

/* ---- the miss ---- */

static uint64_t max64(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

static uint64_t min64(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* The part of a translation around the address that lies within its chunk, the window and one populated stretch. */
static struct fill clip(const struct cop_host_translation *to, uint64_t offset)
{
	uint64_t chunk = COP_ALIGN_DOWN(offset, CHUNK_BYTES);
	uint64_t before = offset - (to->va + cop_host_window_delta - COP_HOST_WINDOW);
	cop_pa pa = to->pa + before;
	struct phys_extent memory = phys_extent_at(pa);
	uint64_t down = min64(before, offset - chunk), up = min64(to->bytes - before, chunk + CHUNK_BYTES - offset);

	if (!memory.bytes)
		return (struct fill){.bytes = 0};
	down = min64(down, pa - memory.pa);
	up = min64(up, memory.pa + memory.bytes - pa);
	return (struct fill){.offset = offset - down,
			     .bytes = down + up,
			     .pa = pa - down,
			     .writable = to->writable,
			     .global = to->global};
}

static uint32_t find(uint64_t offset)
{
	uint32_t i = tlb.chunk[offset >> CHUNK_LG2];

	while (i != NO_FILL && offset - tlb.pool[i].offset >= tlb.pool[i].bytes)
		i = tlb.pool[i].peer;
	return i;
}

static void drop_overlaps(const struct fill *fill)
{
	uint32_t i = tlb.chunk[fill->offset >> CHUNK_LG2], next;

	for (; i != NO_FILL; i = next) {
		next = tlb.pool[i].peer;
		if (tlb.pool[i].offset < fill->offset + fill->bytes &&
		    fill->offset < tlb.pool[i].offset + tlb.pool[i].bytes)
			drop(i);
	}
}

static const char *install(const struct fill *fill)
{
	int prot = fill->writable ? PROT_READ | PROT_WRITE : PROT_READ;

	drop_overlaps(fill);
	if (tlb.unused == NO_FILL)
		evict(1);
	while (host_map_fixed(COP_HOST_WINDOW + fill->offset, fill->bytes, prot, phys_fd(), fill->pa, true)) {
		if (tlb.oldest == NO_FILL)
			return "host-maps-exhausted";
		evict(tlb.max / 2 + 1);
	}
	remember(fill);
	__atomic_fetch_add(&tlb.live, 1, __ATOMIC_RELAXED);
	cop_host_count(&cop_host_self->events.fills, 1);
	return NULL;
}

/* Another CPU may just have filled it. Only when it faults again with that same fill in place is the access at fault.
 */
static bool retry(uint64_t address, const struct fill *fill)
{
	bool again = retried.address == address && retried.serial == fill->serial;

	retried.address = address;
	retried.serial = fill->serial;
	return !again;
}

static bool same(const struct fill *a, const struct fill *b)
{
	return a->pa - a->offset == b->pa - b->offset && a->writable == b->writable;
}

static const char *miss_locked(uint64_t address)
{
	uint64_t offset = address - COP_HOST_WINDOW, va = address - cop_host_window_delta;
	struct cop_host_translation to = {.bytes = 0};
	struct fill fill;
	uint32_t there;

	if (tlb.translate)
		to = tlb.translate(tlb.ctx, va);
	if (!to.bytes || va - to.va >= to.bytes)
		return "stale-translation";
	if (!COP_IS_ALIGNED(to.va | to.pa | to.bytes, HOST_PAGE))
		return "bad-translation";
	fill = clip(&to, COP_ALIGN_DOWN(offset, HOST_PAGE));
	if (!fill.bytes)
		return "dead-frame";
	there = find(offset);
	if (there == NO_FILL || !same(&tlb.pool[there], &fill))
		return install(&fill);
	return retry(address, &tlb.pool[there]) ? NULL : "read-only";
}

const char *tlb_miss(uint64_t address)
{
	const char *rule;

	cop_host_count(&cop_host_self->events.faults, 1);
	host_lock();
	/* Pairs with nothing_filled(): either that sees this miss, or this miss sees the cleared entries. */
	__atomic_fetch_add(&tlb.live, 1, __ATOMIC_SEQ_CST);
	rule = miss_locked(address);
	__atomic_fetch_sub(&tlb.live, 1, __ATOMIC_RELAXED);
	host_unlock();
	return rule;
}

/* ---- invalidation ---- */

static bool nothing_filled(void)
{
	cop_fence_full(); /* the caller's cleared entries before live; pairs with tlb_miss() */
	return !__atomic_load_n(&tlb.live, __ATOMIC_RELAXED);
}

/* What an invalidation reaches: offsets in the window, inclusive; and the hull of what was dropped. */
struct sweep {
	uint64_t first, last;
	bool global;
	uint64_t start, end;
	bool kept;
};

static bool reaches(const struct sweep *sweep, const struct fill *fill)
{
	return fill->offset <= sweep->last && sweep->first < fill->offset + fill->bytes;
}

static void note(struct sweep *sweep, const struct fill *fill)
{
	sweep->start = min64(sweep->start, fill->offset);
	sweep->end = max64(sweep->end, fill->offset + fill->bytes);
}

/* Calls visit for each fill the invalidation reaches; visit may drop it. */
static void each_reached(struct sweep *sweep, void (*visit)(struct sweep *, uint32_t))
{
	uint64_t c, first = sweep->first >> CHUNK_LG2, last = sweep->last >> CHUNK_LG2;
	uint32_t i, next;

	if (last - first > tlb.live) {
		for (i = tlb.oldest; i != NO_FILL; i = next) {
			next = tlb.pool[i].newer;
			if (reaches(sweep, &tlb.pool[i]))
				visit(sweep, i);
		}
		return;
	}
	for (c = first; c <= last; c++) {
		for (i = tlb.chunk[c]; i != NO_FILL; i = next) {
			next = tlb.pool[i].peer;
			if (reaches(sweep, &tlb.pool[i]))
				visit(sweep, i);
		}
	}
}

static void visit_measure(struct sweep *sweep, uint32_t i)
{
	if (tlb.pool[i].global && !sweep->global)
		sweep->kept = true;
	else
		note(sweep, &tlb.pool[i]);
}

static void visit_forget(struct sweep *sweep, uint32_t i)
{
	(void)sweep;
	forget(i);
	cop_host_count(&cop_host_self->events.drops, 1);
}

static void visit_drop(struct sweep *sweep, uint32_t i)
{
	if (tlb.pool[i].global && !sweep->global)
		return;
	drop(i);
	cop_host_count(&cop_host_self->events.drops, 1);
}

/* One system call for the whole hull unless something inside it stays. */
static void sweep_locked(struct sweep *sweep)
{
	each_reached(sweep, visit_measure);
	if (sweep->start >= sweep->end)
		return;
	if (sweep->kept) {
		each_reached(sweep, visit_drop);
		return;
	}
	blank(sweep->start, sweep->end - sweep->start);
	each_reached(sweep, visit_forget);
}

static void reach(const struct cop_tlbi *tlbi)
{
	cop_va va = COP_HOST_WINDOW - cop_host_window_delta, va_last = va + (tlb.bytes - 1);
	bool all = tlbi->scope & COP_TLBI_ASID;
	struct sweep sweep = {.global = tlbi->scope & COP_TLBI_GLOBAL, .start = UINT64_MAX};

	if (!tlb.bytes || (!all && (tlbi->start > va_last || tlbi->last < va)) || nothing_filled())
		return;
	sweep.first = all ? 0 : max64(tlbi->start, va) - va;
	sweep.last = all ? tlb.bytes - 1 : min64(tlbi->last, va_last) - va;
	host_lock();
	sweep_locked(&sweep);
	host_unlock();
}

static void count(const struct cop_tlbi *tlbi)
{
	struct cop_host_events *events = &cop_host_self->events;
	bool all = tlbi->scope & COP_TLBI_ASID;
	uint64_t granules = ((tlbi->last - tlbi->start) >> tlbi->stride_lg2) + 1;
	unsigned width = all ? 2 : granules > 1;

	cop_host_count(&events->tlbi[tlbi->scope & COP_TLBI_TABLES ? 1 : 0][width], 1);
	if (tlbi->scope & COP_TLBI_GLOBAL)
		cop_host_count(&events->global, 1);
	if (tlbi->scope & COP_TLBI_LOCAL)
		cop_host_count(&events->local, 1);
	if (!all)
		cop_host_count(&events->covered, granules);
}

void cop_tlbi(const struct cop_tlbi *tlbi)
{
	if (COP_UNLIKELY(!(tlbi->scope & COP_TLBI_ASID) && tlbi->start > tlbi->last))
		cop_panic("empty-invalidation", (const void *)(uintptr_t)tlbi->start);
	count(tlbi);
	reach(tlbi);
}

/*
 * The drops of cop_tlbi() reached every CPU when their system calls returned: nothing is left to wait for. No full
 * fence: who needs a store before a load says cop_fence_full().
 */
void cop_tlb_sync(void)
{
	cop_fence_acquire();
	cop_fence_release();
	cop_host_count(&cop_host_self->events.syncs, 1);
	cop_host_poll_ipi();
}

uint64_t cop_entry_xchg(uint64_t *entry, uint64_t new_, const struct cop_tlbi *tlbi)
{
	uint64_t old = cop_xchg(entry, new_, acq_rel);

	cop_host_count(&cop_host_self->events.breaks, 1);
	cop_tlbi(tlbi);
	return old;
}

static inline void break_one(uint64_t *entry, uint64_t invalid_bit)
{
	cop_store(entry, cop_load(entry, relaxed) | invalid_bit, relaxed);
}

/* Unrolled by hand: compilers unroll no marked accesses. */
void cop_entries_break(uint64_t *entry, unsigned n, uint64_t invalid_bit, const struct cop_tlbi *tlbi)
{
	for (; n >= 8; n -= 8, entry += 8) {
		break_one(entry, invalid_bit);
		break_one(entry + 1, invalid_bit);
		break_one(entry + 2, invalid_bit);
		break_one(entry + 3, invalid_bit);
		break_one(entry + 4, invalid_bit);
		break_one(entry + 5, invalid_bit);
		break_one(entry + 6, invalid_bit);
		break_one(entry + 7, invalid_bit);
	}
	for (; n; n--, entry++)
		break_one(entry, invalid_bit);
	cop_fence_release();
	cop_host_count(&cop_host_self->events.breaks, 1);
	cop_tlbi(tlbi);
}
