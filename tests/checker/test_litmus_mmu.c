/* SPDX-License-Identifier: MIT */
/*
 * Litmus tests of translation: one CPU changes an entry, does some of what makes others see the change, and says so; what
 * may whoever was told still find? The shapes are those of B. Simner et al., "Relaxed virtual memory in Armv8-A", ESOP 2022
 * (unmap, remap, permission change, each with and without its DSB, TLBI, DSB); the sync of the port has the ISB in it.
 */
#include "tests/checker/toy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

struct world {
	struct toy_world toy;
	uint64_t told, r;
	bool fault;
};
static struct world world;

/* What the first CPU does, in this order. */
enum step {
	END,
	CLEAR,    /* the page's entry */
	UNLINK,   /* its table */
	REMAP,    /* to the other page, by a store */
	PROTECT,  /* read-only */
	PERMIT,   /* writable */
	MAP_NEXT, /* an entry that was never valid */
	XCHG,     /* clear and invalidate by one instruction */
	PUBLISH,
	TLBI,
	TLBI_TABLES,
	TLBI_NEXT, /* the page beside it */
	TLBI_LOCAL,
	SYNC,
};

enum where { OTHER, SAME };
enum access { READ, WRITE, READ_NEXT };

/* The outcome that is asked about. */
enum outcome { OLD, NEW, FAULTS, WORKS };

static const struct litmus {
	const char *name;
	enum step step[10];
	enum where where;
	enum access access;
	enum outcome outcome;
	bool sc, tso, weak;   /* may it be? */
	const char *disabled; /* a rule that says so in its own words */
	void (*setup)(void *);
} * running;

static uint64_t *entry(unsigned i)
{
	return toy_entry(world.toy.table, i);
}

static void take(enum step step)
{
	const struct cop_tlbi page = {.start = TOY_VA, .last = TOY_VA + TOY_PAGE - 1, .stride_lg2 = 12};

	switch (step) {
	case END:
		return;
	case CLEAR:
		cop_store(entry(0), 0, relaxed);
		return;
	case UNLINK:
		cop_store(toy_entry(world.toy.root, 0), 0, relaxed);
		return;
	case REMAP:
		cop_store(entry(0), world.toy.other | TOY_VALID | TOY_WRITE, relaxed);
		return;
	case PROTECT:
		cop_store(entry(0), world.toy.page | TOY_VALID, relaxed);
		return;
	case PERMIT:
		cop_store(entry(0), world.toy.page | TOY_VALID | TOY_WRITE, relaxed);
		return;
	case MAP_NEXT:
		cop_store(entry(1), world.toy.other | TOY_VALID, relaxed);
		return;
	case XCHG:
		(void)cop_entry_xchg(entry(0), 0, &page);
		return;
	case PUBLISH:
		cop_mmu_publish();
		return;
	case TLBI:
		toy_invalidate(TOY_VA, TOY_PAGE, COP_TLBI_LEAVES);
		return;
	case TLBI_TABLES:
		toy_invalidate(TOY_VA, TOY_PAGE, COP_TLBI_TABLES);
		return;
	case TLBI_NEXT:
		toy_invalidate(TOY_VA + TOY_PAGE, TOY_PAGE, COP_TLBI_LEAVES);
		return;
	case TLBI_LOCAL:
		toy_invalidate(TOY_VA, TOY_PAGE, COP_TLBI_LOCAL);
		return;
	case SYNC:
		cop_tlb_sync();
		return;
	}
}

static void look(void)
{
	world.r = 5;
	world.fault = !sim_probe(running->access == READ_NEXT ? TOY_VA + TOY_PAGE : TOY_VA, running->access == WRITE,
				 &world.r, SIM_AT);
}

static void change(void *unused)
{
	(void)unused;
	for (const enum step *s = running->step; *s; s++)
		take(*s);
	if (running->where == SAME)
		look();
	cop_store(&world.told, 1, release);
}

static void when_told(void *unused)
{
	uint64_t told;

	(void)unused;
	cop_await(&world.told, told, told == 1);
	if (running->where == OTHER)
		look();
}

static void setup(void *arg)
{
	memset(arg, 0, sizeof(world));
	toy_setup(arg);
}

static void setup_read_only(void *arg)
{
	setup(arg);
	cop_store(entry(0), world.toy.page | TOY_VALID, relaxed);
}

#define BBM     "break-before-make"
#define MAKE    "unclean-make"
#define NOTHING false, false, false
#define ALWAYS  true, true, true
#define STORES  false, false, true /* where stores are overtaken */

