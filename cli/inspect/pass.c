// SPDX-License-Identifier: MIT
#include <inttypes.h>
#include <stdio.h>

#include "cli/cli.h"
#include "cli/inspect/inspect.h"
#include "cli/out.h"

/* The clock is looked at once for so many tables. */
#define TABLES_PER_LOOK 1024

struct watched {
	const struct insp_visitor *visitor;
	void (*leaves)(void *, const struct insp_run *, uint32_t attrs);
	const struct insp_tree *tree;
	void *context;
	struct out_progress progress;
	uint64_t tables;
	unsigned used, done; /* entries of the root that are not empty, and those behind */
	const struct insp_table *root;
	unsigned index; /* in the root */
};

static unsigned used_entries(const struct insp_tree *tree, const struct insp_table *t, unsigned end)
{
	unsigned n = 0;

	for (unsigned i = 0; i < end && i < t->entries; i++)
		n += t->values[i] != tree->format->empty(t->level);
	return n;
}

/* How far: used entries of the root count alike. */
static void look(struct watched *w, const struct insp_table *t)
{
	const unsigned level = w->tree->geom.levels - 1U, shift = w->tree->format->shift(level);
	const unsigned bits = w->tree->format->index_bits(&w->tree->geom, level);
	const unsigned index = (unsigned)(t->va >> shift) & ((1U << bits) - 1);
	const double inside = (double)(t->va & (COP_LG2(shift) - 1)) / (double)COP_LG2(shift);

	if (t->level == level) {
		w->root = t;
		w->used = used_entries(w->tree, t, t->entries);
		return;
	}
	if (w->tables++ % TABLES_PER_LOOK || !w->root)
		return;
	if (index != w->index) {
		w->index = index;
		w->done = used_entries(w->tree, w->root, index);
	}
	out_progress(&w->progress, (w->done + inside) / (w->used ? w->used : 1));
}

static bool enter(void *context, const struct insp_table *t)
{
	struct watched *w = context;

	look(w, t);
	return !w->visitor || !w->visitor->enter || w->visitor->enter(w->context, t);
}

static void leave(void *context, const struct insp_table *t)
{
	struct watched *w = context;

	if (w->visitor && w->visitor->leave)
		w->visitor->leave(w->context, t);
}

static void skip(void *context, const struct insp_table *t, enum insp_skip why)
{
	struct watched *w = context;

	if (w->visitor && w->visitor->skip)
		w->visitor->skip(w->context, t, why);
}

static void see(void *context, const struct insp_run *run)
{
	struct watched *w = context;

	w->visitor->run(w->context, run);
}

static void leaves(void *context, const struct insp_run *run, uint32_t attrs)
{
	struct watched *w = context;

	w->leaves(w->context, run, attrs);
}

void inspect_skipped(const struct insp_tree *tree, const struct insp_scanned *done)
{
	const char *space = *tree->name ? " " : "";

	if (done->missing)
		cli_note("tree%s%s: %" PRIu64 " tables are not in the input: holes", space, tree->name, done->missing);
	if (done->cycles)
		cli_note("tree%s%s: %" PRIu64 " entries link a table above them: skipped", space, tree->name,
			 done->cycles);
	if (done->budget)
		cli_note("tree%s%s: %" PRIu64 " links skipped after %" PRIu64
			 " tables: they share tables over and over",
			 space, tree->name, done->budget, done->tables);
}

struct insp_scanned inspect_scan(struct inspect *in, unsigned i, const struct insp_tree *tree,
				 const struct insp_visitor *visitor, void *context)
{
	struct watched w = {.visitor = visitor, .tree = tree, .context = context, .index = ~0U};
	const struct insp_visitor watching = {.run = visitor->run ? see : NULL,
					      .enter = enter,
					      .leave = leave,
					      .skip = skip,
					      .budget = visitor->budget};
	struct insp_scanned done;

	w.progress = out_progress_begin("reading tables:");
	done = insp_scan(in->machine[i].memory, tree, in->filter.start, in->filter.last, &watching, &w);
	out_progress_end(&w.progress);
	inspect_skipped(tree, &done);
	return done;
}

void inspect_pass(struct inspect *in, unsigned i, const struct insp_tree *tree, const struct insp_pass *pass,
		  void *context)
{
	struct watched w = {
		.visitor = pass->also, .leaves = pass->leaves, .tree = tree, .context = context, .index = ~0U};
	const struct insp_visitor also = {.enter = enter, .leave = leave, .skip = skip};
	const struct insp_pass watching = {.filter = pass->filter, .leaves = leaves, .also = &also};
	struct insp_scanned done;

	w.progress = out_progress_begin("reading tables:");
	done = insp_pass(in->machine[i].memory, tree, &watching, &w);
	out_progress_end(&w.progress);
	inspect_skipped(tree, &done);
}

void inspect_pass_all(struct inspect *in, unsigned i, const struct insp_pass *pass,
		      void (*on_tree)(void *, const struct insp_tree *), void *context)
{
	const struct insp_machine *m = &in->machine[i];

	for (unsigned k = 0; k < m->trees; k++) {
		if (!inspect_wants(in, &m->tree[k]))
			continue;
		if (on_tree)
			on_tree(context, &m->tree[k]);
		inspect_pass(in, i, &m->tree[k], pass, context);
	}
}
