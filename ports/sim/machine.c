/* SPDX-License-Identifier: MIT */
/* The machine as a whole: power, the state that every execution starts from, frames and who has them. */
#include "ports/sim/mmu.h"
#include "checker/engine.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct sim sim;

static size_t frames(void)
{
	return (size_t)(sim.config.pa_bytes >> sim.config.frame_lg2);
}

uint64_t sim_steps;

void sim_power_on(const struct sim_config *config)
{
	memset(&sim, 0, sizeof(sim));
	sim.config = *config;
	sim.frame = calloc(frames(), sizeof(*sim.frame));
	sim.event = calloc(1, sizeof(*sim.event) * SIM_EVENTS);
	sim.frame_before = calloc(frames(), sizeof(*sim.frame_before));
	sim.frame_list = calloc(frames(), sizeof(*sim.frame_list));
	if (!sim.frame || !sim.event || !sim.frame_before || !sim.frame_list)
		abort();
	sim.now = 1;
	sim.solo = true;
	engine_regions_reset();
	engine_region(&sim.cpu, sizeof(sim) - offsetof(struct sim, cpu));
	sim_memory_on();
	sim_names_on();
	sim_seen_on();
	sim_share_on();
	sim_race_on();
	sim_mmu_on();
	sim_irq_reset();
	sim_order_on();
	sim_guard_on();
	sim_object_on();
}

void sim_power_off(void)
{
	engine_regions_reset();
	sim_memory_off();
	sim_names_off();
	sim_seen_off();
	sim_race_off();
	sim_share_off();
	free(sim.frame);
	free(sim.frame_before);
	free(sim.frame_list);
	free(sim.event);
	memset(&sim, 0, sizeof(sim));
}

static void mark_frames(void)
{
	for (uint32_t i = 0; i < sim.frames_changed; i++) {
		struct sim_frame *f = &sim.frame[sim.frame_list[i]];

		f->listed = f->filled = false;
		f->fill = 0;
		sim.frame_before[sim.frame_list[i]] = sim_frame_bare(f);
	}
	sim.frames_changed = 0;
	sim.elsewhere = false;
}

void sim_mark(void)
{
	mark_frames();
	sim_memory_mark();
	sim_mmu_reset();
	memset(sim.cpu, 0, sizeof(sim.cpu));
	memset(sim.hw, 0, sizeof(sim.hw));
	memset(&sim.log, 0, sizeof(sim.log));
	sim.events = 0;
	sim.now = 1;
	sim.solo = false;
}

struct sim_frame *sim_frame_change(cop_pa pa)
{
	struct sim_frame *f = &sim.frame[pa >> sim.config.frame_lg2];

	engine_save(f, sizeof(*f));
	if (!f->listed)
		sim.frame_list[sim.frames_changed++] = (uint32_t)(pa >> sim.config.frame_lg2);
	f->listed = true;
	return f;
}

uint32_t sim_frame_changed(uint32_t i)
{
	return sim.frame_list[i];
}

struct sim_frame sim_frame_bare(const struct sim_frame *f)
{
	struct sim_frame bare;

	memset(&bare, 0, sizeof(bare));
	bare.base = f->base;
	bare.va = f->va;
	bare.state = f->state;
	bare.level = f->level;
	bare.tree = f->tree;
	bare.known = f->known;
	bare.linked = f->linked;
	bare.was_table = f->was_table;
	bare.replaced = f->replaced;
	bare.kept = f->kept;
	bare.filled = f->filled;
	bare.fill = f->fill;
	return bare;
}

/* What memory holds does not change with whose it is. */
static void become_frame(cop_pa pa, const struct sim_frame *to)
{
	struct sim_frame *f = sim_frame_change(pa), new = *to;

	new.listed = f->listed;
	new.filled = f->filled;
	new.fill = f->fill;
	*f = new;
}

static bool disabled(const char *rule)
{
	return sim.config.disabled && !strcmp(sim.config.disabled, rule);
}

COP_NORETURN static void fail(const char *rule, const char *format, va_list args)
{
	sim.cpu[sim.current].failed = rule;
	if (sim.config.go_on && !sim.solo)
		sim_cpu_stop();
	sim.report.rule = rule;
	vsnprintf(sim.report.text, sizeof(sim.report.text), format, args);
	sim_record(SIM_OP_REPORT, NULL, 0, 0, 0, sim.cpu[sim.current].at);
	sim_cpu_stop();
}

void sim_fail(const char *rule, const char *format, ...)
{
	va_list args;

	if (disabled(rule)) {
		sim.cut = true;
		sim_cpu_stop();
	}
	va_start(args, format);
	fail(rule, format, args);
}

void sim_report(const char *rule, const char *format, ...)
{
	va_list args;

	if (disabled(rule))
		return;
	va_start(args, format);
	fail(rule, format, args);
}

void sim_panic(const char *rule, const void *where, struct sim_at at)
{
	sim.cpu[sim.current].at = at;
	sim_fail(rule, "cop_panic at %s:%d, where %p", at.file, at.line, where);
}

