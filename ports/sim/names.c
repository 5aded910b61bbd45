/* SPDX-License-Identifier: MIT */
/*
 * Which words of tables have ever held an entry that names a frame, in any execution: who frees the frame looks at those
 * only. Grows, and is not put back.
 */
#include "ports/sim/mmu.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FEW 16 /* frames of an entry that is listed under each of them; beyond that in a list of its own */

struct name {
	cop_pa word, pa;
	uint64_t bytes;
	uint32_t next; /* of those listed under the same frame, + 1 */
};

static struct {
	struct name *name;
	uint32_t count, room;
	uint32_t *first; /* by frame, + 1; the last one: those of many frames */
	uint32_t frames;
} names;

static void *must(void *p)
{
	if (!p) {
		perror("sim: malloc");
		abort();
	}
	return p;
}

void sim_names_on(void)
{
	names.frames = (uint32_t)(sim.config.pa_bytes >> sim.config.frame_lg2);
	names.first = must(calloc(names.frames + 1, sizeof(*names.first)));
}

void sim_names_off(void)
{
	free(names.first);
	free(names.name);
	memset(&names, 0, sizeof(names));
}

static void add(uint32_t list, const struct name *n)
{
	for (uint32_t i = names.first[list]; i; i = names.name[i - 1].next) {
		const struct name *known = &names.name[i - 1];

		if (known->word == n->word && known->pa == n->pa && known->bytes == n->bytes)
			return;
	}
	if (names.count == names.room) {
		names.room = names.room ? 2 * names.room : 256;
		names.name = must(realloc(names.name, names.room * sizeof(*names.name)));
	}
	names.name[names.count] = *n;
	names.name[names.count].next = names.first[list];
	names.first[list] = ++names.count;
}

void sim_name(cop_pa word, cop_pa pa, uint64_t bytes)
{
	const struct name n = {.word = word, .pa = pa, .bytes = bytes};
	const uint64_t first = pa >> sim.config.frame_lg2, last = (pa + bytes - 1) >> sim.config.frame_lg2;

	if (last - first >= FEW) {
		add(names.frames, &n);
		return;
	}
	for (uint64_t i = first; i <= last && i < names.frames; i++)
		add((uint32_t)i, &n);
}

static void each_in(uint32_t list, cop_pa pa, uint64_t bytes, void (*found)(cop_pa word, void *), void *arg)
{
	for (uint32_t i = names.first[list]; i; i = names.name[i - 1].next) {
		const struct name *n = &names.name[i - 1];

		if (n->pa < pa + bytes && n->pa + n->bytes > pa)
			found(n->word, arg);
	}
}

void sim_names_of(cop_pa pa, uint64_t bytes, void (*found)(cop_pa word, void *), void *arg)
{
	const uint64_t last = (pa + bytes - 1) >> sim.config.frame_lg2;

	each_in(names.frames, pa, bytes, found, arg);
	for (uint64_t i = pa >> sim.config.frame_lg2; i <= last && i < names.frames; i++)
		each_in((uint32_t)i, pa, bytes, found, arg);
}
