/* SPDX-License-Identifier: MIT */
#include "checker/run.h"

#include <string.h>

/* One exploration: what its executions share. */
static struct {
	const struct checker_program *program;
	struct checker_verdict *verdict;
} explore;

/* Seconds to look for fewer switches. */
#define SHRINK_QUICK 0.2
#define SHRINK_TRACE 5.0

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

static void settled(void *quiet)
{
	*(bool *)quiet = sim_mmu_check_settled() && sim.rcu.first == sim.rcu.last;
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

		if (!c->live || c->done || n >= sizeof(who))
			continue;
		n += (size_t)snprintf(who + n, sizeof(who) - n, "%s %s at %s:%d", n ? "," : "", c->name, c->at.file,
				      c->at.line);
		sim.current = i;
	}
	sim_fail("deadlock", "nobody can go on:%s", who);
}

void run_check(enum engine_end end)
{
	const struct checker_program *p = explore.program;
	bool quiet = false;

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
		sim.solo = false;
		return;
	}
	run_solo("end", settled, &quiet);
	if (stopped() || (quiet && sim_seen(p->world, p->world_bytes)))
		return;
	if (p->check)
		run_solo("check", p->check, p->world);
	if (!stopped())
		run_solo("check", check_leaks, NULL);
	if (!stopped() && quiet)
		sim_seen_passed();
}

static void note_failure(void)
{
	const struct schedule log = sim_log_get();

	explore.verdict->result = CHECKER_FAILS;
	explore.verdict->report = sim.report;
	explore.verdict->schedule = schedule_copy(&log);
}

/* Whether to go on with the next execution. */
static bool execution_ended(void *unused, enum engine_end end)
{
	struct checker_verdict *v = explore.verdict;

	(void)unused;
	run_check(end);
	v->events = sim.events > v->events ? sim.events : v->events;
	if (sim.report.rule && !sim.restart)
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
	for (unsigned b = 0; b < SIM_BUFFERS && p->order != SIM_ORDER_SC; b++) {
		sim_cpu_start(SIM_DRAIN(b), "stores", sim_order_run, NULL);
		sim.cpu[SIM_DRAIN(b)].on = b;
	}
}

struct engine_result run_engine(struct engine_program *program, uint64_t *restarts)
{
	struct engine_actor actors[SIM_ALL_CPUS] = {{.name = NULL}};
	struct engine_result r;

	for (unsigned i = 0; i < SIM_ALL_CPUS; i++) {
		if (sim.cpu[i].live)
			actors[i] = (struct engine_actor){.name = sim.cpu[i].name,
							  .run = sim_cpu_run,
							  .arg = (void *)(uintptr_t)i,
							  .daemon = i >= SIM_CPUS};
	}
	program->actors = actors;
	program->count = SIM_ALL_CPUS;
	program->after_failure = explore.program->over != NULL;
	for (;;) {
		r = engine_explore(program);
		if (r.verdict != ENGINE_RESTART)
			return r;
		/* A location turned out to be shared that no switch was made at. */
		sim.restart = false;
		memset(&sim.report, 0, sizeof(sim.report));
		++*restarts;
	}
}

static struct engine_result search_once(const struct checker_program *p, uint64_t bound, unsigned preemptions)
{
	struct checker_verdict *v = explore.verdict;
	struct engine_program program = {.end = execution_ended,
					 .executions = bound ? bound - v->executions : 0,
					 .seconds = p->seconds > 0 ? p->seconds - v->seconds : 0,
					 .preemptions = preemptions,
					 .reduction = p->unreduced ? ENGINE_NONE : ENGINE_AUTO};
	const struct engine_result r = run_engine(&program, &v->restarts);

	v->executions += r.executions;
	v->blocked += r.blocked;
	v->depth = r.longest > v->depth ? r.longest : v->depth;
	v->steps += r.events;
	v->seconds += r.seconds;
	v->cpu_seconds += r.cpu_seconds;
	return r;
}

/* Which limit ended it before all of it was done; NULL: none. */
static const char *limit_hit(const struct checker_program *p, uint64_t bound)
{
	if (bound && explore.verdict->executions >= bound)
		return "executions";
	return p->seconds > 0 && explore.verdict->seconds >= p->seconds ? "seconds" : NULL;
}

