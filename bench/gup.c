/* SPDX-License-Identifier: MIT */
/*
 * GUP-fast of 2 MB: 4K leaves beside a walk and one atomic operation per page; one block; two CPUs on ranges of their own; a
 * reader while the other CPU removes memory elsewhere.
 */
#include "bench/pair.h"
#include "bench/report.h"
#include "bench/user.h"

#define ROUNDS        32
#define BLOCKS        1024 /* calls in a sample: each is shorter than a look at the clock */
#define RATIO_MAX     1.3
#define BLOCK_NS_MAX  60
#define TWO_MIN       1.7
#define DISTURBED_MAX 1.1
#define BLOCK_LG2_MAX 25 /* larger ones do not fit beside the rest */

/* What one CPU asks for. */
struct range {
	struct user *user;
	cop_va va;
	uint64_t pages;
	unsigned rounds;
	bool failed;
	cop_pfn out[USER_PAGES_MAX];
};

struct gup {
	struct user user;
	struct range own, others, block;
	struct pair pair;
	cop_pfn folio; /* behind .block */
	bool stop;     /* marked */
	bool moving;   /* marked */
	int err;
};

static uint64_t pages_of_range(const struct gup *g)
{
	return USER_RANGE >> g->user.b->geom.page_lg2;
}

/* ---- getting ---- */

static void get(void *ctx)
{
	struct range *r = ctx;

	for (unsigned i = 0; i < r->rounds; i++)
		if (COP_UNLIKELY(cop_gup_fast(&r->user->space, r->va, r->pages, COP_GUP_FAST_ONLY, r->out).count !=
				 (int64_t)r->pages))
			r->failed = true;
}

static void put(void *ctx)
{
	struct range *r = ctx;

	for (unsigned i = 0; i < r->rounds && !r->failed; i++)
		cop_pages_put(&r->user->m.mem, r->out, r->pages);
}

static void get_and_put(void *ctx)
{
	struct range *r = ctx;

	for (unsigned i = 0; i < r->rounds && !r->failed; i++) {
		if (cop_gup_fast(&r->user->space, r->va, r->pages, COP_GUP_FAST_ONLY, r->out).count !=
		    (int64_t)r->pages)
			r->failed = true;
		else
			cop_pages_put(&r->user->m.mem, r->out, r->pages);
	}
}

static void limit(void *ctx)
{
	struct range *r = ctx;

	for (unsigned i = 0; i < r->rounds; i++)
		user_limit_frames(r->user, r->va, r->pages, r->out);
}

/* ---- figures ---- */

static struct report_row row(const struct gup *g, const char *name, const char *unit, double units)
{
	return (struct report_row){
		.name = name, .format = g->user.b->format->ops->format->name, .unit = unit, .units = units};
}

static bool ended(const struct gup *g, const char *name)
{
	if (g->err)
		return bench_failed(g->user.b, "%s: error %d", name, g->err);
	if (g->own.failed || g->others.failed || g->block.failed)
		return bench_failed(g->user.b, "%s: not all pages", name);
	return true;
}

static double pages_in(const struct range *r)
{
	return (double)(r->pages * r->rounds);
}

static bool pages(struct gup *g)
{
	const struct measure_step steps[] = {{NULL, limit, NULL}, {NULL, get, put}};
	struct report_row line = row(g, "gup-pages", "ns/page", pages_in(&g->own));
	struct measure_stat s[2];

	measure(&g->user.b->plan, steps, 2, &g->own, s);
	line.limit = s[0];
	line.subject = s[1];
	line.limit_name = "walk+atomic";
	line.goal = REPORT_RATIO_MAX;
	line.target = RATIO_MAX;
	report_add(g->user.b->report, &line);
	return ended(g, line.name);
}

static bool block(struct gup *g)
{
	const struct measure_step steps[] = {{NULL, get, put}};
	struct report_row line = row(g, "gup-block", "ns/2 MB", g->block.rounds);

	measure(&g->user.b->plan, steps, 1, &g->block, &line.subject);
	line.goal = REPORT_FIGURE_MAX;
	line.target = BLOCK_NS_MAX;
	report_add(g->user.b->report, &line);
	return ended(g, line.name);
}

static void alone(void *ctx)
{
	struct gup *g = ctx;

	get_and_put(&g->own);
}

static void both(void *ctx)
{
	struct gup *g = ctx;

	pair_go(&g->pair, get_and_put, &g->others);
	get_and_put(&g->own);
	pair_wait(&g->pair);
}

static bool threads(struct gup *g)
{
	const struct measure_step steps[] = {{NULL, alone, NULL}, {NULL, both, NULL}};
	struct report_row line = row(g, "gup-threads", "ns/page", pages_in(&g->own));
	struct measure_stat s[2];

	measure(&g->user.b->plan, steps, 2, g, s);
	line.limit = s[0];
	line.subject = measure_scaled(&s[1], 0.5);
	line.limit_name = "one thread";
	line.goal = REPORT_SPEEDUP_MIN;
	line.target = TWO_MIN;
	report_add(g->user.b->report, &line);
	return ended(g, line.name);
}

/* ---- while memory goes ---- */

