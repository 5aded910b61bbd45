/* SPDX-License-Identifier: MIT */
#include "checker/explore.h"

#include <stdlib.h>
#include <string.h>

#define CHOICES 4096

/* The choices of one execution: replayed up to `depth`, first ways after that. */
static struct {
	struct {
		unsigned way, ways;
	} choice[CHOICES];
	unsigned depth, at;
	bool setting_up;
} search;

static unsigned choose(unsigned ways)
{
	if (ways < 2 || search.setting_up)
		return 0;
	if (search.at == CHOICES)
		sim_fail("sim-limit", "more than %d choices in one execution", CHOICES);
	if (search.at == search.depth) {
		search.choice[search.depth].way = 0;
		search.choice[search.depth].ways = ways;
		search.depth++;
	} else if (search.choice[search.at].ways != ways) {
		fprintf(stderr, "checker: replay diverges at choice %u: %u ways, then %u\n", search.at,
			search.choice[search.at].ways, ways);
		abort();
	}
	return search.choice[search.at++].way;
}

/* On to the next sequence of choices; false when there is none. */
static bool advance(void)
{
	while (search.depth) {
		if (++search.choice[search.depth - 1].way < search.choice[search.depth - 1].ways)
			return true;
		search.depth--;
	}
	return false;
}

static bool stopped(void)
{
	return sim.report.rule || sim.restart || sim.cut;
}

static void run_callbacks(void)
{
	while (!stopped() && sim_cpu_enabled(SIM_RCU_CPU))
		sim_cpu_resume(SIM_RCU_CPU);
}

static void wait_in_vain(void *unused)
{
	(void)unused;
	sim_fail("deadlock", "setup or check waits, and nothing else runs");
}

/* Runs one function with nothing beside it but callbacks, while it waits and after it. */
static void run_solo(const char *name, void (*run)(void *), void *arg)
{
	sim.solo = true;
	if (!sim.cpu[SIM_RCU_CPU].live)
		sim_cpu_start(SIM_RCU_CPU, "rcu", sim_rcu_run, NULL);
	sim_cpu_start(0, name, run, arg);
	while (!stopped() && !sim.cpu[0].done) {
		if (!sim_cpu_enabled(0)) {
			sim_cpu_start(SIM_RCU_CPU, name, wait_in_vain, NULL);
			sim_cpu_resume(SIM_RCU_CPU);
			return;
		}
		sim_cpu_resume(0);
		run_callbacks();
	}
	sim.cpu[0].live = false;
	run_callbacks();
}

static void run_setup(const struct checker_program *p)
{
	search.setting_up = true;
	run_solo("setup", p->setup, p->world);
	search.setting_up = false;
	memset(sim.cpu, 0, sizeof(sim.cpu));
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

/* Ways to go on: the CPU that ran goes first, so that the first failure found has few switches. */
static unsigned enabled_cpus(unsigned last, unsigned *enabled)
{
	unsigned n = 0;

	if (sim_cpu_enabled(last))
		enabled[n++] = last;
	for (unsigned i = 0; i < SIM_ALL_CPUS; i++) {
		if (i != last && sim_cpu_enabled(i))
			enabled[n++] = i;
	}
	return n;
}

static bool all_done(void)
{
	for (unsigned i = 0; i < SIM_CPUS; i++) {
		if (sim.cpu[i].live && !sim.cpu[i].done)
			return false;
	}
	/* A callback may be half way through. */
	return sim_rcu_idle() && sim.cpu[SIM_RCU_CPU].wait == SIM_WAIT_CALLBACK;
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
	sim.solo = true;
	sim_fail("deadlock", "nobody can go on:%s", who);
}

static void run_actors(void)
{
	unsigned last = 0, enabled[SIM_ALL_CPUS], n;

	/* Every CPU comes to its first announcement: nothing before it can matter to another. */
	for (unsigned i = 0; i < SIM_ALL_CPUS && !stopped(); i++) {
		if (sim.cpu[i].live)
			sim_cpu_resume(i);
	}
	while (!stopped() && !all_done()) {
		n = enabled_cpus(last, enabled);
		if (!n) {
			/* On the processor of callbacks, so that no actor's state is lost to the report. */
			sim_cpu_start(SIM_RCU_CPU, "machine", deadlock, NULL);
			sim_cpu_resume(SIM_RCU_CPU);
			return;
		}
		last = enabled[choose(n)];
		sim_cpu_resume(last);
	}
}

static void run_once(const struct checker_program *p)
{
	sim_restore();
	search.at = 0;
	for (const struct checker_actor *a = p->actors; a->name; a++) {
		sim_cpu_start(a->cpu, a->name, a->run, p->world);
		if (p->places)
			sim_cpu_place(a->cpu, p->places[a->cpu].on, p->places[a->cpu].handler);
	}
	for (unsigned c = 0; c < SIM_CPUS; c++)
		sim_cpu_start(SIM_IPI_CPU(c), "ipi", sim_ipi_run, NULL);
	sim_cpu_start(SIM_RCU_CPU, "rcu", sim_rcu_run, NULL);
	run_actors();
	if (stopped())
		return;
	run_solo("end", settled, NULL);
	if (stopped())
		return;
	if (p->check)
		run_solo("check", p->check, p->world);
	if (!stopped())
		run_solo("check", check_leaks, NULL);
}

static void note_failure(struct checker_verdict *v, FILE *trace)
{
	size_t n = 0;

	v->result = CHECKER_FAILS;
	v->report = sim.report;
	for (unsigned i = 0; i < search.at && n + 8 < sizeof(v->schedule); i++)
		n += (size_t)snprintf(v->schedule + n, sizeof(v->schedule) - n, "%s%u", i ? "." : "",
				      search.choice[i].way);
	if (trace)
		checker_trace(trace);
}

static void search_all(const struct checker_program *p, uint64_t bound, FILE *trace, struct checker_verdict *v)
{
	search.depth = 0;
	do {
		if (v->executions == bound) {
			v->result = CHECKER_BOUNDED;
			return;
		}
		run_once(p);
		if (sim.restart) {
			/* A location turned out to be shared that no switch was made at. */
			search.depth = 0;
			v->executions = 0;
			v->restarts++;
			continue;
		}
		v->executions++;
		v->events = sim.events > v->events ? sim.events : v->events;
		v->depth = search.depth > v->depth ? search.depth : v->depth;
		if (sim.report.rule) {
			note_failure(v, trace);
			return;
		}
	} while (sim.restart || advance());
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
				    .choose = choose,
				    .quiet = !p->every_access,
				    .disabled = p->disabled};

	for (const struct checker_actor *a = p->actors; a->name; a++)
		v.cpus = on_of(p, a) + 1 > v.cpus ? on_of(p, a) + 1 : v.cpus;
	config.cpus = v.cpus;
	memset(&search, 0, sizeof(search));
	sim_share_reset();
	sim_power_on(&config);
	run_setup(p);
	if (sim.report.rule) {
		note_failure(&v, trace);
	} else {
		sim_mark(p->world, p->world_bytes);
		search_all(p, bound, trace, &v);
	}
	v.shared = sim_shared_count();
	sim_power_off();
	sim_share_reset();
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
		"%s: %llu executions (longest: %llu events, %llu choices), %u CPUs, %zu shared locations, %llu "
		"restarts\n"
		"model: sequentially consistent; no store buffers, interrupts or hardware accessed/dirty updates\n",
		checker_result_name(v->result), (unsigned long long)v->executions, (unsigned long long)v->events,
		(unsigned long long)v->depth, v->cpus, v->shared, (unsigned long long)v->restarts);
}
