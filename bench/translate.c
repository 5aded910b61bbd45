/* SPDX-License-Identifier: MIT */
/* Software walks over a gigabyte of smallest leaves, against a chase through the same tables with the same addresses. */
#include "bench/report.h"
#include "bench/suite.h"

#include <stdlib.h>

#define WALKS 16384

struct translation {
	struct bench *b;
	struct cop_tree tree;
	struct limit_walk random, sequential;
	uint64_t sum;
};

/* Pages in random order or one after the other, at any offset. */
static bool make_addresses(struct bench *b, struct limit_walk *w, bool shuffled)
{
	uint64_t pages = BENCH_RANGE >> b->geom.page_lg2, seed = BENCH_SEED;
	uint64_t *order = bench_shuffled(pages, BENCH_SEED);
	cop_va *va = malloc(WALKS * sizeof(*va));

	for (size_t i = 0; order && va && i < WALKS; i++) {
		uint64_t page = shuffled ? order[i % pages] : i % pages;
		uint64_t offset = bench_random(&seed) & (bench_page_bytes(b) - 8);

		va[i] = BENCH_VA + (page << b->geom.page_lg2) + offset;
	}
	free(order);
	w->va = va;
	w->count = WALKS;
	w->base = cop_phys(0);
	return va;
}

static void chase_dependent(void *ctx)
{
	struct translation *t = ctx;

	t->sum += t->b->format->chase->dependent(&t->random);
}

static void chase_random(void *ctx)
{
	struct translation *t = ctx;

	t->sum += t->b->format->chase->independent(&t->random);
}

static void chase_sequential(void *ctx)
{
	struct translation *t = ctx;

	t->sum += t->b->format->chase->independent(&t->sequential);
}

static void walk_dependent(void *ctx)
{
	struct translation *t = ctx;
	const struct limit_walk *w = &t->random;

	cop_rcu_read_lock();
	t->sum += t->b->format->walks->dependent(&t->tree, w);
	cop_rcu_read_unlock();
}

static uint64_t walk(const struct translation *t, const struct limit_walk *w)
{
	uint64_t sum;

	cop_rcu_read_lock();
	sum = t->b->format->walks->independent(&t->tree, w);
	cop_rcu_read_unlock();
	return sum;
}

/* Through the API: the format is found at run time, for each address. */
static void call_random(void *ctx)
{
	struct translation *t = ctx;
	const struct limit_walk *w = &t->random;

	cop_rcu_read_lock();
	for (size_t i = 0; i < w->count; i++)
		t->sum ^= cop_translate_pa(&t->tree, w->va[i]);
	cop_rcu_read_unlock();
}

static void walk_random(void *ctx)
{
	struct translation *t = ctx;

	t->sum += walk(t, &t->random);
}

static void walk_sequential(void *ctx)
{
	struct translation *t = ctx;

	t->sum += walk(t, &t->sequential);
}

/* The chase must end in the entries that the library finds, or it is no limit of it. */
static bool same_entries(const struct translation *t)
{
	for (size_t i = 0; i < WALKS; i++) {
		struct limit_walk one = t->random;
		struct cop_translation found = cop_translate(&t->tree, t->random.va[i]);

		one.va += i;
		one.count = 1;
		if (found.pa != cop_translate_pa(&t->tree, t->random.va[i]) ||
		    found.pa != one.va[0] - BENCH_VA + BENCH_PA ||
		    found.entry != t->b->format->chase->independent(&one) ||
		    found.entry != t->b->format->chase->dependent(&one))
			return false;
	}
	return true;
}

static void add(struct translation *t, const char *name, const struct measure_stat *s, const char *limit_name,
		double at_most)
{
	report_add(t->b->report, &(struct report_row){
					 .name = name,
					 .format = t->b->format->ops->format->name,
					 .unit = "ns",
					 .units = WALKS,
					 .subject = s[1],
					 .limit = s[0],
					 .limit_name = limit_name,
					 .goal = at_most > 0 ? REPORT_RATIO_MAX : REPORT_NO_GOAL,
					 .target = at_most,
				 });
}

static void measure_walks(struct translation *t)
{
	const struct measure_step steps[] = {
		{NULL, chase_dependent, NULL}, {NULL, walk_dependent, NULL},   {NULL, chase_random, NULL},
		{NULL, walk_random, NULL},     {NULL, chase_sequential, NULL}, {NULL, walk_sequential, NULL},
		{NULL, chase_random, NULL},    {NULL, call_random, NULL},
	};
	struct measure_stat s[8];

	measure(&t->b->plan, steps, 8, t, s);
	add(t, "translate-dependent", &s[0], "dependent chase", 1.1);
	add(t, "translate-random", &s[2], "chase", 1.3);
	add(t, "translate-sequential", &s[4], "chase", 1.3);
	add(t, "translate-call", &s[6], "chase", 0);
}

static bool mapped(struct translation *t)
{
	struct bench *b = t->b;
	int err = cop_map(&t->tree, BENCH_VA, BENCH_PA, BENCH_RANGE, COP_KERNEL_RW, b->geom.page_lg2, 0);

	if (err)
		return bench_failed(b, "map: error %d", err);
	t->random.root = t->sequential.root = t->tree.root;
	if (!same_entries(t))
		return bench_failed(b, "the chase does not end where cop_translate() does");
	measure_walks(t);
	return bench_unmap_all(&t->tree, BENCH_VA, BENCH_RANGE) || bench_failed(b, "unmap failed");
}

bool bench_translate(struct bench *b)
{
	struct translation t = {.b = b};
	bool good = make_addresses(b, &t.random, true) && make_addresses(b, &t.sequential, false);

	if (!good) {
		bench_failed(b, "no memory");
	} else {
		bench_tree(b, &t.tree);
		good = mapped(&t) && bench_tree_end(b, &t.tree);
	}
	free((void *)t.random.va);
	free((void *)t.sequential.va);
	return good;
}
