/* SPDX-License-Identifier: MIT */
#include "inspect/diff/feed.h"

#define LEAST_TABLES (1ULL << 20)
#define ANY_LEVEL    99

/* The first thing without room is where the next scan begins. */
static void drop(struct feed *f, cop_va va, int level)
{
	if (f->dropped)
		return;
	f->dropped = true;
	f->resume = va;
	f->level = level;
}

static bool is_empty(const struct feed *f, const struct insp_table *t)
{
	for (unsigned i = t->first; i < t->entries; i++)
		if (t->values[i] != f->tree->format->empty(t->level))
			return false;
	return true;
}

struct filling {
	struct feed *feed;
	cop_va began;
	int level;
};

/* By a scan before: it is on the way to where this one began. */
static bool was_given(const struct filling *fill, const struct insp_table *t)
{
	return t->va < fill->began || (t->va == fill->began && t->level > fill->level);
}

static void on_run(void *context, const struct insp_run *run)
{
	struct feed *f = ((struct filling *)context)->feed;

	if (f->count < FEED_ITEMS && !f->dropped)
		f->run[f->count++] = *run;
	else
		drop(f, run->va, run->level - 1);
}

static bool on_enter(void *context, const struct insp_table *t)
{
	struct filling *fill = context;
	struct feed *f = fill->feed;

	if (f->dropped || (f->count == FEED_ITEMS && !was_given(fill, t))) {
		drop(f, t->va, t->level);
		return false;
	}
	if (was_given(fill, t))
		return true;
	if (f->left == 0) {
		f->cut = true;
		return false;
	}
	f->left--;
	if (f->of == FEED_TABLES)
		f->table[f->count++] = (struct feed_table){
			.va = t->va,
			.pa = t->pa,
			.bytes = t->level + 1U < f->tree->geom.levels ? COP_LG2(f->tree->format->shift(t->level + 1U))
								      : 0,
			.level = t->level,
			.empty = is_empty(f, t),
		};
	return true;
}

static void on_skip(void *context, const struct insp_table *t, enum insp_skip why)
{
	struct filling *fill = context;

	(void)why;
	if (!fill->feed->dropped && !was_given(fill, t))
		fill->feed->missing++;
}

static void fill(struct feed *f)
{
	const struct insp_visitor visitor = {
		.run = f->of == FEED_RUNS ? on_run : NULL, .enter = on_enter, .skip = on_skip};
	struct filling fill = {.feed = f, .began = f->resume, .level = f->level};

	f->count = f->at = 0;
	f->dropped = false;
	(void)insp_scan(f->memory, f->tree, f->resume, f->last, &visitor, &fill);
	f->over = !f->dropped;
}

void feed_open(struct feed *f, struct insp_memory *memory, const struct insp_tree *tree, enum feed_of of, cop_va start,
	       cop_va last)
{
	uint64_t bytes = 0;

	for (size_t i = 0; i < memory->extent_count; i++)
		bytes += memory->extents[i].end - memory->extents[i].start;
	f->memory = memory;
	f->tree = tree;
	f->of = of;
	f->resume = start;
	f->last = last;
	f->level = ANY_LEVEL;
	f->dropped = f->over = f->cut = false;
	f->count = f->at = 0;
	f->missing = 0;
	f->left = LEAST_TABLES + bytes / 256;
}

static bool has_next(struct feed *f)
{
	while (f->at == f->count) {
		if (f->over)
			return false;
		fill(f);
	}
	return true;
}

const struct insp_run *feed_run(struct feed *f)
{
	return has_next(f) ? &f->run[f->at] : NULL;
}

const struct feed_table *feed_table(struct feed *f)
{
	return has_next(f) ? &f->table[f->at] : NULL;
}

void feed_take(struct feed *f)
{
	f->at++;
}
