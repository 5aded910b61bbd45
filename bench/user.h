/* SPDX-License-Identifier: MIT */
/* An address space over memory, with a range of pages mapped in it. */
#ifndef COPPICE_BENCH_USER_H
#define COPPICE_BENCH_USER_H

#include "bench/memory.h"

#include <coppice/gup.h>

#define USER_RANGE     (2ULL << 20)
#define USER_PAGES_MAX (USER_RANGE >> 12)

struct user {
	struct bench *b;
	struct bench_memory m;
	struct cop_spaces spaces;
	struct cop_space space;
};

/* @u: zeroed, but for .b. Return: false: said why on stderr; user_off() in any case. */
bool user_on(struct user *);
void user_off(struct user *);

/* The limit: for each page a load, an atomic operation on its struct page that changes nothing, a store. */
void user_limit_frames(const struct user *, cop_va va, size_t pages, uint64_t *out);

#endif
