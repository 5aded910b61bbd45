/* SPDX-License-Identifier: MIT */
/*
 * Translation. A CPU may have fetched, speculatively and at any time, whatever the tables showed; it keeps what it
 * fetched until an invalidation that covers it completes.
 *
 * What is kept is an *item*: an entry's value, read while the item that named the entry's table was kept. Items that
 * name a table are the paging-structure cache, leaves are the TLB; where the format says that a change from invalid
 * wants an invalidation, entries that are not valid are kept too (riscv64). A member of a contiguous run may be kept as
 * itself and as the whole run. Nothing is stored: each question walks the history of every word, which gives the chains
 * of values that could be read at moments r(root) <= ... <= r(leaf).
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
#include "ports/sim/mmu.h"

uint64_t sim_span(const struct sim_tree *tree, unsigned level)
{
	return COP_LG2(tree->shift[level]);
}

static bool sign_extended_root(const struct sim_tree *tree, unsigned level)
{
	return tree->geom.half == COP_HALF_BOTH && level + 1U == tree->geom.levels;
}

static uint64_t entries_of(const struct sim_tree *tree, unsigned level)
{
	return COP_LG2(tree->index_bits[level]);
}

cop_va sim_entry_va(const struct sim_tree *tree, cop_va va, unsigned level, uint64_t i)
{
	va += i << tree->shift[level];
	if (sign_extended_root(tree, level) && i >= entries_of(tree, level) / 2)
		va |= ~0ULL << (tree->geom.va_bits - 1);
	return va;
}

enum cop_kind sim_hardware_kind(const struct sim_tree *tree, uint64_t entry, unsigned level)
{
	return sim_decode(tree, entry, level)->hardware;
}

/* Invalidations of which no item of the chain below can be free by having been read later. */
static bool affects(const struct sim_walk *w, const struct sim_invalidation *i, const struct sim_item *item)
{
	return i->issued >= w->root_read && (i->what.scope & COP_TLBI_TABLES) && sim_may_cover(i, item) &&
	       sim_covers(i, w->on, item);
}

/* May what `above` names be used at r to read an item, `item` (not covered by the same invalidation) or any (NULL)? */
static bool usable(const struct sim_walk *w, const struct sim_item *above, const struct sim_item *item, uint64_t r)
{
	for (unsigned i = 0; i < sim_inval.count; i++) {
		const struct sim_invalidation *inval = &sim_inval.at[i];

		if (r >= inval->done && affects(w, inval, above) && !(item && affects(w, inval, item)))
			return false;
	}
	return true;
}

/* May the item be kept now, if it was read at r? */
static bool kept_now(const struct sim_walk *w, const struct sim_item *item, uint64_t r)
{
	for (unsigned i = 0; i < sim_inval.count; i++) {
		const struct sim_invalidation *inval = &sim_inval.at[i];

		const bool reaches =
			inval->issued >= r || (inval->issued >= w->root_read && (inval->what.scope & COP_TLBI_TABLES));

		if (reaches && inval->done <= sim.now && sim_may_cover(inval, item) && sim_covers(inval, w->on, item))
			return false;
	}
	return true;
}

/*
 * The earliest moment at which a leaf can be read that is to outlive the invalidations of leaves; none before its end, if
 * that is what comes back. The newest ones decide about most.
 */
static uint64_t leaf_read(const struct sim_walk *w, const struct sim_item *item, uint64_t r)
{
	for (unsigned i = sim_inval.count; i-- && r < item->value.end;) {
		const struct sim_invalidation *inval = &sim_inval.at[i];

		if (inval->done <= sim.now && inval->issued >= r && !(inval->what.scope & COP_TLBI_TABLES) &&
		    sim_may_cover(inval, item) && sim_covers(inval, w->on, item))
			r = inval->issued + 1;
	}
	return r;
}

static bool asked_about(const struct sim_walk *w, const struct sim_item *item)
{
	return item->va <= w->last && item->va + (item->bytes - 1) >= w->start;
}

