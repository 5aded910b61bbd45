/* SPDX-License-Identifier: MIT */
/* What the benchmarks share: options, the format under test, memory for tables, where results go. */
#ifndef COPPICE_BENCH_SUITE_H
#define COPPICE_BENCH_SUITE_H

#include <coppice/tables.h>

#include "bench/limits.h"
#include "bench/measure.h"
#include "bench/pool.h"

struct report;

/**
 * struct bench_format - a format under test
 * @chase: the limit of translation, for the default geometry of the format
 * @walks: the library's translation as a kernel with this one format compiles it
 * @hardware_bits: enum cop_feature: the hardware sets accessed and dirty
 */
struct bench_format {
	const struct cop_table_ops *ops;
	const struct limit_chase *chase;
	const struct bench_walks *walks;
	uint32_t hardware_bits;
};

/**
 * struct bench - what a benchmark gets
 * @geom: default geometry of the format, hardware sets accessed and dirty
 * @cpu: of the measuring thread, and of the second one (-1: there is none)
 */
struct bench {
	const struct bench_format *format;
	struct cop_geom geom;
	struct measure_plan plan;
	struct pool *pool;
	struct report *report;
	int cpu[2];
};

/* A benchmark that returns false has said why on stderr. */
bool bench_range(struct bench *);
bool bench_page(struct bench *);
bool bench_translate(struct bench *);
bool bench_threads(struct bench *);
bool bench_hotplug(struct bench *);
bool bench_gup(struct bench *);
bool bench_space(struct bench *);
bool bench_inspect(struct bench *);

/* Where ranges lie: within the low half of every geometry, aligned to every leaf below 64 GB. */
#define BENCH_VA    (64ULL << 30)
#define BENCH_PA    (64ULL << 30)
#define BENCH_RANGE (1ULL << 30)

static inline uint64_t bench_page_bytes(const struct bench *b)
{
	return COP_LG2(b->geom.page_lg2);
}

/* Bytes that one leaf table maps, and its entries. */
static inline uint64_t bench_leaf_table_bytes(const struct bench *b)
{
	return COP_LG2(b->format->ops->format->shift(1));
}

static inline uint64_t bench_leaf_table_entries(const struct bench *b)
{
	return COP_LG2(b->format->ops->format->index_bits(&b->geom, 0));
}

/* xorshift64*: the same addresses in every run. */
static inline uint64_t bench_random(uint64_t *state)
{
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return *state * 0x2545f4914f6cdd1dULL;
}
#define BENCH_SEED 0x9e3779b97f4a7c15ULL

/* Numbers 0 .. count - 1 in random order; malloc()ed. */
uint64_t *bench_shuffled(size_t count, uint64_t seed);

/* An empty tree over the pool. Stops the program when there is no memory for a root. */
void bench_tree(struct bench *, struct cop_tree *);
/* Destroys an empty tree and waits until all its tables are back; says so and returns false when some are not. */
bool bench_tree_end(struct bench *, struct cop_tree *);

/* One line on stderr: this benchmark did not run, because. Return: false. */
__attribute__((format(printf, 2, 3))) bool bench_failed(const struct bench *, const char *fmt, ...);

/* Unmaps blindly what is known to be mapped; untimed helper. */
bool bench_unmap_all(struct cop_tree *, cop_va va, uint64_t bytes);

#endif
