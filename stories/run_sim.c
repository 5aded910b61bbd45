/* SPDX-License-Identifier: MIT */
/*
 * The program of one variant of one story: explores it for each format, and says whether the verdict is the expected one.
 *
 *	PROGRAM VARIANT [--arch NAME] [--order sc|arch] [--bound EXECUTIONS] [--quick] [--seconds N] [--preemptions N]
 *		[--lines]
 *	PROGRAM --info
 *	PROGRAM --replay STRING ...: see stage_replay.c
 *
 * With --lines one line of JSON for each format and nothing else: what `coppice check` reads.
 */
#include "stories/stage_format.h"
#include "stories/stage_sim.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#define DEFAULT_BOUND 10000000
#define MOST_ROUNDS   1000
/* --quick: what is expected to fail is given as many as that takes. */
#define QUICK_BOUND       500
#define QUICK_FAILS_BOUND 100000

struct options {
	const char *variant;
	uint32_t formats;
	uint64_t bound;
	bool lines;
	bool bounded; /* executions, by what was asked for */
	bool limited; /* those, or seconds or preemptions */
	bool quick;
	bool sequential; /* only */
};

static const char *outcome_name(enum cop_outcome outcome)
{
	return outcome == COP_EXHAUSTED ? "exhausted" : "fails";
}

static enum cop_outcome expected(const struct options *o, const struct cop_variant *v)
{
	return v->reordered && o->sequential ? COP_EXHAUSTED : v->outcome;
}

static const char *expected_name(const struct options *o, const struct cop_variant *v)
{
	return v->bound ? "bounded" : outcome_name(expected(o, v));
}

/* Exit status with --lines: the variant is not for the architecture that was asked for. */
#define STAGE_NOT_HERE 77

static bool as_expected(const struct options *o, const struct cop_variant *variant, const struct checker_verdict *v)
{
	/* Whoever asks for a bound takes it for an answer. */
	if (expected(o, variant) == COP_EXHAUSTED)
		return v->result == CHECKER_EXHAUSTED ||
		       (v->result == CHECKER_BOUNDED && (o->limited || variant->bound));
	if (variant->reordered && v->order == SIM_ORDER_SC)
		return false;
	return v->result == CHECKER_FAILS && variant->rule && v->report.rule && !strcmp(v->report.rule, variant->rule);
}

static void print_string(const char *s)
{
	putchar('"');
	for (; *s; s++) {
		if (*s == '"' || *s == '\\')
			putchar('\\');
		if ((unsigned char)*s >= ' ')
			putchar(*s);
	}
	putchar('"');
}

static void print_line(const struct options *o, const struct cop_variant *variant, uint32_t format,
		       const struct checker_verdict *v, double seconds)
{
	char *schedule = stage_schedule(variant, format, v);
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	printf("{\"story\":\"%s\",\"variant\":\"%s\",\"arch\":\"%s\",\"verdict\":\"%s\",\"rule\":\"%s\",\"expected\":"
	       "\"%s\","
	       "\"expected_rule\":\"%s\",\"as_expected\":%s,\"executions\":%" PRIu64 ",\"events\":%" PRIu64
	       ",\"depth\":%" PRIu64 ",\"limit\":\"%s\",\"cpus\":%u,\"memory_bytes\":%" PRIu64
	       ",\"frame_bytes\":%" PRIu64
	       ",\"memory_order\":\"%s\",\"left_out\":\"%s\",\"seconds\":%.3f,\"search\":{\"steps\":%" PRIu64
	       ",\"cpu_seconds\":%.6f},\"resident_kb\":%ld,\"text\":",
	       cop_story.id, variant->name, stage_format_name(format), checker_result_name(v->result),
	       v->result == CHECKER_FAILS ? v->report.rule : "", expected_name(o, variant),
	       variant->rule ? variant->rule : "", as_expected(o, variant, v) ? "true" : "false", v->executions,
	       v->events, v->depth, v->limit ? v->limit : "", v->cpus, v->memory_bytes, v->frame_bytes,
	       checker_order_name(v->order), checker_leaves_out(v->order), seconds, v->steps, v->cpu_seconds,
	       usage.ru_maxrss);
	print_string(v->result == CHECKER_FAILS ? v->report.text : "");
	printf(",\"schedule\":");
	print_string(schedule ? schedule : "");
	printf("}\n");
	free(schedule);
	fflush(stdout);
}

/* What a signal's handler needs to know. */
static struct {
	const struct options *options;
	const struct cop_variant *variant;
	uint32_t format;
} running;

