/* SPDX-License-Identifier: MIT */
/*
 * Staleness is real: an invalidation that is left out shows, on this CPU and on the other, and the library never leaves one
 * out. Leaves of the smallest size only in what is left out: machines drop more than they were asked to for larger ones.
 */
#include "tests/bare/common/stage.h"

#define PAGES 16U
#ifndef BARE_ROUNDS
#define BARE_ROUNDS 2000U
#endif

static struct cop_tree kernel;
static cop_va window;
static cop_pa frames, others;
static uint8_t page_lg2;
static uint64_t probes;

static cop_va va_of(unsigned page)
{
	return window + ((uint64_t)page << page_lg2);
}

static cop_pa pa_of(unsigned page)
{
	return frames + ((uint64_t)page << page_lg2);
}

static uint64_t *slot(unsigned page)
{
	return stage_slot(&kernel, va_of(page), 0);
}

static void invalidate(uint8_t scope)
{
	const struct cop_tlbi tlbi = {.start = window,
				      .last = va_of(PAGES) - 1,
				      .stride_lg2 = page_lg2,
				      .level = 0,
				      .scope = (uint8_t)(scope | COP_TLBI_GLOBAL)};

	cop_mmu_publish();
	cop_tlbi(&tlbi);
	cop_tlb_sync();
}

/* ---- what is seen ---- */

/* Pages that answer as at first, although their entries have changed. */
struct sight {
	unsigned as_before, faults;
};

static struct sight look(void)
{
	struct sight s = {0};

	for (unsigned i = 0; i < PAGES; i++) {
		const struct bare_outcome out = bare_touch(va_of(i), BARE_READ, 0);

		s.faults += out.fault != BARE_OK;
		s.as_before += out.fault == BARE_OK && out.value == pa_of(i);
	}
	probes += PAGES;
	return s;
}

static unsigned stores_that_go(void)
{
	unsigned n = 0;

	for (unsigned i = 0; i < PAGES; i++)
		n += bare_touch(va_of(i), BARE_WRITE, pa_of(i)).fault == BARE_OK;
	probes += PAGES;
	return n;
}

static void look_there(void *arg)
{
	*(struct sight *)arg = look();
}

static struct sight look_from(unsigned cpu)
{
	struct sight s;

	if (bare_cpu_start(cpu, look_there, &s))
		cop_panic("no such CPU", NULL);
	bare_cpu_join(cpu);
	return s;
}

/* ---- entries behind the library's back ---- */

static uint64_t saved[PAGES];

static void save(void)
{
	for (unsigned i = 0; i < PAGES; i++)
		saved[i] = cop_load(slot(i), relaxed);
}

static void put_back(void)
{
	for (unsigned i = 0; i < PAGES; i++)
		cop_store(slot(i), saved[i], release);
	invalidate(0);
}

static void clear_all(void)
{
	for (unsigned i = 0; i < PAGES; i++)
		cop_store(slot(i), kernel.ops->format->empty(0), relaxed);
	cop_mmu_publish();
}

static void set_all(cop_pa from, uint32_t attrs)
{
	for (unsigned i = 0; i < PAGES; i++)
		cop_store(slot(i), kernel.ops->format->leaf(&kernel.geom, from + ((uint64_t)i << page_lg2), 0, attrs),
			  relaxed);
	cop_mmu_publish();
}

static void cleared(void)
{
	struct sight left_out, done;

	look();
	clear_all();
	left_out = look();
	invalidate(0);
	done = look();
	put_back();
	bare_result(left_out.as_before > 0 && done.faults == PAGES,
		    "cleared: %u of %u pages still there without invalidation, %u with", left_out.as_before, PAGES,
		    PAGES - done.faults);
}

static void moved(void)
{
	struct sight left_out, done;

	look();
	set_all(others, COP_KERNEL_RW);
	left_out = look();
	invalidate(0);
	done = look();
	put_back();
	bare_result(left_out.as_before > 0 && !done.as_before && !done.faults,
		    "moved: %u of %u pages where they were without invalidation, %u with", left_out.as_before, PAGES,
		    done.as_before);
}

