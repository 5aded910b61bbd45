// SPDX-License-Identifier: MIT
/* coppice inspect walk: one address, level by level. */
#include <inttypes.h>
#include <stdio.h>

#include "cli/cli.h"
#include "cli/inspect/inspect.h"
#include "cli/out.h"
#include "inspect/views/attrs.h"
#include "inspect/views/walk.h"

static const char doc[] =
	"One virtual address, level by level: every entry on the way with each of its fields named, where it "
	"leads, or why it faults.\v"
	"Examples:\n"
	"  coppice inspect walk ffff800008000000 vmcore\n"
	"  coppice inspect walk 0x400000 --tree user --json --frames F.bin.xz --regs R.txt\n"
	"\n"
	"Exit status: 0 mapped, 1 an access would fault, 2 bad option or input.\n";

static const char *kind_name(unsigned kind)
{
	static const char *const names[] = {"empty", "table", "leaf", "swap entry", "marker", "reserved encoding"};

	return kind < sizeof(names) / sizeof(*names) ? names[kind] : "?";
}

static void print_fields(const struct insp_tree *tree, const struct insp_step *s)
{
	struct out_table *t = out_table("bits|field|>value|manual");
	const struct cop_field *fields;
	unsigned count;

	fields = tree->format->fields(&tree->geom, s->entry, s->level, &count);
	for (unsigned i = 0; i < count; i++) {
		const struct cop_field *f = &fields[i];
		const uint64_t value = s->entry >> f->shift & (f->width == 64 ? ~0ULL : COP_LG2(f->width) - 1);

		if (f->width == 1)
			out_cell(t, "%u", f->shift);
		else
			out_cell(t, "%u:%u", f->shift + f->width - 1U, f->shift);
		out_cell(t, "%s", f->name);
		out_cell(t, value > 9 ? "%#" PRIx64 : "%" PRIx64, value);
		out_cell(t, "%s", f->section);
	}
	out_table_print(t, stdout);
}

static void print_end(const struct insp_walk *w, cop_va va)
{
	char attrs[INSP_ATTRS_TEXT];

	insp_attrs_text(attrs, sizeof(attrs), w->attrs);
	if (w->end == INSP_WALK_MAPPED)
		printf("%#" PRIx64 " -> %#" PRIx64 "  (%s leaf: %s)\n", va, w->pa, out_size(COP_LG2(w->lg2)).s, attrs);
	else if (w->end == INSP_WALK_PROTNONE)
		printf("%#" PRIx64 " faults: %s; it would be %#" PRIx64 " (%s)\n", va, insp_walk_why(w->end), w->pa,
		       attrs);
	else
		printf("%#" PRIx64 " faults: %s\n", va, insp_walk_why(w->end));
}

static void print_text(const struct insp_tree *tree, const struct insp_walk *w, cop_va va)
{
	if (*tree->name)
		printf("tree %s, ", tree->name);
	printf("root %#" PRIx64 "\n", tree->root);
	for (unsigned i = 0; i < w->steps; i++) {
		const struct insp_step *s = &w->step[i];

		printf("%s %#" PRIx64 "[%u] = 0x%016" PRIx64 "  %s\n", tree->format->level_name(&tree->geom, s->level),
		       s->table, s->index, s->entry, kind_name(s->kind));
		print_fields(tree, s);
	}
	print_end(w, va);
}

static cJSON *json_step(const struct insp_tree *tree, const struct insp_step *s)
{
	cJSON *o = cJSON_CreateObject(), *list;
	const struct cop_field *fields;
	unsigned count;

	cJSON_AddStringToObject(o, "level", tree->format->level_name(&tree->geom, s->level));
	out_json_hex(o, "table", s->table);
	out_json_count(o, "index", s->index);
	out_json_hex(o, "entry", s->entry);
	cJSON_AddStringToObject(o, "kind", kind_name(s->kind));
	list = cJSON_AddArrayToObject(o, "fields");
	fields = tree->format->fields(&tree->geom, s->entry, s->level, &count);
	for (unsigned i = 0; i < count; i++) {
		const struct cop_field *f = &fields[i];
		cJSON *field = cJSON_CreateObject();

		cJSON_AddStringToObject(field, "name", f->name);
		out_json_count(field, "shift", f->shift);
		out_json_count(field, "width", f->width);
		out_json_hex(field, "value", s->entry >> f->shift & (f->width == 64 ? ~0ULL : COP_LG2(f->width) - 1));
		cJSON_AddStringToObject(field, "section", f->section);
		cJSON_AddItemToArray(list, field);
	}
	return o;
}

static cJSON *json_walk(const struct insp_tree *tree, const struct insp_walk *w, cop_va va)
{
	cJSON *o = cJSON_CreateObject(), *steps;
	char attrs[INSP_ATTRS_TEXT];

	cJSON_AddStringToObject(o, "tree", tree->name);
	out_json_hex(o, "virtual", va);
	steps = cJSON_AddArrayToObject(o, "steps");
	for (unsigned i = 0; i < w->steps; i++)
		cJSON_AddItemToArray(steps, json_step(tree, &w->step[i]));
	cJSON_AddBoolToObject(o, "mapped", w->end == INSP_WALK_MAPPED);
	cJSON_AddStringToObject(o, "why", insp_walk_why(w->end));
	if (w->end != INSP_WALK_MAPPED && w->end != INSP_WALK_PROTNONE)
		return o;
	insp_attrs_text(attrs, sizeof(attrs), w->attrs);
	out_json_hex(o, "physical", w->pa);
	out_json_count(o, "size", COP_LG2(w->lg2));
	cJSON_AddStringToObject(o, "attrs", attrs);
	return o;
}

/* Of several trees, those whose half has the address. */
static bool looks(const struct inspect *in, const struct insp_walk *w)
{
	return in->tree || in->machine[0].trees == 1 || w->end != INSP_WALK_OUTSIDE;
}

int inspect_walk(int argc, char **argv)
{
	static const struct inspect_spec spec = {.args = "VA [FILE]", .doc = doc, .words = 1, .inputs = 1};
	struct inspect in;
	cJSON *list = cJSON_CreateArray();
	bool shown = false, mapped = false;
	cop_va va;

	inspect_args(&spec, argc, argv, &in);
	va = inspect_address("VA", in.word[0]);
	inspect_open(&in, 0);
	for (unsigned i = 0; i < in.machine[0].trees; i++) {
		const struct insp_tree *tree = &in.machine[0].tree[i];
		const struct insp_walk w = insp_walk(in.machine[0].memory, tree, va);

		if (!inspect_wants(&in, tree) || !looks(&in, &w))
			continue;
		shown = true;
		mapped |= w.end == INSP_WALK_MAPPED;
		if (in.json)
			cJSON_AddItemToArray(list, json_walk(tree, &w, va));
		else
			print_text(tree, &w, va);
	}
	if (!shown && !in.json)
		printf("%#" PRIx64 " faults: %s\n", va, insp_walk_why(INSP_WALK_OUTSIDE));
	if (in.json)
		out_json_print(list, stdout);
	else
		cJSON_Delete(list);
	inspect_close(&in);
	return mapped ? CLI_OK : CLI_FINDING;
}
