/* SPDX-License-Identifier: MIT */
/* Insides of the explorer: a program on the machine, between power on and off. */
#ifndef COPPICE_CHECKER_RUN_H
#define COPPICE_CHECKER_RUN_H

#include "checker/engine.h"
#include "checker/explore.h"

/* explore.c */
/* Powers on and sets up. Return: CPUs; sim.report says whether that failed. */
unsigned run_begin(const struct checker_program *);
void run_end(void);
/* Explores, or is guided, from where setup ended; again for as long as it turns out to have known too little. */
struct engine_result run_engine(struct engine_program *, uint64_t *restarts);
/* What runs, or ran last. */
const struct checker_program *run_program(void);
/* At the end of an execution: what must hold then. */
void run_check(enum engine_end);

/* follow.c */
/**
 * struct followed - an execution that went as it was told
 * @lost: it could not, at this step; 0: it could
 * @done: what it was, if it was not lost; schedule_free()
 */
struct followed {
	struct sim_report report;
	uint32_t lost;
	struct schedule done;
};
/* @trace: if it fails. */
struct followed follow_guide(const struct engine_guide *, const struct checker_show *, FILE *trace);
struct followed follow_schedule(const struct schedule *, const struct checker_show *, FILE *trace);

/* shrink.c */
/* An execution that breaks the same rule with fewer switches, as far as one comes in so many seconds. */
struct schedule shrink_schedule(const struct schedule *, const char *rule, double seconds);

#endif
