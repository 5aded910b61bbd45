/* SPDX-License-Identifier: MIT */
/* CPUs that interrupt each other, stand still for each other, and wait for each other's readers. */
#include "ports/bare/common/bare.h"

struct bare_ipi {
	struct bare_ipi *next;
	void (*fn)(void *);
	void *arg;
	uint32_t done; /* marked */
};

struct bare_cpu bare_cpus[BARE_CPUS];
uint64_t bare_grace = 1;

static struct {
	void (*fn)(void *);
	void *arg;
	unsigned from;
	uint32_t busy; /* marked */
} work[BARE_CPUS];
static uint32_t stopping; /* 1 + the CPU for which the others are to stand still; marked */
static cop_mutex stop_lock;
static cop_rcu *deferred; /* newest first; marked */

/* ---- interrupts ---- */

static struct bare_ipi *take_mail(struct bare_cpu *self)
{
	struct bare_ipi *newest = cop_xchg(&self->mailbox, (struct bare_ipi *)NULL, acquire), *oldest = NULL;

	while (newest) {
		struct bare_ipi *next = newest->next;

		newest->next = oldest;
		oldest = newest;
		newest = next;
	}
	return oldest;
}

/*
 * A handler is a read section. What it interrupted may be between the two steps of cop_rcu_read_lock() or of its end, so it
 * goes by `reading` alone and leaves that as it was. A fault in here is no answer to a bare_touch() that was interrupted.
 */
void bare_interrupt(void)
{
	struct bare_cpu *self = bare_self();
	const uint64_t reading = self->reading;
	const uint32_t touching = self->touching;
	struct bare_ipi *ipi, *next;

	self->touching = 0;
	self->nest++;
	if (!reading) {
		cop_store(&self->reading, cop_load(&bare_grace, relaxed), relaxed);
		cop_fence_full(); /* as in cop_rcu_read_lock() */
	}
	for (ipi = take_mail(self); ipi; ipi = next) {
		next = ipi->next; /* the sender's frame is gone once done is set */
		ipi->fn(ipi->arg);
		cop_store(&ipi->done, 1U, release);
	}
	cop_store(&self->reading, reading, release);
	self->nest--;
	self->touching = touching;
}

static void send(unsigned cpu, struct bare_ipi *ipi)
{
	struct bare_ipi *head = cop_load(&bare_cpus[cpu].mailbox, relaxed), *seen;

	for (;; head = seen) {
		ipi->next = head;
		seen = cop_cas(&bare_cpus[cpu].mailbox, head, ipi, release);
		if (seen == head)
			break;
	}
	bare_kick(cpu);
}

/* Interrupts are on, so that two CPUs that interrupt each other do not wait for ever. */
void cop_ipi(uint64_t mask, void (*fn)(void *), void *arg)
{
	struct bare_ipi mail[BARE_CPUS];
	uint32_t done;
	unsigned i;

	for (i = 0; i < BARE_CPUS; i++) {
		if (!cop_load(&bare_cpus[i].online, acquire))
			mask &= ~COP_LG2(i);
		mail[i] = (struct bare_ipi){.fn = fn, .arg = arg};
		if (mask & COP_LG2(i))
			send(i, &mail[i]);
	}
	for (i = 0; i < BARE_CPUS; i++) {
		if (mask & COP_LG2(i))
			cop_await(&mail[i].done, done, done);
	}
}

/* ---- standing still ---- */

static void park(struct bare_cpu *self)
{
	uint32_t who;

	cop_store(&self->parked, 1U, release);
	cop_await(&stopping, who, !who || who == self->cpu + 1);
	cop_store(&self->parked, 0U, relaxed);
	cop_fence_full(); /* parked before the next look at stopping; pairs with cop_stop_machine() */
}

static void must_sleep_safely(const char *rule)
{
	if (bare_self()->nest)
		cop_panic(rule, NULL);
}

/* The others stand where they may sleep: outside of read sections, and holding no lock but mutexes. */
int cop_stop_machine(int (*fn)(void *), void *arg)
{
	struct bare_cpu *self = bare_self();
	uintptr_t irqs;
	uint32_t parked;
	int ret;

	must_sleep_safely("stop-machine-in-rcu-section");
	cop_mutex_lock(&stop_lock);
	cop_store(&stopping, self->cpu + 1, release);
	cop_fence_full(); /* pairs with park() */
	for (unsigned i = 0; i < BARE_CPUS; i++) {
		if (i != self->cpu && cop_load(&bare_cpus[i].online, acquire)) {
			bare_kick(i);
			cop_await(&bare_cpus[i].parked, parked, parked);
		}
	}
	irqs = cop_irq_save();
	ret = fn(arg);
	cop_irq_restore(irqs);
	cop_store(&stopping, 0U, release);
	/* A CPU that has not left yet must not be taken for one that stands still for the next. */
	for (unsigned i = 0; i < BARE_CPUS; i++) {
		if (i != self->cpu)
			cop_await(&bare_cpus[i].parked, parked, !parked);
	}
	cop_mutex_unlock(&stop_lock);
	return ret;
}

static void poll_stop(void)
{
	struct bare_cpu *self = bare_self();
	uint32_t who = cop_load(&stopping, acquire);

	if (COP_UNLIKELY(who && who != self->cpu + 1))
		park(self);
}

/* ---- grace periods ---- */

