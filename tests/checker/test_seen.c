/* SPDX-License-Identifier: MIT */
/* States in which executions have ended before are checked once; those that differ in anything, each by itself. */
#include "tests/checker/toy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

static struct toy_world world;
static void (*setup)(void *) = toy_setup;
static uint64_t checks; /* not put back */

/* A format in which a page that may still be written to does no harm. */
static enum cop_covers lenient_covers(const struct cop_geom *g, uint64_t old, uint64_t new_, unsigned level)
{
	(void)g, (void)level;
	if (!(old & TOY_VALID) || ((new_ & TOY_VALID) && !((old ^ new_) & ~TOY_WRITE)))
		return COP_COVERS_NONE;
	return COP_COVERS_LEAF;
}

static uint64_t lenient_empty(unsigned level)
{
	(void)level;
	return 0;
}

static uint64_t lenient_leaf(const struct cop_geom *g, cop_pa pa, unsigned level, uint32_t attrs)
{
	(void)g, (void)level, (void)attrs;
	return pa | TOY_VALID;
}

static void setup_lenient(void *arg)
{
	static struct cop_format lenient;

	lenient = toy_format;
	lenient.covers = lenient_covers;
	lenient.empty = lenient_empty;
	lenient.leaf = lenient_leaf;
	toy_setup_as(arg, &lenient);
}

static void check(void *arg)
{
	checks++;
	toy_free_rest(arg);
}

static struct checker_verdict run(void (*a)(void *), void (*b)(void *), void (*end)(void *), const char *disabled)
{
	const struct checker_actor actors[] = {{"a", 0, a}, {"b", 1, b}, {NULL, 0, NULL}};
	const struct checker_program p = {.setup = setup,
					  .check = end,
					  .actors = actors,
					  .world = &world,
					  .world_bytes = sizeof(world),
					  .disabled = disabled};

	checks = 0;
	return found(checker_explore(&p, 100000, NULL));
}

static void expect(void (*a)(void *), void (*b)(void *), uint64_t executions, uint64_t states)
{
	struct checker_verdict v = run(a, b, check, NULL);

	assert_int_equal(v.result, CHECKER_EXHAUSTED);
	assert_int_equal(v.executions, executions);
	if (checks != states)
		fail_msg("%llu states checked, expected %llu", (unsigned long long)checks, (unsigned long long)states);
}

static void three_stores(void *arg)
{
	for (uint64_t i = 1; i <= 3; i++)
		cop_store(&((struct toy_world *)arg)->flag, i, relaxed);
}

static void test_same(void **state)
{
	struct checker_verdict v;

	(void)state;
	expect(three_stores, three_stores, 20, 1);
	/* A rule that is not looked at may leave anything behind. */
	v = run(three_stores, three_stores, check, "wrong-operand");
	assert_int_equal(v.executions, 20);
	assert_true(checks >= 20);
}

/* In the program's world. */
static void store_1(void *arg)
{
	cop_store(&((struct toy_world *)arg)->flag, 1, relaxed);
}

static void store_2(void *arg)
{
	cop_store(&((struct toy_world *)arg)->flag, 2, relaxed);
}

/* In memory. */
static void poke_1(void *arg)
{
	cop_store((uint64_t *)cop_phys(((struct toy_world *)arg)->page), 1, relaxed);
}

static void poke_2(void *arg)
{
	cop_store((uint64_t *)cop_phys(((struct toy_world *)arg)->page), 2, relaxed);
}

/* In who has which frame. */
static void allocate_unless_told(void *arg)
{
	if (!cop_load(&((struct toy_world *)arg)->flag, relaxed))
		(void)sim_frame_alloc(12, SIM_DATA, "more", SIM_AT);
}

static void test_different(void **state)
{
	(void)state;
	expect(store_1, store_2, 2, 2);
	expect(poke_1, poke_2, 2, 2);
	expect(allocate_unless_told, store_1, 2, 2);
}

/* What passed in one state says nothing of the other. */
static void not_poked_1(void *arg)
{
	const uint64_t poked = sim_peek(cop_phys(((struct toy_world *)arg)->page), 8);

	checks++;
	toy_free_rest(arg);
	if (poked == 1)
		sim_fail("assert", "poked");
}

static void not_poked_2(void *arg)
{
	const uint64_t poked = sim_peek(cop_phys(((struct toy_world *)arg)->page), 8);

	checks++;
	toy_free_rest(arg);
	if (poked == 2)
		sim_fail("assert", "poked");
}

static void test_failing_state(void **state)
{
	(void)state;
	assert_int_equal(run(poke_1, poke_2, not_poked_1, NULL).result, CHECKER_FAILS);
	assert_int_equal(run(poke_1, poke_2, not_poked_2, NULL).result, CHECKER_FAILS);
}

/* While a CPU may hold what the tables no longer say, memory alone is no state. */
static void take_right_and_store(void *arg)
{
	const struct toy_world *w = arg;

	cop_store(toy_entry(w->table, 0), w->page | TOY_VALID, relaxed);
	cop_mmu_publish();
	three_stores(arg);
}

static void invalidate_page(void)
{
	toy_invalidate(TOY_VA, TOY_PAGE, COP_TLBI_LEAVES);
	cop_tlb_sync();
}

static void take_right_invalidate_and_store(void *arg)
{
	const struct toy_world *w = arg;

	cop_store(toy_entry(w->table, 0), w->page | TOY_VALID, relaxed);
	cop_mmu_publish();
	invalidate_page();
	three_stores(arg);
}

static void check_held(void *arg)
{
	checks++;
	invalidate_page();
	toy_free_rest(arg);
}

static void test_held_translations(void **state)
{
	struct checker_verdict v;

	(void)state;
	setup = setup_lenient;
	v = run(take_right_and_store, three_stores, check_held, NULL);
	if (v.result != CHECKER_EXHAUSTED)
		fail_msg("%s", v.report.text);
	assert_int_equal(v.executions, 20);
	assert_true(checks >= 20);
	v = run(take_right_invalidate_and_store, three_stores, check_held, NULL);
	assert_int_equal(v.result, CHECKER_EXHAUSTED);
	assert_int_equal(v.executions, 20);
	assert_int_equal(checks, 1);
	setup = toy_setup;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_same),
		cmocka_unit_test(test_different),
		cmocka_unit_test(test_failing_state),
		cmocka_unit_test(test_held_translations),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
