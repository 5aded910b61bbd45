/* SPDX-License-Identifier: MIT */
/* Insides of traces: which events of a failing execution are told, and in which words. */
#ifndef COPPICE_CHECKER_TRACE_H
#define COPPICE_CHECKER_TRACE_H

#include "checker/explore.h"

#define TRACE_TEXT 240

/**
 * struct trace_line - one event, or several that only their actor could notice
 * @event: NULL: @folded of them
 * @column: of its CPU
 * @number: of the event, or of the first folded one, from 1
 */
struct trace_line {
	const struct sim_event *event;
	unsigned column, actor, folded;
	unsigned more; /* that say the same of the next places */
	size_t number;
	char text[TRACE_TEXT];
};

/**
 * struct trace - a failing execution
 * @rule: NULL: it has no entry among the rules
 * @manual: what the architecture's manual says; NULL: unknown
 * @who: whose step failed; NULL: it was after all of them
 * @column: names; @columns of them
 * @hold: what CPUs may still hold where it failed, and what waits in store buffers; @holds of them
 */
struct trace {
	const struct sim_report *report;
	const struct checker_rule *rule;
	const char *manual;
	char who[64];
	struct sim_at at;
	char column[SIM_ALL_CPUS][64];
	unsigned columns;
	struct trace_line *line;
	size_t lines;
	size_t left_out; /* events that did not come before the failure */
	char hold[24][TRACE_TEXT];
	unsigned holds;
};

/* trace.c: the program's actor in a slot; NULL: the machine's own */
const struct checker_actor *trace_actor(unsigned slot);

/* trace_select.c: which events are told; @shown and @past, one for each. */
void trace_select(bool *shown, bool *past);

/* trace_words.c */
void trace_describe(char *out, size_t room, const struct sim_event *);
/* "leaf 0x200000 rw-", "table 0x3000", "empty" */
void trace_entry(char *out, size_t room, const struct sim_tree *, unsigned level, uint64_t entry);
const char *trace_op(const struct sim_event *);
const char *trace_base_name(const char *file);

/* trace_hold.c */
void trace_hold(struct trace *);

/* trace_text.c, trace_json.c */
void trace_print(const struct trace *, const struct checker_show *, FILE *);
void trace_print_json(const struct trace *, const struct checker_show *, FILE *);
void trace_print_chrome(const struct trace *, const struct checker_show *, FILE *);

#endif
