/* SPDX-License-Identifier: MIT */
/*
 * A machine with memory to measure: 1 GB at boot and room for a terabyte.
 *
 * The memmap is an ordinary mapping of the host: what is measured is then the library's work, not the host port's faults. A
 * memmap of 16 GB would not fit beside other programs, so hot-added sections take turns in MEMORY_WINDOW of host memory:
 * nothing reads the struct pages of memory that is offline.
 */
#ifndef COPPICE_BENCH_MEMORY_H
#define COPPICE_BENCH_MEMORY_H

#include "bench/suite.h"

#include <coppice/hotplug.h>

#define MEMORY_BOOT       (4ULL << 30)
#define MEMORY_BOOT_BYTES (1ULL << 30)
#define MEMORY_HOT        (64ULL << 30)
#define MEMORY_HOT_BYTES  (1ULL << 40)
#define MEMORY_WINDOW     (64ULL << 20)

struct bench_memory {
	struct cop_mem_config config;
	struct cop_mem_range boot;
	struct cop_layout layout;
	struct cop_mem mem;
	struct cop_tree tree;
	void *arena;
	char *memmap;
	uint64_t memmap_bytes;
};

static inline uint64_t memory_section_bytes(const struct bench_memory *m)
{
	return COP_LG2(m->config.section_lg2);
}

/* Bytes of the memmap of @bytes of memory. */
static inline uint64_t memory_memmap_bytes(const struct bench_memory *m, uint64_t bytes)
{
	return bytes >> m->config.geom.page_lg2 << COP_PAGE_STRUCT_LG2;
}

/* Where in the memmap the struct page of an address is. */
static inline uint64_t memory_memmap_offset(const struct bench_memory *m, cop_pa pa)
{
	return m->layout.vmemmap + memory_memmap_bytes(m, pa) - m->layout.vmemmap_start;
}

unsigned memory_section_lg2(const struct bench *);

/**
 * memory_on() - boot
 * @m: zeroed
 * @flags: of struct cop_mem_config
 *
 * Return: 0 or a negative errno; memory_off() in any case.
 */
int memory_on(struct bench_memory *m, const struct bench *, uint32_t flags);
void memory_off(struct bench_memory *);

#endif
