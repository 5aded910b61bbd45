/* SPDX-License-Identifier: MIT */
/* The stage on the simulated machine. */
#include "stories/stage_format.h"
#include "stories/stage_sim.h"
#include "checker/explore.h"

#include <string.h>

static struct sim_at at_of(struct cop_stage_at at)
{
	return (struct sim_at){at.file, at.line};
}

cop_pa cop_stage_alloc(unsigned lg2, const char *owner, struct cop_stage_at at)
{
	cop_pa pa = sim_frame_alloc(lg2, SIM_DATA, owner, at_of(at));

	if (pa == COP_PA_NONE)
		cop_stage_fail("sim-limit", "no frame left", at);
	return pa;
}

void cop_stage_claim(cop_pa pa, uint64_t bytes, const char *owner, struct cop_stage_at at)
{
	sim_frame_claim(pa, bytes, owner, at_of(at));
}

void cop_stage_free(cop_pa pa, uint64_t bytes, struct cop_stage_at at)
{
	sim_frame_free(pa, bytes, at_of(at));
}

static cop_pa table_alloc(void *ctx, unsigned lg2)
{
	(void)ctx;
	sim_may_sleep("allocating a table", SIM_AT);
	return sim_frame_alloc(lg2, SIM_TABLE, "table", SIM_AT);
}

static void table_free(void *ctx, cop_pa table, unsigned lg2)
{
	(void)ctx;
	sim_frame_free(table, COP_LG2(lg2), SIM_AT);
}

struct cop_table_source cop_stage_tables(void)
{
	return (struct cop_table_source){.alloc = table_alloc, .free = table_free};
}

void cop_stage_attach(struct cop_tree *tree)
{
	sim_attach(tree->ops->format, &tree->geom, tree->root, tree->asid);
}

void cop_stage_grown(struct cop_tree *tree, cop_pa old)
{
	sim_root_grown(old, &tree->geom, tree->root);
}

void cop_stage_detach(struct cop_tree *tree)
{
	if (cop_tree_table_bytes(tree) != sim_tree_bytes(tree->root))
		sim_report("accounting", "the tree says that it has %llu bytes of tables, and %llu are linked",
			   (unsigned long long)cop_tree_table_bytes(tree),
			   (unsigned long long)sim_tree_bytes(tree->root));
	sim_detach(tree->root);
}

struct cop_stage_probe cop_stage_probe(cop_va va, struct cop_stage_at at)
{
	struct cop_stage_probe p = {.fault = true};

	p.fault = !sim_probe(va, false, &p.value, at_of(at));
	return p;
}

void cop_stage_gone(cop_va va, uint64_t bytes, struct cop_stage_at at)
{
	sim_gone(va, bytes, at_of(at));
}

void cop_stage_object_gone(const void *p, size_t bytes, struct cop_stage_at at)
{
	sim_object_gone(p, bytes, at_of(at));
}

unsigned cop_stage_choose(unsigned n, struct cop_stage_at at)
{
	sim_point(SIM_OP_CHOOSE, true, NULL, at_of(at));
	return sim_choose(n);
}

void cop_stage_fail(const char *rule, const char *what, struct cop_stage_at at)
{
	sim.cpu[sim.current].at = at_of(at);
	sim_fail(rule, "%s:%d: %s", at.file, at.line, what);
}

/* Actors and hooks of a story take its own type, those of a program void. An actor's slot is its place in the list. */
static void run_setup(void *w)
{
	cop_story.setup(w);
}

static void run_check(void *w)
{
	cop_story.check(w);
}

static const struct cop_actor *actors;

void stage_choose(const struct cop_variant *variant)
{
	actors = variant->actors ? variant->actors : cop_story.actors;
	stage_format_features(cop_story.features | variant->features);
}

static void run_actor(void *w)
{
	actors[sim.current].run(w);
}

static unsigned rounds;
static double seconds;

void stage_limits(unsigned most_rounds, double most_seconds)
{
	rounds = most_rounds;
	seconds = most_seconds;
}

enum sim_memory_order stage_order(uint32_t format)
{
	stage_format_choose(format);
	switch (cop_stage_format()->arch) {
	case COP_X86_64:
	case COP_S390X:
		return SIM_ORDER_TSO;
	default:
		return SIM_ORDER_WEAK;
	}
}

struct stage {
	struct checker_actor actors[SIM_CPUS + 1];
	struct checker_place places[SIM_CPUS];
	struct checker_program program;
};

static void describe(struct stage *s, uint32_t format, enum sim_memory_order order)
{
	struct cop_geom geom;

	*s = (struct stage){.program = {.setup = run_setup,
					.check = run_check,
					.actors = s->actors,
					.places = s->places,
					.world = cop_story.world,
					.world_bytes = cop_story.world_bytes,
					.rounds = rounds,
					.seconds = seconds,
					.order = order,
					.pa_bytes = COP_STAGE_PA_BYTES}};
	stage_format_choose(format);
	geom = cop_stage_geom();
	s->program.frame_lg2 = cop_stage_format()->min_table_lg2;
	if (cop_story.pa_bytes)
		s->program.pa_bytes = cop_story.pa_bytes(&geom);
	for (unsigned i = 0; actors[i].name && i < SIM_CPUS; i++) {
		s->actors[i] = (struct checker_actor){.name = actors[i].name, .cpu = i, .run = run_actor};
		s->places[i] = (struct checker_place){actors[i].cpu, actors[i].interrupt};
	}
	memset(cop_story.world, 0, cop_story.world_bytes);
}

struct checker_verdict stage_explore(uint32_t format, enum sim_memory_order order, uint64_t bound, FILE *trace)
{
	struct stage stage;

	describe(&stage, format, order);
	return checker_explore(&stage.program, bound, trace);
}

struct checker_replay stage_replay(uint32_t format, enum sim_memory_order order, const struct schedule *schedule,
				   const struct checker_show *show, FILE *trace)
{
	struct stage stage;

	describe(&stage, format, order);
	stage.program.show = show;
	return checker_replay(&stage.program, schedule, trace);
}
