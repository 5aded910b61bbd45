// SPDX-License-Identifier: MIT
/* coppice check: every interleaving and every TLB of the stories, fixed and broken. */
#include <argp.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "cli/check/own.h"
#include "cli/check/stories.h"
#include "cli/cli.h"
#include "cli/out.h"

#define MAX_STORIES 64
#define MAX_JOBS    64
/* A program's exit status: the variant is not for the architecture that was asked for. */
#define PROGRAM_NOT_HERE 77
#define PROGRAM_ARGS     16

struct options {
	const char *story[MAX_STORIES];
	unsigned stories;
	char *arch, *bound, *preemptions, *seconds, *order;
	const char *variant, *patch;
	unsigned jobs;
	const char *own; /* what was compiled for this: a file, or a story with a patch */
	bool quick, json, trace;
};

static const struct argp_option option_list[] = {
	{"arch", 'a', "NAME", 0, "one architecture or format: arm64, arm64-16k, x86-64, riscv64, s390x", 0},
	{"order", 'o', "sc|arch", 0,
	 "order of memory: sequentially consistent only, or then the architecture's too (default)", 0},
	{"variant", 'v', "NAME", 0, "one variant, such as fixed", 0},
	{"bound", 'b', "N", 0, "give up after N executions; what is not finished is bounded, not exhausted", 0},
	{"patch", 'p', "FILE", 0, "change the library by a unified diff, and run the fixed variant of one STORY", 0},
	{"preemptions", 'N', "N", 0,
	 "searches with 0, 1, .. N preemptions instead of all of them: a failure has few; nothing is exhausted", 0},
	{"seconds", 'S', "N", 0, "give up on a program and architecture after N seconds", 0},
	{"jobs", 'J', "N", 0, "programs at a time; 1 by default", 0},
	{"quick", 'q', NULL, 0, "a small bound", 0},
	{"trace", 't', NULL, 0, "print the trace of each failure, not only of what is not as expected", 0},
	{"json", 'j', NULL, 0, "print JSON", 0},
	{0},
};

static unsigned long number(const char *option, const char *arg, unsigned long min, unsigned long max)
{
	char *end;
	unsigned long n;

	errno = 0;
	n = strtoul(arg, &end, 10);
	if (*end || !*arg || *arg == '-' || errno || n < min || n > max)
		cli_fail(CLI_USAGE, "--%s: '%s'; expected a number from %lu to %lu", option, arg, min, max);
	return n;
}

