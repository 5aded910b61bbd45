/* SPDX-License-Identifier: MIT */
/* Locks, interrupts, grace periods, and accesses that nothing orders. */
#include "tests/checker/rules.h"

static struct toy_world *world_of(void *arg)
{
	return arg;
}

/* Message passing. */
static void send(struct toy_world *w, bool ordered)
{
	cop_write(&w->flag2, 1);
	if (ordered)
		cop_store(&w->flag, 1ULL, release);
	else
		cop_store(&w->flag, 1ULL, relaxed);
}

static void send_relaxed(void *arg)
{
	send(arg, false);
}

static void send_release(void *arg)
{
	send(arg, true);
}

static void send_fence(void *arg)
{
	struct toy_world *w = arg;

	cop_write(&w->flag2, 1);
	cop_fence_release();
	cop_store(&w->flag, 1ULL, relaxed);
}

static void receive(void *arg)
{
	uint64_t told;

	cop_await(&world_of(arg)->flag, told, told == 1);
	(void)cop_read(&world_of(arg)->flag2);
}

static void receive_fence(void *arg)
{
	if (cop_load(&world_of(arg)->flag, relaxed) != 1)
		return;
	cop_fence_acquire();
	(void)cop_read(&world_of(arg)->flag2);
}

static void count_unlocked(void *arg)
{
	struct toy_world *w = arg;

	cop_write(&w->flag2, cop_read(&w->flag2) + 1);
}

static void count_locked(void *arg)
{
	struct toy_world *w = arg;

	cop_spin_lock(&w->lock);
	cop_write(&w->flag2, cop_read(&w->flag2) + 1);
	cop_spin_unlock(&w->lock);
}

static void read_locked(void *arg)
{
	struct toy_world *w = arg;

	cop_spin_lock(&w->lock);
	(void)cop_read(&w->flag2);
	cop_spin_unlock(&w->lock);
}

/* A reader's plain read, and a plain write after a grace period. */
static void write_after_grace(void *arg)
{
	cop_store(&world_of(arg)->flag, 1ULL, relaxed);
	cop_rcu_sync();
	cop_write(&world_of(arg)->flag2, 1);
}

static void write_before_grace(void *arg)
{
	cop_store(&world_of(arg)->flag, 1ULL, relaxed);
	cop_write(&world_of(arg)->flag2, 1);
	cop_rcu_sync();
}

static void read_in_section(void *arg)
{
	cop_rcu_read_lock();
	if (!cop_load(&world_of(arg)->flag, relaxed))
		(void)cop_read(&world_of(arg)->flag2);
	cop_rcu_read_unlock();
}

/* Waiting. */
static void sleep_on(void *arg)
{
	cop_mutex_lock(&world_of(arg)->mutex);
	cop_mutex_unlock(&world_of(arg)->mutex);
}

static void wait_for(uint64_t *flag)
{
	uint64_t told;

	cop_await(flag, told, told == 1);
}

/* Locks. */
static void lock_twice(void *arg)
{
	cop_spin_lock(&world_of(arg)->lock);
	cop_spin_lock(&world_of(arg)->lock);
}

static void lock_after_unlock(void *arg)
{
	count_locked(arg);
	count_locked(arg);
}

static void unlock_not_held(void *arg)
{
	cop_spin_unlock(&world_of(arg)->lock);
}

static void second_inside_first(void *arg)
{
	cop_mutex_lock(&world_of(arg)->mutex);
	count_locked(arg);
	cop_mutex_unlock(&world_of(arg)->mutex);
}

static void first_inside_second(void *arg)
{
	cop_mutex_lock((cop_mutex *)(void *)&world_of(arg)->lock);
	cop_mutex_lock(&world_of(arg)->mutex);
	cop_mutex_unlock(&world_of(arg)->mutex);
	cop_mutex_unlock((cop_mutex *)(void *)&world_of(arg)->lock);
}

