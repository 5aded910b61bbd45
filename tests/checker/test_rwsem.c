/* SPDX-License-Identifier: MIT */
/* Reader-writer semaphores: who is inside together, who waits for whom, in every order. */
#include "tests/checker/found.h"
#include "tests/checker/toy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

static struct toy_world world;
static struct {
	unsigned most_readers;
	bool writer_first, reader_first;
} met; /* in any execution: not put back */

static void reader(void *arg)
{
	struct toy_world *w = arg;
	uint64_t inside;

	cop_rwsem_read_lock(&w->sem);
	inside = cop_fetch_add(&w->flag, 1ULL, relaxed) + 1;
	if (cop_load(&w->flag2, relaxed) & 1)
		sim_fail("assert", "a writer is inside");
	if (inside > met.most_readers)
		met.most_readers = (unsigned)inside;
	cop_fetch_add(&w->flag, -1ULL, relaxed);
	cop_rwsem_read_unlock(&w->sem);
}

static void writer(void *arg)
{
	struct toy_world *w = arg;

	cop_rwsem_write_lock(&w->sem);
	if (cop_fetch_add(&w->flag2, 1ULL, relaxed) & 1)
		sim_fail("assert", "another writer is inside");
	if (cop_load(&w->flag, relaxed))
		sim_fail("assert", "a reader is inside");
	cop_fetch_add(&w->flag2, 1ULL, relaxed);
	cop_rwsem_write_unlock(&w->sem);
}

static struct checker_verdict run(const struct checker_actor *actors, enum sim_memory_order order)
{
	struct checker_program p = {.setup = toy_setup,
				    .check = toy_free_rest,
				    .actors = actors,
				    .world = &world,
				    .world_bytes = sizeof(world),
				    .order = order};

	memset(&met, 0, sizeof(met));
	return found(checker_explore(&p, 1000000, NULL));
}

static void is_exhausted(const struct checker_actor *actors, enum sim_memory_order order)
{
	struct checker_verdict v = run(actors, order);

	if (v.result != CHECKER_EXHAUSTED)
		fail_msg("order %d: %s: %s", order, checker_result_name(v.result), v.report.text);
}

static void test_readers_together(void **state)
{
	static const struct checker_actor actors[] = {
		{"reader 1", 0, reader}, {"reader 2", 1, reader}, {"reader 3", 2, reader}, {NULL, 0, NULL}};

	(void)state;
	is_exhausted(actors, SIM_ORDER_SC);
	assert_int_equal(met.most_readers, 3);
}

static void test_writers_alone(void **state)
{
	static const struct checker_actor two_readers[] = {
		{"reader 1", 0, reader}, {"reader 2", 1, reader}, {"writer", 2, writer}, {NULL, 0, NULL}};
	static const struct checker_actor two_writers[] = {
		{"writer 1", 0, writer}, {"writer 2", 1, writer}, {"reader", 2, reader}, {NULL, 0, NULL}};

	(void)state;
	is_exhausted(two_readers, SIM_ORDER_SC);
	assert_int_equal(met.most_readers, 2);
	is_exhausted(two_writers, SIM_ORDER_SC);
}

/* One task after the other on a single CPU: whoever waits lets the others go on. */
static void test_shared_cpu(void **state)
{
	static const struct checker_actor actors[] = {{"reader", 0, reader}, {"writer", 1, writer}, {NULL, 0, NULL}};
	static const struct checker_place one_cpu[SIM_CPUS] = {{0, false}, {0, false}};
	struct checker_program p = {.setup = toy_setup,
				    .check = toy_free_rest,
				    .actors = actors,
				    .places = one_cpu,
				    .world = &world,
				    .world_bytes = sizeof(world)};

	(void)state;
	assert_int_equal(checker_explore(&p, 1000000, NULL).result, CHECKER_EXHAUSTED);
}

/* The one in front waits for the one behind: well, until a writer comes in between. */
static void in_front(void *arg)
{
	struct toy_world *w = arg;
	uint64_t told;

	cop_rwsem_read_lock(&w->sem);
	cop_store(&w->flag, 1ULL, release);
	cop_await(&w->flag2, told, told == 1);
	cop_rwsem_read_unlock(&w->sem);
}

static void behind(void *arg)
{
	struct toy_world *w = arg;
	uint64_t told;

	cop_await(&w->flag, told, told == 1);
	cop_rwsem_read_lock(&w->sem);
	cop_store(&w->flag2, 1ULL, release);
	cop_rwsem_read_unlock(&w->sem);
}

static void in_between(void *arg)
{
	struct toy_world *w = arg;

	cop_rwsem_write_lock(&w->sem);
	cop_rwsem_write_unlock(&w->sem);
}

static void test_writer_does_not_starve(void **state)
{
	static const struct checker_actor two[] = {{"front", 0, in_front}, {"behind", 1, behind}, {NULL, 0, NULL}};
	static const struct checker_actor three[] = {
		{"front", 0, in_front}, {"behind", 1, behind}, {"between", 2, in_between}, {NULL, 0, NULL}};
	struct checker_verdict v;

	(void)state;
	is_exhausted(two, SIM_ORDER_SC);
	v = run(three, SIM_ORDER_SC);
	assert_int_equal(v.result, CHECKER_FAILS);
	assert_string_equal(v.report.rule, "deadlock");
}

/* What the one has written plainly the next one reads, whatever the memory order. */
static void write_flag(void *arg)
{
	struct toy_world *w = arg;

	cop_rwsem_write_lock(&w->sem);
	cop_write(&w->flag, 1);
	cop_write(&w->flag2, 1);
	cop_rwsem_write_unlock(&w->sem);
}

static void read_flag(void *arg)
{
	struct toy_world *w = arg;
	bool first, second;

	cop_rwsem_read_lock(&w->sem);
	first = cop_read(&w->flag);
	second = cop_read(&w->flag2);
	cop_rwsem_read_unlock(&w->sem);
	if (first != second)
		sim_fail("assert", "half of what was written");
	met.writer_first |= first;
	met.reader_first |= !first;
}

static void test_orders_memory(void **state)
{
	static const struct checker_actor actors[] = {
		{"write", 0, write_flag}, {"read 1", 1, read_flag}, {"read 2", 2, read_flag}, {NULL, 0, NULL}};

	(void)state;
	for (enum sim_memory_order order = SIM_ORDER_SC; order <= SIM_ORDER_WEAK; order++) {
		is_exhausted(actors, order);
		assert_true(met.writer_first && met.reader_first);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_readers_together), cmocka_unit_test(test_writers_alone),
		cmocka_unit_test(test_shared_cpu),       cmocka_unit_test(test_writer_does_not_starve),
		cmocka_unit_test(test_orders_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
