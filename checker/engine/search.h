/* SPDX-License-Identifier: MIT */
/* The engine's insides: the execution so far, what can be put back of it, and what is left to explore at each of its steps. */
#ifndef COPPICE_CHECKER_SEARCH_H
#define COPPICE_CHECKER_SEARCH_H

#include "checker/engine/coroutine.h"
#include "checker/engine.h"

#include <string.h>

#define NONE         (~0U)
#define CHOICES      16 /* in one event */
#define SOLO         ENGINE_ACTORS
#define CLOCK_PARTS  (ENGINE_ACTORS / 8)
#define ANSWERS      8
#define bit(n)       (1U << (n))
#define lowest(mask) ((unsigned)__builtin_ctz(mask))

/* How many events of each actor come before (and with) something, along dependences. */
typedef int16_t clock_part __attribute__((vector_size(16)));
union clock {
	int16_t of[ENGINE_ACTORS];
	clock_part part[CLOCK_PARTS];
};

/* Which way was taken at each choice of an event. */
union code {
	uint8_t way[CHOICES];
	uint64_t word[CHOICES / 8];
};

/* One touch. A location's accesses are a list, newest first. */
struct access {
	uint32_t location, event;
	uint32_t prev;
	uint32_t solid; /* newest access up to this one that is no read */
	uint64_t old;
	uint8_t mode;
};

struct location {
	uintptr_t key;
	uint32_t slot; /* in the table of keys */
	uint32_t last; /* access */
	bool awaited;  /* adds are writes */
	bool added;
};

/* A part of a footprint: location and mode, as found in sets that outlive the event. */
typedef uint32_t touch;
#define touch_of(location, mode) ((location) << 2 | (mode))
#define touch_location(t)        ((t) >> 2)
#define touch_mode(t)            ((t)&3)

/* A step that somebody could take, and what it would touch. */
struct step {
	union code code;
	uint32_t touches, count; /* in search.touch */
	uint64_t reads, writes;  /* one bit per location, shared by many: no bit in common, no conflict */
	uint8_t actor;
	uint16_t group; /* this many steps of the actor were taken from the same state */
};

/* What changes about an actor only while it runs. */
struct actor_state {
	void *sp;
	uint32_t last; /* event */
	int16_t events;
	bool done, asks;
	uint8_t awaits;
	struct engine_await await[ENGINE_AWAITS]; /* the first @awaits; last, so that no more of it need be kept */
};

struct actor {
	struct actor_state now;
	struct coroutine co;
	/* What the actor said about values, since its announcement. */
	struct {
		uint64_t value;
		bool good;
	} answer[ANSWERS];
	unsigned answers;
};

struct event {
	union clock clock;
	union code code;
	uint64_t reads, writes;
	uint32_t access; /* first of its accesses; they end where the next event's begin */
	uint32_t accesses;
	uint32_t before;            /* the actor's event before */
	uint32_t undo, saved;       /* tops before it */
	uint32_t races, race_count; /* events to be reversed with it, in search.race */
	uint64_t met;               /* the event that has it among its candidates, and where there */
	uint32_t met_at;
	int16_t number; /* of the actor's events, from 1 */
	uint8_t actor, choices;
	uint8_t ways[CHOICES];
	bool put_back; /* while states are put back */
};

/* The state before the event of the same index. */
struct node {
	uint32_t enabled, done, backtrack; /* actors */
	uint32_t waiting;                  /* actors at an await, enabled or not */
	uint32_t asleep;                   /* actors of which every step is */
	uint32_t sleep, sleep_count;       /* in search.sleeping: inherited, then those explored here */
	uint32_t steps, touches;           /* tops before what is kept for this node */
	uint32_t preemptions;
	uint8_t taken;  /* actor */
	uint8_t given;  /* more choices of the taken actor: this many ways of `code` */
	uint16_t codes; /* steps of the taken actor explored */
	union code code;
	uint32_t tree;   /* wakeup tree: the first branch */
	uint32_t branch; /* of the tree: the taken step */
	uint32_t below;  /* what follows the taken step, if it is this one */
	union code below_code;
	bool below_any;
	bool led; /* the step's choices came from the tree: its others are still to come */
};

struct region {
	uint8_t *at, *shadow;
	size_t bytes;
};

#define REGIONS  16
#define RACES    4096 /* candidates of one event */
#define STEPS    (1U << 20)
#define SLEEPING (1U << 20)
#define TOUCHES  (1U << 22)
#define BRANCHES (1U << 22)

/* An event that could have happened without another, and without one more. */
struct race {
	uint32_t event, also; /* also: NONE */
	bool await;           /* the event's clock has the changes that it waited for */
	bool settled;         /* needs no more attention while its events stay */
};
#define PASTS 64

struct candidate {
	uint32_t event;
	bool fixed; /* comes before in every execution: no race */
};

