/* SPDX-License-Identifier: MIT */
/* Hot-add and hot-remove, a section at a time, up to a terabyte of map. */
#include "bench/memory.h"
#include "bench/minimum.h"
#include "bench/report.h"

#include <stdlib.h>

#include "ports/host/machine.h"

#define SMALL_BYTES (16ULL << 30)
#define SHORT_COUNT 16
#define REMOVE_MAX  4    /* invalidations */
#define LINEAR_MAX  1.2  /* time per section of a large map over that of a small one */
#define MINIMUM_MAX 1.01 /* table memory over the arithmetic minimum */

/* One way of adding memory. */
struct way {
	uint32_t mem_flags, add_flags;
	uint64_t bytes;
};

struct hotplug {
	struct bench *b;
	struct way way;
	struct bench_memory m;
	uint64_t sections, invalidations;
	double *add, *remove; /* ns by section */
};

static uint64_t tlbi_count(void)
{
	struct cop_host_events e = cop_host_counts();
	uint64_t n = 0;

	for (unsigned i = 0; i < 6; i++)
		n += e.tlbi[i / 3][i % 3];
	return n;
}

/* ---- passes ---- */

static int add_all(struct hotplug *h)
{
	for (uint64_t i = 0; i < h->sections; i++) {
		uint64_t start = measure_now();
		int err = cop_mem_add(&h->m.mem, MEMORY_HOT + i * memory_section_bytes(&h->m),
				      memory_section_bytes(&h->m), h->way.add_flags);

		h->add[i] = (double)(measure_now() - start);
		if (err)
			return err;
	}
	return 0;
}

static int remove_all(struct hotplug *h)
{
	for (uint64_t i = h->sections; i-- > 0;) {
		uint64_t tlbi = tlbi_count(), start = measure_now();
		int err = cop_mem_remove(&h->m.mem, MEMORY_HOT + i * memory_section_bytes(&h->m),
					 memory_section_bytes(&h->m));

		h->remove[i] = (double)(measure_now() - start);
		tlbi = tlbi_count() - tlbi;
		if (tlbi > h->invalidations)
			h->invalidations = tlbi;
		if (err)
			return err;
	}
	return 0;
}

static int prepare(struct hotplug *h)
{
	int err = memory_on(&h->m, h->b, h->way.mem_flags);

	if (err)
		return err;
	h->sections = h->way.bytes >> h->m.config.section_lg2;
	h->add = calloc(h->sections, sizeof(*h->add));
	h->remove = calloc(h->sections, sizeof(*h->remove));
	if (!h->add || !h->remove)
		return -COP_ENOMEM;
	/* The host takes its faults now. */
	err = add_all(h);
	return err ? err : remove_all(h);
}

/* ---- figures ---- */

static struct report_row row(const struct hotplug *h, const char *name, const char *unit, double units)
{
	return (struct report_row){
		.name = name, .format = h->b->format->ops->format->name, .unit = unit, .units = units};
}

static void add_count(const struct hotplug *h, const char *name)
{
	struct report_row line = row(h, name, "per call", 1);

	line.counted = true;
	line.count = (double)h->invalidations;
	line.goal = REPORT_FIGURE_MAX;
	line.target = REMOVE_MAX;
	report_add(h->b->report, &line);
}

/* Struct pages of as many sections as fit into the window, by streaming stores and nothing else. */
static struct measure_stat stream_limit(struct hotplug *h)
{
	double *sample = h->add; /* its figures are taken */
	uint64_t n = MEMORY_WINDOW / memory_memmap_bytes(&h->m, memory_section_bytes(&h->m));

	for (uint64_t i = 0; i < n; i++) {
		char *to = h->m.memmap + memory_memmap_offset(&h->m, MEMORY_HOT + i * memory_section_bytes(&h->m));
		uint64_t start = measure_now();

		limit_stream(to, memory_memmap_bytes(&h->m, memory_section_bytes(&h->m)), 0);
		sample[i] = (double)(measure_now() - start);
	}
	return measure_summary(sample, (unsigned)n);
}

static struct measure_stat grace_limit(struct hotplug *h)
{
	const unsigned n = 128;

	for (unsigned i = 0; i < n; i++) {
		uint64_t start = measure_now();

		cop_rcu_sync();
		h->remove[i] = (double)(measure_now() - start);
	}
	return measure_summary(h->remove, n);
}

struct pass {
	struct measure_stat add_small, add_large, remove_small, remove_large, stream, grace;
};

static struct pass one_pass(struct hotplug *h, int *err)
{
	uint64_t few = SMALL_BYTES >> h->m.config.section_lg2;
	struct pass p;

	*err = add_all(h);
	if (*err)
		return (struct pass){0};
	*err = remove_all(h);
	/* Sections of the first 16 GB, then the last ones. */
	p.add_small = measure_summary(h->add, (unsigned)few);
	p.add_large = measure_summary(h->add + h->sections - few, (unsigned)few);
	p.remove_small = measure_summary(h->remove, (unsigned)few);
	p.remove_large = measure_summary(h->remove + h->sections - few, (unsigned)few);
	p.stream = stream_limit(h);
	p.grace = grace_limit(h);
	return p;
}

