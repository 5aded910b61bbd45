/* SPDX-License-Identifier: MIT */
/*
 * The scan, compiled for one format: the includer includes the format's header and "inspect/scan_formats.h" first and
 * defines SCAN_NAME, SCAN_ENTRIES (of the largest table), and
 *
 *   scan_kind(g, e, l)     fmt_kind() of real tables, or more
 *   scan_quarters(e, l)    which of the entries exist of the table that an entry links
 *   scan_denies(e, l)      what a table's entry takes away from the leaves below, enum cop_attr
 *   scan_shared_lg2(e, l)  lg2 of the leaves that share one encoding, each with its own address
 */
#include <string.h>

#include "inspect/scan.h"

/* Sources have whole frames of this size or larger; a table may be there in part. */
#define SCAN_PIECE 4096U

struct scan {
	struct insp_memory *memory;
	const struct insp_tree *tree;
	struct cop_geom g;
	const struct insp_visitor *visit;
	void *context;
	cop_va start, last; /* bits above va_bits cut off */
	uint64_t budget;
	struct insp_scanned done;
	cop_pa path[FMT_MAX_LEVELS];
	_Alignas(64) uint64_t values[FMT_MAX_LEVELS][SCAN_ENTRIES];
};

/* A table on the way: @base is its first address, without sign. */
struct scan_at {
	struct insp_table t;
	cop_va base;
	uint32_t denied;
	unsigned end;  /* of the entries that exist */
	uint32_t gone; /* pieces that the source does not have */
};

static inline cop_va scan_va(const struct cop_geom *g, cop_va linear)
{
	if (g->va_bits == 64 || g->half == COP_HALF_LOW)
		return linear;
	if (g->half == COP_HALF_HIGH || linear >> (g->va_bits - 1))
		return linear | ~0ULL << g->va_bits;
	return linear;
}

static inline bool scan_swapped(const struct scan *s)
{
	return s->tree->big_endian != (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__);
}

static void scan_swap(uint64_t *to, const uint64_t *from, size_t count)
{
	for (size_t i = 0; i < count; i++)
		to[i] = __builtin_bswap64(from[i]);
}

static bool scan_piece(struct scan *s, cop_pa pa, size_t bytes, uint64_t *to)
{
	const uint64_t *from = insp_frame(s->memory, pa, bytes, to);

	if (!from)
		return false;
	if (scan_swapped(s))
		scan_swap(to, from, bytes / 8);
	else if (from != to)
		memcpy(to, from, bytes);
	return true;
}

/* What exists of a table, piece by piece; @gone says which are missing. */
static bool scan_read_pieces(struct scan *s, struct scan_at *at)
{
	const unsigned level = at->t.level, bytes = at->t.entries * 8;
	const unsigned piece = bytes < SCAN_PIECE ? bytes : SCAN_PIECE;
	uint64_t *to = s->values[level];
	bool any = false;

	if (!COP_IS_ALIGNED(at->t.pa, piece))
		return false;
	for (unsigned i = 0; i * piece < bytes; i++) {
		const unsigned first = i * piece / 8, end = first + piece / 8;
		const bool exists = at->t.first < end && first < at->end;

		if (exists && at->t.pa + i * piece >= at->t.pa &&
		    scan_piece(s, at->t.pa + i * piece, piece, to + first)) {
			any = true;
			continue;
		}
		at->gone |= (uint32_t)exists << i;
		for (unsigned k = first; k < end; k++)
			to[k] = fmt_empty(level);
	}
	at->t.values = to;
	return any;
}

static bool scan_read(struct scan *s, struct scan_at *at)
{
	const size_t bytes = at->t.entries * 8UL;
	uint64_t *buffer = s->values[at->t.level];

	if (at->t.first == 0 && at->end == at->t.entries && COP_IS_ALIGNED(at->t.pa, bytes)) {
		at->t.values = insp_frame(s->memory, at->t.pa, bytes, buffer);
		if (at->t.values && scan_swapped(s)) {
			scan_swap(buffer, at->t.values, at->t.entries);
			at->t.values = buffer;
		}
		if (at->t.values)
			return true;
	}
	return scan_read_pieces(s, at);
}

static void scan_skip(struct scan *s, const struct insp_table *t, enum insp_skip why)
{
	s->done.missing += why == INSP_MISSING;
	s->done.cycles += why == INSP_CYCLE;
	s->done.budget += why == INSP_BUDGET;
	if (s->visit->skip)
		s->visit->skip(s->context, t, why);
}

static void scan_skip_gone(struct scan *s, const struct scan_at *at)
{
	struct insp_table part = at->t;

	part.entries = SCAN_PIECE / 8;
	for (unsigned i = 0; at->gone >> i; i++) {
		if (!(at->gone >> i & 1))
			continue;
		part.first = i * part.entries;
		part.pa = at->t.pa + i * SCAN_PIECE;
		part.va = scan_va(&s->g, at->base + ((cop_va)part.first << fmt_shift(at->t.level)));
		scan_skip(s, &part, INSP_MISSING);
	}
}

