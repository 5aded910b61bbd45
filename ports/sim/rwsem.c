/* SPDX-License-Identifier: MIT */
/*
 * Reader-writer semaphores. One word each:
 *
 *	7:0     the writer that has it, a coroutine's number + 1
 *	23:8    the readers that have it, a bit each
 *	39:24   the writers that wait for it
 *
 * Readers wait while a writer waits. Whoever comes first is found in some execution all the same; what is found beside is
 * the deadlock of those who rely on readers that come later.
 */
#include "ports/sim/sim.h"

#define WRITER     0xffULL
#define READERS    0xffff00ULL
#define WAITING    0xffff000000ULL
#define READER(c)  (0x100ULL << (c))
#define WAITER(c)  (0x1000000ULL << (c))
#define MINE(word) ((word) & (READER(sim.current) | WAITER(sim.current)))

_Static_assert(SIM_ALL_CPUS <= 16, "a bit for each coroutine");

static bool free_for_reader(uint64_t word, uint64_t unused)
{
	(void)unused;
	return !(word & (WRITER | WAITING));
}

static bool free_for_writer(uint64_t word, uint64_t unused)
{
	(void)unused;
	return !(word & (WRITER | READERS));
}

static uint64_t now(const uint64_t *word)
{
	return sim_peek(word, 8);
}

static void change(uint64_t *word, uint64_t v, struct sim_at at)
{
	const uint64_t old = now(word);

	sim_poke(word, v, 8, at);
	sim_order_written(word, old);
}

/* Readers' releases are for writers only. */
static const void *read_releases(const uint64_t *word)
{
	return (const char *)word + 1;
}

static void may_take(const uint64_t *word, const char *what, struct sim_at at)
{
	sim_may_sleep(what, at);
	sim.cpu[sim.current].at = at;
	if (sim_place_of(word).space == SIM_VIRT)
		sim_fail("not-modelled", "a semaphore that is reached through a translation");
	if (MINE(now(word)) || (now(word) & WRITER) == sim.current + 1ULL)
		sim_fail("double-lock", "the semaphore is held by this task already");
}

static void taken(uint64_t *word, uint64_t v, struct sim_at at)
{
	sim_check_reached(word, true);
	sim_order_acquired(word);
	change(word, v, at);
	sim_race_after(word);
	sim_record(SIM_OP_LOCK, word, 0, 0, 0, at);
}

void sim_rwsem_read_lock(uint64_t *word, struct sim_at at)
{
	may_take(word, "cop_rwsem_read_lock()", at);
	sim_order_before_change(word, false, at);
	sim_await_change(SIM_OP_LOCK, word, free_for_reader, 0, at);
	taken(word, now(word) | READER(sim.current), at);
}

/* Held by others: from now on no reader comes in. */
static void wait_for_writing(uint64_t *word, struct sim_at at)
{
	change(word, now(word) | WAITER(sim.current), at);
	sim_await_change(SIM_OP_LOCK, word, free_for_writer, 0, at);
}

void sim_rwsem_write_lock(uint64_t *word, struct sim_at at)
{
	may_take(word, "cop_rwsem_write_lock()", at);
	sim_order_before_change(word, false, at);
	sim_point(SIM_OP_LOCK, sim_conflicts(word, true), word, at);
	sim_touch(word, true);
	if (!free_for_writer(now(word), 0))
		wait_for_writing(word, at);
	taken(word, (now(word) & ~WAITER(sim.current)) | (sim.current + 1ULL), at);
	sim_race_after(read_releases(word));
}

static void release(uint64_t *word, bool held, uint64_t of, const void *releases, struct sim_at at)
{
	if (!held)
		sim_report("foreign-unlock", "the semaphore is not held so by this task");
	sim_race_before(releases);
	change(word, now(word) & ~of, at);
	sim_record(SIM_OP_UNLOCK, word, 0, 0, 0, at);
}

static void begin_release(uint64_t *word, struct sim_at at)
{
	sim_order_settle(at);
	sim_point(SIM_OP_UNLOCK, sim_conflicts(word, true), word, at);
	sim_touch(word, true);
}

void sim_rwsem_read_unlock(uint64_t *word, struct sim_at at)
{
	begin_release(word, at);
	release(word, now(word) & READER(sim.current), READER(sim.current), read_releases(word), at);
}

void sim_rwsem_write_unlock(uint64_t *word, struct sim_at at)
{
	begin_release(word, at);
	release(word, (now(word) & WRITER) == sim.current + 1ULL, WRITER, word, at);
}
