/* SPDX-License-Identifier: MIT */
/* What ends a search before all of it was done: preemptions, seconds, executions; and what a verdict says then. */
#include "tests/checker/found.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

struct world {
	uint64_t x, seen[2];
};
static struct world world;

static void setup(void *arg)
{
	memset(arg, 0, sizeof(struct world));
}

/* Lost if the other one comes in between. */
static void increment(void *arg)
{
	struct world *w = arg;

	cop_store(&w->x, cop_load(&w->x, relaxed) + 1, relaxed);
}

static void sum_is_two(void *arg)
{
	if (((struct world *)arg)->x != 2)
		sim_fail("assert", "lost");
}

/* Both are seen only if this one is left for the other and that one for this again. */
static void store_twice(void *arg)
{
	struct world *w = arg;

	cop_store(&w->x, 1, relaxed);
	cop_store(&w->x, 2, relaxed);
}

static void load_twice(void *arg)
{
	struct world *w = arg;

	for (unsigned i = 0; i < 2; i++)
		w->seen[i] = cop_load(&w->x, relaxed);
}

static void not_both_seen(void *arg)
{
	const struct world *w = arg;

	if (w->seen[0] == 1 && w->seen[1] == 2)
		sim_fail("assert", "both");
}

static void store_often(void *arg)
{
	for (unsigned i = 0; i < 20; i++)
		cop_store(&((struct world *)arg)->x, i, relaxed);
}

static const struct checker_actor increments[] = {{"a", 0, increment}, {"b", 1, increment}, {NULL, 0, NULL}};
static const struct checker_actor stores_and_loads[] = {
	{"stores", 0, store_twice}, {"loads", 1, load_twice}, {NULL, 0, NULL}};
static const struct checker_actor endless[] = {
	{"a", 0, store_often}, {"b", 1, store_often}, {"c", 2, store_often}, {NULL, 0, NULL}};

static struct checker_verdict run(const struct checker_actor *actors, void (*check)(void *), unsigned rounds,
				  double seconds, uint64_t bound)
{
	const struct checker_program p = {.setup = setup,
					  .check = check,
					  .actors = actors,
					  .world = &world,
					  .world_bytes = sizeof(world),
					  .rounds = rounds,
					  .seconds = seconds};

	return found(checker_explore(&p, bound, NULL));
}

static void is_bounded(const struct checker_verdict *v, const char *limit)
{
	assert_int_equal(v->result, CHECKER_BOUNDED);
	assert_non_null(v->limit);
	assert_string_equal(v->limit, limit);
}

static void is_failure(const struct checker_verdict *v)
{
	assert_int_equal(v->result, CHECKER_FAILS);
	assert_string_equal(v->report.rule, "assert");
	assert_null(v->limit);
	assert_true(v->replays);
}

static void test_preemptions(void **state)
{
	struct checker_verdict v;

	(void)state;
	/* One after the other, either first. */
	v = run(increments, sum_is_two, 1, 0, 0);
	is_bounded(&v, "preemptions");
	assert_int_equal(v.executions, 2);
	v = run(increments, sum_is_two, 2, 0, 0);
	is_failure(&v);
	v = run(increments, sum_is_two, 0, 0, 0);
	is_failure(&v);
	for (unsigned rounds = 1; rounds < 3; rounds++) {
		v = run(stores_and_loads, not_both_seen, rounds, 0, 0);
		is_bounded(&v, "preemptions");
	}
	v = run(stores_and_loads, not_both_seen, 3, 0, 0);
	is_failure(&v);
	/* All there is was run, and still that is nothing that a bounded search says. */
	v = run(increments, NULL, 9, 0, 0);
	is_bounded(&v, "preemptions");
	v = run(increments, NULL, 0, 0, 0);
	assert_int_equal(v.result, CHECKER_EXHAUSTED);
	assert_null(v.limit);
}

static void test_executions(void **state)
{
	struct checker_verdict v;

	(void)state;
	v = run(endless, NULL, 0, 0, 100);
	is_bounded(&v, "executions");
	assert_int_equal(v.executions, 100);
	/* Of all rounds together. */
	v = run(endless, NULL, 5, 0, 100);
	is_bounded(&v, "executions");
	assert_int_equal(v.executions, 100);
}

static void test_seconds(void **state)
{
	struct checker_verdict v;

	(void)state;
	v = run(endless, NULL, 0, 0.05, 0);
	is_bounded(&v, "seconds");
	assert_true(v.seconds >= 0.05 && v.seconds < 10);
	assert_true(v.executions > 1);
	v = run(endless, NULL, 1000, 0.05, 0);
	is_bounded(&v, "seconds");
	/* Time that is left over changes nothing. */
	v = run(increments, sum_is_two, 0, 1000, 0);
	is_failure(&v);
	v = run(increments, NULL, 0, 1000, 0);
	assert_int_equal(v.result, CHECKER_EXHAUSTED);
	assert_null(v.limit);
	/* Whichever is hit first. */
	v = run(endless, NULL, 0, 1000, 10);
	is_bounded(&v, "executions");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_preemptions),
		cmocka_unit_test(test_executions),
		cmocka_unit_test(test_seconds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
