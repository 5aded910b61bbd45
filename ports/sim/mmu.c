/* SPDX-License-Identifier: MIT */
/*
 * Translation. A CPU may have fetched, speculatively and at any time, whatever the tables showed; it keeps what it
 * fetched until an invalidation that covers it completes.
 *
 * What is kept is an *item*: an entry's value, read while the item that named the entry's table was kept. Items that
 * name a table are the paging-structure cache, leaves are the TLB. Nothing is stored: each question walks the history of
 * every word, which gives the chains of values that could be read at moments r(root) <= ... <= r(leaf).
 *
 * An invalidation acts on a CPU at one moment e with issued <= e < done, and drops the covered items that were read at
 * or before e (Arm ARM DDI 0487, D8.16 "TLB maintenance": complete after a DSB by the PE that issued it). Spans nest, so
 * of a chain it covers the items from the root down to some level. The chain is possible if
 *
 *   all of it was read later, issued < r(root), or
 *   the first item not covered was read before it acted, r < done (nothing covered is needed any more), or
 *   it is not done.
 *
 * One that covers leaves only leaves the tables alone: the leaf was read later, issued < r(leaf), or it is not done.
 * Reading as early as possible satisfies most; reading later than an issue is tried from each issue on (`epoch`).
 */
#include "ports/sim/sim.h"

#include <stdio.h>

#define INVALS 1024

struct invalidation {
	struct cop_tlbi what;
	uint64_t issued, done; /* SIM_FOREVER: not complete */
	unsigned cpu;
};

static struct {
	struct invalidation inval[INVALS];
	unsigned count;
} mmu;

/* One entry's value that a CPU may have read. */
struct item {
	const struct sim_tree *tree;
	cop_pa word;
	struct sim_value value;
	enum cop_kind kind;
	unsigned level;
	cop_va va;
	bool current;  /* it and all above are what the tables say now */
	bool kept;     /* may be kept now */
	bool readable; /* may be read now: the table it is in may be reached */
};

struct walk {
	unsigned cpu;
	cop_va start, last; /* which addresses are asked about */
	uint64_t epoch;     /* the root's entry is read no earlier */
	uint64_t root_read;
	void (*visit)(const struct item *, void *);
	void *arg;
	void (*touch)(const void *);
};

static uint64_t span_bytes(const struct sim_tree *tree, unsigned level)
{
	return COP_LG2(tree->format->shift(level));
}

/* What entry i of a table around va translates; the upper half of a root may be sign-extended. */
static cop_va entry_va(const struct sim_tree *tree, cop_va va, unsigned level, uint64_t i)
{
	const struct cop_geom *g = &tree->geom;

	va += i << tree->format->shift(level);
	if (g->half == COP_HALF_BOTH && level + 1U == g->levels && i >= COP_LG2(tree->format->index_bits(g, level)) / 2)
		va |= ~0ULL << (g->va_bits - 1);
	return va;
}

/* A by-address invalidation acts at start, start + stride, ...; an item smaller than the stride may lie in between. */
static bool hits(const struct cop_tlbi *t, cop_va va, uint64_t bytes)
{
	uint64_t stride = COP_LG2(t->stride_lg2);
	cop_va last = va + (bytes - 1), first = COP_ALIGN_DOWN(t->start, stride);

	if (t->start > last || t->last < va)
		return false;
	if (first < va)
		first += COP_ALIGN_UP(va - first, stride);
	return first >= va && first <= last && first <= t->last;
}

static bool covers(const struct invalidation *i, unsigned cpu, const struct item *item)
{
	const struct cop_tlbi *t = &i->what;

	if ((t->scope & COP_TLBI_LOCAL) && i->cpu != cpu)
		return false;
	if (!(t->scope & COP_TLBI_GLOBAL) && t->asid != item->tree->asid)
		return false;
	if (item->kind == COP_TABLE && !(t->scope & COP_TLBI_TABLES))
		return false;
	if (t->scope & COP_TLBI_ASID)
		return true;
	if (item->kind != COP_TABLE && t->level != COP_TLBI_ANY_LEVEL && t->level != item->level)
		return false;
	return hits(t, item->va, span_bytes(item->tree, item->level));
}

/* Invalidations of which no item of the chain below can be free by having been read later. */
static bool affects(const struct walk *w, const struct invalidation *i, const struct item *item)
{
	return i->issued >= w->root_read && (i->what.scope & COP_TLBI_TABLES) && covers(i, w->cpu, item);
}