static void walk_table(struct sim_walk *w, const struct sim_item *above, unsigned level, cop_pa table, uint64_t since);

static bool is_top(const struct sim_item *item)
{
	return item->level + 1U == item->tree->geom.levels;
}

/* One that ends the walk: a leaf, or what hardware takes for no translation. */
static void end_walk(struct sim_walk *w, const struct sim_item *above, struct sim_item *item, uint64_t r)
{
	item->readable = item->value.end == SIM_FOREVER && (is_top(item) || usable(w, above, NULL, sim.now));
	item->kept = false;
	if (item->current) {
		/* Read just now. */
		item->kept = item->keepable;
	} else if (item->keepable) {
		r = leaf_read(w, item, r);
		item->kept = r < item->value.end && (is_top(item) || usable(w, above, item, r)) && kept_now(w, item, r);
	}
	w->visit(item, w);
}

/* A member of a contiguous run may be kept as the run (Arm ARM D8.7.1; RISC-V Svnapot). */
static void end_as_run(struct sim_walk *w, const struct sim_item *above, struct sim_item *item, uint64_t r)
{
	const struct sim_tree *tree = item->tree;
	unsigned lg2 = tree->format->cont_lg2(&tree->geom, item->level) + tree->shift[item->level];
	struct sim_item run = *item;

	run.bytes = COP_LG2(lg2);
	run.va = COP_ALIGN_DOWN(item->va, run.bytes);
	run.pa = COP_ALIGN_DOWN(item->pa, run.bytes);
	item->pa = run.pa + (item->va - run.va);
	if (asked_about(w, &run))
		end_walk(w, above, &run, r);
}

static void walk_leaf(struct sim_walk *w, const struct sim_item *above, struct sim_item *item, uint64_t r)
{
	if (item->cont)
		end_as_run(w, above, item, r);
	if (asked_about(w, item))
		end_walk(w, above, item, r);
}

static void walk_value(struct sim_walk *w, const struct sim_item *above, struct sim_item *item, uint64_t since)
{
	uint64_t r = since > item->value.set ? since : item->value.set;
	const struct sim_entry *says;

	if (r >= item->value.end)
		return;
	if (is_top(item))
		w->root_read = r;
	says = sim_decode(item->tree, item->value.value, item->level);
	item->kind = says->hardware;
	item->pa = says->pa;
	item->cont = says->cont;
	item->global = says->global;
	item->keepable = says->keepable;
	if (item->kind == COP_LEAF) {
		walk_leaf(w, above, item, r);
		return;
	}
	if (!asked_about(w, item))
		return;
	if (item->kind != COP_TABLE) {
		end_walk(w, above, item, r);
		return;
	}
	if (!is_top(item) && !usable(w, above, item, r))
		return;
	item->kept = item->current || kept_now(w, item, r);
	item->readable = item->value.end == SIM_FOREVER && (is_top(item) || usable(w, above, NULL, sim.now));
	w->visit(item, w);
	if (item->level > 0)
		walk_table(w, item, item->level - 1, item->pa, r);
}

static bool is_link(const struct sim_item *item)
{
	return sim_decode(item->tree, item->value.value, item->level)->kind == COP_TABLE;
}

static void walk_word(struct sim_walk *w, const struct sim_item *above, unsigned level, cop_pa table, uint64_t i,
		      uint64_t since)
{
	struct sim_item item = {.tree = above->tree,
				.word = table + i * 8,
				.level = level,
				.va = sim_entry_va(above->tree, above->va, level, i),
				.bytes = sim_span(above->tree, level),
				.current = above->current,
				.above = above};

	if (w->touch)
		w->touch(sim_phys(item.word));
	w->changed |= sim_word_changed(item.word);
	item.changed = above->changed || sim_word_changed(item.word);
	item.value = sim_word_now(item.word);
	/* What has never changed is current, and was seen to be in the first epoch. */
	if (!item.changed && (w->epoch || w->stale) && (!level || !is_link(&item)))
		return;
	do {
		walk_value(w, above, &item, since);
		item.current = false;
	} while (sim_word_before(&item.value));
}