static const struct litmus tests[] = {
	/* Unmap: is the old page still read? */
	{"unmap", {CLEAR}, OTHER, READ, OLD, ALWAYS, NULL, NULL},
	{"unmap+dsb", {CLEAR, PUBLISH}, OTHER, READ, OLD, ALWAYS, NULL, NULL},
	{"unmap+tlbi", {CLEAR, TLBI}, OTHER, READ, OLD, ALWAYS, NULL, NULL},
	{"unmap+tlbi+dsb", {CLEAR, TLBI, SYNC}, OTHER, READ, OLD, STORES, NULL, NULL},
	{"unmap+dsb+dsb", {CLEAR, PUBLISH, SYNC}, OTHER, READ, OLD, ALWAYS, NULL, NULL},
	{"unmap+dsb+tlbi", {CLEAR, PUBLISH, TLBI}, OTHER, READ, OLD, ALWAYS, NULL, NULL},
	{"unmap+dsb+tlbi+dsb", {CLEAR, PUBLISH, TLBI, SYNC}, OTHER, READ, OLD, NOTHING, NULL, NULL},
	{"unmap+dsb+tlbi+dsb, fault", {CLEAR, PUBLISH, TLBI, SYNC}, OTHER, READ, FAULTS, ALWAYS, NULL, NULL},
	{"tlbi+dsb+unmap+dsb", {TLBI, SYNC, CLEAR, PUBLISH}, OTHER, READ, OLD, ALWAYS, NULL, NULL},
	{"tlbi+unmap+dsb+dsb", {TLBI, CLEAR, PUBLISH, SYNC}, OTHER, READ, OLD, ALWAYS, NULL, NULL},
	{"unmap+dsb+tlbi-next+dsb", {CLEAR, PUBLISH, TLBI_NEXT, SYNC}, OTHER, READ, OLD, ALWAYS, NULL, NULL},
	{"unmap+dsb+tlbi-local+dsb", {CLEAR, PUBLISH, TLBI_LOCAL, SYNC}, OTHER, READ, OLD, ALWAYS, NULL, NULL},
	{"unmap+instruction", {XCHG}, OTHER, READ, OLD, NOTHING, "wrong-operand", NULL},
	/* By the CPU that unmapped. */
	{"unmap, same", {CLEAR}, SAME, READ, OLD, ALWAYS, NULL, NULL},
	{"unmap+dsb+tlbi, same", {CLEAR, PUBLISH, TLBI}, SAME, READ, OLD, ALWAYS, NULL, NULL},
	{"unmap+dsb+tlbi+dsb, same", {CLEAR, PUBLISH, TLBI, SYNC}, SAME, READ, OLD, NOTHING, NULL, NULL},
	{"unmap+dsb+tlbi-local+dsb, same", {CLEAR, PUBLISH, TLBI_LOCAL, SYNC}, SAME, READ, OLD, NOTHING, NULL, NULL},
	{"unmap+tlbi+dsb, same", {CLEAR, TLBI, SYNC}, SAME, READ, OLD, STORES, NULL, NULL},
	/* A table. */
	{"unlink+dsb+tlbi-leaves+dsb", {UNLINK, PUBLISH, TLBI, SYNC}, OTHER, READ, OLD, ALWAYS, NULL, NULL},
	{"unlink+dsb+tlbi-tables+dsb", {UNLINK, PUBLISH, TLBI_TABLES, SYNC}, OTHER, READ, OLD, NOTHING, NULL, NULL},
	{"unlink+tlbi-tables+dsb", {UNLINK, TLBI_TABLES, SYNC}, OTHER, READ, OLD, STORES, NULL, NULL},
	/* Remap. */
	{"remap", {REMAP, PUBLISH}, OTHER, READ, OLD, ALWAYS, BBM, NULL},
	{"remap+tlbi+dsb", {REMAP, PUBLISH, TLBI, SYNC}, OTHER, READ, OLD, NOTHING, BBM, NULL},
	{"break+make", {CLEAR, PUBLISH, REMAP, PUBLISH}, OTHER, READ, OLD, ALWAYS, MAKE, NULL},
	{"break+tlbi+make", {CLEAR, PUBLISH, TLBI, REMAP, PUBLISH}, OTHER, READ, OLD, ALWAYS, MAKE, NULL},
	{"break+tlbi+dsb+make", {CLEAR, PUBLISH, TLBI, SYNC, REMAP, PUBLISH}, OTHER, READ, OLD, NOTHING, NULL, NULL},
	{"break+tlbi+dsb+make, new",
	 {CLEAR, PUBLISH, TLBI, SYNC, REMAP, PUBLISH},
	 OTHER,
	 READ,
	 NEW,
	 ALWAYS,
	 NULL,
	 NULL},
	{"break+tlbi+dsb+make, fault",
	 {CLEAR, PUBLISH, TLBI, SYNC, REMAP, PUBLISH},
	 OTHER,
	 READ,
	 FAULTS,
	 NOTHING,
	 NULL,
	 NULL},
	/* Permissions. */
	{"protect", {PROTECT, PUBLISH}, OTHER, WRITE, WORKS, ALWAYS, NULL, NULL},
	{"protect+tlbi", {PROTECT, PUBLISH, TLBI}, OTHER, WRITE, WORKS, ALWAYS, NULL, NULL},
	{"protect+tlbi+dsb", {PROTECT, PUBLISH, TLBI, SYNC}, OTHER, WRITE, WORKS, NOTHING, NULL, NULL},
	{"protect+tlbi+dsb, not published", {PROTECT, TLBI, SYNC}, OTHER, WRITE, WORKS, STORES, NULL, NULL},
	{"protect+tlbi+dsb, read", {PROTECT, PUBLISH, TLBI, SYNC}, OTHER, READ, FAULTS, NOTHING, NULL, NULL},
	{"permit", {PERMIT, PUBLISH}, OTHER, WRITE, FAULTS, ALWAYS, NULL, setup_read_only},
	{"permit+tlbi+dsb", {PERMIT, PUBLISH, TLBI, SYNC}, OTHER, WRITE, FAULTS, NOTHING, NULL, setup_read_only},
	/* What was never valid is not cached where hardware does not cache it. */
	{"map+dsb", {MAP_NEXT, PUBLISH}, OTHER, READ_NEXT, FAULTS, NOTHING, NULL, NULL},
	{"map+dsb, same", {MAP_NEXT, PUBLISH}, SAME, READ_NEXT, FAULTS, NOTHING, NULL, NULL},
};
#define TESTS (sizeof(tests) / sizeof(*tests))

