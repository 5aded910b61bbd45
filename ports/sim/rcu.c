/* SPDX-License-Identifier: MIT */
/* Grace periods. A CPU reads while it is in a read section or has interrupts off. */
#include "ports/sim/sim.h"

#include <string.h>

#define CALLBACKS 64

static struct {
	struct {
		cop_rcu *head;
		void (*func)(cop_rcu *);
		struct sim_at at;
		struct sim_grace grace;
		struct sim_clock before;
	} queue[CALLBACKS];
	unsigned count;
} rcu, marked;

void sim_rcu_mark(void)
{
	marked = rcu;
}

void sim_rcu_restore(void)
{
	rcu = marked;
}

static struct sim_grace grace_begin(void)
{
	struct sim_grace g = {{0}};

	for (unsigned i = 0; i < SIM_CPUS; i++) {
		if (sim.cpu[i].live && !sim.cpu[i].done && (sim.cpu[i].reading || sim.cpu[i].irqs_off))
			g.section[i] = sim.cpu[i].section;
	}
	return g;
}

bool sim_grace_over(const struct sim_grace *g)
{
	for (unsigned i = 0; i < SIM_CPUS; i++) {
		const struct sim_processor *p = &sim.cpu[i];

		if (g->section[i] && g->section[i] == p->section && (p->reading || p->irqs_off))
			return false;
	}
	return true;
}

void sim_rcu_section_begin(void)
{
	struct sim_processor *me = &sim.cpu[sim.current];

	sim_touch(&sim_loc_rcu, false);
	if (!me->reading && !me->irqs_off)
		me->section++;
}

/* What it did comes before the end of every grace period that waits for it. */
void sim_rcu_section_end(void)
{
	sim_touch(&sim_loc_rcu, false);
	sim_race_before(&sim_loc_rcu);
}

void sim_rcu_read_lock(struct sim_at at)
{
	sim_point(SIM_OP_RCU_READ, sim_conflicts(&sim_loc_rcu, false), SIM_READY, NULL, at);
	sim_rcu_section_begin();
	sim_atomic_begin();
	sim.cpu[sim.current].reading++;
	sim_record(SIM_OP_RCU_READ, NULL, 0, 0, 0, at);
}

void sim_rcu_read_unlock(struct sim_at at)
{
	struct sim_processor *me = &sim.cpu[sim.current];

	sim_point(SIM_OP_RCU_UNREAD, sim_conflicts(&sim_loc_rcu, false), SIM_READY, NULL, at);
	if (!me->reading)
		sim_fail("rcu-unbalanced", "a read section ends that did not begin");
	me->reading--;
	sim_rcu_section_end();
	sim_atomic_end();
	sim_record(SIM_OP_RCU_UNREAD, NULL, 0, 0, 0, at);
}

void sim_rcu_defer(cop_rcu *head, void (*func)(cop_rcu *), struct sim_at at)
{
	sim_point(SIM_OP_RCU_DEFER, sim_conflicts(&sim_loc_rcu, true), SIM_READY, NULL, at);
	sim_touch(&sim_loc_rcu, true);
	for (unsigned i = 0; i < rcu.count; i++) {
		if (rcu.queue[i].head == head)
			sim_report("rcu-head-reused", "this head waits for a grace period already");
	}
	if (rcu.count == CALLBACKS)
		sim_fail("sim-limit", "more than %d callbacks", CALLBACKS);
	rcu.queue[rcu.count].head = head;
	rcu.queue[rcu.count].func = func;
	rcu.queue[rcu.count].at = at;
	rcu.queue[rcu.count].grace = grace_begin();
	rcu.queue[rcu.count].before = sim_order_release();
	rcu.count++;
	sim_race_before(head);
	sim_record(SIM_OP_RCU_DEFER, head, 0, 0, 0, at);
}

void sim_rcu_sync(struct sim_at at)
{
	struct sim_processor *me = &sim.cpu[sim.current];

	sim_may_sleep("cop_rcu_sync()", at);
	sim_point(SIM_OP_RCU_SYNC, sim_conflicts(&sim_loc_rcu, true), SIM_READY, NULL, at);
	sim_touch(&sim_loc_rcu, true);
	me->grace = grace_begin();
	sim_point(SIM_OP_RCU_SYNC, false, SIM_WAIT_GRACE, NULL, at);
	sim_race_after(&sim_loc_rcu);
	sim_record(SIM_OP_RCU_SYNC, NULL, 0, 0, 0, at);
}

bool sim_rcu_ready(void)
{
	return rcu.count && sim_grace_over(&rcu.queue[0].grace);
}

bool sim_rcu_idle(void)
{
	return !rcu.count;
}

static void call_first(void)
{
	cop_rcu *head = rcu.queue[0].head;
	void (*func)(cop_rcu *) = rcu.queue[0].func;
	struct sim_at at = rcu.queue[0].at;

	sim_order_acquire(&rcu.queue[0].before);
	sim_race_after(head);
	sim_race_after(&sim_loc_rcu);
	sim_touch(&sim_loc_rcu, true);
	memmove(&rcu.queue[0], &rcu.queue[1], --rcu.count * sizeof(rcu.queue[0]));
	sim_record(SIM_OP_RCU_CALL, head, 0, 0, 0, at);
	func(head);
}

/* Callbacks run on a processor of their own, at any time after their grace period. */
void sim_rcu_run(void *unused)
{
	(void)unused;
	for (;;) {
		sim_point(SIM_OP_RCU_CALL, true, SIM_WAIT_CALLBACK, NULL, rcu.count ? rcu.queue[0].at : SIM_AT);
		call_first();
	}
}
