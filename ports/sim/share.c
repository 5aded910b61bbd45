/* SPDX-License-Identifier: MIT */
/*
 * Which locations have conflicting accesses: by two CPUs, at least one a write, and in no fixed order.
 *
 * Only those are switch points. The table outlives executions and only grows; a conflict on a location that was passed
 * without a switch starts the search over, so that a search which ends has switched at every one that matters. What a
 * CPU did before it deferred a callback comes before all of the callback in every execution: that is no conflict.
 */
#include "ports/sim/sim.h"

#include <stdlib.h>
#include <string.h>

struct location {
	uintptr_t word;                                     /* address / 8 + 1 */
	uint32_t readers, writers;                          /* CPUs with accesses in conflict, in any execution */
	uint32_t execution;                                 /* what the clocks below are of */
	uint32_t read[SIM_ALL_CPUS], written[SIM_ALL_CPUS]; /* each CPU's clock at its last access; 0: none */
};

static struct {
	struct location *slot;
	size_t room, used, shared;
	uint32_t execution;
	struct sim_clock clock[SIM_ALL_CPUS];
} share;

const char sim_loc_tlb __attribute__((aligned(8))), sim_loc_tables __attribute__((aligned(8))),
	sim_loc_frames __attribute__((aligned(8))), sim_loc_rcu __attribute__((aligned(8)));

static struct location *slot_of(uintptr_t word)
{
	size_t i = (size_t)((word * 0x9e3779b97f4a7c15ULL) >> 20) & (share.room - 1);

	while (share.slot[i].word && share.slot[i].word != word)
		i = (i + 1) & (share.room - 1);
	return &share.slot[i];
}

static void grow(void)
{
	struct location *old = share.slot;
	size_t room = share.room;

	share.room = room ? room * 2 : 4096;
	share.slot = calloc(share.room, sizeof(*share.slot));
	if (!share.slot)
		abort();
	for (size_t i = 0; i < room; i++) {
		if (old[i].word)
			*slot_of(old[i].word) = old[i];
	}
	free(old);
}

void sim_share_reset(void)
{
	free(share.slot);
	memset(&share, 0, sizeof(share));
}

size_t sim_shared_count(void)
{
	return share.shared;
}

void sim_share_restore(void)
{
	share.execution++;
	memset(share.clock, 0, sizeof(share.clock));
	for (unsigned i = 0; i < SIM_ALL_CPUS; i++)
		share.clock[i].of[i] = 1;
}

struct sim_clock sim_order_release(void)
{
	struct sim_clock now = share.clock[sim.current];

	share.clock[sim.current].of[sim.current]++;
	return now;
}

void sim_order_acquire(const struct sim_clock *c)
{
	struct sim_clock *mine = &share.clock[sim.current];

	for (unsigned i = 0; i < SIM_ALL_CPUS; i++) {
		if (c->of[i] > mine->of[i])
			mine->of[i] = c->of[i];
	}
}

bool sim_conflicts(const volatile void *p, bool write)
{
	const struct location *l;
	uint32_t others = ~(1U << sim.current);

	if (!sim.config.quiet)
		return true;
	if (!share.room)
		return false;
	l = slot_of((uintptr_t)p / 8 + 1);
	return (l->writers | (write ? l->readers : 0)) & others;
}

static struct location *location_of(const volatile void *p)
{
	struct location *l;

	if (share.used * 2 >= share.room)
		grow();
	l = slot_of((uintptr_t)p / 8 + 1);
	if (!l->word) {
		l->word = (uintptr_t)p / 8 + 1;
		share.used++;
	}
	if (l->execution != share.execution) {
		memset(l->read, 0, sizeof(l->read));
		memset(l->written, 0, sizeof(l->written));
		l->execution = share.execution;
	}
	return l;
}

void sim_touch(const volatile void *p, bool write)
{
	const struct sim_clock *mine = &share.clock[sim.current];
	uint32_t readers, writers;
	struct location *l;

	if (sim.solo)
		return;
	l = location_of(p);
	readers = l->readers;
	writers = l->writers;
	for (unsigned i = 0; i < SIM_ALL_CPUS; i++) {
		if (i == sim.current)
			continue;
		if (l->written[i] > mine->of[i])
			writers |= 1U << i;
		if (write && l->read[i] > mine->of[i])
			readers |= 1U << i;
		if (l->written[i] > mine->of[i] || (write && l->read[i] > mine->of[i]))
			*(write ? &writers : &readers) |= 1U << sim.current;
	}
	(write ? l->written : l->read)[sim.current] = mine->of[sim.current];
	if (readers == l->readers && writers == l->writers)
		return;
	if (!(l->readers | l->writers))
		share.shared++;
	l->readers = readers;
	l->writers = writers;
	if (!sim.config.quiet)
		return;
	sim.restart = true;
	sim_cpu_stop();
}
