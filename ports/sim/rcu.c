/* SPDX-License-Identifier: MIT */
/*
 * Grace periods. A CPU reads while it is in a read section or has interrupts off: its word then is the section's number,
 * else 0. A grace period looks at all words and waits for each that was not 0 to become another.
 */
#include "ports/sim/sim.h"
#include "checker/engine.h"

#include <string.h>

#define CALLBACKS 64

static struct callback {
	cop_rcu *head;
	void (*func)(cop_rcu *);
	struct sim_at at;
	struct sim_grace grace;
	struct sim_clock before;
} queue[CALLBACKS];

static uint64_t *word_of(unsigned slot)
{
	return &sim.rcu.section[slot];
}

static bool is_over(uint64_t word, uint64_t section)
{
	return word != section;
}

static bool is_busy(uint64_t first, uint64_t last)
{
	return first != last;
}

static bool looks_shared(void)
{
	bool shared = false;

	for (unsigned i = 0; i < SIM_ALL_CPUS; i++)
		shared |= sim_conflicts(word_of(i), false);
	return shared;
}

static struct sim_grace grace_begin(void)
{
	struct sim_grace g = {{0}};

	sim_order_grace_begins();
	for (unsigned i = 0; i < SIM_ALL_CPUS; i++) {
		sim_touch(word_of(i), false);
		g.section[i] = *word_of(i);
	}
	return g;
}

static void grace_await(enum sim_op op, const struct sim_grace *g, struct sim_at at)
{
	for (unsigned i = 0; i < SIM_ALL_CPUS; i++) {
		if (g->section[i])
			sim_await_word(op, word_of(i), is_over, g->section[i], at);
	}
	sim_race_after(word_of(0));
}

void sim_rcu_section_begin(void)
{
	if (sim.rcu.depth[sim.current]++)
		return;
	sim_word_set(word_of(sim.current), ++sim.rcu.sections[sim.current]);
	sim_order_section_begins();
}

/* What it did comes before the end of every grace period that waits for it. */
void sim_rcu_section_end(void)
{
	sim_race_before(word_of(0));
	if (--sim.rcu.depth[sim.current] == 0)
		sim_word_set(word_of(sim.current), 0);
}

bool sim_rcu_visible(void)
{
	return sim_conflicts(word_of(sim.current), true);
}

void sim_rcu_read_lock(struct sim_at at)
{
	sim_point(SIM_OP_RCU_READ, sim_rcu_visible(), NULL, at);
	sim_rcu_section_begin();
	sim_atomic_begin();
	sim.cpu[sim.current].reading++;
	sim_record(SIM_OP_RCU_READ, NULL, 0, 0, 0, at);
}

void sim_rcu_read_unlock(struct sim_at at)
{
	struct sim_processor *me = &sim.cpu[sim.current];

	sim_order_settle(at);
	sim_point(SIM_OP_RCU_UNREAD, sim_rcu_visible(), NULL, at);
	if (!me->reading)
		sim_fail("rcu-unbalanced", "a read section ends that did not begin");
	me->reading--;
	sim_rcu_section_end();
	sim_atomic_end();
	sim_record(SIM_OP_RCU_UNREAD, NULL, 0, 0, 0, at);
}

/* Where a head really lies; in struct page there is a translation between. NULL: nowhere. */
static const cop_rcu *real_head(const cop_rcu *head)
{
	const struct sim_place place = sim_place_of(head);
	struct sim_reached to[SIM_MAX_REACHED];

	if (place.space != SIM_VIRT)
		return head;
	if (!sim_translate(NULL, place.address, true, to, NULL) || to[0].pa >= sim.config.pa_bytes)
		return NULL;
	return (const cop_rcu *)sim_phys(to[0].pa);
}

static void touch_head(const cop_rcu *head)
{
	const cop_rcu *real = real_head(head);

	if (!real)
		sim_fail("struct-page-unmapped", "the head of a grace period lies where nothing is mapped");
	sim_touch(&real->next, true);
	sim_touch(&real->func, true);
}

