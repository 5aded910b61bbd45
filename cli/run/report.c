// SPDX-License-Identifier: MIT
#include <inttypes.h>

#include "cli/run/report.h"

void report_plan(const struct run_plan *plan, const struct run_options *o, FILE *to)
{
	const uint64_t removable = (uint64_t)plan->count << plan->section_lg2;

	fprintf(to, "%s%s%s (%s): %s of memory\n", out_style(to, OUT_BOLD), plan->map.source, out_style(to, OUT_PLAIN),
		map_format_name(plan->map.format), out_size(plan->total).s);
	fprintf(to, "%s, pages of %s, %u levels, %u-bit addresses; %u CPUs and %u readers", plan->format->arch_name,
		out_size(COP_LG2(plan->geom.page_lg2)).s, plan->geom.levels, plan->geom.va_bits, o->cpus, o->readers);
	if (o->gup)
		fprintf(to, ", %u that pin", o->gup);
	fputc('\n', to);
	fprintf(to, "%s boot memory, %s in %u removable blocks of %s%s\n", out_size(plan->boot_bytes).s,
		out_size(removable).s, plan->count, out_size(COP_LG2(plan->section_lg2)).s,
		o->altmap ? ", each with its own memmap" : "");
	for (unsigned i = 0; i < plan->note_count; i++)
		fprintf(to, "note: %s\n", plan->notes[i]);
}

void report_plan_json(const struct run_plan *plan, cJSON *root)
{
	cJSON *notes;

	cJSON_AddStringToObject(root, "map", plan->map.source);
	cJSON_AddStringToObject(root, "map_format", map_format_name(plan->map.format));
	cJSON_AddStringToObject(root, "format", plan->format->name);
	out_json_count(root, "page_size", COP_LG2(plan->geom.page_lg2));
	out_json_count(root, "levels", plan->geom.levels);
	out_json_count(root, "va_bits", plan->geom.va_bits);
	out_json_count(root, "memory", plan->total);
	out_json_count(root, "boot_memory", plan->boot_bytes);
	out_json_count(root, "section_size", COP_LG2(plan->section_lg2));
	out_json_count(root, "removable_blocks", plan->count);
	notes = cJSON_AddArrayToObject(root, "notes");
	for (unsigned i = 0; i < plan->note_count; i++)
		cJSON_AddItemToArray(notes, cJSON_CreateString(plan->notes[i]));
}

static double rate(const struct step_result *r)
{
	return r->seconds > 0 ? (double)r->bytes / r->seconds : 0;
}

void report_steps(const struct cycle *c, FILE *to)
{
	struct out_table *t =
		out_table("step|>blocks|>time|>bytes/s|>inv. page|>range|>all|>with tables|>per block|>tables|"
			  ">memmap|>host memory");

	out_heading(to, "Steps");
	for (unsigned i = 0; i < STEPS; i++) {
		const struct step_result *r = &c->steps[i];
		const uint64_t with_tables = r->events.tlbi[1][0] + r->events.tlbi[1][1] + r->events.tlbi[1][2];
		const uint64_t leaves = r->events.tlbi[0][0] + r->events.tlbi[0][1] + r->events.tlbi[0][2];

		if (!r->times)
			continue;
		out_cell(t, "%s", step_names[i]);
		out_cell(t, "%s", out_count(r->blocks).s);
		out_cell(t, "%s", out_time(r->seconds).s);
		out_cell(t, "%s", out_rate(rate(r)).s);
		for (unsigned kind = 0; kind < 3; kind++)
			out_cell(t, "%s", out_count(r->events.tlbi[0][kind]).s);
		out_cell(t, "%s", out_count(with_tables).s);
		out_cell(t, "%.1f", r->blocks ? (double)(leaves + with_tables) / (double)r->blocks : 0.0);
		out_cell(t, "%s", out_size(r->tables).s);
		out_cell(t, "%s", out_size(r->memmap).s);
		out_cell(t, "%s", out_size(r->held).s);
	}
	out_table_print(t, to);
	fprintf(to, "  Tables, memmap and host memory: after the step. \"All at once\": each block by itself, all five "
		    "steps.\n");
}

