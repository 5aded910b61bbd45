/* SPDX-License-Identifier: MIT */
/* Putting states back: stacks as they were before each event, memory from a log of what it held. */
#include "checker/engine/search.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

/* Address space, not memory: what is never used is never there. */
#define UNDO_BYTES  (1UL << 30)
#define SAVED_BYTES (1UL << 30)
#define LINE        64

/* After the bytes themselves, which are a multiple of 8. */
struct undone {
	void *at;
	uint32_t bytes, region; /* region + 1 */
};

void *state_reserve(size_t bytes)
{
	void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (p == MAP_FAILED) {
		perror("checker: mmap");
		abort();
	}
	return p;
}

typedef uint64_t part __attribute__((vector_size(16), aligned(8), may_alias));

/* Stacks have red zones of frames that are gone; a copy is no access to them. Words, of multiples of 8 bytes. */
__attribute__((no_sanitize("address"))) static void copy_words(void *to, const void *from, size_t bytes)
{
	uint8_t *t = to;
	const uint8_t *f = from, *end = f + bytes;

	for (; end - f >= LINE; f += LINE, t += LINE) {
		const part *p = (const void *)f;
		const part a = p[0], b = p[1], c = p[2], d = p[3];
		part *q = (void *)t;

		q[0] = a;
		q[1] = b;
		q[2] = c;
		q[3] = d;
	}
	for (; f < end; f += 8, t += 8)
		*(uint64_t *)(void *)t = *(const uint64_t *)(const void *)f;
}

static inline bool line_same(const uint8_t *a, const uint8_t *b)
{
	const part *p = (const void *)a, *q = (const void *)b;
	const part differ = (p[0] ^ q[0]) | (p[1] ^ q[1]) | (p[2] ^ q[2]) | (p[3] ^ q[3]);

	return !(differ[0] | differ[1]);
}

#define POOLS(use)                                                                                                     \
	use(event, ENGINE_EVENTS + 1);                                                                                 \
	use(node, ENGINE_EVENTS + 2);                                                                                  \
	use(location, 1U << 17);                                                                                       \
	use(slot, 1U << 17);                                                                                           \
	use(access, 1U << 20);                                                                                         \
	use(race, 1U << 20);                                                                                           \
	use(step, STEPS);                                                                                              \
	use(sleeping, SLEEPING);                                                                                       \
	use(touch, TOUCHES);                                                                                           \
	use(undo, UNDO_BYTES);                                                                                         \
	use(saved, SAVED_BYTES)

/* Once: what is not used again costs nothing. */
static void open_pools(void)
{
#define OPEN(pool, count) search.pool = state_reserve((count) * sizeof(*search.pool))
	POOLS(OPEN);
	wakeup_open();
}

void state_open(void)
{
	if (!search.event)
		open_pools();
	search.depth = search.state = 0;
	search.undo_top = search.saved_top = 0;
	search.steps = search.touches = search.sleepings = 0;
	for (unsigned i = 0; i < search.regions; i++)
		memcpy(search.region[i].shadow, search.region[i].at, search.region[i].bytes);
}

static void log_bytes(void *at, const void *old, size_t bytes, uint32_t region)
{
	uint8_t *to = search.undo + search.undo_top;
	struct undone u = {at, (uint32_t)bytes, region};

	if (search.undo_top + bytes + sizeof(u) + 8 > UNDO_BYTES)
		search_limit("bytes of state changed in one execution");
	memcpy(to, old, bytes);
	to += (bytes + 7) & ~7UL;
	memcpy(to, &u, sizeof(u));
	search.undo_top = (uint32_t)(to + sizeof(u) - search.undo);
}

void engine_save(void *p, size_t bytes)
{
	if (search.running)
		log_bytes(p, p, bytes, 0);
}

void state_unwind(uint32_t top)
{
	while (search.undo_top > top) {
		struct undone u;
		uint8_t *from = search.undo + search.undo_top - sizeof(u);

		memcpy(&u, from, sizeof(u));
		from -= (u.bytes + 7) & ~7UL;
		memcpy(u.at, from, u.bytes);
		if (u.region) {
			struct region *r = &search.region[u.region - 1];

			memcpy(r->shadow + ((uint8_t *)u.at - r->at), from, u.bytes);
		}
		search.undo_top = (uint32_t)(from - search.undo);
	}
}

void engine_region(void *p, size_t bytes)
{
	struct region *r = &search.region[search.regions];

	if (!bytes)
		return;
	if (search.regions == REGIONS)
		search_limit("regions");
	*r = (struct region){p, malloc(bytes), bytes};
	if (!r->shadow)
		abort();
	search.regions++;
}

void engine_regions_reset(void)
{
	while (search.regions)
		free(search.region[--search.regions].shadow);
}

static void changed(struct region *r, size_t from, size_t bytes, uint32_t number)
{
	log_bytes(r->at + from, r->shadow + from, bytes, number);
	memcpy(r->shadow + from, r->at + from, bytes);
}

void state_compare(void)
{
	for (unsigned i = 0; i < search.regions; i++) {
		struct region *r = &search.region[i];

		size_t o = 0;

		for (; o + LINE <= r->bytes; o += LINE) {
			if (!line_same(r->at + o, r->shadow + o))
				changed(r, o, LINE, i + 1);
		}
		if (o < r->bytes && memcmp(r->at + o, r->shadow + o, r->bytes - o) != 0)
			changed(r, o, r->bytes - o, i + 1);
	}
}

static size_t size_of_state(const struct actor_state *s)
{
	return offsetof(struct actor_state, await) + s->awaits * sizeof(struct engine_await);
}

void state_keep(struct event *e, unsigned actor)
{
	const struct actor *a = &search.actor[actor];
	size_t bytes = (size_t)(a->co.top - (uint8_t *)a->now.sp); /* stacks are in words */
	uint8_t *to = search.saved + search.saved_top;

	size_t state = size_of_state(&a->now);

	if (search.saved_top + state + bytes > SAVED_BYTES)
		search_limit("bytes of stacks in one execution");
	e->undo = search.undo_top;
	e->saved = search.saved_top;
	copy_words(to, &a->now, state);
	copy_words(to + state, a->now.sp, bytes);
	search.saved_top += (uint32_t)(state + bytes);
}

static void stack_restore(const struct event *e)
{
	struct actor *a = &search.actor[e->actor];
	const uint8_t *from = search.saved + e->saved;
	size_t state;

	copy_words(&a->now, from, offsetof(struct actor_state, await));
	state = size_of_state(&a->now);
	copy_words(&a->now, from, state);
	copy_words(a->now.sp, from + state, (size_t)(a->co.top - (uint8_t *)a->now.sp));
	a->answers = 0;
}

void state_restore(unsigned depth)
{
	uint32_t seen = 0;

	/* Of each actor only the oldest stack counts. */
	for (unsigned i = depth; i < search.state; i++) {
		struct event *e = &search.event[i];

		e->put_back = !(seen & bit(e->actor));
		seen |= bit(e->actor);
	}
	while (search.state > depth) {
		const struct event *e = &search.event[--search.state];

		state_unwind(e->undo);
		if (e->put_back)
			stack_restore(e);
	}
	if (seen)
		search.saved_top = search.event[depth].saved;
}
