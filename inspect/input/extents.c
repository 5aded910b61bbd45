/* SPDX-License-Identifier: MIT */
/* Lists of what a source has. */
#include <stdlib.h>

#include "inspect/input/input.h"

static int by_start(const void *a, const void *b)
{
	const struct insp_extent *x = a, *y = b;

	return (x->start > y->start) - (x->start < y->start);
}

size_t input_merge(struct insp_extent *e, size_t count)
{
	size_t n = 0;

	if (count == 0)
		return 0;
	qsort(e, count, sizeof(*e), by_start);
	for (size_t i = 1; i < count; i++) {
		if (e[i].start > e[n].end)
			e[++n] = e[i];
		else if (e[i].end > e[n].end)
			e[n].end = e[i].end;
	}
	return n + 1;
}
