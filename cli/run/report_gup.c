// SPDX-License-Identifier: MIT
#include <inttypes.h>

#include "cli/run/report.h"

struct column {
	const char *heading, *json;
	size_t offset;
};

#define COLUMN(heading, field)                                                                                         \
	{                                                                                                              \
		heading, #field, offsetof(struct gup_count, field)                                                     \
	}

static const struct column columns[] = {
	COLUMN("calls", calls),     COLUMN("locked", locked),     COLUMN("pages", pages),
	COLUMN("pinned", pinned),   COLUMN("longterm", longterm), COLUMN("partial", partial),
	COLUMN("refused", refused), COLUMN("seen again", again),  COLUMN("wrong", wrong),
};
#define COLUMNS (sizeof(columns) / sizeof(columns[0]))

static uint64_t value_of(const struct gup_count *count, const struct column *column)
{
	return *(const uint64_t *)((const char *)count + column->offset);
}

static void report_threads(const struct gup_result *r, const struct run_options *o, FILE *to)
{
	struct out_table *t =
		out_table("cpu|>calls|>locked|>pages|>pinned|>longterm|>partial|>refused|>seen again|>wrong");

	for (unsigned i = 0; i < r->threads; i++) {
		out_cell(t, "%u", o->cpus + o->readers + i);
		for (unsigned c = 0; c < COLUMNS; c++)
			out_cell(t, "%s", out_count(value_of(&r->thread[i], &columns[c])).s);
	}
	out_table_print(t, to);
}

static void report_events(const struct gup_result *r, FILE *to)
{
	unsigned used = 0;

	fprintf(to, "  meanwhile:");
	for (unsigned i = 0; i < GUP_EVENTS; i++) {
		if (used && used % 6 == 0)
			fprintf(to, "\n            ");
		fprintf(to, " %s %s%s", out_count(r->events[i]).s, gup_event_names[i], i + 1 < GUP_EVENTS ? "," : "\n");
		used++;
	}
	fprintf(to, "  %u levels", r->levels);
	if (r->levels_last > r->levels)
		fprintf(to, ", which grew to %u", r->levels_last);
	fprintf(to, "; leaf tables from %s\n", r->fragments ? "the fragment allocator" : "whole frames");
}

void report_gup(const struct gup_result *r, const struct run_options *o, FILE *to)
{
	const uint64_t left = r->frames_left + r->pins_left + r->fragments_left;

	out_heading(to, "GUP");
	report_threads(r, o, to);
	report_events(r, to);
	fprintf(to, "  left behind: %s%s frames with %s references, %s pins%s\n",
		out_style(to, left ? OUT_RED : OUT_GREEN), out_count(r->frames_left).s, out_count(r->references_left).s,
		out_count(r->pins_left).s, out_style(to, OUT_PLAIN));
	if (r->fragments_left)
		fprintf(to, "  %sand tables%s in %s allocators of fragments\n", out_style(to, OUT_RED),
			out_style(to, OUT_PLAIN), out_count(r->fragments_left).s);
	if (r->wrong)
		fprintf(to, "  %s%s wrong%s, the first: %s\n", out_style(to, OUT_RED), out_count(r->wrong).s,
			out_style(to, OUT_PLAIN), r->first_wrong);
}

static void name_in_json(const char *name, char *to, size_t room)
{
	size_t i = 0;

	for (; name[i] && i + 1 < room; i++)
		to[i] = name[i] == ' ' ? '_' : name[i];
	to[i] = '\0';
}

void report_gup_json(const struct gup_result *r, cJSON *root)
{
	cJSON *gup, *threads, *events;

	if (!r->threads)
		return;
	gup = cJSON_AddObjectToObject(root, "gup");
	threads = cJSON_AddArrayToObject(gup, "threads");
	for (unsigned i = 0; i < r->threads; i++) {
		cJSON *item = cJSON_CreateObject();

		for (unsigned c = 0; c < COLUMNS; c++)
			out_json_count(item, columns[c].json, value_of(&r->thread[i], &columns[c]));
		cJSON_AddItemToArray(threads, item);
	}
	events = cJSON_AddObjectToObject(gup, "events");
	for (unsigned i = 0; i < GUP_EVENTS; i++) {
		char name[32];

		name_in_json(gup_event_names[i], name, sizeof(name));
		out_json_count(events, name, r->events[i]);
	}
	out_json_count(gup, "levels", r->levels);
	out_json_count(gup, "levels_last", r->levels_last);
	cJSON_AddBoolToObject(gup, "fragments", r->fragments);
	out_json_count(gup, "frames_left", r->frames_left);
	out_json_count(gup, "references_left", r->references_left);
	out_json_count(gup, "pins_left", r->pins_left);
	out_json_count(gup, "fragments_left", r->fragments_left);
	out_json_count(gup, "wrong", r->wrong);
	if (r->wrong)
		cJSON_AddStringToObject(gup, "first_wrong", r->first_wrong);
}