static void add_and_remove(void *ctx)
{
	struct gup *g = ctx;
	const uint64_t bytes = memory_section_bytes(&g->user.m);

	while (!g->err && !cop_load(&g->stop, relaxed)) {
		g->err = cop_mem_add(&g->user.m.mem, MEMORY_HOT, bytes, COP_ADD_ALTMAP);
		if (!g->err)
			g->err = cop_mem_remove(&g->user.m.mem, MEMORY_HOT, bytes);
		cop_store(&g->moving, true, release);
	}
	cop_store(&g->moving, true, release);
}

static void begin_removing(void *ctx)
{
	struct gup *g = ctx;
	bool moving;

	cop_store(&g->stop, false, relaxed);
	cop_store(&g->moving, false, relaxed);
	pair_go(&g->pair, add_and_remove, g);
	cop_await(&g->moving, moving, moving);
}

static void end_removing(void *ctx)
{
	struct gup *g = ctx;

	cop_store(&g->stop, true, relaxed);
	pair_wait(&g->pair);
}

static bool removal(struct gup *g)
{
	const struct measure_step steps[] = {{NULL, alone, NULL}, {begin_removing, alone, end_removing}};
	struct report_row line = row(g, "gup-removal", "ns/page", pages_in(&g->own));
	struct measure_stat s[2];

	measure(&g->user.b->plan, steps, 2, g, s);
	line.limit = s[0];
	line.subject = s[1];
	line.limit_name = "undisturbed";
	line.goal = REPORT_RATIO_MAX;
	line.target = DISTURBED_MAX;
	report_add(g->user.b->report, &line);
	return ended(g, line.name);
}

/* ---- the ranges ---- */

static int map_page(struct gup *g, cop_va va)
{
	const cop_pfn pfn = cop_frames_alloc(&g->user.m.mem, 0, COP_ALLOC_FOLIO);
	const uint64_t bytes = bench_page_bytes(g->user.b);

	if (pfn == COP_PFN_NONE)
		return -COP_ENOMEM;
	return cop_map(&g->user.space.tree, va, pfn * bytes, bytes, COP_USER_RW, 0, 0);
}

static int map_pages(struct gup *g, struct range *r, cop_va va)
{
	*r = (struct range){.user = &g->user, .va = va, .pages = pages_of_range(g), .rounds = ROUNDS};
	for (uint64_t i = 0; i < r->pages; i++) {
		const int err = map_page(g, va + i * bench_page_bytes(g->user.b));

		if (err)
			return err;
	}
	return 0;
}

static void unmap_pages(struct gup *g, const struct range *r)
{
	for (uint64_t i = 0; i < r->pages; i++) {
		const cop_va va = r->va + i * bench_page_bytes(g->user.b);
		const cop_pa pa = cop_translate_pa(&g->user.space.tree, va);

		if (pa == COP_PA_NONE)
			continue;
		(void)bench_unmap_all(&g->user.space.tree, va, bench_page_bytes(g->user.b));
		cop_frames_free(&g->user.m.mem, pa >> g->user.b->geom.page_lg2);
	}
}

/* A folio that a block maps; where blocks are too large, a run of leaves. */
static unsigned block_lg2(const struct gup *g)
{
	const unsigned lg2 = g->user.b->format->ops->format->shift(1);

	return lg2 > BLOCK_LG2_MAX || lg2 < 21 ? 21 : lg2;
}

static int map_block(struct gup *g, cop_va va)
{
	const unsigned lg2 = block_lg2(g), page_lg2 = g->user.b->geom.page_lg2;

	g->folio = cop_frames_alloc(&g->user.m.mem, lg2 - page_lg2, COP_ALLOC_FOLIO);
	g->block = (struct range){.user = &g->user, .va = va, .pages = pages_of_range(g), .rounds = BLOCKS};
	if (g->folio == COP_PFN_NONE)
		return -COP_ENOMEM;
	return cop_map(&g->user.space.tree, va, g->folio << page_lg2, COP_LG2(lg2), COP_USER_RW, 0, 0);
}

static void unmap_block(struct gup *g)
{
	if (!g->block.user || g->folio == COP_PFN_NONE)
		return;
	(void)bench_unmap_all(&g->user.space.tree, g->block.va, COP_LG2(block_lg2(g)));
	cop_frames_free(&g->user.m.mem, g->folio);
}

static int map_all(struct gup *g)
{
	int err = map_pages(g, &g->own, BENCH_VA);

	if (!err)
		err = map_pages(g, &g->others, BENCH_VA + BENCH_RANGE);
	return err ? err : map_block(g, BENCH_VA + 2 * BENCH_RANGE);
}

static void unmap_all(struct gup *g)
{
	unmap_pages(g, &g->own);
	unmap_pages(g, &g->others);
	unmap_block(g);
}

static bool with_second_cpu(struct gup *g)
{
	bool good;

	if (!pair_begin(&g->pair, g->user.b))
		return false;
	good = threads(g) && removal(g);
	pair_end(&g->pair);
	return good;
}

bool bench_gup(struct bench *b)
{
	struct gup g = {.user = {.b = b}};
	bool good = user_on(&g.user);

	if (good) {
		const int err = map_all(&g);

		good = err ? bench_failed(b, "gup: error %d", err) : pages(&g) && block(&g) && with_second_cpu(&g);
		unmap_all(&g);
	}
	user_off(&g.user);
	return good;
}
