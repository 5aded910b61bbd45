/* SPDX-License-Identifier: MIT */
/*
 * Several CPUs in one address space: faults, discards, protections, evictions and forks meet at the same pages. What each
 * CPU writes to pages of its own stays what it wrote, whatever the others do; afterwards nothing is missing.
 */
#include "tests/spaces/users.h"

#define CPUS   4
#define OWN    32 /* anonymous pages that one CPU writes to each, CPU by CPU */
#define SHARED 24 /* pages of each other kind that everybody faults, and discards */
#define ROUNDS 1500

struct world {
	struct machine m;
	struct cop_spaces spaces;
	struct cop_space space;
	struct cop_cache cache;
	uint64_t slots[SHARED];
	cop_va own, anon, file, copy;
	pthread_rwlock_t stores; /* a CPU's store and the walk before it are one step to a fork, as in hardware */
	uint64_t wrong, failed, forks, evicted;
};
static struct world w;

static uint64_t page_bytes(void)
{
	return COP_LG2(w.m.shape->page_lg2);
}

static void count(uint64_t *what)
{
	cop_fetch_add(what, 1ULL, relaxed);
}

static void expect(bool good)
{
	if (!good)
		count(&w.wrong);
}

static int fill(void *ctx, uint64_t index, cop_pfn pfn)
{
	(void)ctx;
	cop_store(user_word(&w.m, pfn << w.m.shape->page_lg2, false), index + 1, relaxed);
	return 0;
}

static cop_va map(uint64_t pages, uint32_t kind, struct cop_cache *cache)
{
	const struct cop_area_spec spec = {
		.bytes = pages * page_bytes(), .prot = COP_READ | COP_WRITE, .kind = kind, .cache = cache};
	const struct cop_mapped at = cop_space_map(&w.space, &spec);

	assert_int_equal(at.err, 0);
	return at.va;
}

static void own_store(struct cop_space *space, cop_va va, uint64_t value)
{
	struct cop_translation t;
	bool done = false;

	while (!done) {
		pthread_rwlock_rdlock(&w.stores);
		cop_rcu_read_lock();
		t = cop_translate(&space->tree, va);
		if (user_permitted(&t, space, true)) {
			cop_store((uint64_t *)cop_phys(t.pa), value, relaxed);
			done = true;
		}
		cop_rcu_read_unlock();
		pthread_rwlock_unlock(&w.stores);
		if (!done && cop_space_fault(space, va, COP_ACCESS_WRITE)) {
			count(&w.failed);
			return;
		}
	}
}

static bool own_is(struct cop_space *space, cop_va va, uint64_t value)
{
	cop_pa page;

	return !user_touch(space, va, false, &page) && cop_load((uint64_t *)cop_phys(page), relaxed) == value;
}

/* A child sees what was written before it was made, and what it writes is its own. */
static void fork_once(uint64_t *seed, unsigned cpu, const uint64_t *value)
{
	const unsigned i = (unsigned)(next_random(seed) % OWN);
	const cop_va va = w.own + (cpu * OWN + i) * page_bytes();
	struct cop_space child;
	int err;

	pthread_rwlock_wrlock(&w.stores);
	err = cop_space_fork(&child, &w.space, NULL, 100 + cpu);
	pthread_rwlock_unlock(&w.stores);
	if (err) {
		count(&w.failed);
		return;
	}
	expect(own_is(&child, va, value[i]));
	own_store(&child, va, 77);
	expect(own_is(&child, va, 77));
	expect(own_is(&w.space, va, value[i]));
	cop_space_destroy(&child);
	count(&w.forks);
}

static void step(uint64_t *seed, unsigned cpu, uint64_t *value)
{
	static const enum cop_access_kind kinds[] = {COP_ACCESS_READ, COP_ACCESS_WRITE};
	const uint64_t r = next_random(seed), page = next_random(seed) % SHARED;
	const unsigned i = (unsigned)(next_random(seed) % OWN);
	const cop_va own = w.own + (cpu * OWN + i) * page_bytes();
	const cop_va at[] = {w.anon + page * page_bytes(), w.file + page * page_bytes(), w.copy + page * page_bytes()};
	const cop_va va = at[next_random(seed) % 3];
	int err;

	switch (r % 16) {
	case 0 ... 3:
		own_store(&w.space, own, ++value[i]);
		break;
	case 4 ... 5:
		expect(own_is(&w.space, own, value[i]));
		break;
	case 6:
		expect(!cop_space_discard(&w.space, va, page_bytes()));
		break;
	case 7:
		if (cop_cache_remove(&w.cache, page))
			count(&w.evicted);
		break;
	case 8:
		if (r % 128 < 16)
			fork_once(seed, cpu, value);
		break;
	case 9:
		/* Others find it read-only for a moment: that is theirs to see. */
		expect(!cop_space_protect(&w.space, w.copy, SHARED * page_bytes(), COP_READ));
		expect(!cop_space_protect(&w.space, w.copy, SHARED * page_bytes(), COP_READ | COP_WRITE));
		break;
	default:
		err = cop_space_fault(&w.space, va, kinds[r / 16 % 2]);
		expect(!err || (err == -COP_EFAULT && va >= w.copy));
	}
}

static void on_cpu(void *arg)
{
	const unsigned cpu = cop_cpu();
	uint64_t seed = 4711 + cpu, value[OWN] = {0};

	(void)arg;
	for (unsigned i = 0; i < OWN; i++)
		own_store(&w.space, w.own + (cpu * OWN + i) * page_bytes(), value[i] = i + 1);
	for (unsigned round = 0; round < ROUNDS; round++) {
		step(&seed, cpu, value);
		cop_host_poll();
	}
	for (unsigned i = 0; i < OWN; i++)
		expect(own_is(&w.space, w.own + (cpu * OWN + i) * page_bytes(), value[i]));
}

static void test_parallel(void **state)
{
	struct cop_mem_account before, after;
	struct cop_geom geom;

	memset(&w, 0, sizeof(w));
	pthread_rwlock_init(&w.stores, NULL);
	assert_true(machine_shape(&w.m, *state));
	machine_on(&w.m);
	cop_host_rcu_barrier();
	before = cop_mem_account(&w.m.mem);
	cop_spaces_init(&w.spaces, &w.m.mem);
	geom = user_geom(&w.m);
	assert_int_equal(cop_space_init(&w.space, &w.spaces, &geom, NULL, 1), 0);
	cop_cache_init(&w.cache, &w.m.mem, w.slots, SHARED, fill, NULL);
	w.own = map(CPUS * OWN, COP_AREA_ANON, NULL);
	w.file = map(SHARED, COP_AREA_SHARED, &w.cache);
	w.anon = map(SHARED, COP_AREA_ANON, NULL);
	w.copy = map(SHARED, COP_AREA_PRIVATE, &w.cache);
	assert_int_equal(cop_host_run(CPUS, on_cpu, NULL), 0);
	assert_int_equal(w.wrong, 0);
	assert_int_equal(w.failed, 0);
	assert_true(w.forks > 10 && w.evicted > 10);
	cop_space_destroy(&w.space);
	cop_cache_destroy(&w.cache);
	cop_spaces_exit(&w.spaces);
	machine_check(&w.m);
	after = cop_mem_account(&w.m.mem);
	assert_memory_equal(&before, &after, sizeof(after));
	machine_off(&w.m);
	pthread_rwlock_destroy(&w.stores);
}

int main(void)
{
	const struct shaped_test tests[] = {SHAPED(test_parallel)};

	return run_shaped("spaces in parallel", tests, sizeof(tests) / sizeof(tests[0]));
}
