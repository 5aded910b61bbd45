/* SPDX-License-Identifier: MIT */
/*
 * The algorithms, compiled for one format. The includer has included a format header and defines COP_TABLES_NAME, e.g.
 * arm64_4k: this emits cop_arm64_4k_map() and so on, and cop_tables_arm64_4k.
 *
 * Each header below includes the one before it:
 * (stock, where) walk -> gather -> reclaim -> (descend, fill) map -> split -> covered -> clear -> unmap -> protect ->
 * resize -> collapse -> query -> entry; move needs resize, translate only descend, lookup
 * only walk.
 */
#ifndef COP_TABLES_NAME
#error "include a format header and define COP_TABLES_NAME"
#endif

#include "tables/entry.h"
#include "tables/lookup.h"
#include "tables/move.h"
#include "tables/translate.h"

#define COP_TABLES_PASTE_(a, b, c) a##b##c
#define COP_TABLES_PASTE(a, b, c)  COP_TABLES_PASTE_(a, b, c)
#define COP_TABLES_FN(what)        COP_TABLES_PASTE(cop_, COP_TABLES_NAME, _##what)

int COP_TABLES_FN(map)(struct cop_tree *, cop_va, cop_pa, uint64_t, uint32_t, unsigned, uint32_t);
struct cop_unmapped COP_TABLES_FN(unmap)(struct cop_gather *, cop_va, uint64_t, uint32_t, struct cop_detached_run *,
					 unsigned);
int COP_TABLES_FN(protect)(struct cop_gather *, cop_va, uint64_t, uint32_t);
int COP_TABLES_FN(split)(struct cop_gather *, cop_va, uint64_t, unsigned);
long COP_TABLES_FN(collapse)(struct cop_gather *, cop_va, uint64_t, unsigned);
int COP_TABLES_FN(move)(struct cop_gather *, cop_va, cop_va, uint64_t);
unsigned long COP_TABLES_FN(lookup)(const struct cop_tree *, cop_va, unsigned long, cop_pa *, enum cop_fold);
struct cop_translation COP_TABLES_FN(translate)(const struct cop_tree *, cop_va);
cop_pa COP_TABLES_FN(translate_pa)(const struct cop_tree *, cop_va);
unsigned COP_TABLES_FN(query)(const struct cop_tree *, cop_va, cop_va, struct cop_extent *, unsigned);
struct cop_flushed COP_TABLES_FN(finish)(struct cop_gather *);
struct cop_replaced COP_TABLES_FN(replace)(struct cop_gather *, cop_va, uint64_t, cop_pa, uint32_t);
struct cop_unmapped COP_TABLES_FN(take)(struct cop_gather *, cop_va, uint64_t, struct cop_leaf *, unsigned);
struct cop_unmapped COP_TABLES_FN(leaves)(const struct cop_tree *, cop_va, uint64_t, struct cop_leaf *, unsigned);
void COP_TABLES_FN(refresh)(const struct cop_tree *, cop_va);

int COP_TABLES_FN(map)(struct cop_tree *tree, cop_va va, cop_pa pa, uint64_t bytes, uint32_t attrs,
		       unsigned max_leaf_lg2, uint32_t flags)
{
	return tables_map(tree, va, pa, bytes, attrs, max_leaf_lg2, flags);
}

struct cop_unmapped COP_TABLES_FN(unmap)(struct cop_gather *gather, cop_va va, uint64_t bytes, uint32_t how,
					 struct cop_detached_run *runs, unsigned max_runs)
{
	return tables_unmap(gather, va, bytes, how, runs, max_runs);
}

int COP_TABLES_FN(protect)(struct cop_gather *gather, cop_va va, uint64_t bytes, uint32_t attrs)
{
	return tables_protect(gather, va, bytes, attrs);
}

int COP_TABLES_FN(split)(struct cop_gather *gather, cop_va va, uint64_t bytes, unsigned max_leaf_lg2)
{
	return tables_split(gather, va, bytes, max_leaf_lg2);
}

long COP_TABLES_FN(collapse)(struct cop_gather *gather, cop_va va, uint64_t bytes, unsigned max_leaf_lg2)
{
	return tables_collapse(gather, va, bytes, max_leaf_lg2);
}

int COP_TABLES_FN(move)(struct cop_gather *gather, cop_va from, cop_va to, uint64_t bytes)
{
	return tables_move(gather, from, to, bytes);
}

unsigned long COP_TABLES_FN(lookup)(const struct cop_tree *tree, cop_va va, unsigned long pages, cop_pa *out,
				    enum cop_fold fold)
{
	return tables_lookup(tree, va, pages, out, fold);
}

struct cop_translation COP_TABLES_FN(translate)(const struct cop_tree *tree, cop_va va)
{
	return tables_translate(tree, va);
}

cop_pa COP_TABLES_FN(translate_pa)(const struct cop_tree *tree, cop_va va)
{
	return tables_translate_pa(tree, va);
}

unsigned COP_TABLES_FN(query)(const struct cop_tree *tree, cop_va va, cop_va last, struct cop_extent *out, unsigned max)
{
	return tables_query(tree, va, last, out, max);
}

struct cop_flushed COP_TABLES_FN(finish)(struct cop_gather *gather)
{
	return tables_finish(gather);
}

struct cop_replaced COP_TABLES_FN(replace)(struct cop_gather *gather, cop_va va, uint64_t old, cop_pa pa,
					   uint32_t attrs)
{
	return tables_replace(gather, va, old, pa, attrs);
}

struct cop_unmapped COP_TABLES_FN(take)(struct cop_gather *gather, cop_va va, uint64_t bytes, struct cop_leaf *out,
					unsigned max)
{
	return tables_take(gather, va, bytes, out, max);
}

struct cop_unmapped COP_TABLES_FN(leaves)(const struct cop_tree *tree, cop_va va, uint64_t bytes, struct cop_leaf *out,
					  unsigned max)
{
	return tables_leaves(tree, va, bytes, out, max);
}

void COP_TABLES_FN(refresh)(const struct cop_tree *tree, cop_va va)
{
	tables_refresh(tree, va);
}

const struct cop_table_ops COP_TABLES_PASTE(cop_tables_, COP_TABLES_NAME, ) = {
	.format = &FMT_FORMAT,
	.map = COP_TABLES_FN(map),
	.unmap = COP_TABLES_FN(unmap),
	.protect = COP_TABLES_FN(protect),
	.split = COP_TABLES_FN(split),
	.collapse = COP_TABLES_FN(collapse),
	.move = COP_TABLES_FN(move),
	.lookup = COP_TABLES_FN(lookup),
	.translate = COP_TABLES_FN(translate),
	.translate_pa = COP_TABLES_FN(translate_pa),
	.query = COP_TABLES_FN(query),
	.finish = COP_TABLES_FN(finish),
	.replace = COP_TABLES_FN(replace),
	.take = COP_TABLES_FN(take),
	.leaves = COP_TABLES_FN(leaves),
	.refresh = COP_TABLES_FN(refresh),
};
