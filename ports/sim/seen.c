/* SPDX-License-Identifier: MIT */
/*
 * States in which executions have ended before. When no CPU holds anything that the tables no longer say, what can still
 * happen depends on nothing but what memory, frames and the program's world are like: what was checked from there once
 * need not be checked again.
 *
 * A state is what is different from where executions start: words (of a table's frame that was filled since: different
 * from what it was filled with) and frames. States are compared wholly, not by their hashes alone.
 */
#include "ports/sim/sim.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SLOTS      (1U << 12)
#define ROOM_BYTES (16UL << 20)
#define WORDS      4096 /* of one state */
#define FRAMES     1024

struct word {
	const uint64_t *at;
	uint64_t value;
};

struct frame {
	uint32_t index;
	struct sim_frame is;
};

/* What else there is. */
struct rest {
	struct sim_tree tree[SIM_TREES];
	cop_va memmap[3], linear[2];
	const cop_pa *pending;
	uint64_t section[SIM_ALL_CPUS], hw[SIM_CPUS], stopper;
	unsigned depth[SIM_ALL_CPUS];
};

struct state {
	uint64_t hash;
	uint32_t words, frames;
	uint64_t events; /* that the check took */
	size_t at;       /* in room: words, frames, rest, world */
};

static struct {
	struct state slot[SLOTS];
	unsigned used;
	uint8_t *room;
	size_t top;
	/* The one at hand. */
	struct word word[WORDS];
	struct frame frame[FRAMES];
	struct rest rest;
	struct state now;
	unsigned free; /* slot for it */
	size_t bytes;
	bool fits;
} seen;

static uint64_t mixed(uint64_t a, uint64_t b)
{
	uint64_t v = (a ^ b * 0xff51afd7ed558ccdULL) * 0x9e3779b97f4a7c15ULL;

	v = (v ^ v >> 32) * 0xc4ceb9fe1a85ec53ULL;
	return v ^ v >> 29;
}

static uint64_t hash_of(const void *p, size_t bytes)
{
	const uint8_t *b = p;
	uint64_t h = bytes, v;
	size_t i;

	for (i = 0; i + 8 <= bytes; i += 8) {
		memcpy(&v, b + i, 8);
		h = mixed(h, v);
	}
	for (; i < bytes; i++)
		h = mixed(h, b[i]);
	return h;
}

void sim_seen_on(void)
{
	memset(&seen, 0, sizeof(seen));
	seen.room = malloc(ROOM_BYTES);
	if (!seen.room) {
		perror("sim: malloc");
		abort();
	}
}

void sim_seen_off(void)
{
	free(seen.room);
	seen.room = NULL;
}

static bool take_words(void)
{
	for (uint32_t i = 0; i < sim_writes(); i++) {
		struct sim_written w = sim_write_first(i);
		const struct sim_frame *f;

		if (!w.word)
			continue;
		f = w.pa == COP_PA_NONE ? NULL : &sim.frame[w.pa >> sim.config.frame_lg2];
		if (*w.word == (f && f->filled ? f->fill : w.old))
			continue;
		if (seen.now.words == WORDS)
			return false;
		seen.word[seen.now.words++] = (struct word){w.word, *w.word};
		/* In whatever order. */
		seen.now.hash += mixed((uintptr_t)w.word, *w.word);
	}
	return true;
}

/* Where only padding differs the state counts as new, and is checked once more than it need be. */
static bool same_bytes(const void *a, const void *b, size_t bytes)
{
	return !memcmp(a, b, bytes);
}

static bool take_frames(void)
{
	for (uint32_t i = 0; i < sim.frames_changed; i++) {
		const uint32_t index = sim_frame_changed(i);
		const struct sim_frame is = sim_frame_bare(&sim.frame[index]);

		if (same_bytes(&is, &sim.frame_before[index], sizeof(is)))
			continue;
		if (seen.now.frames == FRAMES)
			return false;
		seen.frame[seen.now.frames++] = (struct frame){index, is};
		seen.now.hash += mixed(index, is.base + is.va + is.fill + is.state * 8ULL + is.known * 2ULL + is.kept);
	}
	return true;
}

