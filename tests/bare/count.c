/* SPDX-License-Identifier: MIT */
/*
 * Instructions of map, unmap and translate beside loops written by hand for this format, on a machine that counts exactly
 * (-icount). Of 64 MB in pages of their own, with the tables that this takes: judged. For comparison, the same by loops that
 * are unrolled, and of a part of one table.
 */
#include "tests/bare/common/stage.h"
#include "tests/bare/count.h"

#define WHOLE  16384U
#define TABLES (WHOLE >> BARE_INDEX_LG2)
#define PART   ((1U << BARE_INDEX_LG2) - 8)
#define TIMES  8U
#define LIMIT  130 /* per cent of the loop by hand */

static struct cop_tree kernel;
static cop_va window;
static cop_pa frames;
static uint64_t sum;

static uint64_t bytes_of(unsigned n)
{
	return (uint64_t)n << kernel.geom.page_lg2;
}

/* ---- the library ---- */

static unsigned pages; /* mapped from window on: WHOLE or PART */

static void map(void)
{
	if (cop_map(&kernel, window, frames, bytes_of(pages), COP_KERNEL_RW, kernel.geom.page_lg2, COP_MAP_NO_CONT))
		cop_panic("cannot map", NULL);
}

static void unmap(void)
{
	struct cop_gather g;

	cop_gather_begin(&g, &kernel);
	if (cop_unmap(&g, window, bytes_of(pages), COP_UNMAP_BLIND, NULL, 0).err)
		cop_panic("cannot unmap", NULL);
	cop_gather_finish(&g);
	bare_rcu_barrier();
}

static void translate(void)
{
	for (unsigned i = 0; i < pages; i++)
		sum += cop_translate_pa(&kernel, window + bytes_of(i));
}

/* ---- by hand: tables from the same source, no readers to wait for ---- */

static cop_va hand_window; /* whose upper table is there */

/* What this machine must be told of a change, once for all of it. */
static void invalidate(uint8_t scope)
{
	const struct cop_tlbi tlbi = {.start = hand_window,
				      .last = hand_window + bytes_of(pages) - 1,
				      .stride_lg2 = kernel.geom.page_lg2,
				      .scope = (uint8_t)(COP_TLBI_GLOBAL | scope)};

	cop_tlbi(&tlbi);
	cop_tlb_sync();
}

static COP_ALWAYS_INLINE uint64_t used(const uint64_t *p)
{
	return cop_load(p, relaxed) ^ BARE_EMPTY;
}

static COP_ALWAYS_INLINE bool any_of_eight(const uint64_t *p)
{
	return used(p) | used(p + 1) | used(p + 2) | used(p + 3) | used(p + 4) | used(p + 5) | used(p + 6) |
	       used(p + 7);
}

static bool unrolled; /* the loops by hand */

static COP_ALWAYS_INLINE void fill_by_eight(uint64_t *p, const uint64_t *end, uint64_t e, uint64_t step, bool check)
{
	for (; p < end; p += 8, e += 8 * step) {
		if (check && any_of_eight(p))
			cop_panic("mapped already", p);
		cop_store(p, e, relaxed);
		cop_store(p + 1, e + step, relaxed);
		cop_store(p + 2, e + 2 * step, relaxed);
		cop_store(p + 3, e + 3 * step, relaxed);
		cop_store(p + 4, e + 4 * step, relaxed);
		cop_store(p + 5, e + 5 * step, relaxed);
		cop_store(p + 6, e + 6 * step, relaxed);
		cop_store(p + 7, e + 7 * step, relaxed);
	}
}

/* As one writes it, or as one writes it who counts instructions. */
static COP_ALWAYS_INLINE void fill(uint64_t *p, unsigned n, uint64_t e, uint64_t step, bool check)
{
	const uint64_t *const end = p + n;

	if (unrolled) {
		fill_by_eight(p, end, e, step, check);
		return;
	}
	for (; p < end; p++, e += step) {
		if (check && used(p))
			cop_panic("mapped already", p);
		cop_store(p, e, relaxed);
	}
}

static void hand_map(void)
{
	const struct cop_format *f = kernel.ops->format;
	uint64_t e = f->leaf(&kernel.geom, frames, 0, COP_KERNEL_RW);
	const uint64_t step = f->leaf(&kernel.geom, frames + bytes_of(1), 0, COP_KERNEL_RW) - e;
	uint64_t *upper = stage_slot(&kernel, hand_window, 1);

	const unsigned lg2 = f->table_lg2(&kernel.geom, 0);

	if (pages == PART) {
		fill(stage_slot(&kernel, hand_window, 0), PART, e, step, true);
	} else {
		for (unsigned i = 0; i < TABLES; i++) {
			const cop_pa table = kernel.source.alloc(kernel.source.ctx, lg2);

			if (upper[i] != f->empty(1))
				cop_panic("mapped already", upper);
			fill(cop_phys(table), 1U << BARE_INDEX_LG2, e, step, false);
			e += step << BARE_INDEX_LG2;
			cop_store(&upper[i], f->table(&kernel.geom, table, 1), release);
		}
	}
	cop_mmu_publish();
	/* It may know the entries as invalid ones. */
	if (kernel.geom.arch == COP_RISCV64)
		invalidate(pages == PART ? 0 : COP_TLBI_TABLES);
}