/* As the programs know them. */
static void check_arch(const char *name)
{
	static const char *const names[] = {"arm64",  "arm64-4k", "arm64-16k", "arm64-64k",
					    "x86-64", "riscv64",  "s390x"};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		if (!strcmp(names[i], name))
			return;
	}
	cli_fail(CLI_USAGE, "--arch: '%s'; expected arm64, arm64-4k, arm64-16k, arm64-64k, x86-64, riscv64 or s390x",
		 name);
}

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;

	switch (key) {
	case 'a':
		check_arch(arg);
		o->arch = arg;
		return 0;
	case 'p':
		o->patch = arg;
		return 0;
	case 'v':
		o->variant = arg;
		return 0;
	case 'o':
		if (strcmp(arg, "sc") != 0 && strcmp(arg, "arch") != 0)
			cli_fail(CLI_USAGE, "--order: '%s'; expected sc or arch", arg);
		o->order = arg;
		return 0;
	case 'b':
		number("bound", arg, 1, 1000000000000UL);
		o->bound = arg;
		return 0;
	case 'N':
		number("preemptions", arg, 0, 999);
		o->preemptions = arg;
		return 0;
	case 'S':
		number("seconds", arg, 1, 1000000);
		o->seconds = arg;
		return 0;
	case 'J':
		o->jobs = (unsigned)number("jobs", arg, 1, MAX_JOBS);
		return 0;
	case 'q':
		o->quick = true;
		return 0;
	case 't':
		o->trace = true;
		return 0;
	case 'j':
		o->json = true;
		return 0;
	case ARGP_KEY_ARG:
		if (o->stories == MAX_STORIES)
			cli_fail(CLI_USAGE, "more than %d stories", MAX_STORIES);
		o->story[o->stories++] = arg;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const char doc[] =
	"Run stories on a simulated machine, in every order and with every translation that CPUs may hold: the library "
	"as it is must be exhausted, each broken variant must fail with its own rule. Exit status 1 if anything is not "
	"as "
	"expected.\v"
	"With each failure comes a string that `coppice replay` takes. Without STORY all of them. With a limit "
	"(--bound, --quick, --preemptions, --seconds) bounded is as good as exhausted, and says by which.\n"
	"\n"
	"Examples:\n"
	"  coppice check HR1\n"
	"  coppice check HR1 HR3 --arch riscv64 --variant fixed\n"
	"  coppice check --quick --jobs 2\n"
	"  coppice check HR1 --patch mine.diff\n"
	"  coppice check my_story.c --trace\n";

static bool is_wanted(const struct options *o, const struct story_program *p)
{
	bool wanted = !o->stories;

	for (unsigned i = 0; i < o->stories; i++)
		wanted |= !strcmp(o->story[i], p->story);
	return wanted && (!o->variant || !strcmp(o->variant, p->variant));
}

/* Shipped ones, or those of one file, or of one story with the library changed. */
static struct story_programs find_programs(struct options *o)
{
	struct story_programs programs;
	char *source = NULL;

	for (unsigned i = 0; i < o->stories; i++) {
		if ((o->patch || own_is_file(o->story[i])) && o->stories > 1)
			cli_fail(CLI_USAGE, "'%s' and more; expected one story with --patch or in a file", o->story[0]);
	}
	if (!o->stories || (!o->patch && !own_is_file(o->story[0]))) {
		if (o->patch)
			cli_fail(CLI_USAGE, "--patch without a story; expected one to run with the library so changed");
		return stories_find();
	}
	if (!own_is_file(o->story[0])) {
		source = own_shipped(o->story[0]);
		if (!source)
			cli_fail(CLI_USAGE, "no story '%s'; expected one of those that `coppice list` lists",
				 o->story[0]);
	}
	programs = own_compile(source ? source : o->story[0], o->patch);
	free(source);
	/* All that was compiled is wanted. */
	o->own = o->story[0];
	o->stories = 0;
	return programs;
}

static void check_names(const struct options *o, const struct story_programs *programs)
{
	for (unsigned i = 0; i < o->stories; i++) {
		bool known = false;

		for (size_t k = 0; k < programs->count; k++)
			known |= !strcmp(o->story[i], programs->at[k].story);
		if (!known)
			cli_fail(CLI_USAGE, "no story '%s'; expected one of those that `coppice list` lists",
				 o->story[i]);
	}
}

struct tally {
	unsigned rows, wrong;
};

static const char *text_of(const cJSON *object, const char *name)
{
	const char *s = cJSON_GetStringValue(cJSON_GetObjectItem(object, name));

	return s ? s : "";
}

static double number_of(const cJSON *object, const char *name)
{
	const cJSON *item = cJSON_GetObjectItem(object, name);

	return cJSON_IsNumber(item) ? item->valuedouble : 0;
}

static bool is_right(const cJSON *line)
{
	return cJSON_IsTrue(cJSON_GetObjectItem(line, "as_expected"));
}

static void add_row(struct out_table *t, const cJSON *line, bool right)
{
	const cJSON *search = cJSON_GetObjectItem(line, "search");
	const double executions = number_of(line, "executions"), cpu = number_of(search, "cpu_seconds");
	const bool fails = !strcmp(text_of(line, "verdict"), "fails");
	const char *limit = text_of(line, "limit");

	out_cell(t, "%s", text_of(line, "story"));
	out_cell(t, "%s", text_of(line, "variant"));
	out_cell(t, "%s", text_of(line, "arch"));
	out_cell(t, "%s", text_of(line, "memory_order"));
	if (*limit)
		out_cell(t, "%s by %s", text_of(line, "verdict"), limit);
	else
		out_cell(t, "%s%s%s", text_of(line, "verdict"), fails ? ": " : "", text_of(line, "rule"));
	if (right)
		out_cell(t, "yes");
	else
		out_cell(t, "no: %s %s", text_of(line, "expected"), text_of(line, "expected_rule"));
	out_cell(t, "%s", out_count((uint64_t)executions).s);
	/* Before the first search there is the story's setup, after the last the failure is made short. */
	out_cell(t, "%s", cpu > 0 ? out_count((uint64_t)(executions / cpu)).s : "-");
	out_cell(t, "%s", out_count((uint64_t)number_of(line, "depth")).s);
	out_cell(t, "%s", out_time(number_of(line, "seconds")).s);
}

/* A program that says nothing has not run: it crashed, or was built for something else. */
static void add_silent(struct out_table *t, cJSON *all, const struct story_job *job)
{
	const char *what = WIFSIGNALED(job->status) ? strsignal(WTERMSIG(job->status))
						    : "the story ends the program, and nothing was said";
	cJSON *object = cJSON_CreateObject();

	out_cell(t, "%s", job->program->story);
	out_cell(t, "%s", job->program->variant);
	out_cell(t, "-");
	out_cell(t, "-");
	out_cell(t, "broken off");
	out_cell(t, "no");
	for (unsigned i = 0; i < 4; i++)
		out_cell(t, "-");
	cJSON_AddStringToObject(object, "story", job->program->story);
	cJSON_AddStringToObject(object, "variant", job->program->variant);
	cJSON_AddStringToObject(object, "verdict", "broken off");
	cJSON_AddStringToObject(object, "text", what);
	cJSON_AddBoolToObject(object, "as_expected", false);
	cJSON_AddItemToArray(all, object);
}

static struct tally add_job(struct out_table *t, cJSON *all, struct story_job *job)
{
	const bool not_there = WIFEXITED(job->status) && WEXITSTATUS(job->status) == PROGRAM_NOT_HERE;
	struct tally tally = {0, 0};
	cJSON *line;

	while ((line = cJSON_DetachItemFromArray(job->lines, 0))) {
		const bool right = is_right(line);

		add_row(t, line, right);
		cJSON_AddItemToArray(all, line);
		tally.rows++;
		tally.wrong += !right;
	}
	/* Some variants do not apply to some architectures; half a list is a crash. */
	if (WIFSIGNALED(job->status) || (!tally.rows && !not_there)) {
		add_silent(t, all, job);
		tally.rows++;
		tally.wrong++;
	}
	cJSON_Delete(job->lines);
	return tally;
}

#define ARCH_ARG 4 /* see make_job() */

struct advance {
	struct out_progress progress;
	size_t count;
	char what[160];
};

static void advance(size_t ended, const struct story_job *job, void *arg)
{
	struct advance *a = arg;

	snprintf(a->what, sizeof(a->what), "check: %zu of %zu in %s, now %s %s %s:", ended, a->count,
		 out_time(out_now() - a->progress.started).s, job->program->story, job->program->variant,
		 job->argv[ARCH_ARG]);
	out_progress(&a->progress, (double)ended / (double)a->count);
}

/* Each a job of its own, so that no job is much longer than others. */
static char *const formats[] = {"arm64-4k", "arm64-16k", "arm64-64k", "x86-64", "riscv64", "s390x", NULL};
#define FORMATS (sizeof(formats) / sizeof(*formats) - 1)

static unsigned add_option(char **args, unsigned n, const char *name, char *value)
{
	if (!value)
		return n;
	args[n++] = (char *)(uintptr_t)name;
	args[n++] = value;
	return n;
}

static struct story_job make_job(const struct options *o, struct story_program *p, char *arch, char **args)
{
	static char lines[] = "--lines", quick[] = "--quick";
	unsigned n = 0;

	args[n++] = p->path;
	args[n++] = p->variant;
	args[n++] = lines;
	n = add_option(args, n, "--arch", arch);
	n = add_option(args, n, "--order", o->order);
	n = add_option(args, n, "--bound", o->bound);
	if (o->quick && !o->bound)
		args[n++] = quick;
	n = add_option(args, n, "--preemptions", o->preemptions);
	n = add_option(args, n, "--seconds", o->seconds);
	args[n] = NULL;
	/* What fails ends early; large pages have large tables. */
	return (struct story_job){.program = p,
				  .argv = args,
				  .cost = 2U * !strcmp(p->variant, "fixed") + (arch && !strcmp(arch, "arm64-64k"))};
}

static size_t make_jobs(const struct options *o, const struct story_programs *programs, struct story_job *jobs,
			char *(*args)[PROGRAM_ARGS])
{
	char *const one[] = {o->arch, NULL};
	size_t count = 0;

	for (size_t i = 0; i < programs->count; i++) {
		if (!is_wanted(o, &programs->at[i]))
			continue;
		for (char *const *arch = o->arch ? one : formats; *arch; arch++, count++)
			jobs[count] = make_job(o, &programs->at[i], *arch, args[count]);
	}
	return count;
}

/* What went wrong where it should not have, and each failure to be run again. */
static void print_failures(const struct options *o, const cJSON *all)
{
	bool any = false;
	const cJSON *line;

	cJSON_ArrayForEach(line, all)
	{
		const bool right = is_right(line);

		if (!*text_of(line, "text"))
			continue;
		if (!any)
			out_heading(stdout, "Failures");
		any = true;
		if (!right || !*text_of(line, "schedule"))
			printf("  %s %s%s%s: %s\n", text_of(line, "story"), text_of(line, "variant"),
			       *text_of(line, "arch") ? ", " : "", text_of(line, "arch"), text_of(line, "text"));
		if (!*text_of(line, "schedule"))
			continue;
		printf("  coppice replay %s", text_of(line, "schedule"));
		if (o->own && own_is_file(o->own))
			printf(" %s", o->own);
		if (o->patch)
			printf(" --patch %s", o->patch);
		putchar('\n');
	}
	if (any)
		putchar('\n');
}

static const struct story_program *program_of(const struct story_programs *programs, const cJSON *line)
{
	for (size_t i = 0; i < programs->count; i++) {
		if (!strcmp(programs->at[i].story, text_of(line, "story")) &&
		    !strcmp(programs->at[i].variant, text_of(line, "variant")))
			return &programs->at[i];
	}
	return NULL;
}

/* Asked for, or the only thing that is not as expected. */
static void print_traces(const struct options *o, const struct story_programs *programs, const cJSON *all,
			 unsigned wrong)
{
	const cJSON *line;

	cJSON_ArrayForEach(line, all)
	{
		const struct story_program *p = program_of(programs, line);
		char *schedule = cJSON_GetStringValue(cJSON_GetObjectItem(line, "schedule"));

		if (!p || !schedule || !*schedule || !(o->trace || (wrong == 1 && !is_right(line))))
			continue;
		stories_trace(p, schedule);
	}
}

static int report(const struct options *o, const struct story_programs *programs, struct story_job *jobs, size_t count)
{
	struct out_table *t =
		out_table("story|variant|architecture|order|verdict|as expected|>executions|>per CPU second|"
			  ">deepest|>time");
	cJSON *all = cJSON_CreateArray();
	struct tally sum = {0, 0};

	for (size_t i = 0; i < count; i++) {
		const struct tally one = add_job(t, all, &jobs[i]);

		sum.rows += one.rows;
		sum.wrong += one.wrong;
	}
	if (!sum.rows)
		cli_fail(CLI_USAGE,
			 "no variant%s%s%s%s%s of these stories; expected one of those that `coppice list` lists",
			 o->variant ? " '" : "", o->variant ? o->variant : "", o->variant ? "'" : "",
			 o->arch ? " for " : "", o->arch ? o->arch : "");
	if (o->json) {
		out_json_print(all, stdout);
	} else {
		out_table_print(t, stdout);
		print_failures(o, all);
		print_traces(o, programs, all, sum.wrong);
		cJSON_Delete(all);
		printf("%u verdict%s, %u not as expected\n", sum.rows, sum.rows == 1 ? "" : "s", sum.wrong);
	}
	return sum.wrong ? CLI_FINDING : CLI_OK;
}

int cmd_check(int argc, char **argv)
{
	static const struct argp argp = {option_list, parse_option, "[STORY... | FILE.c]", doc, NULL, NULL, NULL};
	struct options o = {.jobs = 1};
	struct advance progress;
	struct story_programs programs;
	struct story_job *jobs;
	char *(*args)[PROGRAM_ARGS];
	int code;

	cli_args(&argp, argc, argv, &o);
	programs = find_programs(&o);
	check_names(&o, &programs);
	jobs = calloc(programs.count * FORMATS, sizeof(*jobs));
	args = calloc(programs.count * FORMATS, sizeof(*args));
	if (!jobs || !args)
		cli_fail(CLI_HOST, "out of memory");
	progress.count = make_jobs(&o, &programs, jobs, args);
	progress.progress = out_progress_begin(progress.what);
	if (progress.count)
		stories_run(jobs, progress.count, o.jobs, advance, &progress);
	out_progress_end(&progress.progress);
	code = report(&o, &programs, jobs, progress.count);
	free(jobs);
	free(args);
	return code;
}
