/* SPDX-License-Identifier: MIT */
/* One execution: as a guide says, or as a schedule does, step by step. */
#include "checker/run.h"

#include <string.h>

static struct {
	struct followed *result;
	const struct checker_show *show;
	FILE *trace;
	bool ended;
} follow;

static bool over(void *unused, enum engine_end end)
{
	const struct schedule log = sim_log_get();

	(void)unused;
	run_check(end);
	follow.ended = true;
	if (sim.restart)
		return false;
	follow.result->report = sim.report;
	follow.result->done = schedule_copy(&log);
	if (sim.report.rule && (follow.trace || follow.show))
		checker_trace(follow.show, follow.trace);
	return false;
}

struct followed follow_guide(const struct engine_guide *guide, const struct checker_show *show, FILE *trace)
{
	struct followed result = {.lost = 0};
	struct engine_program program = {
		.end = over, .reduction = ENGINE_NONE, .preemptions = ENGINE_UNBOUNDED, .guide = guide};

	follow.result = &result;
	follow.show = show;
	follow.trace = trace;
	follow.ended = false;
	memset(&sim.report, 0, sizeof(sim.report));
	sim.config.fine = true;
	(void)run_engine(&program, &(uint64_t){0});
	sim.config.fine = false;
	if (!follow.ended)
		result.lost = 1;
	return result;
}

/* A schedule as a guide. */

struct script {
	const struct schedule *schedule;
	uint32_t step, choice, nth;
};

static void begin(void *ctx)
{
	struct script *s = ctx;

	s->step = s->choice = s->nth = 0;
	memset(&sim.report, 0, sizeof(sim.report));
	sim.solo = false;
}

static unsigned next(void *ctx, uint32_t enabled)
{
	struct script *s = ctx;

	(void)enabled;
	s->nth = 0;
	return s->step < s->schedule->steps ? s->schedule->actor[s->step++] : ENGINE_ACTORS;
}

static unsigned way(void *ctx, unsigned ways)
{
	struct script *s = ctx;
	const struct schedule_choice *c = &s->schedule->choice[s->choice];
	const uint32_t nth = s->nth++;

	if (s->choice == s->schedule->choices || c->pass != s->step || c->nth != nth)
		return 0;
	s->choice++;
	return c->way % ways;
}

struct followed follow_schedule(const struct schedule *schedule, const struct checker_show *show, FILE *trace)
{
	struct script s = {.schedule = schedule};
	struct followed f;

	sim_log_answers(schedule->shared, schedule->asked);
	f = follow_guide(&(struct engine_guide){begin, next, way, &s}, show, trace);
	sim_log_answers(NULL, 0);
	if (f.lost)
		f.lost = s.step ? s.step : 1;
	return f;
}
