// SPDX-License-Identifier: MIT
/* From a map and options to boot memory and removable blocks. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/out.h"
#include "cli/run/plan.h"

#define DEFAULT_MAP "cloud-24g.iomem"
/* Where nobody said --limit: touching more would take longer than anybody wants to watch. */
#define PATIENCE ((uint64_t)4 << 30)
/* As many blocks as it takes for CPUs to meet. */
#define ENOUGH_BLOCKS       4
#define LARGEST_SECTION_LG2 36

struct spans {
	struct cop_mem_range *at;
	unsigned count;
};

void plan_note(struct run_plan *plan, const char *fmt, ...)
{
	va_list args;

	if (plan->note_count == PLAN_NOTES)
		return;
	va_start(args, fmt);
	vsnprintf(plan->notes[plan->note_count++], sizeof(plan->notes[0]), fmt, args);
	va_end(args);
}

static void *allocate(size_t n, size_t size)
{
	void *p = calloc(n ? n : 1, size);

	if (!p)
		cli_fail(CLI_HOST, "out of memory");
	return p;
}

static void choose_map(struct run_plan *plan, const struct run_options *o)
{
	struct map_read read = map_load(o->map ? o->map : "/proc/iomem");

	if (read.error[0] && !o->map) {
		read = map_load(DEFAULT_MAP);
		plan_note(plan, "/proc/iomem shows no addresses here (it does to root); using the bundled %s",
			  DEFAULT_MAP);
	}
	if (read.error[0])
		cli_fail(CLI_USAGE, "%s", read.error);
	plan->map = read.map;
}

static bool is_memory(const struct map_range *r)
{
	return r->kind == MAP_RAM || r->kind == MAP_RAM_RESERVED;
}

/* Adjoining memory as one span, cut to whole pages, up to limit bytes in all. */
static struct spans make_spans(const struct run_plan *plan, uint64_t limit)
{
	const uint64_t page = COP_LG2(plan->geom.page_lg2);
	struct spans s = {allocate(plan->map.count, sizeof(*s.at)), 0};

	for (size_t i = 0; i < plan->map.count && limit; i++) {
		const struct map_range *r = &plan->map.ranges[i];
		cop_pa start = COP_ALIGN_UP(r->start, page), end;

		if (!is_memory(r))
			continue;
		for (; i + 1 < plan->map.count && is_memory(r + 1) && r[1].start == r->last + 1; i++)
			r++;
		end = COP_ALIGN_DOWN(r->last + 1, page);
		if (start >= end)
			continue;
		if (end - start > limit)
			end = start + COP_ALIGN_DOWN(limit, page);
		if (start == end)
			break;
		limit -= end - start;
		s.at[s.count++] = (struct cop_mem_range){start, end - start};
	}
	return s;
}

static uint64_t span_bytes(const struct spans *s)
{
	uint64_t bytes = 0;

	for (unsigned i = 0; i < s->count; i++)
		bytes += s->at[i].bytes;
	return bytes;
}

static struct spans limited_spans(struct run_plan *plan, const struct run_options *o)
{
	struct spans s = make_spans(plan, o->limit ? o->limit : UINT64_MAX);
	const uint64_t all = span_bytes(&s), half = host_available() / 2;
	uint64_t limit = half < PATIENCE ? half : PATIENCE;

	if (o->limit) {
		if (all > half * 2)
			cli_fail(CLI_HOST, "--limit %s: this machine has %s available; expected less", out_size(all).s,
				 out_size(half * 2).s);
		return s;
	}
	if (all <= limit)
		return s;
	free(s.at);
	plan_note(plan, "the map has %s; using the first %s (--limit says otherwise)", out_size(all).s,
		  out_size(limit).s);
	return make_spans(plan, limit);
}

static bool in_use(const struct memory_map *map, cop_pa start, cop_pa last)
{
	for (size_t i = 0; i < map->count; i++)
		if (map->ranges[i].kind == MAP_RAM_RESERVED && map->ranges[i].start <= last &&
		    map->ranges[i].last >= start)
			return true;
	return false;
}

/*
 * Whole blocks of free memory behind the first boot bytes. Blocks that are partly a hole, or that something was in from
 * the start, are boot memory: firmware says so on real machines too.
 */
static unsigned find_blocks(const struct run_plan *plan, const struct spans *s, unsigned lg2, uint64_t boot,
			    cop_pa *blocks)
{
	const uint64_t size = COP_LG2(lg2);
	uint64_t before = 0;
	unsigned n = 0;

	for (unsigned i = 0; i < s->count; i++) {
		const cop_pa start = s->at[i].start, end = start + s->at[i].bytes;

		for (cop_pa pa = COP_ALIGN_UP(start, size); pa < end && end - pa >= size; pa += size) {
			if (before + (pa - start) < boot || in_use(&plan->map, pa, pa + size - 1))
				continue;
			if (blocks)
				blocks[n] = pa;
			n++;
		}
		before += s->at[i].bytes;
	}
	return n;
}