static void write_protected(void)
{
	unsigned left_out, done;

	stores_that_go();
	set_all(frames, COP_KERNEL_RO);
	left_out = stores_that_go();
	invalidate(0);
	done = stores_that_go();
	put_back();
	bare_result(left_out > 0 && !done, "write-protected: %u of %u pages written without invalidation, %u with",
		    left_out, PAGES, done);
}

static void other_cpu(void)
{
	struct sight left_out, here, done;

	look();
	look_from(1);
	clear_all();
	invalidate(COP_TLBI_LOCAL);
	here = look();
	left_out = look_from(1);
	invalidate(0);
	done = look_from(1);
	put_back();
	bare_result(here.faults == PAGES && left_out.as_before > 0 && done.faults == PAGES,
		    "the other CPU: %u of %u pages still there after a local invalidation, %u after one for all",
		    left_out.as_before, PAGES, PAGES - done.faults);
}

/* ---- the library's own path ---- */

#define REGION_LG2 24
#define REGION     COP_LG2(REGION_LG2)
#define SAMPLES    16

static struct {
	uint64_t seed;
	cop_va base, at;
	cop_pa backing[2];
	uint64_t bytes;
	unsigned wrong;
	uint32_t mapped[REGION >> 12 >> 5];
} r;

static bool is_mapped(unsigned page)
{
	return r.mapped[page / 32] >> page % 32 & 1;
}

static void set_mapped(unsigned first, unsigned pages, bool to)
{
	for (unsigned i = first; i < first + pages; i++)
		r.mapped[i / 32] = (r.mapped[i / 32] & ~(1U << i % 32)) | (uint32_t)to << i % 32;
}

/* As many pages from there on as are in the same state. */
static unsigned same_from(unsigned first, unsigned most)
{
	unsigned n = 1;

	while (n < most && is_mapped(first + n) == is_mapped(first))
		n++;
	return n;
}

/* The machine does what the tables say. */
static void check(cop_va va)
{
	const struct cop_translation t = cop_translate(&kernel, va);
	const struct bare_outcome read = bare_touch(va, BARE_READ, 0);
	const struct bare_outcome write = bare_touch(va, BARE_WRITE, t.pa);
	const bool there = t.pa != COP_PA_NONE;

	if ((read.fault == BARE_OK) == there && (!there || read.value == t.pa) &&
	    (write.fault == BARE_OK) == ((t.attrs & COP_WRITE) != 0))
		return;
	if (cop_fetch_add(&r.wrong, 1U, relaxed))
		return;
	bare_printf("# cpu %u at %lx: tables say %lx %x, read %u gives %lx, write %u\n", cop_cpu(), (unsigned long)va,
		    (unsigned long)t.pa, t.attrs, read.fault, (unsigned long)read.value, write.fault);
	bare_print_walk(&kernel.geom, kernel.root, va);
}

/* All that is about to change or has changed, or, if that is much, both ends and samples; and a little beside it. */
static void look_at_change(void *arg)
{
	const uint64_t page = COP_LG2(page_lg2), pages = r.bytes >> page_lg2;
	const bool few = pages <= 3 * SAMPLES;
	uint64_t seed = r.seed ^ (cop_cpu() + 1);

	for (uint64_t i = 0; i < (few ? pages : SAMPLES); i++) {
		check(r.at + i * page);
		if (few)
			continue;
		check(r.at + (pages - 1 - i) * page);
		check(r.at + bare_random(&seed) % pages * page);
	}
	check(r.base + bare_random(&seed) % (REGION >> page_lg2) * page);
	cop_fetch_add(&probes, 2 * (few ? pages : 3 * SAMPLES) + 2, relaxed);
	(void)arg;
}

