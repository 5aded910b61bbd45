/* SPDX-License-Identifier: MIT */
/* Tables seen: open addressing, at most three quarters full, 8 bytes each. */
#include <stdlib.h>

#include "inspect/lint/tables.h"

/* A table is aligned to 64 bytes at least: three bits say its level, plus 1 so that no slot is 0, and three its tree. */
#define LOW        63ULL
#define TREE_SHIFT 3

static uint64_t pack(cop_pa pa, struct lint_seen seen)
{
	return (pa & ~LOW) | (uint64_t)seen.tree << TREE_SHIFT | (seen.level + 1);
}

static struct lint_seen unpack(uint64_t slot)
{
	return (struct lint_seen){.level = ((unsigned)slot & 7) - 1, .tree = (unsigned)slot >> TREE_SHIFT & 7};
}

static size_t find(const uint64_t *slot, size_t room, uint64_t packed)
{
	size_t at = (size_t)((packed >> 6) * 0x9e3779b97f4a7c15ULL >> 20) & (room - 1);

	while (slot[at] && ((slot[at] ^ packed) & ~LOW))
		at = (at + 1) & (room - 1);
	return at;
}

static bool grow(struct lint_tables *t)
{
	const size_t room = t->room ? 2 * t->room : 1024;
	uint64_t *slot = calloc(room, sizeof(*slot));

	if (!slot)
		return false;
	for (size_t i = 0; i < t->room; i++)
		if (t->slot[i])
			slot[find(slot, room, t->slot[i])] = t->slot[i];
	free(t->slot);
	t->slot = slot;
	t->room = room;
	return true;
}

enum lint_added lint_tables_add(struct lint_tables *t, cop_pa pa, struct lint_seen *seen)
{
	const uint64_t packed = pack(pa, *seen);
	size_t at;

	if (t->count >= t->room / 4 * 3 && !grow(t))
		return LINT_FULL;
	at = find(t->slot, t->room, packed);
	if (t->slot[at]) {
		*seen = unpack(t->slot[at]);
		return LINT_AGAIN;
	}
	t->slot[at] = packed;
	t->count++;
	return LINT_NEW;
}
