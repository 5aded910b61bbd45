/* SPDX-License-Identifier: MIT */
/*
 * CPUs: threads that take interrupts and stop where they poll.
 *
 * A CPU that sleeps in the host (a mutex, a semaphore, a grace period) or is not started is IDLE: a sender takes its interrupts for
 * it, HELD meanwhile, under its number. RCU callbacks run on a thread of liburcu's with a number of its own.
 */
#define _GNU_SOURCE
#include "ports/host/internal.h"

#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum cop_host_state {
	IDLE,
	RUNNING,
	HELD,
};

struct cop_host_ipi {
	struct cop_host_ipi *next;
	void (*fn)(void *);
	void *arg;
	uint32_t done; /* marked */
};

struct cop_host_cpu cop_host_cpus[COP_HOST_CPUS + 1];
__thread struct cop_host_cpu *cop_host_self = &cop_host_cpus[COP_HOST_CPUS];

static struct {
	unsigned count;
	uint64_t online; /* mask; marked */
	struct call_rcu_data *callbacks;
	pthread_mutex_t lock;    /* who stops the machine, and who comes and goes */
	pthread_mutex_t parking; /* with resumed: where stopped CPUs wait */
	pthread_cond_t resumed;
} cpus = {.lock = PTHREAD_MUTEX_INITIALIZER, .parking = PTHREAD_MUTEX_INITIALIZER, .resumed = PTHREAD_COND_INITIALIZER};

#define FAULT_STACK_BYTES 65536
static _Thread_local stack_t fault_stack_before;
static _Thread_local void *fault_stack;

static bool is_cpu(const struct cop_host_cpu *cpu)
{
	return cpu < &cop_host_cpus[COP_HOST_CPUS] && cpu->cpu < cpus.count;
}

/* ---- idle ---- */

static void idle_begin(void)
{
	if (is_cpu(cop_host_self))
		cop_store(&cop_host_self->state, (uint32_t)IDLE, release);
}

/* While HELD, interrupts are the holder's to take: a wait that took them too would run two handlers at a time. */
static void wake(struct cop_host_cpu *self)
{
	while (cop_cas(&self->state, (uint32_t)IDLE, (uint32_t)RUNNING, acq_rel) != IDLE)
		sched_yield();
	cop_fence_full(); /* RUNNING before stopping; pairs with stop_others() */
}

static void idle_end(void)
{
	struct cop_host_cpu *self = cop_host_self;

	if (!is_cpu(self))
		return;
	for (;;) {
		wake(self);
		if (!cop_load(&self->stopping, acquire))
			break;
		idle_begin();
		pthread_mutex_lock(&cpus.parking);
		while (cop_load(&self->stopping, acquire))
			pthread_cond_wait(&cpus.resumed, &cpus.parking);
		pthread_mutex_unlock(&cpus.parking);
	}
	cop_host_poll_ipi();
}

static void must_sleep_safely(const char *rule)
{
	if (cop_host_self != &cop_host_cpus[COP_HOST_CPUS] && urcu_memb_read_ongoing())
		cop_panic(rule, NULL);
}

void cop_host_park(void)
{
	must_sleep_safely("poll-in-rcu-section");
	idle_begin();
	idle_end();
}

/* ---- interrupts ---- */

static struct cop_host_ipi *take_mail(struct cop_host_cpu *cpu)
{
	struct cop_host_ipi *newest = cop_xchg(&cpu->mailbox, (struct cop_host_ipi *)NULL, acquire), *oldest = NULL;

	while (newest) {
		struct cop_host_ipi *next = newest->next;

		newest->next = oldest;
		oldest = newest;
		newest = next;
	}
	return oldest;
}

/* Runs what was sent to a CPU, as that CPU, with interrupts off. The sender's frame is gone once done is set. */
static void take_interrupts(struct cop_host_cpu *cpu)
{
	struct cop_host_cpu *self = cop_host_self;
	struct cop_host_ipi *ipi = take_mail(cpu), *next;
	uint32_t was = cpu->irqs_off;

	cop_host_self = cpu;
	cpu->irqs_off = 1;
	cop_rcu_read_lock();
	for (; ipi; ipi = next) {
		next = ipi->next;
		ipi->fn(ipi->arg);
		cop_host_count(&cpu->events.ipis, 1);
		cop_store(&ipi->done, 1U, release);
	}
	cop_rcu_read_unlock();
	cpu->irqs_off = was;
	cop_host_self = self;
}

void cop_host_interrupt(void)
{
	if (!cop_host_self->irqs_off)
		take_interrupts(cop_host_self);
}

void cop_host_yield(void)
{
	cop_host_poll_ipi();
	sched_yield();
}

