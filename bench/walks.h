/* SPDX-License-Identifier: MIT */
/*
 * The library's walk as a kernel with one format has it, compiled into the caller. Include a format's header, name it in
 * WALKS_NAME, then include this.
 */
#ifndef COPPICE_BENCH_WALKS_H
#define COPPICE_BENCH_WALKS_H

#include "bench/limits.h"
#include "tables/translate.h"

#define WALKS_PASTE_(a, b) a##b
#define WALKS_PASTE(a, b)  WALKS_PASTE_(a, b)

static uint64_t walks_dependent(const struct cop_tree *tree, const struct limit_walk *w)
{
	cop_pa pa = 0;

	for (size_t i = 0; i < w->count; i++)
		pa = tables_translate_pa(tree, w->va[i] + (pa & w->zero));
	return pa;
}

static uint64_t walks_independent(const struct cop_tree *tree, const struct limit_walk *w)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < w->count; i++)
		sum ^= tables_translate_pa(tree, w->va[i]);
	return sum;
}

const struct bench_walks WALKS_PASTE(bench_walks_, WALKS_NAME) = {walks_dependent, walks_independent};

#endif
