/* SPDX-License-Identifier: MIT */
/*
 * Instructions of map, unmap and translate beside loops written by hand for this format, on a machine that counts exactly
 * (-icount). Of 64 MB in pages of their own, with the tables that this takes; and, for comparison, of a part of one table.
 */
#include "tests/bare/common/stage.h"
#include "tests/bare/count.h"

#define TABLES 32U
#define WHOLE  (512U * TABLES)
#define PART   504U
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

static COP_ALWAYS_INLINE bool any_of_eight(const uint64_t *p)
{
	return cop_load(p, relaxed) | cop_load(p + 1, relaxed) | cop_load(p + 2, relaxed) | cop_load(p + 3, relaxed) |
	       cop_load(p + 4, relaxed) | cop_load(p + 5, relaxed) | cop_load(p + 6, relaxed) |
	       cop_load(p + 7, relaxed);
}

/* Return: the entry after the last. */
static COP_ALWAYS_INLINE uint64_t fill(uint64_t *p, unsigned n, uint64_t e, uint64_t step, bool check)
{
	for (uint64_t *const end = p + n; p < end; p += 8, e += 8 * step) {
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
	return e;
}

static void hand_map(void)
{
	const struct cop_format *f = kernel.ops->format;
	uint64_t e = f->leaf(&kernel.geom, frames, 0, COP_KERNEL_RW);
	const uint64_t step = f->leaf(&kernel.geom, frames + bytes_of(1), 0, COP_KERNEL_RW) - e;
	uint64_t *upper = stage_slot(&kernel, hand_window, 1);

	if (pages == PART) {
		fill(stage_slot(&kernel, hand_window, 0), PART, e, step, true);
	} else {
		for (unsigned i = 0; i < TABLES; i++) {
			const cop_pa table = kernel.source.alloc(kernel.source.ctx, kernel.geom.page_lg2);

			if (upper[i])
				cop_panic("mapped already", upper);
			e = fill(cop_phys(table), 512, e, step, false);
			cop_store(&upper[i], f->table(&kernel.geom, table, 1), release);
		}
	}
	cop_mmu_publish();
	/* It may know the entries as invalid ones. */
	if (kernel.geom.arch == COP_RISCV64)
		invalidate(pages == PART ? 0 : COP_TLBI_TABLES);
}

/* Every entry is looked at: a range with a hole is refused, as the library does. */
static void hand_unmap_part(void)
{
	uint64_t *p = stage_slot(&kernel, hand_window, 0), *const end = p + PART;

	for (; p < end; p++) {
		if (cop_load(p, relaxed) == 0)
			cop_panic("not mapped", p);
		cop_store(p, (uint64_t)0, relaxed);
	}
	cop_mmu_publish();
	invalidate(0);
}

static void hand_unmap(void)
{
	const struct cop_format *f = kernel.ops->format;
	uint64_t *upper = stage_slot(&kernel, hand_window, 1);
	cop_pa tables[TABLES];

	if (pages == PART) {
		hand_unmap_part();
		return;
	}
	for (unsigned i = 0; i < TABLES; i++) {
		tables[i] = f->table_pa(&kernel.geom, upper[i], 1);
		cop_store(&upper[i], (uint64_t)0, relaxed);
		fill(cop_phys(tables[i]), 512, 0, 0, false);
	}
	cop_mmu_publish();
	invalidate(COP_TLBI_TABLES);
	for (unsigned i = 0; i < TABLES; i++)
		kernel.source.free(kernel.source.ctx, tables[i], kernel.geom.page_lg2);
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
	/* A call has its price, which a part of a table does not spread: printed, not judged. */
	map_neighbour(window + bytes_of(511));
	map_neighbour(hand_window + bytes_of(511));
	c = count(PART);
	compare("map, 504 of 512", c.map);
	compare("unmap, 504 of 512", c.unmap);
}
