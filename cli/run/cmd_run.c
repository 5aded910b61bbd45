// SPDX-License-Identifier: MIT
/* coppice run: a machine's memory comes and goes. */
#include <signal.h>
#include <stdlib.h>
#include <time.h>

#include "cli/cli.h"
#include "cli/run/options.h"
#include "cli/run/report.h"

/* Set by a signal handler, read by all CPUs. */
static atomic_bool interrupted;

struct run {
	struct run_plan plan;
	struct run_options options;
	struct run_machine machine;
	struct cycle cycle;
	struct reader_result readers;
	struct gup_result gup;
	struct account booted, added, cycled, emptied;
	unsigned leaks;
	FILE *out;   /* NULL: JSON instead */
	cJSON *json; /* NULL: text instead */
};

static void on_interrupt(int signal)
{
	static _Atomic time_t first;
	const time_t now = time(NULL);

	(void)signal;
	if (!atomic_exchange(&interrupted, true)) {
		first = now;
		return;
	}
	/* An impatient second one ends it; not the copy that timeout(1) and shells send to the group. */
	if (now > first + 1)
		_Exit(CLI_INTERRUPTED);
}

static void catch_interrupts(void)
{
	struct sigaction action = {.sa_handler = on_interrupt, .sa_flags = SA_RESTART};

	sigemptyset(&action.sa_mask);
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
}

static bool bring_up(struct run *run)
{
	struct cycle *c = &run->cycle;

	return cycle_step(c, STEP_ADD) && cycle_step(c, STEP_ONLINE) && cycle_step(c, STEP_USE);
}

/* Used before it is online: then it is nobody's, and the run may write to it. */
static bool one_round(struct cycle *c)
{
	return cycle_step(c, STEP_OFFLINE) && cycle_step(c, STEP_REMOVE) && cycle_step(c, STEP_ADD) &&
	       cycle_step(c, STEP_USE) && cycle_step(c, STEP_ONLINE) && cycle_step(c, STEP_AT_ONCE);
}

static void go_round(struct run *run)
{
	struct readers *readers = readers_start(&run->machine);
	struct gup *gup = gup_start(&run->machine);

	for (unsigned i = 0; i < run->options.rounds; i++)
		if (!one_round(&run->cycle))
			break;
	run->gup = gup_stop(gup);
	run->readers = readers_stop(readers);
}

static void print_results(struct run *run)
{
	if (run->json) {
		report_steps_json(&run->cycle, run->json);
		report_cpus_json(&run->cycle, run->json);
		report_readers_json(&run->readers, run->json);
		report_gup_json(&run->gup, run->json);
		return;
	}
	report_steps(&run->cycle, run->out);
	report_cpus(&run->cycle, run->out);
	if (run->options.readers)
		report_readers(&run->readers, run->out);
	if (run->gup.threads)
		report_gup(&run->gup, &run->options, run->out);
}

/* Settling is not part of what was measured: on a copy of the figures that nobody looks at. */
static void settle(struct run *run, bool online)
{
	atomic_store(&run->cycle.failed, false);
	cycle_settle(&run->cycle, online);
}

static void compare(struct run *run)
{
	cJSON *leaks = run->json ? cJSON_AddArrayToObject(run->json, "leaks") : NULL;

	const struct cop_format *format = run->plan.format;
	unsigned (*compare_added)(const char *, const struct account *, const struct account *, FILE *, cJSON *) =
		format->min_table_lg2 < format->page_lg2 ? account_compare_tables : account_compare;

	if (run->out)
		out_heading(run->out, "Accounts");
	run->leaks = compare_added("all memory added, and all of it back after the last round", &run->added,
				   &run->cycled, run->out, leaks);
	run->leaks += account_compare("boot, and all that was added removed again", &run->booted, &run->emptied,
				      run->out, leaks);
}

static int verdict(struct run *run, const char *error)
{
	const bool stopped = atomic_load(&interrupted);
	int code = CLI_OK;

	if (run->leaks || run->readers.wrong || gup_findings(&run->gup) || error[0])
		code = CLI_FINDING;
	else if (stopped)
		code = CLI_INTERRUPTED;
	if (run->json) {
		if (error[0])
			cJSON_AddStringToObject(run->json, "error", error);
		cJSON_AddBoolToObject(run->json, "interrupted", stopped);
		out_json_count(run->json, "exit_status", (uint64_t)code);
		out_json_print(run->json, stdout);
		return code;
	}
	if (error[0])
		cli_note("%s", error);
	if (stopped)
		cli_note("interrupted; the figures cover what was done until then");
	if (run->leaks)
		cli_note("%u figures of the account differ", run->leaks);
	return code;
}

static void print_plan(struct run *run)
{
	if (run->json) {
		report_plan_json(&run->plan, run->json);
		return;
	}
	report_plan(&run->plan, &run->options, run->out);
	fflush(run->out);
}

static int execute(struct run *run)
{
	struct cycle *c = &run->cycle;
	char error[sizeof(c->error)] = "";

	/* First, so that a machine that cannot boot leaves its one line and nothing else. */
	machine_boot(&run->machine, &run->plan, &run->options);
	print_plan(run);
	c->progress = out_progress_begin("coppice run");
	run->booted = account_take(&run->machine);
	if (bring_up(run)) {
		run->added = account_take(&run->machine);
		if (run->json)
			report_layout_json(&run->machine, run->json);
		else
			report_layout(&run->machine, run->out);
		go_round(run);
	} else {
		settle(run, true);
		run->added = account_take(&run->machine);
	}
	out_progress_end(&c->progress);
	snprintf(error, sizeof(error), "%s", c->error);
	print_results(run);
	settle(run, true);
	run->cycled = account_take(&run->machine);
	settle(run, false);
	run->emptied = account_take(&run->machine);
	compare(run);
	machine_off(&run->machine);
	return verdict(run, error);
}

int cmd_run(int argc, char **argv)
{
	struct run *run = calloc(1, sizeof(*run));
	int code;

	if (!run)
		cli_fail(CLI_HOST, "out of memory");
	run->options = options_parse(argc, argv);
	run->plan = plan_make(&run->options);
	if (run->options.json)
		run->json = cJSON_CreateObject();
	else
		run->out = stdout;
	catch_interrupts();
	run->cycle.machine = &run->machine;
	run->cycle.stop = &interrupted;
	run->cycle.steps_planned = 3 + 6 * run->options.rounds;
	code = execute(run);
	gup_result_free(&run->gup);
	plan_free(&run->plan);
	free(run);
	return code;
}
