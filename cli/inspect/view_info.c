// SPDX-License-Identifier: MIT
/* coppice inspect info: what the input is, and how that was found out. */
#include <inttypes.h>
#include <stdio.h>

#include "cli/cli.h"
#include "cli/inspect/inspect.h"
#include "cli/out.h"

static const char doc[] = "What an input is: its trees and their geometry, and where that was found.\v"
			  "Examples:\n"
			  "  coppice inspect info vmcore\n"
			  "  coppice inspect info --frames F.bin.xz --regs R.txt --arch riscv64\n";

static void print_trees(const struct insp_machine *m)
{
	struct out_table *t = out_table("tree|format|>levels|>VA bits|>PA bits|root");

	for (unsigned i = 0; i < m->trees; i++) {
		const struct insp_tree *tree = &m->tree[i];

		out_cell(t, "%s", *tree->name ? tree->name : "-");
		out_cell(t, "%s", tree->format->name);
		out_cell(t, "%u", tree->geom.levels);
		out_cell(t, "%u", tree->geom.va_bits);
		out_cell(t, "%u", tree->geom.pa_bits);
		out_cell(t, "%#" PRIx64, tree->root);
	}
	out_table_print(t, stdout);
}

static uint64_t bytes_of(const struct insp_memory *memory)
{
	uint64_t bytes = 0;

	for (size_t i = 0; i < memory->extent_count; i++)
		bytes += memory->extents[i].end - memory->extents[i].start;
	return bytes;
}

static void print_json(const struct insp_machine *m)
{
	cJSON *root = cJSON_CreateObject(), *trees;

	cJSON_AddStringToObject(root, "kind", m->memory->kind);
	out_json_count(root, "bytes", bytes_of(m->memory));
	cJSON_AddStringToObject(root, "release", m->kernel.release);
	trees = cJSON_AddArrayToObject(root, "trees");
	for (unsigned i = 0; i < m->trees; i++) {
		const struct insp_tree *tree = &m->tree[i];
		cJSON *item = cJSON_CreateObject();

		cJSON_AddStringToObject(item, "name", tree->name);
		cJSON_AddStringToObject(item, "format", tree->format->name);
		out_json_count(item, "levels", tree->geom.levels);
		out_json_count(item, "va_bits", tree->geom.va_bits);
		out_json_count(item, "pa_bits", tree->geom.pa_bits);
		out_json_hex(item, "root", tree->root);
		cJSON_AddItemToArray(trees, item);
	}
	cJSON_AddStringToObject(root, "found", m->found ? m->found : "");
	out_json_print(root, stdout);
}

int inspect_info(int argc, char **argv)
{
	static const struct inspect_spec spec = {.args = "[FILE]", .doc = doc, .inputs = 1};
	struct inspect in;

	inspect_args(&spec, argc, argv, &in);
	in.verbose = false;
	inspect_open(&in, 0);
	if (in.json) {
		print_json(&in.machine[0]);
	} else {
		printf("%s: %s, %s of memory%s%s\n", in.source[0].path, in.machine[0].memory->kind,
		       out_size(bytes_of(in.machine[0].memory)).s, in.machine[0].kernel.release[0] ? ", Linux " : "",
		       in.machine[0].kernel.release);
		print_trees(&in.machine[0]);
		printf("%s", in.machine[0].found ? in.machine[0].found : "");
	}
	inspect_close(&in);
	return CLI_OK;
}
