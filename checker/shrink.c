/* SPDX-License-Identifier: MIT */
/*
 * Fewer switches: an execution is said by where it leaves an actor that could go on, and what is chosen. As many of these
 * as possible are left out, by delta debugging (A. Zeller, R. Hildebrandt, "Simplifying and Isolating Failure-Inducing Input",
 * IEEE TSE 28(2), 2002); whoever is told nothing goes on for as long as he can.
 */
#include "checker/run.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#define NOBODY ENGINE_ACTORS

/* A switch, from an actor after so many of its own steps, or a choice in that step. */
struct item {
	bool choice;
	uint8_t actor, to; /* @to: also the way */
	uint8_t nth;
	uint32_t at;
};

struct shrink {
	struct item *item; /* in the order of each actor's steps */
	bool *kept;
	size_t count;
	/* of the present attempt */
	unsigned current;
	uint32_t steps[ENGINE_ACTORS + 1], nth;
	size_t cursor[ENGINE_ACTORS + 1];
	const char *rule;
	struct schedule best;
	double until;
};

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* A guide that knows only what is kept. */

static void begin(void *ctx)
{
	struct shrink *s = ctx;

	s->current = NOBODY;
	s->nth = 0;
	memset(s->steps, 0, sizeof(s->steps));
	memset(s->cursor, 0, sizeof(s->cursor));
	memset(&sim.report, 0, sizeof(sim.report));
	sim.solo = false;
}

/* The switch away from the present actor here; NULL: none. */
static const struct item *switch_here(struct shrink *s)
{
	size_t *i = &s->cursor[s->current];

	for (; *i < s->count; ++*i) {
		const struct item *item = &s->item[*i];

		if (item->choice || item->actor != s->current || item->at < s->steps[s->current])
			continue;
		return item->at == s->steps[s->current] && s->kept[*i] ? item : NULL;
	}
	return NULL;
}

static unsigned next(void *ctx, uint32_t enabled)
{
	struct shrink *s = ctx;
	const struct item *to = switch_here(s);

	s->nth = 0;
	if (to && (enabled & 1U << to->to))
		s->current = to->to;
	else if (s->current == NOBODY || !(enabled & 1U << s->current))
		s->current = (unsigned)__builtin_ctz(enabled);
	s->steps[s->current]++;
	return s->current;
}

static unsigned way(void *ctx, unsigned ways)
{
	struct shrink *s = ctx;
	const uint32_t nth = s->nth++;

	for (size_t i = 0; i < s->count; i++) {
		const struct item *item = &s->item[i];

		if (s->kept[i] && item->choice && item->actor == s->current && item->nth == nth &&
		    item->at == s->steps[s->current])
			return item->to % ways;
	}
	return 0;
}

static bool still_fails(struct shrink *s)
{
	struct followed f = follow_guide(&(struct engine_guide){begin, next, way, s}, NULL, NULL);
	const bool same = !f.lost && f.done.actor && f.report.rule && !strcmp(f.report.rule, s->rule);

	if (same) {
		schedule_free(&s->best);
		s->best = f.done;
	} else {
		schedule_free(&f.done);
	}
	return same;
}

/* Leaves out [first, first + n), if that can be. */
static bool leave_out(struct shrink *s, const size_t *kept, size_t first, size_t n)
{
	for (size_t i = first; i < first + n; i++)
		s->kept[kept[i]] = false;
	if (still_fails(s))
		return true;
	for (size_t i = first; i < first + n; i++)
		s->kept[kept[i]] = true;
	return false;
}

static size_t list_kept(const struct shrink *s, size_t *kept)
{
	size_t n = 0;

	for (size_t i = 0; i < s->count; i++) {
		if (s->kept[i])
			kept[n++] = i;
	}
	return n;
}

static void shrink(struct shrink *s, size_t *kept)
{
	size_t n = list_kept(s, kept), part = n;

	while (n && part) {
		bool any = false;

		for (size_t first = 0; first < n && now() < s->until; first += part)
			any |= leave_out(s, kept, first, first + part > n ? n - first : part);
		n = list_kept(s, kept);
		if (now() >= s->until)
			return;
		part = any && part < n ? part : part / 2;
		if (any && !part && n)
			part = 1;
	}
}

static size_t find_items(const struct schedule *from, struct item *item)
{
	uint32_t steps[ENGINE_ACTORS + 1] = {0};
	unsigned current = NOBODY;
	size_t n = 0;

	for (uint32_t i = 0, c = 0; i < from->steps; i++) {
		const unsigned actor = from->actor[i] % ENGINE_ACTORS;

		if (actor != current)
			item[n++] =
				(struct item){.actor = (uint8_t)current, .to = (uint8_t)actor, .at = steps[current]};
		current = actor;
		steps[current]++;
		for (; c < from->choices && from->choice[c].pass == i + 1; c++)
			item[n++] = (struct item){.choice = true,
						  .actor = (uint8_t)actor,
						  .to = from->choice[c].way,
						  .nth = from->choice[c].nth,
						  .at = steps[current]};
	}
	return n;
}

struct schedule shrink_schedule(const struct schedule *from, const char *rule, double seconds)
{
	const size_t most = from->steps + from->choices + 1;
	struct shrink s = {.item = malloc(most * sizeof(*s.item)), .kept = malloc(most), .rule = rule};
	size_t *kept = malloc(most * sizeof(*kept));

	s.best = schedule_copy(from);
	s.until = now() + seconds;
	if (s.item && s.kept && kept && s.best.actor) {
		s.count = find_items(from, s.item);
		memset(s.kept, true, s.count);
		/* Memory order's answers are those of the search: it knows every conflict there is by now. */
		shrink(&s, kept);
	}
	free(s.item);
	free(s.kept);
	free(kept);
	return s.best;
}
