// SPDX-License-Identifier: MIT
/* coppice inspect lint: what is wrong or wasted in the trees. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/inspect/inspect.h"
#include "cli/maps/map.h"
#include "cli/out.h"
#include "cli/parse.h"
#include "inspect/lint.h"

enum { KEY_RULE = 1024, KEY_SEVERITY, KEY_LIST, KEY_MAP, KEY_LIMIT };

static const struct argp_option option_list[] = {
	{NULL, 0, NULL, 0, "What is looked for:", 1},
	{"rule", KEY_RULE, "NAME", 0, "this rule; may be repeated, or names joined by commas", 1},
	{"severity", KEY_SEVERITY, "NAME", 0, "findings of at least this severity: note, warning or error", 1},
	{"map", KEY_MAP, "FILE", 0,
	 "the machine's memory, as `coppice maps` reads it (/proc/iomem, a device tree, a kernel log, a bundled map); "
	 "without it only an input that holds all memory says where there is none",
	 1},
	{"limit", KEY_LIMIT, "N", 0, "print N findings of each rule and count the rest; 0: print all (default 20)", 1},
	{"list", KEY_LIST, NULL, 0, "list the rules and the manuals' sections, and look at nothing", 1},
	{0},
};

static const char doc[] = "What is wrong or wasted in page tables: each finding with its address, rule, severity and "
			  "the manual's section.\v"
			  "Severities: error (wrong), warning (wrong unless meant), note (waste, or done on purpose). "
			  "Neighbouring entries "
			  "with the same thing wrong are one finding.\n"
			  "\n"
			  "Examples:\n"
			  "  coppice inspect lint vmcore\n"
			  "  coppice inspect lint --severity error --json vmcore\n"
			  "  coppice inspect lint --rule wx-kernel,contiguous --frames F.bin.xz --regs R.txt\n"
			  "  coppice inspect lint --map iomem.txt vmcore\n"
			  "  coppice inspect lint --list\n"
			  "\n"
			  "Exit status: 0 no finding of severity error; 1 some; 2 bad option or input.\n";

struct own {
	uint32_t wanted;
	enum insp_severity least;
	bool list;
	const char *map;
	unsigned limit;
};

#define RULES 32

struct printing {
	const struct own *own;
	struct insp_finding *finding;
	size_t count, room;
	uint64_t shown[RULES], found[RULES];
	uint64_t by_severity[INSP_ERROR + 1];
};

static unsigned rule_index(const char *name, size_t length)
{
	for (unsigned i = 0; insp_rule(i); i++)
		if (strlen(insp_rule(i)->name) == length && !strncmp(insp_rule(i)->name, name, length))
			return i;
	cli_fail(CLI_USAGE, "--rule: '%.*s'; expected one of those that `coppice inspect lint --list` lists",
		 (int)(length < 64 ? length : 64), name);
}

static void parse_rules(struct own *own, const char *names)
{
	for (;; names++) {
		const size_t length = strcspn(names, ",");

		own->wanted |= 1U << rule_index(names, length);
		names += length;
		if (!*names)
			return;
	}
}

static enum insp_severity severity(const char *name)
{
	for (unsigned i = INSP_NOTE; i <= INSP_ERROR; i++)
		if (!strcmp(name, insp_severity_name((enum insp_severity)i)))
			return (enum insp_severity)i;
	cli_fail(CLI_USAGE, "--severity: '%s'; expected note, warning or error", name);
}

static void parse(int key, char *arg, void *to)
{
	struct own *own = to;
	struct parsed p;

	switch (key) {
	case KEY_RULE:
		parse_rules(own, arg);
		break;
	case KEY_SEVERITY:
		own->least = severity(arg);
		break;
	case KEY_LIST:
		own->list = true;
		break;
	case KEY_MAP:
		own->map = arg;
		break;
	default:
		p = parse_count(arg, 0, 1000000);
		if (p.expected)
			cli_fail(CLI_USAGE, "--limit: '%s'; expected %s", arg, p.expected);
		own->limit = (unsigned)p.value;
	}
}

/* Sections that are the same for several architectures are said once. */
static void list_rules(void)
{
	static const char *const arch[] = {"arm64", "x86-64", "riscv64", "s390x"};
	struct out_table *t = out_table("rule|severity|what|architecture|section");

	for (unsigned i = 0; insp_rule(i); i++) {
		const struct insp_rule *r = insp_rule(i);
		bool first = true;

		for (unsigned a = 0; a < 4; a++) {
			const bool all = a == 0 && r->section[0] && r->section[1] == r->section[0] &&
					 r->section[2] == r->section[0] && r->section[3] == r->section[0];

			if (!r->section[a])
				continue;
			out_cell(t, "%s", first ? r->name : "");
			out_cell(t, "%s", first ? insp_severity_name(r->severity) : "");
			out_cell(t, "%s", first ? r->what : "");
			out_cell(t, "%s", all ? "all" : arch[a]);
			out_cell(t, "%s", r->section[a]);
			first = false;
			if (all)
				break;
		}
	}
	out_table_print(t, stdout);
}

