/* SPDX-License-Identifier: MIT */
/*
 * How many instructions: map, unmap and translate by the library, and by a loop that does nothing else. The machine counts
 * (-icount shift=0): its clock is a nanosecond further on with every instruction.
 */
#include "tests/bare/common/stage.h"
#include "tests/bare/hand.h"

#define BYTES  (64ULL << 20)
#define WALKS  4096U
#define ROUNDS 4U
#define LIMIT  130U /* percent */

static struct cop_tree kernel;
static cop_va window;
static cop_pa target;

/* ---- tables, as cheap as they can be ---- */

static struct {
	cop_pa next, freed[17];
} pool;

static cop_pa take(void *ctx, unsigned lg2)
{
	cop_pa at = pool.freed[lg2];

	(void)ctx;
	if (at) {
		pool.freed[lg2] = *(cop_pa *)cop_phys(at);
		return at;
	}
	at = COP_ALIGN_UP(pool.next, COP_LG2(lg2));
	pool.next = at + COP_LG2(lg2);
	return at;
}

static void give(void *ctx, cop_pa at, unsigned lg2)
{
	(void)ctx;
	*(cop_pa *)cop_phys(at) = pool.freed[lg2];
	pool.freed[lg2] = at;
}

/* ---- by hand: one level of tables below a table that is there ---- */

static struct {
	uint64_t entries, step;
	unsigned lg2;
	uint64_t *parent;
	bool unrolled;
} hand;

/* As one writes it, or eight to a turn, as one writes it who counts instructions. */
static COP_ALWAYS_INLINE uint64_t fill(uint64_t *p, uint64_t entry, uint64_t step, const uint64_t *end)
{
	if (!hand.unrolled) {
		for (; p < end; p++) {
			cop_store(p, entry, relaxed);
			entry += step;
		}
		return entry;
	}
	for (; p < end; p += 8) {
#pragma GCC unroll 8
		for (unsigned i = 0; i < 8; i++) {
			cop_store(&p[i], entry, relaxed);
			entry += step;
		}
	}
	return entry;
}

static COP_NOINLINE void hand_map(uint64_t entry)
{
	const uint64_t step = hand.step, entries = hand.entries;

	for (uint64_t t = 0; t < BYTES / (entries << kernel.geom.page_lg2); t++) {
		const cop_pa table = take(NULL, hand.lg2);
		uint64_t *p = cop_phys(table);

		entry = fill(p, entry, step, p + entries);
		cop_store(&hand.parent[t], kernel.ops->format->table(&kernel.geom, table, 1), release);
	}
	cop_mmu_publish();
}

static COP_NOINLINE void hand_unmap(void)
{
	const struct cop_tlbi all = {
		.last = BYTES - 1, .stride_lg2 = kernel.geom.page_lg2, .scope = COP_TLBI_GLOBAL | COP_TLBI_ASID};
	const uint64_t none = kernel.ops->format->empty(0), entries = hand.entries;
	cop_pa tables[BYTES >> 20];
	uint64_t t;

	for (t = 0; t < BYTES / (entries << kernel.geom.page_lg2); t++) {
		uint64_t *p;

		tables[t] = kernel.ops->format->table_pa(&kernel.geom, hand.parent[t], 1);
		p = cop_phys(tables[t]);
		cop_store(&hand.parent[t], kernel.ops->format->empty(1), relaxed);
		fill(p, none, 0, p + entries);
	}
	cop_mmu_publish();
	cop_tlbi(&all);
	cop_tlb_sync();
	while (t)
		give(NULL, tables[--t], hand.lg2);
}

static void hand_prepare(void)
{
	const struct cop_format *f = kernel.ops->format;

	hand.lg2 = f->table_lg2(&kernel.geom, 0);
	hand.entries = COP_LG2(f->index_bits(&kernel.geom, 0));
	hand.step = f->leaf(&kernel.geom, target + COP_LG2(kernel.geom.page_lg2), 0, COP_KERNEL_RW) -
		    f->leaf(&kernel.geom, target, 0, COP_KERNEL_RW);
	hand.parent = cop_phys(take(NULL, f->table_lg2(&kernel.geom, 1)));
}

/* ---- what is counted ---- */