static void send(struct cop_host_cpu *cpu, struct cop_host_ipi *ipi)
{
	struct cop_host_ipi *head = cop_load(&cpu->mailbox, relaxed);

	for (;;) {
		struct cop_host_ipi *seen;

		ipi->next = head;
		seen = cop_cas(&cpu->mailbox, head, ipi, release);
		if (seen == head)
			return;
		head = seen;
	}
}

static void take_for_idle(struct cop_host_cpu *cpu)
{
	if (cop_cas(&cpu->state, (uint32_t)IDLE, (uint32_t)HELD, acq_rel) != IDLE)
		return;
	take_interrupts(cpu);
	cop_store(&cpu->state, (uint32_t)IDLE, release);
}

static void await_done(struct cop_host_cpu *cpu, struct cop_host_ipi *ipi)
{
	unsigned spins = 0;

	while (!cop_load(&ipi->done, acquire)) {
		take_for_idle(cpu);
		cop_host_poll_ipi();
		cop_host_pause(&spins);
	}
}

/*
 * Returns when all have run it. Interrupts on: two CPUs that interrupt each other with interrupts off wait for ever.
 * CPUs that are not running a thread are skipped.
 */
void cop_ipi(uint64_t mask, void (*fn)(void *), void *arg)
{
	struct cop_host_ipi mail[COP_HOST_CPUS];
	uint64_t to = mask & cop_load(&cpus.online, acquire);
	unsigned i;

	if (cop_host_self->irqs_off)
		cop_panic("ipi-with-interrupts-off", NULL);
	for (i = 0; i < cpus.count; i++) {
		mail[i] = (struct cop_host_ipi){.fn = fn, .arg = arg};
		if (to & COP_LG2(i))
			send(&cop_host_cpus[i], &mail[i]);
	}
	for (i = 0; i < cpus.count; i++) {
		if (to & COP_LG2(i))
			await_done(&cop_host_cpus[i], &mail[i]);
	}
}

/* ---- stopping the machine ---- */

static void stop_others(void)
{
	unsigned i;

	for (i = 0; i < cpus.count; i++) {
		if (&cop_host_cpus[i] != cop_host_self)
			cop_store(&cop_host_cpus[i].stopping, 1U, relaxed);
	}
	cop_fence_full(); /* stopping before states; pairs with wake() */
	for (i = 0; i < cpus.count; i++) {
		uint32_t state;

		if (&cop_host_cpus[i] != cop_host_self)
			cop_await(&cop_host_cpus[i].state, state, state == IDLE);
	}
}

static void resume_others(void)
{
	unsigned i;

	pthread_mutex_lock(&cpus.parking);
	for (i = 0; i < cpus.count; i++)
		cop_store(&cop_host_cpus[i].stopping, 0U, release);
	pthread_cond_broadcast(&cpus.resumed);
	pthread_mutex_unlock(&cpus.parking);
}

static void lock_idle(pthread_mutex_t *lock)
{
	if (!pthread_mutex_trylock(lock))
		return;
	idle_begin();
	pthread_mutex_lock(lock);
	idle_end();
}

/* Every other CPU is where it may sleep, and RCU callbacks are held back, while fn runs. */
int cop_stop_machine(int (*fn)(void *), void *arg)
{
	uintptr_t irqs;
	int ret;

	must_sleep_safely("stop-machine-in-rcu-section");
	lock_idle(&cpus.lock);
	stop_others();
	urcu_memb_call_rcu_before_fork();
	irqs = cop_irq_save();
	ret = fn(arg);
	cop_irq_restore(irqs);
	urcu_memb_call_rcu_after_fork_parent();
	resume_others();
	pthread_mutex_unlock(&cpus.lock);
	cop_host_count(&cop_host_self->events.stops, 1);
	return ret;
}

/* ---- locks and grace periods ---- */

void cop_mutex_init(cop_mutex *mutex)
{
	pthread_mutex_init(&mutex->host, NULL);
}

void cop_mutex_lock(cop_mutex *mutex)
{
	must_sleep_safely("mutex-in-rcu-section");
	cop_host_poll();
	lock_idle(&mutex->host);
}

void cop_mutex_unlock(cop_mutex *mutex)
{
	pthread_mutex_unlock(&mutex->host);
}

/* Not pthread_rwlock_t, of which C11 without extensions knows nothing, nor a way not to starve writers. */
void cop_rwsem_init(cop_rwsem *sem)
{
	pthread_mutex_init(&sem->lock, NULL);
	pthread_cond_init(&sem->changed, NULL);
	sem->readers = sem->waiting = 0;
	sem->written = false;
}

void cop_rwsem_read_lock(cop_rwsem *sem)
{
	must_sleep_safely("rwsem-in-rcu-section");
	cop_host_poll();
	idle_begin();
	pthread_mutex_lock(&sem->lock);
	while (sem->written || sem->waiting)
		pthread_cond_wait(&sem->changed, &sem->lock);
	sem->readers++;
	pthread_mutex_unlock(&sem->lock);
	idle_end();
}

