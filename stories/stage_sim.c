/* SPDX-License-Identifier: MIT */
/* The stage on the simulated machine, and the program that explores one story. */
#include "stories/story.h"
#include "checker/explore.h"

#include <stdlib.h>
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

void cop_stage_detach(struct cop_tree *tree)
{
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

void cop_stage_fail(const char *rule, const char *what, struct cop_stage_at at)
{
	sim.cpu[sim.current].at = at_of(at);
	sim_fail(rule, "%s:%d: %s", at.file, at.line, what);
}

/* Actors and hooks of a story take its own type, those of a program void. */
#define MAX_ACTORS SIM_CPUS

static void run_setup(void *w)
{
	cop_story.setup(w);
}

static void run_check(void *w)
{
	cop_story.check(w);
}

static void run_actor(void *w)
{
	for (const struct cop_actor *a = cop_story.actors; a->name; a++) {
		if (a->cpu == sim.current)
			a->run(w);
	}
}

static const struct cop_variant *variant_named(const char *name)
{
	for (const struct cop_variant *v = cop_story.variants; v->name; v++) {
		if (!strcmp(v->name, name))
			return v;
	}
	fprintf(stderr, "%s has no variant %s\n", cop_story.id, name);
	exit(2);
}

static bool as_expected(const struct cop_variant *variant, const struct checker_verdict *v)
{
	if (variant->outcome == COP_EXHAUSTED)
		return v->result == CHECKER_EXHAUSTED;
	return v->result == CHECKER_FAILS && !strcmp(v->report.rule, variant->rule);
}

int main(int argc, char **argv)
{
	const struct cop_variant *variant = variant_named(argc > 1 ? argv[1] : "fixed");
	uint64_t bound = argc > 2 ? strtoull(argv[2], NULL, 0) : 10000000;
	struct checker_actor actors[MAX_ACTORS + 1] = {{.name = NULL}};
	struct checker_program program = {.setup = run_setup,
					  .check = run_check,
					  .actors = actors,
					  .world = cop_story.world,
					  .world_bytes = cop_story.world_bytes,
					  .pa_bytes = COP_STAGE_PA_BYTES};
	struct checker_verdict v;
	unsigned n = 0;

	for (const struct cop_actor *a = cop_story.actors; a->name && n < MAX_ACTORS; a++)
		actors[n++] = (struct checker_actor){.name = a->name, .cpu = a->cpu, .run = run_actor};
	printf("%s %s: %s\n\n", cop_story.id, variant->name, cop_story.title);
	v = checker_explore(&program, bound, stdout);
	putchar('\n');
	checker_print(stdout, &v);
	if (as_expected(variant, &v))
		return 0;
	printf("expected: %s %s\n", variant->outcome == COP_EXHAUSTED ? "exhausted" : "fails",
	       variant->rule ? variant->rule : "");
	return 1;
}
