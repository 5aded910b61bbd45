/* SPDX-License-Identifier: MIT */
/*
 * One page at a time, at random addresses.
 *
 * Shared tables: every other page stays mapped, so no table comes or goes. Lone pages: each map makes a leaf table and
 * each unmap frees it.
 */
#include "bench/report.h"
#include "bench/suite.h"

#include <stdlib.h>

#define PAGES 4096
#define LONE  512
#define BATCH 32 /* pages per gather, as a kernel that unmaps a list of pages */

struct page_bench {
	struct bench *b;
	struct cop_tree tree;
	cop_va *va;
	size_t count, batch;
	struct limit_walk walk;
	uint64_t sum;
	struct limit_tables fill;
	int err;
};

static void note(struct page_bench *p, int err)
{
	if (err && !p->err)
		p->err = err;
}

static void map_each(void *ctx)
{
	struct page_bench *p = ctx;
	uint64_t bytes = bench_page_bytes(p->b);

	for (size_t i = 0; i < p->count; i++) {
		int err = cop_map(&p->tree, p->va[i], p->va[i], bytes, COP_KERNEL_RW, 0, 0);

		if (COP_UNLIKELY(err))
			note(p, err);
	}
}

static void unmap_batch(struct page_bench *p, size_t from, size_t to)
{
	uint64_t bytes = bench_page_bytes(p->b);
	struct cop_gather gather;

	cop_gather_begin(&gather, &p->tree);
	for (size_t i = from; i < to; i++) {
		int err = cop_unmap(&gather, p->va[i], bytes, COP_UNMAP_BLIND, NULL, 0).err;

		if (COP_UNLIKELY(err))
			note(p, err);
	}
	cop_gather_finish(&gather);
}

static void unmap_each(void *ctx)
{
	struct page_bench *p = ctx;

	for (size_t i = 0; i < p->count; i += p->batch)
		unmap_batch(p, i, i + p->batch);
}

static void map_and_unmap(void *ctx)
{
	map_each(ctx);
	unmap_each(ctx);
}

static void settle(void *ctx)
{
	const struct page_bench *p = ctx;

	pool_settle(p->b->pool, 1);
}

/* Counters are where the library has them, so that both miss the same lines. */
static void run_write(struct page_bench *p, uint64_t add, uint64_t value)
{
	const struct limit_write write = {
		.counters = (char *)&cop_ptdesc(0)->state,
		.grain_lg2 = COP_HOST_PTDESC_GRAIN_LG2,
		.stride_lg2 = COP_HOST_PTDESC_LG2,
		.add = add,
		.value = value,
	};

	p->sum += p->b->format->chase->write(&p->walk, &write);
}

static void run_add(void *ctx)
{
	run_write(ctx, 1, BENCH_PA);
}

/* Leaves the tables as they were before run_add(). */
static void run_subtract(void *ctx)
{
	struct page_bench *p = ctx;

	run_write(p, ~0ULL, p->b->format->ops->format->empty(0));
}

static void add_and_subtract(void *ctx)
{
	run_add(ctx);
	run_subtract(ctx);
}

static void run_fill(void *ctx)
{
	const struct page_bench *p = ctx;

	limit_clear(&p->fill);
}

static void next_tables(void *ctx)
{
	struct page_bench *p = ctx;

	settle(p);
	if (pool_next(p->b->pool, p->b->format->ops->format->table_lg2(&p->b->geom, 0), p->fill.tables, p->fill.table))
		run_fill(p);
	else
		note(p, -COP_ENOMEM);
}

static struct report_row row(const struct page_bench *p, const char *name, const struct measure_stat *subject,
			     const struct measure_stat *limit, const char *limit_name)
{
	return (struct report_row){
		.name = name,
		.format = p->b->format->ops->format->name,
		.unit = "ns",
		.units = (double)p->count,
		.subject = *subject,
		.limit = *limit,
		.limit_name = limit_name,
	};
}

static void add_goal(struct page_bench *p, struct report_row line, double ns)
{
	line.goal = REPORT_FIGURE_MAX;
	line.target = ns;
	report_add(p->b->report, &line);
}

