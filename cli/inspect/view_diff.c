// SPDX-License-Identifier: MIT
/* coppice inspect diff: two moments of a machine. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/inspect/inspect.h"
#include "cli/out.h"
#include "inspect/diff.h"
#include "inspect/views/attrs.h"

enum { KEY_ACCESSED = 1024 };

static const struct argp_option option_list[] = {
	{NULL, 0, NULL, 0, "What is compared:", 1},
	{"accessed", KEY_ACCESSED, NULL, 0, "young, dirty and soft-dirty too, which change all the time", 1},
	{0},
};

static const char doc[] =
	"What appeared, vanished and changed between two moments of a machine: leaves, merged, and tables.\v"
	"Options that describe an input may be given twice, for the first and for the second; once, where both are "
	"alike.\n"
	"\n"
	"Examples:\n"
	"  coppice inspect diff before.vmcore after.vmcore\n"
	"  coppice inspect diff --frames A.bin.xz --regs A.txt --frames B.bin.xz --regs B.txt\n"
	"  coppice inspect diff --json before.vmcore after.vmcore\n"
	"\n"
	"Exit status: 0 no difference; 1 some; 2 bad option or input.\n";

struct own {
	bool accessed;
};

/* Leaves of one size that appeared or vanished. */
struct tally {
	uint64_t entries, bytes;
};

struct printing {
	struct inspect *in;
	struct out_table *leaves, *tables;
	cJSON *leaf_list, *table_list;
	struct tally by_size[3][64];
	uint64_t leaf_rows, table_rows, tables_of[3], empty, table_bytes;
	uint64_t same, missing;
	bool cut;
};

static const char *const what_names[] = {"appeared", "vanished", "changed"};

static const char *region_of(const struct inspect *in, cop_va va)
{
	const struct insp_machine *m = &in->machine[1];

	for (size_t i = 0; i < m->region_count; i++)
		if (va >= m->regions[i].start && va <= m->regions[i].last)
			return m->regions[i].name;
	return NULL;
}

static const char *kind_name(unsigned kind)
{
	return kind == COP_LEAF ? "leaf" : kind == COP_SWAP ? "swap" : kind == COP_MARKER ? "marker" : "reserved";
}

static void put_side(struct out_table *t, const struct insp_side *s)
{
	char text[INSP_ATTRS_TEXT];

	if (s->entries == 0 && s->lg2 == 0) {
		out_cell(t, "-");
		return;
	}
	if (s->kind != COP_LEAF) {
		out_cell(t, "%s", kind_name(s->kind));
		return;
	}
	insp_attrs_text(text, sizeof(text), s->attrs);
	out_cell(t, "%" PRIx64 "%s %s", s->pa, s->linear ? "" : "..", text);
}

static void how_text(char *text, size_t room, const struct insp_change *c)
{
	static const char *const names[] = {"moved", "attributes", "split", "joined", "kind", "accessed"};
	int n = snprintf(text, room, "%s", c->how ? "" : what_names[c->what]);

	for (unsigned i = 0; i < 6; i++)
		if (c->how >> i & 1)
			n += snprintf(text + n, room - (size_t)n, "%s%s", n ? ", " : "", names[i]);
}

static void add_row(struct printing *p, const struct insp_change *c)
{
	const struct insp_side *counted = c->what == INSP_VANISHED ? &c->before : &c->after;
	const char *region = region_of(p->in, c->va);
	char how[80];

	if (!p->leaves)
		p->leaves = out_table("leaves|virtual|>size|>entries|>of|before|after|region");
	how_text(how, sizeof(how), c);
	out_cell(p->leaves, "%s", how);
	out_cell(p->leaves, "%016" PRIx64, c->va);
	out_cell(p->leaves, "%s", out_size(c->bytes).s);
	out_cell(p->leaves, "%s", out_count(counted->entries).s);
	out_cell(p->leaves, "%s", out_size(COP_LG2(counted->lg2)).s);
	put_side(p->leaves, &c->before);
	put_side(p->leaves, &c->after);
	out_cell(p->leaves, "%s", region ? region : "-");
}

static void add_side_item(cJSON *item, const char *name, const struct insp_side *s)
{
	char text[INSP_ATTRS_TEXT];
	cJSON *side;

	if (s->entries == 0 && s->lg2 == 0)
		return;
	side = cJSON_AddObjectToObject(item, name);
	cJSON_AddStringToObject(side, "kind", kind_name(s->kind));
	out_json_count(side, "entries", s->entries);
	out_json_count(side, "leaf_bytes", COP_LG2(s->lg2));
	if (s->kind != COP_LEAF)
		return;
	insp_attrs_text(text, sizeof(text), s->attrs);
	out_json_hex(side, "physical", s->pa);
	cJSON_AddBoolToObject(side, "linear", s->linear);
	cJSON_AddStringToObject(side, "attributes", text);
}

