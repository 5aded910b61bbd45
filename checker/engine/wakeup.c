/* SPDX-License-Identifier: MIT */
/*
 * Wakeup trees: at each state the sequences of steps that have to come first for some execution not to be missed, so that no
 * execution is begun which was explored already. Abdulla et al. as in dpor.c, section 6.
 *
 * Races are looked at when an execution is complete: what follows a race decides whether its reversal is new. The step
 * that is moved to the front comes before what only follows it in the reversal. A race is settled once a step from before
 * its second event vouches for the reversal: that does not change with what comes later.
 */
#include "checker/engine/search.h"

#define CHUNK 7

struct chunk {
	touch touch[CHUNK];
	uint32_t next;
};

struct branch {
	union code code;
	uint64_t reads, writes;
	uint32_t chunk, next, child;
	uint8_t ways[CHOICES];
	uint8_t actor, choices;
	bool any_code;
};

static struct {
	struct branch *branch;
	struct chunk *chunk;
	uint32_t branches, chunks, free_branch, free_chunk;
} pool;

void wakeup_open(void)
{
	pool.branch = state_reserve(BRANCHES * sizeof(*pool.branch));
	pool.chunk = state_reserve(BRANCHES * sizeof(*pool.chunk));
}

void wakeup_reset(void)
{
	pool.branches = pool.chunks = 1;
	pool.free_branch = pool.free_chunk = 0;
}

static uint32_t chunk_new(void)
{
	uint32_t c = pool.free_chunk;

	if (c)
		pool.free_chunk = pool.chunk[c].next;
	else if (pool.chunks == BRANCHES)
		search_limit("steps in wakeup trees");
	else
		c = pool.chunks++;
	memset(&pool.chunk[c], 0, sizeof(pool.chunk[c]));
	return c;
}

static uint32_t branch_new(void)
{
	uint32_t b = pool.free_branch;

	if (b)
		pool.free_branch = pool.branch[b].next;
	else if (pool.branches == BRANCHES)
		search_limit("steps in wakeup trees");
	else
		b = pool.branches++;
	memset(&pool.branch[b], 0, sizeof(pool.branch[b]));
	return b;
}

static void branch_free(uint32_t b)
{
	uint32_t next;

	for (uint32_t c = pool.branch[b].chunk; c; c = next) {
		next = pool.chunk[c].next;
		pool.chunk[c].next = pool.free_chunk;
		pool.free_chunk = c;
	}
	pool.branch[b].next = pool.free_branch;
	pool.free_branch = b;
}

static void add_touch(struct branch *b, unsigned *count, touch t)
{
	if (*count % CHUNK == 0) {
		uint32_t c = chunk_new();

		pool.chunk[c].next = b->chunk;
		b->chunk = c;
	}
	/* The location of index 0 is none: what is left of a chunk says so. */
	pool.chunk[b->chunk].touch[(*count)++ % CHUNK] = t;
}

/* The reversal of a race: what does not depend on its first event, in order, with the second event among it. */
struct reversal {
	uint32_t event[ENGINE_EVENTS + 1]; /* NONE: the second, where that has not happened */
	uint16_t next[ENGINE_EVENTS + 1];  /* of the same actor; 0: none */
	uint16_t head[ENGINE_ACTORS];      /* first that is left, + 1 */
	unsigned count, front;             /* up to and with the second event */
	union clock first;                 /* numbers of the heads */
	uint64_t reads, writes;
	/* The second event. */
	unsigned actor, at;
	union clock clock;
	uint64_t second_reads, second_writes;
};
static struct reversal reversal;

static int16_t number_at(const struct reversal *r, unsigned i)
{
	return r->event[i] == NONE ? (int16_t)(clock_before(r->actor)->of[r->actor] + 1)
				   : search.event[r->event[i]].number;
}

static void put(struct reversal *r, uint16_t *tail, unsigned actor, uint32_t event)
{
	unsigned i = r->count++;

	r->event[i] = event;
	r->next[i] = 0;
	if (tail[actor])
		r->next[tail[actor] - 1] = (uint16_t)(i + 1);
	else
		r->head[actor] = (uint16_t)(i + 1);
	tail[actor] = (uint16_t)(i + 1);
	if (r->first.of[actor] == 0x7f7f)
		r->first.of[actor] = number_at(r, i);
}

