/* SPDX-License-Identifier: MIT */
#include "checker/explore.h"
#include "checker/engine.h"

#include <string.h>

/* One exploration: what its executions share. */
static struct {
	const struct checker_program *program;
	struct checker_verdict *verdict;
	FILE *trace;
} explore;

static void callbacks(void *unused)
{
	(void)unused;
	sim_rcu_run_solo();
}

static bool stopped(void)
{
	return sim.report.rule || sim.restart || sim.cut;
}

/* Runs one function with nothing beside it but callbacks, while it waits and after it. */
static void run_solo(const char *name, void (*run)(void *), void *arg)
{
	sim.solo = true;
	sim.current = 0;
	sim_cpu_start(0, name, run, arg);
	if (engine_solo(sim_cpu_run, NULL))
		engine_solo(callbacks, NULL);
	sim.cpu[0].live = false;
	sim.solo = false;
}

static void settled(void *unused)
{
	(void)unused;
	sim_mmu_check_settled();
}

static void check_leaks(void *unused)
{
	(void)unused;
	sim_check_leaks();
}

static void deadlock(void *unused)
{
	char who[200] = "";
	size_t n = 0;

	(void)unused;
	for (unsigned i = 0; i < SIM_CPUS; i++) {
		const struct sim_processor *c = &sim.cpu[i];

		if (c->live && !c->done && n < sizeof(who))
			n += (size_t)snprintf(who + n, sizeof(who) - n, " %s at %s:%d", c->name, c->at.file,
					      c->at.line);
	}
	sim_fail("deadlock", "nobody can go on:%s", who);
}

static void check_end(enum engine_end end)
{
	const struct checker_program *p = explore.program;

	if (stopped())
		return;
	if (p->over) {
		p->over(p->world, end == ENGINE_DEADLOCK);
		return;
	}
	if (end == ENGINE_DEADLOCK) {
		/* On a stack of its own, and no actor's state is lost to the report. */
		sim.solo = true;
		engine_solo(deadlock, NULL);
		return;
	}
	run_solo("end", settled, NULL);
	if (!stopped() && p->check)
		run_solo("check", p->check, p->world);
	if (!stopped())
		run_solo("check", check_leaks, NULL);
}

static void note_schedule(struct checker_verdict *v)
{
	struct engine_step step[ENGINE_EVENTS / 8];
	unsigned count = engine_schedule(step, sizeof(step) / sizeof(*step));
	size_t n = 0;

	for (unsigned i = 0; i < count && i < sizeof(step) / sizeof(*step) && n + 8 < sizeof(v->schedule); i++) {
		n += (size_t)snprintf(v->schedule + n, sizeof(v->schedule) - n, "%s%u", i ? "." : "", step[i].actor);
		for (unsigned k = 0; k < step[i].ways && k < 6 && n + 8 < sizeof(v->schedule); k++)
			n += (size_t)snprintf(v->schedule + n, sizeof(v->schedule) - n, "/%u", step[i].way[k]);
	}
}

static void note_failure(void)
{
	struct checker_verdict *v = explore.verdict;

	v->result = CHECKER_FAILS;
	v->report = sim.report;
	note_schedule(v);
	if (explore.trace)
		checker_trace(explore.trace);
}

/* Whether to go on with the next execution. */
static bool execution_ended(void *unused, enum engine_end end)
{
	struct checker_verdict *v = explore.verdict;

	(void)unused;
	check_end(end);
	v->events = sim.events > v->events ? sim.events : v->events;
	if (sim.report.rule)
		note_failure();
	return !sim.report.rule && !sim.restart;
}

static void place_actors(const struct checker_program *p)
{
	for (const struct checker_actor *a = p->actors; a->name; a++) {
		sim_cpu_start(a->cpu, a->name, a->run, p->world);
		if (p->places)
			sim_cpu_place(a->cpu, p->places[a->cpu].on, p->places[a->cpu].handler);
	}
	for (unsigned c = 0; c < SIM_CPUS; c++)
		sim_cpu_start(SIM_IPI_CPU(c), "ipi", sim_ipi_run, NULL);
	sim_cpu_start(SIM_RCU_CPU, "rcu", sim_rcu_run, NULL);
	for (unsigned c = 0; c < SIM_CPUS && p->order != SIM_ORDER_SC; c++) {
		sim_cpu_start(SIM_DRAIN(c), "stores", sim_order_run, NULL);
		sim.cpu[SIM_DRAIN(c)].on = c;
	}
}