static void add_item(struct printing *p, const struct insp_change *c)
{
	const char *region = region_of(p->in, c->va);
	cJSON *item = cJSON_CreateObject();
	char how[80];

	how_text(how, sizeof(how), c);
	cJSON_AddStringToObject(item, "what", what_names[c->what]);
	cJSON_AddStringToObject(item, "how", how);
	cJSON_AddStringToObject(item, "tree", c->tree->name);
	out_json_hex(item, "virtual", c->va);
	out_json_count(item, "bytes", c->bytes);
	if (region)
		cJSON_AddStringToObject(item, "region", region);
	add_side_item(item, "before", &c->before);
	add_side_item(item, "after", &c->after);
	cJSON_AddItemToArray(p->leaf_list, item);
}

static void change(void *context, const struct insp_change *c)
{
	struct printing *p = context;
	const struct insp_side *counted = c->what == INSP_VANISHED ? &c->before : &c->after;

	p->leaf_rows++;
	if (counted->kind == COP_LEAF) {
		p->by_size[c->what][counted->lg2].entries += counted->entries;
		p->by_size[c->what][counted->lg2].bytes += c->bytes;
	}
	if (p->leaf_list)
		add_item(p, c);
	else
		add_row(p, c);
}

static void table_change(void *context, const struct insp_table_change *c)
{
	struct printing *p = context;
	const unsigned bytes = 1U << c->tree->format->table_lg2(&c->tree->geom, c->level);
	cJSON *item;

	p->table_rows++;
	p->tables_of[c->what] += c->tables;
	if (c->what == INSP_APPEARED)
		p->empty += c->empty;
	if (p->leaf_list) {
		item = cJSON_CreateObject();
		cJSON_AddStringToObject(item, "what", what_names[c->what]);
		cJSON_AddStringToObject(item, "tree", c->tree->name);
		out_json_hex(item, "virtual", c->va);
		out_json_count(item, "level", c->level);
		out_json_count(item, "tables", c->tables);
		out_json_count(item, "empty", c->empty);
		out_json_hex(item, "physical", c->pa);
		cJSON_AddItemToArray(p->table_list, item);
		return;
	}
	if (!p->tables)
		p->tables = out_table("tables|virtual|>level|>count|>memory|>empty|physical");
	out_cell(p->tables, "%s", what_names[c->what]);
	out_cell(p->tables, "%016" PRIx64, c->va);
	out_cell(p->tables, "%u", c->level);
	out_cell(p->tables, "%s", out_count(c->tables).s);
	out_cell(p->tables, "%s", out_size(c->tables * bytes).s);
	out_cell(p->tables, "%s", out_count(c->empty).s);
	out_cell(p->tables, "%" PRIx64 "%s", c->pa, c->tables > 1 ? ".." : "");
}

static const struct insp_tree *counterpart(const struct insp_machine *m, const struct insp_tree *tree)
{
	for (unsigned i = 0; i < m->trees; i++)
		if (!strcmp(m->tree[i].name, tree->name))
			return &m->tree[i];
	return NULL;
}

/* Trees of one name are one tree, at two moments. */
static void compare(struct inspect *in, const struct own *own, struct printing *p)
{
	const struct insp_diff_spec spec = {.start = in->filter.start,
					    .last = in->filter.last,
					    .accessed = own->accessed,
					    .regions = in->machine[1].regions,
					    .region_count = in->machine[1].region_count,
					    .change = change,
					    .table = table_change};
	unsigned compared = 0;

	for (unsigned i = 0; i < in->machine[0].trees; i++) {
		const struct insp_tree *a = &in->machine[0].tree[i], *b = counterpart(&in->machine[1], a);
		struct insp_differed done;
		int err;

		if (!b || !inspect_wants(in, a))
			continue;
		compared++;
		err = insp_diff(in->machine[0].memory, a, in->machine[1].memory, b, &spec, p, &done);
		if (err == -COP_EINVAL)
			cli_fail(CLI_USAGE, "%s is %s with %u levels, %s is %s with %u; expected trees of one shape",
				 in->source[0].path, a->format->name, a->geom.levels, in->source[1].path,
				 b->format->name, b->geom.levels);
		if (err)
			cli_fail(CLI_HOST, "out of memory");
		p->same += done.same;
		p->missing += done.missing;
		p->cut |= done.cut;
	}
	if (compared == 0)
		cli_fail(CLI_USAGE, "no tree is in both inputs; expected trees of one name");
}

