/* SPDX-License-Identifier: MIT */
/* The explorer: all interleavings and no more, the same ones again, waits, grace periods, honest bounds. */
#include "tests/checker/found.h"
#include "tests/checker/toy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static struct toy_world world;

static struct checker_verdict explore(void (*a)(void *), void (*b)(void *), bool every_access, uint64_t bound,
				      FILE *trace)
{
	const struct checker_actor actors[] = {{"a", 0, a}, {b ? "b" : NULL, 1, b}, {NULL, 0, NULL}};
	struct checker_program p = {.setup = toy_setup,
				    .check = toy_free_rest,
				    .actors = actors,
				    .world = &world,
				    .world_bytes = sizeof(world),
				    .every_access = every_access};

	return checker_explore(&p, bound, trace);
}

static void expect(void (*a)(void *), void (*b)(void *), const char *rule)
{
	struct checker_verdict v = found(explore(a, b, false, 100000, NULL));

	if (!rule && v.result != CHECKER_EXHAUSTED)
		fail_msg("%s: %s", v.report.rule, v.report.text);
	if (!rule)
		return;
	assert_int_equal(v.result, CHECKER_FAILS);
	assert_string_equal(v.report.rule, rule);
}

/* Counting. */

static void three_stores(void *arg)
{
	struct toy_world *w = arg;

	for (unsigned i = 1; i <= 3; i++)
		cop_store(&w->flag, i, relaxed);
}

static void three_other_stores(void *arg)
{
	struct toy_world *w = arg;

	for (unsigned i = 1; i <= 3; i++)
		cop_store(&w->flag2, i, relaxed);
}

static void test_counts(void **state)
{
	struct checker_verdict v;

	(void)state;
	/* 6 choose 3. */
	v = explore(three_stores, three_stores, false, 1000, NULL);
	assert_int_equal(v.result, CHECKER_EXHAUSTED);
	assert_int_equal(v.executions, 20);
	/* Nothing in common: one execution stands for all. */
	for (unsigned every_access = 0; every_access < 2; every_access++) {
		v = explore(three_stores, three_other_stores, every_access, 1000, NULL);
		assert_int_equal(v.result, CHECKER_EXHAUSTED);
		assert_int_equal(v.executions, 1);
	}
	v = explore(three_stores, three_stores, false, 19, NULL);
	assert_int_equal(v.result, CHECKER_BOUNDED);
	v = explore(three_stores, three_stores, false, 20, NULL);
	assert_int_equal(v.result, CHECKER_EXHAUSTED);
}

/* Final states: a lost update is found, and both ways agree on it. */

static unsigned seen[8];

static void increment(void *arg)
{
	struct toy_world *w = arg;

	cop_store(&w->flag, cop_load(&w->flag, relaxed) + 1, relaxed);
}

static void increment_atomically(void *arg)
{
	cop_fetch_add(&((struct toy_world *)arg)->flag, 1, relaxed);
}

static void increment_locked(void *arg)
{
	struct toy_world *w = arg;

	cop_spin_lock(&w->lock);
	cop_write(&w->flag, cop_read(&w->flag) + 1);
	cop_spin_unlock(&w->lock);
}

static void note_sum(void *arg)
{
	seen[((struct toy_world *)arg)->flag]++;
	toy_free_rest(arg);
}

static void sums(void (*run)(void *), bool every_access)
{
	const struct checker_actor actors[] = {{"a", 0, run}, {"b", 1, run}, {NULL, 0, NULL}};
	struct checker_program p = {.setup = toy_setup,
				    .check = note_sum,
				    .actors = actors,
				    .world = &world,
				    .world_bytes = sizeof(world),
				    .every_access = every_access};
	struct checker_verdict v;

	memset(seen, 0, sizeof(seen));
	v = checker_explore(&p, 1000, NULL);
	assert_int_equal(v.result, CHECKER_EXHAUSTED);
	assert_true(seen[2] > 0);
}

static void test_final_states(void **state)
{
	(void)state;
	for (unsigned every = 0; every < 2; every++) {
		sums(increment, every);
		assert_true(seen[1] > 0);
		sums(increment_atomically, every);
		assert_int_equal(seen[1], 0);
		sums(increment_locked, every);
		assert_int_equal(seen[1], 0);
	}
}

/* Waiting. */

static void await_flag(void *arg)
{
	uint64_t v;

	cop_await(&((struct toy_world *)arg)->flag, v, v == 3);
}

static void await_four(void *arg)
{
	uint64_t v;

	cop_await(&((struct toy_world *)arg)->flag, v, v == 4);
}

static void lock_and_keep(void *arg)
{
	cop_spin_lock(&((struct toy_world *)arg)->lock);
}

