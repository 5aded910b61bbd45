/* SPDX-License-Identifier: MIT */
/* Blocks come and go, on all CPUs. */
#ifndef CLI_RUN_CYCLE_H
#define CLI_RUN_CYCLE_H

#include <stdatomic.h>

#include "cli/out.h"
#include "cli/run/machine.h"

/* In step: every block does one thing before any does the next. At once: each block goes round by itself. */
enum run_step { STEP_ADD, STEP_ONLINE, STEP_USE, STEP_OFFLINE, STEP_REMOVE, STEP_AT_ONCE, STEPS };
extern const char *const step_names[STEPS];

/**
 * struct step_result - one kind of step, summed over rounds
 * @bytes: of memory that went through it
 * @seconds: wall clock
 * @events: what the CPUs counted meanwhile
 * @tables, @memmap, @held: bytes after it, the last time
 */
struct step_result {
	unsigned times;
	uint64_t blocks, bytes;
	double seconds;
	struct cop_host_events events;
	uint64_t tables, memmap, held;
};

struct cpu_result {
	uint64_t blocks;
	double busy; /* seconds */
};

struct cycle {
	struct run_machine *machine;
	struct step_result steps[STEPS];
	struct cpu_result cpus[COP_HOST_CPUS];
	/* The step that runs. */
	enum run_step step;
	_Atomic unsigned next;
	_Atomic unsigned done;
	_Atomic bool failed;
	char error[160]; /* of the first that failed */
	struct out_progress progress;
	unsigned steps_done, steps_planned;
	atomic_bool *stop;
};

/* Takes every block through one step. false: an operation failed (see .error) or a stop was asked for. */
bool cycle_step(struct cycle *, enum run_step);

/* Brings every block, whatever state a stop left it in, online (or away). false: see .error. */
bool cycle_settle(struct cycle *, bool online);

#endif
