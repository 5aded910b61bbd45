// SPDX-License-Identifier: MIT
#include <argp.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/out.h"

struct command {
	const char *name;
	int (*run)(int, char **);
	const char *what;
};

static int cmd_version(int argc, char **argv);
static int cmd_help(int argc, char **argv);

static const struct command commands[] = {
	{"run", cmd_run, "boot a machine's memory map and hot-remove, hot-add all of it under readers"},
#ifdef COPPICE_HAVE_BENCH
	{"bench", cmd_bench, "measure map, unmap, translate and hot-add beside their limits"},
#endif
	{"check", cmd_check, "run the stories in every interleaving and with every TLB, fixed and broken"},
	{"replay", cmd_replay, "run one failing execution of a story again, from its string"},
	{"list", cmd_list, "list the stories"},
	{"explain", cmd_explain,
	 "say what a rule of the checker means, where the manuals say it, and how it is broken"},
	{"inspect", cmd_inspect, "look at the page tables of a running or crashed machine"},
	{"maps", cmd_maps, "list the bundled memory maps, or show what is read from one"},
	{"version", cmd_version, "print the version"},
	{"help", cmd_help, "print this, or a command's help"},
};

static void usage(FILE *to)
{
	fprintf(to, "Usage: coppice COMMAND [OPTION...]\n"
		    "\n"
		    "Page tables that live and die: hot-add and hot-remove of real memory maps.\n"
		    "\n"
		    "Commands:\n");
	for (size_t i = 0; i < sizeof(commands) / sizeof(*commands); i++)
		fprintf(to, "  %-9s %s\n", commands[i].name, commands[i].what);
	fprintf(to, "\n"
		    "Try:\n"
		    "  coppice run                                  this machine's map, or a bundled one\n"
		    "  coppice run --arch arm64 --page-size 64K --map cloud-24g.iomem\n"
		    "  coppice COMMAND --help                       options, with examples\n");
}

static const struct command *find(const char *name)
{
	for (size_t i = 0; i < sizeof(commands) / sizeof(*commands); i++)
		if (!strcmp(commands[i].name, name))
			return &commands[i];
	return NULL;
}

static int run_command(const struct command *command, int argc, char **argv)
{
	char name[64];

	snprintf(name, sizeof(name), "coppice %s", command->name);
	cli_name = argv[0] = name;
	return command->run(argc, argv);
}

static int cmd_version(int argc, char **argv)
{
	if (argc > 1)
		cli_fail(CLI_USAGE, "unexpected argument '%s'; expected none", argv[1]);
	puts("coppice " COPPICE_VERSION);
	return CLI_OK;
}

static int cmd_help(int argc, char **argv)
{
	static char help[] = "--help";
	const struct command *command;

	if (argc < 2 || !strcmp(argv[1], "help")) {
		usage(stdout);
		return CLI_OK;
	}
	command = find(argv[1]);
	if (!command)
		cli_fail(CLI_USAGE, "no command '%s'; expected one of those that `coppice help` lists", argv[1]);
	if (command->run == cmd_version) {
		printf("Usage: coppice version\n\n%s\n", command->what);
		return CLI_OK;
	}
	return run_command(command, 2, (char *[]){argv[0], help, NULL});
}

static int dispatch(int argc, char **argv)
{
	const struct command *command;

	argp_err_exit_status = CLI_USAGE;
	if (argc < 2) {
		usage(stderr);
		return CLI_USAGE;
	}
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h")) {
		usage(stdout);
		return CLI_OK;
	}
	if (!strcmp(argv[1], "--version") || !strcmp(argv[1], "-V"))
		return cmd_version(1, argv);
	command = find(argv[1]);
	if (!command)
		cli_fail(CLI_USAGE, "no command '%s'; expected one of those that `coppice help` lists", argv[1]);
	return run_command(command, argc - 1, argv + 1);
}

int main(int argc, char **argv)
{
	int code;

	out_json_init();
	code = dispatch(argc, argv);

	/* A full disk must not look like a good result. */
	if (!fflush(stdout) && !ferror(stdout))
		return code;
	cli_note("standard output: %s; expected room for all of it", strerror(errno));
	return code ? code : CLI_HOST;
}
