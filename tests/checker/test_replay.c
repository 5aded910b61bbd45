/* SPDX-License-Identifier: MIT */
/* A failing execution runs again from its string, whatever the memory order, and has no switch that it can do without. */
#include "checker/run.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

struct world {
	uint64_t x, y, z, noise[9];
	uint64_t r[2];
};
static struct world world;

static void setup(void *w)
{
	(void)w;
}

/* Store buffering, message passing: what x86-64 may do, and what only a weak order may. Much beside it that is private. */
static void noise(struct world *w, unsigned from)
{
	for (unsigned i = 0; i < 4; i++)
		cop_store(&w->noise[from + i], i, relaxed);
}

static void sb_a(void *arg)
{
	struct world *w = arg;

	noise(w, 0);
	cop_store(&w->x, 1, relaxed);
	noise(w, 0);
	w->r[0] = cop_load(&w->y, relaxed);
}

static void sb_b(void *arg)
{
	struct world *w = arg;

	noise(w, 4);
	cop_store(&w->y, 1, relaxed);
	cop_store(&w->z, 1, relaxed);
	w->r[1] = cop_load(&w->x, relaxed);
}

static void sb_check(void *arg)
{
	struct world *w = arg;

	if (!w->r[0] && !w->r[1])
		sim_fail("assert", "both loads came first");
}

static void mp_a(void *arg)
{
	struct world *w = arg;

	noise(w, 0);
	cop_store(&w->x, 1, relaxed);
	noise(w, 0);
	cop_store(&w->y, 1, relaxed);
}

static void mp_b(void *arg)
{
	struct world *w = arg;

	w->r[0] = cop_load(&w->y, relaxed);
	w->r[1] = cop_load(&w->x, relaxed);
}

static void mp_check(void *arg)
{
	struct world *w = arg;

	if (w->r[0] && !w->r[1])
		sim_fail("assert", "the message, and not what it is about");
}

/* Sequentially consistent: an update lost between a load and a store, after others that are not. */
static void lose(void *arg)
{
	struct world *w = arg;

	for (unsigned i = 0; i < 3; i++)
		cop_store(&w->x, cop_load(&w->x, relaxed) + 1, relaxed);
}

static void lost_check(void *arg)
{
	struct world *w = arg;

	if (w->x == 2)
		sim_fail("assert", "four of six are lost");
}

struct test {
	void (*a)(void *), (*b)(void *), (*check)(void *);
	enum sim_memory_order order;
	unsigned switches; /* at most */
};
static const struct test tests[] = {
	{sb_a, sb_b, sb_check, SIM_ORDER_TSO, 8},
	{sb_a, sb_b, sb_check, SIM_ORDER_WEAK, 8},
	{mp_a, mp_b, mp_check, SIM_ORDER_WEAK, 8},
	{lose, lose, lost_check, SIM_ORDER_SC, 5},
};

static struct checker_program program_of(const struct test *t, const struct checker_actor *actors)
{
	return (struct checker_program){.setup = setup,
					.check = t->check,
					.actors = actors,
					.world = &world,
					.world_bytes = sizeof(world),
					.order = t->order};
}

static unsigned switches(const struct schedule *s)
{
	unsigned n = 0;

	for (uint32_t i = 1; i < s->steps; i++)
		n += s->actor[i] != s->actor[i - 1];
	return n;
}

static void test_again(void **state)
{
	const struct schedule_name name = {"T1", "fixed", "toy", "sc", "0"};

	(void)state;
	for (size_t i = 0; i < sizeof(tests) / sizeof(*tests); i++) {
		const struct checker_actor actors[] = {{"a", 0, tests[i].a}, {"b", 1, tests[i].b}, {NULL, 0, NULL}};
		const struct checker_program p = program_of(&tests[i], actors);
		struct checker_verdict v;
		struct schedule_string s;
		struct checker_replay r;
		char *text;

		memset(&world, 0, sizeof(world));
		v = checker_explore(&p, 1000000, NULL);
		assert_int_equal(v.result, CHECKER_FAILS);
		assert_true(v.replays);
		if (switches(&v.schedule) > tests[i].switches)
			fail_msg("%zu: %u switches", i, switches(&v.schedule));
		text = schedule_print(&name, &v.schedule);
		s = schedule_parse(text);
		assert_null(s.error);
		memset(&world, 0, sizeof(world));
		r = checker_replay(&p, &s.schedule, NULL);
		assert_int_equal(r.lost, 0);
		assert_string_equal(r.report.rule, v.report.rule);
		assert_string_equal(r.report.text, v.report.text);
		schedule_free(&s.schedule);
		checker_verdict_free(&v);
		free(text);
	}
}

static void any_lost_check(void *arg)
{
	struct world *w = arg;

	if (w->x != 6)
		sim_fail("assert", "some are lost");
}

/* One load that comes too early is enough: two switches of eleven. */
static void test_fewer(void **state)
{
	const struct test t = {lose, lose, any_lost_check, SIM_ORDER_SC, 2};
	const struct checker_actor actors[] = {{"a", 0, lose}, {"b", 1, lose}, {NULL, 0, NULL}};
	const struct checker_program p = program_of(&t, actors);
	uint8_t actor[] = {0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1};
	const struct schedule all = {.actor = actor, .steps = sizeof(actor)};
	struct schedule few;

	(void)state;
	memset(&world, 0, sizeof(world));
	assert_string_equal(checker_replay(&p, &all, NULL).report.rule, "assert");
	(void)run_begin(&p);
	few = shrink_schedule(&all, "assert", 60);
	run_end();
	assert_int_equal(few.steps, all.steps);
	assert_int_equal(switches(&few), t.switches);
	assert_string_equal(checker_replay(&p, &few, NULL).report.rule, "assert");
	schedule_free(&few);
}