static void scan_table(struct scan *s, struct scan_at *at);

static COP_ALWAYS_INLINE void scan_descend(struct scan *s, const struct scan_at *from, uint64_t e, unsigned i,
					   unsigned level)
{
	const struct scan_part part = scan_quarters(e, level);
	struct scan_at at = {
		.base = from->base + ((cop_va)i << fmt_shift(level)),
		.denied = from->denied | scan_denies(e, level),
		.end = part.end,
	};

	at.t = (struct insp_table){
		.va = scan_va(&s->g, at.base),
		.pa = fmt_table_pa(&s->g, e, level),
		.parent = from->t.pa,
		.entry = e,
		.level = (uint8_t)(level - 1),
		.first = part.first,
		.entries = 1U << fmt_index_bits(&s->g, level - 1),
	};
	if (at.end > at.t.entries)
		at.end = at.t.entries;
	scan_table(s, &at);
}

/*
 * Which entries of a stretch of 64 are followed by one that is a step larger: bit n for the n-th. All without a branch, since
 * young and dirty make where a run ends unpredictable.
 */
struct scan_block {
	uint64_t follows;
	unsigned number;
};

static COP_ALWAYS_INLINE uint64_t scan_follows(const uint64_t *v, unsigned pairs, uint64_t step)
{
	uint64_t differs = 0, follows = 0;

	if (pairs >= 64) {
		for (unsigned k = 0; k < 64; k++)
			differs |= v[k + 1] - v[k] - step;
		if (!differs)
			return ~0ULL;
		for (unsigned k = 64; k-- > 0;)
			follows = follows << 1 | (v[k + 1] - v[k] == step);
		return follows;
	}
	for (unsigned k = pairs; k-- > 0;)
		follows = follows << 1 | (v[k + 1] - v[k] == step);
	return follows;
}

/* How many follow each other from entry @i on, itself included; @end of the table. */
static COP_ALWAYS_INLINE unsigned scan_count(const uint64_t *v, unsigned i, unsigned end, uint64_t step,
					     struct scan_block *block)
{
	unsigned n = 1;

	for (;;) {
		const unsigned at = i % 64;
		uint64_t stops;

		if (block->number != i / 64) {
			block->number = i / 64;
			block->follows = scan_follows(v + (i - at), end - 1 - (i - at), step);
		}
		stops = ~block->follows >> at;
		if (stops)
			return n + (unsigned)__builtin_ctzll(stops);
		n += 64 - at;
		i += 64 - at;
		if (i >= end)
			return n;
	}
}

/* Where software made a leaf invalid it may have inverted the address. */
static COP_ALWAYS_INLINE unsigned scan_count_down(const uint64_t *v, unsigned i, unsigned most, uint64_t step)
{
	unsigned n = 1;

	while (n < most && v[i + n] - v[i + n - 1] == step)
		n++;
	return n;
}

/*
 * How many leaves from @i on follow each other: entries that differ by the step of an address, as far as addresses can go
 * without reaching bits that mean something else.
 */
static COP_ALWAYS_INLINE void scan_leaves(const struct cop_geom *g, const uint64_t *v, unsigned end, unsigned limit_lg2,
					  struct insp_run *run, unsigned level, struct scan_block *block)
{
	const unsigned i = run->index, shift = fmt_shift(level);
	const uint64_t step = fmt_leaf_step(g, level, 0), e = v[i], limit = ~0ULL >> (64 - limit_lg2);
	uint64_t most;

	run->pa = fmt_leaf_pa(g, e, level);
	run->step = 0;
	run->count = 1;
	if (scan_shared_lg2(e, level)) {
		const unsigned members = 1U << scan_shared_lg2(e, level), at = i & (members - 1);

		run->pa += (cop_pa)at << shift;
		most = members - at < end - i ? members - at : end - i;
		run->count = scan_count_down(v, i, (unsigned)most, 0);
		return;
	}
	most = (((run->pa | limit) - run->pa) >> shift) + 1;
	most = most < end - i ? most : end - i;
	if (most > 1 && fmt_leaf_pa(g, e + step, level) != run->pa + COP_LG2(shift)) {
		if (v[i + 1] != e - step || fmt_leaf_pa(g, e - step, level) != run->pa + COP_LG2(shift))
			return;
		run->step = -step;
		run->count = scan_count_down(v, i, (unsigned)most, -step);
		return;
	}
	run->step = step;
	run->count = scan_count(v, i, end, step, block);
	if (run->count > most)
		run->count = (unsigned)most;
}

/* Entries that are neither empty nor leaves nor links: equal ones together. */
static COP_ALWAYS_INLINE void scan_others(const uint64_t *v, unsigned end, struct insp_run *run)
{
	unsigned n = 1;

	while (run->index + n < end && v[run->index + n] == run->entry)
		n++;
	run->pa = 0;
	run->step = 0;
	run->count = n;
}

