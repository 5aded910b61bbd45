// SPDX-License-Identifier: MIT
#include "inspect/views/stats.h"

/* What a larger leaf would have in common; the rest comes and goes. */
#define SAME (~(uint32_t)(COP_YOUNG | COP_DIRTY | COP_SOFT_DIRTY | COP_CONT))

/* @count leaves in a row, or one that a table below could be: do they continue what the table holds? */
static void alike(struct insp_counting *c, unsigned level, cop_pa pa, uint32_t attrs, uint64_t count)
{
	const unsigned lg2 = c->tree->format->shift(level);

	if (c->at[level].n == 0) {
		c->at[level].pa = pa;
		c->at[level].attrs = attrs;
		c->at[level].alike = true;
	} else if (c->at[level].pa + (c->at[level].n << lg2) != pa || c->at[level].attrs != attrs) {
		c->at[level].alike = false;
	}
	c->at[level].n += count;
}

static void end_run(struct insp_counting *c, unsigned level, uint64_t members)
{
	const unsigned lg2 = c->tree->format->shift(level);
	struct insp_level_stats *s = &c->stats.level[level];

	if (c->at[level].run_n != members || !c->at[level].run_alike ||
	    !COP_IS_ALIGNED(c->at[level].run_pa, members << lg2))
		return;
	if (c->at[level].run_marked)
		s->cont += members;
	else
		s->could_cont += members;
}

/* Leaves that lie in one aligned group of entries. */
static void in_group(struct insp_counting *c, const struct insp_run *run, unsigned skip, unsigned count, uint32_t attrs,
		     unsigned members)
{
	const unsigned level = run->level, index = run->index + skip;
	const cop_pa pa = run->pa + ((cop_pa)skip << run->lg2);

	if (index % members == 0) {
		c->at[level].run_n = 0;
		c->at[level].run_pa = pa;
		c->at[level].run_attrs = attrs & SAME;
		c->at[level].run_alike = true;
		c->at[level].run_marked = attrs & COP_CONT;
	}
	if (c->at[level].run_n != index % members || c->at[level].run_attrs != (attrs & SAME) ||
	    c->at[level].run_pa + (c->at[level].run_n << run->lg2) != pa ||
	    c->at[level].run_marked != ((attrs & COP_CONT) != 0))
		c->at[level].run_alike = false;
	c->at[level].run_n += count;
	if ((index + count) % members == 0)
		end_run(c, level, members);
}

static void runs(struct insp_counting *c, const struct insp_run *run, uint32_t attrs)
{
	const unsigned members = 1U << c->tree->format->cont_lg2(&c->runs, run->level);
	unsigned done = 0;

	while (members > 1 && done < run->count) {
		const unsigned room = members - (run->index + done) % members;
		const unsigned count = run->count - done < room ? run->count - done : room;

		in_group(c, run, done, count, attrs, members);
		done += count;
	}
}

static void leaves(struct insp_counting *c, const struct insp_run *run)
{
	const uint32_t attrs = insp_attrs(c->tree, run);

	c->stats.leaves += run->count;
	c->stats.level[run->level].leaves += run->count;
	c->stats.mapped += (uint64_t)run->count << run->lg2;
	if (attrs & COP_PROTNONE)
		c->stats.protnone += run->count;
	alike(c, run->level, run->pa, attrs & SAME, run->count);
	runs(c, run, attrs);
}

static void see(void *context, const struct insp_run *run)
{
	struct insp_counting *c = context;

	c->stats.swaps += run->kind == COP_SWAP ? run->count : 0;
	c->stats.markers += run->kind == COP_MARKER ? run->count : 0;
	c->stats.bad += run->kind == COP_BAD ? run->count : 0;
	if (run->kind == COP_LEAF)
		leaves(c, run);
}

static bool enter(void *context, const struct insp_table *t)
{
	struct insp_counting *c = context;

	c->at[t->level].n = 0;
	c->at[t->level].run_n = ~0ULL;
	return true;
}

static bool replaceable(const struct insp_counting *c, const struct insp_table *t)
{
	const struct cop_format *f = c->tree->format;
	const unsigned above = t->level + 1U;

	return c->at[t->level].n == t->entries && c->at[t->level].alike && above < c->tree->geom.levels &&
	       f->can_leaf(&c->tree->geom, above) && COP_IS_ALIGNED(c->at[t->level].pa, COP_LG2(f->shift(above)));
}

static void leave(void *context, const struct insp_table *t)
{
	struct insp_counting *c = context;
	struct insp_level_stats *s = &c->stats.level[t->level];

	s->tables++;
	s->bytes += t->entries * 8ULL;
	s->entries += t->seen;
	s->used += t->seen - t->empty;
	s->full += t->empty == 0;
	s->empty += t->empty == t->seen;
	if (!replaceable(c, t))
		return;
	s->could_leaf++;
	alike(c, t->level + 1U, c->at[t->level].pa, c->at[t->level].attrs, 1);
}

const struct insp_visitor insp_counting_visitor = {.run = see, .enter = enter, .leave = leave};

void insp_counting_begin(struct insp_counting *c, const struct insp_tree *tree)
{
	*c = (struct insp_counting){.tree = tree, .runs = tree->geom};
	c->runs.features |= tree->format->arch == COP_ARM64 ? COP_F_CONT : 0U;
	c->runs.features |= tree->format->arch == COP_RISCV64 ? COP_F_SVNAPOT : 0U;
}

uint64_t insp_stats_spared(const struct insp_stats *s)
{
	uint64_t bytes = 0;

	for (unsigned l = 0; l < 5; l++)
		if (s->level[l].tables)
			bytes += s->level[l].could_leaf * (s->level[l].bytes / s->level[l].tables);
	return bytes;
}

struct insp_reach insp_stats_reach(const struct insp_tree *tree, const struct insp_stats *s)
{
	struct cop_geom runs = tree->geom;
	struct insp_reach reach = {0};
	uint64_t replaced = 0;

	runs.features |= tree->format->arch == COP_ARM64 ? COP_F_CONT : 0U;
	runs.features |= tree->format->arch == COP_RISCV64 ? COP_F_SVNAPOT : 0U;
	for (unsigned l = 0; l < tree->geom.levels; l++) {
		const struct insp_level_stats *v = &s->level[l];
		const uint64_t members = 1ULL << tree->format->cont_lg2(&runs, l);
		const uint64_t entries = v->tables ? v->entries / v->tables : 0;
		const uint64_t gone = v->could_leaf * entries, here = v->leaves + replaced;
		/* A table that a leaf could replace is all runs. */
		const uint64_t cont = v->cont + v->could_cont > gone ? v->cont + v->could_cont - gone : 0;

		reach.now += v->leaves - v->cont + v->cont / members;
		if (members > 1)
			reach.best += here - gone - cont + cont / members;
		else
			reach.best += here - gone;
		replaced = v->could_leaf;
	}
	return reach;
}
