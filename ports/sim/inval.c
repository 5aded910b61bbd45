/* SPDX-License-Identifier: MIT */
/* Invalidations: what each one reaches, when it is complete, and what is wrong with those that did not reach an item. */
#include "ports/sim/mmu.h"
#include "checker/engine.h"

struct sim_invalidations sim_inval;

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

static bool is_global(const struct sim_item *item)
{
	return item->kind == COP_LEAF && item->global;
}

static bool same_space(const struct cop_tlbi *t, const struct sim_item *item)
{
	if (t->scope & COP_TLBI_GLOBAL)
		return true;
	return t->asid == item->tree->asid && !is_global(item);
}

/*
 * Where hardware caches entries that are not valid (riscv64), one of an upper level is dropped as the table that it has
 * become: a by-address fence reaches leaves only.
 */
static bool is_upper(const struct sim_item *item)
{
	if (item->kind == COP_TABLE || item->kind == COP_LEAF)
		return item->kind == COP_TABLE;
	return sim_decode(item->tree, sim_word_now(item->word).value, item->level)->kind == COP_TABLE;
}

static bool right_kind(const struct cop_tlbi *t, const struct sim_item *item)
{
	if (is_upper(item))
		return t->scope & COP_TLBI_TABLES;
	return (t->scope & COP_TLBI_ASID) || t->level == COP_TLBI_ANY_LEVEL || t->level == item->level;
}

static bool right_cpu(const struct sim_invalidation *i, unsigned on)
{
	return !(i->what.scope & COP_TLBI_LOCAL) || i->on == on;
}

static bool right_address(const struct cop_tlbi *t, const struct sim_item *item)
{
	return (t->scope & COP_TLBI_ASID) || hits(t, item->va, item->bytes);
}

bool sim_covers(const struct sim_invalidation *i, unsigned on, const struct sim_item *item)
{
	return right_cpu(i, on) && same_space(&i->what, item) && right_kind(&i->what, item) &&
	       right_address(&i->what, item);
}

const struct sim_item *sim_first_changed(const struct sim_item *item)
{
	const struct sim_item *changed = NULL;

	for (; item && item->word != COP_PA_NONE; item = item->above) {
		if (item->value.end != SIM_FOREVER)
			changed = item;
	}
	return changed;
}

enum { MISSING, BEFORE, NARROW, KIND, LOCAL, ASID, EARLY, UNSYNCED };

static int tried(const struct sim_invalidation *i, unsigned on, const struct sim_item *item, uint64_t since)
{
	if (sim_covers(i, on, item)) {
		if (i->asked < since)
			return BEFORE;
		if (i->done == SIM_FOREVER)
			return UNSYNCED;
		/* Reached, and read again through a table above that was spared. */
		return i->issued < since ? EARLY : KIND;
	}
	if (i->asked < since)
		return MISSING;
	if (!right_address(&i->what, item))
		return NARROW;
	if (!same_space(&i->what, item))
		return ASID;
	return right_cpu(i, on) ? KIND : LOCAL;
}

struct sim_cause sim_cause_of(const struct sim_item *item, unsigned on)
{
	static const struct sim_cause causes[] = {
		[MISSING] = {.rule = "missing-invalidation", .text = "no invalidation has been issued since"},
		[BEFORE] = {.rule = "early-invalidation",
			    .text = "the invalidation came before the entry was written: a CPU may have read it again"},
		[NARROW] = {.rule = "narrow-invalidation",
			    .text = "no invalidation since then reaches its address (range or stride too narrow)"},
		[KIND] = {.rule = "wrong-invalidation",
			  .text = "the invalidation is of the wrong kind: leaves only where a table was unlinked, or "
				  "another level"},
		[LOCAL] = {.rule = "wrong-invalidation", .text = "the invalidation was local to another CPU"},
		[ASID] = {.rule = "wrong-asid",
			  .text = "the invalidation is for another address space, or spares global entries"},
		[EARLY] = {.rule = "early-invalidation",
			   .text = "the store was not published before the invalidation, which it may overtake"},
		[UNSYNCED] = {.rule = "unsynced-invalidation",
			      .text = "the invalidation was issued and not waited for"},
	};
	const struct sim_item *changed = sim_first_changed(item);
	uint64_t since = changed ? changed->value.end : 0;
	int best = MISSING;
	struct sim_cause cause;

	for (unsigned i = 0; i < sim_inval.count; i++) {
		int one = tried(&sim_inval.at[i], on, item, since);

		best = one > best ? one : best;
	}
	cause = causes[best];
	if (changed)
		cause.at = changed->value.ended;
	return cause;
}

void sim_mmu_invalidate(const struct cop_tlbi *t, uint64_t issued, bool complete)
{
	struct sim_invalidations *s = &sim_inval;

	if (s->count == SIM_INVALIDATIONS)
		sim_fail("sim-limit", "more than %d invalidations", SIM_INVALIDATIONS);
	s->at[s->count++] = (struct sim_invalidation){.what = *t,
						      .issued = issued,
						      .asked = sim.now,
						      .done = complete ? sim.now : SIM_FOREVER,
						      .cpu = sim.current,
						      .on = sim.cpu[sim.current].on};
	s->local |= (t->scope & COP_TLBI_LOCAL) != 0;
}

void sim_mmu_complete(void)
{
	for (unsigned i = 0; i < sim_inval.count; i++) {
		if (sim_inval.at[i].cpu != sim.current || sim_inval.at[i].done != SIM_FOREVER)
			continue;
		engine_save(&sim_inval.at[i].done, sizeof(sim_inval.at[i].done));
		sim_inval.at[i].done = sim.now;
	}
}

bool sim_mmu_pending(void)
{
	for (unsigned i = 0; i < sim_inval.count; i++) {
		if (sim_inval.at[i].cpu == sim.current && sim_inval.at[i].done == SIM_FOREVER &&
		    !(sim_inval.at[i].what.scope & COP_TLBI_LOCAL))
			return true;
	}
	return false;
}

/* The start of every execution: all CPUs have just invalidated everything. */
void sim_mmu_reset(void)
{
	sim_inval.count = 0;
	sim_inval.local = false;
}

void sim_mmu_on(void)
{
	sim_mmu_reset();
	sim_decode_on();
	engine_region(&sim_inval.count, offsetof(struct sim_invalidations, at));
}
