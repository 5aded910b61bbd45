/* SPDX-License-Identifier: MIT */
/*
 * Instructions of map, unmap and translate beside loops written by hand for this format, on a machine that counts exactly
 * (-icount). A range of most of one table that is there already, so that what a call costs is spread.
 */
#include "tests/bare/common/stage.h"
#include "tests/bare/count.h"

#define PAGES 504U
#define TIMES 8U
#define LIMIT 130 /* per cent of the loop by hand */

static struct cop_tree kernel;
static cop_va window;
static cop_pa frames;
static uint64_t *table; /* that maps the range */
static uint64_t sum;

static uint64_t bytes_of(unsigned pages)
{
	return (uint64_t)pages << kernel.geom.page_lg2;
}

/* ---- the library ---- */

static void map(void)
{
	if (cop_map(&kernel, window, frames, bytes_of(PAGES), COP_KERNEL_RW, kernel.geom.page_lg2, COP_MAP_NO_CONT))
		cop_panic("cannot map", NULL);
}

static void unmap(void)
{
	struct cop_gather g;

	cop_gather_begin(&g, &kernel);
	if (cop_unmap(&g, window, bytes_of(PAGES), COP_UNMAP_BLIND, NULL, 0).err)
		cop_panic("cannot unmap", NULL);
	cop_gather_finish(&g);
}

static void translate(void)
{
	for (unsigned i = 0; i < PAGES; i++)
		sum += cop_translate_pa(&kernel, window + bytes_of(i));
}

/* ---- by hand ---- */

/* What this machine must be told of a change, once for all of it. */
static void invalidate(void)
{
	const struct cop_tlbi tlbi = {.start = window,
				      .last = window + bytes_of(PAGES) - 1,
				      .stride_lg2 = kernel.geom.page_lg2,
				      .scope = COP_TLBI_GLOBAL};

	cop_tlbi(&tlbi);
	cop_tlb_sync();
}

static COP_ALWAYS_INLINE bool any_of_eight(const uint64_t *p)
{
	return cop_load(p, relaxed) | cop_load(p + 1, relaxed) | cop_load(p + 2, relaxed) | cop_load(p + 3, relaxed) |
	       cop_load(p + 4, relaxed) | cop_load(p + 5, relaxed) | cop_load(p + 6, relaxed) |
	       cop_load(p + 7, relaxed);
}

static void hand_map(void)
{
	const struct cop_format *f = kernel.ops->format;
	uint64_t e = f->leaf(&kernel.geom, frames, 0, COP_KERNEL_RW), *p = table, *const end = table + PAGES;
	const uint64_t step = f->leaf(&kernel.geom, frames + bytes_of(1), 0, COP_KERNEL_RW) - e;

	for (; p < end; p += 8, e += 8 * step) {
		if (any_of_eight(p))
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
	cop_mmu_publish();
	/* It may know the entries as invalid ones. */
	if (kernel.geom.arch == COP_RISCV64)
		invalidate();
}

/* Every entry is looked at: a range with a hole is refused, as the library does. */
static void hand_unmap(void)
{
	uint64_t *p = table, *const end = table + PAGES;

	for (; p < end; p++) {
		if (cop_load(p, relaxed) == 0)
			cop_panic("not mapped", p);
		cop_store(p, (uint64_t)0, relaxed);
	}
	cop_mmu_publish();
	invalidate();
}

static void hand_translate(void)
{
	const uint64_t *root = cop_phys(kernel.root);

	for (unsigned i = 0; i < PAGES; i++)
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

struct pair {
	uint64_t library, hand;
};

static void compare(const char *what, struct pair p, uint64_t overhead)
{
	const uint64_t library = (p.library - overhead) * 100 / PAGES, hand = (p.hand - overhead) * 100 / PAGES;

	bare_printf("# count|%s|%s|%lu|%lu\n", bare_arch, what, (unsigned long)library, (unsigned long)hand);
	bare_result(library * 100 <= hand * LIMIT, "%s: %lu hundredths of an instruction a page, by hand %lu", what,
		    (unsigned long)library, (unsigned long)hand);
}

void bare_main(void)
{
	struct pair maps = {0}, unmaps = {0}, translates = {0};
	uint64_t overhead = 0;

	bare_plan(4);
	stage_quick = true;
	bare_result(stage_up() && stage_kernel(&kernel), "the machine maps itself");
	if (!bare_count_start()) {
		bare_skip("map", "the machine does not count instructions");
		bare_skip("unmap", "the machine does not count instructions");
		bare_skip("translate", "the machine does not count instructions");
		return;
	}
	window = stage_window(&kernel.geom);
	frames = stage_take(bytes_of(512), bytes_of(512));
	/* A neighbour keeps the table. */
	if (cop_map(&kernel, window + bytes_of(511), frames, bytes_of(1), COP_KERNEL_RW, 0, 0))
		cop_panic("cannot map", NULL);
	for (unsigned i = 0; i < TIMES; i++) {
		least(&overhead, instructions(nothing));
		least(&maps.library, instructions(map));
		table = stage_slot(&kernel, window, 0);
		least(&translates.library, instructions(translate));
		least(&translates.hand, instructions(hand_translate));
		least(&unmaps.hand, instructions(hand_unmap));
		least(&maps.hand, instructions(hand_map));
		least(&unmaps.library, instructions(unmap));
		bare_poll();
	}
	compare("map", maps, overhead);
	compare("unmap", unmaps, overhead);
	compare("translate", translates, overhead);
}
