/* SPDX-License-Identifier: MIT */
/*
 * A gigabyte at a time: map with the smallest leaves, and unmap in every mode.
 *
 * The limits work on the very frames that the next map will get, so that caches and the host's TLB treat both alike.
 */
#include "bench/report.h"
#include "bench/suite.h"

#include <stdlib.h>

#define KEEP_VA (BENCH_VA + 8 * BENCH_RANGE)

struct range {
	struct bench *b;
	struct cop_tree tree;
	struct limit_tables tables;
	uint64_t *list;
	uint64_t leaves;
	uint32_t attrs, how;
	unsigned max_leaf_lg2;
	uint64_t *shuffled;
	struct cop_detached_run *runs;
	unsigned max_runs;
	uint64_t invalidations;
	uint64_t sum;
	int err;
};

static void note(struct range *r, int err)
{
	if (err && !r->err)
		r->err = err;
}

static void map(void *ctx)
{
	struct range *r = ctx;

	note(r, cop_map(&r->tree, BENCH_VA, BENCH_PA, BENCH_RANGE, r->attrs, r->max_leaf_lg2, 0));
}

/* Every page to a frame of its own, no two neighbours contiguous. */
static void map_shuffled(void *ctx)
{
	struct range *r = ctx;
	unsigned lg2 = r->b->geom.page_lg2;

	for (uint64_t i = 0; i < r->leaves; i++)
		note(r, cop_map(&r->tree, BENCH_VA + (i << lg2), BENCH_PA + (r->shuffled[i] << lg2), COP_LG2(lg2),
				r->attrs, lg2, 0));
}

static void unmap(void *ctx)
{
	struct range *r = ctx;
	struct cop_gather gather;
	struct cop_unmapped out;

	cop_gather_begin(&gather, &r->tree);
	out = cop_unmap(&gather, BENCH_VA, BENCH_RANGE, r->how, r->runs, r->max_runs);
	cop_gather_finish(&gather);
	r->invalidations = gather.invalidations;
	note(r, out.err);
	if (out.done != BENCH_RANGE)
		note(r, -COP_EIO);
}

static void run_store(void *ctx)
{
	const struct range *r = ctx;

	limit_store(&r->tables, BENCH_PA | 0x703, COP_LG2(r->b->geom.page_lg2));
}

/* Waiting for the grace period leaves the caches cold: like the steps that follow another, limits start warm. */
static void next_frames(void *ctx)
{
	struct range *r = ctx;

	pool_settle(r->b->pool, 1);
	if (pool_next(r->b->pool, r->b->format->ops->format->table_lg2(&r->b->geom, 0), r->tables.tables,
		      r->tables.table))
		run_store(r);
	else
		note(r, -COP_ENOMEM);
}

static void run_clear(void *ctx)
{
	const struct range *r = ctx;

	limit_clear(&r->tables);
}

static void run_read_clear(void *ctx)
{
	struct range *r = ctx;

	r->sum += limit_read_clear(&r->tables);
}

static void run_read_clear_list(void *ctx)
{
	const struct range *r = ctx;

	limit_read_clear_list(&r->tables, r->list);
}

static void run_exchange(void *ctx)
{
	struct range *r = ctx;

	r->sum += limit_exchange(&r->tables);
}

static struct report_row row(const struct range *r, const char *name, const struct measure_stat *subject,
			     const struct measure_stat *limit, const char *limit_name)
{
	return (struct report_row){
		.name = name,
		.format = r->b->format->ops->format->name,
		.unit = "ns/page",
		.units = (double)r->leaves,
		.subject = *subject,
		.limit = *limit,
		.limit_name = limit_name,
	};
}

static void add_goal(struct range *r, struct report_row line, double at_most)
{
	line.goal = REPORT_RATIO_MAX;
	line.target = at_most;
	report_add(r->b->report, &line);
}

static void add_invalidations(struct range *r)
{
	report_add(r->b->report, &(struct report_row){
					 .name = "unmap-invalidations",
					 .format = r->b->format->ops->format->name,
					 .unit = "per GB",
					 .counted = true,
					 .count = (double)r->invalidations,
					 .goal = REPORT_FIGURE_MAX,
					 .target = 1,
				 });
}

static void bench_blind(struct range *r)
{
	const struct measure_step steps[] = {
		{next_frames, run_store, NULL},
		{NULL, map, NULL},
		{NULL, unmap, NULL},
		{next_frames, run_clear, NULL},
	};
	struct measure_stat s[4];

	r->how = COP_UNMAP_BLIND;
	measure(&r->b->plan, steps, 4, r, s);
	add_goal(r, row(r, "map", &s[1], &s[0], "store loop"), 1.4);
	add_goal(r, row(r, "unmap-blind", &s[2], &s[3], "clear loop"), 1.3);
	add_invalidations(r);
}

