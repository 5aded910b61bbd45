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
	uintptr_t address; /* 0: none */
	uint8_t last_writer;
	bool last_plain, known;                  /* known: .seen is what .knower has last read or written here */
	uint32_t written[CPUS];                  /* each CPU's clock at its last write, 0: none */
	uint32_t read[CPUS];                     /* ... and read */
	uint16_t plain_write, plain_read, knows; /* CPUs */
	uint64_t seen[CPUS];
	struct sim_clock released;
	struct sim_at at; /* of the last write */
	struct sim_at read_at;
};

static struct {
	struct location *slot;
	size_t used;
	struct {
		struct sim_clock clock[CPUS];
		struct sim_clock acquired[CPUS]; /* by relaxed loads, for a fence to come */
		struct sim_clock fenced[CPUS];   /* by a release fence, for stores to come */
	} now;
} race;

static void join(struct sim_clock *to, const struct sim_clock *from)
{
	for (unsigned i = 0; i < CPUS; i++) {
		if (from->of[i] > to->of[i])
			to->of[i] = from->of[i];
	}
}

static struct location *slot_of(uintptr_t address)
{
	size_t i = (size_t)((address * 0x9e3779b97f4a7c15ULL) >> 20) & (LOCATIONS - 1);

	while (race.slot[i].address && race.slot[i].address != address)
		i = (i + 1) & (LOCATIONS - 1);
	return &race.slot[i];
}

static struct location *location_of(const volatile void *p)
{
	struct location *l = slot_of((uintptr_t)p);

	if (!l->address && ++race.used == LOCATIONS / 2)
		sim_fail("sim-limit", "more than %u locations", LOCATIONS / 2);
	/* Its address stays when all else is put back. */
	l->address = (uintptr_t)p;
	return l;
}

/* ... to be changed. */
static struct location *changed(const volatile void *p)
{
	struct location *l = location_of(p);

	engine_save(l, sizeof(*l));
	return l;
}

void sim_race_on(void)
{
	race.slot = mmap(NULL, LOCATIONS * sizeof(*race.slot), PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (race.slot == MAP_FAILED) {
		perror("sim: mmap");
		abort();
	}
	for (unsigned i = 0; i < CPUS; i++)
		race.now.clock[i].of[i] = 1;
	engine_region(&race.now, sizeof(race.now));
}

void sim_race_off(void)
{
	if (race.slot)
		munmap(race.slot, LOCATIONS * sizeof(*race.slot));
	memset(&race, 0, sizeof(race));
}

static struct sim_clock *mine(void)
{
	return &race.now.clock[sim.current];
}

static const char *name_of(unsigned cpu)
{
	return sim.cpu[cpu].name ? sim.cpu[cpu].name : "another CPU";
}

/* The other's access was at @clock. */
static bool unordered(unsigned cpu, uint32_t clock)
{
	return cpu != sim.current && clock > mine()->of[cpu];
}

static void check(const struct location *l, unsigned how, struct sim_at at)
{
	const bool write = how & SIM_RACE_WRITE, plain = how & SIM_RACE_PLAIN;

	for (unsigned i = 0; i < CPUS; i++) {
		const bool after_write = unordered(i, l->written[i]) && (plain || (l->plain_write & 1U << i));
		const bool after_read = write && unordered(i, l->read[i]) && (plain || (l->plain_read & 1U << i));

		if (!after_write && !after_read)
			continue;
		sim.cpu[sim.current].at = at;
		sim_report("data-race", "a %s%s, and the %s by %s at %s:%d: nothing orders them, and one is plain",
			   plain ? "plain " : "", write ? "write" : "read", after_write ? "write" : "read", name_of(i),
			   (after_write ? l->at : l->read_at).file ? (after_write ? l->at : l->read_at).file : "-",
			   (after_write ? l->at : l->read_at).line);
		return;
	}
}

static void set_bit(uint16_t *bits, bool on)
{
	*bits = (uint16_t)(on ? *bits | 1U << sim.current : *bits & ~(1U << sim.current));
}

static void order(struct location *l, unsigned how)
{
	struct sim_clock released = {{0}};

	if (how & SIM_RACE_ACQUIRE)
		join(mine(), &l->released);
	else if (!(how & SIM_RACE_PLAIN))
		join(&race.now.acquired[sim.current], &l->released);
	if (!(how & SIM_RACE_WRITE))
		return;
	if (how & SIM_RACE_RMW)
		released = l->released;
	if (!(how & SIM_RACE_PLAIN))
		join(&released, &race.now.fenced[sim.current]);
	if (how & SIM_RACE_RELEASE)
		join(&released, mine());
	l->released = released;
}

void sim_race_access(const volatile void *p, unsigned how, uint64_t value, struct sim_at at)
{
	struct location *l;

	if (sim.solo)
		return;
	l = changed(p);
	check(l, how, at);
	order(l, how);
	l->seen[sim.current] = value;
	set_bit(&l->knows, true);
	if (!(how & SIM_RACE_WRITE) || (how & SIM_RACE_RMW)) {
		l->read[sim.current] = mine()->of[sim.current];
		l->read_at = at;
		set_bit(&l->plain_read, how & SIM_RACE_PLAIN);
	}
	if (how & SIM_RACE_WRITE) {
		l->written[sim.current] = mine()->of[sim.current];
		l->at = at;
		l->last_writer = (uint8_t)sim.current;
		set_bit(&l->plain_write, how & SIM_RACE_PLAIN);
	}
	if (how & SIM_RACE_RELEASE)
		mine()->of[sim.current]++;
}

void sim_race_fence(bool acquire, bool release)
{
	if (sim.solo)
		return;
	if (acquire)
		join(mine(), &race.now.acquired[sim.current]);
	if (release) {
		race.now.fenced[sim.current] = *mine();
		mine()->of[sim.current]++;
	}
}

void sim_race_before(const void *what)
{
	if (sim.solo)
		return;
	join(&changed(what)->released, mine());
	mine()->of[sim.current]++;
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
	l = changed(p);
	l->last_writer = SIM_HARDWARE;
	l->at = sim.cpu[sim.current].at;
	(void)value;
}

struct sim_known sim_race_known(const void *p)
{
	const struct location *l;

	if (sim.solo)
		return (struct sim_known){.any = false};
	l = location_of(p);
	return (struct sim_known){.any = l->knows & 1U << sim.current, .value = l->seen[sim.current]};
}

struct sim_overwrite sim_race_overwrites(const void *p, struct sim_known known, uint64_t old)
{
	const struct location *l;
	struct sim_overwrite o = {.unseen = false};

	if (sim.solo || !known.any)
		return o;
	l = location_of(p);
	o.seen = known.value;
	o.by = l->last_writer;
	o.at = l->at;
	if (o.seen == old)
		return o;
	o.unseen = o.by == SIM_HARDWARE || unordered(o.by, l->written[o.by]);
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
		race.now.clock[i].of[i]++;
	}
	if (to_all)
		mine()->of[sim.current]++;
}
