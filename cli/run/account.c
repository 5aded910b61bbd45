// SPDX-License-Identifier: MIT
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cli/run/account.h"

#define FIELD(name, label)                                                                                             \
	{                                                                                                              \
		label, offsetof(struct account, name)                                                                  \
	}

static const struct field {
	const char *name;
	size_t offset;
} fields[] = {
	FIELD(mem.present, "frames with a struct page"),
	FIELD(mem.holes, "frames that are holes"),
	FIELD(mem.reserved, "reserved frames"),
	FIELD(mem.offline, "offline frames"),
	FIELD(mem.managed[COP_ZONE_NORMAL], "managed frames, normal zone"),
	FIELD(mem.managed[COP_ZONE_MOVABLE], "managed frames, movable zone"),
	FIELD(mem.managed[COP_ZONE_DEVICE], "managed frames, device zone"),
	FIELD(mem.free[COP_ZONE_NORMAL], "free frames, normal zone"),
	FIELD(mem.free[COP_ZONE_MOVABLE], "free frames, movable zone"),
	FIELD(mem.withheld[COP_ZONE_NORMAL], "isolated frames, normal zone"),
	FIELD(mem.withheld[COP_ZONE_MOVABLE], "isolated frames, movable zone"),
	FIELD(mem.tables, "bytes of tables handed out"),
	FIELD(mem.tables_linked, "bytes of tables linked"),
	FIELD(mem.memmap_early, "bytes of boot memmap"),
	FIELD(mem.memmap_buddy, "bytes of added memmap"),
	FIELD(mem.memmap_altmap, "bytes of memmap in added memory"),
	FIELD(mem.used[COP_USE_OTHER], "frames used"),
	FIELD(mem.used[COP_USE_TABLE], "frames used for tables"),
	FIELD(mem.used[COP_USE_MEMMAP], "frames used for memmap"),
	FIELD(mem.constructed, "tables constructed"),
	FIELD(mem.leaked, "frames nobody has"),
	FIELD(held, "bytes of host memory"),
};

struct account account_take(struct run_machine *m)
{
	struct account a;

	memset(&a, 0, sizeof(a));
	cop_host_rcu_barrier();
	a.mem = cop_mem_account(&m->mem);
	a.held = cop_host_held();
	a.faults = cop_mem_check(&m->mem, &a.first_fault, 1);
	return a;
}

static uint64_t value_of(const struct account *a, const struct field *field)
{
	uint64_t value;

	memcpy(&value, (const char *)a + field->offset, sizeof(value));
	return value;
}

static void tell(const struct field *field, uint64_t before, uint64_t after, FILE *to, cJSON *differences)
{
	cJSON *item;

	if (to)
		fprintf(to, "  %sleak%s: %s: %" PRIu64 " before, %" PRIu64 " after\n", out_style(to, OUT_RED),
			out_style(to, OUT_PLAIN), field->name, before, after);
	if (!differences)
		return;
	item = cJSON_CreateObject();
	cJSON_AddStringToObject(item, "what", field->name);
	out_json_count(item, "before", before);
	out_json_count(item, "after", after);
	cJSON_AddItemToArray(differences, item);
}

/* Tables smaller than a frame may lie in more or fewer frames than before: frames of tables count as free ones then. */
static struct account without_fragments(const struct account *a)
{
	struct account b = *a;

	b.mem.free[COP_ZONE_NORMAL] += b.mem.used[COP_USE_TABLE];
	b.mem.used[COP_USE_TABLE] = 0;
	return b;
}

unsigned account_compare_tables(const char *what, const struct account *before, const struct account *after, FILE *to,
				cJSON *differences)
{
	const struct account a = without_fragments(before), b = without_fragments(after);

	return account_compare(what, &a, &b, to, differences);
}

unsigned account_compare(const char *what, const struct account *before, const struct account *after, FILE *to,
			 cJSON *differences)
{
	const struct field last = {"inconsistencies of free lists and sections", 0};
	unsigned n = 0;

	for (size_t i = 0; i < sizeof(fields) / sizeof(*fields); i++) {
		const uint64_t a = value_of(before, &fields[i]), b = value_of(after, &fields[i]);

		if (a == b)
			continue;
		if (!n++ && to)
			fprintf(to, "  %s:\n", what);
		tell(&fields[i], a, b, to, differences);
	}
	if (after->faults) {
		tell(&last, before->faults, after->faults, to, differences);
		if (to)
			fprintf(to, "  the first is %s at frame 0x%" PRIx64 "\n", after->first_fault.rule,
				after->first_fault.pfn);
		n++;
	}
	if (!n && to)
		fprintf(to, "  %sok%s: %s: the same in %zu figures\n", out_style(to, OUT_GREEN),
			out_style(to, OUT_PLAIN), what, sizeof(fields) / sizeof(*fields));
	return n;
}
