/* SPDX-License-Identifier: MIT */
/* The tool's frame: subcommands, exit codes, and how it complains. */
#ifndef CLI_CLI_H
#define CLI_CLI_H

/* Documented in coppice(1); scripts depend on them. */
enum cli_exit {
	CLI_OK = 0,
	CLI_FINDING = 1,       /* it ran, and something is wrong: a leak, a wrong translation */
	CLI_USAGE = 2,         /* bad option or bad input: nothing ran */
	CLI_HOST = 3,          /* this machine has not enough of something */
	CLI_INTERRUPTED = 130, /* Ctrl-C; the summary covers what was done until then */
};

int cmd_run(int argc, char **argv);
int cmd_bench(int argc, char **argv);
int cmd_inspect(int argc, char **argv);
int cmd_maps(int argc, char **argv);
int cmd_explain(int argc, char **argv);
int cmd_check(int argc, char **argv);
int cmd_list(int argc, char **argv);
int cmd_replay(int argc, char **argv);

/* Name in messages: "coppice run". Set by main() before the subcommand starts. */
extern const char *cli_name;

/**
 * cli_fail() - one line on stderr, then exit
 * @code: enum cli_exit
 * @fmt: what, where, and what was expected; no newline
 */
__attribute__((noreturn, format(printf, 2, 3))) void cli_fail(int code, const char *fmt, ...);

struct argp;

/**
 * cli_args() - argp_parse(), but an option that does not exist or lacks its value is one line that says what was expected
 * @input: what the parser of @argp finds in state->input
 */
void cli_args(const struct argp *argp, int argc, char **argv, void *input);

/* One line on stderr that does not stop anything. */
__attribute__((format(printf, 1, 2))) void cli_note(const char *fmt, ...);

#endif
