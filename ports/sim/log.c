/* SPDX-License-Identifier: MIT */
/* What an execution was. The counters are put back by the engine, and what is behind them is written over. */
#include "ports/sim/sim.h"
#include "checker/engine.h"

static struct {
	uint8_t actor[SCHEDULE_STEPS];
	struct schedule_choice choice[SCHEDULE_STEPS];
	uint8_t shared[SCHEDULE_ASKED];
	const uint8_t *given;
	uint32_t given_count;
} passed;

struct schedule sim_log_get(void)
{
	return (struct schedule){.actor = passed.actor,
				 .steps = sim.log.passes,
				 .choice = passed.choice,
				 .choices = sim.log.choices,
				 .shared = passed.shared,
				 .asked = sim.log.asked};
}

void sim_log_pass(void)
{
	if (sim.log.passes == SCHEDULE_STEPS)
		sim_fail("livelock", "%s goes round in circles at %s:%d: the execution has more than %u steps",
			 sim.cpu[sim.current].name, sim.cpu[sim.current].at.file ? sim.cpu[sim.current].at.file : "-",
			 sim.cpu[sim.current].at.line, SCHEDULE_STEPS);
	passed.actor[sim.log.passes++] = (uint8_t)engine_current();
	sim.log.nth = 0;
}

void sim_log_choice(unsigned way)
{
	const uint32_t nth = sim.log.nth++;

	if (!way)
		return;
	if (sim.log.choices == SCHEDULE_STEPS)
		sim_fail("sim-limit", "more than %u choices in one execution", SCHEDULE_STEPS);
	passed.choice[sim.log.choices++] =
		(struct schedule_choice){.pass = sim.log.passes, .nth = (uint8_t)nth, .way = (uint8_t)way};
}

bool sim_log_shared(bool shared)
{
	if (sim.solo)
		return shared;
	if (sim.log.asked == SCHEDULE_ASKED)
		sim_fail("sim-limit", "more than %u accesses that memory order makes a difference to", SCHEDULE_ASKED);
	if (passed.given)
		shared = sim.log.asked >= passed.given_count || passed.given[sim.log.asked];
	passed.shared[sim.log.asked++] = shared;
	return shared;
}

void sim_log_answers(const uint8_t *shared, uint32_t asked)
{
	passed.given = shared;
	passed.given_count = asked;
}
