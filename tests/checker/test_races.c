/* SPDX-License-Identifier: MIT */
/* Data races of stores that wait: they come where the program has them, however late they are made. */
#include "tests/checker/found.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

struct world {
	uint64_t data, flag, other, go;
};
static struct world world;
static bool met; /* in any execution: not put back */

/* Behind a fence, then a flag. */
static void send_fence(void *arg)
{
	struct world *w = arg;

	cop_write(&w->data, 1);
	cop_fence_release();
	cop_store(&w->flag, 1, relaxed);
}

static void send_release(void *arg)
{
	struct world *w = arg;

	cop_write(&w->data, 1);
	cop_store(&w->flag, 1, release);
}

/* The fence comes too late for the flag. */
static void send_fence_late(void *arg)
{
	struct world *w = arg;

	cop_write(&w->data, 1);
	cop_store(&w->flag, 1, relaxed);
	cop_fence_release();
}

static void receive(void *arg)
{
	struct world *w = arg;

	if (cop_load(&w->flag, acquire))
		(void)cop_read(&w->data);
}

/* Store buffering: neither sees anything of the other only if the flag is made after all of this. */
static void tell(struct world *w)
{
	if (cop_load(&w->other, relaxed))
		cop_store(&w->go, 2, relaxed);
	else
		cop_store(&w->go, 1, relaxed);
}

static void write_after_flag(void *arg)
{
	struct world *w = arg;

	cop_store(&w->flag, 1, release);
	cop_write(&w->data, 1);
	tell(w);
}

static void write_before_flag(void *arg)
{
	struct world *w = arg;

	cop_write(&w->data, 1);
	cop_store(&w->flag, 1, release);
	tell(w);
}

static void read_if_flag_came_late(void *arg)
{
	struct world *w = arg;
	uint64_t told;

	cop_store(&w->other, 1, relaxed);
	cop_fence_full();
	if (cop_load(&w->flag, acquire))
		return;
	cop_await(&w->go, told, told);
	if (told == 2)
		return;
	cop_await(&w->flag, told, told == 1);
	met |= cop_read(&w->data) == 1;
}

static void setup(void *arg)
{
	memset(arg, 0, sizeof(struct world));
}

static struct checker_verdict run(void (*first)(void *), void (*second)(void *), enum sim_memory_order order,
				  bool plain_waits)
{
	const struct checker_actor actors[] = {{"first", 0, first}, {"second", 1, second}, {NULL, 0, NULL}};
	const struct checker_program p = {.setup = setup,
					  .actors = actors,
					  .world = &world,
					  .world_bytes = sizeof(world),
					  .order = order,
					  .plain_waits = plain_waits};

	met = false;
	return found(checker_explore(&p, 100000, NULL));
}

static void is_ordered(void (*first)(void *), void (*second)(void *), enum sim_memory_order order, bool plain_waits)
{
	struct checker_verdict v = run(first, second, order, plain_waits);

	if (v.result != CHECKER_EXHAUSTED)
		fail_msg("order %d, plain stores %s: %s", order, plain_waits ? "wait" : "do not wait", v.report.text);
}

static void is_race(void (*first)(void *), void (*second)(void *), enum sim_memory_order order, bool plain_waits)
{
	struct checker_verdict v = run(first, second, order, plain_waits);

	if (v.result != CHECKER_FAILS || strcmp(v.report.rule, "data-race") != 0)
		fail_msg("order %d, plain stores %s: %s", order, plain_waits ? "wait" : "do not wait",
			 v.report.rule ? v.report.text : checker_result_name(v.result));
}

/* A store that is made after a fence was issued before it, and the fence is for what follows. */
static void test_fence(void **state)
{
	(void)state;
	for (unsigned waits = 0; waits < 2; waits++) {
		for (enum sim_memory_order order = SIM_ORDER_SC; order <= SIM_ORDER_WEAK; order++) {
			is_ordered(send_fence, receive, order, waits);
			is_ordered(send_release, receive, order, waits);
			is_race(send_fence_late, receive, order, waits);
		}
	}
}

/* What its CPU does after a release is no part of it, though the release is made later still. */
static void test_release_waits(void **state)
{
	(void)state;
	is_ordered(write_after_flag, read_if_flag_came_late, SIM_ORDER_SC, false);
	is_race(write_after_flag, read_if_flag_came_late, SIM_ORDER_TSO, false);
	is_race(write_after_flag, read_if_flag_came_late, SIM_ORDER_WEAK, false);
	is_ordered(write_before_flag, read_if_flag_came_late, SIM_ORDER_TSO, false);
	assert_true(met);
	is_ordered(write_before_flag, read_if_flag_came_late, SIM_ORDER_WEAK, false);
	assert_true(met);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fence),
		cmocka_unit_test(test_release_waits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
