/* SPDX-License-Identifier: MIT */
/*
 * Happens-before, by vector clocks: what a program orders by its own locks, releases and acquires, fences and grace
 * periods, whatever the machine's order of this execution is. Of two accesses to one location, a write among them, that
 * it does not order, neither may be plain.
 *
 * A release leaves its CPU's clock at the location; an acquire that reads it joins that. A relaxed read-modify-write
 * leaves what is there (C11 5.1.2.4, release sequences); fences stand for the marked accesses after or before them.
 */
#include "ports/sim/sim.h"
#include "checker/engine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define CPUS      SIM_ALL_CPUS
#define LOCATIONS (1U << 16)

struct location {
	uintptr_t address;
	uint32_t accessed; /* coroutines that ever did, in any execution */
	/* What follows is put back, each part by itself. */
	struct accesses {
		struct sim_at at; /* of the last write */
		struct sim_at read_at;
		uint32_t plain_write, plain_read; /* coroutines whose last one was plain */
		uint8_t last_writer;
	} last;
	struct own {
		uint64_t seen;          /* what it has last read or written here */
		uint32_t written, read; /* its clock at its last write and read, 0: none */
		bool knows;             /* .seen */
	} own[CPUS];
	struct sim_clock released;
};

static struct {
	uint32_t *slot; /* hash: location */
	struct location *location;
	uint32_t used; /* the first one is nobody's */
	struct {
		struct sim_clock clock[CPUS];
		struct sim_clock acquired[CPUS]; /* by relaxed loads, for a fence to come */
		struct sim_clock fenced[CPUS];   /* by a release fence, for stores to come */
	} now;
} race;

static const struct sim_clock nothing;

static void join(struct sim_clock *to, const struct sim_clock *from)
{
	struct sim_clock both;
	uint32_t more = 0;

	for (unsigned i = 0; i < CPUS; i++) {
		both.of[i] = from->of[i] > to->of[i] ? from->of[i] : to->of[i];
		more |= both.of[i] ^ to->of[i];
	}
	if (!more)
		return;
	engine_save(to, sizeof(*to));
	*to = both;
}

static uint32_t *slot_of(uintptr_t address)
{
	size_t i = (size_t)((address * 0x9e3779b97f4a7c15ULL) >> 20) & (LOCATIONS - 1);

	while (race.slot[i] && race.location[race.slot[i]].address != address)
		i = (i + 1) & (LOCATIONS - 1);
	return &race.slot[i];
}

static struct location *location_of(const volatile void *p)
{
	uint32_t *slot = slot_of((uintptr_t)p);

	if (*slot)
		return &race.location[*slot];
	if (race.used + 1 == LOCATIONS / 2)
		sim_fail("sim-limit", "more than %u locations", LOCATIONS / 2);
	*slot = ++race.used;
	/* Its address stays when all else is put back. */
	race.location[*slot].address = (uintptr_t)p;
	return &race.location[*slot];
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

void sim_race_on(void)
{
	race.slot = reserve(LOCATIONS * sizeof(*race.slot));
	race.location = reserve(LOCATIONS / 2 * sizeof(*race.location));
	for (unsigned i = 0; i < CPUS; i++)
		race.now.clock[i].of[i] = 1;
}

void sim_race_off(void)
{
	if (race.slot) {
		munmap(race.slot, LOCATIONS * sizeof(*race.slot));
		munmap(race.location, LOCATIONS / 2 * sizeof(*race.location));
	}
	memset(&race, 0, sizeof(race));
}

static struct sim_clock *mine(void)
{
	return &race.now.clock[sim.current];
}

/* What it does from now on does not come before what knows of it so far. */
static void tick(unsigned cpu)
{
	uint32_t *own = &race.now.clock[cpu].of[cpu];

	engine_save(own, sizeof(*own));
	++*own;
}

static const char *name_of(unsigned cpu)
{
	return sim.cpu[cpu].name ? sim.cpu[cpu].name : "another CPU";
}

/* The other's access was at @clock; @knew: what this one knew. */
static bool unordered(const struct sim_clock *knew, unsigned cpu, uint32_t clock)
{
	return cpu != sim.current && clock > knew->of[cpu];
}

static void check(const struct location *l, unsigned how, const struct sim_clock *knew, struct sim_at at)
{
	const bool write = how & SIM_RACE_WRITE, plain = how & SIM_RACE_PLAIN;

	for (uint32_t rest = l->accessed; rest; rest &= rest - 1) {
		const unsigned i = (unsigned)__builtin_ctz(rest);
		const struct own *o = &l->own[i];
		const bool after_write = unordered(knew, i, o->written) && (plain || (l->last.plain_write & 1U << i));
		const bool after_read =
			write && unordered(knew, i, o->read) && (plain || (l->last.plain_read & 1U << i));

		if (!after_write && !after_read)
			continue;
		sim.cpu[sim.current].at = at;
		sim_report("data-race", "a %s%s, and the %s by %s at %s:%d: nothing orders them, and one is plain",
			   plain ? "plain " : "", write ? "write" : "read", after_write ? "write" : "read", name_of(i),
			   (after_write ? l->last.at : l->last.read_at).file
				   ? (after_write ? l->last.at : l->last.read_at).file
				   : "-",
			   (after_write ? l->last.at : l->last.read_at).line);
		return;
	}
}

static void set_bit(uint32_t *bits, bool on)
{
	*bits = on ? *bits | 1U << sim.current : *bits & ~(1U << sim.current);
}

static struct sim_clock joined(const struct sim_clock *a, const struct sim_clock *b)
{
	struct sim_clock both;

