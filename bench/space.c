/* SPDX-License-Identifier: MIT */
/*
 * Faults, fork and unmap of anonymous pages, each beside what cannot be done without: clearing the page, or an access to its
 * entry and its struct page. And tables that wait for walkers, beside tables that do not: what it costs the one who frees them;
 * what comes after the grace period runs elsewhere.
 */
#include "bench/report.h"
#include "bench/user.h"

#include "ports/host/machine.h"

#define PAGES_MAX   1024
#define BYTES_MAX   (32ULL << 20)
#define TABLES      256
#define DEFERRED_NS 30

struct space_bench {
	struct user user;
	struct cop_space child;
	cop_va va;
	uint64_t pages;
	cop_pfn frame[PAGES_MAX]; /* of the limits */
	uint64_t out[PAGES_MAX];
	struct cop_fragments fragments;
	cop_pa table[TABLES];
	int err;
};

static void note(struct space_bench *s, int err)
{
	if (COP_UNLIKELY(err) && !s->err)
		s->err = err;
}

static uint64_t page_bytes(const struct space_bench *s)
{
	return bench_page_bytes(s->user.b);
}

/* ---- pages ---- */

static void touch(void *ctx)
{
	struct space_bench *s = ctx;

	for (uint64_t i = 0; i < s->pages; i++)
		note(s, cop_space_fault(&s->user.space, s->va + i * page_bytes(s), COP_ACCESS_WRITE));
}

static void discard(void *ctx)
{
	struct space_bench *s = ctx;

	note(s, cop_space_discard(&s->user.space, s->va, s->pages * page_bytes(s)));
}

static void fork_space(void *ctx)
{
	struct space_bench *s = ctx;

	note(s, cop_space_fork(&s->child, &s->user.space, NULL, 2));
}

static void end_child(void *ctx)
{
	struct space_bench *s = ctx;

	if (!s->err)
		cop_space_destroy(&s->child);
}

static void limit_clear_pages(void *ctx)
{
	struct space_bench *s = ctx;

	for (uint64_t i = 0; i < s->pages; i++)
		cop_fill64(cop_phys(s->frame[i] * page_bytes(s)), 0, page_bytes(s));
}

static void limit_entries(void *ctx)
{
	struct space_bench *s = ctx;

	user_limit_frames(&s->user, s->va, s->pages, s->out);
}

static void add(const struct space_bench *s, const char *name, double units, const struct measure_stat *subject,
		const struct measure_stat *limit, const char *limit_name)
{
	const struct report_row row = {
		.name = name,
		.format = s->user.b->format->ops->format->name,
		.unit = "ns/page",
		.units = units,
		.subject = *subject,
		.limit = *limit,
		.limit_name = limit_name,
	};

	report_add(s->user.b->report, &row);
}

static bool pages(struct space_bench *s)
{
	const struct measure_step steps[] = {
		{NULL, limit_clear_pages, NULL}, {touch, limit_entries, NULL}, {discard, touch, NULL},
		{touch, fork_space, end_child},  {touch, discard, NULL},
	};
	struct measure_stat stat[5];

	measure(&s->user.b->plan, steps, 5, s, stat);
	if (s->err)
		return bench_failed(s->user.b, "space: error %d", s->err);
	add(s, "space-fault", (double)s->pages, &stat[2], &stat[0], "clearing it");
	add(s, "space-fork", (double)s->pages, &stat[3], &stat[1], "walk+atomic");
	add(s, "space-unmap", (double)s->pages, &stat[4], &stat[1], "walk+atomic");
	return true;
}

static int map_area(struct space_bench *s)
{
	const struct cop_area_spec spec = {.va = BENCH_VA,
					   .bytes = s->pages * page_bytes(s),
					   .prot = COP_READ | COP_WRITE,
					   .kind = COP_AREA_ANON,
					   .flags = COP_AREA_FIXED};
	const struct cop_mapped at = cop_space_map(&s->user.space, &spec);

	s->va = at.va;
	return at.err;
}

