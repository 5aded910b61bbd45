/* SPDX-License-Identifier: MIT */
/* Actors: announced, chosen, run to their next point. */
#include "checker/engine/search.h"

#include <stdio.h>
#include <stdlib.h>

struct search search;

const char *engine_broken;

void search_limit(const char *what)
{
	engine_broken = what;
	fprintf(stderr, "checker: too many %s\n", what);
	abort();
}

static void yield(void)
{
	struct actor *a = &search.actor[search.current];

	coroutine_switch(&a->now.sp, search.scheduler);
}

/* On an actor's stack. */

static void enter(void)
{
	if (search.solo)
		search.solo_run(search.solo_arg);
	else
		search.program->actors[search.current].run(search.program->actors[search.current].arg);
	search.actor[search.current].now.done = true;
	yield();
	abort();
}

void engine_point(void)
{
	struct actor *a = &search.actor[search.current];

	if (search.solo || !search.running)
		return;
	a->now.awaits = 0;
	a->now.asks = false;
	yield();
}

static void announce(const struct engine_await *await)
{
	struct location *l = location_of(await->location);

	if (l->awaited)
		return;
	l->awaited = true;
	/* They were taken to commute. */
	if (l->added)
		search.again = true;
}

void engine_await(const struct engine_await *await, unsigned n)
{
	struct actor *a = &search.actor[search.current];

	a->now.awaits = (uint8_t)n;
	a->now.asks = !await[0].holds;
	a->answers = 0;
	memcpy(a->now.await, await, n * sizeof(*await));
	if (!search.solo)
		for (unsigned i = 0; i < n; i++)
			announce(&await[i]);
	if (a->now.asks)
		return;
	if (!search.solo)
		yield();
	else if (!await_ready(search.current))
		engine_stop();
}

uint64_t engine_await_value(void)
{
	if (!search.solo)
		yield();
	return search.asking ? search.asked : await_value(&search.actor[search.current].now.await[0]);
}

bool engine_await_answer(bool good)
{
	if (search.asking) {
		search.answer = good;
		return false;
	}
	if (!good)
		engine_stop();
	return true;
}

unsigned engine_choose(unsigned ways)
{
	struct event *e;
	unsigned i;

	if (ways < 2 || search.solo || !search.running)
		return 0;
	if (search.beginning)
		engine_point();
	e = &search.event[search.depth];
	i = e->choices;
	if (i == CHOICES || ways > 255)
		search_limit("choices in one event");
	if (i < search.given && search.ways[i] && search.ways[i] != ways)
		search_limit("differences between two runs of one event: state outside of what is put back");
	if (search.program->guide)
		search.code.way[i] = (uint8_t)(search.program->guide->way(search.program->guide->ctx, ways) % ways);
	else if (i >= search.given)
		search.code.way[i] = 0;
	e->ways[i] = (uint8_t)ways;
	e->choices++;
	return search.code.way[i];
}

unsigned engine_event(void)
{
	return search.depth;
}

unsigned engine_current(void)
{
	return search.current;
}

void engine_restart(void)
{
	search.restart = true;
	search.ended = false;
}

void engine_stop(void)
{
	search.stopped = true;
	search.actor[search.current].now.done = true;
	yield();
	abort();
}

/* On the scheduler's. */

void actor_resume(unsigned i)
{
	search.current = i;
	coroutine_switch(&search.scheduler, search.actor[i].now.sp);
}

void actor_start(unsigned i)
{
	struct actor *a = &search.actor[i];

	coroutine_start(&a->co, enter);
	a->now = (struct actor_state){.sp = a->co.sp, .last = NONE};
	a->now.done = i != SOLO && !search.program->actors[i].run;
	a->answers = 0;
}

bool engine_solo(void (*func)(void *), void *arg)
{
	const bool solo = search.solo, stopped = search.stopped;
	const unsigned current = search.current;
	static bool stacks;
	bool ended;

	if (!stacks)
		coroutine_stacks(&search.actor[SOLO].co, 1);
	stacks = true;
	search.solo = true;
	search.stopped = false;
	search.solo_run = func;
	search.solo_arg = arg;
	actor_start(SOLO);
	actor_resume(SOLO);
	ended = !search.stopped;
	search.solo = solo;
	search.stopped = stopped;
	search.current = current;
	return ended;
}

/* One event of an actor; its choices are search.code as far as they are given. */
void event_run(unsigned actor)
{
	struct event *e = event_begin(actor);

	search.awaits = search.pasts = 0;
	if (search.actor[actor].now.awaits)
		await_look_back(actor, &e->clock);
	state_keep(e, actor);
	actor_resume(actor);
	if (search.regions)
		state_compare();
	if (e->choices)
		memset(search.code.way + e->choices, 0, CHOICES - e->choices);
	else
		memset(&search.code, 0, sizeof(search.code));
	e->code = search.code;
	event_end(e);
}

static bool is_waiting(unsigned i)
{
	const struct actor_state *a = &search.actor[i].now;

	return !a->done && a->awaits;
}

static void ask_waiting(struct node *n)
{
	for (uint32_t rest = n->waiting; rest; rest &= rest - 1) {
		if (await_ready(lowest(rest)))
			n->enabled |= bit(lowest(rest));
	}
}

/* Only the one that ran, and those that wait, can be other than they were. */
void find_enabled(struct node *n, const struct node *before, unsigned ran)
{
	n->enabled = before->enabled & ~before->waiting & ~bit(ran);
	n->waiting = before->waiting & ~bit(ran);
	if (is_waiting(ran))
		n->waiting |= bit(ran);
	else if (!search.actor[ran].now.done)
		n->enabled |= bit(ran);
	ask_waiting(n);
}

void find_enabled_first(struct node *n)
{
	n->enabled = n->waiting = 0;
	for (unsigned i = 0; i < search.program->count; i++) {
		if (is_waiting(i))
			n->waiting |= bit(i);
		else if (!search.actor[i].now.done)
			n->enabled |= bit(i);
	}
	ask_waiting(n);
}

enum engine_end execution_end(void)
{
	if (search.stopped && !search.program->after_failure)
		return ENGINE_STOPPED;
	for (unsigned i = 0; i < search.program->count; i++) {
		if (!search.actor[i].now.done && !search.program->actors[i].daemon)
			return ENGINE_DEADLOCK;
	}
	return ENGINE_DONE;
}