/* What the second event touches when it has not happened: what it waits for. */
static void guess_touches(struct reversal *r)
{
	const struct actor_state *a = &search.actor[r->actor].now;

	r->second_reads = r->second_writes = 0;
	for (unsigned i = 0; i < a->awaits; i++) {
		touch t = touch_of_await(&a->await[i]);

		*(touch_mode(t) == ENGINE_READ ? &r->second_reads : &r->second_writes) |= 1ULL
											  << (touch_location(t) & 63);
	}
}

static void reverse(struct reversal *r, const struct race *race, unsigned second, unsigned actor,
		    const union clock *clock)
{
	uint16_t tail[ENGINE_ACTORS] = {0};
	uint32_t virtual = second == search.depth ? NONE : second;

	memset(r->head, 0, sizeof(r->head));
	memset(&r->first, 0x7f, sizeof(r->first));
	r->count = 0;
	r->actor = actor;
	r->clock = *clock;
	r->reads = r->writes = 0;
	for (unsigned k = race->event + 1; k < search.depth; k++) {
		const struct event *e = &search.event[k];

		if (k == second) {
			r->at = r->count;
			put(r, tail, actor, virtual);
			r->reads |= e->reads;
			r->writes |= e->writes;
		} else if (!race_before(race, &e->clock)) {
			put(r, tail, e->actor, k);
			r->reads |= e->reads;
			r->writes |= e->writes;
		}
	}
	if (second == search.depth) {
		r->at = r->count;
		put(r, tail, actor, virtual);
		guess_touches(r);
		r->reads |= r->second_reads;
		r->writes |= r->second_writes;
	}
}

/* Is the actor's first step that is left preceded by none that is? */
static bool is_first(struct reversal *r, unsigned actor)
{
	unsigned i = r->head[actor] - 1U;
	const union clock *c = i == r->at ? &r->clock : &search.event[r->event[i]].clock;
	int16_t own = r->first.of[actor];
	bool after;

	r->first.of[actor] = 0x7f7f;
	after = clock_after_any(c, &r->first);
	r->first.of[actor] = own;
	return !after;
}

static void take(struct reversal *r, unsigned actor)
{
	unsigned i = r->head[actor] - 1U;

	r->head[actor] = r->next[i];
	r->first.of[actor] = r->next[i] ? number_at(r, r->next[i] - 1U) : 0x7f7f;
	r->count--;
}

static bool conflicts_guess(touch t)
{
	const struct actor_state *a = &search.actor[reversal.actor].now;

	for (unsigned i = 0; i < a->awaits; i++) {
		touch other = touch_of_await(&a->await[i]);

		if (touch_location(t) == touch_location(other) && !modes_commute(touch_mode(t), touch_mode(other)))
			return true;
	}
	return false;
}

/* Does a touch conflict with anything that is left? */
static bool touch_left_conflicts(const struct reversal *r, touch t)
{
	for (unsigned actor = 0; actor < search.program->count; actor++) {
		for (unsigned i = r->head[actor]; i; i = r->next[i - 1]) {
			uint32_t event = r->event[i - 1];

			if (event == NONE ? conflicts_guess(t) : touch_conflicts(t, &search.event[event]))
				return true;
		}
	}
	return false;
}

/* Of what waits in vain only the awaits are known; those of its steps that sleep say what else it touches. */
static bool blocked_conflicts(const struct reversal *r, const struct step *s)
{
	for (unsigned actor = 0; actor < search.program->count; actor++) {
		for (unsigned i = actor == r->actor ? 0 : r->head[actor]; i; i = r->next[i - 1]) {
			if (touches_conflict(s, &search.event[r->event[i - 1]]))
				return true;
		}
	}
	return false;
}

static bool blocked_is_first(const struct reversal *r, const struct node *n)
{
	for (uint32_t i = n->sleep; i < n->sleep + n->sleep_count; i++) {
		const struct step *s = &search.step[search.sleeping[i]];

		if (s->actor == r->actor && blocked_conflicts(r, s))
			return false;
	}
	return true;
}

static bool sigs_disjoint(const struct reversal *r, uint64_t reads, uint64_t writes)
{
	return !((writes & (r->reads | r->writes)) | (reads & r->writes));
}