/* A few reads of the clock cost nothing beside what is between them. */
static uint64_t count(void (*fn)(void))
{
	uint64_t least = ~0ULL;

	for (unsigned i = 0; i < ROUNDS; i++) {
		const uint64_t began = bare_clock_ns();
		uint64_t n;

		fn();
		n = bare_clock_ns() - began;
		least = n < least ? n : least;
	}
	return least;
}

static void map(void)
{
	if (cop_map(&kernel, window, target, BYTES, COP_KERNEL_RW, kernel.geom.page_lg2, COP_MAP_NO_CONT))
		cop_panic("map", NULL);
}

static void unmap(void)
{
	struct cop_gather g;

	cop_gather_begin(&g, &kernel);
	if (cop_unmap(&g, window, BYTES, COP_UNMAP_BLIND, NULL, 0).err)
		cop_panic("unmap", NULL);
	cop_gather_finish(&g);
}

static uint64_t sum, began, mapping, unmapping;

/* Both halves are timed inside, because each needs the other. */
static void map_and_unmap(void (*first)(void), void (*second)(void))
{
	mapping = unmapping = ~0ULL;
	for (unsigned i = 0; i < ROUNDS; i++) {
		uint64_t n;

		began = bare_clock_ns();
		first();
		n = bare_clock_ns() - began;
		mapping = n < mapping ? n : mapping;
		began = bare_clock_ns();
		second();
		n = bare_clock_ns() - began;
		unmapping = n < unmapping ? n : unmapping;
		bare_rcu_barrier();
	}
}

static void map_by_hand(void)
{
	hand_map(kernel.ops->format->leaf(&kernel.geom, target, 0, COP_KERNEL_RW));
}

static cop_va next_va(uint64_t *seed)
{
	*seed = *seed * 6364136223846793005ULL + 1442695040888963407ULL;
	return window + (*seed >> 33) % BYTES;
}

static void walk(void)
{
	uint64_t seed = 1;

	for (unsigned i = 0; i < WALKS; i++)
		sum += HAND_LIBRARY(&kernel, next_va(&seed));
}

static void walk_by_hand(void)
{
	uint64_t seed = 1;

	for (unsigned i = 0; i < WALKS; i++)
		sum += hand_translate(&kernel, next_va(&seed));
}

static void walk_nowhere(void)
{
	uint64_t seed = 1;

	for (unsigned i = 0; i < WALKS; i++)
		sum += hand_nothing(&kernel, next_va(&seed));
}

static void print(const char *what, uint64_t library, uint64_t by_hand, uint64_t each)
{
	const uint64_t l = library * 100 / each, h = by_hand * 100 / each;

	bare_printf("# count|%s|%s|%lu|%lu\n", bare_arch, what, (unsigned long)l, (unsigned long)h);
}

static void say(const char *what, uint64_t library, uint64_t by_hand, uint64_t each)
{
	print(what, library, by_hand, each);
	bare_result(library * 100 <= by_hand * LIMIT, "%s: %lu instructions, by hand %lu, for %lu", what,
		    (unsigned long)library, (unsigned long)by_hand, (unsigned long)each);
}

void bare_main(void)
{
	const struct cop_table_source source = {take, give, NULL};
	uint64_t pages, library[2], nothing;
	struct cop_geom geom;

	bare_plan(4);
	bare_result(stage_up() && !bare_kernel_geom(&geom), "the machine maps itself");
	pool.next = stage_take(BYTES / 128, 65536);
	if (cop_tree_init(&kernel, &geom, &source, 0, COP_TREE_KERNEL))
		cop_panic("no tree", NULL);
	window = stage_window(&geom);
	target = COP_LG2(32);
	pages = BYTES >> geom.page_lg2;
	hand_prepare();
	map_and_unmap(map, unmap);
	library[0] = mapping;
	library[1] = unmapping;
	map_and_unmap(map_by_hand, hand_unmap);
	say("map, a page", library[0], mapping, pages);
	say("unmap, a page", library[1], unmapping, pages);
	hand.unrolled = true;
	map_and_unmap(map_by_hand, hand_unmap);
	print("map (unrolled)", library[0], mapping, pages);
	print("unmap (unrolled)", library[1], unmapping, pages);
	map();
	nothing = count(walk_nowhere);
	say("translate", count(walk) - nothing, count(walk_by_hand) - nothing, WALKS);
}
