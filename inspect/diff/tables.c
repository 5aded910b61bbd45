/* SPDX-License-Identifier: MIT */
/* Tables of two moments, merged by virtual address, at each address from the root down. */
#include "inspect/diff/merge.h"

static void flush(struct differ *d)
{
	if (d->open)
		d->spec->table(d->context, &d->table);
	d->open = false;
}

static void add(struct differ *d, enum insp_what what, const struct feed_table *t)
{
	struct insp_table_change *p = &d->table;

	if (d->open && p->what == what && p->level == t->level && p->va + p->bytes == t->va) {
		p->tables++;
		p->empty += t->empty;
		p->bytes += t->bytes;
		return;
	}
	flush(d);
	*p = (struct insp_table_change){.tree = d->b,
					.what = what,
					.level = t->level,
					.va = t->va,
					.pa = t->pa,
					.tables = 1,
					.empty = t->empty,
					.bytes = t->bytes};
	d->open = true;
}

/* Negative: @a comes first. */
static int order(const struct feed_table *a, const struct feed_table *b)
{
	if (!a || !b)
		return a ? -1 : 1;
	if (a->va != b->va)
		return a->va < b->va ? -1 : 1;
	return b->level - a->level;
}

void diff_tables(struct differ *d)
{
	for (;;) {
		const struct feed_table *a = feed_table(d->feed_a), *b = feed_table(d->feed_b);
		int first;

		if (!a && !b)
			break;
		first = order(a, b);
		if (first < 0)
			add(d, INSP_VANISHED, a);
		else if (first > 0)
			add(d, INSP_APPEARED, b);
		else if (a->pa != b->pa)
			add(d, INSP_CHANGED, b);
		if (first <= 0)
			feed_take(d->feed_a);
		if (first >= 0)
			feed_take(d->feed_b);
	}
	flush(d);
}
