// SPDX-License-Identifier: MIT
/* coppice inspect who: every mapping of a frame. */
#include <inttypes.h>
#include <stdio.h>

#include "cli/cli.h"
#include "cli/inspect/inspect.h"
#include "cli/out.h"
#include "inspect/views/attrs.h"

static const char doc[] =
	"Every mapping of a physical address, or of a stretch of them, in all trees; and whether it is a table.\v"
	"Examples:\n"
	"  coppice inspect who 41a00000 vmcore\n"
	"  coppice inspect who 1G+128M --attr w vmcore        writable mappings of a memory block\n"
	"\n"
	"Exit status: 0 mapped or a table, 1 neither, 2 bad option or input.\n";

struct search {
	const struct insp_tree *tree;
	struct inspect_span span;
	uint64_t mappings, tables;
	cJSON *maps, *links; /* NULL: text */
};

static void found(void *context, const struct insp_run *run, uint32_t attrs)
{
	struct search *s = context;
	const uint64_t bytes = (uint64_t)run->count << run->lg2;
	const char *level = s->tree->format->level_name(&s->tree->geom, run->level);
	char text[INSP_ATTRS_TEXT];
	cJSON *o;

	s->mappings++;
	insp_attrs_text(text, sizeof(text), attrs);
	if (!s->maps) {
		printf("%s%s%016" PRIx64 "-%016" PRIx64 " -> %012" PRIx64 "  %s %s  %s\n", s->tree->name,
		       *s->tree->name ? " " : "", run->va, run->va + bytes - 1, run->pa, level,
		       out_size(COP_LG2(run->lg2)).s, text);
		return;
	}
	o = cJSON_CreateObject();
	cJSON_AddStringToObject(o, "tree", s->tree->name);
	out_json_hex(o, "virtual", run->va);
	out_json_hex(o, "physical", run->pa);
	out_json_count(o, "bytes", bytes);
	out_json_count(o, "size", COP_LG2(run->lg2));
	cJSON_AddStringToObject(o, "level", level);
	out_json_hex(o, "entry", run->entry);
	cJSON_AddStringToObject(o, "attrs", text);
	cJSON_AddItemToArray(s->maps, o);
}

static bool table(void *context, const struct insp_table *t)
{
	struct search *s = context;
	const char *level = s->tree->format->level_name(&s->tree->geom, t->level);
	cJSON *o;

	if (t->pa > s->span.last || t->pa + t->entries * 8UL - 1 < s->span.start)
		return true;
	s->tables++;
	if (!s->links) {
		printf("%s%stable of %ss at %#" PRIx64 ", for %016" PRIx64 "...\n", s->tree->name,
		       *s->tree->name ? " " : "", level, t->pa, t->va);
		return true;
	}
	o = cJSON_CreateObject();
	cJSON_AddStringToObject(o, "tree", s->tree->name);
	out_json_hex(o, "table", t->pa);
	cJSON_AddStringToObject(o, "level", level);
	out_json_hex(o, "virtual", t->va);
	cJSON_AddItemToArray(s->links, o);
	return true;
}

static void on_tree(void *context, const struct insp_tree *tree)
{
	((struct search *)context)->tree = tree;
}

static void print_sum(const struct search *s, const char *what)
{
	if (!s->mappings && !s->tables)
		printf("%s: nothing maps it, and it is no table\n", what);
	else if (s->mappings > 1)
		printf("%s mappings\n", out_count(s->mappings).s);
}

int inspect_who(int argc, char **argv)
{
	static const struct inspect_spec spec = {.args = "PA [FILE]", .doc = doc, .words = 1, .inputs = 1};
	static const struct insp_visitor also = {.enter = table};
	struct insp_pass pass = {.leaves = found, .also = &also};
	struct search s = {0};
	struct inspect in;
	cJSON *root = cJSON_CreateObject();

	inspect_args(&spec, argc, argv, &in);
	s.span = inspect_span("PA", in.word[0]);
	inspect_open(&in, 0);
	if (in.json) {
		s.maps = cJSON_AddArrayToObject(root, "mappings");
		s.links = cJSON_AddArrayToObject(root, "tables");
	}
	pass.filter = in.filter;
	pass.filter.pa_start = s.span.start;
	pass.filter.pa_last = s.span.last;
	inspect_pass_all(&in, 0, &pass, on_tree, &s);
	if (in.json) {
		out_json_print(root, stdout);
	} else {
		print_sum(&s, in.word[0]);
		cJSON_Delete(root);
	}
	inspect_close(&in);
	return s.mappings || s.tables ? CLI_OK : CLI_FINDING;
}
