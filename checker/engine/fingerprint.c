/* SPDX-License-Identifier: MIT */
/*
 * Fingerprints of executions: two are the same if each actor did the same, and the same events came before each event.
 * The events' clocks say so, in whatever order they were run.
 */
#include "checker/engine/search.h"

#include <stdlib.h>

static struct {
	uint64_t (*slot)[2];
	size_t room, used;
} seen;

static uint64_t mixed(uint64_t h)
{
	h ^= h >> 32;
	h *= 0xd6e8feb86659fd93ULL;
	h ^= h >> 32;
	h *= 0xd6e8feb86659fd93ULL;
	return h ^ h >> 32;
}

static uint64_t hash_event(const struct event *e, uint64_t h)
{
	h = mixed(h ^ e->actor);
	for (unsigned i = 0; i < search.program->count; i++)
		h = mixed(h ^ (uint64_t)(uint16_t)e->clock.of[i]) + i;
	return mixed(mixed(h ^ e->code.word[0]) ^ e->code.word[1]);
}

static uint64_t *slot_of(const uint64_t *f)
{
	size_t i = (size_t)f[0] & (seen.room - 1);

	while ((seen.slot[i][0] | seen.slot[i][1]) && (seen.slot[i][0] != f[0] || seen.slot[i][1] != f[1]))
		i = (i + 1) & (seen.room - 1);
	return seen.slot[i];
}

static void grow(void)
{
	uint64_t(*old)[2] = seen.slot;
	size_t room = seen.room;

	seen.room = room ? room * 2 : 1 << 12;
	seen.slot = calloc(seen.room, sizeof(*seen.slot));
	if (!seen.slot)
		abort();
	for (size_t i = 0; i < room; i++) {
		if (old[i][0] | old[i][1])
			memcpy(slot_of(old[i]), old[i], sizeof(*old));
	}
	free(old);
}

void fingerprint_reset(void)
{
	free(seen.slot);
	memset(&seen, 0, sizeof(seen));
}

void fingerprint_note(void)
{
	uint64_t f[2] = {1, 2}, *slot;

	for (unsigned i = 0; i < search.depth; i++) {
		f[0] += hash_event(&search.event[i], 3);
		f[1] += hash_event(&search.event[i], 5);
	}
	if (seen.used * 2 >= seen.room)
		grow();
	slot = slot_of(f);
	if (slot[0] | slot[1]) {
		search.result.duplicates++;
		return;
	}
	memcpy(slot, f, sizeof(f));
	seen.used++;
}
