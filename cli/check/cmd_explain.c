// SPDX-License-Identifier: MIT
/* coppice explain: what a rule of the checker means. */
#include <argp.h>
#include <string.h>

#include "checker/rules.h"
#include "cli/check/stories.h"
#include "cli/cli.h"
#include "cli/out.h"

struct options {
	const char *rule;
	bool json;
};

static const struct argp_option option_list[] = {
	{"json", 'j', NULL, 0, "print JSON", 0},
	{0},
};

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;

	switch (key) {
	case 'j':
		o->json = true;
		return 0;
	case ARGP_KEY_ARG:
		if (o->rule)
			cli_fail(CLI_USAGE, "unexpected argument '%s'; expected one RULE", arg);
		o->rule = arg;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const char doc[] =
	"List the checker's rules, or explain one: what it means, what machines do where it is broken, "
	"where the manuals say it, lines that break it and lines that do not, and the stories that "
	"show it.\v"
	"Examples:\n"
	"  coppice explain\n"
	"  coppice explain break-before-make\n";

static cJSON *to_json(const struct checker_rule *r)
{
	cJSON *object = cJSON_CreateObject(), *manuals;

	cJSON_AddStringToObject(object, "rule", r->name);
	cJSON_AddStringToObject(object, "meaning", r->meaning);
	manuals = cJSON_AddObjectToObject(object, "manual");
	if (r->arm64)
		cJSON_AddStringToObject(manuals, "arm64", r->arm64);
	if (r->x86_64)
		cJSON_AddStringToObject(manuals, "x86-64", r->x86_64);
	if (r->riscv64)
		cJSON_AddStringToObject(manuals, "riscv64", r->riscv64);
	if (r->s390x)
		cJSON_AddStringToObject(manuals, "s390x", r->s390x);
	cJSON_AddStringToObject(object, "hardware", r->hardware);
	cJSON_AddStringToObject(object, "wrong", r->wrong);
	cJSON_AddStringToObject(object, "right", r->right);
	return object;
}

static int list_rules(bool json)
{
	struct out_table *t = out_table("rule|meaning");
	cJSON *list = cJSON_CreateArray();
	const struct checker_rule *r;

	for (size_t i = 0; (r = checker_rule_at(i)); i++) {
		out_cell(t, "%s", r->name);
		out_cell(t, "%s", r->meaning);
		cJSON_AddItemToArray(list, to_json(r));
	}
	if (json) {
		out_json_print(list, stdout);
		return CLI_OK;
	}
	cJSON_Delete(list);
	out_table_print(t, stdout);
	return CLI_OK;
}

struct shown {
	const char *story, *variant;
};

/* The next variant that breaks the rule, from the *n-th of all on; .story NULL: there are no more. */
static struct shown next_shown(const cJSON *stories, const char *rule, unsigned *n)
{
	const cJSON *story, *variant;
	unsigned i = 0;

	cJSON_ArrayForEach(story, stories)
	{
		const char *last = "";

		cJSON_ArrayForEach(variant, cJSON_GetObjectItem(story, "variants"))
		{
			const char *name = cJSON_GetStringValue(cJSON_GetObjectItem(variant, "variant"));
			const char *breaks = cJSON_GetStringValue(cJSON_GetObjectItem(variant, "rule"));

			/* A variant has a line for each architecture that sees it otherwise. */
			if (!name || !breaks || strcmp(breaks, rule) != 0 || !strcmp(last, name))
				continue;
			last = name;
			if (i++ < *n)
				continue;
			*n = i;
			return (struct shown){cJSON_GetStringValue(cJSON_GetObjectItem(story, "story")), name};
		}
	}
	return (struct shown){NULL, NULL};
}

static cJSON *find_shown(const char *rule)
{
	const struct story_programs programs = stories_look();
	cJSON *stories = stories_info(&programs), *list = cJSON_CreateArray();
	struct shown s;

	for (unsigned n = 0; s = next_shown(stories, rule, &n), s.story;) {
		cJSON *object = cJSON_CreateObject();

		cJSON_AddStringToObject(object, "story", s.story);
		cJSON_AddStringToObject(object, "variant", s.variant);
		cJSON_AddItemToArray(list, object);
	}
	cJSON_Delete(stories);
	return list;
}

/* Words in lines of at most this many characters. */
#define WIDTH 100

static void print_words(const char *text)
{
	while (*text) {
		size_t n = strlen(text);

		if (n > WIDTH) {
			n = WIDTH;
			while (text[n] != ' ')
				n--;
		}
		printf("  %.*s\n", (int)n, text);
		text += n + (text[n] == ' ');
	}
}

static void print_manual(const char *arch, const char *section)
{
	if (section)
		printf("  %-8s %s\n", arch, section);
}

static void print_manuals(const struct checker_rule *r)
{
	out_heading(stdout, "Manual");
	if (!r->arm64 && !r->x86_64 && !r->riscv64 && !r->s390x)
		puts("  a rule of programs, on every machine");
	print_manual("arm64", r->arm64);
	print_manual("x86-64", r->x86_64);
	print_manual("riscv64", r->riscv64);
	print_manual("s390x", r->s390x);
}

static void print_lines(const char *title, const char *lines)
{
	out_heading(stdout, title);
	while (*lines) {
		const size_t n = strcspn(lines, "\n");

		printf("  %.*s\n", (int)n, lines);
		lines += n + (lines[n] == '\n');
	}
}

static void print_shown(const cJSON *shown)
{
	const cJSON *s;

	out_heading(stdout, "Shown by");
	cJSON_ArrayForEach(s, shown)
	{
		printf("  coppice check %s --variant %s --trace\n",
		       cJSON_GetStringValue(cJSON_GetObjectItem(s, "story")),
		       cJSON_GetStringValue(cJSON_GetObjectItem(s, "variant")));
	}
	if (!cJSON_GetArraySize(shown))
		puts("  no story: the checker's own tests only (tests/checker)");
}

static void print_rule(const struct checker_rule *r, const cJSON *shown)
{
	printf("%s%s%s\n%s\n", out_style(stdout, OUT_BOLD), r->name, out_style(stdout, OUT_PLAIN), r->meaning);
	out_heading(stdout, "What happens");
	print_words(r->hardware);
	print_manuals(r);
	print_lines("Wrong", r->wrong);
	print_lines("Right", r->right);
	print_shown(shown);
}

static int explain(const struct checker_rule *r, bool json)
{
	cJSON *shown = find_shown(r->name), *object;

	if (!json) {
		print_rule(r, shown);
		cJSON_Delete(shown);
		return CLI_OK;
	}
	object = to_json(r);
	cJSON_AddItemToObject(object, "shown_by", shown);
	out_json_print(object, stdout);
	return CLI_OK;
}

int cmd_explain(int argc, char **argv)
{
	static const struct argp argp = {option_list, parse_option, "[RULE]", doc, NULL, NULL, NULL};
	const struct checker_rule *rule;
	struct options o = {0};

	cli_args(&argp, argc, argv, &o);
	if (!o.rule)
		return list_rules(o.json);
	rule = checker_rule(o.rule);
	if (!rule)
		cli_fail(CLI_USAGE, "no rule '%s'; expected one of those that `coppice explain` lists", o.rule);
	return explain(rule, o.json);
}