static void lower(struct measure_stat *best, const struct measure_stat *s)
{
	if (s->median < best->median)
		*best = *s;
}

static int passes(struct hotplug *h, struct pass *best)
{
	int err = 0;

	for (unsigned i = 0; !err && i < h->b->plan.attempts; i++) {
		struct pass p = one_pass(h, &err);

		if (!i) {
			*best = p;
			continue;
		}
		lower(&best->add_small, &p.add_small);
		lower(&best->add_large, &p.add_large);
		lower(&best->remove_small, &p.remove_small);
		lower(&best->remove_large, &p.remove_large);
		lower(&best->stream, &p.stream);
		lower(&best->grace, &p.grace);
	}
	return err;
}

static void add_ratio(const struct hotplug *h, const char *name, const struct measure_stat *subject,
		      const struct measure_stat *limit, const char *limit_name, double at_most)
{
	struct report_row line = row(h, name, "us/section", 1000);

	line.subject = *subject;
	line.limit = *limit;
	line.limit_name = limit_name;
	line.goal = at_most > 0 ? REPORT_RATIO_MAX : REPORT_NO_GOAL;
	line.target = at_most;
	report_add(h->b->report, &line);
}

static struct minimum_range memmap_range(const struct hotplug *h, cop_pa pa, uint64_t bytes, uint64_t piece)
{
	struct minimum_range r = {.va = h->m.layout.vmemmap_start + memory_memmap_offset(&h->m, pa),
				  .bytes = memory_memmap_bytes(&h->m, bytes)};

	/* Each piece lies somewhere else, aligned to its size. */
	r.pa = r.va;
	r.max_leaf_lg2 = (unsigned)__builtin_ctzll(memory_memmap_bytes(&h->m, piece));
	return r;
}

/* All sections are there. */
static void add_table_memory(const struct hotplug *h)
{
	unsigned lg2 = h->m.config.section_lg2;
	uint64_t bytes = h->way.bytes;
	const struct minimum_range ranges[] = {
		{h->m.layout.linear + MEMORY_BOOT, MEMORY_BOOT, MEMORY_BOOT_BYTES, 0},
		{h->m.layout.linear + MEMORY_HOT, MEMORY_HOT, bytes, lg2},
		memmap_range(h, MEMORY_BOOT, MEMORY_BOOT_BYTES, MEMORY_BOOT_BYTES),
		memmap_range(h, MEMORY_HOT, bytes, COP_LG2(lg2)),
	};
	struct report_row line = row(h, "table-memory", "KB", 1024);

	line.subject = measure_counted((double)cop_tree_table_bytes(&h->m.tree));
	line.limit =
		measure_counted((double)minimum_table_bytes(h->b->format->ops->format, &h->m.config.geom, ranges, 4));
	line.limit_name = "arithmetic minimum";
	line.goal = REPORT_RATIO_MAX;
	line.target = MINIMUM_MAX;
	report_add(h->b->report, &line);
}

static int large_map(struct hotplug *h)
{
	struct pass p;
	int err = passes(h, &p);

	if (err)
		return err;
	add_ratio(h, "hot-add", &p.add_small, &p.stream, "streaming stores", 0);
	add_ratio(h, "hot-remove", &p.remove_small, &p.grace, "grace period", 0);
	add_ratio(h, "hot-add-1T", &p.add_large, &p.add_small, "at 16 GB", LINEAR_MAX);
	add_ratio(h, "hot-remove-1T", &p.remove_large, &p.remove_small, "at 16 GB", LINEAR_MAX);
	add_count(h, "hot-remove-altmap-tlbi");
	err = add_all(h);
	if (err)
		return err;
	add_table_memory(h);
	return remove_all(h);
}

static bool in_way(struct bench *b, struct way way, const char *counted)
{
	struct hotplug h = {.b = b, .way = way};
	int err = prepare(&h);

	if (!err && counted)
		add_count(&h, counted);
	else if (!err)
		err = large_map(&h);
	memory_off(&h.m);
	free(h.add);
	free(h.remove);
	return !err || bench_failed(b, "hotplug: error %d", err);
}

bool bench_hotplug(struct bench *b)
{
	uint64_t few = (uint64_t)SHORT_COUNT << memory_section_lg2(b);

	return in_way(b, (struct way){0, COP_ADD_ALTMAP, MEMORY_HOT_BYTES}, NULL) &&
	       in_way(b, (struct way){0, 0, few}, "hot-remove-buddy-tlbi") &&
	       in_way(b, (struct way){COP_MEM_PAGE_MAPPED, COP_ADD_ALTMAP, few}, "hot-remove-pages-tlbi");
}
