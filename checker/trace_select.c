/* SPDX-License-Identifier: MIT */
/* What is told of an execution: what came before the failure, without what only its actor could notice. */
#include "checker/engine.h"
#include "checker/trace.h"

#include <stdlib.h>
#include <string.h>

/* Who accessed a word, and who changed it. */
struct word {
	uintptr_t key; /* 0: none */
	uint32_t accessed, changed;
};

static uintptr_t key_of(const struct sim_event *e)
{
	if (!e->where)
		return 0;
	if (sim_place_of(e->where).space == SIM_VIRT && e->pa != COP_PA_NONE && e->pa)
		return (uintptr_t)sim_phys(e->pa) & ~(uintptr_t)7;
	return (uintptr_t)e->where & ~(uintptr_t)7;
}

static bool is_change(const struct sim_event *e)
{
	switch (e->op) {
	case SIM_OP_STORE:
	case SIM_OP_XCHG:
	case SIM_OP_CAS:
	case SIM_OP_ADD:
	case SIM_OP_WRITE:
	case SIM_OP_FILL:
	case SIM_OP_LOCK:
	case SIM_OP_UNLOCK:
		return true;
	default:
		return false;
	}
}

static struct word *word_of(struct word *words, size_t mask, uintptr_t key)
{
	size_t i = (size_t)((key * 0x9e3779b97f4a7c15ULL) >> 32) & mask;

	while (words[i].key && words[i].key != key)
		i = (i + 1) & mask;
	words[i].key = key;
	return &words[i];
}

/* The past. */

/* At the end of everything: what the failure is about, if it says so. */
static bool is_witness(const struct sim_event *e, uint64_t bytes)
{
	const struct sim_report *r = &sim.report;

	switch (e->op) {
	case SIM_OP_TLBI:
		return r->about_va && e->old <= r->va && r->va <= e->value;
	case SIM_OP_PROBE:
	case SIM_OP_GONE:
		return r->about_va && e->where && sim_place_of(e->where).address == r->va;
	case SIM_OP_ALLOC:
	case SIM_OP_FREE:
		return r->about_frame && e->pa <= r->pa && r->pa < e->pa + bytes;
	default:
		return r->word && e->where && key_of(e) == (uintptr_t)sim_phys(r->word) && is_change(e);
	}
}

static void add_past(bool *past, const struct sim_event *of)
{
	for (size_t i = 0; i < sim.events; i++) {
		const struct sim_event *e = &sim.event[i];

		past[i] |= e->step == of->step || (e->step != SIM_NO_STEP && engine_before(e->step, of->step));
	}
}

static void find_past(bool *past)
{
	const struct sim_event *last = &sim.event[sim.events - 1];
	bool any = false;

	if (last->step != SIM_NO_STEP) {
		add_past(past, last);
		return;
	}
	for (size_t i = 0; i < sim.events; i++) {
		if (sim.event[i].step == SIM_NO_STEP || !is_witness(&sim.event[i], sim.event[i].value))
			continue;
		add_past(past, &sim.event[i]);
		any = true;
	}
	for (size_t i = 0; i < sim.events; i++)
		past[i] |= !any || sim.event[i].step == SIM_NO_STEP;
}

/* What is private. */

struct seen {
	bool grace, handlers;
	unsigned reader; /* fails inside a read section */
};

static bool is_entry_of_use(const struct sim_event *e)
{
	const struct sim_tree *t;
	enum cop_kind kind;

	if (e->tree == SIM_NO_TREE || e->old == e->value)
		return false;
	t = &sim.tree[e->tree];
	kind = t->format->kind(&t->geom, e->old, e->level);
	return kind == COP_TABLE || kind == COP_LEAF;
}

static bool is_told(const struct sim_event *e, const struct word *w, const struct seen *seen)
{
	const uint32_t others = ~(1U << e->cpu);

	switch (e->op) {
	case SIM_OP_LOAD:
	case SIM_OP_READ:
	case SIM_OP_AWAIT:
		return w->changed & others;
	case SIM_OP_STORE:
	case SIM_OP_XCHG:
	case SIM_OP_CAS:
	case SIM_OP_ADD:
	case SIM_OP_WRITE:
		return (w->accessed & others) || is_entry_of_use(e) ||
		       (sim.report.word && w->key == (uintptr_t)sim_phys(sim.report.word));
	case SIM_OP_BUFFER:
	case SIM_OP_LOCK:
	case SIM_OP_UNLOCK:
		return w->accessed & others;
	case SIM_OP_FILL:
	case SIM_OP_START:
		return false;
	case SIM_OP_RCU_READ:
	case SIM_OP_RCU_UNREAD:
		return seen->grace || e->cpu == seen->reader;
	case SIM_OP_IRQ_OFF:
	case SIM_OP_IRQ_ON:
		return seen->handlers;
	default:
		return true;
	}
}

static void look(const bool *past, struct word *words, size_t mask, struct seen *seen)
{
	for (size_t i = 0; i < sim.events; i++) {
		const struct sim_event *e = &sim.event[i];
		const uintptr_t key = key_of(e);

		if (!past[i])
			continue;
		if (key && e->op != SIM_OP_FILL) {
			struct word *w = word_of(words, mask, key);

			w->accessed |= 1U << e->cpu;
			w->changed |= is_change(e) ? 1U << e->cpu : 0;
		}
		seen->grace |= e->op == SIM_OP_RCU_SYNC || e->op == SIM_OP_RCU_DEFER || e->op == SIM_OP_RCU_CALL;
		seen->handlers |= e->op == SIM_OP_IRQ || e->op == SIM_OP_IPI || e->op == SIM_OP_STOP;
	}
}

/* A publish is of interest if an entry has changed since the last one. */
static void hide_idle(const bool *past, bool *shown)
{
	bool changed[SIM_ALL_CPUS] = {false};

	for (size_t i = 0; i < sim.events; i++) {
		const struct sim_event *e = &sim.event[i];

		if (!past[i])
			continue;
		if (shown[i] && is_change(e) && e->tree != SIM_NO_TREE)
			changed[e->cpu] = true;
		if (e->op != SIM_OP_PUBLISH)
			continue;
		shown[i] &= changed[e->cpu];
		changed[e->cpu] = false;
	}
}

void trace_select(bool *shown, bool *past)
{
	const unsigned last = sim.events ? sim.event[sim.events - 1].cpu : 0;
	struct seen seen = {.handlers = !strcmp(sim.report.rule, "deadlock") ||
					!strcmp(sim.report.rule, "sleeps-in-atomic"),
			    .reader = sim.cpu[last].reading ? last : SIM_ALL_CPUS};
	size_t mask = 1023;
	struct word *words;

	if (!sim.events)
		return;
	while (mask < 2 * sim.events)
		mask = 2 * mask + 1;
	words = calloc(mask + 1, sizeof(*words));
	find_past(past);
	for (size_t i = 0; i < sim.events; i++)
		shown[i] = past[i];
	if (!words)
		return;
	look(past, words, mask, &seen);
	for (size_t i = 0; i < sim.events; i++) {
		const uintptr_t key = key_of(&sim.event[i]);
		static const struct word none;

		shown[i] = past[i] && is_told(&sim.event[i], key ? word_of(words, mask, key) : &none, &seen);
	}
	hide_idle(past, shown);
	free(words);
}
