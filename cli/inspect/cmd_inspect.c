// SPDX-License-Identifier: MIT
/* coppice inspect: the page tables of a running or crashed machine. */
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/inspect/inspect.h"

static const struct view {
	const char *name;
	int (*run)(int, char **);
	const char *what;
} views[] = {
	{"info", inspect_info, "what the input is, its trees, and where that was found"},
	{"ranges", inspect_ranges, "leaves that are alike, merged; as the kernel's ptdump or QEMU print them, too"},
	{"walk", inspect_walk, "one address, level by level, every field of every entry named"},
	{"who", inspect_who, "every mapping of a physical address, or of a stretch of them"},
	{"stats", inspect_stats, "tables, memory in them, leaves, and what larger leaves would save"},
	{"leaves", inspect_leaves, "one line for every leaf: virtual, physical, size, entry"},
	{"export", inspect_export, "all mappings as CSV or JSON"},
	{"lint", inspect_lint, "what is wrong or wasted, with rule, address and the manual's section"},
	{"diff", inspect_diff, "what appeared, vanished and changed between two inputs"},
	{"map", inspect_map, "a picture of the address space and of how full the tables are"},
};

static void usage(FILE *to)
{
	fprintf(to, "Usage: coppice inspect VIEW [OPTION...] [FILE]\n"
		    "\n"
		    "Look at the page tables of a running or crashed machine: arm64, x86-64, riscv64, s390x.\n"
		    "\n"
		    "Views:\n");
	for (size_t i = 0; i < sizeof(views) / sizeof(*views); i++)
		fprintf(to, "  %-13s  %s\n", views[i].name, views[i].what);
	fprintf(to, "\n"
		    "FILE is a dump (ELF core, dump-guest-memory, kdump), /proc/kcore, or a socket of a live QEMU.\n"
		    "\n"
		    "Try:\n"
		    "  coppice inspect info vmcore                          what it is, and its trees\n"
		    "  coppice inspect ranges --attr w,x vmcore             what is writable and executable\n"
		    "  coppice inspect walk ffff800008000000 vmcore         where an address leads, or why it faults\n"
		    "  coppice inspect who 1G+128M vmcore                   what still maps a memory block\n"
		    "  coppice inspect leaves --frames F.bin.xz --regs R.txt --arch arm64\n"
		    "  coppice inspect VIEW --help                          options, with examples\n");
}

int cmd_inspect(int argc, char **argv)
{
	static char name[64];

	if (argc < 2) {
		usage(stderr);
		return CLI_USAGE;
	}
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") || !strcmp(argv[1], "help")) {
		usage(stdout);
		return CLI_OK;
	}
	for (size_t i = 0; i < sizeof(views) / sizeof(*views); i++) {
		if (strcmp(views[i].name, argv[1]) != 0)
			continue;
		snprintf(name, sizeof(name), "%s %s", cli_name, views[i].name);
		cli_name = argv[1] = name;
		return views[i].run(argc - 1, argv + 1);
	}
	cli_fail(CLI_USAGE, "no view '%s'; expected one of those that `coppice inspect --help` lists", argv[1]);
}