static COP_ALWAYS_INLINE void scan_entries(struct scan *s, struct scan_at *at, unsigned level)
{
	const struct cop_geom g = s->g; /* calls do not change it, and the compiler need not fear so */
	const unsigned shift = fmt_shift(level), limit_lg2 = g.pa_bits < fmt_step_lg2 ? g.pa_bits : fmt_step_lg2;
	const uint64_t *v = at->t.values;
	void (*const visit)(void *, const struct insp_run *) = s->visit->run;
	struct scan_block block = {.number = ~0U};
	struct insp_run run = {
		.table = at->t.pa,
		.level = (uint8_t)level,
		.lg2 = (uint8_t)shift,
		.denied = at->denied,
	};
	/* A run does not go on where addresses change sign. */
	const unsigned half = level + 1 == g.levels && g.half == COP_HALF_BOTH ? at->t.entries / 2 : 0;
	unsigned i = at->t.first, end = at->end, empty = 0, leaves = 0;

	if (s->start > at->base && (s->start - at->base) >> shift > i)
		i = (unsigned)((s->start - at->base) >> shift);
	if ((s->last - at->base) >> shift < end)
		end = (unsigned)((s->last - at->base) >> shift) + 1;
	at->t.seen = i < end ? end - i : 0;
	while (i < end) {
		const uint64_t e = v[i];

		if (e == fmt_empty(level)) {
			empty++;
			i++;
			continue;
		}
		run.kind = (uint8_t)scan_kind(&g, e, level);
		if (level > 0 && run.kind == COP_TABLE) {
			scan_descend(s, at, e, i++, level);
			continue;
		}
		run.index = i;
		run.entry = e;
		if (run.kind == COP_LEAF) {
			scan_leaves(&g, v, i < half && half < end ? half : end, limit_lg2, &run, level, &block);
			leaves += run.count;
		} else {
			scan_others(v, i < half && half < end ? half : end, &run);
		}
		i += run.count;
		if (!visit)
			continue;
		run.va = scan_va(&g, at->base + ((cop_va)run.index << shift));
		visit(s->context, &run);
	}
	at->t.empty = empty;
	at->t.leaves = leaves;
}

/* The level is a constant of each copy. */
static void scan_at_level(struct scan *s, struct scan_at *at)
{
	switch (at->t.level) {
	case 0:
		scan_entries(s, at, 0);
		break;
	case 1:
		scan_entries(s, at, 1);
		break;
	case 2:
		scan_entries(s, at, 2);
		break;
#if FMT_MAX_LEVELS > 3
	case 3:
		scan_entries(s, at, 3);
		break;
#endif
#if FMT_MAX_LEVELS > 4
	case 4:
		scan_entries(s, at, 4);
		break;
#endif
	default:
		break;
	}
}

static bool scan_on_path(const struct scan *s, const struct insp_table *t)
{
	for (unsigned l = t->level + 1U; l < s->g.levels; l++)
		if (s->path[l] == t->pa)
			return true;
	return false;
}

/* Levels only go down, so that a cycle ends by itself; what it would show is no tree. */
static void scan_table(struct scan *s, struct scan_at *at)
{
	if (scan_on_path(s, &at->t)) {
		scan_skip(s, &at->t, INSP_CYCLE);
		return;
	}
	if (s->done.tables == s->budget) {
		scan_skip(s, &at->t, INSP_BUDGET);
		return;
	}
	if (!scan_read(s, at)) {
		scan_skip(s, &at->t, INSP_MISSING);
		return;
	}
	s->done.tables++;
	s->path[at->t.level] = at->t.pa;
	if (s->visit->enter && !s->visit->enter(s->context, &at->t))
		return;
	if (at->gone)
		scan_skip_gone(s, at);
	scan_at_level(s, at);
	if (s->visit->leave)
		s->visit->leave(s->context, &at->t);
}

struct insp_scanned SCAN_NAME(struct insp_memory *memory, const struct insp_tree *tree, struct scan_span span,
			      const struct insp_visitor *visit, void *context) {
	const unsigned top = tree->geom.levels - 1U, entries = 1U << fmt_index_bits(&tree->geom, top);
	struct scan s;
	struct scan_at root = {.end = tree->root_entries && tree->root_entries < entries ? tree->root_entries
											 : entries};

	s.memory = memory;
	s.tree = tree;
	s.g = tree->geom;
	s.visit = visit;
	s.context = context;
	s.start = span.start;
	s.last = span.last;
	s.budget = scan_budget(memory, visit);
	s.done = (struct insp_scanned){0};
	root.t = (struct insp_table){
		.va = scan_va(&s.g, 0),
		.pa = tree->root,
		.parent = COP_PA_NONE,
		.level = (uint8_t)top,
		.entries = entries,
	};
	scan_table(&s, &root);
	return s.done;
}