static void list_json(void)
{
	static const char *const arch[] = {"arm64", "x86-64", "riscv64", "s390x"};
	cJSON *list = cJSON_CreateArray();

	for (unsigned i = 0; insp_rule(i); i++) {
		const struct insp_rule *r = insp_rule(i);
		cJSON *item = cJSON_CreateObject(), *sections;

		cJSON_AddStringToObject(item, "rule", r->name);
		cJSON_AddStringToObject(item, "severity", insp_severity_name(r->severity));
		cJSON_AddStringToObject(item, "what", r->what);
		sections = cJSON_AddObjectToObject(item, "sections");
		for (unsigned a = 0; a < 4; a++)
			if (r->section[a])
				cJSON_AddStringToObject(sections, arch[a], r->section[a]);
		cJSON_AddItemToArray(list, item);
	}
	out_json_print(list, stdout);
}

static void add_row(struct out_table *t, const struct insp_finding *f)
{
	out_cell(t, "%s%s%s", f->severity == INSP_ERROR ? out_style(stdout, OUT_RED) : "",
		 insp_severity_name(f->severity), f->severity == INSP_ERROR ? out_style(stdout, OUT_PLAIN) : "");
	out_cell(t, "%s", f->rule->name);
	out_cell(t, "%016" PRIx64, f->va);
	out_cell(t, "%" PRIu64, f->entries);
	out_cell(t, "%s", f->bytes ? out_size(f->bytes).s : "-");
	if (f->pa == COP_PA_NONE)
		out_cell(t, "-");
	else
		out_cell(t, "%" PRIx64, f->pa);
	if (f->table == COP_PA_NONE)
		out_cell(t, "-");
	else
		out_cell(t, "%" PRIx64 "[%u]", f->table, f->index);
	out_cell(t, "%s", f->text);
	out_cell(t, "%s", f->section);
}

static void add_item(cJSON *list, const struct insp_finding *f)
{
	cJSON *item = cJSON_CreateObject();

	cJSON_AddStringToObject(item, "severity", insp_severity_name(f->severity));
	cJSON_AddStringToObject(item, "rule", f->rule->name);
	cJSON_AddStringToObject(item, "tree", f->tree->name);
	out_json_hex(item, "va", f->va);
	out_json_count(item, "bytes", f->bytes);
	if (f->pa != COP_PA_NONE)
		out_json_hex(item, "pa", f->pa);
	if (f->table != COP_PA_NONE) {
		out_json_hex(item, "table", f->table);
		out_json_count(item, "index", f->index);
		out_json_hex(item, "entry", f->entry);
	}
	out_json_count(item, "level", f->level);
	out_json_count(item, "entries", f->entries);
	cJSON_AddStringToObject(item, "text", f->text);
	cJSON_AddStringToObject(item, "section", f->section);
	cJSON_AddItemToArray(list, item);
}

static void keep_finding(void *context, const struct insp_finding *f)
{
	struct printing *p = context;
	unsigned i = 0;

	if (f->severity < p->own->least)
		return;
	while (insp_rule(i) != f->rule)
		i++;
	p->by_severity[f->severity]++;
	p->found[i]++;
	if (p->own->limit && p->shown[i] == p->own->limit)
		return;
	p->shown[i]++;
	if (p->count == p->room) {
		p->room = p->room ? 2 * p->room : 64;
		p->finding = realloc(p->finding, p->room * sizeof(*p->finding));
		if (!p->finding)
			cli_fail(CLI_HOST, "out of memory; --limit prints fewer");
	}
	p->finding[p->count++] = *f;
}

/* The worst first; then as the rules are listed, and by address. */
static int order(const void *a, const void *b)
{
	const struct insp_finding *x = a, *y = b;

	if (x->severity != y->severity)
		return x->severity < y->severity ? 1 : -1;
	if (x->rule != y->rule)
		return rule_index(x->rule->name, strlen(x->rule->name)) <
				       rule_index(y->rule->name, strlen(y->rule->name))
			       ? -1
			       : 1;
	if (x->tree != y->tree)
		return x->tree < y->tree ? -1 : 1;
	return (x->va > y->va) - (x->va < y->va);
}

static void add_extent(struct insp_extent *list, size_t *count, const struct map_range *r)
{
	if (*count && list[*count - 1].end == r->start)
		list[*count - 1].end = r->last + 1;
	else
		list[(*count)++] = (struct insp_extent){r->start, r->last + 1};
}