void report_steps_json(const struct cycle *c, cJSON *root)
{
	cJSON *steps = cJSON_AddArrayToObject(root, "steps");

	for (unsigned i = 0; i < STEPS; i++) {
		const struct step_result *r = &c->steps[i];
		cJSON *step, *leaves, *tables;

		if (!r->times)
			continue;
		step = cJSON_CreateObject();
		cJSON_AddStringToObject(step, "step", step_names[i]);
		out_json_count(step, "times", r->times);
		out_json_count(step, "blocks", r->blocks);
		out_json_count(step, "bytes", r->bytes);
		cJSON_AddNumberToObject(step, "seconds", r->seconds);
		cJSON_AddNumberToObject(step, "bytes_per_second", rate(r));
		leaves = cJSON_AddObjectToObject(step, "invalidations_leaves");
		tables = cJSON_AddObjectToObject(step, "invalidations_tables");
		for (unsigned kind = 0; kind < 3; kind++) {
			static const char *const kinds[] = {"page", "range", "all"};

			out_json_count(leaves, kinds[kind], r->events.tlbi[0][kind]);
			out_json_count(tables, kinds[kind], r->events.tlbi[1][kind]);
		}
		out_json_count(step, "syncs", r->events.syncs);
		out_json_count(step, "tlb_fills", r->events.fills);
		out_json_count(step, "table_bytes", r->tables);
		out_json_count(step, "memmap_bytes", r->memmap);
		out_json_count(step, "host_bytes", r->held);
		cJSON_AddItemToArray(steps, step);
	}
}

static uint64_t invalidations(const struct cop_host_events *e)
{
	uint64_t n = 0;

	for (unsigned kind = 0; kind < 3; kind++)
		n += e->tlbi[0][kind] + e->tlbi[1][kind];
	return n;
}

static const char *role_of(const struct run_options *o, unsigned cpu)
{
	if (cpu < o->cpus)
		return "worker";
	if (cpu < o->cpus + o->readers)
		return "reader";
	return cpu < o->cpus + o->readers + o->gup ? "gup" : "space";
}

static unsigned cpus_of(const struct run_options *o)
{
	return o->cpus + o->readers + gup_cpus(o);
}

void report_cpus(const struct cycle *c, FILE *to)
{
	const struct run_options *o = c->machine->options;
	struct out_table *t = out_table("cpu|role|>block steps|>busy|>invalidations|>syncs|>TLB fills|>interrupts");

	out_heading(to, "CPUs");
	for (unsigned cpu = 0; cpu < cpus_of(o); cpu++) {
		const struct cop_host_events *e = &cop_host_cpus[cpu].events;

		out_cell(t, "%u", cpu);
		out_cell(t, "%s", role_of(o, cpu));
		out_cell(t, "%s", cpu < o->cpus ? out_count(c->cpus[cpu].blocks).s : "");
		out_cell(t, "%s", cpu < o->cpus ? out_time(c->cpus[cpu].busy).s : "");
		out_cell(t, "%s", out_count(invalidations(e)).s);
		out_cell(t, "%s", out_count(e->syncs).s);
		out_cell(t, "%s", out_count(e->fills).s);
		out_cell(t, "%s", out_count(e->ipis).s);
	}
	out_table_print(t, to);
}

void report_cpus_json(const struct cycle *c, cJSON *root)
{
	const struct run_options *o = c->machine->options;
	cJSON *cpus = cJSON_AddArrayToObject(root, "cpus");

	for (unsigned cpu = 0; cpu < cpus_of(o); cpu++) {
		const struct cop_host_events *e = &cop_host_cpus[cpu].events;
		cJSON *item = cJSON_CreateObject();

		out_json_count(item, "cpu", cpu);
		cJSON_AddStringToObject(item, "role", role_of(o, cpu));
		if (cpu < o->cpus) {
			out_json_count(item, "block_steps", c->cpus[cpu].blocks);
			cJSON_AddNumberToObject(item, "busy_seconds", c->cpus[cpu].busy);
		}
		out_json_count(item, "invalidations", invalidations(e));
		out_json_count(item, "syncs", e->syncs);
		out_json_count(item, "tlb_fills", e->fills);
		out_json_count(item, "interrupts", e->ipis);
		cJSON_AddItemToArray(cpus, item);
	}
}

void report_readers(const struct reader_result *r, FILE *to)
{
	out_heading(to, "Readers");
	fprintf(to, "  looked at %s frames: %s were absent just then, %s held what was written, %s%s wrong%s\n",
		out_count(r->looks).s, out_count(r->absent).s, out_count(r->used).s,
		out_style(to, r->wrong ? OUT_RED : OUT_GREEN), out_count(r->wrong).s, out_style(to, OUT_PLAIN));
	if (r->wrong)
		fprintf(to, "  the first: %s\n", r->first_wrong);
}

void report_readers_json(const struct reader_result *r, cJSON *root)
{
	cJSON *readers = cJSON_AddObjectToObject(root, "readers");

	out_json_count(readers, "looks", r->looks);
	out_json_count(readers, "absent", r->absent);
	out_json_count(readers, "contents_right", r->used);
	out_json_count(readers, "wrong", r->wrong);
	if (r->wrong)
		cJSON_AddStringToObject(readers, "first_wrong", r->first_wrong);
}
