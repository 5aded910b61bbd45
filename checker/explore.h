/* SPDX-License-Identifier: MIT */
/*
 * The explorer: a program on the simulated machine, in every way and with every translation that could make a difference.
 */
#ifndef COPPICE_CHECKER_EXPLORE_H
#define COPPICE_CHECKER_EXPLORE_H

#include "checker/schedule.h"
#include "ports/sim/sim.h"

#include <stdio.h>

struct checker_actor {
	const char *name; /* NULL ends the list */
	unsigned cpu;
	void (*run)(void *world);
};

/**
 * struct checker_show - how traces look, and where they go beside text
 * @json: as one object; @chrome: as Chrome's trace events; NULL: nowhere
 * @colour: escape sequences in the text
 * @width: characters of a line, 0: 140
 * @story, @variant, @arch, @origin: what it is a trace of; NULL: unknown
 */
struct checker_show {
	FILE *json, *chrome;
	bool colour;
	unsigned width;
	const char *story, *variant, *arch, *origin;
};

/* Actors that share a CPU. */
struct checker_place {
	unsigned on;
	bool handler; /* interrupts that CPU once, at any point where its interrupts are on */
};

/**
 * struct checker_program - what is explored
 * @setup: runs once, alone; its state is where every execution starts
 * @check: runs alone after all actors; then everything must have been freed
 * @world, @world_bytes: the program's shared state, restored before every execution
 * @pa_bytes, @frame_lg2: of the machine; 0: 4 MB, 12
 * @places: of the actor whose .cpu is the index; NULL: each has a CPU of its own
 * @disabled: a rule that is not looked at; NULL: none
 * @unreduced: every interleaving, also those that differ in nothing
 * @over: after each execution, whatever it broke, in place of @check; a failure then ends its actor only
 * @order: of memory
 * @plain_waits: plain stores wait and plain loads come early as marked ones do, also where the program orders them
 * @all_ordered: in the weak order, explores all orders of stores, also those that no load can tell apart
 * @show: how traces look; NULL: plain text
 * @rounds: searches that allow 0, 1, .. @rounds - 1 preemptions instead of all: what fails has few of them; nothing is
 *	exhausted then; 0: none
 * @seconds: after which to give up; 0: none
 * @every_access: switch at every access, not only at those with conflicts
 */
struct checker_program {
	void (*setup)(void *world);
	void (*check)(void *world);
	void (*over)(void *world, bool deadlock);
	const struct checker_actor *actors;
	void *world;
	size_t world_bytes;
	uint64_t pa_bytes;
	unsigned frame_lg2;
	enum sim_memory_order order;
	unsigned rounds;
	double seconds;
	bool every_access, unreduced, plain_waits, all_ordered;
	const struct checker_place *places;
	const char *disabled;
	const struct checker_show *show;
};

enum checker_result {
	CHECKER_EXHAUSTED, /* every execution was run, none failed */
	CHECKER_BOUNDED,   /* the bound was hit; nothing failed so far */
	CHECKER_FAILS,
};

struct checker_verdict {
	enum checker_result result;
	const char *limit;   /* CHECKER_BOUNDED: which; else NULL */
	uint64_t executions; /* of the last search */
	uint64_t restarts;   /* searches given up because a new conflict was found */
	uint64_t blocked;    /* executions begun, and given up: explored already */
	uint64_t events;     /* in the longest execution */
	uint64_t depth;      /* visible steps of the longest execution */
	uint64_t steps;      /* of all executions together: those in common are taken once */
	double seconds;      /* of the last search */
	double cpu_seconds;
	size_t shared; /* locations with conflicting accesses */
	unsigned cpus;
	enum sim_memory_order order;
	uint64_t memory_bytes, frame_bytes;
	struct sim_report report;
	struct schedule schedule; /* of the failing execution, with few switches; checker_verdict_free() */
	bool replays;             /* it was followed once, and broke the same rule */
};

/**
 * checker_explore() - run a program in every way
 * @bound: executions after which to give up
 * @trace: where a failing execution's trace goes; NULL for nowhere
 */
struct checker_verdict checker_explore(const struct checker_program *, uint64_t bound, FILE *trace);
void checker_verdict_free(struct checker_verdict *);

/**
 * checker_replay() - run exactly one execution of a program
 * @trace: where its trace goes if it fails; NULL for nowhere
 *
 * Return: its report; no rule: it fails no longer. .lost: the step at which it could not go on as told, else 0.
 */
struct checker_replay {
	struct sim_report report;
	uint32_t lost;
	unsigned cpus;
};
struct checker_replay checker_replay(const struct checker_program *, const struct schedule *, FILE *trace);

/* What was found, and how much that says. */
void checker_print(FILE *, const struct checker_verdict *);

/* model.c */
/* "sc", "tso", "weak" */
const char *checker_order_name(enum sim_memory_order);
/* What machines of this order do and the simulated one does not. */
const char *checker_leaves_out(enum sim_memory_order);
/* Which machine a verdict is about: two lines. */
void checker_model(FILE *, const struct checker_verdict *);
const char *checker_result_name(enum checker_result);

/* trace.c: the execution that just failed, one column per CPU; either may be NULL. */
void checker_trace(const struct checker_show *, FILE *text);

#endif
