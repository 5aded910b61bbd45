/* SPDX-License-Identifier: MIT */
/* Memory on the simulated machine: it is told what the library's allocator hands out, and what comes and goes. */
#include "stories/memory.h"
#include "ports/sim/sim.h"

#include <string.h>

static unsigned section_lg2(const struct cop_geom *geom)
{
	/* A section's memmap is whole frames. */
	return 2U * geom->page_lg2 - COP_PAGE_STRUCT_LG2;
}

uint64_t cop_stage_memory_bytes(const struct cop_geom *geom, unsigned sections)
{
	return (uint64_t)sections << section_lg2(geom);
}

static int populate(void *ctx, cop_pa pa, uint64_t bytes)
{
	(void)ctx;
	sim_frame_populate(pa, bytes, "memory", SIM_AT);
	return 0;
}

static void punch(void *ctx, cop_pa pa, uint64_t bytes)
{
	(void)ctx;
	sim_frame_punch(pa, bytes, SIM_AT);
}

static bool deny(void *ctx, unsigned order)
{
	struct cop_stage_memory *m = ctx;

	(void)order;
	return m->deny && --m->deny == 0;
}

/* The machine sees these in the memmap. */
static bool is_fragment(const struct cop_stage_memory *m, unsigned lg2)
{
	return lg2 < m->mem.page_lg2;
}

/* Tables: the allocator's, by way of the machine, which learns what they are for. */
static cop_pa table_alloc(void *ctx, unsigned lg2)
{
	struct cop_stage_memory *m = ctx;
	const struct cop_table_source source = cop_mem_table_source(&m->mem);
	cop_pa pa;

	sim_may_sleep("allocating a table", SIM_AT);
	/* A fragment of a frame may be there without asking for a frame. */
	if (deny(m, 0))
		return COP_PA_NONE;
	pa = source.alloc(source.ctx, lg2);
	if (pa != COP_PA_NONE && !is_fragment(m, lg2))
		sim_frame_given(pa, COP_LG2(lg2), SIM_TABLE, "table", SIM_AT);
	return pa;
}

static void table_free(void *ctx, cop_pa table, unsigned lg2)
{
	struct cop_stage_memory *m = ctx;
	const struct cop_table_source source = cop_mem_table_source(&m->mem);

	if (!is_fragment(m, lg2))
		sim_frame_taken(table, COP_LG2(lg2), SIM_AT);
	source.free(source.ctx, table, lg2);
}

struct cop_table_source cop_stage_memory_tables(struct cop_stage_memory *m)
{
	return (struct cop_table_source){table_alloc, table_free, m};
}

static void name_windows(const struct cop_layout *layout, const struct cop_geom *geom)
{
	sim.linear_start = layout->linear_start;
	sim.linear_last = layout->linear_last;
	sim_memmap(layout->vmemmap, layout->vmemmap_start, layout->vmemmap_last, geom->page_lg2);
}

void cop_stage_boot(struct cop_stage_memory *m, unsigned boot, unsigned sections, uint32_t flags)
{
	struct cop_mem_config config = {.geom = cop_stage_geom(), .rams = 1, .reserveds = 1, .flags = flags};
	/* A physical address of zero is more often a mistake than a table. */
	const struct cop_mem_range reserved = {0, COP_LG2(config.geom.page_lg2)};
	struct cop_mem_range ram = {.start = 0};
	struct cop_layout_result layout;

	if (m->no_runs)
		config.geom.features &= ~(uint32_t)(COP_F_CONT | COP_F_SVNAPOT);
	config.section_lg2 = m->section_lg2 ? m->section_lg2 : (uint8_t)section_lg2(&config.geom);
	m->section = COP_LG2(config.section_lg2);
	ram.bytes = boot * m->section;
	config.ram = &ram;
	config.reserved = &reserved;
	config.pa_limit = sections * m->section;
	config.hooks = (struct cop_mem_hooks){.populate = populate, .punch = punch, .deny = deny, .ctx = m};
	layout = cop_mem_layout_for(&config);
	COP_ASSERT(!layout.err && cop_mem_arena_bytes(&config) <= sizeof(m->arena));
	name_windows(&layout.layout, &config.geom);
	if (sections > boot)
		sim_frame_punch(boot * m->section, (sections - boot) * m->section, SIM_AT);
	sim_attach_later(cop_stage_format(), &config.geom, &m->tree.root, 0);
	COP_ASSERT(!cop_mem_boot(&m->mem, &m->tree, m->arena, &config));
	m->tree.source = cop_stage_memory_tables(m);
}

void cop_stage_account(struct cop_stage_memory *m)
{
	m->before = cop_mem_account(&m->mem);
}

void cop_stage_check_account(struct cop_stage_memory *m, struct cop_stage_at at)
{
	struct cop_mem_fault fault = {.rule = NULL};
	struct cop_mem_account now;

	/* Tables that are on their way back. */
	sim_rcu_run_solo();
	now = cop_mem_account(&m->mem);
	if (cop_mem_check(&m->mem, &fault, 1))
		cop_stage_fail("accounting", fault.rule, at);
	if (now.leaked)
		cop_stage_fail("leak", "frames that are nowhere", at);
	if (now.constructed != m->before.constructed)
		cop_stage_fail("accounting", "tables with a constructor", at);
	if (now.tables_linked != sim_tree_bytes(m->tree.root) || now.tables != now.tables_linked)
		cop_stage_fail("accounting", "tables that are linked", at);
	if (memcmp(&now, &m->before, sizeof(now)) != 0)
		cop_stage_fail("leak", "it is not as it was before", at);
}