/* Frames change hands: what a place was is known only now. */
static void note_place(struct sim_event *e)
{
	const struct sim_place place = sim_place_of(e->where);
	const struct sim_frame *f;

	e->by_drain = !sim.solo && engine_current() >= SIM_DRAIN(0);
	if (!e->where || place.space != SIM_PHYS || place.address >= sim.config.pa_bytes)
		return;
	f = &sim.frame[place.address >> sim.config.frame_lg2];
	e->owner = f->owner;
	if (f->state != SIM_TABLE || !f->known)
		return;
	e->tree = f->tree;
	e->level = f->level;
	e->base = f->base;
}

void sim_record(enum sim_op op, const void *where, uint64_t old, uint64_t value, cop_pa pa, struct sim_at at)
{
	if (sim.events == SIM_EVENTS) {
		if (op == SIM_OP_REPORT)
			return;
		sim_fail("livelock", "an execution of more than 65536 events: somebody goes round in circles");
	}
	sim_steps++;
	sim.event[sim.events] = (struct sim_event){.at = at,
						   .where = where,
						   .old = old,
						   .value = value,
						   .pa = pa,
						   .op = (uint8_t)op,
						   .cpu = (uint8_t)sim.current,
						   .tree = SIM_NO_TREE,
						   .step = sim.solo ? SIM_NO_STEP : engine_event()};
	if (sim.config.fine)
		note_place(&sim.event[sim.events]);
	sim.events++;
}

static void set_frames(cop_pa pa, uint64_t bytes, const struct sim_frame *to)
{
	for (cop_pa p = pa; p < pa + bytes; p += COP_LG2(sim.config.frame_lg2))
		become_frame(p, to);
}

static bool all_free(cop_pa pa, uint64_t bytes)
{
	for (cop_pa p = pa; p < pa + bytes; p += COP_LG2(sim.config.frame_lg2)) {
		const struct sim_frame *f = &sim.frame[p >> sim.config.frame_lg2];

		if (f->state != SIM_FREE || f->kept)
			return false;
	}
	return true;
}

static void become(cop_pa pa, uint64_t bytes, enum sim_frame_state state, const char *owner, struct sim_at at)
{
	set_frames(pa, bytes,
		   &(struct sim_frame){
			   .owner = owner, .at = at, .base = pa, .state = (uint8_t)state, .since = sim.order.now});
	if (state == SIM_TABLE)
		sim_poke_fill(pa, SIM_POISON, bytes);
}

cop_pa sim_frame_alloc(unsigned lg2, enum sim_frame_state state, const char *owner, struct sim_at at)
{
	/* Which frame this gets depends on every other allocation and free; frees do not depend on each other. */
	sim_point(SIM_OP_ALLOC, sim_conflicts(&sim_loc_frames, true), NULL, at);
	sim_touch(&sim_loc_frames, true);
	/* Frame 0 stays free: a physical address of zero is more often a mistake than a table. */
	for (cop_pa pa = COP_LG2(lg2); pa + COP_LG2(lg2) <= sim.config.pa_bytes; pa += COP_LG2(lg2)) {
		if (!all_free(pa, COP_LG2(lg2)))
			continue;
		sim_touch(sim_frame_location(pa), true);
		become(pa, COP_LG2(lg2), state, owner, at);
		sim_race_after(&sim_loc_frames);
		sim_order_frame_allocated();
		sim_record(SIM_OP_ALLOC, sim_phys(pa), 0, COP_LG2(lg2), pa, at);
		return pa;
	}
	return COP_PA_NONE;
}

const void *sim_frame_location(cop_pa pa)
{
	const struct sim_frame *f = &sim.frame[pa >> sim.config.frame_lg2];

	return &sim.frame[f->base >> sim.config.frame_lg2];
}

const void *sim_frame_mapped(cop_pa pa)
{
	return &sim.frame[pa >> sim.config.frame_lg2].mapped;
}

void sim_frame_claim(cop_pa pa, uint64_t bytes, const char *owner, struct sim_at at)
{
	if (pa + bytes > sim.config.pa_bytes || !all_free(pa, bytes))
		sim_fail("frame-taken", "%#llx is not free", (unsigned long long)pa);
	become(pa, bytes, SIM_DATA, owner, at);
}

static void check_not_free(cop_pa pa, uint64_t bytes)
{
	for (cop_pa p = pa; p < pa + bytes; p += COP_LG2(sim.config.frame_lg2)) {
		const struct sim_frame *f = &sim.frame[p >> sim.config.frame_lg2];

		if (f->state == SIM_FREE)
			sim_report("double-free", "%#llx (%s) was freed at %s:%d already", (unsigned long long)p,
				   f->owner ? f->owner : "never allocated", f->at.file ? f->at.file : "-", f->at.line);
	}
}

