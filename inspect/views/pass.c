// SPDX-License-Identifier: MIT
#include <string.h>

#include "inspect/views/attrs.h"
#include "inspect/views/pass.h"

#define LEVELS 5

struct passing {
	const struct insp_tree *tree;
	const struct insp_pass *pass;
	void *context;
	bool all; /* nothing but leaves to sort out */
	/* The last leaf's attributes and what they follow from: all of its entry but the address. */
	uint64_t address[LEVELS], entry;
	uint32_t denied, attrs;
	unsigned level;
};

struct insp_filter insp_filter_all(void)
{
	return (struct insp_filter){.last = ~0ULL, .pa_last = ~0ULL};
}

static void add(struct insp_filter *f, const struct insp_attr_name *name, bool not )
{
	if (name->mask != COP_MT_MASK && not )
		f->may_not |= name->value;
	else if (name->mask != COP_MT_MASK)
		f->must |= name->value;
	else if (not )
		f->not_types |= (uint8_t)(1U << (name->value >> 16));
	else
		f->types |= (uint8_t)(1U << (name->value >> 16));
}

const char *insp_filter_parse(struct insp_filter *f, const char *text)
{
	while (*text) {
		const bool not = *text == '!';
		const char *word = text + not ;
		const size_t length = strcspn(word, ",");
		const struct insp_attr_name *name = insp_attr_find(word, length);

		if (!name)
			return text;
		add(f, name, not );
		text = word + length + (word[length] == ',');
	}
	return NULL;
}

static bool attrs_wanted(const struct insp_filter *f, uint32_t attrs)
{
	const unsigned type = 1U << ((attrs & COP_MT_MASK) >> 16);

	if ((attrs & f->must) != f->must || (attrs & f->may_not))
		return false;
	return (f->types == 0 || (f->types & type)) && !(f->not_types & type);
}

/* Leaves of a run ascend, so that those in a stretch of physical addresses are neighbours. */
static bool cut(const struct insp_filter *f, struct insp_run *run)
{
	const uint64_t bytes = COP_LG2(run->lg2);
	const cop_pa last = run->pa + (run->count * bytes - 1);
	unsigned skip = 0;

	if (last < f->pa_start || run->pa > f->pa_last)
		return false;
	if (last > f->pa_last)
		run->count -= (unsigned)((last - f->pa_last) >> run->lg2);
	if (run->pa < f->pa_start)
		skip = (unsigned)((f->pa_start - run->pa) >> run->lg2);
	run->va += skip * bytes;
	run->pa += skip * bytes;
	run->entry += skip * run->step;
	run->index += skip;
	run->count -= skip;
	return true;
}

static void see(void *context, const struct insp_run *run)
{
	struct passing *p = context;
	const struct insp_filter *f = &p->pass->filter;
	struct insp_run part;

	if (run->kind != COP_LEAF)
		return;
	if (((run->entry ^ p->entry) & ~p->address[run->level]) || run->level != p->level || run->denied != p->denied) {
		p->entry = run->entry;
		p->level = run->level;
		p->denied = run->denied;
		p->attrs = insp_attrs(p->tree, run);
	}
	if (p->all) {
		p->pass->leaves(p->context, run, p->attrs);
		return;
	}
	part = *run;
	if ((f->bytes && f->bytes != COP_LG2(run->lg2)) || !attrs_wanted(f, p->attrs) || !cut(f, &part))
		return;
	p->pass->leaves(p->context, &part, p->attrs);
}

static bool enter(void *context, const struct insp_table *t)
{
	struct passing *p = context;

	return !p->pass->also || !p->pass->also->enter || p->pass->also->enter(p->context, t);
}

static void leave(void *context, const struct insp_table *t)
{
	struct passing *p = context;

	p->pass->also->leave(p->context, t);
}

static void skip(void *context, const struct insp_table *t, enum insp_skip why)
{
	struct passing *p = context;

	p->pass->also->skip(p->context, t, why);
}

static bool wants_all(const struct insp_filter *f)
{
	return !f->must && !f->may_not && !f->types && !f->not_types && !f->bytes && f->pa_start == 0 &&
	       f->pa_last == ~0ULL;
}

/* Bits of a valid leaf that its address takes. */
static uint64_t address_bits(const struct insp_tree *tree, unsigned level)
{
	const struct cop_geom *g = &tree->geom;
	const cop_pa top = (COP_LG2(g->pa_bits) - 1) & (~0ULL << tree->format->shift(level));

	return tree->format->leaf(g, top, level, COP_READ) ^ tree->format->leaf(g, 0, level, COP_READ);
}

struct insp_scanned insp_pass(struct insp_memory *memory, const struct insp_tree *tree, const struct insp_pass *pass,
			      void *context)
{
	const struct insp_visitor *also = pass->also;
	struct passing p = {.tree = tree, .pass = pass, .context = context, .level = LEVELS};
	const struct insp_visitor visitor = {
		.run = see,
		.enter = also && also->enter ? enter : NULL,
		.leave = also && also->leave ? leave : NULL,
		.skip = also && also->skip ? skip : NULL,
		.budget = also ? also->budget : 0,
	};

	p.all = wants_all(&pass->filter);
	for (unsigned level = 0; level < tree->geom.levels; level++)
		p.address[level] = address_bits(tree, level);
	return insp_scan(memory, tree, pass->filter.start, pass->filter.last, &visitor, &p);
}
