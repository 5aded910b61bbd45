/* SPDX-License-Identifier: MIT */
/*
 * Where tables come from: prefaulted frames of the host's physical memory on a stack per CPU, so that a table costs what
 * a per-CPU list of a kernel costs. Frames that come back (after a grace period, on another thread) lie on a pile until
 * pool_settle() shares them out again.
 */
#ifndef COPPICE_BENCH_POOL_H
#define COPPICE_BENCH_POOL_H

#include <coppice/tables.h>

#define POOL_LANES 2
#define POOL_SIZES 2 /* s390x has two sizes of table, the others one */

struct pool_stack {
	cop_pa *frame;
	size_t count;
};

struct pool_lane {
	struct pool_stack size[POOL_SIZES];
} __attribute__((aligned(128)));

/**
 * struct pool - frames
 * @lane: one per CPU; only its CPU takes from it
 * @returned: what came back; under @lock
 * @lg2: the sizes, lg2 of bytes
 * @total: frames of each size
 */
struct pool {
	struct pool_lane lane[POOL_LANES];
	struct pool_stack returned[POOL_SIZES];
	cop_spinlock lock;
	unsigned lg2[POOL_SIZES];
	size_t total[POOL_SIZES];
	cop_pa start;
	uint64_t bytes;
};

/**
 * pool_init() - make frames of [start, start + bytes), which are backed
 * @lg2: the sizes of table; the same twice: one size
 *
 * Touches every frame and its descriptor, so that nothing faults later. Return: false without memory.
 */
bool pool_init(struct pool *, cop_pa start, uint64_t bytes, const unsigned lg2[POOL_SIZES]);
void pool_destroy(struct pool *);

struct cop_table_source pool_source(struct pool *);

/**
 * pool_settle() - wait for a grace period and everything deferred, then share out what came back
 * @lanes: among how many lanes
 */
void pool_settle(struct pool *, unsigned lanes);

/* Frames that are not in the pool. */
size_t pool_out(const struct pool *);

/**
 * pool_next() - the frames that the next allocations of CPU 0 will get, without taking them
 * @out: host addresses, in that order
 *
 * Return: false if there are not so many.
 */
bool pool_next(const struct pool *, unsigned lg2, size_t count, uint64_t **out);

#endif
