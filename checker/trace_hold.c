/* SPDX-License-Identifier: MIT */
/* Where it failed: what each CPU may still translate by, and which stores are not made yet. */
#include "checker/trace.h"
#include "ports/sim/mmu.h"

#include <stdarg.h>
#include <string.h>

__attribute__((format(printf, 2, 3))) static void add(struct trace *t, const char *format, ...)
{
	va_list args;

	if (t->holds == sizeof(t->hold) / sizeof(*t->hold))
		return;
	va_start(args, format);
	vsnprintf(t->hold[t->holds], sizeof(*t->hold), format, args);
	va_end(args);
	for (unsigned i = 0; i < t->holds; i++) {
		if (!strcmp(t->hold[i], t->hold[t->holds]))
			return;
	}
	t->holds++;
}

static void visit(const struct sim_item *item, struct sim_walk *w)
{
	const struct sim_tree *tree = item->tree;
	char entry[96], cpu[16] = "every CPU", since[160] = ", as the tables say";

	if (!item->kept || (item->kind != COP_LEAF && item->kind != COP_TABLE))
		return;
	if (sim_inval.local)
		snprintf(cpu, sizeof(cpu), "CPU %u", w->on);
	trace_entry(entry, sizeof(entry), tree, item->level, item->value.value);
	if (!item->current) {
		const struct sim_cause cause = sim_cause_of(item, w->on);

		snprintf(since, sizeof(since), ", overwritten at %s:%d: %s", trace_base_name(cause.at.file),
			 cause.at.line, cause.text);
	}
	add(w->arg, "%s may hold the %s entry of %#llx: %s%s", cpu, tree->format->level_name(&tree->geom, item->level),
	    (unsigned long long)item->va, entry, since);
}

/* The address that it is about: as the report says, or that of the last access through a translation. */
static bool find_va(cop_va *va)
{
	const struct sim_event *last = sim.events ? &sim.event[sim.events - 1] : NULL;
	const void *where;

	*va = sim.report.va;
	if (sim.report.about_va || !last)
		return sim.report.about_va;
	where = sim.cpu[last->cpu].where;
	if (last->step == SIM_NO_STEP || !where || sim_place_of(where).space != SIM_VIRT)
		return false;
	*va = sim_place_of(where).address;
	return true;
}

/* Stores that were announced and not made; a made one is the oldest of its CPU to the same place. */
static void add_waiting(struct trace *t)
{
	for (size_t i = 0; i < sim.events; i++) {
		const struct sim_event *e = &sim.event[i];
		unsigned waiting = 1;
		char text[TRACE_TEXT];

		if (e->op != SIM_OP_BUFFER)
			continue;
		for (size_t k = 0; k < sim.events; k++) {
			const struct sim_event *o = &sim.event[k];

			if (o->cpu != e->cpu || o->where != e->where)
				continue;
			waiting += o->op == SIM_OP_BUFFER && k < i;
			waiting -= o->by_drain && waiting;
		}
		if (!waiting)
			continue;
		trace_describe(text, sizeof(text), e);
		add(t, "CPU %u: %s, from %s:%d", sim.cpu[e->cpu].on, text, trace_base_name(e->at.file), e->at.line);
	}
}

void trace_hold(struct trace *t)
{
	struct sim_walk w = {.visit = visit, .exact = true, .arg = t};
	cop_va va;

	add_waiting(t);
	if (find_va(&va))
		sim_walk_all(&w, va, va);
}
