// SPDX-License-Identifier: MIT
/* coppice inspect export: all mappings for other programs. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/inspect/inspect.h"
#include "inspect/views/attrs.h"
#include "inspect/views/ranges.h"

enum { KEY_FORMAT = 1024 };

static const struct argp_option options[] = {
	{"format", KEY_FORMAT, "NAME", 0, "csv (the default) or json", 1},
	{0},
};

static const char doc[] = "All mappings, for other programs: CSV or JSON, one row for leaves of one size and one "
			  "meaning whose virtual and "
			  "physical addresses follow each other.\v"
			  "Columns: tree, virtual and physical address, bytes, size of a leaf, level, attributes, the "
			  "first leaf's entry.\n"
			  "\n"
			  "Examples:\n"
			  "  coppice inspect export vmcore > mappings.csv\n"
			  "  coppice inspect export --format json --attr x vmcore | jq '.[].virtual'\n"
			  "\n"
			  "Exit status: 0; 2 bad option or input.\n";

struct printing {
	const struct insp_tree *tree;
	bool json, any;
};

static void parse(int key, char *arg, void *own)
{
	bool *json = own;

	(void)key;
	if (strcmp(arg, "csv") != 0 && strcmp(arg, "json") != 0)
		cli_fail(CLI_USAGE, "--format: '%s'; expected csv or json", arg);
	*json = !strcmp(arg, "json");
}

static uint64_t key(const struct insp_run *run, uint32_t attrs)
{
	(void)run;
	return attrs;
}

static void row(void *context, const struct insp_range *r)
{
	static const char csv[] = "%s,0x%" PRIx64 ",0x%" PRIx64 ",%" PRIu64 ",%" PRIu64 ",%s,%s,0x%" PRIx64 "\n";
	static const char json[] = "{\"tree\": \"%s\", \"virtual\": \"0x%" PRIx64 "\", \"physical\": \"0x%" PRIx64
				   "\", \"bytes\": %" PRIu64 ", \"size\": %" PRIu64
				   ", \"level\": \"%s\", \"attrs\": \"%s\", \"entry\": \"0x%" PRIx64 "\"}";
	struct printing *p = context;
	char attrs[INSP_ATTRS_TEXT];

	insp_attrs_text(attrs, sizeof(attrs), r->attrs);
	if (p->json)
		fputs(p->any ? ",\n  " : "\n  ", stdout);
	p->any = true;
	printf(p->json ? json : csv, p->tree->name, r->start, r->pa, r->end - r->start, (uint64_t)COP_LG2(r->lg2),
	       p->tree->format->level_name(&p->tree->geom, r->level), attrs, r->entry);
}

static void run_tree(struct inspect *in, struct printing *p)
{
	const struct insp_ranges_spec spec = {.key = key, .by_level = true, .by_pa = true, .range = row, .context = p};
	struct insp_ranges *ranges = insp_ranges_begin(&spec, p->tree, &in->filter);
	struct insp_pass pass;

	if (!ranges)
		cli_fail(CLI_HOST, "out of memory");
	pass = insp_ranges_pass(ranges);
	inspect_pass(in, 0, p->tree, &pass, ranges);
	insp_ranges_end(ranges);
}

int inspect_export(int argc, char **argv)
{
	struct printing p = {0};
	const struct inspect_spec spec = {
		.args = "[FILE]", .doc = doc, .options = options, .parse = parse, .own = &p.json, .inputs = 1};
	struct inspect in;

	inspect_args(&spec, argc, argv, &in);
	inspect_open(&in, 0);
	p.json |= in.json;
	fputs(p.json ? "[" : "tree,virtual,physical,bytes,size,level,attrs,entry\n", stdout);
	for (unsigned i = 0; i < in.machine[0].trees; i++) {
		p.tree = &in.machine[0].tree[i];
		if (inspect_wants(&in, p.tree))
			run_tree(&in, &p);
	}
	fputs(p.json ? "\n]\n" : "", stdout);
	inspect_close(&in);
	return CLI_OK;
}