/* Before, so that there is something in both TLBs; after, so that it is seen. */
static void look_from_both(void)
{
	if (bare_cpu_start(1, look_at_change, NULL))
		cop_panic("no such CPU", NULL);
	look_at_change(NULL);
	bare_cpu_join(1);
}

static int change(unsigned first, unsigned pages)
{
	struct cop_gather g;
	const uint64_t off = (uint64_t)first << page_lg2, bytes = (uint64_t)pages << page_lg2;
	const cop_va va = r.base + off;
	struct cop_unmapped u;
	int err = 0;

	if (!is_mapped(first)) {
		const cop_pa pa = r.backing[bare_below(&r.seed, 2)] + off;

		set_mapped(first, pages, true);
		return cop_map(&kernel, va, pa, bytes, COP_KERNEL_RW, bare_below(&r.seed, 2) ? 0 : page_lg2, 0);
	}
	cop_gather_begin(&g, &kernel);
	switch (bare_below(&r.seed, 5)) {
	case 0:
		err = cop_split(&g, va, bytes, page_lg2);
		break;
	case 1:
		err = cop_collapse(&g, va, bytes, 0) < 0 ? -1 : 0;
		break;
	case 2:
		err = cop_protect(&g, va, bytes, COP_KERNEL_RO);
		break;
	case 3:
		err = cop_protect(&g, va, bytes, COP_KERNEL_RW);
		break;
	default:
		u = cop_unmap(&g, va, bytes, COP_UNMAP_BLIND, NULL, 0);
		err = u.err;
		set_mapped(first, pages, false);
		break;
	}
	cop_gather_finish(&g);
	return err;
}

static void own_path(void)
{
	const unsigned pages = (unsigned)(REGION >> page_lg2);
	unsigned errors = 0;

	r.seed = 42;
	r.base = window + COP_ALIGN_UP((uint64_t)PAGES << page_lg2, COP_LG2(30));
	for (unsigned i = 0; i < 2; i++) {
		r.backing[i] = stage_take(REGION, REGION);
		stage_stamp(r.backing[i], REGION, page_lg2);
	}
	for (unsigned round = 0; round < BARE_ROUNDS && !r.wrong; round++) {
		const unsigned first = bare_below(&r.seed, pages);
		const unsigned most = bare_below(&r.seed, 4) ? 1 + bare_below(&r.seed, 64) : pages;
		const unsigned n = same_from(first, most < pages - first ? most : pages - first);

		r.at = r.base + ((uint64_t)first << page_lg2);
		r.bytes = (uint64_t)n << page_lg2;
		look_from_both();
		errors += change(first, n) != 0;
		look_from_both();
		bare_poll();
	}
	bare_result(!r.wrong && !errors,
		    "%u changes by the library: neither CPU sees a stale one (%u errors, %u wrong)", BARE_ROUNDS,
		    errors, r.wrong);
}

void bare_main(void)
{
	const uint64_t began = bare_clock_ns();

	bare_plan(6);
	bare_result(stage_up() && stage_kernel(&kernel), "the machine maps itself");
	page_lg2 = kernel.geom.page_lg2;
	window = stage_window(&kernel.geom);
	frames = stage_take((uint64_t)PAGES << page_lg2, COP_LG2(page_lg2));
	others = stage_take((uint64_t)PAGES << page_lg2, COP_LG2(page_lg2));
	stage_stamp(frames, (uint64_t)PAGES << page_lg2, page_lg2);
	stage_stamp(others, (uint64_t)PAGES << page_lg2, page_lg2);
	if (cop_map(&kernel, window, frames, (uint64_t)PAGES << page_lg2, COP_KERNEL_RW, page_lg2, COP_MAP_NO_CONT))
		cop_panic("cannot map", NULL);
	save();
	cleared();
	moved();
	write_protected();
	other_cpu();
	own_path();
	bare_row(BARE_NAME, probes, 5, bare_clock_ns() - began);
}
