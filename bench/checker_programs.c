/* SPDX-License-Identifier: MIT */
#include "bench/checker_programs.h"

#include <string.h>

#define INDEXER_SLOTS   128
#define INDEXER_INSERTS 4
#define LOCK_TURNS      3
#define GRACE_PASSES    3

/* What all programs share; every actor has a line of its own to find its number. */
static uint64_t x, y, tail, next, owner, gp;
static uint64_t array[ENGINE_ACTORS + 1], table[INDEXER_SLOTS];
static struct {
	uint64_t next, wait;
} node[ENGINE_ACTORS];
static unsigned size;

static uint64_t load(uint64_t *p)
{
	engine_point();
	engine_touch(p, ENGINE_READ, 0);
	return *p;
}

static void set(uint64_t *p, uint64_t v)
{
	engine_touch(p, ENGINE_WRITE, *p);
	engine_save(p, sizeof(*p));
	*p = v;
}

static void store(uint64_t *p, uint64_t v)
{
	engine_point();
	set(p, v);
}

static uint64_t xchg(uint64_t *p, uint64_t v)
{
	uint64_t old;

	engine_point();
	old = *p;
	set(p, v);
	return old;
}

static bool cas(uint64_t *p, uint64_t old, uint64_t v)
{
	engine_point();
	if (*p != old) {
		engine_touch(p, ENGINE_READ, 0);
		return false;
	}
	set(p, v);
	return true;
}

static uint64_t fetch_add(uint64_t *p, uint64_t v)
{
	uint64_t old;

	engine_point();
	old = *p;
	set(p, old + v);
	return old;
}

static bool is_equal(uint64_t value, uint64_t wanted)
{
	return value == wanted;
}

static bool is_different(uint64_t value, uint64_t unwanted)
{
	return value != unwanted;
}

static bool is_at_least(uint64_t value, uint64_t wanted)
{
	return value >= wanted;
}

static uint64_t await(uint64_t *p, bool (*holds)(uint64_t, uint64_t), uint64_t arg)
{
	engine_await(&(struct engine_await){.location = p, .value = p, .size = 8, .holds = holds, .arg = arg}, 1);
	engine_touch(p, ENGINE_READ, 0);
	return *p;
}

static unsigned number(const void *arg)
{
	return (unsigned)(uintptr_t)arg;
}

static unsigned fill(struct engine_actor *a, unsigned from, unsigned count, void (*run)(void *))
{
	for (unsigned i = from; i < from + count; i++)
		a[i] = (struct engine_actor){.name = "actor", .run = run, .arg = (void *)(uintptr_t)i};
	return from + count;
}

/* readers: one store, and as many loads of it: each sees it or not. */

static void writer(void *unused)
{
	(void)unused;
	store(&x, 1);
}

static void reader(void *unused)
{
	(void)unused;
	(void)load(&x);
}

static unsigned readers(unsigned n, struct engine_actor *a)
{
	return fill(a, fill(a, 0, 1, writer), n, reader);
}

/* lastzero: each adds one to its neighbour's; one looks for the last zero from the end. */

static void find_zero(void *unused)
{
	unsigned i = size;

	(void)unused;
	while (load(&array[i]))
		i--;
}

static void add_one(void *arg)
{
	unsigned i = number(arg);

	store(&array[i], load(&array[i - 1]) + 1);
}

static unsigned lastzero(unsigned n, struct engine_actor *a)
{
	return fill(a, fill(a, 0, 1, find_zero), n, add_one);
}

/* indexer: inserts into a hash table with open addressing; from 12 actors on some collide. */

static void insert(void *arg)
{
	for (unsigned m = 1; m <= INDEXER_INSERTS; m++) {
		uint64_t w = m * 11 + number(arg);
		uint64_t h = w * 7 % INDEXER_SLOTS;

		while (!cas(&table[h], 0, w))
			h = (h + 1) % INDEXER_SLOTS;
	}
}

static unsigned indexer(unsigned n, struct engine_actor *a)
{
	return fill(a, 0, n, insert);
}

/* fib: x += y beside y += x. */

static void add_to_x(void *unused)
{
	(void)unused;
	for (unsigned i = 0; i < size; i++) {
		uint64_t v = load(&x);

		store(&x, v + load(&y));
	}
}

