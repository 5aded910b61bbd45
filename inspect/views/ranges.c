// SPDX-License-Identifier: MIT
#include <stdlib.h>

#include "inspect/views/ranges.h"

/* From @start on the address space is called @name. */
struct boundary {
	cop_va start;
	const char *name;
};

struct insp_ranges {
	struct insp_ranges_spec spec;
	const struct insp_tree *tree;
	struct insp_filter filter;
	struct insp_range range; /* not told yet */
	bool open;
	cop_va at; /* up to here all is told or in @range */
	bool at_end;
	const char *region;
	size_t next, boundaries;
	struct boundary boundary[];
};

static void add_boundary(struct insp_ranges *r, cop_va start, const char *name)
{
	r->boundary[r->boundaries++] = (struct boundary){start, name};
}

/* The kernel's own dump knows only where a part starts. */
static void add_boundaries(struct insp_ranges *r)
{
	const struct insp_region *region = r->spec.regions;

	for (size_t i = 0; i < r->spec.region_count; i++) {
		const cop_va end = region[i].last + 1;

		add_boundary(r, region[i].start, region[i].name);
		if (r->spec.holes || end == 0 || (i + 1 < r->spec.region_count && region[i + 1].start <= end))
			continue;
		add_boundary(r, end, NULL);
	}
}

static void flush(struct insp_ranges *r)
{
	if (r->open)
		r->spec.range(r->spec.context, &r->range);
	r->open = false;
}

/* What the kernel's dump looks at next ends what it looked at before: there are no gaps in it. */
static void flush_at(struct insp_ranges *r, cop_va va)
{
	if (r->spec.holes)
		r->range.end = va;
	flush(r);
}

/* The kernel's dump passes one at each entry, so that it is late where two lie in the same. */
static void pass_boundaries(struct insp_ranges *r, cop_va va)
{
	while (r->next < r->boundaries && r->boundary[r->next].start <= va) {
		flush_at(r, va);
		r->region = r->boundary[r->next++].name;
		if (r->spec.holes) {
			r->spec.heading(r->spec.context, r->region);
			break;
		}
	}
}

/* Holes reach across addresses that no tree translates. */
static bool follows(const struct insp_ranges *r, const struct insp_range *new_)
{
	const struct insp_range *old = &r->range;

	if (!r->open || old->hole != new_->hole || old->key != new_->key)
		return false;
	if (r->spec.by_level && old->level != new_->level)
		return false;
	if (new_->hole)
		return true;
	return old->end == new_->start && (!r->spec.by_pa || old->pa + (old->end - old->start) == new_->pa);
}

static void feed(struct insp_ranges *r, const struct insp_range *new_)
{
	if (follows(r, new_)) {
		r->range.end = new_->end;
		r->range.leaves += new_->leaves;
		return;
	}
	flush_at(r, new_->start);
	r->range = *new_;
	r->range.region = r->region;
	r->open = true;
}

/* Entries that are alike, cut at the first one that starts in another part of the address space. */
static void stretch(struct insp_ranges *r, struct insp_range all)
{
	const uint64_t bytes = COP_LG2(all.lg2);

	while (all.leaves) {
		struct insp_range part = all;
		uint64_t ahead;

		pass_boundaries(r, all.start);
		if (r->next < r->boundaries) {
			ahead = r->boundary[r->next].start <= all.start
					? 1
					: (r->boundary[r->next].start - all.start - 1) / bytes + 1;
			part.leaves = all.leaves < ahead ? all.leaves : ahead;
		}
		part.end = all.start + part.leaves * bytes;
		feed(r, &part);
		all.start = part.end;
		all.pa += part.leaves * bytes;
		all.leaves -= part.leaves;
	}
	r->at = all.start;
	r->at_end = all.start == 0;
}

/* Entries of @level up to @end are not there. */
static void hole(struct insp_ranges *r, cop_va end, unsigned level)
{
	const unsigned lg2 = r->tree->format->shift(level);
	const cop_va last = end - 1 < r->filter.last ? end - 1 : r->filter.last;
	const bool skips = r->spec.skip.last && r->at >= r->spec.skip.start && r->at <= r->spec.skip.last;
	cop_va start;

	if (skips)
		r->at = r->spec.skip.last + 1;
	start = COP_ALIGN_DOWN(r->at, COP_LG2(lg2)); /* not so only where the filter starts */

	if (!r->spec.holes || r->at_end || last < r->at || end == r->at)
		return;
	stretch(r, (struct insp_range){
			   .start = start,
			   .leaves = ((last - start) >> lg2) + 1,
			   .level = (uint8_t)level,
			   .lg2 = (uint8_t)lg2,
			   .hole = true,
		   });
}

static void leaves(void *context, const struct insp_run *run, uint32_t attrs)
{
	struct insp_ranges *r = context;

	hole(r, run->va, run->level);
	stretch(r, (struct insp_range){
			   .start = run->va,
			   .pa = run->pa,
			   .entry = run->entry,
			   .leaves = run->count,
			   .key = r->spec.key(run, attrs),
			   .attrs = attrs,
			   .denied = run->denied,
			   .level = run->level,
			   .lg2 = run->lg2,
		   });
}

/* Between halves, nothing is translated: no entries, so that no hole ends there. */
static bool enter(void *context, const struct insp_table *t)
{
	struct insp_ranges *r = context;

	if (t->level + 1U < r->tree->geom.levels)
		hole(r, t->va, t->level + 1U);
	return true;
}

static cop_va end_of(const struct insp_ranges *r, const struct insp_table *t)
{
	const struct insp_halves h = insp_halves(&r->tree->geom);

	if (t->level + 1U == r->tree->geom.levels)
		return h.half[h.count - 1].last + 1;
	return t->va + ((cop_va)t->entries << r->tree->format->shift(t->level));
}

static void leave(void *context, const struct insp_table *t)
{
	struct insp_ranges *r = context;

	hole(r, end_of(r, t), t->level);
}

struct insp_ranges *insp_ranges_begin(const struct insp_ranges_spec *spec, const struct insp_tree *tree,
				      const struct insp_filter *filter)
{
	struct insp_ranges *r = malloc(sizeof(*r) + 2 * spec->region_count * sizeof(*r->boundary));
	const struct insp_halves h = insp_halves(&tree->geom);

	if (!r)
		return NULL;
	*r = (struct insp_ranges){.spec = *spec, .tree = tree, .filter = *filter};
	r->at = filter->start > h.half[0].start ? filter->start : h.half[0].start;
	add_boundaries(r);
	while (r->next + 1 < r->boundaries && r->boundary[r->next + 1].start <= r->at)
		r->next++;
	return r;
}

struct insp_pass insp_ranges_pass(const struct insp_ranges *r)
{
	static const struct insp_visitor also = {.enter = enter, .leave = leave};

	return (struct insp_pass){.filter = r->filter, .leaves = leaves, .also = r->spec.holes ? &also : NULL};
}

void insp_ranges_end(struct insp_ranges *r)
{
	flush(r);
	free(r);
}