struct search {
	const struct engine_program *program;
	struct engine_result result;
	struct actor actor[ENGINE_ACTORS + 1];
	unsigned current, parts;
	void *scheduler;
	bool running, solo, stopped, restart, ended, asking, answer, limited, beginning, sleeps, optimal, wasteful,
		again, vague;
	enum engine_verdict over;
	double began, began_cpu;
	void (*solo_run)(void *);
	void *solo_arg;
	uint64_t asked;

	struct event *event;
	struct node *node;
	unsigned depth; /* events */
	unsigned state; /* events that memory and stacks show: more than depth until put back */

	struct location *location;
	uint32_t *slot; /* hash: location + 1 */
	uint32_t locations;
	struct access *access;
	uint32_t accesses;
	struct candidate candidate[RACES];
	unsigned candidates;
	struct race *race;
	uint32_t races;

	uint8_t *undo, *saved;
	uint32_t undo_top, saved_top;
	struct region region[REGIONS];
	unsigned regions;

	struct step *step;
	uint32_t steps;
	uint32_t *sleeping; /* steps */
	uint32_t sleepings;
	touch *touch;
	uint32_t touches;

	/* Of the present event: the last changes of what it waits for, and pasts in which it could have happened. */
	uint32_t newest[ENGINE_AWAITS]; /* events */
	struct race past[PASTS];
	unsigned pasts;
	unsigned awaits;

	/* The choices of the present event: followed up to `given`, then first ways. */
	union code code;
	uint8_t ways[CHOICES];
	unsigned choices, given;
};
extern struct search search;

_Noreturn void search_limit(const char *what);

/* Clocks. */

static inline void clock_join(union clock *to, const union clock *from)
{
	for (unsigned i = 0; i < search.parts; i++) {
		clock_part more = from->part[i] > to->part[i];

		to->part[i] = (from->part[i] & more) | (to->part[i] & ~more);
	}
}

/* Does event a come before (or with) what the clock is of? */
static inline bool clock_has(const union clock *c, const struct event *a)
{
	return c->of[a->actor] >= a->number;
}

/* Does what the clock is of come after any event from these numbers on? */
static inline bool clock_after_any(const union clock *c, const union clock *first)
{
	for (unsigned i = 0; i < search.parts; i++) {
		clock_part hit = c->part[i] >= first->part[i];
		uint64_t half[2];

		memcpy(half, &hit, sizeof(half));
		if (half[0] | half[1])
			return true;
	}
	return false;
}

static inline void clock_copy(union clock *to, const union clock *from)
{
	for (unsigned i = 0; i < search.parts; i++)
		to->part[i] = from->part[i];
}

static inline bool code_equal(const union code *a, const union code *b)
{
	return a->word[0] == b->word[0] && a->word[1] == b->word[1];
}

/* Does something come after what a race is to be without? */
static inline bool race_before(const struct race *r, const union clock *c)
{
	return clock_has(c, &search.event[r->event]) || (r->also != NONE && clock_has(c, &search.event[r->also]));
}

static inline bool modes_commute(unsigned a, unsigned b)
{
	return a == b && a != ENGINE_WRITE;
}

/* state.c */
void *state_reserve(size_t bytes);
void state_open(void);
/* Before an event of the actor: its stack as it is. */
void state_keep(struct event *, unsigned actor);
/* After an event: what it changed in regions. */
void state_compare(void);
/* Back to what was before event `depth`, and from there to what was before the search. */
void state_restore(unsigned depth);
void state_unwind(uint32_t undo_top);

/* events.c */
void events_reset(void);
void events_begin(void);
struct event *event_begin(unsigned actor);
/* Clocks and races, once all touches are known. */
void event_end(struct event *);
/* Forgets the last one; memory stays. */
void event_pop(void);
bool touches_conflict(const struct step *, const struct event *);
struct location *location_of(const volatile void *);
const union clock *clock_before(unsigned actor);
/* What comes before the event of an await (NULL: it has not happened) if what the race names has not. */
union clock clock_in_past(const struct race *, const struct event *, unsigned actor);
touch touch_of_await(const struct engine_await *);
bool touch_conflicts(touch, const struct event *);

/* engine.c */
void actor_start(unsigned);
void actor_resume(unsigned);
void event_run(unsigned actor);
void find_enabled_first(struct node *);
void find_enabled(struct node *, const struct node *before, unsigned ran);
enum engine_end execution_end(void);

/* walk.c */
void walk(void);

/* wakeup.c */
void wakeup_open(void);
void wakeup_reset(void);
void wakeup_races(void);
void wakeup_race_blocked(const struct race *, unsigned actor, const union clock *);
bool wakeup_next(struct node *);
void wakeup_taken(struct node *, const struct event *);
uint32_t wakeup_below(struct node *, const struct event *);

/* fingerprint.c */
void fingerprint_note(void);
void fingerprint_reset(void);

/* awaits.c */
uint64_t await_value(const struct engine_await *);
bool await_ready(unsigned actor);
/* Before the actor's event, or instead of it: fills in search.await and what goes with it. */
void await_look_back(unsigned actor, const union clock *base);

#endif
