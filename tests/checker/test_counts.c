/* SPDX-License-Identifier: MIT */
/* Programs of which the number of different executions is known: that many are run, no two the same, none given up. */
#include "bench/checker_programs.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

#define FEW 10000 /* executions whose fingerprints are kept */

static void expect_count(const struct plain_program *p, enum engine_reduction reduction)
{
	struct engine_program limits = {.reduction = reduction, .preemptions = ENGINE_UNBOUNDED};
	struct engine_result r;

	limits.fingerprints = p->executions <= FEW;
	r = plain_run(p, &limits);
	if (r.verdict != ENGINE_EXHAUSTED || r.executions != p->executions || r.duplicates || r.misled)
		fail_msg("%s: %llu executions, %llu twice, %llu misled", p->name, (unsigned long long)r.executions,
			 (unsigned long long)r.duplicates, (unsigned long long)r.misled);
	if (reduction == ENGINE_OPTIMAL && r.blocked)
		fail_msg("%s: %llu executions begun in vain", p->name, (unsigned long long)r.blocked);
}

static void test_source(void **state)
{
	(void)state;
	for (unsigned i = 0; i < plain_program_count; i++) {
		/* Of each of its executions source sets begin 22 more in vain. */
		if (plain_programs[i].wakeful && plain_programs[i].executions > FEW)
			continue;
		expect_count(&plain_programs[i], ENGINE_SOURCE);
	}
}

static void test_optimal(void **state)
{
	(void)state;
	for (unsigned i = 0; i < plain_program_count; i++) {
		if (plain_programs[i].wakeful || plain_programs[i].executions <= FEW)
			expect_count(&plain_programs[i], ENGINE_OPTIMAL);
	}
}

static void test_auto(void **state)
{
	(void)state;
	for (unsigned i = 0; i < plain_program_count; i++) {
		/* Elsewhere it does as source sets alone do. */
		if (plain_programs[i].executions <= FEW)
			expect_count(&plain_programs[i], ENGINE_AUTO);
	}
}

/* All interleavings of all events: the same executions, many of them more than once. */
static void test_unreduced(void **state)
{
	struct engine_program limits = {
		.reduction = ENGINE_NONE, .preemptions = ENGINE_UNBOUNDED, .fingerprints = true, .executions = 3000000};
	unsigned compared = 0;

	(void)state;
	for (unsigned i = 0; i < plain_program_count; i++) {
		const struct plain_program *p = &plain_programs[i];
		struct engine_result r;

		if (p->executions > 8)
			continue;
		r = plain_run(p, &limits);
		if (r.verdict != ENGINE_EXHAUSTED)
			continue;
		compared++;
		assert_int_equal(r.executions - r.duplicates, p->executions);
	}
	assert_true(compared >= 3);
}

static void test_bounds(void **state)
{
	struct engine_program limits = {.preemptions = ENGINE_UNBOUNDED, .executions = 3};

	(void)state;
	assert_int_equal(plain_run(&plain_programs[0], &limits).verdict, ENGINE_BOUNDED);
	limits.executions = 4;
	assert_int_equal(plain_run(&plain_programs[0], &limits).verdict, ENGINE_EXHAUSTED);
	limits.executions = 0;
	limits.seconds = 1e-9;
	assert_int_equal(plain_run(&plain_programs[1], &limits).verdict, ENGINE_BOUNDED);
	limits.seconds = 0;
	limits.preemptions = 100;
	assert_int_equal(plain_run(&plain_programs[0], &limits).verdict, ENGINE_BOUNDED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_source),    cmocka_unit_test(test_optimal), cmocka_unit_test(test_auto),
		cmocka_unit_test(test_unreduced), cmocka_unit_test(test_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
