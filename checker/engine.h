/* SPDX-License-Identifier: MIT */
/*
 * The engine: runs a program of actors in every way that differs in the order of dependent events. Knows no machine.
 *
 *   actor   a coroutine: a CPU's code, a store buffer's drain, an interrupt's handler. Daemons (drains, handlers,
 *           callbacks) need not end.
 *   event   what an actor does from one engine_point() (or await) to the next. The point is the announcement: all actors
 *           stand at one when the engine chooses who goes on. Before its first point an actor's code is no event, and
 *           may touch nothing; a choice there is a point.
 *   touch   a location that an event's course depended on or changed. Two events are dependent if they are of one
 *           actor, if they touched one location in modes that do not commute (only READ with READ and ADD with ADD do),
 *           or if engine_after() says so. Everything that another actor could notice must be touched: a location is any
 *           address, or the address of a variable that stands for something without one.
 *   await   an event that cannot happen before one or two locations have a value it waits for. It must touch those
 *           locations as well, and every change of them must be a touch that passes the old value: the engine asks
 *           whether it could have happened before an earlier change.
 *   choice  engine_choose() inside an event: which translation a TLB holds, which write a load sees.
 *
 * State is put back, not recomputed: an actor's stack and its registers before each of its events; the regions that were
 * registered, by comparing after each event; whatever engine_save() was called for. Nothing else may change.
 */
#ifndef COPPICE_CHECKER_ENGINE_H
#define COPPICE_CHECKER_ENGINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ENGINE_ACTORS 32
#define ENGINE_AWAITS 2
#define ENGINE_EVENTS 32768 /* in one execution */

enum engine_mode { ENGINE_READ, ENGINE_ADD, ENGINE_WRITE };

/**
 * struct engine_await - what one location must be like
 * @location: as touched
 * @value: the aligned word it is in; of this @size bytes from bit @shift
 * @changes: the event will change it, as locks are taken
 * @holds: is this value good? Pure. NULL: the actor is asked, see engine_await_value()
 * @arg: for @holds
 */
struct engine_await {
	const volatile void *location;
	const volatile uint64_t *value;
	uint8_t size, shift;
	bool changes;
	bool (*holds)(uint64_t value, uint64_t arg);
	uint64_t arg;
};

/* On an actor's stack. */

/* Announces; comes back when the engine has chosen this actor: all that follows is a new event. */
void engine_point(void);
/**
 * engine_await() - a point whose event can happen only when every one of @n awaits holds
 *
 * With @holds NULL (only in the first of them) the condition is in the actor's own code:
 *
 *	engine_await(&a, 1);
 *	do
 *		v = engine_await_value();
 *	while (!engine_await_answer(condition on v));
 */
void engine_await(const struct engine_await *, unsigned n);
uint64_t engine_await_value(void);
bool engine_await_answer(bool);
/* @old: the whole word before, for ADD and WRITE of locations that are awaited. */
void engine_touch(const volatile void *location, enum engine_mode, uint64_t old);
/* One of @ways ways to go on with this event, from 0; all of them are explored. */
unsigned engine_choose(unsigned ways);
/* The event that runs, and that this one could not happen without that one: order, but no race. */
unsigned engine_event(void);
void engine_after(unsigned event);
unsigned engine_current(void); /* actor */
/* Before memory outside of regions and of the actor's own stack is written. */
void engine_save(void *, size_t bytes);
/* The execution is over (or, if the program goes on after failures, the actor is). */
_Noreturn void engine_stop(void);

/* How an execution ended. */
enum engine_end { ENGINE_DONE, ENGINE_DEADLOCK, ENGINE_STOPPED };

struct engine_actor {
	const char *name;
	void (*run)(void *);
	void *arg;
	bool daemon;
};

/* How to search. */
enum engine_reduction {
	ENGINE_AUTO,    /* source sets; wakeup trees once too many executions turn out to be explored already */
	ENGINE_SOURCE,  /* source-DPOR with sleep sets */
	ENGINE_OPTIMAL, /* wakeup trees: no execution is begun that was explored already */
	ENGINE_NONE,    /* every interleaving of events */
};

/**
 * struct engine_guide - which one execution to run instead of exploring
 * @begin: before it; it may have to begin anew
 * @next: who of the @enabled actors goes on; any other ends it
 * @way: which of the @ways of a choice
 */
struct engine_guide {
	void (*begin)(void *ctx);
	unsigned (*next)(void *ctx, uint32_t enabled);
	unsigned (*way)(void *ctx, unsigned ways);
	void *ctx;
};

/**
 * struct engine_program - what is explored, and how far
 * @actors: their number is the index in engine_current(); no @run: there is none of this number
 * @end: after each execution, on the engine's stack; true: go on searching. It may call engine_solo().
 * @executions, @seconds: limits, 0: none
 * @preemptions: limit of switches away from an actor that could go on; ENGINE_UNBOUNDED: none
 * @after_failure: engine_stop() ends the actor, not the execution
 * @fingerprints: check that complete executions differ in the order of dependent events (slow, takes memory)
 * @guide: NULL: explore
 */
struct engine_program {
	const struct engine_actor *actors;
	unsigned count;
	bool (*end)(void *ctx, enum engine_end);
	void *ctx;
	enum engine_reduction reduction;
	uint64_t executions;
	double seconds;
	unsigned preemptions;
	bool after_failure;
	bool fingerprints;
	const struct engine_guide *guide;
};
#define ENGINE_UNBOUNDED (~0U)

enum engine_verdict {
	ENGINE_EXHAUSTED, /* all of it */
	ENGINE_BOUNDED,   /* a limit was hit */
	ENGINE_ENDED,     /* @end said so */
	ENGINE_RESTART,   /* engine_restart() */
	ENGINE_MISLED,    /* the guide chose somebody who could not go on */
};

struct engine_result {
	enum engine_verdict verdict;
	uint64_t executions; /* complete ones */
	uint64_t blocked;    /* begun, and given up: explored already */
	uint64_t misled;     /* steps that a wakeup tree had wrong */
	uint64_t duplicates; /* with @fingerprints: must be 0 when reduced and unbounded */
	uint64_t events;     /* executed, all executions together */
	unsigned longest;    /* events of the longest execution */
	bool vague; /* some event touched other locations when it came earlier: wakeup trees may begin some in vain */
	double seconds, cpu_seconds;
};

/* Explores from the present state, to which everything is put back in the end. */
struct engine_result engine_explore(const struct engine_program *);
/* Runs func(arg) on a stack of its own to its end (points are none), now. False: engine_stop(), or it waits in vain. */
bool engine_solo(void (*func)(void *), void *arg);
/* What there were too many of, when it aborts. */
extern const char *engine_broken;
/* The search cannot be right (a conflict turned up on a location that was not touched): ends it with this execution. */
void engine_restart(void);
/* Memory that actors write directly; compared after each event, so keep it small. Until engine_regions_reset(). */
void engine_region(void *, size_t bytes);
void engine_regions_reset(void);

/* Of the execution that just ended: did event @a come before (or is it) event @b, along dependences? */
bool engine_before(unsigned a, unsigned b);

#endif
