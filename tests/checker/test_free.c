/* SPDX-License-Identifier: MIT */
/*
 * One CPU frees frames while another writes entries: whichever comes first must be seen, where an entry maps what is freed,
 * and where it does not nothing branches.
 */
#include "tests/checker/toy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

enum write { NOTHING, CLEAR_PAGE, MAP_PAGE, MAP_OTHER, UNLINK, CLEAR_BLOCK };

struct world {
	struct toy_world toy;
	enum write write;
	cop_pa freed;
	uint64_t bytes;
};
static struct world world;

static struct outcomes {
	unsigned mapped, translatable, none, executions;
} seen;

static void setup(void *arg)
{
	struct world *w = arg;

	toy_setup(&w->toy);
	if (w->freed == w->toy.other || w->write == MAP_PAGE)
		cop_store(toy_entry(w->toy.table, 0), 0, relaxed);
}

static void write_entry(void *arg)
{
	struct world *w = arg;

	switch (w->write) {
	case CLEAR_PAGE:
		cop_store(toy_entry(w->toy.table, 0), 0, relaxed);
		return;
	case MAP_PAGE:
		cop_store(toy_entry(w->toy.table, 1), w->toy.page | TOY_VALID, relaxed);
		return;
	case MAP_OTHER:
		cop_store(toy_entry(w->toy.table, 1), w->toy.other | TOY_VALID, relaxed);
		return;
	case UNLINK:
		cop_store(toy_entry(w->toy.root, 0), 0, relaxed);
		return;
	case CLEAR_BLOCK:
		cop_store(toy_entry(w->toy.root, 1), 0, relaxed);
		return;
	default:
		return;
	}
}

static void free_frame(void *arg)
{
	const struct world *w = arg;

	sim_frame_free(w->freed, w->bytes, SIM_AT);
}

static bool failed_by(const char *rule)
{
	bool any = false;

	for (unsigned c = 0; c < SIM_ALL_CPUS; c++)
		any |= sim.cpu[c].failed && !strcmp(sim.cpu[c].failed, rule);
	return any;
}

static void over(void *unused, bool deadlock)
{
	const bool mapped = failed_by("freed-while-mapped"), translatable = failed_by("freed-while-translatable");

	(void)unused;
	assert_false(deadlock);
	seen.mapped += mapped;
	seen.translatable += translatable;
	seen.none += !mapped && !translatable;
	seen.executions++;
}

static struct outcomes explore(enum write what, cop_pa freed, uint64_t bytes, bool unreduced)
{
	const struct checker_actor actors[] = {{"write", 0, write_entry}, {"free", 1, free_frame}, {NULL, 0, NULL}};
	const struct checker_program p = {.setup = setup,
					  .over = over,
					  .actors = actors,
					  .world = &world,
					  .world_bytes = sizeof(world),
					  .unreduced = unreduced};

	world = (struct world){.write = what, .freed = freed, .bytes = bytes};
	memset(&seen, 0, sizeof(seen));
	assert_int_equal(checker_explore(&p, 0, NULL).result, CHECKER_EXHAUSTED);
	return seen;
}

/* Where the toy puts its frames; frame 0 stays free. */
#define PAGE  (3 * TOY_PAGE)
#define OTHER (4 * TOY_PAGE)

static void test_what_is_written(void **state)
{
	(void)state;
	for (unsigned unreduced = 0; unreduced < 2; unreduced++) {
		struct outcomes f = explore(CLEAR_PAGE, PAGE, TOY_PAGE, unreduced);

		/* Before it is cleared, and afterwards, as nobody invalidates. */
		assert_true(f.mapped && f.translatable && !f.none);
		f = explore(UNLINK, PAGE, TOY_PAGE, unreduced);
		assert_true(f.mapped && f.translatable && !f.none);
		f = explore(CLEAR_BLOCK, TOY_BLOCK, TOY_BLOCK, unreduced);
		assert_true(f.mapped && f.translatable && !f.none);
		f = explore(MAP_PAGE, PAGE, TOY_PAGE, unreduced);
		assert_true(f.mapped && !f.translatable && f.none);
		f = explore(MAP_OTHER, OTHER, TOY_PAGE, unreduced);
		assert_true(f.mapped && !f.translatable && f.none);
	}
}

static void test_what_is_not(void **state)
{
	const struct outcomes f = explore(MAP_OTHER, PAGE, TOY_PAGE, false);

	(void)state;
	assert_int_equal(f.executions, 1);
	assert_int_equal(f.mapped, 1);
	assert_int_equal(explore(NOTHING, PAGE, TOY_PAGE, false).executions, 1);
}

int main(void)
{
	const struct CMUnitTest all[] = {
		cmocka_unit_test(test_what_is_written),
		cmocka_unit_test(test_what_is_not),
	};

	return cmocka_run_group_tests(all, NULL, NULL);
}