/* May what `above` names be used at r to read an item, `item` (not covered by the same invalidation) or any (NULL)? */
static bool usable(const struct walk *w, const struct item *above, const struct item *item, uint64_t r)
{
	for (unsigned i = 0; i < mmu.count; i++) {
		const struct invalidation *inv = &mmu.inval[i];

		if (r >= inv->done && affects(w, inv, above) && !(item && affects(w, inv, item)))
			return false;
	}
	return true;
}

/* May the item be kept now, if it was read at r? */
static bool kept_now(const struct walk *w, const struct item *item, uint64_t r)
{
	for (unsigned i = 0; i < mmu.count; i++) {
		const struct invalidation *inv = &mmu.inval[i];

		if (inv->done > sim.now || !covers(inv, w->cpu, item))
			continue;
		if (affects(w, inv, item) || inv->issued >= r)
			return false;
	}
	return true;
}

/* The earliest moment at which a leaf can be read that is to outlive the invalidations of leaves. */
static uint64_t leaf_read(const struct walk *w, const struct item *item, uint64_t r)
{
	for (unsigned i = 0; i < mmu.count; i++) {
		const struct invalidation *inv = &mmu.inval[i];

		if (inv->done <= sim.now && inv->issued >= r && !(inv->what.scope & COP_TLBI_TABLES) &&
		    covers(inv, w->cpu, item))
			r = inv->issued + 1;
	}
	return r;
}

static enum cop_kind hardware_kind(const struct sim_tree *tree, uint64_t entry, unsigned level)
{
	enum cop_kind kind = tree->format->kind(&tree->geom, entry, level);

	/* Present to software only. */
	if (kind == COP_LEAF && (tree->format->attrs(&tree->geom, entry, level) & COP_PROTNONE))
		return COP_SWAP;
	return kind;
}

static void walk_table(struct walk *w, const struct item *above, unsigned level, cop_pa table, uint64_t since);

static void walk_value(struct walk *w, const struct item *above, struct item *item, uint64_t since)
{
	const struct sim_tree *tree = item->tree;
	bool top = item->level + 1U == tree->geom.levels;
	uint64_t r = since > item->value.set ? since : item->value.set;

	if (r >= item->value.end)
		return;
	if (top)
		w->root_read = r;
	item->kind = hardware_kind(tree, item->value.value, item->level);
	item->kept = false;
	item->readable = item->value.end == SIM_FOREVER && (top || usable(w, above, NULL, sim.now));
	if (item->kind != COP_TABLE && item->kind != COP_LEAF) {
		w->visit(item, w->arg);
		return;
	}
	if (item->kind == COP_LEAF)
		r = leaf_read(w, item, r);
	if (r >= item->value.end || (!top && !usable(w, above, item, r)))
		return;
	item->kept = kept_now(w, item, r);
	w->visit(item, w->arg);
	if (item->kind == COP_TABLE && item->level > 0)
		walk_table(w, item, item->level - 1,
			   tree->format->table_pa(&tree->geom, item->value.value, item->level), r);
}

static void walk_word(struct walk *w, const struct item *above, struct item *item, uint64_t since)
{
	if (w->touch)
		w->touch(sim_phys(item->word));
	item->value = sim_word_now(item->word);
	item->current = above->current;
	do {
		walk_value(w, above, item, since);
		item->current = false;
	} while (sim_word_before(&item->value));
}

static void walk_table(struct walk *w, const struct item *above, unsigned level, cop_pa table, uint64_t since)
{
	const struct sim_tree *tree = above->tree;
	uint64_t entries = COP_LG2(tree->format->index_bits(&tree->geom, level)), bytes = span_bytes(tree, level);

	if (table + entries * 8 > sim.config.pa_bytes)
		return; /* reported when it was linked */
	for (uint64_t i = 0; i < entries; i++) {
		if (w->start != w->last && sim_word_blank(table + i * 8))
			continue;

		struct item item = {
			.tree = tree, .word = table + i * 8, .level = level, .va = entry_va(tree, above->va, level, i)};

		if (item.va > w->last || item.va + (bytes - 1) < w->start)
			continue;
		walk_word(w, above, &item, since);
	}
}

static cop_va root_va(const struct sim_tree *tree)
{
	return tree->geom.half == COP_HALF_HIGH ? ~0ULL << tree->geom.va_bits : 0;
}

