/* SPDX-License-Identifier: MIT */
/* The execution that just failed, as people read it: what is told of it, by CPU. */
#include "checker/trace.h"
#include "checker/rules.h"
#include "checker/run.h"

#include <stdlib.h>
#include <string.h>

/* The machine's own slots are used again when it is all over. */
const struct checker_actor *trace_actor(unsigned slot)
{
	for (const struct checker_actor *a = run_program()->actors; a->name; a++) {
		if (a->cpu == slot)
			return a;
	}
	return NULL;
}

static unsigned cpu_of(unsigned slot)
{
	const struct checker_program *p = run_program();

	return slot < SIM_CPUS && p->places && trace_actor(slot) ? p->places[slot].on : slot % SIM_CPUS;
}

/* Callbacks have a column of their own; all others that of the CPU they run on. */
static unsigned place_of(unsigned slot)
{
	return slot == SIM_RCU_CPU ? SIM_CPUS : slot < SIM_CPUS ? cpu_of(slot) : sim.cpu[slot].on % SIM_CPUS;
}

static unsigned name_cpu(char *out, size_t room, unsigned cpu)
{
	unsigned count = 0;
	size_t n = 0;

	out[0] = 0;
	for (unsigned i = 0; i < SIM_CPUS && n < room; i++) {
		if (trace_actor(i) && cpu_of(i) == cpu)
			n += (size_t)snprintf(out + n, room - n, "%s%s", count++ ? ", " : "", trace_actor(i)->name);
	}
	if (n < room)
		snprintf(out + n, room - n, "%sCPU %u", n ? " on " : "", cpu);
	return count;
}

static void find_columns(struct trace *t, const bool *shown, unsigned *column)
{
	bool ran[SIM_CPUS + 1] = {false};

	for (size_t i = 0; i < sim.events; i++)
		ran[place_of(sim.event[i].cpu)] |= shown[i];
	for (unsigned c = 0; c <= SIM_CPUS; c++) {
		column[c] = t->columns;
		if (!ran[c])
			continue;
		if (c == SIM_CPUS)
			snprintf(t->column[t->columns], sizeof(*t->column), "callbacks");
		else
			name_cpu(t->column[t->columns], sizeof(*t->column), c);
		t->columns++;
	}
	/* A failure of the setup, or of nobody. */
	if (!t->columns)
		snprintf(t->column[t->columns++], sizeof(*t->column), "CPU 0");
}

/* The next entry of the same table changed, at the same place of the source. */
static bool goes_on(const struct trace_line *l, const struct sim_event *e)
{
	const struct sim_event *o = l->event;

	return o && e->tree != SIM_NO_TREE && o->tree == e->tree && o->op == e->op && o->cpu == e->cpu &&
	       o->at.line == e->at.line && o->at.file == e->at.file &&
	       (const char *)e->where == (const char *)o->where + 8 * (l->more + 1UL);
}

/* Several share a CPU: who it is that goes on. */
static void add_line(struct trace *t, const unsigned *column, const struct sim_event *e, unsigned folded)
{
	struct trace_line *l = &t->line[t->lines++];
	char names[64];
	size_t n = 0;

	*l = (struct trace_line){.event = folded ? NULL : e,
				 .column = column[place_of(e->cpu)],
				 .actor = e->cpu,
				 .folded = folded,
				 .number = (size_t)(e - sim.event) + 1};
	if (e->step == SIM_NO_STEP)
		n = (size_t)snprintf(l->text, sizeof(l->text), "at the end: ");
	else if (trace_actor(e->cpu) && name_cpu(names, sizeof(names), cpu_of(e->cpu)) > 1)
		n = (size_t)snprintf(l->text, sizeof(l->text), "%s: ", trace_actor(e->cpu)->name);
	if (folded)
		snprintf(l->text + n, sizeof(l->text) - n, "... %u private", folded);
	else
		trace_describe(l->text + n, sizeof(l->text) - n, e);
}

static void find_lines(struct trace *t, const bool *shown, const bool *past, const unsigned *column)
{
	const struct sim_event *first = NULL;
	unsigned folded = 0;

	for (size_t i = 0; i < sim.events; i++) {
		const struct sim_event *e = &sim.event[i];

		if (!past[i]) {
			t->left_out++;
			continue;
		}
		if (folded && (shown[i] || e->cpu != first->cpu)) {
			add_line(t, column, first, folded);
			folded = 0;
		}
		if (shown[i] && t->lines && goes_on(&t->line[t->lines - 1], e))
			t->line[t->lines - 1].more++;
		else if (shown[i])
			add_line(t, column, e, 0);
		else if (!folded++)
			first = e;
	}
}

static void add_counts(struct trace *t)
{
	for (size_t i = 0; i < t->lines; i++) {
		struct trace_line *l = &t->line[i];
		const size_t n = strlen(l->text);

		if (l->more)
			snprintf(l->text + n, sizeof(l->text) - n, "; so the next %u entries", l->more);
	}
}

static const char *manual_of(const struct checker_rule *rule)
{
	const struct cop_format *format = NULL;

	for (unsigned i = 0; i < SIM_TREES && !format; i++)
		format = sim.tree[i].format;
	if (!rule || !format || !format->arch_name)
		return NULL;
	switch (format->arch) {
	case COP_ARM64:
		return rule->arm64;
	case COP_X86_64:
		return rule->x86_64;
	case COP_RISCV64:
		return rule->riscv64;
	default:
		return rule->s390x;
	}
}

static void find_who(struct trace *t)
{
	const struct sim_event *last = sim.events ? &sim.event[sim.events - 1] : NULL;

	if (!last || last->op != SIM_OP_REPORT)
		return;
	t->at = last->at;
	if (last->cpu == SIM_RCU_CPU)
		snprintf(t->who, sizeof(t->who), "a callback");
	else if (last->step != SIM_NO_STEP && trace_actor(last->cpu))
		snprintf(t->who, sizeof(t->who), "%s on CPU %u", trace_actor(last->cpu)->name, cpu_of(last->cpu));
	else
		snprintf(t->who, sizeof(t->who), "at the end");
}

static void print_all(const struct trace *t, const struct checker_show *show, FILE *text)
{
	if (text)
		trace_print(t, show, text);
	if (show && show->json)
		trace_print_json(t, show, show->json);
	if (show && show->chrome)
		trace_print_chrome(t, show, show->chrome);
}

void checker_trace(const struct checker_show *show, FILE *text)
{
	struct trace *t = calloc(1, sizeof(*t));
	bool *shown = calloc(sim.events + 1, 1), *past = calloc(sim.events + 1, 1);
	unsigned column[SIM_CPUS + 1];

	if (!t || !shown || !past || !(t->line = calloc(sim.events + 1, sizeof(*t->line)))) {
		fprintf(stderr, "checker: no memory for a trace of %zu events\n", sim.events);
	} else {
		t->report = &sim.report;
		t->rule = checker_rule(sim.report.rule);
		t->manual = manual_of(t->rule);
		trace_select(shown, past);
		find_who(t);
		find_columns(t, past, column);
		find_lines(t, shown, past, column);
		add_counts(t);
		trace_hold(t);
		print_all(t, show, text);
	}
	if (t)
		free(t->line);
	free(t);
	free(shown);
	free(past);
}
