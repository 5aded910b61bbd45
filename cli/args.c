// SPDX-License-Identifier: MIT
#include <argp.h>
#include <string.h>

#include "cli/cli.h"

/* Takes every option for good; notes how far argp came when it takes one for bad. */
static error_t look(int key, char *arg, struct argp_state *state)
{
	(void)arg;
	if (key == ARGP_KEY_ERROR)
		*(int *)state->input = state->next;
	return 0;
}

/* The option that a word, "--name", the start of one, "--name=value" or "-n...", means; NULL: none, or more than one. */
static const struct argp_option *meant(const struct argp *argp, const char *word)
{
	const size_t bytes = strcspn(word, "=");
	const struct argp_option *found = NULL;

	for (const struct argp_option *o = argp->options; o->name || o->key || o->doc; o++) {
		if (!o->name)
			continue;
		if (word[1] != '-' ? word[1] != o->key : bytes < 3 || strncmp(o->name, word + 2, bytes - 2) != 0)
			continue;
		if (found)
			return NULL;
		found = o;
	}
	return found;
}

__attribute__((noreturn)) static void complain(const struct argp *argp, const char *word)
{
	const struct argp_option *option = meant(argp, word);

	if (option && option->arg && !strchr(word, '='))
		cli_fail(CLI_USAGE, "--%s: no value; expected %s", option->name, option->arg);
	if (option && !option->arg && strchr(word, '='))
		cli_fail(CLI_USAGE, "--%s: '%s'; expected no value", option->name, strchr(word, '=') + 1);
	cli_fail(CLI_USAGE, "unrecognized option '%s'; expected one of those that `%s --help` lists", word, cli_name);
}

void cli_args(const struct argp *argp, int argc, char **argv, void *input)
{
	const struct argp check = {.options = argp->options, .parser = look};
	int next = argc;

	/* A rehearsal without effects: argp's own complaints take two lines. It permutes the words, hence argv again. */
	if (argp_parse(&check, argc, argv, ARGP_NO_ERRS, NULL, &next)) {
		/* Inside a cluster of short options argp still stands before it. */
		if (next < argc && argv[next][0] == '-' && argv[next][1] && argv[next][1] != '-' && argv[next][2])
			next++;
		complain(argp, argv[next > 1 ? next - 1 : 1]);
	}
	argp_parse(argp, argc, argv, 0, NULL, input);
}