static void walk_tree(struct walk *w, const struct sim_tree *tree)
{
	struct item root = {.tree = tree, .va = root_va(tree), .level = tree->geom.levels, .current = true};

	w->epoch = 0;
	walk_table(w, &root, tree->geom.levels - 1U, tree->root, w->epoch);
	for (unsigned i = 0; i < mmu.count; i++) {
		if (mmu.inval[i].issued + 1 <= w->epoch)
			continue;
		w->epoch = mmu.inval[i].issued + 1;
		walk_table(w, &root, tree->geom.levels - 1U, tree->root, w->epoch);
	}
}

static bool translates(const struct sim_tree *tree, cop_va va)
{
	cop_va top = ~0ULL << (tree->geom.half == COP_HALF_BOTH ? tree->geom.va_bits - 1U : tree->geom.va_bits);

	if (!tree->attached)
		return false;
	if (tree->geom.half == COP_HALF_LOW)
		return !(va & top);
	if (tree->geom.half == COP_HALF_HIGH)
		return (va & top) == top;
	return !(va & top) || (va & top) == top;
}

/* Asks about [start, last] in every attached tree. CPUs differ only where an invalidation was local. */
static void walk_all(struct walk *w, cop_va start, cop_va last)
{
	bool local = false;

	for (unsigned i = 0; i < mmu.count; i++)
		local |= (mmu.inval[i].what.scope & COP_TLBI_LOCAL) != 0;
	w->start = start;
	w->last = last;
	for (w->cpu = 0; w->cpu < (local ? sim.config.cpus : 1); w->cpu++) {
		for (unsigned t = 0; t < SIM_TREES; t++) {
			if (sim.tree[t].attached)
				walk_tree(w, &sim.tree[t]);
		}
	}
}

/* An access. */

struct reaching {
	struct sim_reached *out;
	unsigned count;
	cop_va va;
};

static void reach(const struct item *item, void *arg)
{
	struct reaching *r = arg;
	const struct sim_tree *tree = item->tree;
	struct sim_reached found = {.pa = COP_PA_NONE, .stale = !item->current};

	if (item->kind == COP_TABLE || !(item->kind == COP_LEAF ? item->kept : item->readable))
		return;
	if (item->kind == COP_LEAF) {
		found.entry = item->value.value;
		found.pa = tree->format->leaf_pa(&tree->geom, found.entry, item->level) + (r->va - item->va);
		found.writable = tree->format->attrs(&tree->geom, found.entry, item->level) & COP_WRITE;
	}
	for (unsigned i = 0; i < r->count; i++) {
		if (r->out[i].pa == found.pa && r->out[i].entry == found.entry) {
			r->out[i].stale &= found.stale;
			return;
		}
	}
	if (r->count == SIM_MAX_REACHED)
		sim_fail("sim-limit", "more than %d translations of one address", SIM_MAX_REACHED);
	r->out[r->count++] = found;
}

unsigned sim_translate(cop_va va, struct sim_reached *out, void (*touch)(const void *))
{
	struct reaching r = {.out = out, .va = va};
	struct walk w = {.cpu = sim.current, .start = va, .last = va, .visit = reach, .arg = &r, .touch = touch};

	for (unsigned t = 0; t < SIM_TREES; t++) {
		if (translates(&sim.tree[t], va))
			walk_tree(&w, &sim.tree[t]);
	}
	if (!r.count)
		out[r.count++] = (struct sim_reached){.pa = COP_PA_NONE};
	return r.count;
}

/* Freeing. */

struct freeing {
	cop_pa pa;
	uint64_t bytes;
	bool only_current;
};

COP_NORETURN static void says(const char *rule, const char *what, const struct item *item)
{
	const struct sim_tree *tree = item->tree;
	char since[200];

	if (item->current)
		snprintf(since, sizeof(since), "which the tables still show");
	else if (item->value.end == SIM_FOREVER)
		snprintf(since, sizeof(since),
			 "in a table that was unlinked; no invalidation that covers it has completed");
	else
		snprintf(since, sizeof(since), "overwritten at %s:%d; no invalidation that covers it has completed",
			 item->value.ended.file, item->value.ended.line);
	sim_fail(rule, "%s, but a CPU may hold the %s entry %#llx of address %#llx, %s", what,
		 tree->format->level_name(&tree->geom, item->level), (unsigned long long)item->value.value,
		 (unsigned long long)item->va, since);
}

