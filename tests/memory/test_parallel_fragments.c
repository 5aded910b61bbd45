/* SPDX-License-Identifier: MIT */
/*
 * memory/: fragments of one address space, allocated and freed in all three ways on several CPUs while all of them read
 * tables that others may have freed: inside a read section a table stays what it was.
 */
#include "tests/memory/machine.h"

#define SLOTS  24 /* a few pages' worth: neighbours are always at work */
#define ROUNDS 20000

struct world {
	struct machine m;
	struct cop_fragments f;
	cop_pa slot[SLOTS]; /* marked; COP_PA_NONE: none */
	uint64_t wrong, read, freed[3];
};
static struct world world;

static uint64_t *word_of(cop_pa table)
{
	return cop_phys(table);
}

static void count(uint64_t *what)
{
	cop_fetch_add(what, 1ULL, relaxed);
}

static cop_pa table_new(void)
{
	const cop_pa table = cop_fragment_alloc(&world.f);

	if (table != COP_PA_NONE)
		cop_store(word_of(table), (uint64_t)table, relaxed);
	return table;
}

/* What nobody has seen may be freed at once. */
static void replace(uint64_t *seed)
{
	const cop_pa table = next_random(seed) & 1 ? table_new() : COP_PA_NONE;
	cop_pa old;

	if (table != COP_PA_NONE && !(next_random(seed) & 3)) {
		cop_store(word_of(table), (uint64_t)0, relaxed);
		cop_fragment_free(&world.f, table);
		count(&world.freed[0]);
		return;
	}
	old = cop_xchg(&world.slot[next_random(seed) % SLOTS], table, acq_rel);
	if (old == COP_PA_NONE)
		return;
	if (next_random(seed) & 1) {
		cop_fragment_free_rcu(&world.f, old);
		count(&world.freed[1]);
	} else {
		cop_fragment_free_defer(&world.f, old);
		count(&world.freed[2]);
	}
}

static void look(uint64_t *seed)
{
	cop_pa table;

	cop_rcu_read_lock();
	table = cop_load(&world.slot[next_random(seed) % SLOTS], acquire);
	if (table != COP_PA_NONE) {
		if (cop_load(word_of(table), relaxed) != table)
			count(&world.wrong);
		count(&world.read);
	}
	cop_rcu_read_unlock();
}

static void on_cpu(void *arg)
{
	uint64_t seed = 4242 + cop_cpu();

	(void)arg;
	for (unsigned i = 0; i < ROUNDS; i++) {
		replace(&seed);
		look(&seed);
		if (i % 64 == 0)
			cop_host_poll();
	}
}

static void test_parallel(void **state)
{
	struct snapshot before, after;
	const struct shape *shape = *state;
	unsigned lg2;

	memset(&world, 0, sizeof(world));
	assert_true(machine_shape(&world.m, shape));
	machine_on(&world.m);
	machine_touch_all(&world.m);
	before = machine_snapshot(&world.m);
	lg2 = world.m.tree.ops->format->min_table_lg2;
	assert_int_equal(
		cop_fragments_init(&world.f, &world.m.mem, lg2 < shape->page_lg2 ? shape->page_lg2 : lg2 + 4, lg2), 0);
	for (unsigned i = 0; i < SLOTS; i++)
		world.slot[i] = COP_PA_NONE;
	assert_int_equal(cop_host_run(MACHINE_CPUS, on_cpu, NULL), 0);
	for (unsigned i = 0; i < SLOTS; i++)
		if (world.slot[i] != COP_PA_NONE)
			cop_fragment_free_defer(&world.f, world.slot[i]);
	assert_int_equal(cop_fragments_exit(&world.f), 0);
	memset(&world.f, 0xa5, sizeof(world.f));
	assert_int_equal(world.wrong, 0);
	assert_true(world.read && world.freed[0] && world.freed[1] && world.freed[2]);
	/* A callback may have deferred a page; the check waits for that. */
	cop_host_rcu_barrier();
	machine_check(&world.m);
	after = machine_snapshot(&world.m);
	same_state(&before, &after);
	machine_off(&world.m);
}

int main(void)
{
	static const struct shaped_test tests[] = {SHAPED(test_parallel)};

	return run_shaped("parallel fragments", tests, sizeof(tests) / sizeof(tests[0]));
}
