/* SPDX-License-Identifier: MIT */
#include <argp.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "bench/checker.h"
#include "bench/report.h"
#include "bench/suite.h"
#include "cli/cli.h"
#include "cli/out.h"
#include "cli/parse.h"
#include "ports/host/machine.h"

/* One line for each format. */
static const struct bench_format formats[] = {
	{&cop_tables_arm64_4k, &limit_chase_arm64_4k, &bench_walks_arm64_4k, COP_F_HAF | COP_F_HD},
	{&cop_tables_arm64_16k, &limit_chase_arm64_16k, &bench_walks_arm64_16k, COP_F_HAF | COP_F_HD},
	{&cop_tables_arm64_64k, &limit_chase_arm64_64k, &bench_walks_arm64_64k, COP_F_HAF | COP_F_HD},
	{&cop_tables_x86_64, &limit_chase_x86_64, &bench_walks_x86_64, 0},
	{&cop_tables_riscv64, &limit_chase_riscv64, &bench_walks_riscv64, COP_F_ADUE},
	{&cop_tables_s390x, &limit_chase_s390x, &bench_walks_s390x, 0},
};
#define FORMATS (sizeof(formats) / sizeof(*formats))

static const struct suite {
	const char *name, *what;
	bool (*run)(struct bench *);
} suites[] = {
	{"range", "map and unmap 1 GB with the smallest leaves: map, unmap-*, *-blocks", bench_range},
	{"page", "map and unmap single pages at random addresses: page-*", bench_page},
	{"translate", "walk in software: translate-*", bench_translate},
	{"threads", "two CPUs at a time: threads-*", bench_threads},
	{"gup", "pages behind user addresses, without a lock: gup-*", bench_gup},
	{"space", "faults, fork, unmap; tables that wait for walkers: space-*, table-free-*", bench_space},
	{"hotplug", "add and remove sections of memory, up to 1 TB: hot-*, table-memory", bench_hotplug},
	{"inspect", "read the tables of a memory image, up to 1 TB of leaves: inspect-*", bench_inspect},
};
#define SUITES (sizeof(suites) / sizeof(*suites))

#define POOL_BYTES (128ULL << 20)
#define PHYS_BYTES (2ULL << 40) /* addresses; memory is where somebody puts it */

struct options {
	struct measure_plan plan;
	const char *only;
	int arch; /* -1: all */
	unsigned page_lg2;
	int cpu; /* n-th usable one */
	bool json, strict, list, checker;
};

enum option_key {
	OPT_ONLY = 256,
	OPT_ARCH,
	OPT_PAGE_SIZE,
	OPT_REPEATS,
	OPT_QUICK,
	OPT_CPU,
	OPT_JSON,
	OPT_STRICT,
	OPT_LIST
};

static const struct argp_option option_list[] = {
	{"only", OPT_ONLY, "NAME", 0, "only the groups of benchmarks whose name matches; a pattern", 0},
	{"arch", OPT_ARCH, "ARCH", 0, "only formats of arm64, x86-64, riscv64 or s390x", 0},
	{"page-size", OPT_PAGE_SIZE, "SIZE", 0, "only formats with pages of this size", 0},
	{"repeats", OPT_REPEATS, "N", 0, "samples of each figure and of each limit (default 51)", 0},
	{"quick", OPT_QUICK, NULL, 0, "11 samples, and no second attempt when they are far apart", 0},
	{"cpu", OPT_CPU, "N", 0, "measure on the N-th CPU that this process may use (default 0)", 0},
	{"strict", OPT_STRICT, NULL, 0, "exit with 1 when a target is missed", 0},
	{"json", OPT_JSON, NULL, 0, "JSON with quartiles, minima and maxima", 0},
	{"list", OPT_LIST, NULL, 0, "list the groups of benchmarks", 0},
	{0},
};

static uint64_t checked(struct argp_state *state, const char *option, const char *arg, struct parsed p)
{
	if (p.expected)
		argp_error(state, "%s %s: expected %s", option, arg, p.expected);
	return p.value;
}

