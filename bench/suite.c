/* SPDX-License-Identifier: MIT */
#include "bench/suite.h"

#include "cli/cli.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

uint64_t *bench_shuffled(size_t count, uint64_t seed)
{
	uint64_t *n = malloc(count * sizeof(*n));

	if (!n)
		return NULL;
	for (size_t i = 0; i < count; i++) {
		size_t j = bench_random(&seed) % (i + 1);

		n[i] = i;
		n[i] = n[j];
		n[j] = i;
	}
	return n;
}

void bench_tree(struct bench *b, struct cop_tree *tree)
{
	struct cop_table_source source = pool_source(b->pool);
	int err;

	pool_settle(b->pool, 1);
	err = cop_tree_init(tree, &b->geom, &source, 1, 0);
	if (err)
		cli_fail(CLI_HOST, "%s: no tree: error %d", b->format->ops->format->name, err);
}

bool bench_tree_end(struct bench *b, struct cop_tree *tree)
{
	int err = cop_tree_destroy(tree);

	pool_settle(b->pool, 1);
	if (err)
		return bench_failed(b, "the tree is not empty at the end: error %d", err);
	if (pool_out(b->pool))
		return bench_failed(b, "%zu tables did not come back", pool_out(b->pool));
	return true;
}

bool bench_failed(const struct bench *b, const char *fmt, ...)
{
	char text[200];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	cli_note("%s: %s", b->format->ops->format->name, text);
	return false;
}

bool bench_unmap_all(struct cop_tree *tree, cop_va va, uint64_t bytes)
{
	struct cop_gather gather;
	struct cop_unmapped out;

	cop_gather_begin(&gather, tree);
	out = cop_unmap(&gather, va, bytes, COP_UNMAP_BLIND | COP_UNMAP_HOLES_OK, NULL, 0);
	cop_gather_finish(&gather);
	return !out.err && out.done == bytes;
}
