/* SPDX-License-Identifier: MIT */
/* Processors: coroutines that announce an operation and wait to be chosen. */
#include "ports/sim/sim.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>

#define STACK_BYTES (256 << 10)
#define GUARD_BYTES (64 << 10)

/* Stacks stay at the same addresses from one execution to the next, so that a replay sees the same pointers. */
static struct {
	ucontext_t scheduler, context[SIM_ALL_CPUS];
	uint8_t *stack[SIM_ALL_CPUS];
} coro;

void sim_processors_on(void)
{
	for (unsigned i = 0; i < SIM_ALL_CPUS; i++) {
		coro.stack[i] = mmap(NULL, STACK_BYTES + GUARD_BYTES, PROT_READ | PROT_WRITE,
				     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (coro.stack[i] == MAP_FAILED || mprotect(coro.stack[i], GUARD_BYTES, PROT_NONE)) {
			perror("sim: stack");
			abort();
		}
	}
}

void sim_processors_off(void)
{
	for (unsigned i = 0; i < SIM_ALL_CPUS; i++)
		munmap(coro.stack[i], STACK_BYTES + GUARD_BYTES);
}

void sim_cpu_stop(void)
{
	swapcontext(&coro.context[sim.current], &coro.scheduler);
	abort(); /* a stopped execution is not resumed */
}

static void enter(void)
{
	struct sim_processor *me = &sim.cpu[sim.current];

	me->run(me->arg);
	me->done = true;
	sim_cpu_stop();
}

void sim_cpu_start(unsigned cpu, const char *name, void (*run)(void *), void *arg)
{
	ucontext_t *c = &coro.context[cpu];

	sim.cpu[cpu] = (struct sim_processor){.name = name, .run = run, .arg = arg, .live = true};
	sim.cpu[cpu].on = cpu % SIM_CPUS;
	getcontext(c);
	c->uc_stack.ss_sp = coro.stack[cpu] + GUARD_BYTES;
	c->uc_stack.ss_size = STACK_BYTES;
	c->uc_link = NULL;
	makecontext(c, enter, 0);
}

void sim_cpu_resume(unsigned cpu)
{
	sim.current = cpu;
	swapcontext(&coro.scheduler, &coro.context[cpu]);
}

static bool ready(const struct sim_processor *p)
{
	switch (p->wait) {
	case SIM_WAIT_LOCK:
		return sim_peek(p->where, 8) == 0;
	case SIM_WAIT_CHANGE:
		return sim_peek(p->where, p->size) != p->seen;
	case SIM_WAIT_GRACE:
		return sim_grace_over(&p->grace);
	case SIM_WAIT_CALLBACK:
		return sim_rcu_ready();
	case SIM_WAIT_WORD:
		return p->holds(*(const uint64_t *)p->where, p->holds_arg);
	default:
		return true;
	}
}

bool sim_cpu_enabled(unsigned cpu)
{
	const struct sim_processor *p = &sim.cpu[cpu];

	if (!p->live || p->done || !ready(p))
		return false;
	return cpu >= SIM_CPUS || p->handler || !sim_armed(p->on) || sim_gate_open(sim.hw[p->on].word, cpu);
}

void sim_await_word(enum sim_op op, const uint64_t *word, bool (*holds)(uint64_t, uint64_t), uint64_t arg,
		    struct sim_at at)
{
	struct sim_processor *me = &sim.cpu[sim.current];

	me->holds = holds;
	me->holds_arg = arg;
	sim_point(op, sim_conflicts(word, false), SIM_WAIT_WORD, word, at);
	sim_touch(word, false);
}

void sim_point(enum sim_op op, bool visible, enum sim_wait wait, const void *where, struct sim_at at)
{
	struct sim_processor *me = &sim.cpu[sim.current];

	me->op = op;
	me->at = at;
	me->wait = wait;
	me->where = where;
	if (sim.solo)
		visible = false;
	if (visible || !ready(me))
		swapcontext(&coro.context[sim.current], &coro.scheduler);
}
