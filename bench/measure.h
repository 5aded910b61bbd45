/* SPDX-License-Identifier: MIT */
/*
 * Measuring: limits and subjects take turns within every repeat, so that a drift of the clock or of the neighbours hits
 * both; medians over the repeats.
 */
#ifndef COPPICE_BENCH_MEASURE_H
#define COPPICE_BENCH_MEASURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MEASURE_STEPS_MAX 8

/**
 * struct measure_step - one thing that is timed, each repeat runs all steps in their order
 * @before: brings about what run() needs; not timed; may be NULL
 * @run: timed
 * @after: not timed; may be NULL
 */
struct measure_step {
	void (*before)(void *);
	void (*run)(void *);
	void (*after)(void *);
};

/* Times of one step in nanoseconds; low and high are the quartiles. */
struct measure_stat {
	double median, low, high, min, max;
	unsigned samples;
};

/**
 * struct measure_plan - how hard to try
 * @repeats: samples of each step
 * @attempts: a set of samples whose spread is too large is taken again so many times at most
 */
struct measure_plan {
	unsigned repeats, attempts;
};

/* Quartiles further apart than this share of the median make a ratio unreliable. */
#define MEASURE_SPREAD_MAX 0.10

uint64_t measure_now(void); /* ns */
double measure_spread(const struct measure_stat *);
/* All times multiplied by a factor. */
struct measure_stat measure_scaled(const struct measure_stat *, double factor);

/**
 * measure() - run the steps and take their times
 * @out: one per step; of several attempts the one with the lowest median
 *
 * A sample during which this thread was preempted is taken again.
 */
void measure(const struct measure_plan *, const struct measure_step *, size_t steps, void *ctx,
	     struct measure_stat *out);

/* Sorts the samples. */
struct measure_stat measure_summary(double *sample, unsigned samples);
/* Something counted rather than timed: no spread. */
struct measure_stat measure_counted(double n);

/* Pins the calling thread. Return: 0 or -1. */
int measure_pin(int cpu);
/* The n-th CPU that this process may use, or -1. */
int measure_cpu(unsigned n);

#endif
