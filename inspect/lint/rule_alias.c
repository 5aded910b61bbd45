/* SPDX-License-Identifier: MIT */
/*
 * One frame, two memory types. Nearly all memory is mapped write-back, so only the rest is kept: a pass before collects
 * the stretches that are mapped otherwise, and the lint compares every leaf with those.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "inspect/lint/lint.h"

struct stretch {
	cop_pa start, end;
	cop_va va; /* of start, where it is mapped so */
	enum lint_type type;
};

#define MAX_STRETCHES 1000000

struct state {
	struct stretch *stretch;
	size_t count, room;
};

/* A neighbour of the last one, or a new one. */
static bool append(struct state *s, const struct stretch *add)
{
	struct stretch *last = s->count ? &s->stretch[s->count - 1] : NULL;

	if (last && last->end == add->start && last->type == add->type &&
	    last->va + (last->end - last->start) == add->va) {
		last->end = add->end;
		return true;
	}
	if (!s->stretch || s->count == s->room) {
		const size_t room = s->room ? 2 * s->room : 256;
		struct stretch *more = s->count < MAX_STRETCHES ? realloc(s->stretch, room * sizeof(*more)) : NULL;

		if (!more)
			return false;
		s->stretch = more;
		s->room = room;
	}
	s->stretch[s->count++] = *add;
	return true;
}

static bool compares(const struct lint *l, const struct insp_run *run)
{
	return run->kind == COP_LEAF && lint_valid(l->tree, run->entry, run->level);
}

static void collect(struct lint *l, void *state, const struct insp_run *run)
{
	struct stretch add = {.start = run->pa, .end = run->pa + ((uint64_t)run->count << run->lg2), .va = run->va};

	if (!compares(l, run))
		return;
	add.type = lint_type(l->tree, run->entry, run->level);
	if (add.type != LINT_WB && add.end > add.start && !append(state, &add))
		l->done.incomplete = true;
}

static int by_start(const void *a, const void *b)
{
	const struct stretch *x = a, *y = b;

	return x->start != y->start ? (x->start > y->start) - (x->start < y->start) : (x->va > y->va) - (x->va < y->va);
}

/* Disjoint, so that one search answers; where two overlap the one that starts first is kept there. */
static void collected(struct lint *l, void *state)
{
	struct state *s = state;
	size_t kept = 0;
	cop_pa end = 0;

	(void)l;
	if (s->count)
		qsort(s->stretch, s->count, sizeof(*s->stretch), by_start);
	for (size_t i = 0; i < s->count; i++) {
		struct stretch one = s->stretch[i];

		if (one.start < end) {
			one.va += end - one.start;
			one.start = end;
		}
		if (one.start >= one.end)
			continue;
		end = one.end;
		s->stretch[kept++] = one;
	}
	s->count = kept;
}

/* The first stretch that ends above @pa. */
static size_t find(const struct state *s, cop_pa pa)
{
	size_t low = 0, high = s->count;

	while (low < high) {
		const size_t middle = low + (high - low) / 2;

		if (s->stretch[middle].end <= pa)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static void report(struct lint *l, const struct insp_run *run, enum lint_type type, const struct stretch *other)
{
	const cop_pa start = other->start > run->pa ? COP_ALIGN_DOWN(other->start, COP_LG2(run->lg2)) : run->pa;
	const cop_pa end = run->pa + ((uint64_t)run->count << run->lg2);
	const unsigned skip = (unsigned)((start - run->pa) >> run->lg2);
	const cop_pa last = other->end < end ? other->end : end;
	struct insp_finding f = lint_of_run(l, run);

	f.va += start - run->pa;
	f.pa = start;
	f.index += skip;
	f.entries = (last - start + COP_LG2(run->lg2) - 1) >> run->lg2;
	f.bytes = f.entries << run->lg2;
	f.entry += skip * run->step;
	lint_report(l, &f, "Mapped %s here, and %s at %#" PRIx64, lint_type_name(l->tree, type),
		    lint_type_name(l->tree, other->type),
		    other->start > start ? other->va : other->va + (start - other->start));
}

static void run(struct lint *l, void *state, const struct insp_run *run)
{
	const struct state *s = state;
	const cop_pa end = run->pa + ((uint64_t)run->count << run->lg2);
	enum lint_type type;

	if (s->count == 0 || !compares(l, run))
		return;
	type = lint_type(l->tree, run->entry, run->level);
	for (size_t i = find(s, run->pa); i < s->count && s->stretch[i].start < end; i++)
		if (s->stretch[i].type != type)
			report(l, run, type, &s->stretch[i]);
}

static void finish(void *state)
{
	free(((struct state *)state)->stretch);
}

const struct lint_rule lint_alias_type = {
	.rule = {"alias-type",
		 "the same frame is mapped with two memory types",
		 INSP_WARNING,
		 {[COP_ARM64] = "DDI 0487 B2.16",
		  [COP_X86_64] = "SDM 3A 12.12.4",
		  [COP_RISCV64] = "RISC-V Privileged, Svpbmt"}},
	.state = sizeof(struct state),
	.collect = collect,
	.collected = collected,
	.run = run,
	.finish = finish,
};
