/* SPDX-License-Identifier: MIT */
/*
 * Which locations have conflicting accesses: by two coroutines, in modes that do not commute, and in no fixed order.
 *
 * Only those are switch points, and touches that the engine is told of. The table outlives searches and only grows; a
 * conflict on a location that was passed without a switch starts the search over, so that a search which ends has switched
 * at every one that matters. What a CPU did before it deferred a callback comes before all of the callback in every
 * execution: that is no conflict.
 */
#include "ports/sim/sim.h"
#include "checker/engine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define LOCATIONS_LG2 17
#define LOCATIONS     (1UL << LOCATIONS_LG2)
#define MODES         3

struct location {
	uintptr_t word;                   /* address / 8 + 1 */
	uint32_t conflicting[MODES];      /* coroutines with such accesses in conflict, in any execution */
	uint32_t known;                   /* coroutines with any access, in any execution */
	uint32_t at[MODES][SIM_ALL_CPUS]; /* each one's clock at its last access in this execution, 0: none */
};

static struct {
	uint32_t *slot; /* hash: location */
	struct location *location;
	uint32_t used; /* the first one is nobody's */
	size_t shared;
} share;

uint64_t sim_loc_tlb, sim_loc_tables, sim_loc_links, sim_loc_frames;

static uint32_t *slot_of(uintptr_t word)
{
	size_t i = (size_t)((word * 0x9e3779b97f4a7c15ULL) >> (64 - LOCATIONS_LG2));

	while (share.slot[i] && share.location[share.slot[i]].word != word)
		i = (i + 1) & (LOCATIONS - 1);
	return &share.slot[i];
}

static uintptr_t word_of(const volatile void *p)
{
	return (uintptr_t)p / 8 + 1;
}

static void *reserve(size_t bytes)
{
	void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (p == MAP_FAILED) {
		perror("sim: mmap");
		abort();
	}
	return p;
}

void sim_share_on(void)
{
	share.slot = reserve(LOCATIONS * sizeof(*share.slot));
	share.location = reserve(LOCATIONS / 2 * sizeof(*share.location));
	memset(sim.clock, 0, sizeof(sim.clock));
	for (unsigned i = 0; i < SIM_ALL_CPUS; i++)
		sim.clock[i].of[i] = 1;
}

void sim_share_off(void)
{
	if (share.slot) {
		munmap(share.slot, LOCATIONS * sizeof(*share.slot));
		munmap(share.location, LOCATIONS / 2 * sizeof(*share.location));
	}
	memset(&share, 0, sizeof(share));
}

size_t sim_shared_count(void)
{
	return share.shared;
}

struct sim_clock sim_order_release(void)
{
	struct sim_clock now = sim.clock[sim.current];

	engine_save(&sim.clock[sim.current].of[sim.current], sizeof(uint32_t));
	sim.clock[sim.current].of[sim.current]++;
	return now;
}

void sim_order_acquire(const struct sim_clock *c)
{
	struct sim_clock *mine = &sim.clock[sim.current];

	engine_save(mine, sizeof(*mine));
	for (unsigned i = 0; i < SIM_ALL_CPUS; i++) {
		if (c->of[i] > mine->of[i])
			mine->of[i] = c->of[i];
	}
}

static bool commute(unsigned a, unsigned b)
{
	return a == b && a != SIM_CHANGE;
}

bool sim_conflicts_as(const volatile void *p, enum sim_mode mode)
{
	const struct location *l;
	uint32_t others = 0;

	if (!sim.config.quiet)
		return true;
	l = &share.location[*slot_of(word_of(p))];
	for (unsigned m = 0; m < MODES; m++)
		others |= commute(m, mode) ? 0 : l->conflicting[m];
	return others & ~(1U << sim.current);
}

bool sim_conflicts(const volatile void *p, bool write)
{
	return sim_conflicts_as(p, write ? SIM_CHANGE : SIM_LOOK);
}

static struct location *location_of(const volatile void *p)
{
	uint32_t *slot = slot_of(word_of(p));

	if (*slot)
		return &share.location[*slot];
	if (share.used + 1 == LOCATIONS / 2)
		sim_fail("sim-limit", "more than %lu locations", LOCATIONS / 2);
	*slot = ++share.used;
	share.location[*slot].word = word_of(p);
	return &share.location[*slot];
}

/* Others' accesses in this execution that nothing puts before this one. */
static bool find_conflicts(struct location *l, unsigned mode)
{
	const struct sim_clock *mine = &sim.clock[sim.current];
	const uint32_t others = l->known & ~(1U << sim.current);
	uint32_t found[MODES] = {0};
	bool fresh = false;

	for (unsigned m = 0; m < MODES; m++) {
		if (commute(m, mode))
			continue;
		for (uint32_t rest = others; rest; rest &= rest - 1) {
			const unsigned i = (unsigned)__builtin_ctz(rest);

			if (l->at[m][i] > mine->of[i])
				found[m] |= 1U << i, found[mode] |= 1U << sim.current;
		}
	}
	for (unsigned m = 0; m < MODES; m++) {
		fresh |= found[m] & ~l->conflicting[m];
		l->conflicting[m] |= found[m];
	}
	return fresh;
}

static void note(const volatile void *p, enum sim_mode mode)
{
	struct location *l = location_of(p);
	uint32_t *at = &l->at[mode][sim.current], now = sim.clock[sim.current].of[sim.current];
	bool known;

	/* What came in between was seen to conflict with that one. */
	if (*at == now)
		return;
	l->known |= 1U << sim.current;
	known = l->conflicting[0] | l->conflicting[1] | l->conflicting[2];

	if (find_conflicts(l, mode)) {
		share.shared += !known;
		/* The rest of this execution may show more of them. */
		if (sim.config.quiet && !sim.config.fine) {
			sim.restart = true;
			engine_restart();
		}
	}
	engine_save(at, sizeof(*at));
	*at = now;
}

void sim_touch_later(const volatile void *p, enum sim_mode mode)
{
	if (!sim.solo)
		note(p, mode);
}

void sim_touch_as(const volatile void *p, enum sim_mode mode)
{
	if (sim.solo)
		return;
	note(p, mode);
	if (sim.config.fine || sim_conflicts_as(p, mode))
		engine_touch((const void *)((uintptr_t)p & ~7UL), (enum engine_mode)mode,
			     mode == SIM_LOOK ? 0 : sim_peek_word(p));
}

void sim_touch(const volatile void *p, bool write)
{
	sim_touch_as(p, write ? SIM_CHANGE : SIM_LOOK);
}

void sim_search_again(void)
{
	sim.restart = true;
	engine_restart();
	sim_cpu_stop();
}