static unsigned smallest_section(const struct run_plan *plan)
{
	return 2U * plan->geom.page_lg2 - COP_PAGE_STRUCT_LG2;
}

/* Linux's section sizes: 128 MB, 256 MB on s390x, 512 MB with 64 KB pages. */
static unsigned usual_section(const struct run_plan *plan)
{
	if (plan->geom.page_lg2 == 16)
		return 29;
	return plan->geom.arch == COP_S390X ? 28 : 27;
}

static unsigned asked_section(const struct run_plan *plan, const struct run_options *o)
{
	const unsigned lg2 = (unsigned)__builtin_ctzll(o->section);

	if (o->section & (o->section - 1) || lg2 < smallest_section(plan) || lg2 > LARGEST_SECTION_LG2)
		cli_fail(CLI_USAGE, "--section-size: %s; expected a power of two from %s to %s", out_size(o->section).s,
			 out_size(COP_LG2(smallest_section(plan))).s, out_size(COP_LG2(LARGEST_SECTION_LG2)).s);
	return lg2;
}

static void choose_section(struct run_plan *plan, const struct run_options *o, const struct spans *s)
{
	unsigned lg2 = o->section ? asked_section(plan, o) : usual_section(plan);

	if (!o->section) {
		while (lg2 > smallest_section(plan) &&
		       find_blocks(plan, s, lg2, plan->boot_bytes, NULL) < ENOUGH_BLOCKS)
			lg2--;
		if (lg2 != usual_section(plan))
			plan_note(plan, "memory blocks of %s, because few of the usual %s would be removable",
				  out_size(COP_LG2(lg2)).s, out_size(COP_LG2(usual_section(plan))).s);
	}
	plan->section_lg2 = (uint8_t)lg2;
	plan->count = find_blocks(plan, s, lg2, plan->boot_bytes, NULL);
	if (!plan->count)
		cli_fail(CLI_USAGE,
			 "%s: no removable block: %s of memory, %s of it boot memory, blocks of %s; expected a smaller "
			 "--boot or %s, or a larger map",
			 plan->map.source, out_size(plan->total).s, out_size(plan->boot_bytes).s,
			 out_size(COP_LG2(lg2)).s, lg2 > smallest_section(plan) ? "--section-size" : "--page-size");
	plan->blocks = allocate(plan->count, sizeof(*plan->blocks));
	find_blocks(plan, s, lg2, plan->boot_bytes, plan->blocks);
}

/* What is left of the spans without the blocks. */
static void make_ram(struct run_plan *plan, const struct spans *s)
{
	const uint64_t size = COP_LG2(plan->section_lg2);
	unsigned block = 0;

	plan->ram = allocate(s->count + plan->count, sizeof(*plan->ram));
	for (unsigned i = 0; i < s->count; i++) {
		cop_pa at = s->at[i].start;
		const cop_pa end = at + s->at[i].bytes;

		for (; block < plan->count && plan->blocks[block] < end; block++) {
			if (plan->blocks[block] > at)
				plan->ram[plan->rams++] = (struct cop_mem_range){at, plan->blocks[block] - at};
			at = plan->blocks[block] + size;
		}
		if (at < end)
			plan->ram[plan->rams++] = (struct cop_mem_range){at, end - at};
	}
}

static void make_reserved(struct run_plan *plan)
{
	plan->reserved = allocate(plan->map.count, sizeof(*plan->reserved));
	for (size_t i = 0; i < plan->map.count; i++) {
		const struct map_range *r = &plan->map.ranges[i];

		if (r->kind == MAP_RAM_RESERVED && r->start < plan->pa_limit)
			plan->reserved[plan->reserveds++] = (struct cop_mem_range){r->start, r->last - r->start + 1};
	}
}

struct run_plan plan_make(const struct run_options *o)
{
	struct run_plan plan = {0};
	struct spans s;

	plan_geometry(&plan, o);
	choose_map(&plan, o);
	s = limited_spans(&plan, o);
	plan.total = span_bytes(&s);
	if (!plan.total)
		cli_fail(CLI_USAGE, "%s: not one whole page of memory%s; expected pages of %s", plan.map.source,
			 o->limit ? " within --limit" : "", out_size(COP_LG2(plan.geom.page_lg2)).s);
	/* Memmap and tables of what is added later come from boot memory: 1.6 % of it, and room to spare. */
	plan.boot_bytes = o->boot ? o->boot : plan.total / 8;
	choose_section(&plan, o, &s);
	make_ram(&plan, &s);
	plan.pa_start = s.at[0].start;
	plan.pa_limit = s.at[s.count - 1].start + s.at[s.count - 1].bytes;
	make_reserved(&plan);
	plan.boot_bytes = plan.total - ((uint64_t)plan.count << plan.section_lg2);
	free(s.at);
	return plan;
}

void plan_free(struct run_plan *plan)
{
	map_free(&plan->map);
	free(plan->ram);
	free(plan->reserved);
	free(plan->blocks);
}
