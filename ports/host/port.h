/* SPDX-License-Identifier: MIT */
/*
 * The host port: threads are CPUs, one sparse memfd is physical memory, SIGSEGV is the TLB miss.
 *
 * Include <coppice/port.h>, never this file. machine.h has what a program needs to set the machine up.
 *
 * What costs nothing: every accessor is one C access or one __atomic builtin; cop_phys() and cop_ptdesc() add a
 * constant.
 *
 * What is cooperative: an inter-processor interrupt reaches a CPU where it turns interrupts on, syncs the TLB, waits in
 * the port, or calls cop_host_poll(). cop_stop_machine() gets a CPU where it may sleep: cop_mutex_lock(),
 * cop_rcu_sync(), cop_host_poll(). A loop that does none of this calls cop_host_poll().
 */
#ifndef COPPICE_HOST_PORT_H
#define COPPICE_HOST_PORT_H

#include <coppice/types.h>

#include <pthread.h>

#if defined(__SANITIZE_THREAD__)
#define COP_HOST_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define COP_HOST_TSAN 1
#endif
#endif
#ifdef COP_HOST_TSAN
#include <sanitizer/tsan_interface.h>
#endif

/*
 * The read side of liburcu-memb inline: its functions are under ten lines each and say that code under any licence may
 * use them so. Not for TSan, which would report what they do by volatile accesses: liburcu itself is not instrumented.
 */
#if !defined(_LGPL_SOURCE) && !defined(COP_HOST_TSAN)
#define _LGPL_SOURCE
#define COP_HOST_UNDEF_LGPL_SOURCE
#endif
#include <urcu/urcu-memb.h>
#ifdef COP_HOST_UNDEF_LGPL_SOURCE
#undef _LGPL_SOURCE
#undef COP_HOST_UNDEF_LGPL_SOURCE
#endif

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Where things lie. Constants, so that an address costs one add; all are clear of the executable, the heap, mmap's area
 * and AddressSanitizer's shadow. ThreadSanitizer knows few application ranges: we use the one below 512 GB.
 */
#ifdef COP_HOST_TSAN
#define COP_HOST_PHYS         0x1000000000ULL
#define COP_HOST_PHYS_BYTES   (256ULL << 30)
#define COP_HOST_PTDESC       0x5000000000ULL
#define COP_HOST_WINDOW       0x5400000000ULL
#define COP_HOST_WINDOW_BYTES (128ULL << 30)
#else
#define COP_HOST_PHYS         0x200000000000ULL
#define COP_HOST_PHYS_BYTES   (16ULL << 40)
#define COP_HOST_PTDESC       0x300000000000ULL
#define COP_HOST_WINDOW       0x400000000000ULL
#define COP_HOST_WINDOW_BYTES (16ULL << 40)
#endif
/* One descriptor per smallest table (2 KB on s390x): sparse, so that larger tables waste nothing but addresses. */
#define COP_HOST_PTDESC_GRAIN_LG2 11
#define COP_HOST_PTDESC_LG2       6

#define COP_HOST_CPUS 64 /* a mask of CPUs is 64 bits */

/*
 * struct cop_host_events - what one CPU counted. Written by its CPU only (relaxed), so that counting shares no line.
 * Indices of tlbi: [leaves, tables][page, range, all]: one granule, several, a whole address space.
 */
struct cop_host_events {
	uint64_t tlbi[2][3];
	uint64_t global;    /* invalidations that reached every address space */
	uint64_t local;     /* invalidations of this CPU only */
	uint64_t covered;   /* granules (each invalidation's stride) invalidated by address */
	uint64_t publishes; /* cop_mmu_publish() */
	uint64_t syncs;     /* cop_tlb_sync() */
	uint64_t breaks;    /* cop_entry_xchg() and cop_entries_break(): also counted in tlbi */
	uint64_t ipis;      /* received */
	uint64_t stops;     /* cop_stop_machine() */
	uint64_t fills, evictions, drops, faults;
};

struct cop_host_ipi;

/* One CPU as its own thread sees it; one cache line pair each. */
struct cop_host_cpu {
	uint32_t cpu;
	uint32_t irqs_off;
	uint32_t state;               /* enum cop_host_state; marked */
	uint32_t stopping;            /* stop_machine wants this CPU parked; marked */
	struct cop_host_ipi *mailbox; /* interrupts not yet taken; marked */
	struct cop_host_events events;
} __attribute__((aligned(128)));