/* What the kernel manages, and that with what firmware keeps; devices are no memory. */
static void extents_of(const struct memory_map *map, struct insp_lint_options *options, struct insp_extent *memory,
		       struct insp_extent *known)
{
	for (size_t i = 0; i < map->count; i++) {
		const struct map_range *r = &map->ranges[i];
		const bool ram = r->kind == MAP_RAM || r->kind == MAP_RAM_RESERVED;

		if (ram)
			add_extent(memory, &options->memory_count, r);
		if (ram || r->kind == MAP_RESERVED)
			add_extent(known, &options->known_count, r);
	}
	options->memory = memory;
	options->known = known;
}

static void read_map(const char *path, struct insp_lint_options *options)
{
	struct map_read read;
	struct insp_extent *memory;

	if (!path)
		return;
	read = map_load(path);
	if (read.error[0])
		cli_fail(CLI_USAGE, "--map: %s", read.error);
	memory = calloc(2 * read.map.count + 1, sizeof(*memory));
	if (!memory)
		cli_fail(CLI_HOST, "out of memory");
	extents_of(&read.map, options, memory, memory + read.map.count);
	if (options->memory_count == 0)
		cli_fail(CLI_USAGE, "--map: %s has no memory", path);
	map_free(&read.map);
}

static void print_table(struct printing *p)
{
	const uint64_t *n = p->by_severity;

	struct out_table *t = out_table("severity|rule|virtual|>entries|>size|>physical|table|finding|section");

	for (size_t i = 0; i < p->count; i++)
		add_row(t, &p->finding[i]);
	if (p->count)
		out_table_print(t, stdout);
	for (unsigned i = 0; insp_rule(i); i++)
		if (p->found[i] > p->shown[i])
			printf("... and %s more of %s (--limit 0 prints all)\n", out_count(p->found[i] - p->shown[i]).s,
			       insp_rule(i)->name);
	printf("%s errors, %s warnings, %s notes\n", out_count(n[INSP_ERROR]).s, out_count(n[INSP_WARNING]).s,
	       out_count(n[INSP_NOTE]).s);
}

static void print_json(struct printing *p, const struct insp_linted *done)
{
	cJSON *root = cJSON_CreateObject(), *list, *more;

	out_json_count(root, "errors", p->by_severity[INSP_ERROR]);
	out_json_count(root, "warnings", p->by_severity[INSP_WARNING]);
	out_json_count(root, "notes", p->by_severity[INSP_NOTE]);
	out_json_count(root, "tables", done->scanned.tables);
	out_json_count(root, "missing_tables", done->scanned.missing);
	cJSON_AddBoolToObject(root, "incomplete", done->incomplete);
	list = cJSON_AddArrayToObject(root, "findings");
	for (size_t i = 0; i < p->count; i++)
		add_item(list, &p->finding[i]);
	more = cJSON_AddObjectToObject(root, "not_shown");
	for (unsigned i = 0; insp_rule(i); i++)
		if (p->found[i] > p->shown[i])
			out_json_count(more, insp_rule(i)->name, p->found[i] - p->shown[i]);
	out_json_print(root, stdout);
}

static int lint(struct inspect *in, const struct own *own)
{
	struct insp_lint_options options = {
		.wanted = own->wanted, .tree = in->tree, .start = in->filter.start, .last = in->filter.last};
	struct printing p = {.own = own};
	struct insp_linted done;

	read_map(own->map, &options);
	done = insp_lint(&in->machine[0], &options, keep_finding, &p);
	if (p.count)
		qsort(p.finding, p.count, sizeof(*p.finding), order);
	if (in->json)
		print_json(&p, &done);
	else
		print_table(&p);
	if (done.incomplete)
		cli_note("out of memory for bookkeeping; some rules saw only a part");
	free((void *)options.memory);
	free(p.finding);
	if (done.incomplete)
		return CLI_HOST;
	return p.by_severity[INSP_ERROR] ? CLI_FINDING : CLI_OK;
}

/* --list takes no input, which everything else does. */
static bool wants_list(int argc, char **argv, bool *json)
{
	bool list = false;

	*json = false;
	for (int i = 1; i < argc; i++) {
		list |= !strcmp(argv[i], "--list");
		*json |= !strcmp(argv[i], "--json") || !strcmp(argv[i], "-j");
	}
	return list;
}

int inspect_lint(int argc, char **argv)
{
	struct own own = {.limit = 20};
	const struct inspect_spec spec = {
		.args = "[FILE]", .doc = doc, .options = option_list, .parse = parse, .own = &own, .inputs = 1};
	struct inspect in;
	bool json;
	int code;

	if (wants_list(argc, argv, &json)) {
		if (json)
			list_json();
		else
			list_rules();
		return CLI_OK;
	}
	inspect_args(&spec, argc, argv, &in);
	inspect_open(&in, 0);
	code = lint(&in, &own);
	inspect_close(&in);
	return code;
}