static void search(const struct checker_program *p, uint64_t bound)
{
	struct checker_verdict *v = explore.verdict;

	for (unsigned n = 0; n < p->rounds && v->result != CHECKER_FAILS && !v->limit; n++) {
		(void)search_once(p, bound, n);
		v->limit = limit_hit(p, bound);
	}
	if (p->rounds && !v->limit)
		v->limit = "preemptions";
	if (!p->rounds && search_once(p, bound, ENGINE_UNBOUNDED).verdict == ENGINE_BOUNDED) {
		v->limit = limit_hit(p, bound);
		v->limit = v->limit ? v->limit : "seconds";
	}
	if (v->result == CHECKER_FAILS)
		v->limit = NULL;
	else if (v->limit)
		v->result = CHECKER_BOUNDED;
}

static unsigned on_of(const struct checker_program *p, const struct checker_actor *a)
{
	return p->places ? p->places[a->cpu].on : a->cpu;
}

unsigned run_begin(const struct checker_program *p)
{
	struct sim_config config = {.pa_bytes = p->pa_bytes ? p->pa_bytes : 4 << 20,
				    .frame_lg2 = p->frame_lg2 ? p->frame_lg2 : 12,
				    .quiet = !p->every_access,
				    .order = p->order,
				    .plain_waits = p->plain_waits,
				    .all_ordered = p->all_ordered,
				    .go_on = p->over != NULL,
				    .disabled = p->disabled};

	for (const struct checker_actor *a = p->actors; a->name; a++)
		config.cpus = on_of(p, a) + 1 > config.cpus ? on_of(p, a) + 1 : config.cpus;
	explore.program = p;
	sim_power_on(&config);
	engine_region(p->world, p->world_bytes);
	sim.world = p->world;
	sim.world_bytes = p->world_bytes;
	run_solo("setup", p->setup, p->world);
	if (!sim.report.rule) {
		sim_mark();
		place_actors(p);
	}
	return config.cpus;
}

const struct checker_program *run_program(void)
{
	return explore.program;
}

void run_end(void)
{
	sim_power_off();
}

/* The execution that failed, once more with fewer switches; what is reported is what that one does. */
static void tell(struct checker_verdict *v, const struct checker_show *show, FILE *trace)
{
	struct schedule few = shrink_schedule(&v->schedule, v->report.rule, trace ? SHRINK_TRACE : SHRINK_QUICK);
	struct followed f = follow_schedule(&few, show, trace);

	v->replays = !f.lost && f.report.rule && !strcmp(f.report.rule, v->report.rule);
	schedule_free(&v->schedule);
	v->schedule = few;
	if (v->replays)
		v->report = f.report;
	schedule_free(&f.done);
}

struct checker_verdict checker_explore(const struct checker_program *p, uint64_t bound, FILE *trace)
{
	struct checker_verdict v = {.result = CHECKER_EXHAUSTED, .order = p->order};

	explore.verdict = &v;
	v.cpus = run_begin(p);
	v.memory_bytes = sim.config.pa_bytes;
	v.frame_bytes = COP_LG2(sim.config.frame_lg2);
	if (sim.report.rule) {
		note_failure();
		v.replays = true;
		if (p->show || trace)
			checker_trace(p->show, trace);
	} else {
		search(p, bound);
	}
	v.shared = sim_shared_count();
	if (v.result == CHECKER_FAILS && !v.replays && !p->over)
		tell(&v, p->show, trace);
	run_end();
	return v;
}

void checker_verdict_free(struct checker_verdict *v)
{
	schedule_free(&v->schedule);
}

struct checker_replay checker_replay(const struct checker_program *p, const struct schedule *schedule, FILE *trace)
{
	struct checker_replay r = {.cpus = run_begin(p)};

	if (sim.report.rule) {
		r.report = sim.report;
		if (p->show || trace)
			checker_trace(p->show, trace);
	} else {
		struct followed f = follow_schedule(schedule, p->show, trace);

		r.report = f.report;
		r.lost = f.lost;
		schedule_free(&f.done);
	}
	run_end();
	return r;
}

const char *checker_result_name(enum checker_result r)
{
	static const char *const name[] = {"exhausted", "bounded", "fails"};

	return name[r];
}

void checker_print(FILE *f, const struct checker_verdict *v)
{
	fprintf(f,
		"%s%s%s: %llu executions, %llu given up (longest: %llu visible steps, %llu events), %u CPUs, %zu "
		"shared "
		"locations, %llu restarts, %.0f/s\n",
		checker_result_name(v->result), v->limit ? " by " : "", v->limit ? v->limit : "",
		(unsigned long long)v->executions, (unsigned long long)v->blocked, (unsigned long long)v->depth,
		(unsigned long long)v->events, v->cpus, v->shared, (unsigned long long)v->restarts,
		v->seconds > 0 ? (double)v->executions / v->seconds : 0);
	checker_model(f, v);
}