static void search(const struct checker_program *p, uint64_t bound)
{
	struct checker_verdict *v = explore.verdict;
	struct engine_actor actors[SIM_ALL_CPUS] = {{.name = NULL}};
	struct engine_program program = {.actors = actors,
					 .count = SIM_ALL_CPUS,
					 .end = execution_ended,
					 .executions = bound,
					 .after_failure = p->over != NULL,
					 .reduction = p->unreduced ? ENGINE_NONE : ENGINE_AUTO,
					 .preemptions = ENGINE_UNBOUNDED};
	struct engine_result r;

	for (unsigned i = 0; i < SIM_ALL_CPUS; i++) {
		if (sim.cpu[i].live)
			actors[i] = (struct engine_actor){.name = sim.cpu[i].name,
							  .run = sim_cpu_run,
							  .arg = (void *)(uintptr_t)i,
							  .daemon = i >= SIM_CPUS};
	}
	for (;;) {
		r = engine_explore(&program);
		if (r.verdict != ENGINE_RESTART)
			break;
		/* A location turned out to be shared that no switch was made at. */
		sim.restart = false;
		v->restarts++;
	}
	v->executions = r.executions;
	v->blocked = r.blocked;
	v->depth = r.longest;
	v->steps = r.events;
	v->seconds = r.seconds;
	v->cpu_seconds = r.cpu_seconds;
	if (r.verdict == ENGINE_BOUNDED)
		v->result = CHECKER_BOUNDED;
}

static unsigned on_of(const struct checker_program *p, const struct checker_actor *a)
{
	return p->places ? p->places[a->cpu].on : a->cpu;
}

struct checker_verdict checker_explore(const struct checker_program *p, uint64_t bound, FILE *trace)
{
	struct checker_verdict v = {.result = CHECKER_EXHAUSTED};
	struct sim_config config = {.pa_bytes = p->pa_bytes ? p->pa_bytes : 4 << 20,
				    .frame_lg2 = p->frame_lg2 ? p->frame_lg2 : 12,
				    .quiet = !p->every_access,
				    .order = p->order,
				    .go_on = p->over != NULL,
				    .disabled = p->disabled};

	for (const struct checker_actor *a = p->actors; a->name; a++)
		v.cpus = on_of(p, a) + 1 > v.cpus ? on_of(p, a) + 1 : v.cpus;
	config.cpus = v.cpus;
	explore.program = p;
	explore.verdict = &v;
	explore.trace = trace;
	sim_power_on(&config);
	engine_region(p->world, p->world_bytes);
	run_solo("setup", p->setup, p->world);
	if (sim.report.rule) {
		note_failure();
	} else {
		sim_mark();
		place_actors(p);
		search(p, bound);
	}
	v.shared = sim_shared_count();
	sim_power_off();
	return v;
}

const char *checker_result_name(enum checker_result r)
{
	static const char *const name[] = {"exhausted", "bounded", "fails"};

	return name[r];
}

void checker_print(FILE *f, const struct checker_verdict *v)
{
	if (v->result == CHECKER_FAILS)
		fprintf(f, "fails: %s: %s\nschedule: %s\n", v->report.rule, v->report.text,
			v->schedule[0] ? v->schedule : "-");
	fprintf(f,
		"%s: %llu executions, %llu given up (longest: %llu visible steps, %llu events), %u CPUs, %zu shared "
		"locations, %llu restarts, %.0f/s\n"
		"model: sequentially consistent; no store buffers, interrupts or hardware accessed/dirty updates\n",
		checker_result_name(v->result), (unsigned long long)v->executions, (unsigned long long)v->blocked,
		(unsigned long long)v->depth, (unsigned long long)v->events, v->cpus, v->shared,
		(unsigned long long)v->restarts, v->seconds > 0 ? (double)v->executions / v->seconds : 0);
}
