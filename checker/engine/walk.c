/* SPDX-License-Identifier: MIT */
/* One execution, as it is told: nothing is explored. */
#include "checker/engine/search.h"

static void walk_end(void)
{
	uint32_t undo = search.undo_top;

	search.result.executions++;
	search.result.longest = search.depth;
	if (search.program->end)
		search.program->end(search.program->ctx, execution_end());
	state_compare();
	state_unwind(undo);
	search.over = ENGINE_ENDED;
}

static bool walk_step(const struct engine_guide *guide, uint32_t enabled)
{
	unsigned actor = guide->next(guide->ctx, enabled);

	if (actor >= search.program->count || !(enabled & bit(actor)))
		return false;
	search.stopped = false;
	memset(&search.code, 0, sizeof(search.code));
	search.given = 0;
	event_run(actor);
	return true;
}

void walk(void)
{
	const struct engine_guide *guide = search.program->guide;
	struct node now;

	guide->begin(guide->ctx);
	while (!search.restart && !search.again) {
		find_enabled_first(&now);
		if (!now.enabled || (search.stopped && !search.program->after_failure)) {
			walk_end();
			return;
		}
		if (!walk_step(guide, now.enabled)) {
			search.over = ENGINE_MISLED;
			return;
		}
	}
}

bool engine_before(unsigned a, unsigned b)
{
	return a == b || (a < b && clock_has(&search.event[b].clock, &search.event[a]));
}