static bool sleeper_independent(const struct reversal *r, const struct step *s)
{
	if (sigs_disjoint(r, s->reads, s->writes))
		return true;
	for (uint32_t i = 0; i < s->count; i++) {
		if (touch_left_conflicts(r, search.touch[s->touches + i]))
			return false;
	}
	return true;
}

static bool branch_independent(const struct reversal *r, const struct branch *b)
{
	if (sigs_disjoint(r, b->reads, b->writes))
		return true;
	for (uint32_t c = b->chunk; c; c = pool.chunk[c].next) {
		for (unsigned i = 0; i < CHUNK && pool.chunk[c].touch[i]; i++) {
			if (touch_left_conflicts(r, pool.chunk[c].touch[i]))
				return false;
		}
	}
	return true;
}

enum cover { COVER_NONE, COVER_NOW, COVER_SETTLED };

/* Was a step explored from here with which the reversal can begin, or which makes no difference to it? */
static enum cover cover_of_sleep(struct reversal *r, const struct node *n)
{
	enum cover found = COVER_NONE;

	for (uint32_t i = n->sleep; i < n->sleep + n->sleep_count; i++) {
		const struct step *s = &search.step[search.sleeping[i]];
		unsigned head = r->head[s->actor];
		bool same;

		if (!head) {
			if (!search.vague && sleeper_independent(r, s))
				found = COVER_NOW;
			continue;
		}
		if (head - 1 == r->at)
			same = n->asleep & bit(s->actor);
		else
			same = code_equal(&s->code, &search.event[r->event[head - 1]].code);
		if (!same || !is_first(r, s->actor))
			continue;
		if (r->event[head - 1] == NONE && !blocked_is_first(r, n))
			continue;
		if (head - 1 <= r->at)
			return COVER_SETTLED;
		found = COVER_NOW;
	}
	return found;
}

static uint32_t chain_from(const struct reversal *r, uint16_t *left)
{
	uint32_t head = 0, *link = &head;

	for (unsigned n = r->count, i = 0; n; i++) {
		unsigned actor = r->event[i] == NONE ? r->actor : search.event[r->event[i]].actor;
		unsigned count = 0;
		struct branch *b;

		if (left[actor] != i + 1)
			continue;
		left[actor] = r->next[i];
		n--;
		*link = branch_new();
		b = &pool.branch[*link];
		link = &b->child;
		b->actor = (uint8_t)actor;
		b->any_code = i == r->at;
		if (r->event[i] == NONE) {
			const struct actor_state *a = &search.actor[actor].now;

			b->reads = r->second_reads;
			b->writes = r->second_writes;
			for (unsigned k = 0; k < a->awaits; k++)
				add_touch(b, &count, touch_of_await(&a->await[k]));
		} else {
			const struct event *e = &search.event[r->event[i]];

			b->code = e->code;
			b->choices = e->choices;
			memcpy(b->ways, e->ways, sizeof(b->ways));
			b->reads = e->reads;
			b->writes = e->writes;
			for (uint32_t k = e->access; k < e->access + e->accesses; k++)
				add_touch(b, &count, touch_of(search.access[k].location, search.access[k].mode));
		}
	}
	return head;
}

/* Can the reversal begin with this branch, or do without it? Takes the step out of what is left. */
static bool follows(struct reversal *r, const struct branch *b)
{
	unsigned head = r->head[b->actor];

	if (!head)
		return branch_independent(r, b);
	if (!b->any_code && head - 1 != r->at && !code_equal(&b->code, &search.event[r->event[head - 1]].code))
		return false;
	if (!is_first(r, b->actor))
		return false;
	take(r, b->actor);
	return true;
}

static bool insert(struct reversal *r, uint32_t *tree)
{
	bool settled = true, top = true;
	uint32_t *link = tree;

	while (*link) {
		const struct branch *b = &pool.branch[*link];
		unsigned head = r->head[b->actor];
		bool early = head && head - 1 <= r->at;

		if (!follows(r, b)) {
			link = &pool.branch[*link].next;
			continue;
		}
		if (top)
			settled = early;
		top = false;
		if (!b->child || !r->count)
			return settled;
		link = &pool.branch[*link].child;
	}
	*link = chain_from(r, r->head);
	return settled;
}