/* Steps that the program does not have. */
static void test_lost(void **state)
{
	const struct checker_actor actors[] = {{"a", 0, mp_a}, {"b", 1, mp_b}, {NULL, 0, NULL}};
	const struct checker_program p = program_of(&tests[2], actors);
	uint8_t actor[100];
	const struct schedule s = {.actor = actor, .steps = sizeof(actor)};
	struct checker_replay r;

	(void)state;
	memset(actor, 1, sizeof(actor));
	r = checker_replay(&p, &s, NULL);
	assert_true(r.lost > 1 && r.lost < sizeof(actor));
	assert_null(r.report.rule);
	actor[0] = 9;
	r = checker_replay(&p, &s, NULL);
	assert_int_equal(r.lost, 1);
}

/* What a store buffer holds, what is private, and what has nothing to do with it. */
static void bystander(void *arg)
{
	struct world *w = arg;

	cop_store(&w->noise[8], 7, relaxed);
}

static void has(const char *text, const char *what)
{
	if (!strstr(text, what))
		fail_msg("no '%s' in:\n%s", what, text);
}

static void test_trace(void **state)
{
	const struct checker_actor actors[] = {{"a", 0, sb_a}, {"b", 1, sb_b}, {"c", 2, bystander}, {NULL, 0, NULL}};
	struct checker_program p = program_of(&tests[0], actors);
	char *text[3];
	size_t bytes[3];
	FILE *f[3];
	struct checker_show show = {.story = "T1", .variant = "a \"quoted\" one"};
	struct checker_verdict v;

	(void)state;
	for (unsigned i = 0; i < 3; i++)
		f[i] = open_memstream(&text[i], &bytes[i]);
	show.json = f[1];
	show.chrome = f[2];
	p.show = &show;
	memset(&world, 0, sizeof(world));
	v = checker_explore(&p, 1000000, f[0]);
	assert_true(v.replays);
	for (unsigned i = 0; i < 3; i++)
		fclose(f[i]);
	has(text[0], "both loads came first\n  rule    assert: ");
	has(text[0], "a on CPU 0");
	has(text[0], "buffers world+0: 0x1 ");
	has(text[0], "made: store world+0: 0 -> 0x1");
	has(text[0], "load world+0x8: 0 ");
	has(text[0], " private\n");
	has(text[0], "test_replay.c:");
	assert_null(strstr(text[0], "world+0x58")); /* the bystander's */
	has(text[1], "\"variant\":\"a \\\"quoted\\\" one\"");
	has(text[1], "\"op\":\"load\"");
	has(text[2], "\"traceEvents\":[");
	checker_verdict_free(&v);
	for (unsigned i = 0; i < 3; i++)
		free(text[i]);
}

static char *sample(void)
{
	const struct schedule_name name = {"T1", "fixed", "toy", "sc", "0123"};
	uint8_t actor[300] = {0}, shared[5] = {1, 1, 0, 0, 1};
	struct schedule_choice choice[2] = {{3, 0, 1}, {200, 2, 7}};
	const struct schedule s = {actor, sizeof(actor), choice, 2, shared, sizeof(shared)};

	memset(actor + 100, 11, 50);
	return schedule_print(&name, &s);
}

static void test_whole(void **state)
{
	char *text = sample();
	struct schedule_string s = schedule_parse(text);

	(void)state;
	assert_null(s.error);
	assert_string_equal(s.name.story, "T1");
	assert_string_equal(s.name.version, "0123");
	assert_int_equal(s.schedule.steps, 300);
	assert_int_equal(s.schedule.actor[149], 11);
	assert_int_equal(s.schedule.actor[150], 0);
	assert_int_equal(s.schedule.choices, 2);
	assert_int_equal(s.schedule.choice[1].pass, 200);
	assert_int_equal(s.schedule.choice[1].way, 7);
	assert_int_equal(s.schedule.asked, 5);
	assert_true(s.schedule.shared[1] && !s.schedule.shared[2] && s.schedule.shared[4]);
	schedule_free(&s.schedule);
	free(text);
}

/* Every prefix, and every string with one character changed, is refused. */
static void test_refused(void **state)
{
	char *text = sample();
	const size_t n = strlen(text);

	(void)state;
	for (size_t i = 0; i < n; i++) {
		const char was = text[i];

		text[i] = 0;
		assert_non_null(schedule_parse(text).error);
		text[i] = was == 'A' ? 'B' : 'A';
		assert_non_null(schedule_parse(text).error);
		text[i] = (char)0xff;
		assert_non_null(schedule_parse(text).error);
		text[i] = was;
	}
	free(text);
}

int main(void)
{
	const struct CMUnitTest all[] = {cmocka_unit_test(test_again), cmocka_unit_test(test_fewer),
					 cmocka_unit_test(test_lost),  cmocka_unit_test(test_whole),
					 cmocka_unit_test(test_trace), cmocka_unit_test(test_refused)};

	return cmocka_run_group_tests(all, NULL, NULL);
}