static void bench_taken(struct range *r, enum cop_unmap_mode how, const char *name, double at_most)
{
	const struct measure_step steps[] = {
		{map, unmap, NULL},
		{next_frames, run_read_clear, NULL},
	};
	struct measure_stat s[2];

	r->how = how;
	measure(&r->b->plan, steps, 2, r, s);
	add_goal(r, row(r, name, &s[0], &s[1], "read+clear loop"), at_most);
}

/* What modes cost where nothing can be merged, or where the hardware may still set bits: for orientation. */
static void bench_worst(struct range *r)
{
	const struct measure_step scattered[] = {
		{map_shuffled, unmap, NULL},
		{next_frames, run_read_clear_list, NULL},
	};
	const struct measure_step racy[] = {
		{map, unmap, NULL},
		{next_frames, run_exchange, NULL},
	};
	uint32_t attrs = r->attrs;
	struct measure_stat s[2];
	struct report_row line;

	r->how = COP_UNMAP_FRAMES;
	measure(&r->b->plan, scattered, 2, r, s);
	line = row(r, "unmap-frames-scattered", &s[0], &s[1], "read+clear+list");
	report_add(r->b->report, &line);

	r->how = COP_UNMAP_EXACT;
	r->attrs &= ~(uint32_t)(COP_YOUNG | COP_DIRTY);
	measure(&r->b->plan, racy, 2, r, s);
	r->attrs = attrs;
	line = row(r, "unmap-exact-racy", &s[0], &s[1], "exchange loop");
	report_add(r->b->report, &line);
}

/* Block leaves: no work per page is left, so the limit of the smallest leaves is far away. */
static void bench_blocks(struct range *r)
{
	const struct measure_step steps[] = {
		{next_frames, run_store, NULL},
		{NULL, map, NULL},
		{NULL, unmap, NULL},
		{next_frames, run_clear, NULL},
	};
	unsigned smallest = r->max_leaf_lg2;
	struct measure_stat s[4];
	struct report_row line;

	r->how = COP_UNMAP_BLIND;
	r->max_leaf_lg2 = r->b->format->ops->format->shift(1);
	measure(&r->b->plan, steps, 4, r, s);
	r->max_leaf_lg2 = smallest;
	line = row(r, "map-blocks", &s[1], &s[0], "store loop");
	report_add(r->b->report, &line);
	line = row(r, "unmap-blocks", &s[2], &s[3], "clear loop");
	report_add(r->b->report, &line);
}

static bool allocate(struct range *r)
{
	uint64_t tables = BENCH_RANGE / bench_leaf_table_bytes(r->b);

	r->leaves = BENCH_RANGE >> r->b->geom.page_lg2;
	r->tables.tables = tables;
	r->tables.entries = bench_leaf_table_entries(r->b);
	r->tables.table = calloc(tables, sizeof(*r->tables.table));
	r->list = calloc(r->leaves, sizeof(*r->list));
	r->max_runs = (unsigned)r->leaves;
	r->runs = calloc(r->leaves, sizeof(*r->runs));
	r->shuffled = bench_shuffled(r->leaves, BENCH_SEED);
	return r->tables.table && r->list && r->runs && r->shuffled;
}

static void release(struct range *r)
{
	free(r->tables.table);
	free(r->list);
	free(r->runs);
	free(r->shuffled);
}

/* In a kernel's tree something is mapped beside the range. With 64K pages a table above it would be a third of the work. */
static bool keep_upper_tables(struct range *r)
{
	return !cop_map(&r->tree, KEEP_VA, BENCH_PA, bench_page_bytes(r->b), r->attrs, 0, 0);
}

/* Figures of something that does not map would be worthless. */
static bool maps_right(struct range *r)
{
	cop_va last = BENCH_VA + BENCH_RANGE - 8;
	bool good;

	map(r);
	good = cop_translate(&r->tree, BENCH_VA).pa == BENCH_PA &&
	       cop_translate(&r->tree, last).pa == BENCH_PA + BENCH_RANGE - 8;
	r->how = COP_UNMAP_BLIND;
	unmap(r);
	return good && cop_translate(&r->tree, last).pa == COP_PA_NONE;
}

bool bench_range(struct bench *b)
{
	struct range r = {.b = b, .attrs = COP_KERNEL_RW, .max_leaf_lg2 = b->geom.page_lg2};

	if (!allocate(&r)) {
		release(&r);
		return bench_failed(b, "no memory");
	}
	bench_tree(b, &r.tree);
	if (!keep_upper_tables(&r) || !maps_right(&r)) {
		release(&r);
		return bench_failed(b, "what was mapped does not translate to where it was mapped");
	}
	bench_blind(&r);
	bench_taken(&r, COP_UNMAP_FRAMES, "unmap-frames", 1.5);
	bench_taken(&r, COP_UNMAP_EXACT, "unmap-exact", 1.75);
	bench_worst(&r);
	bench_blocks(&r);
	release(&r);
	if (r.err)
		return bench_failed(b, "error %d", r.err);
	return bench_unmap_all(&r.tree, KEEP_VA, bench_page_bytes(b)) && bench_tree_end(b, &r.tree);
}
