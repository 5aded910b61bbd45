/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "inspect/picture.h"

/* A hole smaller than this does not end a stretch. */
#define SMALL_HOLE (2ULL << 20)

struct drawing {
	struct picture *picture;
	const struct insp_machine *machine;
	const struct insp_tree *tree;
	unsigned first, now; /* stretches of this tree from the first on; the one that was looked at last */
};

static const char *region_of(const struct drawing *d, cop_va va)
{
	for (size_t i = 0; i < d->machine->region_count; i++)
		if (va >= d->machine->regions[i].start && va <= d->machine->regions[i].last)
			return d->machine->regions[i].name;
	return NULL;
}

static unsigned lg2_of(const struct insp_tree *tree, const struct insp_run *run)
{
	const bool cont = tree->format->attrs(&tree->geom, run->entry, run->level) & COP_CONT;

	return run->lg2 + (cont ? tree->format->cont_lg2(&tree->geom, run->level) : 0);
}

/* The class of a size, added if it is new; the last one takes all that are too many. */
static unsigned size_class(struct picture *p, unsigned lg2)
{
	unsigned i = 0;

	while (i < p->sizes && p->size_lg2[i] < lg2)
		i++;
	if (i < p->sizes && p->size_lg2[i] == lg2)
		return i;
	if (p->sizes == PICTURE_SIZES)
		return i < p->sizes ? i : p->sizes - 1;
	memmove(p->size_lg2 + i + 1, p->size_lg2 + i, p->sizes - i);
	p->size_lg2[i] = (uint8_t)lg2;
	p->sizes++;
	return i;
}

static uint64_t gap_after(const struct picture_stretch *s)
{
	if (s[0].region != s[1].region)
		return ~0ULL;
	return s[1].start - (s[0].start + s[0].bytes);
}

/* Too many: the two that are nearest to each other become one. */
static void join_nearest(struct drawing *d)
{
	struct picture *p = d->picture;
	unsigned best = d->first;

	for (unsigned i = d->first; i + 1 < p->stretches; i++)
		if (gap_after(&p->stretch[i]) < gap_after(&p->stretch[best]))
			best = i;
	p->stretch[best].bytes = p->stretch[best + 1].start + p->stretch[best + 1].bytes - p->stretch[best].start;
	memmove(&p->stretch[best + 1], &p->stretch[best + 2], (p->stretches - best - 2) * sizeof(*p->stretch));
	p->stretches--;
}

static bool continues(const struct picture_stretch *s, const char *region, cop_va va)
{
	return s->region == region && va - (s->start + s->bytes) < SMALL_HOLE;
}

static void find_stretch(void *context, const struct insp_run *run)
{
	struct drawing *d = context;
	struct picture *p = d->picture;
	const uint64_t bytes = (uint64_t)run->count << run->lg2;
	const char *region;
	struct picture_stretch *s;

	if (run->kind != COP_LEAF)
		return;
	(void)size_class(p, lg2_of(d->tree, run));
	region = region_of(d, run->va);
	if (p->stretches > d->first && continues(&p->stretch[p->stretches - 1], region, run->va)) {
		s = &p->stretch[p->stretches - 1];
		s->bytes = run->va - s->start + bytes ? run->va - s->start + bytes : ~0ULL;
		return;
	}
	if (p->stretches - d->first == PICTURE_STRETCHES)
		join_nearest(d);
	p->stretch[p->stretches++] =
		(struct picture_stretch){.tree = d->tree, .region = region, .start = run->va, .bytes = bytes};
}

/* Bytes of [from, end), offsets in the stretch, into the bins they lie in. */
static void fill_bins(struct picture_stretch *s, uint64_t from, uint64_t end, unsigned size)
{
	const double width = (double)s->bytes / s->bins;
	unsigned i = (unsigned)((double)from / width);

	for (; i < s->bins && (double)i * width < (double)end; i++) {
		const double low = (double)i * width > (double)from ? (double)i * width : (double)from;
		const double high = (double)(i + 1) * width < (double)end ? (double)(i + 1) * width : (double)end;

		if (high > low)
			s->bin[i][size] += (float)((high - low) / width);
	}
}

static void fill(void *context, const struct insp_run *run)
{
	struct drawing *d = context;
	struct picture *p = d->picture;
	const uint64_t bytes = (uint64_t)run->count << run->lg2;
	struct picture_stretch *s;
	unsigned size;

	if (run->kind != COP_LEAF)
		return;
	while (d->now + 1 < p->stretches && p->stretch[d->now + 1].tree == d->tree &&
	       run->va >= p->stretch[d->now + 1].start)
		d->now++;
	s = &p->stretch[d->now];
	size = size_class(p, lg2_of(d->tree, run));
	s->mapped[size] += bytes;
	s->leaves[size] += run->count;
	fill_bins(s, run->va - s->start, run->va - s->start + bytes, size);
}

static void count_table(void *context, const struct insp_table *t)
{
	struct drawing *d = context;
	struct picture *p = d->picture;
	struct picture_level *l = &p->level[t->level];
	const unsigned used = t->entries - t->first - t->empty;
	unsigned full = used * PICTURE_FULLNESS / t->entries;

	l->name = d->tree->format->level_name(&d->tree->geom, t->level);
	l->tables++;
	l->bytes += COP_LG2(d->tree->format->table_lg2(&d->tree->geom, t->level));
	l->entries += t->entries;
	l->used += used;
	l->fullness[full < PICTURE_FULLNESS ? full : PICTURE_FULLNESS - 1]++;
	if (p->levels < t->level + 1U)
		p->levels = t->level + 1U;
}

int insp_picture(const struct insp_machine *m, const char *tree, cop_va start, cop_va last,
		 unsigned (*bins_of)(uint64_t bytes), struct picture *p)
{
	const struct insp_visitor find = {.run = find_stretch}, fills = {.run = fill, .leave = count_table};
	struct drawing d = {.picture = p, .machine = m};
	unsigned first[INSP_TREES] = {0};

	memset(p, 0, sizeof(*p));
	p->stretch = calloc((size_t)m->trees * PICTURE_STRETCHES + 1, sizeof(*p->stretch));
	if (!p->stretch)
		return -COP_ENOMEM;
	for (unsigned i = 0; i < m->trees; i++) {
		d.tree = &m->tree[i];
		d.first = first[i] = p->stretches;
		if (!tree || !strcmp(tree, d.tree->name))
			(void)insp_scan(m->memory, d.tree, start, last, &find, &d);
	}
	for (unsigned i = 0; i < p->stretches; i++)
		p->stretch[i].bins = bins_of(p->stretch[i].bytes);
	for (unsigned i = 0; i < m->trees; i++) {
		struct insp_scanned s;

		d.tree = &m->tree[i];
		d.now = first[i];
		if (tree && strcmp(tree, d.tree->name) != 0)
			continue;
		s = insp_scan(m->memory, d.tree, start, last, &fills, &d);
		p->scanned.tables += s.tables;
		p->scanned.missing += s.missing;
	}
	return 0;
}

void insp_picture_free(struct picture *p)
{
	free(p->stretch);
	p->stretch = NULL;
}
