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
	struct limit_writes writes;
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

static void settle(void *ctx)
{
	struct page_bench *p = ctx;

	pool_settle(p->b->pool, 1);
}

static void run_add(void *ctx)
{
	const struct page_bench *p = ctx;

	limit_writes(&p->writes, 1, BENCH_PA);
}

static void run_subtract(void *ctx)
{
	const struct page_bench *p = ctx;

	limit_writes(&p->writes, ~0ULL, 0);
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
	if (!pool_next(p->b->pool, p->b->format->ops->format->table_lg2(&p->b->geom, 0), p->fill.tables, p->fill.table))
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

static void measure_shared(struct page_bench *p)
{
	const struct measure_step steps[] = {
		{settle, run_add, NULL},
		{NULL, map_each, NULL},
		{NULL, unmap_each, NULL},
		{NULL, run_subtract, NULL},
	};
	struct measure_stat s[4];

	p->batch = 1;
	measure(&p->b->plan, steps, 4, p, s);
	add_goal(p, row(p, "page-map", &s[1], &s[0], "add+store"), 15);
	add_goal(p, row(p, "page-unmap", &s[2], &s[3], "add+store"), 15);
	p->batch = BATCH;
	measure(&p->b->plan, steps, 4, p, s);
	add_goal(p, row(p, "page-unmap-gathered", &s[2], &s[3], "add+store"), 15);
}

static void measure_lone(struct page_bench *p)
{
	const struct measure_step steps[] = {
		{next_tables, run_fill, NULL},
		{settle, map_each, NULL},
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

/* The limit writes to frames of the pool laid out like the tree's leaf tables, and to their descriptors. */
static bool place_writes(struct page_bench *p)
{
	size_t tables = BENCH_RANGE / bench_leaf_table_bytes(p->b);
	uint64_t **table = calloc(tables, sizeof(*table));
	bool good = table && pool_next(p->b->pool, p->b->format->ops->format->table_lg2(&p->b->geom, 0), tables, table);

	for (size_t i = 0; good && i < p->count; i++) {
		uint64_t page = (p->va[i] - BENCH_VA) >> p->b->geom.page_lg2;
		uint64_t *t = table[page / bench_leaf_table_entries(p->b)];

		p->writes.entry[i] = &t[page % bench_leaf_table_entries(p->b)];
		p->writes.counter[i] = &cop_ptdesc((cop_pa)((char *)t - (char *)cop_phys(0)))->state;
	}
	p->writes.count = p->count;
	free(table);
	return good;
}

static bool shared(struct page_bench *p)
{
	if (!odd_addresses(p) || !map_even_pages(p) || !place_writes(p))
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
	p.writes.entry = calloc(PAGES, sizeof(*p.writes.entry));
	p.writes.counter = calloc(PAGES, sizeof(*p.writes.counter));
	p.fill.table = calloc(LONE, sizeof(*p.fill.table));
	if (p.va && p.writes.entry && p.writes.counter && p.fill.table) {
		bench_tree(b, &p.tree);
		good = shared(&p) && lone(&p) && !p.err;
		good = good ? bench_tree_end(b, &p.tree) : bench_failed(b, "error %d", p.err);
	} else {
		bench_failed(b, "no memory");
	}
	free(p.va);
	free(p.writes.entry);
	free(p.writes.counter);
	free(p.fill.table);
	return good;
}
