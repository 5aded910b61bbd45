/* SPDX-License-Identifier: MIT */
/* One pass over each tree, and what every rule is told of it. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "inspect/lint/lint.h"
#include "inspect/lint/tables.h"

static const struct lint_rule *const rules[] = {
	&lint_wx_kernel,    &lint_wx_user,       &lint_user_in_kernel, &lint_reserved,    &lint_contiguous,
	&lint_alias_type,   &lint_table_twice,   &lint_outside_memory, &lint_empty_table, &lint_vmemmap_orphan,
	&lint_vmemmap_hole, &lint_memmap_shared, &lint_not_present,    &lint_l1tf,        &lint_missing_table,
};
#define COUNT (sizeof(rules) / sizeof(*rules))
_Static_assert(COUNT <= LINT_RULES, "room for every rule's state");

const struct insp_rule *insp_rule(unsigned i)
{
	return i < COUNT ? &rules[i]->rule : NULL;
}

const char *insp_severity_name(enum insp_severity severity)
{
	static const char *const names[] = {"note", "warning", "error"};

	return names[severity];
}

static const char *section_of(const struct lint *l, unsigned rule)
{
	return rules[rule]->rule.section[l->tree->format->arch];
}

/* Wanted, allocated, and something that this architecture knows. */
static bool active(const struct lint *l, unsigned rule)
{
	return l->state[rule] && section_of(l, rule);
}