extern struct cop_host_cpu cop_host_cpus[COP_HOST_CPUS + 1];
extern __thread struct cop_host_cpu *cop_host_self __attribute__((tls_model("initial-exec")));
extern uint64_t cop_host_window_delta;
#ifdef COP_HOST_TSAN
extern char cop_host_grace;
#endif

/* The last slot is shared by threads that are no CPUs; only there is counting an atomic addition. */
static inline void cop_host_count(uint64_t *event, uint64_t n)
{
	if (COP_UNLIKELY(cop_host_self == &cop_host_cpus[COP_HOST_CPUS]))
		__atomic_fetch_add(event, n, __ATOMIC_RELAXED);
	else
		__atomic_store_n(event, __atomic_load_n(event, __ATOMIC_RELAXED) + n, __ATOMIC_RELAXED);
}

/* ---- plain ---- */

#define cop_read(p)     (*(p))
#define cop_write(p, v) ((void)(*(p) = (v)))

static inline void cop_fill64(void *p, uint64_t v, size_t bytes)
{
	uint64_t *to = (uint64_t *)p;
	size_t n = bytes / sizeof(*to), i = 0;

	for (; i + 8 <= n; i += 8) {
		to[i] = v;
		to[i + 1] = v;
		to[i + 2] = v;
		to[i + 3] = v;
		to[i + 4] = v;
		to[i + 5] = v;
		to[i + 6] = v;
		to[i + 7] = v;
	}
	for (n &= 7; n; n--)
		to[i++] = v;
}

static inline void cop_copy(void *to, const void *from, size_t bytes)
{
	__builtin_memcpy(to, from, bytes);
}

/* ---- marked ---- */

#define COP_HOST_ORDER_relaxed __ATOMIC_RELAXED
#define COP_HOST_ORDER_acquire __ATOMIC_ACQUIRE
#define COP_HOST_ORDER_release __ATOMIC_RELEASE
#define COP_HOST_ORDER_acq_rel __ATOMIC_ACQ_REL
/* A compare-and-swap that fails is a load: its order is the loading half. */
#define COP_HOST_FAILS_relaxed __ATOMIC_RELAXED
#define COP_HOST_FAILS_acquire __ATOMIC_ACQUIRE
#define COP_HOST_FAILS_release __ATOMIC_RELAXED
#define COP_HOST_FAILS_acq_rel __ATOMIC_ACQUIRE