void cop_rwsem_read_unlock(cop_rwsem *sem)
{
	pthread_mutex_lock(&sem->lock);
	if (!--sem->readers)
		pthread_cond_broadcast(&sem->changed);
	pthread_mutex_unlock(&sem->lock);
}

void cop_rwsem_write_lock(cop_rwsem *sem)
{
	must_sleep_safely("rwsem-in-rcu-section");
	cop_host_poll();
	idle_begin();
	pthread_mutex_lock(&sem->lock);
	sem->waiting++;
	while (sem->written || sem->readers)
		pthread_cond_wait(&sem->changed, &sem->lock);
	sem->waiting--;
	sem->written = true;
	pthread_mutex_unlock(&sem->lock);
	idle_end();
}

void cop_rwsem_write_unlock(cop_rwsem *sem)
{
	pthread_mutex_lock(&sem->lock);
	sem->written = false;
	pthread_cond_broadcast(&sem->changed);
	pthread_mutex_unlock(&sem->lock);
}

#ifdef COP_HOST_TSAN
/* What liburcu does to its own memory is ordered by means that TSan does not see. */
const char *__tsan_default_suppressions(void);
const char *__tsan_default_suppressions(void)
{
	return "called_from_lib:liburcu-memb.so\n";
}

char cop_host_grace;

/* liburcu is not instrumented: a grace period comes after the readers before it. Pairs with cop_rcu_read_unlock(). */
static void after_grace(void)
{
	__tsan_acquire(&cop_host_grace);
}

struct deferred {
	cop_rcu head;
	cop_rcu *what;
	void (*fn)(cop_rcu *);
};

static void run_deferred(cop_rcu *head)
{
	struct deferred *deferred = (struct deferred *)head;

	after_grace();
	__tsan_acquire(deferred);
	deferred->fn(deferred->what);
	free(deferred);
	/* Pairs with after_grace() in cop_host_rcu_barrier(). */
	__tsan_release(&cop_host_grace);
}

void cop_rcu_defer(cop_rcu *what, void (*fn)(cop_rcu *))
{
	struct deferred *deferred = malloc(sizeof(*deferred));

	if (!deferred)
		cop_panic("host-out-of-memory", what);
	deferred->what = what;
	deferred->fn = fn;
	__tsan_release(deferred);
	urcu_memb_call_rcu(&deferred->head, run_deferred);
}
#else
static void after_grace(void)
{
}

void cop_rcu_defer(cop_rcu *what, void (*fn)(cop_rcu *))
{
	urcu_memb_call_rcu(what, fn);
}
#endif

void cop_rcu_sync(void)
{
	must_sleep_safely("rcu-sync-in-rcu-section");
	cop_host_poll();
	idle_begin();
	urcu_memb_synchronize_rcu();
	after_grace();
	idle_end();
}

void cop_host_rcu_barrier(void)
{
	must_sleep_safely("rcu-barrier-in-rcu-section");
	idle_begin();
	urcu_memb_barrier();
	after_grace();
	idle_end();
}

/* ---- coming and going ---- */