/* Entries that the machine uses: where only an instruction may change them, that comes first, and invalidates. */
static void hand_clear(uint64_t *p, unsigned n, unsigned level, uint8_t scope)
{
	const struct cop_format *f = kernel.ops->format;
	const struct cop_tlbi tlbi = {.start = hand_window,
				      .last = hand_window + ((uint64_t)n << f->shift(level)) - 1,
				      .stride_lg2 = (uint8_t)f->shift(level),
				      .level = (uint8_t)level,
				      .scope = (uint8_t)(COP_TLBI_GLOBAL | scope)};

	if (kernel.geom.arch == COP_S390X)
		cop_entries_break(p, n, f->empty(level), &tlbi);
	fill(p, n, f->empty(level), 0, false);
	cop_mmu_publish();
	if (kernel.geom.arch != COP_S390X)
		invalidate(scope);
}

/* Every entry is looked at: a range with a hole is refused, as the library does. */
static void hand_unmap_part(void)
{
	uint64_t *p = stage_slot(&kernel, hand_window, 0), *const end = p + PART;

	for (uint64_t *q = p; q < end; q++)
		if (!used(q))
			cop_panic("not mapped", q);
	hand_clear(p, PART, 0, 0);
}

static void hand_unmap(void)
{
	const struct cop_format *f = kernel.ops->format;
	const unsigned lg2 = f->table_lg2(&kernel.geom, 0);
	uint64_t *upper = stage_slot(&kernel, hand_window, 1);
	cop_pa tables[TABLES];

	if (pages == PART) {
		hand_unmap_part();
		return;
	}
	for (unsigned i = 0; i < TABLES; i++)
		tables[i] = f->table_pa(&kernel.geom, upper[i], 1);
	hand_clear(upper, TABLES, 1, COP_TLBI_TABLES);
	for (unsigned i = 0; i < TABLES; i++) {
		fill(cop_phys(tables[i]), 1U << BARE_INDEX_LG2, BARE_EMPTY, 0, false);
		kernel.source.free(kernel.source.ctx, tables[i], lg2);
	}
}

static void hand_translate(void)
{
	const uint64_t *root = cop_phys(kernel.root);

	for (unsigned i = 0; i < pages; i++)
		sum += bare_hand_walk(root, window + bytes_of(i));
}

static void nothing(void)
{
}

/* ---- */

static uint64_t instructions(void (*volatile fn)(void))
{
	const uint64_t before = bare_instructions();

	fn();
	return bare_instructions() - before;
}

/* Of several runs the least: on the first of them nothing is where it will be. */
static void least(uint64_t *best, uint64_t n)
{
	if (!*best || n < *best)
		*best = n;
}

static uint64_t overhead;

struct pair {
	uint64_t library, hand;
};

/* Hundredths of an instruction a page. */
static bool compare(const char *what, struct pair p)
{
	const uint64_t library = (p.library - overhead) * 100 / pages, hand = (p.hand - overhead) * 100 / pages;

	bare_printf("# count|%s|%s|%lu|%lu\n", bare_arch, what, (unsigned long)library, (unsigned long)hand);
	return library * 100 <= hand * LIMIT;
}

struct counts {
	struct pair map, unmap, translate;
};

static struct counts count(unsigned n)
{
	struct counts c = {0};

	pages = n;
	for (unsigned i = 0; i < TIMES; i++) {
		least(&c.map.library, instructions(map));
		least(&c.translate.library, instructions(translate));
		least(&c.translate.hand, instructions(hand_translate));
		least(&c.unmap.library, instructions(unmap));
		least(&c.map.hand, instructions(hand_map));
		least(&c.unmap.hand, instructions(hand_unmap));
	}
	return c;
}

static void map_neighbour(cop_va va)
{
	if (cop_map(&kernel, va, frames, bytes_of(1), COP_KERNEL_RW, 0, 0))
		cop_panic("cannot map", NULL);
}

void bare_main(void)
{
	struct counts c;

	bare_plan(4);
	stage_quick = true;
	bare_result(stage_up() && stage_kernel(&kernel), "the machine maps itself");
	if (!bare_count_start()) {
		bare_skip("map", "the machine does not count instructions");
		bare_skip("unmap", "the machine does not count instructions");
		bare_skip("translate", "the machine does not count instructions");
		return;
	}
	for (unsigned i = 0; i < TIMES; i++)
		least(&overhead, instructions(nothing));
	window = stage_window(&kernel.geom);
	hand_window = window + bytes_of(2 * WHOLE);
	frames = stage_take(bytes_of(WHOLE), bytes_of(WHOLE));
	map_neighbour(window + bytes_of(WHOLE)); /* keeps the upper tables */
	c = count(WHOLE);
	bare_result(compare("map, 64 MB", c.map), "map is at most 1.3 times the loop by hand");
	bare_result(compare("unmap, 64 MB", c.unmap), "unmap is at most 1.3 times the loop by hand");
	bare_result(compare("translate", c.translate), "translate is at most 1.3 times the walk by hand");
	unrolled = true;
	c = count(WHOLE);
	compare("map, 64 MB, unrolled by hand", c.map);
	compare("unmap, 64 MB, unrolled by hand", c.unmap);
	/* A call has its price, which a part of a table does not spread: printed, not judged. */
	map_neighbour(window + bytes_of(PART + 7));
	map_neighbour(hand_window + bytes_of(PART + 7));
	c = count(PART);
	compare("map, part of a table", c.map);
	compare("unmap, part of a table", c.unmap);
}
