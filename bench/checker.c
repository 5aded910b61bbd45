/* SPDX-License-Identifier: MIT */
/* The checker's engine beside GenMC: programs without a machine, the same executions, how many in a second of CPU time. */
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#include <cjson/cJSON.h>

#include "bench/checker.h"
#include "bench/checker_programs.h"
#include "cli/out.h"

#define RUNS   3
#define TARGET 10.0 /* times GenMC's rate */

struct figure {
	const struct plain_program *program;
	struct engine_result result; /* of the fastest run */
	double rate;
	bool exact; /* every run had the executions that it should have */
};

static struct figure measure_program(const struct plain_program *p)
{
	const struct engine_program limits = {.preemptions = ENGINE_UNBOUNDED};
	struct figure f = {.program = p, .exact = true};

	for (unsigned i = 0; i < RUNS; i++) {
		struct engine_result r = plain_run(p, &limits);
		double rate = (double)r.executions / r.cpu_seconds;

		f.exact &= r.verdict == ENGINE_EXHAUSTED && r.executions == p->executions;
		if (rate > f.rate) {
			f.rate = rate;
			f.result = r;
		}
	}
	return f;
}

static const char *verdict(const struct figure *f)
{
	if (!f->exact)
		return "wrong";
	return f->rate >= TARGET * f->program->reference ? "ok" : "slow";
}

static void add_row(struct out_table *t, const struct figure *f)
{
	out_cell(t, "%s", f->program->name);
	out_cell(t, "%llu", (unsigned long long)f->result.executions);
	out_cell(t, "%llu", (unsigned long long)f->result.blocked);
	out_cell(t, "%.0f", f->rate);
	out_cell(t, "%.0f", f->program->reference);
	out_cell(t, "%.1f", f->rate / f->program->reference);
	out_cell(t, ">= %.0f", TARGET);
	out_cell(t, "%s", verdict(f));
}

static void add_json(cJSON *all, const struct figure *f)
{
	cJSON *o = cJSON_CreateObject();

	cJSON_AddStringToObject(o, "benchmark", f->program->name);
	cJSON_AddNumberToObject(o, "executions", (double)f->result.executions);
	cJSON_AddNumberToObject(o, "given_up", (double)f->result.blocked);
	cJSON_AddNumberToObject(o, "per_second", f->rate);
	cJSON_AddNumberToObject(o, "genmc_per_second", f->program->reference);
	cJSON_AddNumberToObject(o, "ratio", f->rate / f->program->reference);
	cJSON_AddStringToObject(o, "verdict", verdict(f));
	cJSON_AddItemToArray(all, o);
}

static void print_json(cJSON *all)
{
	char *text = cJSON_Print(all);

	puts(text ? text : "[]");
	cJSON_free(text);
}

unsigned bench_checker(bool json)
{
	struct out_table *t =
		out_table("benchmark|>executions|>given up|>per CPU second|>GenMC 0.10|>ratio|>target|verdict");
	cJSON *all = cJSON_CreateArray();
	struct rusage usage;
	unsigned missed = 0;

	for (unsigned i = 0; i < plain_program_count; i++) {
		struct figure f;

		if (plain_programs[i].reference <= 0)
			continue;
		f = measure_program(&plain_programs[i]);
		missed += strcmp(verdict(&f), "ok") != 0;
		add_row(t, &f);
		add_json(all, &f);
	}
	getrusage(RUSAGE_SELF, &usage);
	if (!json) {
		out_table_print(t, stdout);
		printf("\nThe fastest of %d runs each; resident memory %ld MB. GenMC's rates were recorded on a "
		       "machine "
		       "of this kind.\n",
		       RUNS, usage.ru_maxrss / 1024);
	}
	missed += bench_checker_machine(all, json);
	if (json)
		print_json(all);
	cJSON_Delete(all);
	return missed;
}
