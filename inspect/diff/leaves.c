/* SPDX-License-Identifier: MIT */
/* Leaves of two moments, merged by virtual address. */
#include "inspect/diff/merge.h"

#define ACCESSED ((uint32_t)(COP_YOUNG | COP_DIRTY | COP_SOFT_DIRTY))

/* What is left of a run: its addresses from @va on. */
struct piece {
	const struct insp_run *run;
	cop_va va, last;
};

static void next(struct piece *p, struct feed *f, cop_va from)
{
	for (;;) {
		p->run = feed_run(f);
		if (!p->run)
			return;
		p->last = p->run->va + (((uint64_t)p->run->count << p->run->lg2) - 1);
		if (p->last >= from)
			break;
		feed_take(f);
	}
	p->va = p->run->va > from ? p->run->va : from;
}

static struct insp_side side(const struct insp_tree *tree, const struct piece *p, cop_va va, cop_va last)
{
	const struct insp_run *r = p->run;
	const uint64_t size = COP_LG2(r->lg2);
	struct insp_side s = {.lg2 = r->lg2, .kind = r->kind, .linear = true};

	/* An entry counts where it begins. */
	s.entries = ((last - r->va) >> r->lg2) + 1 - ((va - r->va + size - 1) >> r->lg2);
	if (r->kind != COP_LEAF)
		return s;
	s.pa = r->pa + (va - r->va);
	s.attrs = insp_attrs(tree, r);
	return s;
}

static unsigned how(const struct differ *d, const struct insp_side *a, const struct insp_side *b)
{
	const uint32_t diff = a->attrs ^ b->attrs;

	if (a->kind != b->kind)
		return INSP_KIND;
	if (a->kind != COP_LEAF)
		return 0;
	return (a->pa != b->pa ? INSP_MOVED : 0U) | (diff & ~ACCESSED ? INSP_ATTRS : 0U) |
	       (b->lg2 < a->lg2 ? INSP_SPLIT : 0U) | (b->lg2 > a->lg2 ? INSP_JOINED : 0U) |
	       (d->spec->accessed && (diff & ACCESSED) ? INSP_ACCESSED : 0U);
}

static bool same_side(const struct differ *d, const struct insp_side *a, const struct insp_side *b)
{
	const uint32_t ignored = d->spec->accessed ? 0 : ACCESSED;

	return a->lg2 == b->lg2 && a->kind == b->kind && !((a->attrs ^ b->attrs) & ~ignored);
}

static bool crosses_region(const struct differ *d, cop_va va)
{
	for (size_t i = 0; i < d->spec->region_count; i++)
		if (d->spec->regions[i].start == va)
			return true;
	return false;
}

static bool joins(const struct differ *d, const struct insp_change *c)
{
	const struct insp_change *p = &d->change;

	return d->open && p->what == c->what && p->how == c->how && p->va + p->bytes == c->va &&
	       same_side(d, &p->before, &c->before) && same_side(d, &p->after, &c->after) && !crosses_region(d, c->va);
}

static void add_side(struct insp_side *to, const struct insp_side *more, uint64_t bytes)
{
	to->linear &= more->linear && to->pa + bytes == more->pa;
	to->entries += more->entries;
}

static void flush(struct differ *d)
{
	if (d->open)
		d->spec->change(d->context, &d->change);
	d->open = false;
}

static void add(struct differ *d, const struct insp_change *c)
{
	if (!joins(d, c)) {
		flush(d);
		d->change = *c;
		d->open = true;
		return;
	}
	add_side(&d->change.before, &c->before, d->change.bytes);
	add_side(&d->change.after, &c->after, d->change.bytes);
	d->change.bytes += c->bytes;
}

/* [va, last], which each side maps with one run or not at all. */
static void segment(struct differ *d, const struct piece *a, const struct piece *b, cop_va va, cop_va last)
{
	struct insp_change c = {.tree = d->b, .va = va, .bytes = last - va + 1};

	if (a)
		c.before = side(d->a, a, va, last);
	if (b)
		c.after = side(d->b, b, va, last);
	c.what = !a ? INSP_APPEARED : !b ? INSP_VANISHED : INSP_CHANGED;
	if (a && b) {
		c.how = how(d, &c.before, &c.after);
		if (c.how == 0) {
			d->done->same += c.before.kind == COP_LEAF ? c.bytes : 0;
			return;
		}
	}
	add(d, &c);
}

static cop_va least(cop_va a, cop_va b)
{
	return a < b ? a : b;
}

void diff_leaves(struct differ *d)
{
	struct piece a, b;
	cop_va from = d->spec->start;

	for (;;) {
		cop_va va, last;
		bool in_a, in_b;

		next(&a, d->feed_a, from);
		next(&b, d->feed_b, from);
		if (!a.run && !b.run)
			break;
		va = !a.run ? b.va : !b.run ? a.va : least(a.va, b.va);
		in_a = a.run && a.va == va;
		in_b = b.run && b.va == va;
		last = in_a && in_b ? least(a.last, b.last) : in_a ? a.last : b.last;
		if (in_a && b.run && !in_b)
			last = least(last, b.va - 1);
		if (in_b && a.run && !in_a)
			last = least(last, a.va - 1);
		segment(d, in_a ? &a : NULL, in_b ? &b : NULL, va, last);
		if (last == ~0ULL)
			break;
		from = last + 1;
	}
	flush(d);
}
