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

/* The names in a list, of a member if they are objects, separated by blanks. */
static void join(char *out, size_t bytes, const cJSON *list, const char *member)
{
	const cJSON *item;
	size_t n = 0;

	out[0] = 0;
	cJSON_ArrayForEach(item, list)
	{
		const char *s = member ? text_of(item, member) : cJSON_GetStringValue(item);
		char seen[80];

		/* A variant appears once for each expectation. */
		snprintf(seen, sizeof(seen), "%s", s ? s : "");
		if (n && strstr(out, seen) && member)
			continue;
		n += (size_t)snprintf(out + n, bytes - n, "%s%s", n ? " " : "", seen);
		if (n >= bytes)
			return;
	}
}

static void print_table(const cJSON *stories)
{
	struct out_table *t = out_table("story|title|variants|architectures|origin");
	const cJSON *story;
	char list[512];

	cJSON_ArrayForEach(story, stories)
	{
		out_cell(t, "%s", text_of(story, "story"));
		out_cell(t, "%s", text_of(story, "title"));
		join(list, sizeof(list), cJSON_GetObjectItem(story, "variants"), "variant");
		out_cell(t, "%s", list);
		join(list, sizeof(list), cJSON_GetObjectItem(story, "archs"), NULL);
		out_cell(t, "%s", list);
		out_cell(t, "%s", text_of(story, "origin"));
	}
	out_table_print(t, stdout);
}

int cmd_list(int argc, char **argv)
{
	static const struct argp argp = {option_list, parse_option, NULL, doc, NULL, NULL, NULL};
	struct story_programs programs;
	cJSON *stories;
	bool json = false;

	cli_args(&argp, argc, argv, &json);
	programs = stories_find();
	stories = stories_info(&programs);
	if (json) {
		out_json_print(stories, stdout);
		return CLI_OK;
	}
	print_table(stories);
	cJSON_Delete(stories);
	return CLI_OK;
}
