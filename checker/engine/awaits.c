/* SPDX-License-Identifier: MIT */
/* Awaits: when they can happen, and before which changes they could have happened. */
#include "checker/engine/search.h"

static uint64_t value_of(const struct engine_await *a, uint64_t word)
{
	word >>= a->shift;
	return a->size < 8 ? word & ((1ULL << (a->size * 8)) - 1) : word;
}

uint64_t await_value(const struct engine_await *a)
{
	return value_of(a, *a->value);
}

/* The condition is in the actor's code: it looks at the value, and comes back to the same place. */
static bool ask(unsigned actor, uint64_t value)
{
	struct actor *a = &search.actor[actor];
	unsigned before = search.current;

	for (unsigned i = 0; i < a->answers && i < ANSWERS; i++) {
		if (a->answer[i].value == value)
			return a->answer[i].good;
	}
	search.asking = true;
	search.asked = value;
	search.current = actor;
	coroutine_switch(&search.scheduler, a->now.sp);
	search.current = before;
	search.asking = false;
	a->answer[a->answers % ANSWERS].value = value;
	a->answer[a->answers % ANSWERS].good = search.answer;
	if (++a->answers == 2 * ANSWERS)
		a->answers = ANSWERS;
	return search.answer;
}

static bool good(unsigned actor, const struct engine_await *a, uint64_t value)
{
	return a->holds ? a->holds(value, a->arg) : ask(actor, value);
}

bool await_ready(unsigned actor)
{
	const struct actor_state *s = &search.actor[actor].now;

	for (unsigned i = 0; i < s->awaits; i++) {
		if (!good(actor, &s->await[i], await_value(&s->await[i])))
			return false;
	}
	return true;
}

/* A location's value if an event and all that comes after it had not happened. */
static uint64_t value_without(unsigned i, const struct event *gone)
{
	const struct location *l = location_of(search.await[i].location);
	uint64_t v = search.value[i];

	for (uint32_t a = search.access[l->last].solid; a; a = search.access[search.access[a].prev].solid) {
		if (!clock_has(&search.event[search.access[a].event].clock, gone))
			return v;
		v = value_of(&search.await[i], search.access[a].old);
	}
	return v;
}

static bool possible_without(unsigned actor, const struct event *gone)
{
	for (unsigned i = 0; i < search.awaits; i++) {
		if (!good(actor, &search.await[i], value_without(i, gone)))
			return false;
	}
	return true;
}

void await_look_back(unsigned actor, const union clock *base)
{
	const struct actor_state *s = &search.actor[actor].now;

	search.awaits = s->awaits;
	for (unsigned i = 0; i < s->awaits; i++) {
		search.await[i] = s->await[i];
		search.value[i] = await_value(&s->await[i]);
	}
	for (unsigned i = 0; i < s->awaits; i++) {
		const struct location *l = location_of(s->await[i].location);
		uint32_t a = search.access[l->last].solid;

		search.newest[i] = a ? search.access[a].event : NONE;
		search.usable[i] = NONE;
		for (; a; a = search.access[search.access[a].prev].solid) {
			const struct event *e = &search.event[search.access[a].event];

			if (clock_has(base, e))
				break;
			if (possible_without(actor, e)) {
				search.usable[i] = search.access[a].event;
				break;
			}
		}
	}
}