static uint64_t take_frames(struct space_bench *s)
{
	uint64_t n = 0;

	while (n < s->pages && (s->frame[n] = cop_frames_alloc(&s->user.m.mem, 0, 0)) != COP_PFN_NONE)
		n++;
	return n;
}

static bool with_pages(struct space_bench *s)
{
	const uint64_t most = BYTES_MAX / page_bytes(s);
	uint64_t taken;
	bool good;
	int err;

	s->pages = most < PAGES_MAX ? most : PAGES_MAX;
	taken = take_frames(s);
	err = taken < s->pages ? -COP_ENOMEM : map_area(s);
	good = err ? bench_failed(s->user.b, "space: error %d", err) : pages(s);
	while (taken)
		cop_frames_free(&s->user.m.mem, s->frame[--taken]);
	return good;
}

/* ---- tables ---- */

static void take_tables(void *ctx)
{
	struct space_bench *s = ctx;

	for (unsigned i = 0; i < TABLES; i++) {
		s->table[i] = cop_fragment_alloc(&s->fragments);
		if (s->table[i] == COP_PA_NONE)
			note(s, -COP_ENOMEM);
	}
}

static void free_at_once(void *ctx)
{
	struct space_bench *s = ctx;

	for (unsigned i = 0; i < TABLES && !s->err; i++)
		cop_fragment_free(&s->fragments, s->table[i]);
}

static void free_by_rcu(void *ctx)
{
	struct space_bench *s = ctx;

	for (unsigned i = 0; i < TABLES && !s->err; i++)
		cop_fragment_free_rcu(&s->fragments, s->table[i]);
}

static void free_deferred(void *ctx)
{
	struct space_bench *s = ctx;

	for (unsigned i = 0; i < TABLES && !s->err; i++)
		cop_fragment_free_defer(&s->fragments, s->table[i]);
}

static void settle(void *ctx)
{
	(void)ctx;
	cop_host_rcu_barrier();
}

/* What one takes longer than the other. */
static void add_beyond(const struct space_bench *s, const char *name, const struct measure_stat *a,
		       const struct measure_stat *b)
{
	const struct report_row row = {
		.name = name,
		.format = s->user.b->format->ops->format->name,
		.unit = "ns/table",
		.units = TABLES,
		.subject = {.median = a->median - b->median,
			    .low = a->low - b->median,
			    .high = a->high - b->median,
			    .min = a->min - b->median,
			    .max = a->max - b->median,
			    .samples = a->samples},
		.goal = REPORT_FIGURE_MAX,
		.target = DEFERRED_NS,
	};

	report_add(s->user.b->report, &row);
}

/* As many fragments to a page as there may be; s390x has two tables in a frame. */
static bool with_tables(struct space_bench *s)
{
	const struct measure_step steps[] = {{take_tables, free_at_once, settle},
					     {take_tables, free_deferred, settle},
					     {take_tables, free_by_rcu, settle}};
	const struct bench *b = s->user.b;
	const unsigned lg2 = b->format->ops->format->table_lg2(&b->geom, 0);
	const unsigned page = lg2 < b->geom.page_lg2 ? b->geom.page_lg2 : lg2 + 4;
	struct measure_stat stat[3];
	int err = cop_fragments_init(&s->fragments, &s->user.m.mem, page, lg2);

	if (!err) {
		measure(&b->plan, steps, 3, s, stat);
		err = s->err ? s->err : cop_fragments_exit(&s->fragments);
	}
	if (err)
		return bench_failed(b, "table-free: error %d", err);
	add_beyond(s, "table-free-deferred", &stat[1], &stat[0]);
	add_beyond(s, "table-free-rcu", &stat[2], &stat[0]);
	return true;
}

bool bench_space(struct bench *b)
{
	struct space_bench s = {.user = {.b = b}};
	bool good = user_on(&s.user);

	good = good && with_pages(&s) && with_tables(&s);
	user_off(&s.user);
	return good;
}
