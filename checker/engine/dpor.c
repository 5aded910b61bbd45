/* SPDX-License-Identifier: MIT */
/*
 * The search: depth first; at each state the actors that have to go first for some execution not to be missed.
 *
 * Source sets with sleep sets: P. Abdulla, S. Aronis, B. Jonsson, K. Sagonas, "Source Sets: A Foundation for Optimal
 * Dynamic Partial Order Reduction", JACM 64(4), 2017. Awaits as events: B. Jonsson, M. Lång, K. Sagonas, "Awaiting for
 * Godot", TACAS 2022.
 */
#include "checker/engine/search.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

/* When to go over from source sets to wakeup trees: executions in vain, beside those complete. */
#define WASTE_START   1000
#define WASTE_PERCENT 100

static double seconds(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* Sleep sets. */

static bool step_asleep(const struct node *n, unsigned actor, const union code *code)
{
	for (uint32_t i = n->sleep; i < n->sleep + n->sleep_count; i++) {
		const struct step *s = &search.step[search.sleeping[i]];

		if (s->actor == actor && code_equal(&s->code, code))
			return true;
	}
	return false;
}

static void find_asleep(struct node *n)
{
	uint8_t count[ENGINE_ACTORS] = {0};

	n->asleep = 0;
	for (uint32_t i = n->sleep; i < n->sleep + n->sleep_count; i++) {
		const struct step *s = &search.step[search.sleeping[i]];

		if (s->group && ++count[s->actor] >= s->group)
			n->asleep |= bit(s->actor);
	}
}

static void sleep_push(uint32_t step)
{
	if (search.sleepings == SLEEPING)
		search_limit("steps explored already");
	search.sleeping[search.sleepings++] = step;
}

/* Whoever slept before the event and does not depend on it still does. */
static void sleep_inherit(struct node *n, const struct node *before, const struct event *e)
{
	n->sleep = search.sleepings;
	for (uint32_t i = before->sleep; i < before->sleep + before->sleep_count; i++) {
		const struct step *s = &search.step[search.sleeping[i]];

		if (s->actor != e->actor && !touches_conflict(s, e))
			sleep_push(search.sleeping[i]);
	}
	n->sleep_count = search.sleepings - n->sleep;
	n->asleep = 0;
	if (n->sleep_count)
		find_asleep(n);
}

/* The event just taken back has been explored from here. */
static void sleep_explored(struct node *n, const struct event *e)
{
	struct step *s = &search.step[search.steps];

	if (search.steps == STEPS || search.touches + e->accesses > TOUCHES)
		search_limit("steps explored already");
	*s = (struct step){.code = e->code,
			   .touches = search.touches,
			   .count = e->accesses,
			   .reads = e->reads,
			   .writes = e->writes,
			   .actor = e->actor};
	for (uint32_t i = e->access; i < e->access + e->accesses; i++)
		search.touch[search.touches++] = touch_of(search.access[i].location, search.access[i].mode);
	sleep_push(search.steps++);
	n->sleep_count++;
	n->codes++;
}

static void group_explored(struct node *n, unsigned actor)
{
	unsigned count = 0;

	for (uint32_t i = n->sleep; i < n->sleep + n->sleep_count; i++)
		count += search.step[search.sleeping[i]].actor == actor;
	for (uint32_t i = n->sleep; i < n->sleep + n->sleep_count; i++) {
		struct step *s = &search.step[search.sleeping[i]];

		if (s->actor == actor)
			s->group = (uint16_t)count;
	}
	n->asleep |= bit(actor);
}

/* Races. */

static bool covered(const struct node *n, unsigned actor, const union code *code)
{
	if (n->backtrack & bit(actor))
		return true;
	return code ? step_asleep(n, actor, code) : n->asleep & bit(actor);
}

/* Of what waits in vain only the awaits are known; those of its steps that sleep say what else it touches. */
static bool blocked_is_first(const struct node *n, unsigned actor, const struct race *race)
{
	for (uint32_t i = n->sleep; i < n->sleep + n->sleep_count; i++) {
		const struct step *s = &search.step[search.sleeping[i]];

		for (unsigned k = race->event + 1; s->actor == actor && k < search.depth; k++) {
			const struct event *e = &search.event[k];

			if (!race_before(race, &e->clock) && touches_conflict(s, e))
				return false;
		}
	}
	return true;
}

/*
 * The event at `i` and a later one of an actor could have come the other way round. One of the actors that can be first
 * in what does not depend on the event at `i`, followed by the later one, has to be first at the state before it.
 */
static void race_source(const struct race *race, unsigned until, unsigned actor, const union clock *clock)
{
	union clock past;
	struct node *n = &search.node[race->event];
	unsigned chosen = NONE;
	union clock first;

	if (race->await) {
		past = clock_in_past(race, until < search.depth ? &search.event[until] : NULL, actor);
		clock = &past;
	}
	memset(&first, 0x7f, sizeof(first));
	for (unsigned k = race->event + 1; k < until; k++) {
		const struct event *e = &search.event[k];

		if (race_before(race, &e->clock) || first.of[e->actor] != 0x7f7f)
			continue;
		if (!clock_after_any(&e->clock, &first)) {
			if (covered(n, e->actor, &e->code))
				return;
			if (chosen == NONE)
				chosen = e->actor;
		}
		first.of[e->actor] = e->number;
	}
	if (first.of[actor] == 0x7f7f && !clock_after_any(clock, &first)) {
		if (covered(n, actor, NULL) && (until < search.depth || blocked_is_first(n, actor, race)))
			return;
		if (chosen == NONE)
			chosen = actor;
	}
	/* None only if the second one waits for somebody in between, whose own races say what to do. */
	if (chosen != NONE)
		n->backtrack |= bit(chosen);
}

static void add_or_all(struct node *n, unsigned actor)
{
	n->backtrack |= n->enabled & bit(actor) ? bit(actor) : n->enabled;
}

/*
 * Where preemptions are limited there may be none left at the race: the later one's actor must be tried wherever the
 * earlier one's actor was switched to as well (K. Coons, M. Musuvathi, K. McKinley, "Bounded Partial-Order Reduction",
 * OOPSLA 2013).
 */
static void race_bounded(const struct race *race, unsigned actor)
{
	unsigned i = race->event;

	add_or_all(&search.node[i], actor);
	while (i && search.event[i - 1].actor == search.event[i].actor)
		i--;
	add_or_all(&search.node[i], actor);
}

static void reverse_race(const struct race *race, unsigned second, unsigned actor, const union clock *clock)
{
	if (search.program->preemptions != ENGINE_UNBOUNDED)
		race_bounded(race, actor);
	else if (search.optimal)
		wakeup_race_blocked(race, actor, clock);
	else
		race_source(race, second, actor, clock);
}

static void races_of_event(const struct event *e)
{
	for (unsigned i = 0; i < e->race_count; i++)
		reverse_race(&search.race[e->races + i], search.depth - 1, e->actor, &e->clock);
}

/* What waits in vain now might not have before some change. */
static void races_of_blocked(void)
{
	for (unsigned a = 0; a < search.program->count; a++) {
		const union clock *clock = clock_before(a);

		if (search.actor[a].now.done)
			continue;
		await_look_back(a, clock);
		for (unsigned i = 0; i < search.pasts; i++)
			reverse_race(&search.past[i], search.depth, a, clock);
	}
}

/* States. */

static bool reducing(void)
{
	return search.program->reduction != ENGINE_NONE;
}

/* Those that may go first here without more preemptions than allowed. */
static uint32_t allowed(const struct node *n)
{
	unsigned last = search.depth ? search.event[search.depth - 1].actor : NONE;

	if (search.program->preemptions == ENGINE_UNBOUNDED || last == NONE || !(n->enabled & bit(last)) ||
	    n->preemptions < search.program->preemptions)
		return n->enabled;
	return bit(last);
}

/*
 * Where preemptions are limited, a switch that costs none is as good as any other there: whether it does depends on what the
 * last actor waits for, which no race of its events tells.
 */
static bool is_free(const struct node *n)
{
	const unsigned last = search.depth ? search.event[search.depth - 1].actor : NONE;

	return search.program->preemptions != ENGINE_UNBOUNDED && (last == NONE || !(n->enabled & bit(last)));
}

static unsigned preferred(const struct node *n, uint32_t mask)
{
	unsigned last = search.depth ? search.event[search.depth - 1].actor : NONE;

	(void)n;
	return last != NONE && (mask & bit(last)) ? last : lowest(mask);
}

static void leaf(void)
{
	uint32_t undo = search.undo_top;
	enum engine_end end = execution_end();

	search.ended = true;
	search.result.executions++;
	if (search.depth > search.result.longest)
		search.result.longest = search.depth;
	if (search.program->fingerprints)
		fingerprint_note();
	if (search.program->end && !search.program->end(search.program->ctx, end))
		search.over = ENGINE_ENDED;
	state_compare();
	state_unwind(undo);
	if (search.optimal)
		wakeup_races();
	if (reducing() && end != ENGINE_STOPPED)
		races_of_blocked();
}

static bool limits_hit(void)
{
	const struct engine_program *p = search.program;

	if (p->executions && search.result.executions >= p->executions)
		return true;
	return p->seconds > 0 && !(search.result.events & 255) && seconds(CLOCK_MONOTONIC) - search.began > p->seconds;
}

/* Too many executions are begun in vain. */
static bool wasteful(void)
{
	return search.program->reduction == ENGINE_AUTO && !search.optimal &&
	       search.result.blocked > WASTE_START + search.result.executions * WASTE_PERCENT / 100;
}

static void node_enter(void)
{
	struct node *n = &search.node[search.depth];
	bool cut = search.stopped && !search.program->after_failure;
	uint32_t awake;

	if (search.depth)
		find_enabled(n, n - 1, search.event[search.depth - 1].actor);
	else
		find_enabled_first(n);
	if (cut)
		n->enabled = 0;
	n->done = n->backtrack = 0;
	n->codes = n->given = 0;
	n->steps = search.steps;
	n->touches = search.touches;
	n->sleep = search.sleepings;
	n->sleep_count = n->asleep = 0;
	n->preemptions = 0;
	n->tree = n->below = n->branch = 0;
	n->led = false;
	if (search.depth) {
		const struct node *before = n - 1;
		const struct event *e = &search.event[search.depth - 1];
		unsigned last = search.depth > 1 ? search.event[search.depth - 2].actor : e->actor;

		n->preemptions = before->preemptions + (last != e->actor && (before->enabled & bit(last)));
		if (search.sleeps)
			sleep_inherit(n, before, e);
	}
	if (!n->enabled) {
		leaf();
		return;
	}
	if (search.optimal && search.depth)
		n->tree = wakeup_below(n - 1, &search.event[search.depth - 1]);
	awake = allowed(n) & ~n->asleep;
	if (!awake) {
		search.ended = true;
		search.result.blocked++;
		search.wasteful = wasteful();
		/* Those that go on were explored first; those that wait might have come before what they wait for. */
		if (reducing())
			races_of_blocked();
	} else {
		n->backtrack = reducing() && !is_free(n) ? bit(preferred(n, awake)) : awake;
	}
}

/* What to do next at a state; false: nothing. */
static bool node_next(struct node *n)
{
	uint32_t mask;

	if (n->given) {
		search.code = n->code;
		search.given = n->given;
		return true;
	}
	memset(&search.code, 0, sizeof(search.code));
	search.given = 0;
	if (n->led) {
		n->led = false;
		return true;
	}
	n->codes = 0;
	if (search.optimal && wakeup_next(n))
		return true;
	mask = n->backtrack & ~n->done & ~n->asleep & allowed(n);
	if (!mask || (search.optimal && n->done))
		return false;
	n->taken = (uint8_t)preferred(n, mask);
	return true;
}

/* After everything below the event was explored: on to its next choices, or its actor is done. */
static void node_return(struct node *n, const struct event *e, bool explored)
{
	unsigned i = e->choices;

	while (i && e->code.way[i - 1] + 1U >= e->ways[i - 1])
		i--;
	n->given = 0;
	if (n->led) {
		i = 1;
	} else if (i) {
		n->code = e->code;
		n->code.way[i - 1]++;
		memset(n->code.way + i, 0, CHOICES - i);
		memcpy(search.ways, e->ways, i);
		n->given = (uint8_t)i;
	} else {
		n->done |= bit(e->actor);
	}
	if (!search.sleeps || (!search.optimal && !n->given && !(n->backtrack & ~n->done & ~n->asleep)) ||
	    (search.optimal && !i && !n->tree))
		return;
	if (explored)
		sleep_explored(n, e);
	if (!i)
		group_explored(n, e->actor);
}

static void go_back(bool explored)
{
	struct node *n = &search.node[search.depth];

	if (explored) {
		search.steps = n->steps;
		search.touches = n->touches;
		search.sleepings = n->sleep;
	}
	event_pop();
	node_return(&search.node[search.depth], &search.event[search.depth], explored);
}

static void go_on(void)
{
	struct node *n = &search.node[search.depth];
	struct event *e = &search.event[search.depth];

	state_restore(search.depth);
	search.stopped = false;
	event_run(n->taken);
	if (search.optimal)
		wakeup_taken(n, e);
	if (e->choices && search.sleeps && step_asleep(n, e->actor, &e->code)) {
		go_back(false);
		return;
	}
	if (reducing() && !search.optimal)
		races_of_event(e);
	node_enter();
}

static void explore(void)
{
	node_enter();
	while (!(search.restart && search.ended) && !search.wasteful && !search.again &&
	       search.over == ENGINE_EXHAUSTED) {
		/* A limit says nothing if this was the last execution. */
		search.limited |= limits_hit();
		if (node_next(&search.node[search.depth])) {
			if (search.limited) {
				search.over = ENGINE_BOUNDED;
				return;
			}
			go_on();
		} else if (search.depth) {
			go_back(true);
		} else {
			return;
		}
	}
}

static void actors_begin(void)
{
	search.beginning = true;
	for (unsigned i = 0; i < search.program->count; i++) {
		if (!search.actor[i].co.top)
			coroutine_stacks(&search.actor[i].co, 1);
		actor_start(i);
	}
	for (unsigned i = 0; i < search.program->count && !search.restart && !search.again; i++) {
		if (!search.actor[i].now.done)
			actor_resume(i);
	}
	search.beginning = false;
	state_compare();
}

static void search_from_start(void)
{
	memset(&search.result, 0, sizeof(search.result));
	search.over = ENGINE_EXHAUSTED;
	search.restart = search.limited = search.stopped = search.solo = search.wasteful = search.again = false;
	search.ended = false;
	state_open();
	events_begin();
	fingerprint_reset();
	wakeup_reset();
	search.running = true;
	actors_begin();
	if (!search.restart && !search.again) {
		if (search.program->guide)
			walk();
		else
			explore();
	}
	state_restore(0);
	state_unwind(0);
	search.running = false;
	fingerprint_reset();
}

struct engine_result engine_explore(const struct engine_program *p)
{
	if (p->count > ENGINE_ACTORS)
		search_limit("actors");
	search.program = p;
	search.parts = (p->count + 7) / 8;
	search.began = seconds(CLOCK_MONOTONIC);
	search.began_cpu = seconds(CLOCK_PROCESS_CPUTIME_ID);
	search.sleeps = p->reduction != ENGINE_NONE && p->preemptions == ENGINE_UNBOUNDED;
	search.wasteful = search.vague = false;
	search.optimal = search.sleeps && p->reduction == ENGINE_OPTIMAL;
	events_reset();
	do {
		search.optimal |= search.wasteful;
		search_from_start();
	} while ((search.wasteful || search.again) && !search.restart);
	search.result.verdict = search.restart ? ENGINE_RESTART : search.over;
	if (search.result.verdict == ENGINE_EXHAUSTED && p->preemptions != ENGINE_UNBOUNDED)
		search.result.verdict = ENGINE_BOUNDED;
	search.result.vague = search.vague;
	search.result.seconds = seconds(CLOCK_MONOTONIC) - search.began;
	search.result.cpu_seconds = seconds(CLOCK_PROCESS_CPUTIME_ID) - search.began_cpu;
	return search.result;
}
