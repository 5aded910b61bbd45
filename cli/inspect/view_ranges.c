// SPDX-License-Identifier: MIT
/* coppice inspect ranges: leaves that are alike, merged. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/inspect/inspect.h"
#include "cli/out.h"
#include "inspect/views/attrs.h"
#include "inspect/views/style.h"

enum { KEY_STYLE = 1024, KEY_FINE, KEY_FOLLOW };

static const struct argp_option options[] = {
	{"style", KEY_STYLE, "NAME", 0,
	 "as others print it: ptdump (arm64, x86-64), qemu-mem (x86-64, riscv64), qemu-tlb (x86-64)", 1},
	{"fine", KEY_FINE, NULL, 0, "tell young from old and dirty from clean leaves", 1},
	{"follow", KEY_FOLLOW, NULL, 0, "a range ends where its physical addresses jump; print them", 1},
	{0},
};

static const char doc[] =
	"Leaves that are alike and follow each other, merged: addresses, size, level, what is permitted.\v"
	"Attributes are what hardware makes of all levels together.\n"
	"\n"
	"Examples:\n"
	"  coppice inspect ranges vmcore\n"
	"  coppice inspect ranges --tree kernel --attr w,x vmcore\n"
	"  coppice inspect ranges --style ptdump --frames F.bin.xz --regs R.txt\n"
	"  coppice inspect ranges --follow --phys 1G+128M --json vmcore\n"
	"\n"
	"Exit status: 0; 2 bad option or input.\n";

struct own {
	const char *style;
	bool fine, follow;
};

struct printing {
	const struct insp_tree *tree;
	const char *region;
	bool json, follow, any;
};

static void parse(int key, char *arg, void *own)
{
	struct own *o = own;

	if (key == KEY_STYLE)
		o->style = arg;
	if (key == KEY_FINE)
		o->fine = true;
	if (key == KEY_FOLLOW)
		o->follow = true;
}

static uint64_t key_fine(const struct insp_run *run, uint32_t attrs)
{
	(void)run;
	return attrs;
}

static uint64_t key_coarse(const struct insp_run *run, uint32_t attrs)
{
	(void)run;
	return attrs & ~(uint32_t)(COP_YOUNG | COP_DIRTY | COP_SOFT_DIRTY);
}

static void print_text(struct printing *p, const struct insp_range *r)
{
	char attrs[INSP_ATTRS_TEXT];

	if (r->region && r->region != p->region)
		printf("---[ %s ]---\n", r->region);
	p->region = r->region;
	insp_attrs_text(attrs, sizeof(attrs), (uint32_t)r->key);
	printf("%016" PRIx64 "-%016" PRIx64, r->start, r->end - 1);
	if (p->follow)
		printf(" -> %012" PRIx64, r->pa);
	printf("  %7s  %s %s  %s\n", out_size(r->end - r->start).s,
	       p->tree->format->level_name(&p->tree->geom, r->level), out_size(COP_LG2(r->lg2)).s, attrs);
}

static void print_json(struct printing *p, const struct insp_range *r)
{
	const char *comma = "";

	printf("%s\n  {\"tree\": \"%s\", \"start\": \"0x%" PRIx64 "\", \"last\": \"0x%" PRIx64
	       "\", \"leaves\": %" PRIu64 ", \"level\": \"%s\", \"size\": %" PRIu64 ", \"attrs\": [",
	       p->any ? "," : "", p->tree->name, r->start, r->end - 1, r->leaves,
	       p->tree->format->level_name(&p->tree->geom, r->level), (uint64_t)COP_LG2(r->lg2));
	p->any = true;
	for (unsigned i = 0; i < insp_attr_count; i++) {
		if (((uint32_t)r->key & insp_attr_names[i].mask) != insp_attr_names[i].value)
			continue;
		printf("%s\"%s\"", comma, insp_attr_names[i].name);
		comma = ", ";
	}
	printf("]");
	if (p->follow)
		printf(", \"physical\": \"0x%" PRIx64 "\"", r->pa);
	if (r->region)
		printf(", \"region\": \"%s\"", r->region);
	printf("}");
}

static void print_range(void *context, const struct insp_range *r)
{
	struct printing *p = context;

	if (p->json)
		print_json(p, r);
	else
		print_text(p, r);
}

static void run_tree(struct inspect *in, const struct insp_tree *tree, const struct insp_ranges_spec *spec)
{
	struct insp_ranges *ranges = insp_ranges_begin(spec, tree, &in->filter);
	struct insp_pass pass;

	if (!ranges)
		cli_fail(CLI_HOST, "out of memory");
	pass = insp_ranges_pass(ranges);
	inspect_pass(in, 0, tree, &pass, ranges);
	insp_ranges_end(ranges);
}

static void run_style(struct inspect *in, const struct insp_tree *tree, const char *name)
{
	const struct insp_machine *m = &in->machine[0];
	struct insp_style_print print = {insp_style_find(name, tree->format->arch), tree, stdout};
	struct insp_ranges_spec spec;

	if (!print.style)
		cli_fail(CLI_USAGE,
			 "--style: '%s'; %s has none; expected ptdump (arm64, x86-64), qemu-mem (x86-64, riscv64), "
			 "qemu-tlb (x86-64)",
			 name, tree->format->arch_name);
	if (in->json)
		cli_fail(CLI_USAGE, "--json and --style say how to print; expected one of them");
	if (!print.style->all)
		in->filter.may_not |= COP_PROTNONE;
	spec = insp_style_spec(&print, m->regions, m->region_count);
	fputs(print.style->header ? print.style->header : "", stdout);
	run_tree(in, tree, &spec);
}

int inspect_ranges(int argc, char **argv)
{
	struct own own = {0};
	const struct inspect_spec spec = {
		.args = "[FILE]", .doc = doc, .options = options, .parse = parse, .own = &own, .inputs = 1};
	struct inspect in;
	struct printing p;

	inspect_args(&spec, argc, argv, &in);
	inspect_open(&in, 0);
	p = (struct printing){.json = in.json, .follow = own.follow};
	fputs(in.json && !own.style ? "[" : "", stdout);
	for (unsigned i = 0; i < in.machine[0].trees; i++) {
		const struct insp_tree *tree = &in.machine[0].tree[i];
		const struct insp_ranges_spec merge = {
			.regions = in.machine[0].regions,
			.region_count = in.machine[0].region_count,
			.key = own.fine ? key_fine : key_coarse,
			.by_level = true,
			.by_pa = own.follow,
			.range = print_range,
			.context = &p,
		};

		if (!inspect_wants(&in, tree))
			continue;
		p.tree = tree;
		if (own.style)
			run_style(&in, tree, own.style);
		else
			run_tree(&in, tree, &merge);
	}
	fputs(in.json && !own.style ? "\n]\n" : "", stdout);
	inspect_close(&in);
	return CLI_OK;
}