/* The program ends in the middle: that is a verdict as well. */
static void last_word(const char *rule, const char *text)
{
	struct checker_verdict v = {.result = CHECKER_FAILS, .report.rule = rule};

	snprintf(v.report.text, sizeof(v.report.text), "%s", text);
	if (running.variant && running.options->lines)
		print_line(running.options, running.variant, running.format, &v, 0);
	else
		fprintf(stderr, "%s: %s: %s\n", cop_story.id, rule, text);
	fflush(NULL);
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static uint64_t bound_of(const struct options *o, const struct cop_variant *variant)
{
	if (o->quick)
		return variant->outcome == COP_FAILS ? QUICK_FAILS_BOUND : QUICK_BOUND;
	return variant->bound && !o->bounded ? variant->bound : o->bound;
}

/* Sequentially consistent first: what fails so has the simplest trace. */
static struct checker_verdict explore(const struct options *o, const struct cop_variant *variant, uint32_t format)
{
	const uint64_t bound = bound_of(o, variant);
	FILE *trace = o->lines ? NULL : stdout;
	struct checker_verdict v = stage_explore(format, SIM_ORDER_SC, bound, trace);

	if (o->sequential || v.result == CHECKER_FAILS ||
	    (v.result == CHECKER_BOUNDED && !o->bounded && !variant->bound))
		return v;
	return stage_explore(format, stage_order(format), bound, trace);
}

static bool run(const struct options *o, const struct cop_variant *variant, uint32_t format)
{
	struct checker_verdict v;
	double begin = now();
	char *schedule;
	bool good;

	running.options = o;
	running.variant = variant;
	running.format = format;
	if (!o->lines)
		printf("%s %s, %s: %s\n\n", cop_story.id, variant->name, stage_format_name(format), cop_story.title);
	stage_choose(variant);
	v = explore(o, variant, format);
	good = as_expected(o, variant, &v);
	if (o->lines) {
		print_line(o, variant, format, &v, now() - begin);
		checker_verdict_free(&v);
		return good;
	}
	checker_print(stdout, &v);
	schedule = stage_schedule(variant, format, &v);
	if (schedule)
		printf("Again: coppice replay %s\n", schedule);
	free(schedule);
	checker_verdict_free(&v);
	if (!good)
		printf("expected: %s %s\n", expected_name(o, variant), variant->rule ? variant->rule : "");
	putchar('\n');
	return good;
}

static void print_info(void)
{
	static const struct options none;

	printf("{\"story\":\"%s\",\"title\":\"%s\",\"origin\":\"%s\",\"archs\":[", cop_story.id, cop_story.title,
	       cop_story.origin);
	for (uint32_t bit = 1, n = 0; bit & COP_ON_ALL; bit <<= 1) {
		if (cop_story.formats & bit)
			printf("%s\"%s\"", n++ ? "," : "", stage_format_name(bit));
	}
	printf("],\"variants\":[");
	for (const struct cop_variant *v = cop_story.variants; v->name; v++)
		printf("%s{\"variant\":\"%s\",\"expected\":\"%s\",\"rule\":\"%s\",\"actors\":%s}",
		       v == cop_story.variants ? "" : ",", v->name, expected_name(&none, v), v->rule ? v->rule : "",
		       v->actors ? "true" : "false");
	printf("]}\n");
}

static int usage(const char *why, const char *what)
{
	fprintf(stderr, "%s: %s '%s'\n", cop_story.id, why, what);
	return 2;
}

static int parse(struct options *o, int argc, char **argv)
{
	unsigned rounds = 0;
	double seconds = 0;

	for (int i = 1; i < argc; i++) {
		char *end = NULL;

		if (!strcmp(argv[i], "--lines")) {
			o->lines = true;
		} else if (!strcmp(argv[i], "--quick")) {
			o->quick = o->bounded = true;
		} else if (!strcmp(argv[i], "--arch") && i + 1 < argc) {
			o->formats = stage_format_bits(argv[++i]);
			if (!o->formats)
				return usage("no architecture", argv[i]);
		} else if (!strcmp(argv[i], "--order") && i + 1 < argc) {
			o->sequential = !strcmp(argv[++i], "sc");
			if (!o->sequential && strcmp(argv[i], "arch") != 0)
				return usage("no memory order:", argv[i]);
		} else if (!strcmp(argv[i], "--bound") && i + 1 < argc) {
			o->bounded = true;
			o->bound = strtoull(argv[++i], &end, 0);
			if (*end || !o->bound)
				return usage("no number of executions:", argv[i]);
		} else if (!strcmp(argv[i], "--preemptions") && i + 1 < argc) {
			rounds = (unsigned)strtoul(argv[++i], &end, 10) + 1;
			if (*end || !rounds || rounds > MOST_ROUNDS)
				return usage("no number of preemptions:", argv[i]);
		} else if (!strcmp(argv[i], "--seconds") && i + 1 < argc) {
			seconds = strtod(argv[++i], &end);
			if (*end || !(seconds > 0))
				return usage("no number of seconds:", argv[i]);
		} else if (argv[i][0] != '-') {
			o->variant = argv[i];
		} else {
			return usage("no option", argv[i]);
		}
	}
	o->limited = o->bounded || rounds || seconds > 0;
	stage_limits(rounds, seconds);
	return 0;
}

int main(int argc, char **argv)
{
	struct options o = {.variant = "fixed", .formats = COP_ON_ALL, .bound = DEFAULT_BOUND};
	bool good = true, any = false;
	int err;

	if (!stage_valid())
		return 2;
	sim_guard_all(last_word);
	if (argc == 2 && !strcmp(argv[1], "--info")) {
		print_info();
		return 0;
	}
	if (argc > 1 && !strcmp(argv[1], "--replay"))
		return stage_replay_main(argc, argv);
	err = parse(&o, argc, argv);
	if (err)
		return err;
	for (uint32_t bit = 1; bit & COP_ON_ALL; bit <<= 1) {
		const struct cop_variant *variant = o.formats & bit ? stage_variant(o.variant, bit) : NULL;

		if (!variant)
			continue;
		any = true;
		good &= run(&o, variant, bit);
	}
	if (!any && o.lines)
		return STAGE_NOT_HERE;
	if (!any)
		return usage("no such variant for this architecture:", o.variant);
	return good ? 0 : 1;
}
