// SPDX-License-Identifier: MIT
/* coppice list: the stories that `coppice check` runs. */
#include <argp.h>
#include <stdlib.h>
#include <string.h>

#include "cli/check/stories.h"
#include "cli/cli.h"
#include "cli/out.h"

static const struct argp_option option_list[] = {
	{"json", 'j', NULL, 0, "print JSON", 0},
	{0},
};

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
	switch (key) {
	case 'j':
		*(bool *)state->input = true;
		return 0;
	case ARGP_KEY_ARG:
		cli_fail(CLI_USAGE, "unexpected argument '%s'; expected none", arg);
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const char doc[] = "List the stories: what each is about, its variants, where it applies, and the thread it is "
			  "from.";

static const char *text_of(const cJSON *object, const char *name)
{
	const char *s = cJSON_GetStringValue(cJSON_GetObjectItem(object, name));

	return s ? s : "";
}

/* The names in a list, of a member if they are objects; one that comes again is printed once. */
static void print_names(const cJSON *list, const char *member)
{
	const cJSON *item;
	const char *last = NULL;

	cJSON_ArrayForEach(item, list)
	{
		const char *name = member ? text_of(item, member) : cJSON_GetStringValue(item);

		/* A variant has a line for each architecture that sees it otherwise. */
		if (!name || (last && !strcmp(last, name)))
			continue;
		printf("%s%s", last ? ", " : "", name);
		last = name;
	}
}

#define FORMATS 6

/* A table of all this would be wider than terminals are. */
static void print_story(const cJSON *story)
{
	const cJSON *archs = cJSON_GetObjectItem(story, "archs");

	printf("  %s%s%s  %s\n       variants: ", out_style(stdout, OUT_BOLD), text_of(story, "story"),
	       out_style(stdout, OUT_PLAIN), text_of(story, "title"));
	print_names(cJSON_GetObjectItem(story, "variants"), "variant");
	printf("\n       on ");
	if (cJSON_GetArraySize(archs) == FORMATS)
		printf("all architectures");
	else
		print_names(archs, NULL);
	printf("; from %s\n", text_of(story, "origin"));
}

int cmd_list(int argc, char **argv)
{
	static const struct argp argp = {option_list, parse_option, NULL, doc, NULL, NULL, NULL};
	struct story_programs programs;
	cJSON *stories;
	const cJSON *story;
	bool json = false;

	cli_args(&argp, argc, argv, &json);
	programs = stories_find();
	stories = stories_info(&programs);
	if (json) {
		out_json_print(stories, stdout);
		return CLI_OK;
	}
	cJSON_ArrayForEach(story, stories) print_story(story);
	cJSON_Delete(stories);
	return CLI_OK;
}
