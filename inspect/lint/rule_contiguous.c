/* SPDX-License-Identifier: MIT */
/*
 * Contiguous runs (arm64) and Svnapot runs (riscv64): 2^n neighbours, aligned, that all say they belong together and agree.
 * A CPU may answer for all of them from any one.
 */
#include "inspect/lint/lint.h"

struct group {
	const struct insp_tree *tree;
	const uint64_t *values;
	unsigned first, count, level;
};

static bool member(const struct group *g, unsigned i)
{
	const struct cop_format *f = g->tree->format;
	const uint64_t e = g->values[g->first + i];

	return f->kind(&g->tree->geom, e, g->level) == COP_LEAF && (f->attrs(&g->tree->geom, e, g->level) & COP_CONT);
}

/* What a leaf says beside its address and its attributes. */
static uint64_t rest(const struct group *g, uint64_t e)
{
	const struct cop_format *f = g->tree->format;
	const struct cop_geom *geom = &g->tree->geom;

	return e ^ f->leaf(geom, f->leaf_pa(geom, e, g->level), g->level, f->attrs(geom, e, g->level));
}

static bool same_attributes(const struct group *g, uint64_t a, uint64_t b)
{
	const struct cop_format *f = g->tree->format;
	const uint32_t may = COP_YOUNG | COP_DIRTY | COP_SOFT_DIRTY;
	const uint32_t x = f->attrs(&g->tree->geom, a, g->level), y = f->attrs(&g->tree->geom, b, g->level);

	return !((x ^ y) & ~may) && !((rest(g, a) ^ rest(g, b)) & ~lint_run_may_differ(g->tree));
}

static cop_pa run_pa(const struct group *g, unsigned i)
{
	const cop_pa pa = g->tree->format->leaf_pa(&g->tree->geom, g->values[g->first + i], g->level);

	/* On riscv64 every member has the whole run's address. */
	if (g->tree->format->arch == COP_RISCV64)
		return pa;
	return pa - ((cop_pa)i << g->tree->format->shift(g->level));
}

/* The first member that others, or most of the architecture's rules, disagree with; count: none. */
static unsigned judge(const struct group *g, const char **why)
{
	const uint64_t bytes = (uint64_t)g->count << g->tree->format->shift(g->level);

	*why = "is not part of the run that its neighbours claim to be";
	for (unsigned i = 0; i < g->count; i++)
		if (!member(g, i))
			return i;
	*why = "has an address that is not aligned to its contiguous run";
	if (!COP_IS_ALIGNED(run_pa(g, 0), bytes))
		return 0;
	for (unsigned i = 1; i < g->count; i++) {
		*why = "differs from its contiguous run in address";
		if (run_pa(g, i) != run_pa(g, 0))
			return i;
		*why = "differs from its contiguous run in attributes";
		if (!same_attributes(g, g->values[g->first + i], g->values[g->first]))
			return i;
	}
	return g->count;
}

static void report(struct lint *l, const struct insp_table *t, const struct group *g)
{
	const unsigned shift = g->tree->format->shift(g->level);
	const char *why;
	const unsigned bad = judge(g, &why);
	struct insp_finding f;

	if (bad == g->count)
		return;
	f = lint_of_table(l, t);
	f.table = t->pa;
	f.level = t->level;
	f.index = g->first + bad;
	f.entry = g->values[f.index];
	f.va = t->va + ((cop_va)f.index << shift);
	f.bytes = 1ULL << shift;
	f.pa = COP_PA_NONE;
	if (g->tree->format->kind(&g->tree->geom, f.entry, g->level) == COP_LEAF)
		f.pa = g->tree->format->leaf_pa(&g->tree->geom, f.entry, g->level);
	lint_report(l, &f, "The entry %s (%u entries)", why, g->count);
}

static void enter(struct lint *l, void *state, const struct insp_table *t)
{
	const struct insp_tree *tree = l->tree;
	const unsigned lg2 = tree->format->cont_lg2(&tree->geom, t->level);
	struct group g = {.tree = tree, .values = t->values, .count = 1U << lg2, .level = t->level};

	(void)state;
	if (lg2 == 0)
		return;
	for (g.first = 0; g.first + g.count <= t->entries; g.first += g.count) {
		uint64_t any = 0;

		/* Bit 52 of arm64, 63 of riscv64: where none has it, none is a member. */
		for (unsigned i = 0; i < g.count; i++)
			any |= t->values[g.first + i];
		if (!(any & (tree->format->arch == COP_ARM64 ? 1ULL << 52 : 1ULL << 63)))
			continue;
		for (unsigned i = 0; i < g.count; i++)
			if (member(&g, i)) {
				report(l, t, &g);
				break;
			}
	}
}

const struct lint_rule lint_contiguous = {
	.rule = {"contiguous",
		 "the entries of a contiguous or Svnapot run disagree",
		 INSP_ERROR,
		 {[COP_ARM64] = "DDI 0487 D8.7.1", [COP_RISCV64] = "RISC-V Privileged, Svnapot"}},
	.enter = enter,
};
