/* SPDX-License-Identifier: MIT */
/*
 * The half of a port that is the same on every bare machine: accessors, locks, RCU. ports/bare/<arch>/port.h defines
 * what is a matter of instructions, then includes this:
 *
 *   bare_self()                      this CPU's struct bare_cpu
 *   bare_pause()                     in a loop that waits
 *   bare_irq_off(), bare_irq_on()    interrupts of this CPU; off returns whether they were on
 *   bare_wait()                      with interrupts off: until one is due (or earlier). BARE_HAS_WAIT says it is there
 *
 * and itself has cop_mmu_publish(), cop_tlbi(), cop_tlb_sync(), cop_entry_xchg(), cop_entries_break() and cop_ptdesc().
 */
#ifndef COPPICE_BARE_COMMON_PORT_H
#define COPPICE_BARE_COMMON_PORT_H

#ifndef BARE_HAS_WAIT
static inline void bare_wait(void)
{
	bare_pause();
}
#endif

/* ---- plain ---- */

#define cop_read(p)     (*(p))
#define cop_write(p, v) ((void)(*(p) = (v)))

static inline void cop_fill64(void *p, uint64_t v, size_t bytes)
{
	uint64_t *to = (uint64_t *)p, *end = to + bytes / sizeof(*to);

#pragma GCC unroll 8
	while (to < end)
		*to++ = v;
}

static inline void cop_copy(void *to, const void *from, size_t bytes)
{
	__builtin_memcpy(to, from, bytes);
}

/* ---- marked ---- */

#define BARE_ORDER_relaxed __ATOMIC_RELAXED
#define BARE_ORDER_acquire __ATOMIC_ACQUIRE
#define BARE_ORDER_release __ATOMIC_RELEASE
#define BARE_ORDER_acq_rel __ATOMIC_ACQ_REL
/* A compare-and-swap that fails is a load: its order is the loading half. */
#define BARE_FAILS_relaxed __ATOMIC_RELAXED
#define BARE_FAILS_acquire __ATOMIC_ACQUIRE
#define BARE_FAILS_release __ATOMIC_RELAXED
#define BARE_FAILS_acq_rel __ATOMIC_ACQUIRE

#define cop_load(p, order)         __atomic_load_n((p), BARE_ORDER_##order)
#define cop_store(p, v, order)     __atomic_store_n((p), (v), BARE_ORDER_##order)
#define cop_xchg(p, v, order)      __atomic_exchange_n((p), (v), BARE_ORDER_##order)
#define cop_fetch_add(p, v, order) __atomic_fetch_add((p), (v), BARE_ORDER_##order)
#define cop_cas(p, old, v, order)                                                                                      \
	__extension__({                                                                                                \
		__typeof__(*(p)) cop_cas_was_ = (old);                                                                 \
		(void)__atomic_compare_exchange_n((p), &cop_cas_was_, (v), 0, BARE_ORDER_##order, BARE_FAILS_##order); \
		cop_cas_was_;                                                                                          \
	})
#define cop_await(p, var, cond)                                                                                        \
	do {                                                                                                           \
		while ((var) = __atomic_load_n((p), __ATOMIC_ACQUIRE), !(cond))                                        \
			bare_pause();                                                                                  \
	} while (0)

static inline void cop_fence_acquire(void)
{
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
}

static inline void cop_fence_release(void)
{
	__atomic_thread_fence(__ATOMIC_RELEASE);
}

static inline void cop_fence_full(void)
{
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
}

/*
 * ---- addresses: physical memory is mapped at its own address, which is where it was before there was a map; where the
 * kernel's tree wants those addresses, BARE_PHYS further up too, and all but the image is reached there ----
 */

#ifndef BARE_PHYS
#define BARE_PHYS 0
#endif

static inline void *cop_phys(cop_pa pa)
{
	return (void *)(uintptr_t)(pa + BARE_PHYS);
}

static inline void *cop_virt(cop_va va)
{
	return (void *)(uintptr_t)va;
}

/* ---- CPUs ---- */

static inline unsigned cop_cpu(void)
{
	return bare_self()->cpu;
}

extern uint64_t bare_grace; /* number of the grace period that would begin now; marked */

/* The fence orders `reading` before what the section reads; pairs with the one in bare_rcu_wait(). */
static inline void cop_rcu_read_lock(void)
{
	struct bare_cpu *self = bare_self();

	if (self->nest++)
		return;
	cop_store(&self->reading, cop_load(&bare_grace, relaxed), relaxed);
	cop_fence_full();
}

static inline void cop_rcu_read_unlock(void)
{
	struct bare_cpu *self = bare_self();

	if (--self->nest == 0)
		cop_store(&self->reading, (uint64_t)0, release);
}

/* A CPU with interrupts off is an RCU reader too. */
static inline uintptr_t cop_irq_save(void)
{
	const uintptr_t were_on = bare_irq_off();

	cop_rcu_read_lock();
	return were_on;
}

static inline void cop_irq_restore(uintptr_t were_on)
{
	cop_rcu_read_unlock();
	if (were_on)
		bare_irq_on();
}

static inline void cop_spin_init(cop_spinlock *lock)
{
	lock->held = 0;
}

static inline void cop_spin_lock(cop_spinlock *lock)
{
	uint32_t held;

	while (COP_UNLIKELY(cop_xchg(&lock->held, 1U, acquire)))
		cop_await(&lock->held, held, !held);
}

static inline void cop_spin_unlock(cop_spinlock *lock)
{
	cop_store(&lock->held, 0U, release);
}

void cop_mutex_init(cop_mutex *);
void cop_mutex_lock(cop_mutex *);
void cop_mutex_unlock(cop_mutex *);
void cop_rwsem_init(cop_rwsem *);
void cop_rwsem_read_lock(cop_rwsem *);
void cop_rwsem_read_unlock(cop_rwsem *);
void cop_rwsem_write_lock(cop_rwsem *);
void cop_rwsem_write_unlock(cop_rwsem *);
void cop_rcu_defer(cop_rcu *, void (*)(cop_rcu *));
void cop_rcu_sync(void);
void cop_ipi(uint64_t cpus, void (*)(void *), void *);
int cop_stop_machine(int (*)(void *), void *);
COP_NORETURN void cop_panic(const char *rule, const void *where);

#endif
