/* SPDX-License-Identifier: MIT */
/* What people and programs read: aligned tables, human sizes, colour only on a terminal, JSON. */
#ifndef CLI_OUT_H
#define CLI_OUT_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* A short-lived string by value, so that several fit into one printf. */
struct out_text {
	char s[32];
};

/* "128 M", "1.5 G", "512 B": powers of 1024, at most four significant characters. */
struct out_text out_size(uint64_t bytes);
/* "12.3 GB/s": powers of 1000, as transfer rates are. */
struct out_text out_rate(double bytes_per_second);
/* "850 ns", "1.20 ms", "3.4 s", "2 min 5 s" */
struct out_text out_time(double seconds);
/* "1,234,567" */
struct out_text out_count(uint64_t n);

/* Escape sequences, or "" when the stream is no terminal or NO_COLOR is set. */
enum out_style { OUT_PLAIN, OUT_BOLD, OUT_DIM, OUT_RED, OUT_GREEN };
const char *out_style(FILE *, enum out_style);

/*
 * An aligned table. Headings are separated by '|'; one that starts with '>' is a column of numbers, aligned right.
 *
 *	struct out_table *t = out_table("phase|>time|>rate");
 *	out_cell(t, "remove");
 *	out_cell(t, "%s", out_time(t0).s);
 *	...
 *	out_table_print(t, stdout);     // and frees it
 */
struct out_table;
struct out_table *out_table(const char *headings);
__attribute__((format(printf, 2, 3))) void out_cell(struct out_table *, const char *fmt, ...);
void out_table_print(struct out_table *, FILE *);

/* A line such as "Layout" above what follows. */
void out_heading(FILE *, const char *text);

/*
 * JSON. Numbers above 2^53 stay exact (cJSON keeps doubles otherwise); addresses are "0x..." strings. After out_json_init()
 * an allocation that fails ends the program, so that nothing is missing from what is printed.
 */
void out_json_init(void);
void out_json_count(cJSON *object, const char *name, uint64_t);
void out_json_hex(cJSON *object, const char *name, uint64_t);
/* Prints and frees. */
void out_json_print(cJSON *, FILE *);

/*
 * Progress with an estimate of what is left, on stderr, when that is a terminal and the work takes over two seconds.
 */
struct out_progress {
	const char *what;
	double started, shown; /* seconds, monotonic */
	bool on;
};
struct out_progress out_progress_begin(const char *what);
void out_progress(struct out_progress *, double fraction);
void out_progress_end(struct out_progress *);

/* Monotonic, seconds. */
double out_now(void);

#endif