void sim_rcu_defer(cop_rcu *head, void (*func)(cop_rcu *), struct sim_at at)
{
	struct callback *c;
	const cop_rcu *real;

	sim_order_settle(at);
	real = real_head(head);
	sim_point(SIM_OP_RCU_DEFER,
		  sim_conflicts(&sim.rcu.last, true) || (real && sim_conflicts(real, true)) || looks_shared(), NULL,
		  at);
	touch_head(head);
	for (uint64_t i = sim.rcu.first; i != sim.rcu.last; i++) {
		if (queue[i % CALLBACKS].head == head)
			sim_report("rcu-head-reused", "this head waits for a grace period already");
	}
	if (sim.rcu.last - sim.rcu.first == CALLBACKS)
		sim_fail("sim-limit", "more than %d callbacks", CALLBACKS);
	c = &queue[sim.rcu.last % CALLBACKS];
	engine_save(c, sizeof(*c));
	*c = (struct callback){head, func, at, grace_begin(), sim_order_release()};
	sim_race_before(head);
	sim_word_set(&sim.rcu.last, sim.rcu.last + 1);
	sim_record(SIM_OP_RCU_DEFER, head, 0, 0, 0, at);
}

/* Anybody who touches a head that waits takes it for something else. */
void sim_rcu_check_heads(const volatile void *p, unsigned size, struct sim_at at)
{
	for (uint64_t i = sim.rcu.first; i != sim.rcu.last; i++) {
		const uintptr_t head = (uintptr_t)queue[i % CALLBACKS].head;

		if ((uintptr_t)p + size <= head || (uintptr_t)p >= head + sizeof(cop_rcu))
			continue;
		sim.cpu[sim.current].at = at;
		sim_report("rcu-head-touched", "this is part of a head that waits for a grace period since %s:%d",
			   queue[i % CALLBACKS].at.file, queue[i % CALLBACKS].at.line);
		return;
	}
}

void sim_rcu_sync(struct sim_at at)
{
	struct sim_grace g;

	sim_may_sleep("cop_rcu_sync()", at);
	sim_order_fence(true, true, true, at);
	sim_point(SIM_OP_RCU_SYNC, looks_shared(), NULL, at);
	g = grace_begin();
	grace_await(SIM_OP_RCU_SYNC, &g, at);
	sim_order_fence(true, true, true, at);
	sim_record(SIM_OP_RCU_SYNC, NULL, 0, 0, 0, at);
}

static void call_first(void)
{
	const struct callback c = queue[sim.rcu.first % CALLBACKS];

	sim_order_acquire(&c.before);
	touch_head(c.head);
	sim_race_after(c.head);
	sim.rcu.first++;
	sim_record(SIM_OP_RCU_CALL, c.head, 0, 0, 0, c.at);
	c.func(c.head);
}

/* Callbacks run on a processor of their own, at any time after their grace period. */
void sim_rcu_run(void *unused)
{
	(void)unused;
	for (;;) {
		const struct callback *c = &queue[sim.rcu.first % CALLBACKS];

		sim_await_word(SIM_OP_RCU_CALL, &sim.rcu.last, is_busy, sim.rcu.first, SIM_AT);
		grace_await(SIM_OP_RCU_CALL, &c->grace, c->at);
		sim_order_fence(true, true, true, c->at);
		call_first();
	}
}

static bool first_is_over(void)
{
	const struct sim_grace *g = &queue[sim.rcu.first % CALLBACKS].grace;

	for (unsigned i = 0; i < SIM_ALL_CPUS; i++) {
		if (g->section[i] && !is_over(*word_of(i), g->section[i]))
			return false;
	}
	return true;
}

/* Nothing else runs: whoever waits lets the callbacks come first. */
void sim_rcu_run_solo(void)
{
	unsigned before = sim.current;

	if (sim.current == SIM_RCU_CPU)
		return;
	while (sim.rcu.first != sim.rcu.last && first_is_over()) {
		sim.current = SIM_RCU_CPU;
		call_first();
		sim.current = before;
	}
}
