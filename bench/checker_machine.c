/* SPDX-License-Identifier: MIT */
/*
 * The checker on the simulated machine, with all rules on: programs of about fifty and of two hundred visible steps, and
 * all stories. Programs of their own: the tool is linked with the host's port.
 */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cjson/cJSON.h>

#include "bench/checker.h"
#include "cli/out.h"

#define RUNS        3
#define BOUND       50000 /* executions */
#define RESIDENT_KB (64.0 * 1024)

static const struct machine_program {
	const char *name;
	double target; /* executions per CPU second */
} programs[] = {{"steps50", 150e3}, {"steps200", 40e3}};

static const char *const formats[] = {"x86-64", "arm64-4k", "riscv64", "s390x"};

static bool dir_of_tool(char *dir, size_t bytes)
{
	const ssize_t n = readlink("/proc/self/exe", dir, bytes - 1);
	char *slash;

	if (n <= 0)
		return false;
	dir[n] = 0;
	slash = strrchr(dir, '/');
	if (!slash)
		return false;
	*slash = 0;
	return true;
}

/* What a command says, as JSON; NULL: nothing of the kind. */
static cJSON *said(const char *command)
{
	FILE *f = popen(command, "r");
	char *text = NULL;
	size_t room = 0;
	cJSON *o = NULL;

	if (f && getdelim(&text, &room, 0, f) > 0)
		o = cJSON_Parse(text);
	if (f)
		pclose(f);
	free(text);
	return o;
}

static double number_in(const cJSON *o, const char *name)
{
	const cJSON *n = cJSON_GetObjectItem(o, name);

	return cJSON_IsNumber(n) ? n->valuedouble : 0;
}

static double seconds_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

struct row {
	const char *name, *format;
	double steps, executions, figure, target, resident_kb;
	const char *unit;
	bool at_most;
};

static unsigned add_row(struct out_table *t, cJSON *all, const struct row *r)
{
	const bool ok = (r->at_most ? r->figure <= r->target : r->figure >= r->target) && r->resident_kb <= RESIDENT_KB;
	cJSON *o = cJSON_CreateObject();

	out_cell(t, "%s", r->name);
	out_cell(t, "%s", r->format);
	out_cell(t, "%.0f", r->steps);
	out_cell(t, "%.0f", r->executions);
	out_cell(t, "%.*f", r->figure < 1000 ? 2 : 0, r->figure);
	out_cell(t, "%s", r->unit);
	out_cell(t, "%s %g", r->at_most ? "<=" : ">=", r->target);
	out_cell(t, "%.1f", r->resident_kb / 1024);
	out_cell(t, "%s", ok ? "ok" : "missed");
	cJSON_AddStringToObject(o, "benchmark", r->name);
	cJSON_AddStringToObject(o, "format", r->format);
	cJSON_AddNumberToObject(o, "steps", r->steps);
	cJSON_AddNumberToObject(o, "executions", r->executions);
	cJSON_AddNumberToObject(o, "figure", r->figure);
	cJSON_AddStringToObject(o, "unit", r->unit);
	cJSON_AddNumberToObject(o, "target", r->target);
	cJSON_AddNumberToObject(o, "resident_kb", r->resident_kb);
	cJSON_AddStringToObject(o, "verdict", ok ? "ok" : "missed");
	cJSON_AddItemToArray(all, o);
	return !ok;
}

static bool measure_steps(const char *dir, const struct machine_program *p, const char *format, struct row *row)
{
	char command[2 * PATH_MAX];

	*row = (struct row){.name = p->name, .format = format, .target = p->target, .unit = "executions / CPU s"};
	snprintf(command, sizeof(command),
		 "'%s/stories/bench/%s' fixed --lines --bound %d --arch %s --order sc 2>/dev/null", dir, p->name, BOUND,
		 format);
	for (unsigned i = 0; i < RUNS; i++) {
		cJSON *o = said(command);
		const double executions = number_in(o, "executions");
		const double rate = executions / (number_in(cJSON_GetObjectItem(o, "search"), "cpu_seconds") + 1e-9);

		if (executions > 0 && rate > row->figure) {
			row->figure = rate;
			row->executions = executions;
			row->steps = number_in(o, "depth");
			row->resident_kb = number_in(o, "resident_kb");
		}
		cJSON_Delete(o);
	}
	return row->executions > 0;
}

/* All stories; rows that are not as expected make it miss any target. */
static bool measure_stories(const char *dir, const char *options, struct row *row)
{
	char command[2 * PATH_MAX];
	double begin;
	cJSON *all;
	const cJSON *one;

	snprintf(command, sizeof(command), "'%s/coppice' check --json %s 2>/dev/null", dir, options);
	begin = seconds_now();
	all = said(command);
	row->figure = seconds_now() - begin;
	cJSON_ArrayForEach(one, all)
	{
		const double kb = number_in(one, "resident_kb");

		row->executions += number_in(one, "executions");
		row->resident_kb = kb > row->resident_kb ? kb : row->resident_kb;
		if (!cJSON_IsTrue(cJSON_GetObjectItem(one, "as_expected")))
			row->figure = 1e9;
	}
	cJSON_Delete(all);
	return row->executions > 0;
}

static unsigned add_stories(const char *dir, struct out_table *t, cJSON *all)
{
	struct row quick = {"all, --quick --jobs 2", "all", .target = 60, .unit = "s", .at_most = true};
	struct row two = {"all, --jobs 2", "all", .target = 30 * 60, .unit = "s", .at_most = true};
	struct row one = {"all, --jobs 1", "all", .target = 2 * 30 * 60, .unit = "s", .at_most = true};
	struct row gain = {"--jobs 1 / --jobs 2", "all", .target = 1.7, .unit = "times"};
	unsigned missed = 0;

	if (!measure_stories(dir, "--quick --jobs 2", &quick) || !measure_stories(dir, "--jobs 2", &two) ||
	    !measure_stories(dir, "--jobs 1", &one))
		return 0;
	gain.figure = one.figure / two.figure;
	missed += add_row(t, all, &quick);
	missed += add_row(t, all, &two);
	missed += add_row(t, all, &one);
	return missed + add_row(t, all, &gain);
}

unsigned bench_checker_machine(cJSON *all, bool json)
{
	struct out_table *t = out_table("program|format|>visible steps|>executions|>figure|unit|target|>MB|verdict");
	char dir[PATH_MAX];
	unsigned missed = 0;
	bool any = false;

	if (!dir_of_tool(dir, sizeof(dir)))
		return 0;
	for (size_t i = 0; i < sizeof(programs) / sizeof(*programs); i++) {
		for (size_t k = 0; k < sizeof(formats) / sizeof(*formats); k++) {
			struct row row;

			if (!measure_steps(dir, &programs[i], formats[k], &row))
				continue;
			any = true;
			missed += add_row(t, all, &row);
		}
	}
	if (any)
		missed += add_stories(dir, t, all);
	if (!json) {
		out_table_print(t, stdout);
		if (any)
			puts("Steps: sequentially consistent, the fastest of 3 runs; stories: under each order.");
		else
			puts("On the simulated machine: skipped, its programs are not beside the tool.");
	}
	return missed;
}
