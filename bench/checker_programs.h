/* SPDX-License-Identifier: MIT */
/* Small programs over the checker's engine alone, of which the number of different executions is known. */
#ifndef COPPICE_BENCH_CHECKER_PROGRAMS_H
#define COPPICE_BENCH_CHECKER_PROGRAMS_H

#include "checker/engine.h"

/**
 * struct plain_program - a program of some size
 * @name: with its size
 * @build: fills in the actors, returns how many
 * @executions: how many differ
 * @reference: executions per second of GenMC 0.10, 0: not measured
 * @size: the argument of @build
 * @wakeful: source sets alone begin many executions in vain
 */
struct plain_program {
	const char *name;
	unsigned (*build)(unsigned size, struct engine_actor *);
	uint64_t executions;
	double reference;
	unsigned size;
	bool wakeful;
};
extern const struct plain_program plain_programs[];
extern const unsigned plain_program_count;

/* @limits: reduction and limits; the rest is filled in. */
struct engine_result plain_run(const struct plain_program *, const struct engine_program *limits);

#endif
