/* SPDX-License-Identifier: MIT */
/*
 * Which locations have had conflicting accesses: by two CPUs, at least one of them a write.
 *
 * Only those are switch points. The table outlives executions and only grows; the first conflict on a location that was
 * passed without a switch starts the search over, so that a search which ends has switched at every one that matters.
 */
#include "ports/sim/sim.h"

#include <stdlib.h>
#include <string.h>

struct location {
	uintptr_t word; /* address / 8 + 1 */
	uint32_t readers, writers;
	bool shared;
};

static struct {
	struct location *slot;
	size_t room, used, shared;
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

bool sim_shared(const volatile void *p)
{
	if (!sim.config.quiet)
		return true;
	return share.room && slot_of((uintptr_t)p / 8 + 1)->shared;
}

void sim_touch(const volatile void *p, bool write)
{
	struct location *l;
	uint32_t me = 1U << sim.current;

	if (sim.solo)
		return;
	if (share.used * 2 >= share.room)
		grow();
	l = slot_of((uintptr_t)p / 8 + 1);
	if (!l->word) {
		l->word = (uintptr_t)p / 8 + 1;
		share.used++;
	}
	if (write)
		l->writers |= me;
	else
		l->readers |= me;
	if (l->shared || !l->writers || !((l->readers | l->writers) & ((l->readers | l->writers) - 1)))
		return;
	l->shared = true;
	share.shared++;
	if (!sim.config.quiet)
		return;
	sim.restart = true;
	sim_cpu_stop();
}
