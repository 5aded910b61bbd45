/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "bench/measure.h"

struct trail {
	char order[256];
	size_t length;
	unsigned slow; /* every so many runs of b take long; 0: none */
	unsigned runs;
};

static void mark(void *ctx, char c)
{
	struct trail *t = ctx;

	if (t->length < sizeof(t->order) - 1)
		t->order[t->length++] = c;
}

static void before_a(void *ctx)
{
	mark(ctx, '<');
}

static void run_a(void *ctx)
{
	mark(ctx, 'a');
}

static void after_a(void *ctx)
{
	mark(ctx, '>');
}

/* Sleeping is a switch of one's own will: however loaded the machine, it is no preemption, which would void the sample. */
static void run_b(void *ctx)
{
	const struct timespec pause = {.tv_nsec = 1000000};
	struct trail *t = ctx;

	mark(t, 'b');
	if (t->slow && ++t->runs % t->slow == 0)
		(void)nanosleep(&pause, NULL);
}

static const struct measure_step steps[] = {{before_a, run_a, after_a}, {NULL, run_b, NULL}};

static void steps_take_turns(void **state)
{
	const struct measure_plan plan = {5, 1};
	struct trail t = {0};
	struct measure_stat s[2];

	measure(&plan, steps, 2, &t, s);
	/* A preempted sample is taken again: at least five turns, each with all steps in their order. */
	assert_true(t.length >= 20);
	for (size_t i = 0; i < t.length; i++)
		assert_int_equal(t.order[i], "<a>b"[i % 4]);
	assert_int_equal(s[0].samples, 5);
	assert_int_equal(s[1].samples, 5);
}

static void only_the_run_is_timed(void **state)
{
	const struct measure_step backwards[] = {{run_b, run_a, run_b}};
	const struct measure_plan plan = {9, 1};
	struct trail t = {.slow = 1};
	struct measure_stat s;

	measure(&plan, backwards, 1, &t, &s);
	assert_true(s.median < 500000);
}

static void the_median_is_not_the_mean(void **state)
{
	double sample[] = {40, 400, 41, 42, 43, 44, 45, 46};
	const struct measure_stat s = measure_summary(sample, 8);

	assert_true(s.median >= 43.5 && s.median <= 43.5);
	assert_true(s.min <= 40 && s.max >= 400);
	assert_true(s.low >= 42 && s.low <= 42 && s.high >= 45 && s.high <= 45);
}

static void a_wide_spread_is_tried_again(void **state)
{
	const struct measure_plan plan = {8, 3};
	struct trail t = {.slow = 2};
	struct measure_stat s[2];

	measure(&plan, steps, 2, &t, s);
	assert_true(measure_spread(&s[1]) > MEASURE_SPREAD_MAX);
	assert_true(t.runs >= 3 * 8);
}

static void spread_is_a_share_of_the_median(void **state)
{
	const struct measure_stat s = {.median = 200, .low = 190, .high = 230}, none = {0};
	const struct measure_stat twice = measure_scaled(&s, 2);

	assert_true(measure_spread(&s) > 0.199 && measure_spread(&s) < 0.201);
	assert_true(measure_spread(&none) <= 0);
	assert_true(twice.median >= 400 && twice.median <= 400 && measure_spread(&twice) < 0.201);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(steps_take_turns),
		cmocka_unit_test(only_the_run_is_timed),
		cmocka_unit_test(the_median_is_not_the_mean),
		cmocka_unit_test(a_wide_spread_is_tried_again),
		cmocka_unit_test(spread_is_a_share_of_the_median),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
