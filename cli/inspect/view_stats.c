// SPDX-License-Identifier: MIT
/* coppice inspect stats: what a tree is made of, and what larger leaves would save. */
#include <inttypes.h>
#include <stdio.h>

#include "cli/cli.h"
#include "cli/inspect/inspect.h"
#include "cli/out.h"
#include "inspect/views/stats.h"

static const char doc[] =
	"Tables of each level, memory in them, leaves by size, and what larger leaves would save.\v"
	"A table that is linked twice is counted twice. Attributes, sizes and physical addresses do not "
	"filter here.\n"
	"\n"
	"Examples:\n"
	"  coppice inspect stats vmcore\n"
	"  coppice inspect stats --tree kernel --json vmcore\n"
	"\n"
	"Exit status: 0; 2 bad option or input.\n";

static double percent(uint64_t part, uint64_t all)
{
	return all ? 100.0 * (double)part / (double)all : 0;
}

static void print_text(const struct insp_tree *tree, const struct insp_stats *s)
{
	struct out_table *t = out_table("level|>tables|>memory|>used|>full|>empty|>leaf|>leaves|>mapped|>in runs");
	const struct insp_reach reach = insp_stats_reach(tree, s);
	char title[64];

	(void)snprintf(title, sizeof(title), "%s%s%s", tree->name, *tree->name ? ", " : "", tree->format->name);
	out_heading(stdout, title);
	for (unsigned l = tree->geom.levels; l-- > 0;) {
		const struct insp_level_stats *v = &s->level[l];
		const unsigned shift = tree->format->shift(l);

		out_cell(t, "%s", tree->format->level_name(&tree->geom, l));
		out_cell(t, "%s", out_count(v->tables).s);
		out_cell(t, "%s", out_size(v->bytes).s);
		out_cell(t, "%.1f %%", percent(v->used, v->entries));
		out_cell(t, "%s", out_count(v->full).s);
		out_cell(t, "%s", out_count(v->empty).s);
		out_cell(t, "%s", tree->format->can_leaf(&tree->geom, l) ? out_size(COP_LG2(shift)).s : "-");
		out_cell(t, "%s", out_count(v->leaves).s);
		out_cell(t, "%s", out_size(v->leaves << shift).s);
		out_cell(t, "%s", out_count(v->cont).s);
	}
	out_table_print(t, stdout);
	printf("  %s mapped by %s leaves", out_size(s->mapped).s, out_count(s->leaves).s);
	if (s->protnone)
		printf(", %s of them not valid to hardware", out_count(s->protnone).s);
	if (s->swaps || s->markers || s->bad)
		printf("; %s swap entries, %s markers, %s reserved", out_count(s->swaps).s, out_count(s->markers).s,
		       out_count(s->bad).s);
	printf("\n  larger leaves would free %s of tables; a TLB would hold all of it in %s entries instead of %s\n",
	       out_size(insp_stats_spared(s)).s, out_count(reach.best).s, out_count(reach.now).s);
}

static cJSON *json_level(const struct insp_tree *tree, const struct insp_stats *s, unsigned l)
{
	const struct insp_level_stats *v = &s->level[l];
	cJSON *o = cJSON_CreateObject();

	cJSON_AddStringToObject(o, "level", tree->format->level_name(&tree->geom, l));
	out_json_count(o, "tables", v->tables);
	out_json_count(o, "bytes", v->bytes);
	out_json_count(o, "entries", v->entries);
	out_json_count(o, "used", v->used);
	out_json_count(o, "full", v->full);
	out_json_count(o, "empty", v->empty);
	out_json_count(o, "leaf_bytes", COP_LG2(tree->format->shift(l)));
	out_json_count(o, "leaves", v->leaves);
	out_json_count(o, "in_runs", v->cont);
	out_json_count(o, "could_be_in_runs", v->could_cont);
	out_json_count(o, "tables_that_could_be_leaves", v->could_leaf);
	return o;
}

static cJSON *json_tree(const struct insp_tree *tree, const struct insp_stats *s)
{
	const struct insp_reach reach = insp_stats_reach(tree, s);
	cJSON *o = cJSON_CreateObject(), *levels;

	cJSON_AddStringToObject(o, "tree", tree->name);
	cJSON_AddStringToObject(o, "format", tree->format->name);
	levels = cJSON_AddArrayToObject(o, "levels");
	for (unsigned l = tree->geom.levels; l-- > 0;)
		cJSON_AddItemToArray(levels, json_level(tree, s, l));
	out_json_count(o, "leaves", s->leaves);
	out_json_count(o, "protnone", s->protnone);
	out_json_count(o, "mapped", s->mapped);
	out_json_count(o, "swap_entries", s->swaps);
	out_json_count(o, "markers", s->markers);
	out_json_count(o, "reserved", s->bad);
	out_json_count(o, "spared_bytes", insp_stats_spared(s));
	out_json_count(o, "tlb_entries", reach.now);
	out_json_count(o, "tlb_entries_best", reach.best);
	out_json_count(o, "missing_tables", s->scanned.missing);
	return o;
}

int inspect_stats(int argc, char **argv)
{
	static const struct inspect_spec spec = {.args = "[FILE]", .doc = doc, .inputs = 1};
	struct insp_counting counting;
	struct inspect in;
	cJSON *list = cJSON_CreateArray();

	inspect_args(&spec, argc, argv, &in);
	inspect_open(&in, 0);
	for (unsigned i = 0; i < in.machine[0].trees; i++) {
		const struct insp_tree *tree = &in.machine[0].tree[i];

		if (!inspect_wants(&in, tree))
			continue;
		insp_counting_begin(&counting, tree);
		counting.stats.scanned = inspect_scan(&in, 0, tree, &insp_counting_visitor, &counting);
		if (in.json)
			cJSON_AddItemToArray(list, json_tree(tree, &counting.stats));
		else
			print_text(tree, &counting.stats);
	}
	if (in.json)
		out_json_print(list, stdout);
	else
		cJSON_Delete(list);
	inspect_close(&in);
	return CLI_OK;
}
