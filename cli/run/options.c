// SPDX-License-Identifier: MIT
#include <argp.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/out.h"
#include "cli/parse.h"
#include "cli/run/options.h"

#define MAX_CPUS 31 /* workers, or readers, or those of --gup */
#define ALL_CPUS 62 /* the port's 64 less RCU's own, and the one that changes the address space of --gup */

enum { KEY_ALTMAP = 256 };

static const struct argp_option option_list[] = {
	{NULL, 0, NULL, 0, "The machine:", 1},
	{"map", 'm', "FILE", 0,
	 "memory map: /proc/iomem text, device tree, kernel log, \"-\", or one of `coppice maps`", 1},
	{"arch", 'a', "NAME", 0, "arm64, x86-64, riscv64 or s390x", 1},
	{"page-size", 'p', "SIZE", 0, "4K; 16K and 64K on arm64", 1},
	{"levels", 'l', "N", 0, "levels of translation", 1},
	{"va-bits", 'v', "N", 0, "bits of virtual address instead of levels", 1},
	{"section-size", 's', "SIZE", 0, "size of a memory block", 1},
	{"limit", 'L', "SIZE", 0, "use no more memory than this; default 4G, or half of what is available", 1},
	{"boot", 'b', "SIZE", 0,
	 "boot memory at the start of the map; the blocks above it can be removed; default an eighth", 1},
	{"altmap", KEY_ALTMAP, NULL, 0, "place the memmap of added memory in that memory", 1},
	{NULL, 0, NULL, 0, "The work:", 2},
	{"rounds", 'r', "N", 0, "how often every block goes and comes, default 3; 0 only boots", 2},
	{"cpus", 'c', "N", 0, "CPUs that take blocks around; default all", 2},
	{"readers", 'R', "N", 0, "CPUs that walk and touch meanwhile; default as many as the machine has, up to 8", 2},
	{"gup", 'g', "N", 0,
	 "CPUs that get and pin pages of an address space meanwhile, and check each; one more changes, forks and grows "
	 "it; "
	 "default none",
	 2},
	{NULL, 0, NULL, 0, "The output:", 3},
	{"json", 'j', NULL, 0, "print JSON", 3},
	{0},
};

static const char doc[] =
	"Boot a machine's memory map and take all of its removable memory away and back, on all CPUs, under readers.\v"
	"Sizes are bytes or 64K, 128M, 4G. By default the map is this machine's /proc/iomem where it shows addresses "
	"(it does "
	"to root), else a bundled one, and the architecture is this machine's.\n"
	"\n"
	"Examples:\n"
	"  coppice run\n"
	"  coppice run --map cloud-24g.iomem --arch arm64 --page-size 64K --limit 4G\n"
	"  coppice run --map /sys/firmware/fdt --arch riscv64 --levels 4 --altmap\n"
	"  dmesg | coppice run --map - --arch x86-64 --levels 5 --rounds 10\n"
	"  coppice run --map s390x.iomem --arch s390x --gup 2\n"
	"  coppice run --rounds 0 --json | jq .layout\n"
	"\n"
	"Exit status: 0 all is accounted for, 1 something leaked or somebody saw something wrong, 2 bad option or map, "
	"3 this "
	"machine has not enough, 130 interrupted.\n";

static uint64_t need(const char *option, const char *arg, struct parsed parsed)
{
	if (parsed.expected)
		cli_fail(CLI_USAGE, "%s: '%s'; expected %s", option, arg, parsed.expected);
	return parsed.value;
}

static uint64_t need_size(const char *option, const char *arg)
{
	uint64_t bytes = need(option, arg, parse_size(arg));

	if (!bytes)
		cli_fail(CLI_USAGE, "%s: '%s'; expected more than nothing", option, arg);
	return bytes;
}

static unsigned need_count(const char *option, const char *arg, unsigned min, unsigned max)
{
	struct parsed parsed = parse_count(arg, min, max);

	if (parsed.expected)
		cli_fail(CLI_USAGE, "%s: '%s'; expected a number from %u to %u", option, arg, min, max);
	return (unsigned)parsed.value;
}

static unsigned need_page_size(const char *arg)
{
	uint64_t bytes = need_size("--page-size", arg);

	if (bytes & (bytes - 1) || bytes < 4096 || bytes > 65536)
		cli_fail(CLI_USAGE, "--page-size: '%s'; expected 4K, 16K or 64K", arg);
	return (unsigned)__builtin_ctzll(bytes);
}

static error_t parse_work(int key, char *arg, struct run_options *o)
{
	switch (key) {
	case 'r':
		o->rounds = need_count("--rounds", arg, 0, 1000000);
		return 0;
	case 'c':
		o->cpus = need_count("--cpus", arg, 1, MAX_CPUS);
		return 0;
	case 'R':
		o->readers = need_count("--readers", arg, 0, MAX_CPUS);
		return 0;
	case 'g':
		o->gup = need_count("--gup", arg, 0, MAX_CPUS);
		return 0;
	case 'j':
		o->json = true;
		return 0;
	case ARGP_KEY_ARG:
		cli_fail(CLI_USAGE, "unexpected argument '%s'; expected options only (--map %s?)", arg, arg);
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
	struct run_options *o = state->input;

	switch (key) {
	case 'm':
		o->map = arg;
		return 0;
	case 'a':
		o->arch = (enum cop_arch)need("--arch", arg, parse_arch(arg));
		return 0;
	case 'p':
		o->page_lg2 = need_page_size(arg);
		return 0;
	case 'l':
		o->levels = need_count("--levels", arg, 2, COP_MAX_LEVELS);
		return 0;
	case 'v':
		o->va_bits = need_count("--va-bits", arg, 30, 64);
		return 0;
	case 's':
		o->section = need_size("--section-size", arg);
		return 0;
	case 'L':
		o->limit = need_size("--limit", arg);
		return 0;
	case 'b':
		o->boot = need_size("--boot", arg);
		return 0;
	case KEY_ALTMAP:
		o->altmap = true;
		return 0;
	default:
		return parse_work(key, arg, o);
	}
}

static enum cop_arch native_arch(void)
{
#if defined(__aarch64__)
	return COP_ARM64;
#elif defined(__riscv)
	return COP_RISCV64;
#elif defined(__s390x__)
	return COP_S390X;
#else
	return COP_X86_64;
#endif
}

struct run_options options_parse(int argc, char **argv)
{
	static const struct argp argp = {option_list, parse_option, NULL, doc, NULL, NULL, NULL};
	long online = sysconf(_SC_NPROCESSORS_ONLN);
	const unsigned cpus = online < 1 ? 1 : online > MAX_CPUS ? MAX_CPUS : (unsigned)online;
	struct run_options o = {.arch = native_arch(), .rounds = 3, .cpus = cpus, .readers = cpus > 8 ? 8 : cpus};

	cli_args(&argp, argc, argv, &o);
	if (o.cpus + o.readers + o.gup > ALL_CPUS)
		cli_fail(CLI_USAGE, "--cpus, --readers and --gup: %u CPUs in all; expected at most %d",
			 o.cpus + o.readers + o.gup, ALL_CPUS);
	if (o.levels && o.va_bits)
		cli_fail(CLI_USAGE, "--levels and --va-bits say the same; expected one of them");
	return o;
}