static bool one_address(const struct sim_walk *w)
{
	return w->start == w->last;
}

/* For one address: its entry, and where the format has runs, the others of the run around it. */
static void walk_one(struct sim_walk *w, const struct sim_item *above, unsigned level, cop_pa table, uint64_t since)
{
	const struct sim_tree *tree = above->tree;
	uint64_t n = entries_of(tree, level), at = (w->start >> tree->shift[level]) & (n - 1), run = 1;

	if (!w->exact && sim_has_runs(table))
		run = COP_LG2(tree->format->cont_lg2(&tree->geom, level));
	for (uint64_t i = at & ~(run - 1); i < (at | (run - 1)) + 1 && i < n; i++) {
		if (i == at || sim_word_used(table + i * 8))
			walk_word(w, above, level, table, i, since);
		else if (w->touch)
			w->touch(sim_phys(table + i * 8));
	}
}

/* Of the entries that one walk asks about, the first, and the one after the last: whole runs, where there are any. */

static uint64_t run_of(const struct sim_tree *tree, unsigned level, cop_pa table)
{
	return sim_has_runs(table) ? COP_LG2(tree->format->cont_lg2(&tree->geom, level)) : 1;
}

static uint64_t index_of(const struct sim_walk *w, const struct sim_item *above, unsigned level, cop_pa table)
{
	const struct sim_tree *tree = above->tree;

	if (sign_extended_root(tree, level) || w->start <= above->va)
		return 0;
	return ((w->start - above->va) >> tree->shift[level]) & ~(run_of(tree, level, table) - 1);
}

static uint64_t index_after(const struct sim_walk *w, const struct sim_item *above, unsigned level, cop_pa table,
			    uint64_t n)
{
	const struct sim_tree *tree = above->tree;
	uint64_t last;

	if (sign_extended_root(tree, level) || w->last < above->va)
		return n;
	last = ((w->last - above->va) >> tree->shift[level]) | (run_of(tree, level, table) - 1);
	return last < n ? last + 1 : n;
}

static void walk_table(struct sim_walk *w, const struct sim_item *above, unsigned level, cop_pa table, uint64_t since)
{
	const struct sim_tree *tree = above->tree;
	uint64_t n = entries_of(tree, level);

	if (table + n * 8 > sim.config.pa_bytes)
		return; /* reported when it was linked */
	if (one_address(w)) {
		walk_one(w, above, level, table, since);
		return;
	}
	n = index_after(w, above, level, table, n);
	for (uint64_t i = sim_next_used(table, index_of(w, above, level, table), n); i < n;
	     i = sim_next_used(table, i + 1, n))
		walk_word(w, above, level, table, i, since);
}

cop_va sim_root_va(const struct sim_tree *tree)
{
	return tree->geom.half == COP_HALF_HIGH ? ~0ULL << tree->geom.va_bits : 0;
}

void sim_walk_tree(struct sim_walk *w, const struct sim_tree *tree)
{
	struct sim_item root = {.tree = tree,
				.word = COP_PA_NONE,
				.va = sim_root_va(tree),
				.level = tree->geom.levels,
				.current = true};

	w->epoch = 0;
	w->changed = false;
	walk_table(w, &root, tree->geom.levels - 1U, tree->root, w->epoch);
	if (!w->changed)
		return;
	for (unsigned i = 0; i < sim_inval.count; i++) {
		if (!(sim_inval.at[i].what.scope & COP_TLBI_TABLES) || sim_inval.at[i].issued + 1 <= w->epoch)
			continue;
		w->epoch = sim_inval.at[i].issued + 1;
		walk_table(w, &root, tree->geom.levels - 1U, tree->root, w->epoch);
	}
}

bool sim_translates(const struct sim_tree *tree, cop_va va)
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