static int fault_stack_on(void)
{
	stack_t stack = {.ss_size = FAULT_STACK_BYTES};

	fault_stack = mmap(NULL, FAULT_STACK_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (fault_stack == MAP_FAILED)
		return -COP_ENOMEM;
	stack.ss_sp = fault_stack;
	if (!sigaltstack(&stack, &fault_stack_before))
		return 0;
	munmap(fault_stack, FAULT_STACK_BYTES);
	return -COP_ENOMEM;
}

/* What was there before goes back: a sanitizer frees its own when the thread ends. */
static void fault_stack_off(void)
{
	(void)sigaltstack(&fault_stack_before, NULL);
	munmap(fault_stack, FAULT_STACK_BYTES);
}

static int claim(unsigned cpu)
{
	int err = 0;

	pthread_mutex_lock(&cpus.lock);
	if (cpu >= cpus.count)
		err = -COP_EINVAL;
	else if (cop_load(&cpus.online, relaxed) & COP_LG2(cpu))
		err = -COP_EBUSY;
	else
		__atomic_fetch_or(&cpus.online, COP_LG2(cpu), __ATOMIC_ACQ_REL);
	pthread_mutex_unlock(&cpus.lock);
	return err;
}

int cop_host_thread_start(unsigned cpu)
{
	int err = fault_stack_on();

	if (err)
		return err;
	err = claim(cpu);
	if (err) {
		fault_stack_off();
		return err;
	}
	urcu_memb_register_thread();
	urcu_memb_set_thread_call_rcu_data(cpus.callbacks);
	cop_host_self = &cop_host_cpus[cpu];
	idle_end();
	return 0;
}

void cop_host_thread_stop(void)
{
	struct cop_host_cpu *self = cop_host_self;

	/* Late interrupts are taken by their senders: the CPU is idle. */
	__atomic_fetch_and(&cpus.online, ~COP_LG2(self->cpu), __ATOMIC_ACQ_REL);
	idle_begin();
	cop_host_self = &cop_host_cpus[COP_HOST_CPUS];
	urcu_memb_unregister_thread();
	fault_stack_off();
}

struct crew {
	void (*fn)(void *);
	void *arg;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	unsigned ready;
	int go; /* 0 not yet, 1 run, -1 give up */
	int err;
};

struct hand {
	struct crew *crew;
	unsigned cpu;
	pthread_t thread;
};

/* Every thread is a CPU before any of them runs fn, or none runs it. */
static int muster(struct crew *crew, int err)
{
	int go;

	pthread_mutex_lock(&crew->lock);
	crew->ready++;
	if (err)
		crew->err = err;
	pthread_cond_broadcast(&crew->changed);
	while (!crew->go)
		pthread_cond_wait(&crew->changed, &crew->lock);
	go = crew->go;
	pthread_mutex_unlock(&crew->lock);
	return go;
}

static void *crew_thread(void *arg)
{
	struct hand *hand = arg;
	struct crew *crew = hand->crew;
	int err = cop_host_thread_start(hand->cpu), go;

	if (!err)
		idle_begin();
	go = muster(crew, err);
	if (err)
		return NULL;
	idle_end();
	if (go > 0)
		crew->fn(crew->arg);
	cop_host_thread_stop();
	return NULL;
}

static void dismiss(struct crew *crew, unsigned started, int err)
{
	pthread_mutex_lock(&crew->lock);
	while (crew->ready < started)
		pthread_cond_wait(&crew->changed, &crew->lock);
	if (!crew->err)
		crew->err = err;
	crew->go = crew->err ? -1 : 1;
	pthread_cond_broadcast(&crew->changed);
	pthread_mutex_unlock(&crew->lock);
}

static int run_crew(struct crew *crew, struct hand *hands, unsigned n)
{
	unsigned i, started;

	for (started = 0; started < n; started++) {
		hands[started].crew = crew;
		hands[started].cpu = started;
		if (pthread_create(&hands[started].thread, NULL, crew_thread, &hands[started]))
			break;
	}
	dismiss(crew, started, started < n ? -COP_EAGAIN : 0);
	for (i = 0; i < started; i++)
		pthread_join(hands[i].thread, NULL);
	return crew->err;
}

int cop_host_run(unsigned n, void (*fn)(void *), void *arg)
{
	struct crew crew = {
		.fn = fn, .arg = arg, .lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};
	struct hand hands[COP_HOST_CPUS];
	int err;

	if (!n || n > cpus.count || cop_host_self != &cop_host_cpus[0])
		return -COP_EINVAL;
	must_sleep_safely("run-in-rcu-section");
	cop_host_thread_stop();
	err = run_crew(&crew, hands, n);
	if (cop_host_thread_start(0))
		cop_panic("host-out-of-memory", NULL);
	return err;
}

static void adopt(cop_rcu *head)
{
	sigset_t faults;

	(void)head;
	sigemptyset(&faults);
	sigaddset(&faults, SIGSEGV);
	pthread_sigmask(SIG_UNBLOCK, &faults, NULL);
	cop_host_self = &cop_host_cpus[cpus.count];
}

static void release(cop_rcu *head)
{
	(void)head;
	cop_host_self = &cop_host_cpus[COP_HOST_CPUS];
}

static void on_callback_thread(void (*fn)(cop_rcu *))
{
	cop_rcu head;

	cop_rcu_defer(&head, fn);
	urcu_memb_barrier();
}

/*
 * liburcu's own callback thread is woken by the CPU that defers, a system call in the middle of an unmap, and pauses for
 * 10 ms all the same; this one only looks every 10 ms. It stays for the next machine.
 */
static struct call_rcu_data *patient_thread(void)
{
	static struct call_rcu_data *thread;

	if (!thread)
		thread = urcu_memb_create_call_rcu_data(URCU_CALL_RCU_RT, -1);
	return thread;
}

void cpu_init(unsigned count)
{
	uint32_t i;

	memset(cop_host_cpus, 0, sizeof(cop_host_cpus));
	for (i = 0; i <= COP_HOST_CPUS; i++)
		cop_host_cpus[i].cpu = i;
	cpus.count = count;
	cpus.online = 0;
	cpus.callbacks = patient_thread();
	urcu_memb_set_thread_call_rcu_data(cpus.callbacks);
	on_callback_thread(adopt);
}

void cpu_exit(void)
{
	on_callback_thread(release);
}
