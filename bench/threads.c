/* SPDX-License-Identifier: MIT */
/*
 * Two CPUs map and unmap at a time, beside one of them alone.
 *
 * apart: ranges, or pages, that have no leaf table in common. edge: ranges that meet in the middle of a leaf table.
 * hot: all pages of one leaf table, every other one each. churn: the same, but the table goes whenever it is empty.
 */
#include "bench/pair.h"
#include "bench/report.h"

#define RANGE_ROUNDS 4
#define HOT_PAGES    128 /* of each thread; s390x has 256 entries */
#define HOT_ROUNDS   16
#define CHURN_ROUNDS 2 /* each page takes tables from the pool and gives them back after a grace period only */

struct threads;

/* What one CPU does in one sample. */
struct work {
	struct threads *of;
	cop_va va;
	uint64_t bytes, stride; /* stride 0: the range in one call; else a page at each multiple */
	unsigned rounds;
	int err;
};

struct threads {
	struct bench *b;
	struct cop_tree tree;
	struct work work[2];
	struct pair pair;
};

static void note(struct work *w, int err)
{
	if (COP_UNLIKELY(err) && !w->err)
		w->err = err;
}

static void map_and_unmap(struct work *w, cop_va va, uint64_t bytes)
{
	struct threads *t = w->of;
	struct cop_gather gather;

	note(w, cop_map(&t->tree, va, va, bytes, COP_KERNEL_RW, t->b->geom.page_lg2, 0));
	cop_gather_begin(&gather, &t->tree);
	note(w, cop_unmap(&gather, va, bytes, COP_UNMAP_BLIND, NULL, 0).err);
	cop_gather_finish(&gather);
}

static void round_of(struct work *w)
{
	uint64_t page = bench_page_bytes(w->of->b);

	if (!w->stride) {
		map_and_unmap(w, w->va, w->bytes);
		return;
	}
	for (uint64_t at = 0; at < w->bytes; at += w->stride)
		map_and_unmap(w, w->va + at, page);
}

static void work(void *ctx)
{
	struct work *w = ctx;

	for (unsigned i = 0; i < w->rounds; i++)
		round_of(w);
}

static uint64_t pages_of(const struct work *w)
{
	return w->bytes / (w->stride ? w->stride : bench_page_bytes(w->of->b)) * w->rounds;
}

static void both(void *ctx)
{
	struct threads *t = ctx;

	pair_go(&t->pair, work, &t->work[1]);
	work(&t->work[0]);
	pair_wait(&t->pair);
}

static void alone(void *ctx)
{
	struct threads *t = ctx;

	work(&t->work[0]);
}

static void settle(void *ctx)
{
	const struct threads *t = ctx;

	pool_settle(t->b->pool, 2);
}

static int first_error(const struct threads *t)
{
	return t->work[0].err ? t->work[0].err : t->work[1].err;
}

/* Both rates are of one CPU's work: two do twice as much in the time of both(). */
static bool compare(struct threads *t, const char *name, double at_least)
{
	const struct measure_step steps[] = {{settle, alone, NULL}, {settle, both, NULL}};
	struct report_row row = {
		.name = name,
		.format = t->b->format->ops->format->name,
		.unit = "ns/page",
		.limit_name = "one thread",
		.goal = at_least > 0 ? REPORT_SPEEDUP_MIN : REPORT_SPEEDUP,
		.target = at_least,
	};
	const struct work *w = &t->work[0];
	struct measure_stat s[2];
	int err;

	measure(&t->b->plan, steps, 2, t, s);
	row.units = (double)pages_of(w);
	row.limit = s[0];
	row.subject = measure_scaled(&s[1], 0.5);
	report_add(t->b->report, &row);
	err = first_error(t);
	if (err)
		return bench_failed(t->b, "%s: error %d", name, err);
	if (cop_translate(&t->tree, w->va).pa != COP_PA_NONE)
		return bench_failed(t->b, "%s: still mapped", name);
	return true;
}