static void add_to_y(void *unused)
{
	(void)unused;
	for (unsigned i = 0; i < size; i++) {
		uint64_t v = load(&y);

		store(&y, v + load(&x));
	}
}

static unsigned fib(unsigned n, struct engine_actor *a)
{
	(void)n;
	return fill(a, fill(a, 0, 1, add_to_x), 1, add_to_y);
}

/* ticket: a ticket lock, taken by each again and again. */

static void ticket_lock(uint64_t turns)
{
	for (uint64_t i = 0; i < turns; i++) {
		uint64_t mine = fetch_add(&next, 1);

		await(&owner, is_equal, mine);
		store(&owner, mine + 1);
	}
}

static void ticket_once(void *unused)
{
	(void)unused;
	ticket_lock(1);
}

static void ticket_turns(void *unused)
{
	(void)unused;
	ticket_lock(LOCK_TURNS);
}

static unsigned ticket(unsigned n, struct engine_actor *a)
{
	return fill(a, 0, n, ticket_once);
}

static unsigned tickets(unsigned n, struct engine_actor *a)
{
	return fill(a, 0, n, ticket_turns);
}

/* mcs: a queue lock (J. Mellor-Crummey, M. Scott, 1991), taken by each once. */

static void mcs_lock_once(void *arg)
{
	uint64_t me = number(arg) + 1, before;

	node[me - 1].wait = 1; /* nobody can see it yet */
	before = xchg(&tail, me);
	if (before) {
		store(&node[before - 1].next, me);
		await(&node[me - 1].wait, is_equal, 0);
	}
	if (!load(&node[me - 1].next)) {
		if (cas(&tail, me, 0))
			return;
		await(&node[me - 1].next, is_different, 0);
	}
	store(&node[node[me - 1].next - 1].wait, 0);
}

static unsigned mcs(unsigned n, struct engine_actor *a)
{
	return fill(a, 0, n, mcs_lock_once);
}

/* grace period: each reader passes quiescent states and leaves; the updater waits until each has passed one or left. */

#define LEFT (~0ULL)

static void pass_and_leave(void *arg)
{
	uint64_t *mine = &array[number(arg)];

	for (unsigned i = 0; i < GRACE_PASSES; i++)
		store(mine, load(&gp));
	store(mine, LEFT);
}

static void wait_for_all(void *unused)
{
	(void)unused;
	store(&gp, 1);
	for (unsigned i = 1; i <= size; i++)
		await(&array[i], is_at_least, 1);
}

static unsigned grace(unsigned n, struct engine_actor *a)
{
	return fill(a, fill(a, 0, 1, wait_for_all), n, pass_and_leave);
}

const struct plain_program plain_programs[] = {
	{"readers 2", readers, 4, 0, 2, false},
	{"readers 8", readers, 256, 0, 8, false},
	{"readers 13", readers, 8192, 0, 13, false},
	{"readers 18", readers, 262144, 33e3, 18, false},
	{"lastzero 5", lastzero, 64, 0, 5, true},
	{"lastzero 10", lastzero, 3328, 0, 10, true},
	{"lastzero 14", lastzero, 69632, 12.9e3, 14, true},
	{"lastzero 15", lastzero, 147456, 0, 15, true},
	{"indexer 12", indexer, 8, 0, 12, false},
	{"indexer 15", indexer, 4096, 0, 15, false},
	{"indexer 16", indexer, 32768, 4e3, 16, false},
	{"fib 6", fib, 73789, 25e3, 6, false},
	{"ticket 2", ticket, 2, 0, 2, false},
	{"ticket 4 x 3", tickets, 369600, 11e3, 4, false},
	{"mcs 2", mcs, 6, 0, 2, false},
	{"mcs 5", mcs, 23640, 23e3, 5, false},
	{"grace 5 x 3", grace, 100000, 23e3, 5, false},
};
const unsigned plain_program_count = sizeof(plain_programs) / sizeof(*plain_programs);

struct engine_result plain_run(const struct plain_program *p, const struct engine_program *limits)
{
	struct engine_actor actors[ENGINE_ACTORS];
	struct engine_program program = *limits;

	x = y = tail = next = owner = gp = 0;
	memset(array, 0, sizeof(array));
	memset(table, 0, sizeof(table));
	memset(node, 0, sizeof(node));
	size = p->size;
	program.actors = actors;
	program.count = p->build(p->size, actors);
	return engine_explore(&program);
}
