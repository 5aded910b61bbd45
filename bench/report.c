/* SPDX-License-Identifier: MIT */
#include "bench/report.h"

#include <math.h>
#include <stdlib.h>

#include "cli/out.h"

struct report {
	struct report_row *row;
	size_t rows, room;
};

struct report *report_new(void)
{
	struct report *r = calloc(1, sizeof(*r));

	if (!r)
		abort();
	return r;
}

void report_free(struct report *r)
{
	free(r->row);
	free(r);
}

void report_add(struct report *r, const struct report_row *row)
{
	if (r->rows == r->room) {
		r->room = r->room ? 2 * r->room : 64;
		r->row = realloc(r->row, r->room * sizeof(*r->row));
		if (!r->row)
			abort();
	}
	r->row[r->rows++] = *row;
}

static double figure(const struct report_row *row)
{
	return row->counted ? row->count : row->subject.median / row->units;
}

/* What the target is about; NAN when there is no limit. */
static double ratio(const struct report_row *row)
{
	if (!row->limit_name || row->counted)
		return NAN;
	if (row->goal == REPORT_SPEEDUP || row->goal == REPORT_SPEEDUP_MIN)
		return row->limit.median / row->subject.median;
	return row->subject.median / row->limit.median;
}

static bool aims(const struct report_row *row)
{
	return row->goal != REPORT_NO_GOAL && row->goal != REPORT_SPEEDUP;
}

static bool missed(const struct report_row *row)
{
	switch (row->goal) {
	case REPORT_NO_GOAL:
	case REPORT_SPEEDUP:
		return false;
	case REPORT_RATIO_MAX:
		return !(ratio(row) <= row->target);
	case REPORT_FIGURE_MAX:
		return !(figure(row) <= row->target);
	case REPORT_SPEEDUP_MIN:
		return !(ratio(row) >= row->target);
	}
	return false;
}

static double spread(const struct report_row *row)
{
	return row->counted ? 0 : fmax(measure_spread(&row->subject), measure_spread(&row->limit));
}

static bool unreliable(const struct report_row *row)
{
	return spread(row) > MEASURE_SPREAD_MAX;
}

static const char *verdict(const struct report_row *row)
{
	if (!aims(row))
		return unreliable(row) ? "?" : "";
	if (unreliable(row))
		return missed(row) ? "over?" : "ok?";
	return missed(row) ? "over" : "ok";
}

size_t report_over(const struct report *r)
{
	size_t n = 0;

	for (size_t i = 0; i < r->rows; i++)
		n += missed(&r->row[i]);
	return n;
}

static void number(struct out_table *t, double v)
{
	if (isnan(v))
		out_cell(t, "-");
	else
		out_cell(t, v >= 100 ? "%.0f" : v >= 10 ? "%.1f" : "%.2f", v);
}

static void target(struct out_table *t, const struct report_row *row)
{
	static const char *const sign[] = {"", "<= ", "<= ", "", ">= "};

	if (!aims(row))
		out_cell(t, "-");
	else if (row->goal == REPORT_FIGURE_MAX)
		out_cell(t, "%s%g %s", sign[row->goal], row->target, row->unit);
	else
		out_cell(t, "%s%.2f", sign[row->goal], row->target);
}

static void print_row(struct out_table *t, const struct report_row *row)
{
	out_cell(t, "%s", row->name);
	out_cell(t, "%s", row->format);
	number(t, figure(row));
	out_cell(t, "%s", row->unit);
	number(t, row->limit_name ? row->limit.median / row->units : NAN);
	out_cell(t, "%s", row->limit_name ? row->limit_name : "");
	number(t, ratio(row));
	target(t, row);
	out_cell(t, "%.0f %%", 100 * spread(row));
	out_cell(t, "%s", verdict(row));
}

void report_print_table(const struct report *r)
{
	struct out_table *t = out_table("benchmark|format|>figure|unit|>limit|of|>ratio|>target|>spread|verdict");
	size_t doubtful = 0;

	for (size_t i = 0; i < r->rows; i++) {
		print_row(t, &r->row[i]);
		doubtful += unreliable(&r->row[i]);
	}
	out_table_print(t, stdout);
	if (doubtful)
		printf("\n%zu marked ?: the quartiles lie over %.0f %% of the median apart (other work on this "
		       "machine?); "
		       "their ratios are unreliable.\n",
		       doubtful, 100 * MEASURE_SPREAD_MAX);
}

static cJSON *json_stat(const struct measure_stat *s, double units)
{
	cJSON *o = cJSON_CreateObject();

	cJSON_AddNumberToObject(o, "median", s->median / units);
	cJSON_AddNumberToObject(o, "low", s->low / units);
	cJSON_AddNumberToObject(o, "high", s->high / units);
	cJSON_AddNumberToObject(o, "min", s->min / units);
	cJSON_AddNumberToObject(o, "max", s->max / units);
	cJSON_AddNumberToObject(o, "samples", s->samples);
	return o;
}

static void json_goal(cJSON *o, const struct report_row *row)
{
	static const char *const of[] = {NULL, "ratio-max", "figure-max", NULL, "speedup-min"};

	if (!aims(row))
		return;
	cJSON_AddStringToObject(o, "goal", of[row->goal]);
	cJSON_AddNumberToObject(o, "target", row->target);
	cJSON_AddBoolToObject(o, "ok", !missed(row));
}

static cJSON *json_row(const struct report_row *row)
{
	cJSON *o = cJSON_CreateObject();

	cJSON_AddStringToObject(o, "benchmark", row->name);
	cJSON_AddStringToObject(o, "format", row->format);
	cJSON_AddStringToObject(o, "unit", row->unit);
	cJSON_AddNumberToObject(o, "figure", figure(row));
	if (!row->counted)
		cJSON_AddItemToObject(o, "subject", json_stat(&row->subject, row->units));
	if (row->limit_name) {
		cJSON_AddStringToObject(o, "limit_name", row->limit_name);
		cJSON_AddItemToObject(o, "limit", json_stat(&row->limit, row->units));
		cJSON_AddNumberToObject(o, "ratio", ratio(row));
	}
	json_goal(o, row);
	cJSON_AddBoolToObject(o, "reliable", !unreliable(row));
	return o;
}

void report_print_json(const struct report *r, const struct measure_plan *plan)
{
	cJSON *root = cJSON_CreateObject(), *results = cJSON_AddArrayToObject(root, "results");

	cJSON_AddNumberToObject(root, "repeats", plan->repeats);
	cJSON_AddNumberToObject(root, "attempts", plan->attempts);
	cJSON_AddNumberToObject(root, "over", (double)report_over(r));
	for (size_t i = 0; i < r->rows; i++)
		cJSON_AddItemToArray(results, json_row(&r->row[i]));
	out_json_print(root, stdout);
}