#define TELL(l, callback, ...)                                                                                         \
	for (unsigned i_ = 0; i_ < COUNT; i_++)                                                                        \
		if (rules[i_]->callback && active(l, i_)) {                                                            \
			(l)->now = i_;                                                                                 \
			rules[i_]->callback((l), (l)->state[i_], ##__VA_ARGS__);                                       \
		}

static void flush(struct lint *l, unsigned rule)
{
	if (l->open[rule])
		l->report(l->context, &l->pending[rule]);
	l->open[rule] = false;
}

static bool joins(const struct insp_finding *before, const struct insp_finding *f)
{
	return before->tree == f->tree && before->severity == f->severity && before->bytes &&
	       before->va + before->bytes == f->va && before->level == f->level && strcmp(before->text, f->text) == 0;
}

void lint_report(struct lint *l, struct insp_finding *f, const char *fmt, ...)
{
	struct insp_finding *before = &l->pending[l->now];
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(f->text, sizeof(f->text), fmt, args);
	va_end(args);
	if (l->open[l->now] && joins(before, f)) {
		before->bytes += f->bytes;
		before->entries += f->entries;
		return;
	}
	flush(l, l->now);
	*before = *f;
	l->open[l->now] = true;
}

static struct insp_finding finding(const struct lint *l)
{
	const struct insp_rule *rule = &rules[l->now]->rule;

	return (struct insp_finding){.rule = rule,
				     .tree = l->tree,
				     .section = section_of(l, l->now),
				     .severity = rule->severity,
				     .pa = COP_PA_NONE,
				     .table = COP_PA_NONE};
}

struct insp_finding lint_of_run(const struct lint *l, const struct insp_run *run)
{
	struct insp_finding f = finding(l);

	f.va = run->va;
	f.bytes = (uint64_t)run->count << run->lg2;
	f.pa = run->kind == COP_LEAF ? run->pa : COP_PA_NONE;
	f.table = run->table;
	f.entry = run->entry;
	f.entries = run->count;
	f.index = run->index;
	f.level = run->level;
	return f;
}

/* Of a table: what is named is the entry that links it, one level up. */
struct insp_finding lint_of_table(const struct lint *l, const struct insp_table *t)
{
	const struct insp_tree *tree = l->tree;
	struct insp_finding f = finding(l);
	const unsigned up = t->level + 1U;

	f.va = t->va;
	f.pa = t->pa;
	f.table = t->parent;
	f.entry = t->entry;
	f.entries = 1;
	f.level = (uint8_t)up;
	if (t->parent == COP_PA_NONE) {
		f.level = t->level;
		return f;
	}
	f.bytes = 1ULL << tree->format->shift(up);
	f.index =
		(unsigned)(t->va >> tree->format->shift(up)) & ((1U << tree->format->index_bits(&tree->geom, up)) - 1);
	return f;
}

const char *lint_access(uint32_t attrs)
{
	static const char *const names[] = {"no access", "r--", "-w-", "rw-", "--x", "r-x", "-wx", "rwx"};

	return names[attrs & (COP_READ | COP_WRITE | COP_EXEC)];
}

static void on_run(void *context, const struct insp_run *run)
{
	struct lint *l = context;

	TELL(l, run, run)
}

static void on_collect(void *context, const struct insp_run *run)
{
	struct lint *l = context;

	TELL(l, collect, run)
}

/* False: seen before. A table too many to remember is looked at as if it were new. */
static bool remember(struct lint *l, const struct insp_table *t)
{
	struct lint_seen seen = {.level = t->level, .tree = l->tree_index};

	switch (lint_tables_add(&l->tables, t->pa, &seen)) {
	case LINT_NEW:
		return true;
	case LINT_FULL:
		l->done.incomplete = true;
		return true;
	default:
		TELL(l, again, t, seen)
		return false;
	}
}

static bool on_enter(void *context, const struct insp_table *t)
{
	struct lint *l = context;

	if (!remember(l, t))
		return false;
	TELL(l, enter, t)
	return true;
}

static void on_leave(void *context, const struct insp_table *t)
{
	struct lint *l = context;

	TELL(l, leave, t)
}

static void on_skip(void *context, const struct insp_table *t, enum insp_skip why)
{
	struct lint *l = context;

	TELL(l, skip, t, why)
}

static bool wants_tree(const struct insp_lint_options *options, const struct insp_tree *tree)
{
	return !options->tree || strcmp(options->tree, tree->name) == 0;
}

static bool collects(const struct lint *l)
{
	for (unsigned i = 0; i < COUNT; i++)
		if (rules[i]->collect && active(l, i))
			return true;
	return false;
}

/* Trees that share a root are one. */
static bool first_of_root(const struct lint *l)
{
	for (unsigned i = 0; i < l->tree_index; i++)
		if (l->machine->tree[i].root == l->tree->root && wants_tree(l->options, &l->machine->tree[i]))
			return false;
	return true;
}

static void each_tree(struct lint *l, void (*look)(struct lint *))
{
	for (l->tree_index = 0; l->tree_index < l->machine->trees; l->tree_index++) {
		l->tree = &l->machine->tree[l->tree_index];
		if (wants_tree(l->options, l->tree) && first_of_root(l))
			look(l);
	}
}

static void collect_tree(struct lint *l)
{
	const struct insp_visitor visitor = {.run = on_collect};

	if (collects(l))
		(void)insp_scan(l->machine->memory, l->tree, l->options->start, l->options->last, &visitor, l);
}

static void lint_tree(struct lint *l)
{
	const struct insp_visitor visitor = {.run = on_run, .enter = on_enter, .leave = on_leave, .skip = on_skip};
	struct insp_scanned s;

	TELL(l, begin)
	s = insp_scan(l->machine->memory, l->tree, l->options->start, l->options->last, &visitor, l);
	l->done.scanned.tables += s.tables;
	l->done.scanned.missing += s.missing;
	l->done.scanned.cycles += s.cycles;
	l->done.scanned.budget += s.budget;
	TELL(l, end)
	for (unsigned i = 0; i < COUNT; i++)
		flush(l, i);
}

struct insp_linted insp_lint(const struct insp_machine *machine, const struct insp_lint_options *options,
			     void (*report)(void *, const struct insp_finding *), void *context)
{
	struct lint l = {.machine = machine, .options = options, .report = report, .context = context};

	for (unsigned i = 0; i < COUNT; i++)
		if (options->wanted == 0 || (options->wanted >> i & 1)) {
			l.state[i] = calloc(1, rules[i]->state ? rules[i]->state : 1);
			l.done.incomplete |= !l.state[i];
		}
	each_tree(&l, collect_tree);
	for (unsigned i = 0; i < COUNT; i++)
		if (l.state[i] && rules[i]->collected)
			rules[i]->collected(&l, l.state[i]);
	each_tree(&l, lint_tree);
	for (unsigned i = 0; i < COUNT; i++) {
		if (l.state[i] && rules[i]->finish)
			rules[i]->finish(l.state[i]);
		free(l.state[i]);
	}
	free(l.tables.slot);
	return l.done;
}
