/* SPDX-License-Identifier: MIT */
/*
 * Weak order: which moments anybody can tell the order of.
 *
 * That all CPUs agree on the order of all stores matters where a load asks whether a store of its location was made before
 * or after the moment that its CPU's view began at. A view begins at stores of other locations (those that were acquired)
 * and at fences. So stores of two locations are dependent if some load, in any execution, has compared the one with a view
 * that the other was part of; else they commute. The pairs outlive searches and only grow; a new one starts the search over,
 * as a new conflict does (share.c): a search that ends has known all that it compared.
 *
 * A place is a location, or the fences of a CPU. The last one is all locations that there are too many of.
 */
#include "ports/sim/sim.h"
#include "checker/engine.h"

#include <string.h>

#define PLACES 64
#define REST   (PLACES - 1)

static struct {
	uint64_t with[PLACES]; /* bits of places */
	/* Locations that stand for something. */
	uint64_t pair[PLACES][PLACES];
	uint64_t all;
	unsigned used;
} compared;

void sim_compared_on(void)
{
	memset(&compared, 0, sizeof(compared));
	compared.used = SIM_BUFFERS;
}

unsigned sim_compared_place(void)
{
	return compared.used == REST ? REST : compared.used++;
}

static const void *pair_of(unsigned a, unsigned b)
{
	return a < b ? &compared.pair[a][b] : &compared.pair[b][a];
}

void sim_compared(unsigned place, uint64_t with)
{
	/* One location's stores are in order anyway. */
	uint64_t fresh = with & ~compared.with[place] & ~(place == REST ? 0 : COP_LG2(place));

	if (!fresh)
		return;
	compared.with[place] |= fresh;
	for (; fresh; fresh &= fresh - 1)
		compared.with[__builtin_ctzll(fresh)] |= COP_LG2(place);
	if (sim.config.fine)
		return;
	sim.restart = true;
	engine_restart();
}

bool sim_compared_conflicts(unsigned place, bool write)
{
	bool any = sim.config.all_ordered && sim_conflicts(&compared.all, write);

	for (uint64_t rest = compared.with[place]; rest; rest &= rest - 1)
		any |= sim_conflicts(pair_of(place, (unsigned)__builtin_ctzll(rest)), write);
	return any;
}

void sim_compared_touch(unsigned place, bool write)
{
	if (sim.config.all_ordered)
		sim_touch(&compared.all, write);
	for (uint64_t rest = compared.with[place]; rest; rest &= rest - 1)
		sim_touch(pair_of(place, (unsigned)__builtin_ctzll(rest)), write);
}