#define cop_load(p, order)         __atomic_load_n((p), COP_HOST_ORDER_##order)
#define cop_store(p, v, order)     __atomic_store_n((p), (v), COP_HOST_ORDER_##order)
#define cop_xchg(p, v, order)      __atomic_exchange_n((p), (v), COP_HOST_ORDER_##order)
#define cop_fetch_add(p, v, order) __atomic_fetch_add((p), (v), COP_HOST_ORDER_##order)
#define cop_cas(p, old, v, order)                                                                                      \
	__extension__({                                                                                                \
		__typeof__(*(p)) cop_cas_was_ = (old);                                                                 \
		(void)__atomic_compare_exchange_n((p), &cop_cas_was_, (v), 0, COP_HOST_ORDER_##order,                  \
						  COP_HOST_FAILS_##order);                                             \
		cop_cas_was_;                                                                                          \
	})

void cop_host_yield(void);

static inline void cop_host_pause(unsigned *spins)
{
	if ((++*spins & 63) == 0) {
		cop_host_yield();
		return;
	}
#if defined(__x86_64__)
	__builtin_ia32_pause();
#elif defined(__aarch64__)
	__asm__ volatile("isb" ::: "memory");
#endif
}

#define cop_await(p, var, cond)                                                                                        \
	do {                                                                                                           \
		unsigned cop_await_spins_ = 0;                                                                         \
		while ((var) = __atomic_load_n((p), __ATOMIC_ACQUIRE), !(cond))                                        \
			cop_host_pause(&cop_await_spins_);                                                             \
	} while (0)

#if defined(COP_HOST_TSAN) && !defined(__clang__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wtsan"
#endif
/* TSan does not know fences: to it, all of them synchronise through one word. */
static inline void cop_fence_acquire(void)
{
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
#ifdef COP_HOST_TSAN
	__tsan_acquire(&cop_host_window_delta);
#endif
}

static inline void cop_fence_release(void)
{
#ifdef COP_HOST_TSAN
	__tsan_release(&cop_host_window_delta);
#endif
	__atomic_thread_fence(__ATOMIC_RELEASE);
}

static inline void cop_fence_full(void)
{
#ifdef COP_HOST_TSAN
	__tsan_release(&cop_host_window_delta);
	__tsan_acquire(&cop_host_window_delta);
#endif
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
}

/* Pairs with the walk's acquire loads, the fault handler's included; orders the MMU, so TSan is told nothing. */
static inline void cop_mmu_publish(void)
{
	__atomic_thread_fence(__ATOMIC_RELEASE);
	cop_host_count(&cop_host_self->events.publishes, 1);
}
#if defined(COP_HOST_TSAN) && !defined(__clang__)
#pragma GCC diagnostic pop
#endif

/* ---- addresses ---- */

struct cop_ptdesc;

static inline void *cop_phys(cop_pa pa)
{
	return (void *)(uintptr_t)(COP_HOST_PHYS + pa);
}

static inline void *cop_virt(cop_va va)
{
	return (void *)(uintptr_t)(va + cop_host_window_delta);
}

static inline struct cop_ptdesc *cop_ptdesc(cop_pa table)
{
	return (struct cop_ptdesc *)(uintptr_t)(COP_HOST_PTDESC +
						(table >> COP_HOST_PTDESC_GRAIN_LG2 << COP_HOST_PTDESC_LG2));
}

/* ---- the MMU ---- */

struct cop_tlbi;

void cop_tlbi(const struct cop_tlbi *);
void cop_tlb_sync(void);
uint64_t cop_entry_xchg(uint64_t *entry, uint64_t new_, const struct cop_tlbi *);
void cop_entries_break(uint64_t *entry, unsigned n, uint64_t invalid_bit, const struct cop_tlbi *);

/* ---- CPUs ---- */

typedef struct {
	uint32_t held;
} cop_spinlock;

typedef struct {
	pthread_mutex_t host;
} cop_mutex;

typedef struct {
	pthread_mutex_t lock; /* the rest */
	pthread_cond_t changed;
	uint32_t readers, waiting; /* waiting: writers */
	bool written;
} cop_rwsem;

typedef struct rcu_head cop_rcu;

void cop_host_interrupt(void);
void cop_host_park(void);

/* Interrupts that are due are taken here. */
static inline void cop_host_poll_ipi(void)
{
	if (COP_UNLIKELY(__atomic_load_n(&cop_host_self->mailbox, __ATOMIC_RELAXED) != NULL))
		cop_host_interrupt();
}

/**
 * cop_host_poll() - take the interrupts that are due; stop here while the machine is stopped
 *
 * Context: where the caller may sleep.
 */
static inline void cop_host_poll(void)
{
	cop_host_poll_ipi();
	if (COP_UNLIKELY(__atomic_load_n(&cop_host_self->stopping, __ATOMIC_RELAXED)))
		cop_host_park();
}

static inline unsigned cop_cpu(void)
{
	return cop_host_self->cpu;
}

static inline void cop_rcu_read_lock(void)
{
	urcu_memb_read_lock();
}

static inline void cop_rcu_read_unlock(void)
{
#ifdef COP_HOST_TSAN
	/* TSan does not see liburcu: tell it that a grace period follows this reader. Pairs with after_grace(). */
	__tsan_release(&cop_host_grace);
#endif
	urcu_memb_read_unlock();
}

/* An RCU reader too, as a CPU with interrupts off is. The flag is the thread's own: no handler runs under it. */
static inline uintptr_t cop_irq_save(void)
{
	uint32_t was = cop_host_self->irqs_off;

	if (was)
		return 1;
	cop_rcu_read_lock();
	cop_host_self->irqs_off = 1;
	return 0;
}

static inline void cop_irq_restore(uintptr_t was)
{
	if (was)
		return;
	cop_host_self->irqs_off = 0;
	cop_rcu_read_unlock();
	cop_host_poll_ipi();
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

#ifdef __cplusplus
}
#endif

#endif