/* Every read section that had begun is over. The fence pairs with cop_rcu_read_lock(). */
static void bare_rcu_wait(void)
{
	const uint64_t goal = cop_fetch_add(&bare_grace, (uint64_t)1, acq_rel) + 1;
	uint64_t reading;

	cop_fence_full();
	for (unsigned i = 0; i < BARE_CPUS; i++)
		cop_await(&bare_cpus[i].reading, reading, !reading || reading >= goal);
}

void cop_rcu_defer(cop_rcu *rcu, void (*fn)(cop_rcu *))
{
	cop_rcu *head = cop_load(&deferred, relaxed), *seen;

	rcu->fn = fn;
	for (;; head = seen) {
		rcu->next = head;
		seen = cop_cas(&deferred, head, rcu, release);
		if (seen == head)
			return;
	}
}

static uint32_t running; /* calls of cop_rcu_sync() that may have taken callbacks and not yet run them; marked */

void cop_rcu_sync(void)
{
	cop_rcu *list, *next;

	must_sleep_safely("rcu-sync-in-rcu-section");
	poll_stop(); /* first: who stands still must not be waited for by bare_rcu_barrier() */
	cop_fetch_add(&running, 1U, acq_rel);
	list = cop_xchg(&deferred, (cop_rcu *)NULL, acq_rel);
	bare_rcu_wait();
	for (; list; list = next) {
		next = list->next;
		list->fn(list);
	}
	cop_fetch_add(&running, -1U, release);
}

void bare_rcu_barrier(void)
{
	uint32_t left;

	cop_rcu_sync();
	cop_await(&running, left, !left);
}

void bare_poll(void)
{
	poll_stop();
	if (cop_load(&deferred, relaxed))
		cop_rcu_sync();
}

/* ---- mutexes: CPUs have nothing else to do, so sleeping is waiting where one may be stopped ---- */

void cop_mutex_init(cop_mutex *mutex)
{
	mutex->held = 0;
}

void cop_mutex_lock(cop_mutex *mutex)
{
	must_sleep_safely("mutex-in-rcu-section");
	poll_stop();
	while (cop_xchg(&mutex->held, 1U, acquire)) {
		poll_stop();
		bare_pause();
	}
}

void cop_mutex_unlock(cop_mutex *mutex)
{
	cop_store(&mutex->held, 0U, release);
}

/* ---- semaphores ---- */

#define READER  1U         /* each */
#define WAITING (1U << 15) /* a writer, each: readers stay out */
#define WRITER  (1U << 30)
#define READERS (WAITING - 1)

void cop_rwsem_init(cop_rwsem *sem)
{
	sem->state = 0;
}

static bool try_take(cop_rwsem *sem, uint32_t others, uint32_t add)
{
	const uint32_t state = cop_load(&sem->state, relaxed);

	return !(state & others) && cop_cas(&sem->state, state, state + add, acquire) == state;
}

/* Adds once none of the others is there. */
static void take(cop_rwsem *sem, uint32_t others, uint32_t add)
{
	poll_stop();
	while (!try_take(sem, others, add)) {
		poll_stop();
		bare_pause();
	}
}

void cop_rwsem_read_lock(cop_rwsem *sem)
{
	must_sleep_safely("rwsem-in-rcu-section");
	take(sem, ~READERS, READER);
}

void cop_rwsem_read_unlock(cop_rwsem *sem)
{
	cop_fetch_add(&sem->state, -READER, release);
}

void cop_rwsem_write_lock(cop_rwsem *sem)
{
	must_sleep_safely("rwsem-in-rcu-section");
	cop_fetch_add(&sem->state, WAITING, relaxed);
	take(sem, WRITER | READERS, WRITER - WAITING);
}

void cop_rwsem_write_unlock(cop_rwsem *sem)
{
	cop_fetch_add(&sem->state, -WRITER, release);
}

/* ---- coming up ---- */

/* Is it something else by now? If not, sleep until the next interrupt; whoever changes it sends one. */
static bool wait_while(const uint32_t *word, uint32_t value)
{
	const uintptr_t irqs = bare_irq_off();
	const bool changed = cop_load(word, acquire) != value;

	if (!changed && !cop_load(&stopping, acquire))
		bare_wait();
	if (irqs)
		bare_irq_on();
	return changed;
}

void bare_begin(void)
{
	cop_store(&bare_self()->online, 1U, release);
	bare_irq_on();
	bare_main();
	bare_end();
}

void bare_begin_secondary(void)
{
	struct bare_cpu *self = bare_self();
	const unsigned me = self->cpu;

	cop_store(&self->online, 1U, release);
	bare_irq_on();
	for (;;) {
		bare_poll();
		if (!wait_while(&work[me].busy, 0))
			continue;
		work[me].fn(work[me].arg);
		cop_store(&work[me].busy, 0U, release);
		bare_kick(work[me].from);
	}
}

int bare_cpu_start(unsigned cpu, void (*fn)(void *), void *arg)
{
	uint32_t online;
	int err;

	if (cpu >= BARE_CPUS || cpu == cop_cpu())
		return -COP_EINVAL;
	if (!cop_load(&bare_cpus[cpu].online, acquire)) {
		err = bare_cpu_boot(cpu);
		if (err)
			return err;
		cop_await(&bare_cpus[cpu].online, online, online);
	}
	bare_cpu_join(cpu);
	work[cpu].fn = fn;
	work[cpu].arg = arg;
	work[cpu].from = cop_cpu();
	cop_store(&work[cpu].busy, 1U, release);
	bare_kick(cpu);
	return 0;
}

void bare_cpu_join(unsigned cpu)
{
	do
		poll_stop();
	while (!wait_while(&work[cpu].busy, 1));
}
