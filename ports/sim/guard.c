/* SPDX-License-Identifier: MIT */
/*
 * What no search can put back: an access past the port, a crash, code that goes round without a step. The program ends;
 * its last word is who did it, after which place of the source.
 */
#include "ports/sim/sim.h"
#include "checker/engine.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#define PATIENCE 5      /* seconds of the processor's time without a step */
#define TICKS    10     /* in one */
#define MEMORY   2048UL /* MB: a story that takes all there is must not take the host with it */

static void (*last_word)(const char *rule, const char *text);

static const char *who(void)
{
	return sim.current < SIM_ALL_CPUS && sim.cpu[sim.current].name ? sim.cpu[sim.current].name : "setup";
}

/* The last place of the source that was announced. */
static const char *after(void)
{
	static char text[200];
	struct sim_at at = {NULL, 0};

	if (sim.current < SIM_ALL_CPUS)
		at = sim.cpu[sim.current].at;
	if (!at.file)
		return "its start";
	snprintf(text, sizeof(text), "%s:%d", at.file, at.line);
	return text;
}

COP_NORETURN static void end(int code, const char *rule, const char *text)
{
	/* Should the last word itself get stuck. */
	signal(SIGALRM, SIG_DFL);
	alarm(2);
	if (last_word) {
		last_word(rule, text);
	} else {
		dprintf(STDERR_FILENO, "sim: %s: %s\n", rule, text);
	}
	_exit(code);
}

static void past_the_port(int number, const siginfo_t *info)
{
	static const char *const what[] = {"host", "physical", "table descriptor", "translated"};
	const struct sim_place place = sim_place_of(info->si_addr);
	char text[300];

	/* On x86-64 an access to a non-canonical address reports no address. */
	snprintf(text, sizeof(text), "%s address %#llx is accessed past the port by %s, after %s",
		 info->si_code == SI_KERNEL ? "translated" : what[place.space], (unsigned long long)place.address,
		 who(), after());
	end(128 + number, "past-the-port", text);
}

static bool is_window(const siginfo_t *info)
{
	return info->si_code == SI_KERNEL || sim_place_of(info->si_addr).space != SIM_HOST;
}

static void crashed(int number, siginfo_t *info, void *context)
{
	char text[300];

	(void)context;
	if (number == SIGSEGV && is_window(info))
		past_the_port(number, info);
	if (number == SIGABRT && engine_broken)
		snprintf(text, sizeof(text), "the checker gives up: too many %s", engine_broken);
	else
		snprintf(text, sizeof(text), "%s%s%s at address %#llx in %s, after %s", strsignal(number),
			 number == SIGSEGV ? " (no such memory, or the stack of 256 KB is used up)" : "",
			 number == SIGABRT ? " (abort)" : "",
			 (unsigned long long)(number == SIGABRT ? 0 : (uintptr_t)info->si_addr), who(), after());
	end(128 + number, number == SIGABRT && engine_broken ? "sim-limit" : "crash", text);
}

/* MB; by read(), as nothing else may be used where this is asked. */
static unsigned long resident(void)
{
	char text[64] = "", *second;
	const int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
	const ssize_t n = fd < 0 ? 0 : read(fd, text, sizeof(text) - 1);

	if (fd >= 0)
		close(fd);
	second = n > 0 ? strchr(text, ' ') : NULL;
	return second ? strtoul(second, NULL, 10) * ((unsigned long)sysconf(_SC_PAGESIZE) >> 10) >> 10 : 0;
}

static void tick(int number)
{
	static uint64_t seen;
	static unsigned long had;
	static unsigned idle;
	const unsigned long has = resident();
	char text[300];

	(void)number;
	/* Whoever takes more and more comes to the end of that. */
	idle = seen == sim_steps && has <= had ? idle + 1 : 0;
	seen = sim_steps;
	had = has;
	if (has > MEMORY) {
		snprintf(text, sizeof(text), "more than %lu MB of memory are taken, by %s, after %s", MEMORY, who(),
			 after());
		end(1, "sim-limit", text);
	}
	if (idle < PATIENCE * TICKS)
		return;
	snprintf(text, sizeof(text), "%s has run for %d s without a step, after %s", who(), PATIENCE, after());
	end(1, "livelock", text);
}

void sim_guard_on(void)
{
	static char stack[64 << 10]; /* the coroutine's own may be what overflowed */
	struct sigaction action = {.sa_sigaction = crashed, .sa_flags = SA_SIGINFO | SA_ONSTACK};

	sigaltstack(&(stack_t){.ss_sp = stack, .ss_size = sizeof(stack)}, NULL);
	sigaction(SIGSEGV, &action, NULL);
}

void sim_guard_all(void (*said)(const char *rule, const char *text))
{
	static const int signals[] = {SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP};
	struct sigaction action = {.sa_sigaction = crashed, .sa_flags = SA_SIGINFO | SA_ONSTACK};
	const struct sigaction clock = {.sa_handler = tick, .sa_flags = SA_ONSTACK | SA_RESTART};
	const struct itimerval beat = {{0, 1000000 / TICKS}, {0, 1000000 / TICKS}};

	last_word = said;
	sim_guard_on();
	for (size_t i = 0; i < sizeof(signals) / sizeof(*signals); i++)
		sigaction(signals[i], &action, NULL);
	sigaction(SIGPROF, &clock, NULL);
	setitimer(ITIMER_PROF, &beat, NULL);
}