static void check_freed(const struct item *item, void *arg)
{
	const struct freeing *f = arg;
	const struct sim_tree *tree = item->tree;
	cop_pa pa;
	uint64_t bytes;

	if (!item->kept || item->current != f->only_current)
		return;
	if (item->kind == COP_TABLE) {
		pa = tree->format->table_pa(&tree->geom, item->value.value, item->level);
		bytes = COP_LG2(tree->format->table_lg2(&tree->geom, item->level - 1));
	} else {
		pa = tree->format->leaf_pa(&tree->geom, item->value.value, item->level);
		bytes = span_bytes(tree, item->level);
	}
	if (pa >= f->pa + f->bytes || pa + bytes <= f->pa)
		return;
	if (item->current)
		says("freed-while-mapped", "a frame is freed", item);
	if (item->kind == COP_TABLE)
		says("freed-while-walkable", "a table is freed", item);
	says("freed-while-translatable", "a frame is freed", item);
}

void sim_mmu_check_free(cop_pa pa, uint64_t bytes)
{
	struct freeing f = {.pa = pa, .bytes = bytes, .only_current = true};
	struct walk w = {.visit = check_freed, .arg = &f};

	for (unsigned t = 0; t < SIM_TREES; t++) {
		if (sim.tree[t].attached && sim.tree[t].root >= pa && sim.tree[t].root < pa + bytes)
			sim_fail("freed-while-mapped", "the frame is freed: it is the root of an attached tree");
	}
	walk_all(&w, 0, ~0ULL);
	f.only_current = false;
	walk_all(&w, 0, ~0ULL);
}

static bool invalidation_pending(const struct item *item)
{
	for (unsigned i = 0; i < mmu.count; i++) {
		const struct invalidation *inv = &mmu.inval[i];

		if (inv->done == SIM_FOREVER && inv->issued >= item->value.end - 1 && covers(inv, 0, item))
			return true;
	}
	return false;
}

static void check_gone(const struct item *item, void *arg)
{
	(void)arg;
	if (!item->kept || item->kind != COP_LEAF)
		return;
	if (item->current)
		says("still-mapped", "nothing may translate here", item);
	if (item->value.end != SIM_FOREVER && invalidation_pending(item))
		says("unsynced-invalidation", "nothing may translate here", item);
	says("missing-invalidation", "nothing may translate here", item);
}

void sim_mmu_check_gone(cop_va va, uint64_t bytes)
{
	struct walk w = {.visit = check_gone};

	walk_all(&w, va, va + (bytes - 1));
}

/* Writing an entry. */

struct changing {
	cop_pa word;
	uint64_t v;
	bool by_instruction;
};

static void check_change(const struct item *item, void *arg)
{
	const struct changing *c = arg;
	const struct sim_tree *tree = item->tree;

	if (item->word != c->word || !item->kept || item->value.value == c->v)
		return;
	switch (tree->format->change(&tree->geom, item->value.value, c->v, item->level)) {
	case COP_CHANGE_DIRECT:
		return;
	case COP_CHANGE_INSTR:
		if (c->by_instruction)
			return;
		says("live-entry-stored", "a valid entry may change only by instruction", item);
	case COP_CHANGE_BREAK:
		says("break-before-make", "a new value is written", item);
	case COP_CHANGE_FORBIDDEN:
		says("forbidden-change", "a new value is written", item);
	}
}

static struct sim_frame *frame_of(cop_pa pa)
{
	return &sim.frame[pa >> sim.config.frame_lg2];
}

