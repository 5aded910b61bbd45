/* SPDX-License-Identifier: MIT */
/* What may not be while a CPU may still translate: a frame freed, a range claimed to be gone, an execution over. */
#include "ports/sim/mmu.h"

#include <stdio.h>

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
	return item->va >= sim.linear_start && item->va <= sim.linear_last && sim.linear_last;
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

/* Does a value that the word has, or had in this execution, name what is freed? */
static bool names(const struct freeing *f, const struct sim_tree *tree, uint64_t entry, unsigned level)
{
	const struct cop_format *format = tree->format;
	enum cop_kind kind = format->kind(&tree->geom, entry, level);
	uint64_t bytes;
	cop_pa pa;

	if (kind == COP_TABLE) {
		pa = format->table_pa(&tree->geom, entry, level);
		bytes = COP_LG2(format->table_lg2(&tree->geom, level - 1));
	} else if (kind == COP_LEAF) {
		/* A member's whole run: at most that far away. */
		bytes = sim_span(tree, level) << (format->cont_lg2 ? format->cont_lg2(&tree->geom, level) : 0);
		pa = COP_ALIGN_DOWN(format->leaf_pa(&tree->geom, entry, level), bytes);
	} else {
		return false;
	}
	return pa < f->pa + f->bytes && pa + bytes > f->pa;
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

/* Walks to where those entries are: all others cannot be what is looked for. */
static void check_table(struct freeing *f, const struct sim_frame *table)
{
	const struct sim_tree *tree = &sim.tree[table->tree];
	uint64_t n = COP_LG2(tree->format->index_bits(&tree->geom, table->level));
	struct sim_walk w = {.visit = check_freed, .stale = !f->only_current, .arg = f};
	cop_va first = ~0ULL, last = 0;

	for (uint64_t i = sim_next_used(table->base, 0, n); i < n; i = sim_next_used(table->base, i + 1, n)) {
		cop_va va = sim_entry_va(tree, table->va, table->level, i);

		if (f->by_allocator && table->level == 0 && va >= sim.linear_start && va <= sim.linear_last)
			continue;
		if (!word_names(f, tree, table->base + i * 8, table->level))
			continue;
		first = va < first ? va : first;
		last = va > last ? va : last;
	}
	if (first <= last)
		sim_walk_all(&w, first, last);
}

static void check_tables(struct freeing *f)
{
	const uint64_t step = COP_LG2(sim.config.frame_lg2);

	for (cop_pa pa = 0; pa < sim.config.pa_bytes; pa += step) {
		const struct sim_frame *frame = &sim.frame[pa >> sim.config.frame_lg2];

		if (frame->state == SIM_TABLE && frame->known && frame->base == pa && sim.tree[frame->tree].attached)
			check_table(f, frame);
	}
}

void sim_mmu_check_free(cop_pa pa, uint64_t bytes, bool by_allocator)
{
	struct freeing f = {.pa = pa, .bytes = bytes, .only_current = true, .by_allocator = by_allocator};

	for (unsigned t = 0; t < SIM_TREES; t++) {
		if (sim.tree[t].attached && sim.tree[t].root >= pa && sim.tree[t].root < pa + bytes)
			sim_report("freed-while-mapped", "the frame is freed: it is the root of an attached tree");
	}
	check_tables(&f);
	f.only_current = false;
	check_tables(&f);
}

/* Claims, and the end. */

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

/* Do the tables say something valid now where this entry was? */
static bool valid_now(const struct sim_item *item)
{
	const struct sim_tree *tree = item->tree;
	cop_pa table = tree->root;

	for (unsigned l = tree->geom.levels - 1U;; l--) {
		uint64_t i =
			(item->va >> tree->format->shift(l)) & (COP_LG2(tree->format->index_bits(&tree->geom, l)) - 1);
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
	if (item->current || !item->kept || harmless(item))
		return;
	sim_blame(sim_cause_of(item, w->on).rule, "all is over", item, w->on);
}

/* Nobody is in the middle of anything: whatever is still cached will stay so for ever. */
void sim_mmu_check_settled(void)
{
	struct sim_walk w = {.visit = check_stale, .stale = true};

	sim_walk_all(&w, 0, ~0ULL);
}
