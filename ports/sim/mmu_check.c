/* SPDX-License-Identifier: MIT */
/* What may not be while a CPU may still translate: a frame freed, a range claimed to be gone. */
#include "ports/sim/mmu.h"

#include <stdio.h>

#define PLACES 4096

void sim_blame(const char *rule, const char *what, const struct sim_item *item, unsigned on)
{
	const struct sim_tree *tree = item->tree;
	char since[300];

	sim.report.about_va = true;
	sim.report.va = item->va;
	sim.report.word = (sim_first_changed(item) ? sim_first_changed(item) : item)->word;

	if (item->current) {
		snprintf(since, sizeof(since), "which the tables still show");
	} else {
		const struct sim_item *changed = sim_first_changed(item);
		const struct sim_cause cause = sim_cause_of(item, on);

		snprintf(since, sizeof(since), "%s at %s:%d; %s",
			 changed == item ? "overwritten" : "whose table was unlinked",
			 cause.at.file ? cause.at.file : "-", cause.at.line, cause.text);
	}
	sim_report(rule, "%s, but a CPU may hold the %s entry %#llx of address %#llx, %s", what,
		   tree->format->level_name(&tree->geom, item->level), (unsigned long long)item->value.value,
		   (unsigned long long)item->va, since);
}

static uint64_t bytes_of(const struct sim_item *item)
{
	const struct sim_tree *tree = item->tree;

	if (item->kind == COP_TABLE)
		return COP_LG2(tree->format->table_lg2(&tree->geom, item->level - 1));
	return item->bytes;
}

/* Freeing. */

struct freeing {
	cop_pa pa;
	uint64_t bytes;
	bool only_current;
	bool by_allocator; /* it stays in the linear map */
};

static bool in_linear_map(const struct sim_item *item)
{
	return !item->tree->user && item->va >= sim.linear_start && item->va <= sim.linear_last && sim.linear_last;
}

static void check_freed(const struct sim_item *item, struct sim_walk *w)
{
	const struct freeing *f = w->arg;

	if (!item->kept || (item->kind != COP_LEAF && item->kind != COP_TABLE) || item->current != f->only_current)
		return;
	if (item->pa >= f->pa + f->bytes || item->pa + bytes_of(item) <= f->pa)
		return;
	if (item->kind == COP_LEAF && f->by_allocator && in_linear_map(item))
		return;
	if (item->current)
		sim_blame("freed-while-mapped", "a frame is freed", item, w->on);
	else if (item->kind == COP_TABLE)
		sim_blame("freed-while-walkable", "a table is freed", item, w->on);
	else
		sim_blame("freed-while-translatable", "a frame is freed", item, w->on);
}

struct sim_target sim_target_of(const struct sim_tree *tree, uint64_t entry, unsigned level)
{
	const struct cop_format *format = tree->format;
	const struct sim_entry *says = sim_decode(tree, entry, level);
	struct sim_target to = {.pa = says->pa};

	if (says->kind == COP_TABLE) {
		to.bytes = COP_LG2(format->table_lg2(&tree->geom, level - 1));
	} else if (says->kind == COP_LEAF) {
		/* A member's whole run: at most that far away. */
		to.bytes = sim_span(tree, level) << (format->cont_lg2 ? format->cont_lg2(&tree->geom, level) : 0);
		to.pa = COP_ALIGN_DOWN(says->pa, to.bytes);
	}
	return to;
}

/* Does a value that the word has, or had in this execution, name what is freed? */
static bool names(const struct freeing *f, const struct sim_tree *tree, uint64_t entry, unsigned level)
{
	const struct sim_target to = sim_target_of(tree, entry, level);

	return to.bytes && to.pa < f->pa + f->bytes && to.pa + to.bytes > f->pa;
}

static bool word_names(const struct freeing *f, const struct sim_tree *tree, cop_pa word, unsigned level)
{
	struct sim_value value = sim_word_now(word);

	do {
		if (names(f, tree, value.value, level))
			return true;
	} while (sim_word_before(&value));
	return false;
}

/* Where those entries are, of one table: all others cannot be what is looked for. */
static struct place {
	cop_pa table;
	cop_va first, last;
} place[PLACES];
static unsigned places;

static struct place *place_of(cop_pa table)
{
	unsigned i = places;

	for (unsigned k = 0; k < places; k++) {
		if (place[k].table == table)
			return &place[k];
	}
	if (places == PLACES)
		sim_fail("sim-limit", "more than %d tables name what is freed", PLACES);
	/* In order of their addresses. */
	for (; i && place[i - 1].table > table; i--)
		place[i] = place[i - 1];
	place[i] = (struct place){.table = table, .first = ~0ULL};
	places++;
	return &place[i];
}

static void found(cop_pa word, void *arg)
{
	const struct freeing *f = arg;
	const struct sim_frame *frame = &sim.frame[word >> sim.config.frame_lg2];
	const struct sim_tree *tree = &sim.tree[frame->tree];
	struct place *p;
	cop_va va;

	if (frame->state != SIM_TABLE || !frame->known || !tree->attached)
		return;
	va = sim_entry_va(tree, frame->va, frame->level, (word - frame->base) / 8);
	if (f->by_allocator && !tree->user && frame->level == 0 && va >= sim.linear_start && va <= sim.linear_last)
		return;
	if (!word_names(f, tree, word, frame->level))
		return;
	p = place_of(frame->base);
	p->first = va < p->first ? va : p->first;
	p->last = va > p->last ? va : p->last;
}

static void check_places(struct freeing *f)
{
	for (unsigned i = 0; i < places; i++) {
		struct sim_walk w = {.visit = check_freed, .stale = !f->only_current, .arg = f};

		sim_walk_all(&w, place[i].first, place[i].last);
	}
}

void sim_mmu_check_free(cop_pa pa, uint64_t bytes, bool by_allocator)
{
	struct freeing f = {.pa = pa, .bytes = bytes, .only_current = true, .by_allocator = by_allocator};

	for (unsigned t = 0; t < SIM_TREES; t++) {
		if (sim.tree[t].attached && sim.tree[t].root >= pa && sim.tree[t].root < pa + bytes)
			sim_report("freed-while-mapped", "the frame is freed: it is the root of an attached tree");
	}
	places = 0;
	sim_names_of(pa, bytes, found, &f);
	check_places(&f);
	f.only_current = false;
	check_places(&f);
}

/* Claims. */

static void check_gone(const struct sim_item *item, struct sim_walk *w)
{
	if (!item->kept || item->kind != COP_LEAF)
		return;
	if (item->current)
		sim_blame("still-mapped", "nothing may translate here", item, w->on);
	else
		sim_blame(sim_cause_of(item, w->on).rule, "nothing may translate here", item, w->on);
}

void sim_mmu_check_gone(cop_va va, uint64_t bytes)
{
	struct sim_walk w = {.visit = check_gone};

	sim_walk_all(&w, va, va + (bytes - 1));
}
