/* SPDX-License-Identifier: MIT */
/*
 * hotplug/: blocks come and go on several CPUs while others walk the tables and touch struct pages. On the host port a
 * struct page that is touched after its memmap went is a real fault, and memory that goes while a CPU can still translate
 * to it is a panic.
 */
#include "tests/memory/machine.h"

#define ROUNDS 160
#define LOOKS  10000 /* that the readers must have found something at */

struct world {
	struct machine m;
	uint64_t running; /* cyclers still at work; marked */
	uint64_t cycles, valid, pinned, wrong;
	bool contended;
};

/* Kernel addresses are not in the test's reach by name: one world at a time. */
static struct world world;

static void count(uint64_t *what)
{
	cop_fetch_add(what, 1ULL, relaxed);
}

static bool expected(int err)
{
	return !err || err == -COP_EAGAIN || err == -COP_EBUSY || err == -COP_EEXIST || err == -COP_ENOENT ||
	       err == -COP_EINVAL;
}

/* One step of a block's life; who meets another is told so. */
static int step(uint64_t *seed, cop_pa pa)
{
	static const uint32_t flags[] = {0, COP_ADD_ALTMAP};
	struct cop_mem *mem = &world.m.mem;
	uint64_t section = world.m.section;

	switch (cop_mem_block_state(mem, pa)) {
	case COP_BLOCK_ABSENT:
		return cop_mem_add(mem, pa, section, flags[next_random(seed) & 1]);
	case COP_BLOCK_OFFLINE:
		if (next_random(seed) & 1)
			return cop_mem_remove(mem, pa, section);
		return cop_mem_online(mem, pa, section, COP_ZONE_MOVABLE);
	case COP_BLOCK_ONLINE:
		return cop_mem_offline(mem, pa, section);
	default:
		return -COP_EAGAIN;
	}
}

/* Allocates movable folios for a moment, so that offlining finds some in use. */
static void borrow(uint64_t *seed)
{
	struct cop_mem *mem = &world.m.mem;
	cop_pfn pfn = cop_frames_alloc(mem, next_random(seed) & 3, COP_ALLOC_MOVABLE | COP_ALLOC_FOLIO);

	if (pfn != COP_PFN_NONE)
		cop_frames_free(mem, pfn);
}

static void cycler(unsigned cpu)
{
	uint64_t seed = 77 + cpu;

	for (unsigned round = 0; round < ROUNDS || cop_load(&world.valid, relaxed) < LOOKS; round++) {
		unsigned block = world.contended ? next_random(&seed) % 2 : cpu * 2 + round / 32 % 2;

		if (!expected(step(&seed, world.m.hot + block * world.m.section)))
			count(&world.wrong);
		borrow(&seed);
		count(&world.cycles);
	}
	cop_fetch_add(&world.running, -1ULL, acq_rel);
}

/* What a lockless walker does: translate, touch the struct page, take a reference, check again, put. */
static void look(cop_pfn pfn)
{
	struct cop_mem *mem = &world.m.mem;
	cop_pa pa = pfn << world.m.shape->page_lg2;
	struct cop_translation at;
	cop_pfn head;

	cop_rcu_read_lock();
	at = cop_translate(mem->tree, cop_linear_va(mem, pa));
	if (at.pa != COP_PA_NONE && at.pa != pa)
		count(&world.wrong);
	if (cop_pfn_valid(mem, pfn)) {
		count(&world.valid);
		head = cop_page_head(mem, pfn);
		if (cop_page_try_get(mem, head)) {
			if (cop_page_head(mem, pfn) == head)
				count(&world.pinned);
			cop_page_put(mem, head);
		}
	}
	cop_rcu_read_unlock();
}

static void reader(unsigned cpu)
{
	uint64_t frames = 4 * world.m.section >> world.m.shape->page_lg2;
	uint64_t seed = 990 + cpu;

	while (cop_load(&world.running, acquire)) {
		for (unsigned i = 0; i < 64; i++)
			look((world.m.hot >> world.m.shape->page_lg2) + next_random(&seed) % frames);
		cop_host_poll();
	}
}

static void on_cpu(void *arg)
{
	unsigned cpu = cop_cpu();

	(void)arg;
	if (cpu < 2)
		cycler(cpu);
	else
		reader(cpu);
}

/* Bring every block back to absent. */
static void settle(void)
{
	struct cop_mem *mem = &world.m.mem;

	for (unsigned block = 0; block < 4; block++) {
		cop_pa pa = world.m.hot + block * world.m.section;

		if (cop_mem_block_state(mem, pa) == COP_BLOCK_ONLINE)
			assert_int_equal(cop_mem_offline(mem, pa, world.m.section), 0);
		if (cop_mem_block_state(mem, pa) == COP_BLOCK_OFFLINE)
			assert_int_equal(cop_mem_remove(mem, pa, world.m.section), 0);
		assert_int_equal(cop_mem_block_state(mem, pa), COP_BLOCK_ABSENT);
	}
}

static void run(void **state, bool contended)
{
	struct snapshot before, after;

	memset(&world, 0, sizeof(world));
	assert_true(machine_shape(&world.m, *state));
	world.m.has_migrate = false;
	machine_on(&world.m);
	machine_touch_all(&world.m);
	before = machine_snapshot(&world.m);
	world.contended = contended;
	world.running = 2;
	assert_int_equal(cop_host_run(MACHINE_CPUS, on_cpu, NULL), 0);
	cop_host_rcu_barrier();
	settle();
	assert_int_equal(world.wrong, 0);
	assert_true(world.cycles >= 2 * ROUNDS);
	machine_check(&world.m);
	after = machine_snapshot(&world.m);
	same_state(&before, &after);
	machine_off(&world.m);
}

static void test_own_blocks(void **state)
{
	run(state, false);
}

static void test_same_blocks(void **state)
{
	run(state, true);
}

int main(void)
{
	static const struct shaped_test tests[] = {SHAPED(test_own_blocks), SHAPED(test_same_blocks)};

	return run_shaped("parallel", tests, sizeof(tests) / sizeof(tests[0]));
}
