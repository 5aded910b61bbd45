/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "inspect/diff/merge.h"

static bool same_shape(const struct insp_tree *a, const struct insp_tree *b)
{
	return a->format == b->format && a->geom.levels == b->geom.levels && a->geom.va_bits == b->geom.va_bits &&
	       a->geom.half == b->geom.half;
}

static void pass(struct differ *d, struct insp_memory *before, struct insp_memory *after, enum feed_of of)
{
	feed_open(d->feed_a, before, d->a, of, d->spec->start, d->spec->last);
	feed_open(d->feed_b, after, d->b, of, d->spec->start, d->spec->last);
	if (of == FEED_RUNS)
		diff_leaves(d);
	else
		diff_tables(d);
	d->done->cut |= d->feed_a->cut || d->feed_b->cut;
}

int insp_diff(struct insp_memory *before, const struct insp_tree *a, struct insp_memory *after,
	      const struct insp_tree *b, const struct insp_diff_spec *spec, void *context, struct insp_differed *done)
{
	struct differ d = {.a = a, .b = b, .spec = spec, .context = context, .done = done};
	int err = -COP_ENOMEM;

	*done = (struct insp_differed){0};
	if (!same_shape(a, b))
		return -COP_EINVAL;
	d.feed_a = malloc(sizeof(*d.feed_a));
	d.feed_b = malloc(sizeof(*d.feed_b));
	if (d.feed_a && d.feed_b) {
		pass(&d, before, after, FEED_RUNS);
		pass(&d, before, after, FEED_TABLES);
		done->missing = d.feed_a->missing + d.feed_b->missing;
		err = 0;
	}
	free(d.feed_a);
	free(d.feed_b);
	return err;
}