/* Semaphores. */
static void count_reading(void *arg)
{
	struct toy_world *w = arg;

	cop_rwsem_read_lock(&w->sem);
	cop_write(&w->flag2, cop_read(&w->flag2) + 1);
	cop_rwsem_read_unlock(&w->sem);
}

static void count_writing(void *arg)
{
	struct toy_world *w = arg;

	cop_rwsem_write_lock(&w->sem);
	cop_write(&w->flag2, cop_read(&w->flag2) + 1);
	cop_rwsem_write_unlock(&w->sem);
}

static void read_reading(void *arg)
{
	struct toy_world *w = arg;

	cop_rwsem_read_lock(&w->sem);
	(void)cop_read(&w->flag2);
	cop_rwsem_read_unlock(&w->sem);
}

static void mutex_while_reading(void *arg)
{
	cop_rwsem_read_lock(&world_of(arg)->sem);
	sleep_on(arg);
	cop_rwsem_read_unlock(&world_of(arg)->sem);
}

static void write_in_mutex(void *arg)
{
	cop_mutex_lock(&world_of(arg)->mutex);
	count_writing(arg);
	cop_mutex_unlock(&world_of(arg)->mutex);
}

static void write_before_mutex(void *arg)
{
	count_writing(arg);
	sleep_on(arg);
}

/* Two may read together, so that they may wait for each other. */
static void read_and_tell(void *arg)
{
	cop_rwsem_read_lock(&world_of(arg)->sem);
	cop_store(&world_of(arg)->flag, 1ULL, release);
	wait_for(&world_of(arg)->flag2);
	cop_rwsem_read_unlock(&world_of(arg)->sem);
}

static void tell_reading(void *arg)
{
	wait_for(&world_of(arg)->flag);
	cop_rwsem_read_lock(&world_of(arg)->sem);
	cop_store(&world_of(arg)->flag2, 1ULL, release);
	cop_rwsem_read_unlock(&world_of(arg)->sem);
}

static void write_and_tell(void *arg)
{
	cop_rwsem_write_lock(&world_of(arg)->sem);
	cop_store(&world_of(arg)->flag, 1ULL, release);
	wait_for(&world_of(arg)->flag2);
	cop_rwsem_write_unlock(&world_of(arg)->sem);
}

static void read_again(void *arg)
{
	cop_rwsem_read_lock(&world_of(arg)->sem);
	read_reading(arg);
	cop_rwsem_read_unlock(&world_of(arg)->sem);
}

static void upgrade(void *arg)
{
	cop_rwsem_read_lock(&world_of(arg)->sem);
	count_writing(arg);
	cop_rwsem_read_unlock(&world_of(arg)->sem);
}

static void read_then_write(void *arg)
{
	read_reading(arg);
	count_writing(arg);
}

static void unlock_writing_reader(void *arg)
{
	cop_rwsem_read_lock(&world_of(arg)->sem);
	cop_rwsem_write_unlock(&world_of(arg)->sem);
}

static void unlock_reading_writer(void *arg)
{
	cop_rwsem_write_lock(&world_of(arg)->sem);
	cop_rwsem_read_unlock(&world_of(arg)->sem);
}

static void sem_irqs_off(void *arg)
{
	uintptr_t irqs = cop_irq_save();

	read_reading(arg);
	cop_irq_restore(irqs);
}

static void sem_in_section(void *arg)
{
	cop_rcu_read_lock();
	count_writing(arg);
	cop_rcu_read_unlock();
}

static void section_in_sem(void *arg)
{
	cop_rwsem_write_lock(&world_of(arg)->sem);
	cop_rcu_read_lock();
	cop_rcu_read_unlock();
	cop_rwsem_write_unlock(&world_of(arg)->sem);
}

/* A handler wants what the task it has interrupted holds. */
static const struct checker_place same_cpu_handler[SIM_CPUS] = {{0, false}, {0, true}};
static const struct checker_place same_cpu_task[SIM_CPUS] = {{0, false}, {0, false}};

static void lock_irqs_on(void *arg)
{
	count_locked(arg);
}

static void lock_irqs_off(void *arg)
{
	uintptr_t irqs = cop_irq_save();

	count_locked(arg);
	cop_irq_restore(irqs);
}