static void test_waiting(void **state)
{
	(void)state;
	expect(three_stores, await_flag, NULL);
	expect(three_stores, await_four, "deadlock");
	expect(lock_and_keep, lock_and_keep, "deadlock");
}

/* Grace periods: a table stays while a walker that read its link is in a read section. */

static void free_table(cop_rcu *rcu)
{
	struct toy_world *w = (struct toy_world *)(void *)((char *)rcu - offsetof(struct toy_world, rcu));

	sim_frame_free(w->table, TOY_PAGE, SIM_AT);
}

static void unlink_table(struct toy_world *w)
{
	cop_store(toy_entry(w->root, 0), 0, relaxed);
	cop_store(toy_entry(w->table, 0), 0, relaxed);
	cop_mmu_publish();
	toy_invalidate(TOY_VA, TOY_BLOCK, COP_TLBI_TABLES);
	cop_tlb_sync();
}

static void reclaim_deferred(void *arg)
{
	struct toy_world *w = arg;

	unlink_table(w);
	cop_rcu_defer(&w->rcu, free_table);
}

static void reclaim_synced(void *arg)
{
	struct toy_world *w = arg;

	unlink_table(w);
	cop_rcu_sync();
	sim_frame_free(w->table, TOY_PAGE, SIM_AT);
}

static void reclaim_at_once(void *arg)
{
	struct toy_world *w = arg;

	unlink_table(w);
	sim_frame_free(w->table, TOY_PAGE, SIM_AT);
}

static void reclaim_before_unlink(void *arg)
{
	struct toy_world *w = arg;

	cop_rcu_sync();
	unlink_table(w);
	sim_frame_free(w->table, TOY_PAGE, SIM_AT);
}

static void software_walk(struct toy_world *w)
{
	uint64_t link = cop_load(toy_entry(w->root, 0), acquire);

	if (link & TOY_VALID)
		(void)cop_load(toy_entry(TOY_PA(link), 0), relaxed);
}

static void walk_reading(void *arg)
{
	cop_rcu_read_lock();
	software_walk(arg);
	cop_rcu_read_unlock();
}

static void walk_not_reading(void *arg)
{
	software_walk(arg);
}

static void walk_irqs_off(void *arg)
{
	uintptr_t flags = cop_irq_save();

	software_walk(arg);
	cop_irq_restore(flags);
}

static void test_grace_periods(void **state)
{
	(void)state;
	expect(reclaim_deferred, walk_reading, NULL);
	expect(reclaim_synced, walk_reading, NULL);
	expect(reclaim_synced, walk_irqs_off, NULL);
	expect(reclaim_at_once, walk_reading, "walker-in-freed-table");
	expect(reclaim_before_unlink, walk_reading, "walker-in-freed-table");
	expect(reclaim_deferred, walk_not_reading, "walker-in-freed-table");
}

/* The end: what is not freed is reported, and a failing execution can be had again. */

static void leak(void *arg)
{
	sim_detach(((struct toy_world *)arg)->root);
}

static void nothing(void *unused)
{
	(void)unused;
}

static void test_leak(void **state)
{
	const struct checker_actor actors[] = {{"a", 0, nothing}, {NULL, 0, NULL}};
	struct checker_program p = {
		.setup = toy_setup, .check = leak, .actors = actors, .world = &world, .world_bytes = sizeof(world)};

	(void)state;
	assert_string_equal(found(checker_explore(&p, 10, NULL)).report.rule, "leak");
}

static void test_same_again(void **state)
{
	struct checker_verdict v[2];
	char *trace[2];

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		size_t bytes = 0;
		FILE *f = open_memstream(&trace[i], &bytes);

		v[i] = explore(reclaim_before_unlink, walk_reading, false, 100000, f);
		fclose(f);
		assert_true(bytes > 0);
	}
	assert_int_equal(v[0].executions, v[1].executions);
	assert_true(v[0].replays && v[1].replays);
	assert_int_equal(v[0].schedule.steps, v[1].schedule.steps);
	assert_memory_equal(v[0].schedule.actor, v[1].schedule.actor, v[0].schedule.steps);
	checker_verdict_free(&v[0]);
	checker_verdict_free(&v[1]);
	assert_string_equal(v[0].report.text, v[1].report.text);
	assert_string_equal(trace[0], trace[1]);
	if (!strstr(trace[0], "  store PMD[0]: table 0x2000 -> empty "))
		fail_msg("%s", trace[0]);
	free(trace[0]);
	free(trace[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_counts),  cmocka_unit_test(test_final_states),
		cmocka_unit_test(test_waiting), cmocka_unit_test(test_grace_periods),
		cmocka_unit_test(test_leak),    cmocka_unit_test(test_same_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
