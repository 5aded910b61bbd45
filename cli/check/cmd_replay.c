// SPDX-License-Identifier: MIT
/* coppice replay: one execution of a story again, from the string that `coppice check` printed. */
#include <argp.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "checker/schedule.h"
#include "cli/check/own.h"
#include "cli/check/stories.h"
#include "cli/cli.h"

struct options {
	char *schedule, *chrome;
	const char *source, *patch; /* of a story that is not shipped; a change to the library */
	bool json;
};

static const struct argp_option option_list[] = {
	{"json", 'j', NULL, 0, "print JSON", 0},
	{"trace-out", 'o', "FILE", 0, "also write trace events for Chrome's tracing or Perfetto to FILE", 0},
	{"patch", 'p', "FILE", 0, "the change to the library that it was with", 0},
	{0},
};

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;

	switch (key) {
	case 'j':
		o->json = true;
		return 0;
	case 'o':
		o->chrome = arg;
		return 0;
	case 'p':
		o->patch = arg;
		return 0;
	case ARGP_KEY_ARG:
		if (o->source || (o->schedule && !own_is_file(arg)))
			cli_fail(CLI_USAGE, "unexpected argument '%s'; expected one STRING, and the file of its story",
				 arg);
		if (o->schedule)
			o->source = arg;
		else
			o->schedule = arg;
		return 0;
	case ARGP_KEY_END:
		if (!o->schedule)
			cli_fail(CLI_USAGE, "no STRING; expected one that `coppice check` printed");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const char doc[] =
	"Run exactly one execution of a story, and print what happened in it. STRING is what `coppice check` prints "
	"with "
	"each failure; it is good for the sources of story, library and checker that it came from.\v"
	"Exit status 1 if it fails as it did, 0 if it fails no longer, 2 if the string is not for these sources.\n";

/* A string may hold anything; what is shown of it is short. */
static struct schedule_name name_of(const char *text)
{
	struct schedule_string s = schedule_parse(text);

	if (s.error)
		cli_fail(CLI_USAGE, "'%.40s%s': %s; expected a string that `coppice check` printed", text,
			 strlen(text) > 40 ? "..." : "", s.error);
	schedule_free(&s.schedule);
	return s.name;
}

static const struct story_program *program_for(const struct story_programs *all, const struct schedule_name *name)
{
	for (size_t i = 0; i < all->count; i++) {
		if (!strcmp(all->at[i].story, name->story) && !strcmp(all->at[i].variant, name->variant))
			return &all->at[i];
	}
	cli_fail(CLI_USAGE,
		 "no story '%s' with variant '%s'; expected one of those that `coppice list` lists, or the file of a "
		 "story of your own after the string",
		 name->story, name->variant);
}

static struct story_programs find_programs(const struct options *o, const struct schedule_name *name)
{
	struct story_programs programs;
	char *source;

	if (o->source)
		return own_compile(o->source, o->patch);
	if (!o->patch)
		return stories_find();
	source = own_shipped(name->story);
	if (!source)
		cli_fail(CLI_USAGE, "no story '%s'; expected one of those that `coppice list` lists", name->story);
	programs = own_compile(source, o->patch);
	free(source);
	return programs;
}

int cmd_replay(int argc, char **argv)
{
	static const struct argp argp = {option_list, parse_option, "STRING [FILE.c]", doc, NULL, NULL, NULL};
	const struct story_program *program;
	struct story_programs programs;
	struct schedule_name name;
	struct options o = {0};

	cli_args(&argp, argc, argv, &o);
	name = name_of(o.schedule);
	programs = find_programs(&o, &name);
	program = program_for(&programs, &name);
	fflush(NULL);
	stories_replay(program, o.schedule, o.json, o.chrome);
	cli_fail(CLI_HOST, "%s: %s", program->path, strerror(errno));
}
