/* SPDX-License-Identifier: MIT */
/* The end of an execution: nobody is in the middle of anything, and whatever is still cached will stay so for ever. */
#include "ports/sim/mmu.h"

#include <string.h>

/* Do the tables say something valid now where this entry was? */
static bool valid_now(const struct sim_item *item)
{
	const struct sim_tree *tree = item->tree;
	cop_pa table = tree->root;

	for (unsigned l = tree->geom.levels - 1U;; l--) {
		uint64_t i = (item->va >> tree->shift[l]) & (COP_LG2(tree->index_bits[l]) - 1);
		uint64_t entry = sim_word_now(table + i * 8).value;
		enum cop_kind kind = sim_hardware_kind(tree, entry, l);

		if (kind != COP_TABLE || l == item->level)
			return kind == COP_TABLE || kind == COP_LEAF;
		table = tree->format->table_pa(&tree->geom, entry, l);
	}
}

/* Is a copy harmless, because what replaced it lets it be (a software bit, a right that was added for a user)? */
static bool harmless(const struct sim_item *item)
{
	const struct sim_item *changed = sim_first_changed(item);
	const struct sim_tree *tree = item->tree;
	uint64_t now;

	if (!changed || !tree->format->covers)
		return !changed;
	/* To hold that nothing is there does no harm where nothing is. */
	if (item->kind != COP_LEAF && item->kind != COP_TABLE && !valid_now(item))
		return true;
	now = sim_word_now(changed->word).value;
	return tree->format->covers(&tree->geom, changed->value.value, now, changed->level) == COP_COVERS_NONE;
}

static void check_stale(const struct sim_item *item, struct sim_walk *w)
{
	if (item->current || !item->kept)
		return;
	*(bool *)w->arg = true;
	if (!harmless(item))
		sim_blame(sim_cause_of(item, w->on).rule, "all is over", item, w->on);
}

/*
 * What the tables no longer say is at or below a word that was written in this execution: of each such path, the
 * uppermost one is in a table that is linked now, and translates these addresses.
 */
#define SPANS 64
struct span {
	cop_va start, last;
};
struct spans {
	struct span at[SPANS];
	unsigned count;
};

/* Apart, and in order. */
static void add_span(struct spans *s, struct span new)
{
	unsigned first = 0, after;

	while (first < s->count && s->at[first].last < new.start)
		first++;
	for (after = first; after < s->count && s->at[after].start <= new.last; after++) {
		new.start = s->at[after].start < new.start ? s->at[after].start : new.start;
		new.last = s->at[after].last > new.last ? s->at[after].last : new.last;
	}
	if (after == first && s->count == SPANS) {
		*s = (struct spans){.at = {{0, ~0ULL}}, .count = 1};
		return;
	}
	memmove(&s->at[first + 1], &s->at[after], (s->count - after) * sizeof(*s->at));
	s->count -= after - first;
	s->count++;
	s->at[first] = new;
}

static void add_word(struct spans *of, cop_pa word)
{
	const struct sim_frame *f = &sim.frame[word >> sim.config.frame_lg2];
	const struct sim_tree *tree = &sim.tree[f->tree];
	cop_va va;

	if (f->state != SIM_TABLE || !f->known || !tree->attached)
		return;
	va = sim_entry_va(tree, f->va, f->level, (word - f->base) / 8);
	add_span(&of[f->tree], (struct span){va, va + (sim_span(tree, f->level) - 1)});
}

bool sim_mmu_check_settled(void)
{
	struct spans of[SIM_TREES];
	bool stale = false;
	struct sim_walk w = {.visit = check_stale, .stale = true, .arg = &stale};

	for (unsigned t = 0; t < SIM_TREES; t++)
		of[t].count = 0;
	for (uint32_t i = 0; i < sim_writes(); i++) {
		if (sim_write_is_newest(i))
			add_word(of, sim_write_at(i));
	}
	for (w.on = 0; w.on < (sim_inval.local ? sim.config.cpus : 1); w.on++) {
		for (unsigned t = 0; t < SIM_TREES; t++) {
			for (unsigned i = 0; i < of[t].count; i++) {
				w.start = of[t].at[i].start;
				w.last = of[t].at[i].last;
				sim_walk_tree(&w, &sim.tree[t]);
			}
		}
	}
	return !stale;
}
