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

static bool before(const struct feed_table *a, const struct feed_table *b)
{
	return a->va != b->va ? a->va < b->va : a->level > b->level;
}

void diff_tables(struct differ *d)
{
	for (;;) {
		const struct feed_table *a = feed_table(d->feed_a), *b = feed_table(d->feed_b);

		if (a && (!b || before(a, b))) {
			add(d, INSP_VANISHED, a);
			feed_take(d->feed_a);
		} else if (b && (!a || before(b, a))) {
			add(d, INSP_APPEARED, b);
			feed_take(d->feed_b);
		} else if (a && b) {
			if (a->pa != b->pa)
				add(d, INSP_CHANGED, b);
			feed_take(d->feed_a);
			feed_take(d->feed_b);
		} else {
			break;
		}
	}
	flush(d);
}
