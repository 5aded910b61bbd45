/* SPDX-License-Identifier: MIT */
/*
 * Limits: what the machine does when nothing but the memory accesses of a job is left.
 *
 * limits.c is compiled with the flags of the library (no vector registers). Stores and loads are volatile and unrolled
 * eight times: a plain loop becomes memset, or varies two-fold with where the compiler puts it.
 */
#ifndef COPPICE_BENCH_LIMITS_H
#define COPPICE_BENCH_LIMITS_H

#include <coppice/types.h>

/**
 * struct limit_tables - tables as a loop sees them: where they are, nothing of what they mean
 * @table: host addresses
 * @tables: how many
 * @entries: of each; a multiple of 8
 */
struct limit_tables {
	uint64_t **table;
	size_t tables, entries;
};

/* Stores first, first + step, ... to every entry: the descriptors of a range, without deciding anything. */
void limit_store(const struct limit_tables *, uint64_t first, uint64_t step);
/* Stores 0 to every entry. */
void limit_clear(const struct limit_tables *);
/* Reads every entry. Return: the sum. */
uint64_t limit_read(const struct limit_tables *);
/* Reads every entry, then stores 0 there. Return: the sum, so that no load is unused. */
uint64_t limit_read_clear(const struct limit_tables *);
/* Reads every entry, stores 0 there, and writes what was read to list. */
void limit_read_clear_list(const struct limit_tables *, uint64_t *list);
/* Exchanges every entry with 0: what hardware that may set bits at any time forces on us. Return: the sum. */
uint64_t limit_exchange(const struct limit_tables *);

/* Fills bytes (a multiple of 64) with 64-byte records by stores that bypass the cache where the CPU has them. */
void limit_stream(void *to, size_t bytes, uint64_t value);

/**
 * struct limit_walk - addresses to chase through the tables of a tree
 * @base: host address of physical address 0
 * @root: physical address of the root table
 * @va: the addresses
 * @count: how many
 * @zero: 0, unknown to the compiler
 */
struct limit_walk {
	char *base;
	cop_pa root;
	const cop_va *va;
	size_t count;
	uint64_t zero;
};

/**
 * struct limit_write - what to write at each address
 * @counters: the counter of table t is at counters + (t >> grain_lg2 << stride_lg2)
 * @add: to the counter
 * @value: into the entry
 */
struct limit_write {
	char *counters;
	unsigned grain_lg2, stride_lg2;
	uint64_t add, value;
};

/**
 * struct limit_frames - the frames of successive pages
 * @va, @pages: which; all are there, in leaves of one page each
 * @counters: host address of the counter of frame 0; those of the others follow in steps of 1 << stride_lg2
 * @add: to the counters
 * @out: frame numbers
 */
struct limit_frames {
	cop_va va;
	size_t pages;
	char *counters;
	unsigned stride_lg2;
	uint32_t add;
	uint64_t *out;
};

/**
 * struct limit_chase - the walk of one geometry with every shift and mask a constant
 *
 * One step is: index = va >> shift & mask; entry = load(base + table + 8 * index); table = entry & mask. No entry is
 * tested, no permission decoded, no output address formed.
 *
 * @dependent: address i + 1 is formed from the entry that i ended in (latency). Return: the last entry.
 * @independent: addresses do not depend on each other (throughput). Return: exclusive or of all leaf entries.
 * @write: independent, and what a single-page operation cannot do without, if tables are to be counted: a locked
 *	addition to the word that counts the entries of the leaf table, and a store to the entry
 * @frames: a walk to each leaf table; for each page a load, a locked addition to the counter of its frame, and a store of
 *	the frame's number
 */
struct limit_chase {
	uint64_t (*dependent)(const struct limit_walk *);
	uint64_t (*independent)(const struct limit_walk *);
	uint64_t (*write)(const struct limit_walk *, const struct limit_write *);
	void (*frames)(const struct limit_walk *, const struct limit_frames *);
};

/* struct bench_walks - the library's walk compiled into its caller, in the same two forms; they return output addresses. */
struct cop_tree;
struct bench_walks {
	uint64_t (*dependent)(const struct cop_tree *, const struct limit_walk *);
	uint64_t (*independent)(const struct cop_tree *, const struct limit_walk *);
};

extern const struct bench_walks bench_walks_arm64_4k, bench_walks_arm64_16k, bench_walks_arm64_64k, bench_walks_x86_64,
	bench_walks_riscv64, bench_walks_s390x;

extern const struct limit_chase limit_chase_arm64_4k, limit_chase_arm64_16k, limit_chase_arm64_64k, limit_chase_x86_64,
	limit_chase_riscv64, limit_chase_s390x;

#endif