static unsigned page_lg2(struct argp_state *state, const char *arg)
{
	uint64_t bytes = checked(state, "--page-size", arg, parse_size(arg));

	if (!bytes || (bytes & (bytes - 1)))
		argp_error(state, "--page-size %s: expected a power of two", arg);
	return (unsigned)__builtin_ctzll(bytes);
}

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;

	switch (key) {
	case OPT_ONLY:
		o->only = arg;
		return 0;
	case OPT_ARCH:
		o->arch = (int)checked(state, "--arch", arg, parse_arch(arg));
		return 0;
	case OPT_PAGE_SIZE:
		o->page_lg2 = page_lg2(state, arg);
		return 0;
	case OPT_REPEATS:
		o->plan.repeats = (unsigned)checked(state, "--repeats", arg, parse_count(arg, 1, 100000));
		return 0;
	case OPT_QUICK:
		o->plan = (struct measure_plan){11, 1};
		return 0;
	case OPT_CPU:
		o->cpu = (int)checked(state, "--cpu", arg, parse_count(arg, 0, 4095));
		return 0;
	case OPT_STRICT:
		o->strict = true;
		return 0;
	case OPT_JSON:
		o->json = true;
		return 0;
	case OPT_LIST:
		o->list = true;
		return 0;
	case ARGP_KEY_ARG:
		if (strcmp(arg, "checker") != 0)
			argp_error(state, "'%s': the only benchmark that is named so is checker", arg);
		o->checker = true;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const char doc[] =
	"Measure map, unmap, translate, GUP, faults and hot-add, each beside its limit: what the machine does when "
	"nothing but the memory accesses of the job is left, measured in the same run."
	"\vA ratio is figure / limit, for two threads how many times the rate of one. A verdict with a "
	"question mark is unreliable: the samples lie too far apart. Examples:\n"
	"  coppice bench --arch arm64 --page-size 4K\n"
	"  coppice bench --only translate --repeats 201 --json\n"
	"  coppice bench checker\n"
	"Exit status: 0; 1 a benchmark could not run, or with --strict a target was missed; 2 bad "
	"arguments; 3 this machine has not enough memory.";

static int list(void)
{
	struct out_table *t = out_table("group|what");

	for (size_t i = 0; i < SUITES; i++) {
		out_cell(t, "%s", suites[i].name);
		out_cell(t, "%s", suites[i].what);
	}
	out_cell(t, "checker");
	out_cell(t, "executions of the checker's engine per second, beside GenMC's; run by its name alone");
	out_table_print(t, stdout);
	return CLI_OK;
}

static bool format_wanted(const struct options *o, const struct bench_format *f)
{
	const struct cop_format *format = f->ops->format;

	return (o->arch < 0 || o->arch == format->arch) && (!o->page_lg2 || o->page_lg2 == format->page_lg2);
}

static bool suite_wanted(const struct options *o, const struct suite *s)
{
	return !o->only || !fnmatch(o->only, s->name, 0);
}

static size_t jobs(const struct options *o)
{
	size_t wanted_formats = 0, wanted_suites = 0;

	for (size_t i = 0; i < FORMATS; i++)
		wanted_formats += format_wanted(o, &formats[i]);
	for (size_t i = 0; i < SUITES; i++)
		wanted_suites += suite_wanted(o, &suites[i]);
	if (!wanted_formats)
		cli_fail(CLI_USAGE, "no format of this architecture and page size");
	if (!wanted_suites)
		cli_fail(CLI_USAGE, "no benchmarks match '%s'; --list shows their names", o->only);
	return wanted_formats * wanted_suites;
}

static void power_on(struct bench *b)
{
	const struct cop_host_config config = {.phys_bytes = PHYS_BYTES, .cpus = b->cpu[1] < 0 ? 1 : 2};
	int err = cop_host_init(&config);

	if (!err)
		err = cop_host_populate(0, POOL_BYTES);
	if (err)
		cli_fail(CLI_HOST, "no machine to measure on: error %d", err);
	/* After the port has started its threads: they would inherit it. */
	if (measure_pin(b->cpu[0]))
		cli_note("cannot stay on CPU %d: figures will vary", b->cpu[0]);
}

static void choose_format(struct bench *b, const struct bench_format *f)
{
	const struct cop_format *format = f->ops->format;
	unsigned lg2[POOL_SIZES];

	b->format = f;
	if (cop_geom_init(&b->geom, format->arch, format->page_lg2, 0))
		cli_fail(CLI_FINDING, "%s: no default geometry", format->name);
	b->geom.features |= f->hardware_bits;
	lg2[0] = format->table_lg2(&b->geom, 0);
	lg2[1] = format->table_lg2(&b->geom, 1);
	if (!pool_init(b->pool, 0, POOL_BYTES, lg2))
		cli_fail(CLI_HOST, "no memory for a list of frames");
}

/* Return: benchmarks that could not run. */
static unsigned run_suites(struct bench *b, const struct options *o, size_t total)
{
	struct out_progress progress = out_progress_begin("bench");
	unsigned failed = 0;
	size_t done = 0;

	for (size_t f = 0; f < FORMATS; f++) {
		if (!format_wanted(o, &formats[f]))
			continue;
		choose_format(b, &formats[f]);
		for (size_t i = 0; i < SUITES; i++) {
			if (!suite_wanted(o, &suites[i]))
				continue;
			failed += !suites[i].run(b);
			out_progress(&progress, (double)++done / (double)total);
		}
		pool_destroy(b->pool);
	}
	out_progress_end(&progress);
	return failed;
}

int cmd_bench(int argc, char **argv)
{
	static const struct argp argp = {option_list, parse_option, "[checker]", doc, NULL, NULL, NULL};
	struct options o = {.plan = {51, 3}, .arch = -1};
	struct pool pool;
	struct bench b = {.pool = &pool};
	size_t total, over;
	unsigned failed;

	cli_args(&argp, argc, argv, &o);
	if (o.list)
		return list();
	if (o.checker)
		return bench_checker(o.json) && o.strict ? CLI_FINDING : CLI_OK;
	total = jobs(&o);
	b.plan = o.plan;
	b.cpu[0] = measure_cpu((unsigned)o.cpu);
	b.cpu[1] = measure_cpu(o.cpu ? 0 : 1);
	if (b.cpu[0] < 0)
		cli_fail(CLI_USAGE, "--cpu %d: this process may use fewer", o.cpu);
	b.report = report_new();
	power_on(&b);
	failed = run_suites(&b, &o, total);
	cop_host_exit();
	if (o.json)
		report_print_json(b.report, &o.plan);
	else
		report_print_table(b.report);
	over = report_over(b.report);
	report_free(b.report);
	return failed || (o.strict && over) ? CLI_FINDING : CLI_OK;
}