static void place(struct threads *t, cop_va first, cop_va second, uint64_t bytes, uint64_t stride, unsigned rounds)
{
	t->work[0] = (struct work){t, first, bytes, stride, rounds, 0};
	t->work[1] = (struct work){t, second, bytes, stride, rounds, 0};
}

static bool apart(struct threads *t)
{
	uint64_t bytes = BENCH_RANGE / RANGE_ROUNDS;

	if (bytes < bench_leaf_table_bytes(t->b))
		bytes = bench_leaf_table_bytes(t->b);
	place(t, BENCH_VA, BENCH_VA + 4 * BENCH_RANGE, bytes, 0, RANGE_ROUNDS);
	return compare(t, "threads-apart", 1.7);
}

static bool edge(struct threads *t)
{
	uint64_t bytes = 4 * bench_leaf_table_bytes(t->b), middle = BENCH_VA + bytes + bench_leaf_table_bytes(t->b) / 2;

	place(t, middle - bytes, middle, bytes, 0, RANGE_ROUNDS);
	return compare(t, "threads-edge", 0);
}

/* One page more keeps the table. */
static bool hot(struct threads *t)
{
	uint64_t page = bench_page_bytes(t->b), bytes = 2 * HOT_PAGES * page;
	cop_va keep = BENCH_VA + bench_leaf_table_bytes(t->b);
	bool good;

	if (cop_map(&t->tree, keep, BENCH_PA, page, COP_KERNEL_RW, 0, 0))
		return bench_failed(t->b, "map failed");
	place(t, keep + page, keep + 2 * page, bytes - 2 * page, 2 * page, HOT_ROUNDS);
	good = compare(t, "threads-hot", 0);
	return bench_unmap_all(&t->tree, keep, page) && good;
}

/* Nothing else is in the table: it is freed and made anew all the time. */
static bool churn(struct threads *t)
{
	uint64_t page = bench_page_bytes(t->b), bytes = 2 * HOT_PAGES * page;

	place(t, BENCH_VA, BENCH_VA + page, bytes, 2 * page, CHURN_ROUNDS);
	return compare(t, "threads-churn", 0);
}

/* Page by page in tables of their own that stay. */
static bool pages_apart(struct threads *t)
{
	uint64_t page = bench_page_bytes(t->b), bytes = 2 * HOT_PAGES * page;
	cop_va second = BENCH_VA + 4 * BENCH_RANGE, keep = bytes + page;
	bool good;

	if (cop_map(&t->tree, BENCH_VA + keep, BENCH_PA, page, COP_KERNEL_RW, 0, 0) ||
	    cop_map(&t->tree, second + keep, BENCH_PA, page, COP_KERNEL_RW, 0, 0))
		return bench_failed(t->b, "map failed");
	place(t, BENCH_VA, second, bytes, 2 * page, HOT_ROUNDS);
	good = compare(t, "threads-pages-apart", 1.7);
	return bench_unmap_all(&t->tree, BENCH_VA + keep, page) && bench_unmap_all(&t->tree, second + keep, page) &&
	       good;
}

/* The tables above the ranges stay, as they do in a kernel's tree. */
static bool compare_all(struct threads *t)
{
	uint64_t page = bench_page_bytes(t->b);
	cop_va keep = BENCH_VA + 8 * BENCH_RANGE;
	bool good;

	if (cop_map(&t->tree, keep, BENCH_PA, page, COP_KERNEL_RW, 0, 0))
		return bench_failed(t->b, "map failed");
	good = apart(t) && edge(t) && pages_apart(t) && hot(t) && churn(t);
	return bench_unmap_all(&t->tree, keep, page) && good;
}

bool bench_threads(struct bench *b)
{
	struct threads t = {.b = b};
	bool good;

	if (!pair_begin(&t.pair, b))
		return false;
	bench_tree(b, &t.tree);
	good = compare_all(&t);
	pair_end(&t.pair);
	return bench_tree_end(b, &t.tree) && good;
}