static void take_rest(void)
{
	struct rest *r = &seen.rest;

	memset(r, 0, sizeof(*r));
	memcpy(r->tree, sim.tree, sizeof(r->tree));
	r->memmap[0] = sim.memmap.vmemmap;
	r->memmap[1] = sim.memmap.start;
	r->memmap[2] = sim.memmap.last;
	r->linear[0] = sim.linear_start;
	r->linear[1] = sim.linear_last;
	r->pending = sim.pending.root;
	r->stopper = sim.stopper;
	for (unsigned i = 0; i < SIM_CPUS; i++)
		r->hw[i] = sim.hw[i].word;
	memcpy(r->depth, sim.rcu.depth, sizeof(r->depth));
	memcpy(r->section, sim.rcu.section, sizeof(r->section));
}

static uint8_t *put(uint8_t *at, const void *what, size_t bytes)
{
	memcpy(at, what, bytes);
	return at + bytes;
}

static size_t bytes_of(const struct state *s, size_t world_bytes)
{
	return s->words * sizeof(struct word) + s->frames * sizeof(struct frame) + sizeof(struct rest) +
	       (world_bytes + 7) / 8 * 8;
}

static bool is_same(const struct state *s, const void *world, size_t world_bytes)
{
	const uint8_t *at = seen.room + s->at;
	const struct word *word = (const void *)at;
	const struct frame *frame = (const void *)(word + s->words);

	if (s->hash != seen.now.hash || s->words != seen.now.words || s->frames != seen.now.frames)
		return false;
	for (uint32_t i = 0; i < s->frames; i++) {
		const struct sim_frame is = sim_frame_bare(&sim.frame[frame[i].index]);

		if (!same_bytes(&is, &frame[i].is, sizeof(is)))
			return false;
	}
	for (uint32_t i = 0; i < s->words; i++) {
		if (*word[i].at != word[i].value)
			return false;
	}
	at = (const void *)(frame + s->frames);
	return same_bytes(at, &seen.rest, sizeof(seen.rest)) && same_bytes(at + sizeof(seen.rest), world, world_bytes);
}

static unsigned slot_of(const void *world, size_t world_bytes)
{
	unsigned i = (unsigned)(seen.now.hash >> 32) % SLOTS;

	while (seen.slot[i].hash && !is_same(&seen.slot[i], world, world_bytes))
		i = (i + 1) % SLOTS;
	return i;
}

/* The check changes what it is about. */
static void keep(const void *world, size_t world_bytes)
{
	uint8_t *at = seen.room + seen.top;

	seen.bytes = bytes_of(&seen.now, world_bytes);
	if (seen.top + seen.bytes > ROOM_BYTES || seen.used == SLOTS / 2) {
		seen.fits = false;
		return;
	}
	seen.now.at = seen.top;
	at = put(at, seen.word, seen.now.words * sizeof(*seen.word));
	at = put(at, seen.frame, seen.now.frames * sizeof(*seen.frame));
	at = put(at, &seen.rest, sizeof(seen.rest));
	put(at, world, world_bytes);
}

bool sim_seen(const void *world, size_t world_bytes)
{
	const struct state *known;

	seen.now = (struct state){.events = sim.events};
	seen.fits = !sim.config.disabled && !sim.cut && !sim.elsewhere && sim.rcu.first == sim.rcu.last &&
		    sim.events < SIM_EVENTS / 2 && take_words() && take_frames();
	if (!seen.fits)
		return false;
	take_rest();
	seen.now.hash += hash_of(&seen.rest, sizeof(seen.rest)) + hash_of(world, world_bytes);
	seen.now.hash |= 1;
	seen.free = slot_of(world, world_bytes);
	known = &seen.slot[seen.free];
	if (!known->hash) {
		keep(world, world_bytes);
		return false;
	}
	sim.events += known->events;
	return true;
}

void sim_seen_passed(void)
{
	struct state *s = &seen.slot[seen.free];

	if (!seen.fits)
		return;
	*s = seen.now;
	s->events = sim.events - s->events;
	seen.top += seen.bytes;
	seen.used++;
	seen.fits = false;
}
