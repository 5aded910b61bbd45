/* SPDX-License-Identifier: MIT */
#include "bench/measure.h"

#include <sched.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

/* A step that is preempted in nearly every sample is measured all the same: better a wide spread than no end. */
#define TRIES_PER_SAMPLE 3

struct samples {
	double *of[MEASURE_STEPS_MAX];
	unsigned count[MEASURE_STEPS_MAX];
};

uint64_t measure_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000U + (uint64_t)t.tv_nsec;
}

static long preemptions(void)
{
	struct rusage usage;

	return getrusage(RUSAGE_THREAD, &usage) ? 0 : usage.ru_nivcsw;
}

static int ascending(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

struct measure_stat measure_summary(double *sample, unsigned n)
{
	if (!n)
		return (struct measure_stat){0};
	qsort(sample, n, sizeof(*sample), ascending);
	return (struct measure_stat){
		.median = (sample[(n - 1) / 2] + sample[n / 2]) / 2,
		.low = sample[n / 4],
		.high = sample[n - 1 - n / 4],
		.min = sample[0],
		.max = sample[n - 1],
		.samples = n,
	};
}

static void take(const struct measure_step *step, void *ctx, struct samples *all, size_t which, unsigned repeats,
		 bool keep_preempted)
{
	if (step->before)
		step->before(ctx);

	long before = preemptions();
	uint64_t start = measure_now();
	step->run(ctx);
	uint64_t end = measure_now();
	bool clean = preemptions() == before;

	if (step->after)
		step->after(ctx);
	if (all->count[which] < repeats && (clean || keep_preempted))
		all->of[which][all->count[which]++] = (double)(end - start);
}

static bool complete(const struct samples *all, size_t steps, unsigned repeats)
{
	for (size_t i = 0; i < steps; i++)
		if (all->count[i] < repeats)
			return false;
	return true;
}

static void attempt(unsigned repeats, const struct measure_step *step, size_t steps, void *ctx, struct samples *all)
{
	for (unsigned turn = 0; !complete(all, steps, repeats); turn++)
		for (size_t i = 0; i < steps; i++)
			take(&step[i], ctx, all, i, repeats, turn >= repeats * (TRIES_PER_SAMPLE - 1));
}

struct measure_stat measure_counted(double n)
{
	return (struct measure_stat){n, n, n, n, n, 1};
}

double measure_spread(const struct measure_stat *s)
{
	return s->median > 0 ? (s->high - s->low) / s->median : 0;
}

struct measure_stat measure_scaled(const struct measure_stat *s, double factor)
{
	return (struct measure_stat){s->median * factor, s->low * factor, s->high * factor,
				     s->min * factor,    s->max * factor, s->samples};
}

static bool steady(const struct measure_stat *s, size_t steps)
{
	for (size_t i = 0; i < steps; i++)
		if (measure_spread(&s[i]) > MEASURE_SPREAD_MAX)
			return false;
	return true;
}

void measure(const struct measure_plan *plan, const struct measure_step *step, size_t steps, void *ctx,
	     struct measure_stat *out)
{
	double *memory = calloc(plan->repeats * steps, sizeof(*memory));

	if (!memory)
		abort();
	for (unsigned n = 0; n < plan->attempts; n++) {
		struct measure_stat got[MEASURE_STEPS_MAX];
		struct samples all = {0};

		for (size_t i = 0; i < steps; i++)
			all.of[i] = memory + i * plan->repeats;
		attempt(plan->repeats, step, steps, ctx, &all);
		for (size_t i = 0; i < steps; i++) {
			got[i] = measure_summary(all.of[i], all.count[i]);
			if (!n || got[i].median < out[i].median)
				out[i] = got[i];
		}
		if (steady(got, steps))
			break;
	}
	free(memory);
}

int measure_pin(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET((size_t)cpu, &set);
	return sched_setaffinity(0, sizeof(set), &set);
}

int measure_cpu(unsigned n)
{
	cpu_set_t set;

	if (sched_getaffinity(0, sizeof(set), &set))
		return -1;
	for (int cpu = 0; cpu < CPU_SETSIZE; cpu++)
		if (CPU_ISSET((size_t)cpu, &set) && !n--)
			return cpu;
	return -1;
}