static void print_tally(const struct printing *p, enum insp_what what)
{
	bool any = false;

	for (unsigned lg2 = 0; lg2 < 64; lg2++) {
		const struct tally *t = &p->by_size[what][lg2];

		if (t->bytes == 0)
			continue;
		printf("%s %s entries of %s (%s)", any ? "," : what_names[what], out_count(t->entries).s,
		       out_size(COP_LG2(lg2)).s, out_size(t->bytes).s);
		any = true;
	}
	if (any)
		printf("\n");
}

static bool nothing_left(const struct printing *p)
{
	for (unsigned lg2 = 0; lg2 < 64; lg2++)
		if (p->by_size[INSP_APPEARED][lg2].bytes)
			return false;
	return p->tables_of[INSP_APPEARED] == 0;
}

static void print_tables(struct printing *p)
{
	if (p->leaves)
		out_table_print(p->leaves, stdout);
	if (p->tables)
		out_table_print(p->tables, stdout);
	for (unsigned i = INSP_APPEARED; i <= INSP_CHANGED; i++)
		print_tally(p, (enum insp_what)i);
	if (p->table_rows)
		printf("tables: %s appeared (%s of them empty), %s vanished, %s elsewhere\n",
		       out_count(p->tables_of[INSP_APPEARED]).s, out_count(p->empty).s,
		       out_count(p->tables_of[INSP_VANISHED]).s, out_count(p->tables_of[INSP_CHANGED]).s);
	if (p->leaf_rows + p->table_rows == 0)
		printf("no difference: %s mapped alike, and no leaf or table left behind\n", out_size(p->same).s);
	else
		printf("%s mapped alike%s\n", out_size(p->same).s,
		       nothing_left(p) ? "; no leaf or table left behind" : "");
}

static void tally_json(cJSON *root, const struct printing *p)
{
	for (unsigned i = INSP_APPEARED; i <= INSP_CHANGED; i++) {
		cJSON *list = cJSON_AddArrayToObject(root, what_names[i]);

		for (unsigned lg2 = 0; lg2 < 64; lg2++) {
			cJSON *item;

			if (p->by_size[i][lg2].bytes == 0)
				continue;
			item = cJSON_CreateObject();
			out_json_count(item, "leaf_bytes", COP_LG2(lg2));
			out_json_count(item, "entries", p->by_size[i][lg2].entries);
			out_json_count(item, "bytes", p->by_size[i][lg2].bytes);
			cJSON_AddItemToArray(list, item);
		}
	}
}

static void print_json(struct printing *p)
{
	cJSON *root = cJSON_CreateObject();

	tally_json(root, p);
	out_json_count(root, "same_bytes", p->same);
	out_json_count(root, "tables_appeared", p->tables_of[INSP_APPEARED]);
	out_json_count(root, "tables_vanished", p->tables_of[INSP_VANISHED]);
	out_json_count(root, "tables_elsewhere", p->tables_of[INSP_CHANGED]);
	out_json_count(root, "tables_left_empty", p->empty);
	out_json_count(root, "tables_missing", p->missing);
	cJSON_AddBoolToObject(root, "cut", p->cut);
	cJSON_AddItemToObject(root, "leaves", p->leaf_list);
	cJSON_AddItemToObject(root, "tables", p->table_list);
	out_json_print(root, stdout);
}

static void parse(int key, char *arg, void *to)
{
	struct own *own = to;

	(void)arg;
	if (key == KEY_ACCESSED)
		own->accessed = true;
}

int inspect_diff(int argc, char **argv)
{
	static struct own own;
	static const struct inspect_spec spec = {
		.args = "[BEFORE AFTER]", .doc = doc, .options = option_list, .parse = parse, .own = &own, .inputs = 2};
	struct inspect in;
	struct printing p = {.in = &in};

	inspect_args(&spec, argc, argv, &in);
	inspect_open(&in, 0);
	inspect_open(&in, 1);
	if (in.json) {
		p.leaf_list = cJSON_CreateArray();
		p.table_list = cJSON_CreateArray();
	}
	compare(&in, &own, &p);
	if (in.json)
		print_json(&p);
	else
		print_tables(&p);
	if (p.missing)
		cli_note("%s tables are not in one of the inputs; what they map was not compared",
			 out_count(p.missing).s);
	if (p.cut)
		cli_note("tables are linked so often that the comparison was cut short");
	inspect_close(&in);
	return p.leaf_rows + p.table_rows ? CLI_FINDING : CLI_OK;
}