	for (unsigned i = 0; i < CPUS; i++)
		both.of[i] = a->of[i] > b->of[i] ? a->of[i] : b->of[i];
	return both;
}

/* What a write tells whoever acquires it; what a release fence was told is part of what its CPU knows. */
static const struct sim_clock *leaves(unsigned how)
{
	if (how & SIM_RACE_RELEASE)
		return mine();
	return how & SIM_RACE_PLAIN ? &nothing : &race.now.fenced[sim.current];
}

static void learn(const struct location *l, unsigned how)
{
	if (how & SIM_RACE_ACQUIRE)
		join(mine(), &l->released);
	else if (!(how & SIM_RACE_PLAIN))
		join(&race.now.acquired[sim.current], &l->released);
}

static void leave(struct location *l, unsigned how, const struct sim_clock *what)
{
	struct sim_clock released = *what;

	if (how & SIM_RACE_RMW)
		released = joined(&released, &l->released);
	if (!memcmp(&l->released, &released, sizeof(released)))
		return;
	engine_save(&l->released, sizeof(l->released));
	l->released = released;
}

/* @epoch: the CPU's own clock. */
static void note(struct location *l, unsigned how, uint32_t epoch, uint64_t value, struct sim_at at)
{
	struct own *own = &l->own[sim.current];

	l->accessed |= 1U << sim.current;
	engine_save(own, sizeof(*own));
	engine_save(&l->last, sizeof(l->last));
	own->seen = value;
	own->knows = true;
	if (!(how & SIM_RACE_WRITE) || (how & SIM_RACE_RMW)) {
		own->read = epoch;
		l->last.read_at = at;
		set_bit(&l->last.plain_read, how & SIM_RACE_PLAIN);
	}
	if (how & SIM_RACE_WRITE) {
		own->written = epoch;
		l->last.at = at;
		l->last.last_writer = (uint8_t)sim.current;
		set_bit(&l->last.plain_write, how & SIM_RACE_PLAIN);
	}
}

void sim_race_access(const volatile void *p, unsigned how, uint64_t value, struct sim_at at)
{
	struct location *l;

	if (sim.solo)
		return;
	l = location_of(p);
	check(l, how, mine(), at);
	learn(l, how);
	if (how & SIM_RACE_WRITE)
		leave(l, how, leaves(how));
	note(l, how, mine()->of[sim.current], value, at);
	if (how & SIM_RACE_RELEASE)
		tick(sim.current);
}

struct sim_issued sim_race_issued(unsigned how)
{
	const struct sim_issued issued = {*mine(), *leaves(how)};

	if (how & SIM_RACE_RELEASE)
		tick(sim.current);
	return issued;
}

void sim_race_made(const volatile void *p, unsigned how, uint64_t value, struct sim_at at,
		   const struct sim_issued *issued)
{
	struct location *l = location_of(p);

	check(l, how, &issued->knew, at);
	leave(l, how, &issued->leaves);
	note(l, how, issued->knew.of[sim.current], value, at);
}

void sim_race_fence(bool acquire, bool release)
{
	if (sim.solo)
		return;
	if (acquire)
		join(mine(), &race.now.acquired[sim.current]);
	if (release) {
		engine_save(&race.now.fenced[sim.current], sizeof(*race.now.fenced));
		race.now.fenced[sim.current] = *mine();
		tick(sim.current);
	}
}

void sim_race_before(const void *what)
{
	if (sim.solo)
		return;
	join(&location_of(what)->released, mine());
	tick(sim.current);
}

void sim_race_after(const void *what)
{
	if (!sim.solo)
		join(mine(), &location_of(what)->released);
}

void sim_race_hardware(const volatile void *p, uint64_t value)
{
	struct location *l;

	if (sim.solo)
		return;
	l = location_of(p);
	engine_save(&l->last, sizeof(l->last));
	l->last.last_writer = SIM_HARDWARE;
	l->last.at = sim.cpu[sim.current].at;
	(void)value;
}

struct sim_known sim_race_known(const void *p)
{
	const struct location *l;

	if (sim.solo)
		return (struct sim_known){.any = false};
	l = location_of(p);
	return (struct sim_known){.any = l->own[sim.current].knows, .value = l->own[sim.current].seen};
}

struct sim_overwrite sim_race_overwrites(const void *p, const struct sim_change *change, uint64_t old)
{
	const struct sim_clock *knew = change->knew ? change->knew : mine();
	const struct location *l;
	struct sim_overwrite o = {.unseen = false};

	if (sim.solo || !change->known.any)
		return o;
	l = location_of(p);
	o.seen = change->known.value;
	o.by = l->last.last_writer;
	o.at = l->last.at;
	if (o.seen == old)
		return o;
	o.unseen = o.by == SIM_HARDWARE || unordered(knew, o.by, l->own[o.by].written);
	return o;
}

void sim_race_join(bool to_all)
{
	for (unsigned i = 0; i < CPUS; i++) {
		if (i == sim.current)
			continue;
		if (to_all) {
			join(&race.now.clock[i], mine());
			continue;
		}
		/* What it does from now on is not part of that. */
		join(mine(), &race.now.clock[i]);
		tick(i);
	}
	if (to_all)
		tick(sim.current);
}