static bool seen, stuck;

static bool is_outcome(void)
{
	switch (running->outcome) {
	case OLD:
		return !world.fault && world.r == 11;
	case NEW:
		return !world.fault && world.r == 22;
	case FAULTS:
		return world.fault;
	case WORKS:
		return !world.fault;
	}
	return false;
}

static void over(void *unused, bool deadlock)
{
	(void)unused;
	stuck |= deadlock;
	for (unsigned c = 0; c < SIM_ALL_CPUS; c++)
		stuck |= sim.cpu[c].failed != NULL;
	seen |= is_outcome();
}

static void expect(enum sim_memory_order order, bool allowed)
{
	const struct checker_actor actors[] = {{"P0", 0, change}, {"P1", 1, when_told}, {NULL, 0, NULL}};
	const struct checker_program p = {.setup = running->setup ? running->setup : setup,
					  .over = over,
					  .actors = actors,
					  .world = &world,
					  .world_bytes = sizeof(world),
					  .order = order,
					  .disabled = running->disabled};
	struct checker_verdict v;

	seen = stuck = false;
	v = checker_explore(&p, 0, NULL);
	if (v.result != CHECKER_EXHAUSTED || stuck)
		fail_msg("%s, %s: %s", running->name, checker_order_name(order), stuck ? "stuck" : "not exhausted");
	if (seen != allowed)
		fail_msg("%s, %s: %s", running->name, checker_order_name(order),
			 allowed ? "not seen, and allowed" : "seen, and forbidden");
}

static void test_sequential(void **state)
{
	(void)state;
	for (running = tests; running < tests + TESTS; running++)
		expect(SIM_ORDER_SC, running->sc);
}

static void test_tso(void **state)
{
	(void)state;
	for (running = tests; running < tests + TESTS; running++)
		expect(SIM_ORDER_TSO, running->tso);
}

static void test_weak(void **state)
{
	(void)state;
	for (running = tests; running < tests + TESTS; running++)
		expect(SIM_ORDER_WEAK, running->weak);
}

static void test_enough(void **state)
{
	(void)state;
	assert_true(TESTS >= 20);
}

int main(void)
{
	const struct CMUnitTest all[] = {
		cmocka_unit_test(test_sequential),
		cmocka_unit_test(test_tso),
		cmocka_unit_test(test_weak),
		cmocka_unit_test(test_enough),
	};

	return cmocka_run_group_tests(all, NULL, NULL);
}
