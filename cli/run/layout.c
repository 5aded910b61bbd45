// SPDX-License-Identifier: MIT
/* The layout as the kernel's ptdump shows it: what is mapped by leaves of one level and one set of attributes. */
#include <inttypes.h>
#include <string.h>

#include "cli/run/report.h"

#define BATCH 64
/* What a person reads; --json has all. */
#define MAX_ROWS 32

static const char *region_of(const struct run_machine *m, cop_va va)
{
	const struct cop_layout *l = &m->mem.layout;

	if (va >= l->linear_start && va <= l->linear_last)
		return "linear map";
	if (va >= l->vmemmap_start && va <= l->vmemmap_last)
		return "vmemmap";
	return "";
}

static const char *attrs_text(uint32_t attrs, char text[64])
{
	snprintf(text, 64, "%c%c%c%s%s%s", attrs & COP_READ ? 'r' : '-', attrs & COP_WRITE ? 'w' : '-',
		 attrs & COP_EXEC ? 'x' : '-', attrs & COP_USER ? " user" : "", attrs & COP_GLOBAL ? " global" : "",
		 attrs & COP_CONT ? " cont" : "");
	return text;
}

typedef void (*extent_fn)(const struct run_machine *, const struct cop_extent *, void *);

static void each_extent(const struct run_machine *m, extent_fn fn, void *arg)
{
	const cop_va last = m->mem.layout.vmemmap_last;
	cop_va va = m->mem.layout.linear_start;
	struct cop_extent extents[BATCH];
	unsigned n;

	do {
		n = cop_query(&m->tree, va, last, extents, BATCH);
		for (unsigned i = 0; i < n; i++)
			fn(m, &extents[i], arg);
		if (n)
			va = extents[n - 1].va + extents[n - 1].bytes;
	} while (n == BATCH && va - 1 < last);
}

/* Stretches that differ only by a gap in one of the address spaces become one row, with their number. */
struct row {
	struct cop_extent first;
	uint64_t bytes;
	cop_va end;
	unsigned pieces;
};

struct rows {
	struct out_table *table;
	struct row row;
	unsigned count;
};

static void flush(const struct run_machine *m, struct rows *rows)
{
	const struct row *r = &rows->row;
	char attrs[64];

	if (!r->pieces || rows->count++ >= MAX_ROWS)
		return;
	out_cell(rows->table, "%s", region_of(m, r->first.va));
	out_cell(rows->table, "%016" PRIx64 "-%016" PRIx64, r->first.va, r->end - 1);
	out_cell(rows->table, "%012" PRIx64, r->first.pa);
	out_cell(rows->table, "%s", out_size(r->bytes).s);
	out_cell(rows->table, "%s", m->plan->format->level_name(&m->tree.geom, r->first.level));
	out_cell(rows->table, "%s", out_size(COP_LG2(m->plan->format->shift(r->first.level))).s);
	out_cell(rows->table, "%u", r->pieces);
	out_cell(rows->table, "%s", attrs_text(r->first.attrs, attrs));
}

static void add_row(const struct run_machine *m, const struct cop_extent *e, void *arg)
{
	struct rows *rows = arg;
	struct row *r = &rows->row;

	if (!r->pieces || r->first.level != e->level || r->first.attrs != e->attrs ||
	    strcmp(region_of(m, r->first.va), region_of(m, e->va)) != 0) {
		flush(m, rows);
		*r = (struct row){.first = *e};
	}
	r->pieces++;
	r->bytes += e->bytes;
	r->end = e->va + e->bytes;
}

void report_layout(const struct run_machine *m, FILE *to)
{
	struct rows rows = {.table = out_table("region|virtual|>physical|>bytes|level|>leaf|>pieces|attributes")};

	out_heading(to, "Layout");
	each_extent(m, add_row, &rows);
	flush(m, &rows);
	out_table_print(rows.table, to);
	if (rows.count > MAX_ROWS)
		fprintf(to, "  ... and %u more (--json has all)\n", rows.count - MAX_ROWS);
}

static void add_json(const struct run_machine *m, const struct cop_extent *e, void *arg)
{
	cJSON *item = cJSON_CreateObject();
	char attrs[64];

	cJSON_AddStringToObject(item, "region", region_of(m, e->va));
	out_json_hex(item, "va", e->va);
	out_json_hex(item, "pa", e->pa);
	out_json_count(item, "bytes", e->bytes);
	cJSON_AddStringToObject(item, "level", m->plan->format->level_name(&m->tree.geom, e->level));
	out_json_count(item, "leaf", COP_LG2(m->plan->format->shift(e->level)));
	cJSON_AddStringToObject(item, "attributes", attrs_text(e->attrs, attrs));
	cJSON_AddItemToArray(arg, item);
}

void report_layout_json(const struct run_machine *m, cJSON *root)
{
	each_extent(m, add_json, cJSON_AddArrayToObject(root, "layout"));
}