/* Preempted in the middle of a plain count. */
static void count_marked(struct toy_world *w)
{
	cop_store(&w->flag, cop_load(&w->flag, relaxed) + 1, relaxed);
}

static void count_preemptible(void *arg)
{
	count_marked(arg);
}

static void count_preemption_off(void *arg)
{
	cop_rcu_read_lock();
	count_marked(arg);
	cop_rcu_read_unlock();
}

static void expect_two(void *arg)
{
	uint64_t sum = world_of(arg)->flag;

	toy_free_rest(arg);
	if (sum != 2)
		sim_fail("assert", "%llu", (unsigned long long)sum);
}

static void count_irqs_off(void *arg)
{
	uintptr_t irqs = cop_irq_save();

	count_marked(arg);
	cop_irq_restore(irqs);
}

/* IPIs. */
static void store_flag(void *arg)
{
	cop_write(&world_of(arg)->flag2, 1);
}

static void interrupt_other(void *arg)
{
	cop_ipi(COP_LG2(1), store_flag, arg);
	if (cop_read(&world_of(arg)->flag2) != 1)
		sim_fail("assert", "the handler has not run");
}

static void interrupt_irqs_off(void *arg)
{
	uintptr_t irqs = cop_irq_save();

	cop_ipi(COP_LG2(1), store_flag, arg);
	cop_irq_restore(irqs);
}

static void some_work(void *arg)
{
	uintptr_t irqs = cop_irq_save();

	(void)cop_load(&world_of(arg)->flag, relaxed);
	cop_irq_restore(irqs);
	(void)cop_load(&world_of(arg)->flag, relaxed);
}

/* The machine stopped: what others do half way is not seen half way. */
static int both_equal(void *arg)
{
	struct toy_world *w = arg;

	if (cop_read(&w->flag) != cop_read(&w->flag2))
		sim_fail("assert", "stopped in the middle");
	return 0;
}

static void stop_and_look(void *arg)
{
	(void)cop_stop_machine(both_equal, arg);
}

static void change_both_atomically(void *arg)
{
	cop_spin_lock(&world_of(arg)->lock);
	cop_write(&world_of(arg)->flag, 1);
	cop_write(&world_of(arg)->flag2, 1);
	cop_spin_unlock(&world_of(arg)->lock);
}

static void change_both(void *arg)
{
	cop_store(&world_of(arg)->flag, 1ULL, relaxed);
	cop_store(&world_of(arg)->flag2, 1ULL, relaxed);
}

static int look_marked(void *arg)
{
	struct toy_world *w = arg;

	if (cop_load(&w->flag, relaxed) != cop_load(&w->flag2, relaxed))
		sim_fail("assert", "stopped in the middle");
	return 0;
}

static void stop_and_look_marked(void *arg)
{
	(void)cop_stop_machine(look_marked, arg);
}

/* Sleeping. */
static void sleep_irqs_off(void *arg)
{
	uintptr_t irqs = cop_irq_save();

	cop_mutex_lock(&world_of(arg)->mutex);
	cop_mutex_unlock(&world_of(arg)->mutex);
	cop_irq_restore(irqs);
}

static void sleep_with_lock(void *arg)
{
	cop_spin_lock(&world_of(arg)->lock);
	cop_rcu_sync();
	cop_spin_unlock(&world_of(arg)->lock);
}

static void sleep_without_lock(void *arg)
{
	count_locked(arg);
	cop_rcu_sync();
}

static void restore_unsaved(void *arg)
{
	(void)arg;
	cop_irq_restore(0);
}

static void save_and_restore(void *arg)
{
	(void)arg;
	cop_irq_restore(cop_irq_save());
}

static void unread(void *arg)
{
	(void)arg;
	cop_rcu_read_lock();
	cop_rcu_read_unlock();
	cop_rcu_read_unlock();
}

static void read_twice(void *arg)
{
	(void)arg;
	cop_rcu_read_lock();
	cop_rcu_read_lock();
	cop_rcu_read_unlock();
	cop_rcu_read_unlock();
}

