/* SPDX-License-Identifier: MIT */
/* Awaits: when they can happen, and before which changes they could have happened. */
#include "checker/engine/search.h"

#define CHANGES 1024

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

/* One awaited location: the changes that the actor does not know of, newest first, and its value without the first n. */
struct changes {
	uint32_t event[CHANGES];
	uint64_t value[CHANGES + 1];
	unsigned count;
};
static struct changes change[ENGINE_AWAITS];

static void find_changes(struct changes *c, const struct engine_await *a, const union clock *base)
{
	const struct location *l = location_of(a->location);

	c->count = 0;
	c->value[0] = await_value(a);
	for (uint32_t i = search.access[l->last].solid; i; i = search.access[search.access[i].prev].solid) {
		const struct access *access = &search.access[i];

		if (clock_has(base, &search.event[access->event]))
			return;
		if (c->count == CHANGES)
			search_limit("changes of a location that one actor waits for");
		c->event[c->count++] = access->event;
		c->value[c->count] = value_of(a, access->old);
	}
}

static const struct event *change_event(const struct changes *c, unsigned without)
{
	return without ? &search.event[c->event[without - 1]] : NULL;
}

/* Is there a past that lacks so many changes of the one and so many of the other? What is there needs nothing that is not. */
static bool is_consistent(unsigned a, unsigned b)
{
	const struct event *gone_a = change_event(&change[0], a), *gone_b = change_event(&change[1], b);

	if (gone_a && b < change[1].count && clock_has(&search.event[change[1].event[b]].clock, gone_a))
		return false;
	return !(gone_b && a < change[0].count && clock_has(&search.event[change[0].event[a]].clock, gone_b));
}

static void note_past(unsigned a, unsigned b)
{
	uint32_t gone_a = a ? change[0].event[a - 1] : NONE, gone_b = b ? change[1].event[b - 1] : NONE;

	if (search.pasts == PASTS)
		search_limit("pasts in which an await could have happened");
	/* The earlier of two comes first. */
	search.past[search.pasts++] = gone_a < gone_b ? (struct race){.event = gone_a, .also = gone_b, .await = true}
						      : (struct race){.event = gone_b, .also = gone_a, .await = true};
}

static void look_back_at_one(unsigned actor, const struct engine_await *await)
{
	for (unsigned a = 1; a <= change[0].count; a++) {
		if (good(actor, await, change[0].value[a])) {
			note_past(a, 0);
			return;
		}
	}
}

/* Of all pasts in which both hold those that lack least. */
static void look_back_at_two(unsigned actor, const struct engine_await *await)
{
	unsigned most = change[1].count + 1;

	for (unsigned a = 0; a <= change[0].count && most; a++) {
		if (!good(actor, &await[0], change[0].value[a]))
			continue;
		for (unsigned b = a == 0; b < most; b++) {
			if (is_consistent(a, b) && good(actor, &await[1], change[1].value[b])) {
				note_past(a, b);
				most = b;
			}
		}
	}
}

void await_look_back(unsigned actor, const union clock *base)
{
	const struct actor_state *s = &search.actor[actor].now;

	search.awaits = s->awaits;
	search.pasts = 0;
	change[1].count = 0;
	for (unsigned i = 0; i < s->awaits; i++) {
		find_changes(&change[i], &s->await[i], base);
		search.newest[i] = change[i].count ? change[i].event[0] : NONE;
	}
	if (s->awaits == 1)
		look_back_at_one(actor, s->await);
	else if (s->awaits)
		look_back_at_two(actor, s->await);
}

touch touch_of_await(const struct engine_await *a)
{
	return touch_of((uint32_t)(location_of(a->location) - search.location),
			a->changes ? ENGINE_WRITE : ENGINE_READ);
}

static bool conflicts(const struct event *e, const struct event *await, unsigned actor)
{
	const struct actor_state *s = &search.actor[actor].now;

	if (await) {
		for (uint32_t i = await->access; i < await->access + await->accesses; i++) {
			if (touch_conflicts(touch_of(search.access[i].location, search.access[i].mode), e))
				return true;
		}
		return false;
	}
	for (unsigned i = 0; i < s->awaits; i++) {
		if (touch_conflicts(touch_of_await(&s->await[i]), e))
			return true;
	}
	return false;
}

union clock clock_in_past(const struct race *race, const struct event *await, unsigned actor)
{
	unsigned end = await ? (unsigned)(await - search.event) : search.depth;
	union clock c = {{0}};

	if (!await)
		c = *clock_before(actor);
	else if (await->before != NONE)
		c = search.event[await->before].clock;
	for (unsigned k = race->event + 1; k < end; k++) {
		const struct event *e = &search.event[k];

		if (!race_before(race, &e->clock) && !clock_has(&c, e) && conflicts(e, await, actor))
			clock_join(&c, &e->clock);
	}
	return c;
}
