// SPDX-License-Identifier: MIT
/* coppice explain: what a rule of the checker means. */
#include <argp.h>
#include <string.h>

#include "checker/rules.h"
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

static const char doc[] = "List the checker's rules, or explain one: what it means, where the manuals say it, and an "
			  "example that breaks it.\v"
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
	cJSON_AddStringToObject(object, "example", r->example);
	return object;
}

static int list_rules(bool json)
{
	struct out_table *t = out_table("rule|meaning");
	cJSON *list = cJSON_CreateArray();

	for (size_t i = 0; i < checker_rule_count; i++) {
		out_cell(t, "%s", checker_rules[i].name);
		out_cell(t, "%s", checker_rules[i].meaning);
		cJSON_AddItemToArray(list, to_json(&checker_rules[i]));
	}
	if (json) {
		out_json_print(list, stdout);
		return CLI_OK;
	}
	cJSON_Delete(list);
	out_table_print(t, stdout);
	return CLI_OK;
}

static void print_manual(const char *arch, const char *section)
{
	if (section)
		printf("  %-8s %s\n", arch, section);
}

static void print_example(const char *example)
{
	while (*example) {
		const size_t n = strcspn(example, "\n");

		printf("  %.*s\n", (int)n, example);
		example += n + (example[n] == '\n');
	}
}

static void print_rule(const struct checker_rule *r)
{
	printf("%s%s%s\n%s\n", out_style(stdout, OUT_BOLD), r->name, out_style(stdout, OUT_PLAIN), r->meaning);
	out_heading(stdout, "Manual");
	print_manual("arm64", r->arm64);
	print_manual("x86-64", r->x86_64);
	print_manual("riscv64", r->riscv64);
	print_manual("s390x", r->s390x);
	out_heading(stdout, "Example");
	print_example(r->example);
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
	if (o.json)
		out_json_print(to_json(rule), stdout);
	else
		print_rule(rule);
	return CLI_OK;
}