/* Everything is done once before it is timed: all start with warm caches. */
static void measure_shared(struct page_bench *p)
{
	const struct measure_step steps[] = {
		{add_and_subtract, run_add, NULL},
		{NULL, run_subtract, NULL},
		{map_and_unmap, map_each, NULL},
		{NULL, unmap_each, NULL},
	};
	struct measure_stat s[4];

	struct report_row line;

	p->walk = (struct limit_walk){.base = cop_phys(0), .root = p->tree.root, .va = p->va, .count = p->count};
	p->batch = BATCH;
	measure(&p->b->plan, steps, 4, p, s);
	add_goal(p, row(p, "page-map", &s[2], &s[0], "chase+add+store"), 15);
	add_goal(p, row(p, "page-unmap", &s[3], &s[1], "chase+add+store"), 15);
	p->batch = 1;
	measure(&p->b->plan, steps, 4, p, s);
	line = row(p, "page-unmap-flushed", &s[3], &s[1], "chase+add+store");
	report_add(p->b->report, &line);
}

static void measure_lone(struct page_bench *p)
{
	const struct measure_step steps[] = {
		{next_tables, run_fill, NULL},
		{NULL, map_each, NULL},
		{NULL, unmap_each, NULL},
		{next_tables, run_fill, NULL},
	};
	struct measure_stat s[4];
	struct report_row line;

	p->batch = 1;
	measure(&p->b->plan, steps, 4, p, s);
	line = row(p, "page-map-table", &s[1], &s[0], "clear a table");
	report_add(p->b->report, &line);
	line = row(p, "page-unmap-table", &s[2], &s[3], "clear a table");
	report_add(p->b->report, &line);
}

static bool map_even_pages(struct page_bench *p)
{
	uint64_t bytes = bench_page_bytes(p->b);

	for (cop_va va = BENCH_VA; va < BENCH_VA + BENCH_RANGE; va += 2 * bytes)
		note(p, cop_map(&p->tree, va, va, bytes, COP_KERNEL_RW, 0, 0));
	return !p->err;
}

static bool odd_addresses(struct page_bench *p)
{
	unsigned lg2 = p->b->geom.page_lg2;
	size_t odd = BENCH_RANGE >> lg2 >> 1;
	uint64_t *order = bench_shuffled(odd, BENCH_SEED);

	p->count = odd < PAGES ? odd : PAGES;
	for (size_t i = 0; order && i < p->count; i++)
		p->va[i] = BENCH_VA + ((2 * order[i] + 1) << lg2);
	free(order);
	return order;
}

static bool lone_addresses(struct page_bench *p)
{
	uint64_t *order = bench_shuffled(LONE, BENCH_SEED);

	p->count = LONE;
	for (size_t i = 0; order && i < p->count; i++)
		p->va[i] = BENCH_VA + order[i] * bench_leaf_table_bytes(p->b);
	free(order);
	return order;
}

static bool shared(struct page_bench *p)
{
	if (!odd_addresses(p) || !map_even_pages(p))
		return false;
	measure_shared(p);
	return bench_unmap_all(&p->tree, BENCH_VA, BENCH_RANGE);
}

static bool lone(struct page_bench *p)
{
	p->fill.tables = LONE;
	p->fill.entries = bench_leaf_table_entries(p->b);
	/* Keeps the tables above in place. */
	cop_va keep = BENCH_VA + LONE * bench_leaf_table_bytes(p->b);
	uint64_t bytes = bench_page_bytes(p->b);

	if (!lone_addresses(p) || cop_map(&p->tree, keep, keep, bytes, COP_KERNEL_RW, 0, 0))
		return false;
	measure_lone(p);
	return bench_unmap_all(&p->tree, keep, bytes);
}

bool bench_page(struct bench *b)
{
	struct page_bench p = {.b = b, .count = PAGES};
	bool good = false;

	p.va = calloc(PAGES, sizeof(*p.va));
	p.fill.table = calloc(LONE, sizeof(*p.fill.table));
	if (p.va && p.fill.table) {
		bench_tree(b, &p.tree);
		good = shared(&p) && lone(&p) && !p.err;
		good = good ? bench_tree_end(b, &p.tree) : bench_failed(b, "error %d", p.err);
	} else {
		bench_failed(b, "no memory");
	}
	free(p.va);
	free(p.fill.table);
	return good;
}
