/* SPDX-License-Identifier: MIT */
/* Processors: the engine's actors. They announce an operation and wait to be chosen. */
#include "ports/sim/sim.h"
#include "checker/engine.h"

void sim_cpu_stop(void)
{
	engine_stop();
}

void sim_cpu_run(void *slot)
{
	unsigned i = (unsigned)(uintptr_t)slot;

	sim.current = i;
	/* What a store buffer is told of belongs to some event. */
	if (sim.config.order != SIM_ORDER_SC && !sim.solo && i < SIM_CPUS)
		sim_point(SIM_OP_START, true, NULL, SIM_AT);
	sim.cpu[i].run(sim.cpu[i].arg);
	sim.current = i;
	sim.cpu[i].done = true;
}

void sim_cpu_start(unsigned cpu, const char *name, void (*run)(void *), void *arg)
{
	sim.cpu[cpu] = (struct sim_processor){.name = name, .run = run, .arg = arg, .live = true};
	sim.cpu[cpu].on = cpu % SIM_CPUS;
}

/* Handlers and callbacks go on whatever runs on their CPU. */
static bool is_gated(const struct sim_processor *p)
{
	return sim.current < SIM_CPUS && !p->handler && sim_armed(p->on);
}

static unsigned add_gate(struct engine_await *await, unsigned n, const struct sim_processor *me)
{
	if (!is_gated(me))
		return n;
	await[n] = (struct engine_await){.location = &sim.hw[me->on].word,
					 .value = &sim.hw[me->on].word,
					 .size = 8,
					 .holds = sim_gate_open,
					 .arg = sim.current};
	return n + 1;
}

static void announce(enum sim_op op, const void *where, struct sim_at at)
{
	struct sim_processor *me = &sim.cpu[sim.current];

	sim_steps++;
	me->op = op;
	me->at = at;
	me->where = where;
}

static void chosen(unsigned slot)
{
	struct sim_processor *me = &sim.cpu[slot];

	sim.current = slot;
	if (is_gated(me))
		sim_touch(&sim.hw[me->on].word, false);
}

unsigned sim_choose(unsigned ways)
{
	unsigned slot = sim.current, way = engine_choose(ways);

	sim.current = slot;
	if (ways > 1 && !sim.solo)
		sim_log_choice(way);
	return way;
}

/* An atomic section begins or ends: other tasks of this CPU may go on, or no longer. */
static bool moves_gate(enum sim_op op)
{
	const struct sim_processor *me = &sim.cpu[sim.current];

	switch (op) {
	case SIM_OP_LOCK:
	case SIM_OP_UNLOCK:
	case SIM_OP_RCU_READ:
	case SIM_OP_RCU_UNREAD:
		return is_gated(me) && sim_conflicts(&sim.hw[me->on].word, true);
	default:
		return false;
	}
}

void sim_point(enum sim_op op, bool visible, const void *where, struct sim_at at)
{
	struct engine_await gate[1];
	unsigned slot = sim.current, n;

	announce(op, where, at);
	if (sim.solo)
		return;
	if (visible || sim.config.fine || moves_gate(op)) {
		n = add_gate(gate, 0, &sim.cpu[slot]);
		if (n)
			engine_await(gate, n);
		else
			engine_point();
		chosen(slot);
	}
	sim_log_pass();
}

static void await_word(enum sim_op op, enum sim_mode mode, const uint64_t *word, bool (*holds)(uint64_t, uint64_t),
		       uint64_t arg, struct sim_at at)
{
	const uint64_t *real = sim_real_word(word);
	struct engine_await await[2] = {{.location = word, .value = real, .size = 8, .holds = holds, .arg = arg}};
	unsigned slot = sim.current;

	await[0].changes = mode == SIM_CHANGE;
	announce(op, word, at);
	if (sim.solo) {
		sim_rcu_run_solo();
		if (!holds(*real, arg))
			sim_fail("deadlock", "setup or check waits, and nothing else runs");
		return;
	}
	if (sim.config.fine || sim_conflicts_as(word, mode) || moves_gate(op) || !holds(*real, arg)) {
		sim_touch_later(word, mode);
		engine_await(await, add_gate(await, 1, &sim.cpu[slot]));
		chosen(slot);
	}
	sim_log_pass();
	sim_touch_as(word, mode);
}

void sim_await_word(enum sim_op op, const uint64_t *word, bool (*holds)(uint64_t, uint64_t), uint64_t arg,
		    struct sim_at at)
{
	await_word(op, SIM_LOOK, word, holds, arg, at);
}

void sim_await_change(enum sim_op op, const uint64_t *word, bool (*holds)(uint64_t, uint64_t), uint64_t arg,
		      struct sim_at at)
{
	await_word(op, SIM_CHANGE, word, holds, arg, at);
}

/* cop_await(): the condition is in the code that waits; see engine_await_value(). */

struct sim_wait sim_await_begin(const volatile void *p, unsigned size, struct sim_at at)
{
	const void *word = (const void *)((uintptr_t)p & ~7UL);
	unsigned offset = (unsigned)((uintptr_t)p & 7), slot = sim.current;
	struct engine_await await[2] = {{.location = word, .value = sim_real_word(word), .size = (uint8_t)size}};

	await[0].shift = (uint8_t)(8 * (__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? offset : 8 - offset - size));
	sim_order_before_await((const void *)p, at);
	announce(SIM_OP_AWAIT, (const void *)p, at);
	if (sim_place_of(p).space == SIM_VIRT)
		sim_fail("not-modelled", "waiting for a location that is reached through a translation");
	if (!sim.solo) {
		sim_touch_later(p, SIM_LOOK);
		engine_await(await, add_gate(await, 1, &sim.cpu[slot]));
	}
	return (struct sim_wait){p, size, slot, at};
}

uint64_t sim_await_next(const struct sim_wait *w)
{
	if (!sim.solo)
		return engine_await_value();
	sim_rcu_run_solo();
	return sim_peek(w->where, w->size);
}

bool sim_await_answer(const struct sim_wait *w, uint64_t value, bool good)
{
	if (sim.solo && !good)
		sim_fail("deadlock", "setup or check waits, and nothing else runs");
	if (!sim.solo && !engine_await_answer(good))
		return false;
	chosen(w->slot);
	if (!sim.solo)
		sim_log_pass();
	sim_await_over(w, value);
	return true;
}