/* CPUs differ only where an invalidation was local. */
void sim_walk_all(struct sim_walk *w, cop_va start, cop_va last)
{
	w->start = start;
	w->last = last;
	for (w->on = 0; w->on < (sim_inval.local ? sim.config.cpus : 1); w->on++) {
		for (unsigned t = 0; t < SIM_TREES; t++) {
			if (sim.tree[t].attached)
				sim_walk_tree(w, &sim.tree[t]);
		}
	}
}

/* An access. */

struct reaching {
	struct sim_reached *out;
	unsigned count;
	cop_va va;
	bool write;
};

/* Its path has an entry that this CPU has stored and not published. */
static bool is_unpublished(const struct sim_item *item)
{
	const uint64_t since = sim.cpu[sim.current].unpublished;

	for (; since && item && item->word != COP_PA_NONE; item = item->above) {
		if (item->value.end == SIM_FOREVER && item->value.by == sim.current && item->value.set >= since)
			return true;
	}
	return false;
}

static struct sim_reached reached(const struct sim_item *item, cop_va va, bool write)
{
	const struct sim_tree *tree = item->tree;
	struct sim_reached found = {.pa = COP_PA_NONE, .word = item->word, .stale = !item->current};
	struct cop_access access = {.entry = item->value.value};

	if (item->kind != COP_LEAF)
		return found;
	if (tree->format->access)
		access = tree->format->access(&tree->geom, item->value.value, item->level, write);
	else
		access.fault = write && !(tree->format->attrs(&tree->geom, item->value.value, item->level) & COP_WRITE);
	found.entry = item->value.value;
	found.updated = access.entry;
	found.refused = access.fault;
	found.unpublished = is_unpublished(item);
	if (!access.fault)
		found.pa = item->pa + (va - item->va);
	return found;
}

/* Members of a run say the same in different words. */
static bool same(const struct sim_reached *a, const struct sim_reached *b)
{
	if (a->entry == b->entry)
		return a->pa == b->pa;
	return a->pa == b->pa && a->refused == b->refused && a->updated == a->entry && b->updated == b->entry;
}

static void reach(const struct sim_item *item, struct sim_walk *w)
{
	struct reaching *r = w->arg;
	struct sim_reached found;

	if (item->kind == COP_TABLE || !(item->kept || item->readable))
		return;
	/* A leaf that is read now and cannot be kept is used once; one that can is one of those kept. */
	if (item->kind == COP_LEAF && !item->kept && item->keepable)
		return;
	found = reached(item, r->va, r->write);
	/* A stale copy whose accessed or dirty bit must be set makes hardware look at the entry, which has changed. */
	if (found.stale && found.pa != COP_PA_NONE && found.updated != found.entry)
		return;
	for (unsigned i = 0; i < r->count; i++) {
		if (same(&r->out[i], &found)) {
			r->out[i].stale &= found.stale;
			return;
		}
	}
	if (r->count == SIM_MAX_REACHED)
		sim_fail("sim-limit", "more than %d translations of one address", SIM_MAX_REACHED);
	r->out[r->count++] = found;
}

/* Does the access look here? */
static bool asks(const struct sim_tree *tree, const struct sim_tree *user)
{
	return user ? tree == user : !tree->user;
}

unsigned sim_translate(const struct sim_tree *user, cop_va va, bool write, struct sim_reached *out,
		       void (*touch)(const void *))
{
	struct reaching r = {.out = out, .va = va, .write = write};
	struct sim_walk w = {
		.on = sim.cpu[sim.current].on, .start = va, .last = va, .visit = reach, .arg = &r, .touch = touch};

	sim_attach_pending();
	for (unsigned t = 0; t < SIM_TREES; t++) {
		if (asks(&sim.tree[t], user) && sim_translates(&sim.tree[t], va))
			sim_walk_tree(&w, &sim.tree[t]);
	}
	if (!r.count)
		out[r.count++] = (struct sim_reached){.pa = COP_PA_NONE};
	return r.count;
}
