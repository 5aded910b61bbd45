/* SPDX-License-Identifier: MIT */
/* Events: what they touch, what comes before them, and which of it could have come after. */
#include "checker/engine/search.h"

#include <stdio.h>
#include <stdlib.h>

#define SLOT_LG2 17
#define SLOTS    (1U << SLOT_LG2)

/* 0 stands for none in all lists. */
void events_reset(void)
{
	for (uint32_t i = 1; i < search.locations; i++)
		search.slot[search.location[i].slot] = 0;
	search.locations = 1;
}

/* What is known of the locations stays. */
void events_begin(void)
{
	for (uint32_t i = 1; i < search.locations; i++)
		search.location[i].last = 0;
	search.accesses = 1;
	search.races = 0;
}

static uint32_t index_of(uintptr_t key)
{
	uint32_t i = (uint32_t)((key * 0x9e3779b97f4a7c15ULL) >> (64 - SLOT_LG2));

	for (;; i = (i + 1) & (SLOTS - 1)) {
		uint32_t l = search.slot[i];

		if (l && search.location[l].key == key)
			return l;
		if (l)
			continue;
		if (search.locations == SLOTS / 2)
			search_limit("locations");
		search.location[search.locations] = (struct location){.key = key, .slot = i};
		return search.slot[i] = search.locations++;
	}
}

struct location *location_of(const volatile void *key)
{
	return &search.location[index_of((uintptr_t)key)];
}

const union clock *clock_before(unsigned actor)
{
	static const union clock nothing;
	uint32_t last = search.actor[actor].now.last;

	return last == NONE ? &nothing : &search.event[last].clock;
}

struct event *event_begin(unsigned actor)
{
	struct event *e = &search.event[search.depth];
	const struct actor_state *a = &search.actor[actor].now;

	if (search.depth == ENGINE_EVENTS)
		search_limit("events in one execution");
	clock_copy(&e->clock, clock_before(actor));
	e->actor = (uint8_t)actor;
	e->number = (int16_t)(a->events + 1);
	e->before = a->last;
	e->access = search.accesses;
	e->races = search.races;
	e->race_count = 0;
	e->reads = e->writes = 0;
	e->choices = 0;
	e->met = 0;
	search.candidates = 0;
	return e;
}

static void add_candidate(uint32_t event, bool fixed)
{
	const struct event *e = &search.event[search.depth];
	struct event *other = &search.event[event];

	if (clock_has(&e->clock, other))
		return;
	/* The number of events executed so far names the present one. */
	if (other->met == search.result.events + 1) {
		search.candidate[other->met_at].fixed |= fixed;
		return;
	}
	other->met = search.result.events + 1;
	other->met_at = search.candidates;
	if (search.candidates == RACES)
		search_limit("events in conflict with one event");
	search.candidate[search.candidates++] = (struct candidate){event, fixed};
}

/*
 * What touches of this location have to come before one in this mode. Those before one that is of this mode, and comes
 * before this event, come before it too.
 */
static void find_conflicts(uint32_t a, unsigned mode)
{
	const union clock *clock = &search.event[search.depth].clock;

	while (a) {
		const struct access *access = &search.access[a];

		if (access->mode == mode && access->event != search.depth &&
		    clock_has(clock, &search.event[access->event]))
			return;
		if (mode == ENGINE_READ && access->mode == ENGINE_READ) {
			a = access->solid;
			continue;
		}
		if (access->event != search.depth && !modes_commute(access->mode, mode))
			add_candidate(access->event, false);
		if (access->event != search.depth && access->mode == ENGINE_WRITE)
			return;
		a = access->prev;
	}
}

void engine_touch(const volatile void *key, enum engine_mode wanted, uint64_t old)
{
	struct event *e = &search.event[search.depth];
	unsigned mode = wanted;
	struct location *l;
	struct access *own;
	uint32_t index;

	if (search.solo || !search.running)
		return;
	index = index_of((uintptr_t)key);
	l = &search.location[index];
	l->added |= mode == ENGINE_ADD;
	if (l->awaited && mode == ENGINE_ADD)
		mode = ENGINE_WRITE;
	own = &search.access[l->last];
	if (l->last && own->event == search.depth) {
		if (own->mode == ENGINE_WRITE || own->mode == mode)
			return;
		/* The value before is that of the first change. */
		if (own->mode == ENGINE_READ)
			own->old = old;
		own->mode = ENGINE_WRITE;
		own->solid = l->last;
		find_conflicts(own->prev, ENGINE_WRITE);
		e->writes |= 1ULL << (index & 63);
		return;
	}
	find_conflicts(l->last, mode);
	search.access[search.accesses] = (struct access){.location = index,
							 .event = search.depth,
							 .prev = l->last,
							 .solid = mode != ENGINE_READ ? search.accesses
								  : l->last           ? own->solid
										      : 0,
							 .old = old,
							 .mode = (uint8_t)mode};
	l->last = search.accesses++;
	*(mode == ENGINE_READ ? &e->reads : &e->writes) |= 1ULL << (index & 63);
}

void engine_after(unsigned event)
{
	if (!search.solo && search.running)
		add_candidate(event, true);
}

static void latest_first(void)
{
	for (unsigned i = 1; i < search.candidates; i++) {
		struct candidate c = search.candidate[i];
		unsigned k = i;

		for (; k && search.candidate[k - 1].event < c.event; k--)
			search.candidate[k] = search.candidate[k - 1];
		search.candidate[k] = c;
	}
}

/* The await could not have happened without it, or the pasts in which it could say so. */
static bool waited_for(uint32_t event)
{
	for (unsigned i = 0; i < search.awaits; i++) {
		if (search.newest[i] == event)
			return true;
	}
	return false;
}

/* A later event is never before an earlier one: going back, what is covered already is no race. */
void event_end(struct event *e)
{
	struct actor_state *a = &search.actor[e->actor].now;

	latest_first();
	for (unsigned i = 0; i < search.candidates; i++) {
		const struct candidate *c = &search.candidate[i];

		if (clock_has(&e->clock, &search.event[c->event]))
			continue;
		clock_join(&e->clock, &search.event[c->event].clock);
		if (!c->fixed && !search.program->guide && !waited_for(c->event))
			search.race[search.races++] = (struct race){.event = c->event, .also = NONE};
	}
	for (unsigned i = 0; i < search.pasts && !search.program->guide; i++)
		search.race[search.races++] = search.past[i];
	e->race_count = search.races - e->races;
	e->clock.of[e->actor] = e->number;
	e->accesses = search.accesses - e->access;
	a->last = search.depth;
	a->events = e->number;
	search.depth++;
	search.state = search.depth;
	search.result.events++;
}

void event_pop(void)
{
	const struct event *e = &search.event[--search.depth];

	while (search.accesses > e->access) {
		const struct access *a = &search.access[--search.accesses];

		search.location[a->location].last = a->prev;
	}
	search.races = e->races;
}

bool touches_conflict(const struct step *s, const struct event *e)
{
	if (!((s->writes & (e->reads | e->writes)) | (s->reads & e->writes)))
		return false;
	for (uint32_t i = 0; i < s->count; i++) {
		if (touch_conflicts(search.touch[s->touches + i], e))
			return true;
	}
	return false;
}

bool touch_conflicts(touch t, const struct event *e)
{
	for (uint32_t k = e->access; k < e->access + e->accesses; k++) {
		if (search.access[k].location == touch_location(t) &&
		    !modes_commute(search.access[k].mode, touch_mode(t)))
			return true;
	}
	return false;
}