/* A table is being linked: from now on hardware may read it. */
static void link_table(unsigned t, cop_pa table, unsigned level, cop_va va)
{
	const struct sim_tree *tree = &sim.tree[t];
	const struct cop_format *format = tree->format;
	uint64_t bytes = COP_LG2(format->table_lg2(&tree->geom, level));

	if (table + bytes > sim.config.pa_bytes)
		sim_fail("wild-table", "%#llx is linked as a table: there is no such memory",
			 (unsigned long long)table);
	if (frame_of(table)->state != SIM_TABLE)
		sim_fail("wild-table", "%#llx is linked as a table, and is none", (unsigned long long)table);
	if (frame_of(table)->linked)
		sim_fail("linked-twice", "table %#llx is linked already", (unsigned long long)table);
	for (cop_pa p = table; p < table + bytes; p += COP_LG2(sim.config.frame_lg2)) {
		frame_of(p)->known = true;
		frame_of(p)->linked = true;
		frame_of(p)->level = (uint8_t)level;
		frame_of(p)->va = va;
		frame_of(p)->tree = (uint8_t)t;
	}
	for (uint64_t i = 0; i < COP_LG2(format->index_bits(&tree->geom, level)); i++) {
		uint64_t entry = sim_word_now(table + i * 8).value;

		if (entry == SIM_POISON)
			sim_fail("linked-uninitialised", "entry %llu of table %#llx was never written",
				 (unsigned long long)i, (unsigned long long)table);
		if (entry && format->kind(&tree->geom, entry, level) == COP_TABLE)
			link_table(t, format->table_pa(&tree->geom, entry, level), level - 1,
				   entry_va(tree, va, level, i));
	}
}

static void unlink_table(const struct sim_tree *tree, uint64_t entry, unsigned level)
{
	cop_pa table = tree->format->table_pa(&tree->geom, entry, level);
	uint64_t bytes = COP_LG2(tree->format->table_lg2(&tree->geom, level - 1));

	for (cop_pa p = table; p < table + bytes; p += COP_LG2(sim.config.frame_lg2))
		frame_of(p)->linked = false;
}

void sim_mmu_entry_written(cop_pa word, uint64_t old, uint64_t v, bool by_instruction, struct sim_at at)
{
	struct sim_frame *f = frame_of(word);
	struct changing c = {.word = word, .v = v, .by_instruction = by_instruction};
	struct walk w = {.visit = check_change, .arg = &c};
	const struct sim_tree *tree = &sim.tree[f->tree];
	cop_va va;

	if (f->state != SIM_TABLE || !f->known || old == v)
		return;
	sim.cpu[sim.current].at = at;
	va = entry_va(tree, f->va, f->level, (word - f->base) / 8);
	if (tree->format->kind(&tree->geom, old, f->level) != COP_EMPTY || sim_word_changed(word))
		walk_all(&w, va, va);
	if (tree->format->kind(&tree->geom, old, f->level) == COP_TABLE)
		unlink_table(tree, old, f->level);
	if (tree->format->kind(&tree->geom, v, f->level) == COP_TABLE)
		link_table(f->tree, tree->format->table_pa(&tree->geom, v, f->level), f->level - 1U, va);
}

/* Invalidations. */

void sim_mmu_invalidate(const struct cop_tlbi *t, uint64_t issued, bool complete)
{
	if (mmu.count == INVALS)
		sim_fail("sim-limit", "more than %d invalidations", INVALS);
	mmu.inval[mmu.count++] = (struct invalidation){
		.what = *t, .issued = issued, .done = complete ? sim.now : SIM_FOREVER, .cpu = sim.current};
}

void sim_mmu_complete(void)
{
	for (unsigned i = 0; i < mmu.count; i++) {
		if (mmu.inval[i].cpu == sim.current && mmu.inval[i].done == SIM_FOREVER)
			mmu.inval[i].done = sim.now;
	}
}

/* The start of every execution: all CPUs have just invalidated everything. */
void sim_mmu_mark(void)
{
	mmu.count = 0;
}

void sim_mmu_restore(void)
{
	mmu.count = 0;
}

void sim_mmu_off(void)
{
	mmu.count = 0;
}

unsigned sim_attach(const struct cop_format *format, const struct cop_geom *geom, cop_pa root, uint32_t asid)
{
	for (unsigned t = 0; t < SIM_TREES; t++) {
		if (sim.tree[t].attached)
			continue;
		sim.tree[t] = (struct sim_tree){format, *geom, root, asid, true};
		link_table(t, root, geom->levels - 1U, root_va(&sim.tree[t]));
		return t;
	}
	sim_fail("sim-limit", "more than %d trees", SIM_TREES);
}

/* Takes the root away from every CPU and drops what they kept of it, as switching to another root and back does. */
void sim_detach(cop_pa root)
{
	for (unsigned t = 0; t < SIM_TREES; t++) {
		if (sim.tree[t].attached && sim.tree[t].root == root) {
			sim.tree[t].attached = false;
			return;
		}
	}
	sim_fail("assert", "%#llx is no attached root", (unsigned long long)root);
}