static void callback(cop_rcu *head)
{
	(void)head;
}

static void defer_twice(void *arg)
{
	cop_rcu_read_lock();
	cop_rcu_defer(&world_of(arg)->rcu, callback);
	cop_rcu_defer(&world_of(arg)->rcu, callback);
	cop_rcu_read_unlock();
}

static void defer_once(void *arg)
{
	cop_rcu_defer(&world_of(arg)->rcu, callback);
}

static void defer_and_touch(void *arg)
{
	cop_rcu_read_lock();
	cop_rcu_defer(&world_of(arg)->rcu, callback);
	cop_write((uint64_t *)(void *)&world_of(arg)->rcu, (uint64_t)1);
	cop_rcu_read_unlock();
}

static void wait_for_nobody(void *arg)
{
	uint64_t v;

	cop_await(&world_of(arg)->flag, v, v == 9);
}

static void wait_for_sender(void *arg)
{
	uint64_t v;

	cop_await(&world_of(arg)->flag, v, v == 1);
}

static void spin(void *arg)
{
	while (!cop_load(&world_of(arg)->flag, acquire))
		;
}

static void assert_false(void *arg)
{
	(void)arg;
	sim_fail("assert", "no");
}

static void nothing(void *arg)
{
	(void)arg;
}

/* What can be waited for is a location, not an address that translates to different ones. */
static void wait_through_translation(void *arg)
{
	uint64_t v;

	(void)arg;
	cop_await((const uint64_t *)cop_virt(TOY_VA), v, v != 1);
}

static void wait_for_what_is(void *arg)
{
	const struct toy_world *w = arg;
	uint64_t v;

	cop_await(&w->flag, v, v != 1);
}

static void no_memory(void *arg)
{
	(void)arg;
	for (unsigned t = 0; t < SIM_TREES; t++)
		sim_attach(&toy_format, &toy_geom, toy_new_table(), t + 1);
}

static void panic(const char *rule)
{
	cop_panic(rule, NULL);
}

static void panic_reserved(void *arg)
{
	(void)arg;
	panic("free-reserved");
}

static void panic_boot(void *arg)
{
	(void)arg;
	panic("boot-memmap");
}

static void panic_memmap(void *arg)
{
	(void)arg;
	panic("memmap-not-mapped");
}

static void panic_linear(void *arg)
{
	(void)arg;
	panic("linear-map-not-mapped");
}

static void panic_vmalloc(void *arg)
{
	(void)arg;
	panic("vmalloc-not-mapped");
}

static void panic_isolated(void *arg)
{
	(void)arg;
	panic("isolated-frame-allocated");
}

static void panic_copy(void *arg)
{
	(void)arg;
	panic("stale-copy");
}

static void panic_pins(void *arg)
{
	(void)arg;
	panic("pincount-underflow");
}

static void panic_pfn(void *arg)
{
	(void)arg;
	panic("pfn-not-valid");
}

static void panic_wrong_page(void *arg)
{
	(void)arg;
	panic("wrong-page");
}

static void miscount(void *arg)
{
	(void)arg;
	panic("accounting");
}

