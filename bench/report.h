/* SPDX-License-Identifier: MIT */
/* Results: a figure, its limit, their ratio, the target. */
#ifndef COPPICE_BENCH_REPORT_H
#define COPPICE_BENCH_REPORT_H

#include "bench/measure.h"

enum report_goal {
	REPORT_NO_GOAL,
	REPORT_RATIO_MAX,   /* figure / limit at most */
	REPORT_FIGURE_MAX,  /* figure at most */
	REPORT_SPEEDUP,     /* the ratio is limit / figure: how many times the limit's rate */
	REPORT_SPEEDUP_MIN, /* the same, at least */
};

/**
 * struct report_row - one line
 * @name: of the benchmark; static storage
 * @format: of the entries
 * @unit: of the figure and of the limit
 * @units: how many of @unit a sample was: times are divided by it
 * @subject: nanoseconds
 * @limit_name: what the limit is; NULL: none
 * @count: not a time but this number (@subject is unused)
 */
struct report_row {
	const char *name, *format, *unit;
	double units;
	struct measure_stat subject, limit;
	const char *limit_name;
	enum report_goal goal;
	double target;
	bool counted;
	double count;
};

struct report;
struct report *report_new(void);
void report_add(struct report *, const struct report_row *);

/* Return: lines whose target was missed, unreliable ones included. */
size_t report_over(const struct report *);
void report_print_table(const struct report *);
void report_print_json(const struct report *, const struct measure_plan *);
void report_free(struct report *);

#endif
