// SPDX-License-Identifier: MIT
/* coppice inspect leaves: one line for every leaf. */
#include <stdio.h>
#include <stdlib.h>

#include "cli/cli.h"
#include "cli/inspect/inspect.h"
#include "cli/out.h"
#include "inspect/views/line.h"

#define BUFFER (1U << 20)

static const char doc[] =
	"One line for every valid leaf, in address order of each tree: virtual address, physical address, size, entry; "
	"all hexadecimal.\v"
	"Leaves that hardware does not take for valid though the kernel calls them present are left out, unless --attr "
	"asks for protnone.\n"
	"\n"
	"Examples:\n"
	"  coppice inspect leaves vmcore\n"
	"  coppice inspect leaves --frames F.bin.xz --regs R.txt --arch arm64\n"
	"  coppice inspect leaves --attr w,x --range ffff800000000000+128M vmcore\n"
	"\n"
	"Exit status: 0; 2 bad option or input.\n";

struct printing {
	char *buffer, *at;
	const struct insp_tree *tree;
	bool json, any;
};

static void flush(struct printing *p)
{
	fwrite(p->buffer, 1, (size_t)(p->at - p->buffer), stdout);
	p->at = p->buffer;
}

static void put(struct printing *p, const char *text)
{
	while (*text)
		*p->at++ = *text++;
}

static void put_json(struct printing *p, const struct insp_run *run, unsigned i)
{
	const uint64_t bytes = COP_LG2(run->lg2);

	put(p, p->any ? ",\n  {\"tree\": \"" : "\n  {\"tree\": \"");
	put(p, p->tree->name);
	put(p, "\", \"virtual\": \"");
	p->any = true;
	p->at = insp_hex(p->at, run->va + i * bytes);
	put(p, "\", \"physical\": \"");
	p->at = insp_hex(p->at, run->pa + i * bytes);
	put(p, "\", \"size\": \"");
	p->at = insp_hex(p->at, bytes);
	put(p, "\", \"entry\": \"");
	p->at = insp_hex(p->at, run->entry + i * run->step);
	put(p, "\"}");
}

static void leaves(void *context, const struct insp_run *run, uint32_t attrs)
{
	struct printing *p = context;

	(void)attrs;
	for (unsigned i = 0; i < run->count; i++) {
		if (p->at > p->buffer + BUFFER - 256)
			flush(p);
		if (p->json)
			put_json(p, run, i);
		else
			p->at = insp_leaf_line(p->at, run, i);
	}
}

static void on_tree(void *context, const struct insp_tree *tree)
{
	((struct printing *)context)->tree = tree;
}

int inspect_leaves(int argc, char **argv)
{
	static const struct inspect_spec spec = {.args = "[FILE]", .doc = doc, .inputs = 1};
	struct inspect in;
	struct printing p;
	struct insp_pass pass = {.leaves = leaves};

	inspect_args(&spec, argc, argv, &in);
	inspect_open(&in, 0);
	p = (struct printing){.buffer = malloc(BUFFER), .json = in.json};
	if (!p.buffer)
		cli_fail(CLI_HOST, "out of memory");
	p.at = p.buffer;
	pass.filter = in.filter;
	if (!(pass.filter.must & COP_PROTNONE))
		pass.filter.may_not |= COP_PROTNONE;
	put(&p, in.json ? "[" : "");
	inspect_pass_all(&in, 0, &pass, on_tree, &p);
	put(&p, in.json ? "\n]\n" : "");
	flush(&p);
	free(p.buffer);
	inspect_close(&in);
	return CLI_OK;
}