const struct rule_case rules_sync[] = {
	{.rule = "data-race", .broken = send_relaxed, .correct = send_release, .beside = receive},
	{.rule = "data-race", .broken = send_relaxed, .correct = send_fence, .beside = receive_fence},
	{.rule = "data-race", .broken = count_unlocked, .correct = count_locked, .beside = read_locked},
	{.rule = "data-race", .broken = write_before_grace, .correct = write_after_grace, .beside = read_in_section},
	{.rule = "deadlock", .broken = wait_for_nobody, .correct = wait_for_sender, .beside = send_release},
	{.rule = "deadlock", .broken = second_inside_first, .correct = nothing, .beside = first_inside_second},
	{.rule = "deadlock",
	 .broken = lock_irqs_on,
	 .correct = lock_irqs_off,
	 .beside = count_locked,
	 .places = same_cpu_handler},
	{.rule = "assert",
	 .broken = count_preemptible,
	 .correct = count_preemption_off,
	 .beside = count_preemption_off,
	 .check = expect_two,
	 .places = same_cpu_task},
	{.rule = "assert",
	 .broken = count_preemptible,
	 .correct = count_irqs_off,
	 .beside = count_preemptible,
	 .check = expect_two,
	 .places = same_cpu_handler},
	{.rule = "data-race", .broken = count_unlocked, .correct = nothing, .beside = interrupt_other, .behind = ""},
	{.rule = "sleeps-in-atomic", .broken = interrupt_irqs_off, .correct = interrupt_other, .beside = some_work},
	{.rule = "data-race",
	 .broken = count_unlocked,
	 .correct = stop_and_look,
	 .beside = change_both_atomically,
	 .behind = ""},
	{.rule = "assert", .broken = stop_and_look_marked, .correct = nothing, .beside = change_both, .behind = ""},
	{.rule = "livelock", .broken = spin, .correct = wait_for_sender, .beside = send_release},
	{.rule = "double-lock", .broken = lock_twice, .correct = lock_after_unlock},
	{.rule = "foreign-unlock", .broken = unlock_not_held, .correct = count_locked},
	{.rule = "sleeps-in-atomic", .broken = sleep_irqs_off, .correct = sleep_on},
	{.rule = "sleeps-in-atomic", .broken = sleep_with_lock, .correct = sleep_without_lock},
	{.rule = "data-race", .broken = count_reading, .correct = count_writing, .beside = read_reading},
	{.rule = "deadlock", .broken = write_in_mutex, .correct = write_before_mutex, .beside = mutex_while_reading},
	{.rule = "deadlock", .broken = write_and_tell, .correct = read_and_tell, .beside = tell_reading},
	{.rule = "double-lock", .broken = read_again, .correct = read_then_write, .behind = ""},
	{.rule = "double-lock", .broken = upgrade, .correct = read_then_write, .behind = ""},
	{.rule = "foreign-unlock", .broken = unlock_writing_reader, .correct = read_then_write},
	{.rule = "foreign-unlock", .broken = unlock_reading_writer, .correct = read_then_write},
	{.rule = "sleeps-in-atomic", .broken = sem_irqs_off, .correct = read_reading},
	{.rule = "sleeps-in-atomic", .broken = sem_in_section, .correct = section_in_sem},
	{.rule = "irq-unbalanced", .broken = restore_unsaved, .correct = save_and_restore},
	{.rule = "rcu-unbalanced", .broken = unread, .correct = read_twice},
	{.rule = "rcu-head-reused", .broken = defer_twice, .correct = defer_once},
	{.rule = "rcu-head-touched", .broken = defer_and_touch, .correct = defer_once},
	{.rule = "assert", .broken = assert_false, .correct = nothing},
	{.rule = "not-modelled", .broken = wait_through_translation, .correct = wait_for_what_is},
	{.rule = "sim-limit", .broken = no_memory, .correct = nothing},
	{.rule = "free-reserved", .broken = panic_reserved, .correct = nothing},
	{.rule = "boot-memmap", .broken = panic_boot, .correct = nothing},
	{.rule = "memmap-not-mapped", .broken = panic_memmap, .correct = nothing},
	{.rule = "linear-map-not-mapped", .broken = panic_linear, .correct = nothing},
	{.rule = "vmalloc-not-mapped", .broken = panic_vmalloc, .correct = nothing},
	{.rule = "isolated-frame-allocated", .broken = panic_isolated, .correct = nothing},
	{.rule = "stale-copy", .broken = panic_copy, .correct = nothing},
	{.rule = "pincount-underflow", .broken = panic_pins, .correct = nothing},
	{.rule = "pfn-not-valid", .broken = panic_pfn, .correct = nothing},
	{.rule = "wrong-page", .broken = panic_wrong_page, .correct = nothing},
	{.rule = "accounting", .broken = miscount, .correct = nothing},
	{.rule = NULL},
};
