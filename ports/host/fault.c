/* SPDX-License-Identifier: MIT */
/* SIGSEGV: a TLB miss, a touch of what is not there, or somebody else's. */
#define _GNU_SOURCE
#include "ports/host/internal.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct probe {
	sigjmp_buf env;
	const char *rule;
};

static _Thread_local struct probe *probing;
static struct sigaction before;
static void (*panic_handler)(const char *rule, const void *where); /* marked */

void cop_host_set_panic(void (*handler)(const char *rule, const void *where))
{
	cop_store(&panic_handler, handler, release);
}

COP_NORETURN void cop_panic(const char *rule, const void *where)
{
	void (*handler)(const char *, const void *) = cop_load(&panic_handler, acquire);

	host_unlock_if_held();
	if (handler)
		handler(rule, where);
	dprintf(STDERR_FILENO, "coppice: panic: %s at %p, cpu %u\n", rule, where, cop_cpu());
	abort();
}

/* Not ours: as if we had never been there. */
static void chain(int number, siginfo_t *info, void *context)
{
	if (before.sa_flags & SA_SIGINFO) {
		before.sa_sigaction(number, info, context);
		return;
	}
	if (before.sa_handler != SIG_DFL && before.sa_handler != SIG_IGN) {
		before.sa_handler(number);
		return;
	}
	/* The access is repeated and ends the process. */
	(void)signal(number, SIG_DFL);
}

COP_NORETURN static void broken(const char *rule, uint64_t where)
{
	host_unlock_if_held();
	if (probing) {
		probing->rule = rule;
		siglongjmp(probing->env, 1);
	}
	cop_panic(rule, (const void *)(uintptr_t)where);
}

static void on_fault(int number, siginfo_t *info, void *context)
{
	uint64_t address = (uint64_t)(uintptr_t)info->si_addr;
	int saved = errno;
	const char *rule;

	if (tlb_covers(address)) {
		rule = tlb_miss(address);
		if (rule)
			broken(rule, address - cop_host_window_delta);
		errno = saved;
		return;
	}
	if (address - COP_HOST_PHYS < phys_bytes())
		broken("dead-frame", address - COP_HOST_PHYS);
	chain(number, info, context);
}

/* SA_NODEFER: a walk may itself touch a dead frame, and is to be told so rather than killed. */
int fault_init(void)
{
	struct sigaction action, was;

	memset(&action, 0, sizeof(action));
	action.sa_sigaction = on_fault;
	action.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER;
	sigemptyset(&action.sa_mask);
	if (sigaction(SIGSEGV, &action, &was))
		return -COP_EINVAL;
	if (!(was.sa_flags & SA_SIGINFO) || was.sa_sigaction != on_fault)
		before = was;
	return 0;
}

void cop_host_catch_faults(void)
{
	(void)fault_init();
}

void fault_exit(void)
{
	(void)sigaction(SIGSEGV, &before, NULL);
}

enum touch { TOUCH_READ, TOUCH_WRITE };

static COP_NOINLINE uint64_t touch(volatile uint64_t *at, enum touch how, uint64_t value)
{
	if (how == TOUCH_READ)
		return *at;
	*at = value;
	return value;
}

static struct cop_host_probe probe_at(void *at, enum touch how, uint64_t value)
{
	struct probe probe = {.rule = NULL};
	struct cop_host_probe result = {.fault = false};

	probing = &probe;
	if (sigsetjmp(probe.env, 1))
		result = (struct cop_host_probe){.fault = true, .rule = probe.rule};
	else
		result.value = touch(at, how, value);
	probing = NULL;
	return result;
}

struct cop_host_probe cop_host_probe64(cop_va va)
{
	return probe_at(cop_virt(va), TOUCH_READ, 0);
}

struct cop_host_probe cop_host_probe_write64(cop_va va, uint64_t value)
{
	return probe_at(cop_virt(va), TOUCH_WRITE, value);
}

struct cop_host_probe cop_host_probe_phys64(cop_pa pa)
{
	return probe_at(cop_phys(pa), TOUCH_READ, 0);
}