/* Returns whether it need not be looked at again while its events stay. */
static bool race_optimal(const struct race *race, unsigned second, unsigned actor, const union clock *clock)
{
	struct node *n = &search.node[race->event];
	union clock past;

	if (race->await) {
		past = clock_in_past(race, second < search.depth ? &search.event[second] : NULL, actor);
		clock = &past;
	}
	reverse(&reversal, race, second, actor, clock);
	switch (cover_of_sleep(&reversal, n)) {
	case COVER_SETTLED:
		return true;
	case COVER_NOW:
		return false;
	case COVER_NONE:
		break;
	}
	return insert(&reversal, &n->tree);
}

void wakeup_races(void)
{
	for (unsigned j = 0; j < search.depth; j++) {
		const struct event *e = &search.event[j];

		for (uint32_t k = e->races; k < e->races + e->race_count; k++) {
			struct race *race = &search.race[k];

			if (!race->settled)
				race->settled = race_optimal(race, j, e->actor, &e->clock);
		}
	}
}

void wakeup_race_blocked(const struct race *race, unsigned actor, const union clock *clock)
{
	(void)race_optimal(race, search.depth, actor, clock);
}

/* Removes the first branch of a state and makes it what is run next; what follows it is kept for the state after. */
bool wakeup_next(struct node *n)
{
	uint32_t first = n->tree;
	struct branch *b;

	while (first &&
	       (!(n->enabled & bit(pool.branch[first].actor)) || (n->asleep & bit(pool.branch[first].actor)))) {
		/* Guessed wrong about what the step touches: it cannot be taken here, or was. */
		n->tree = pool.branch[first].next;
		branch_free(first);
		search.result.misled++;
		first = n->tree;
	}
	if (!first)
		return false;
	b = &pool.branch[first];
	n->tree = b->next;
	n->taken = b->actor;
	n->below = b->child;
	n->below_code = b->code;
	n->below_any = b->any_code;
	search.given = 0;
	memset(&search.code, 0, sizeof(search.code));
	if (!b->any_code) {
		search.code = b->code;
		search.given = b->choices;
		memcpy(search.ways, b->ways, sizeof(b->ways));
	}
	n->led = !b->any_code && b->choices;
	n->branch = first;
	return true;
}

static bool has_touch(const struct branch *b, touch t)
{
	for (uint32_t c = b->chunk; c; c = pool.chunk[c].next) {
		for (unsigned i = 0; i < CHUNK; i++) {
			if (pool.chunk[c].touch[i] == t)
				return true;
		}
	}
	return false;
}

static unsigned touches_of(const struct branch *b)
{
	unsigned count = 0;

	for (uint32_t c = b->chunk; c; c = pool.chunk[c].next) {
		for (unsigned i = 0; i < CHUNK; i++)
			count += pool.chunk[c].touch[i] != 0;
	}
	return count;
}

/*
 * A step that touches other locations than it did in another place: the trees were built on what it touched there. An
 * event that was thought to depend on another one, and does not, makes a branch that others must not rely on.
 */
void wakeup_taken(struct node *n, const struct event *e)
{
	const struct branch *b = &pool.branch[n->branch];
	bool same;

	if (!n->branch)
		return;
	same = !e->choices && touches_of(b) == e->accesses;
	for (uint32_t i = e->access; same && i < e->access + e->accesses; i++)
		same = has_touch(b, touch_of(search.access[i].location, search.access[i].mode));
	search.again |= !same && !search.vague;
	search.vague |= !same;
	branch_free(n->branch);
	n->branch = 0;
}

/* The tree for the state after an event of this one. */
uint32_t wakeup_below(struct node *n, const struct event *e)
{
	uint32_t below = n->below;

	if (below && (n->below_any || code_equal(&n->below_code, &e->code))) {
		n->below = 0;
		return below;
	}
	for (uint32_t *link = &n->tree; *link; link = &pool.branch[*link].next) {
		struct branch *b = &pool.branch[*link];
		uint32_t at = *link;

		if (b->actor != e->actor || (!b->any_code && !code_equal(&b->code, &e->code)))
			continue;
		below = b->child;
		*link = b->next;
		branch_free(at);
		return below;
	}
	return 0;
}