static void let_go(cop_pa pa, uint64_t bytes, enum sim_frame_state state, bool kept, struct sim_at at)
{
	for (cop_pa p = pa; p < pa + bytes; p += COP_LG2(sim.config.frame_lg2)) {
		const struct sim_frame *f = &sim.frame[p >> sim.config.frame_lg2];

		become_frame(p, &(struct sim_frame){.owner = f->owner,
						    .at = at,
						    .state = (uint8_t)state,
						    .base = f->base,
						    .was_table = f->state == SIM_TABLE,
						    .kept = kept});
	}
}

/* Of more frames than these all writes to tables are looked at, instead of what each is mapped by. */
#define FRAMES_SINGLY 16

static bool mappings_conflict(cop_pa pa, uint64_t bytes)
{
	bool any = sim_conflicts(&sim_loc_tlb, false);

	if (bytes >> sim.config.frame_lg2 > FRAMES_SINGLY)
		return any || sim_conflicts(&sim_loc_tables, false);
	any |= sim_conflicts(&sim_loc_links, false);
	for (cop_pa p = pa; p < pa + bytes; p += COP_LG2(sim.config.frame_lg2))
		any |= sim_conflicts(sim_frame_mapped(p), false);
	return any;
}

/* What is freed must not be mapped, nor held. */
static void touch_mappings(cop_pa pa, uint64_t bytes)
{
	sim_touch(&sim_loc_tlb, false);
	if (bytes >> sim.config.frame_lg2 > FRAMES_SINGLY) {
		sim_touch(&sim_loc_tables, false);
		return;
	}
	sim_touch(&sim_loc_links, false);
	for (cop_pa p = pa; p < pa + bytes; p += COP_LG2(sim.config.frame_lg2))
		sim_touch(sim_frame_mapped(p), false);
}

static void point_of_free(cop_pa pa, uint64_t bytes, struct sim_at at)
{
	sim_point(SIM_OP_FREE,
		  sim_conflicts(&sim_loc_frames, false) || mappings_conflict(pa, bytes) ||
			  sim_conflicts(sim_frame_location(pa), true),
		  NULL, at);
	sim_touch(&sim_loc_frames, false);
	sim_touch(sim_frame_location(pa), true);
	touch_mappings(pa, bytes);
	sim_race_before(&sim_loc_frames);
	sim_order_frame_freed();
	sim_record(SIM_OP_FREE, sim_phys(pa), 0, bytes, pa, at);
}

void sim_frame_free(cop_pa pa, uint64_t bytes, struct sim_at at)
{
	point_of_free(pa, bytes, at);
	check_not_free(pa, bytes);
	sim_mmu_check_table(pa);
	sim_mmu_check_free(pa, bytes, false);
	let_go(pa, bytes, SIM_FREE, false, at);
}

void sim_frame_given(cop_pa pa, uint64_t bytes, enum sim_frame_state state, const char *owner, struct sim_at at)
{
	sim_touch(sim_frame_location(pa), true);
	become(pa, bytes, state, owner, at);
	for (cop_pa p = pa; p < pa + bytes; p += COP_LG2(sim.config.frame_lg2))
		sim_frame_change(p)->kept = true;
	sim_record(SIM_OP_ALLOC, sim_phys(pa), 0, bytes, pa, at);
}

void sim_frame_taken(cop_pa pa, uint64_t bytes, struct sim_at at)
{
	sim_touch(sim_frame_location(pa), true);
	touch_mappings(pa, bytes);
	sim_record(SIM_OP_FREE, sim_phys(pa), 0, bytes, pa, at);
	check_not_free(pa, bytes);
	sim_mmu_check_table(pa);
	sim_mmu_check_free(pa, bytes, true);
	let_go(pa, bytes, SIM_FREE, true, at);
}

void sim_frame_is_free(cop_pa pa, uint64_t bytes, struct sim_at at)
{
	sim_touch(sim_frame_location(pa), true);
	let_go(pa, bytes, SIM_FREE, true, at);
}

void sim_frame_populate(cop_pa pa, uint64_t bytes, const char *owner, struct sim_at at)
{
	become(pa, bytes, SIM_DATA, owner, at);
	for (cop_pa p = pa; p < pa + bytes; p += COP_LG2(sim.config.frame_lg2))
		sim_frame_change(p)->kept = true;
}

/* Whoever reaches it now reaches nothing. */
void sim_frame_punch(cop_pa pa, uint64_t bytes, struct sim_at at)
{
	point_of_free(pa, bytes, at);
	sim_mmu_check_free(pa, bytes, false);
	let_go(pa, bytes, SIM_ABSENT, true, at);
}

void sim_check_leaks(void)
{
	for (size_t i = 0; i < frames(); i++) {
		const struct sim_frame *f = &sim.frame[i];

		if (f->state == SIM_FREE || f->kept)
			continue;
		sim.report.about_frame = true;
		sim.report.pa = f->base;
		sim_report("leak", "frame %#llx (%s), allocated at %s:%d, was never freed",
			   (unsigned long long)i << sim.config.frame_lg2, f->owner, f->at.file, f->at.line);
	}
}
