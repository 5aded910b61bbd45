/* SPDX-License-Identifier: MIT */
/*
 * The least a port can be: one CPU, no interrupts, physical memory mapped at its own address, table descriptors in an
 * array at PTDESC_BASE. Use it as a beginning: -DCOP_PORT_HEADER='"port.h"'. The types are there: <coppice/port.h> includes
 * them first.
 *
 * s390x: this CPU changes tables with translation off (it runs in real mode) and purges before it is turned on, so that
 * plain stores do; with more CPUs cop_entry_xchg() and cop_entries_break() are CRDTE, IDTE and IPTE.
 */
#ifndef MINIMAL_PORT_H
#define MINIMAL_PORT_H

#ifndef PTDESC_BASE
#define PTDESC_BASE 0x200000000ULL /* 64 bytes for each 2 KB of memory */
#endif

typedef struct {
	char unused;
} cop_spinlock, cop_mutex, cop_rwsem;
typedef struct cop_rcu {
	struct cop_rcu *next;
	void (*fn)(struct cop_rcu *);
} cop_rcu;

struct cop_ptdesc;
struct cop_tlbi;

#define cop_read(p)                (*(p))
#define cop_write(p, v)            ((void)(*(p) = (v)))
#define PORT_relaxed               __ATOMIC_RELAXED
#define PORT_acquire               __ATOMIC_ACQUIRE
#define PORT_release               __ATOMIC_RELEASE
#define PORT_acq_rel               __ATOMIC_ACQ_REL
#define cop_load(p, order)         __atomic_load_n((p), PORT_##order)
#define cop_store(p, v, order)     __atomic_store_n((p), (v), PORT_##order)
#define cop_xchg(p, v, order)      __atomic_exchange_n((p), (v), PORT_##order)
#define cop_fetch_add(p, v, order) __atomic_fetch_add((p), (v), PORT_##order)
#define cop_cas(p, old, v, order)                                                                                      \
	__extension__({                                                                                                \
		__typeof__(*(p)) port_was_ = (old);                                                                    \
		(void)__atomic_compare_exchange_n((p), &port_was_, (v), 0, PORT_##order, __ATOMIC_RELAXED);            \
		port_was_;                                                                                             \
	})
#define cop_await(p, var, cond)                                                                                        \
	do                                                                                                             \
		(var) = __atomic_load_n((p), __ATOMIC_ACQUIRE);                                                        \
	while (!(cond))

#define PORT_INLINE static inline __attribute__((unused))

PORT_INLINE void cop_fill64(void *p, uint64_t v, size_t bytes)
{
	for (volatile uint64_t *to = p; bytes; bytes -= 8)
		*to++ = v;
}

PORT_INLINE void cop_copy(void *to, const void *from, size_t bytes)
{
	__builtin_memcpy(to, from, bytes);
}

PORT_INLINE void cop_fence_acquire(void)
{
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
}

PORT_INLINE void cop_fence_release(void)
{
	__atomic_thread_fence(__ATOMIC_RELEASE);
}

PORT_INLINE void cop_fence_full(void)
{
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
}

PORT_INLINE void *cop_phys(cop_pa pa)
{
	return (void *)(uintptr_t)pa;
}

PORT_INLINE void *cop_virt(cop_va va)
{
	return (void *)(uintptr_t)va;
}

PORT_INLINE struct cop_ptdesc *cop_ptdesc(cop_pa table)
{
	return (struct cop_ptdesc *)(uintptr_t)(PTDESC_BASE + (table >> 11 << 6));
}

PORT_INLINE void cop_mmu_publish(void)
{
#if defined(__aarch64__)
	__asm__ volatile("dsb ishst\n\tisb" ::: "memory");
#elif defined(__riscv)
	__asm__ volatile("fence w, w" ::: "memory");
#else
	__asm__ volatile("" ::: "memory");
#endif
}

/* Everything, always: correct for any request, and the first thing to improve. */
PORT_INLINE void cop_tlbi(const struct cop_tlbi *tlbi)
{
	(void)tlbi;
#if defined(__aarch64__)
	__asm__ volatile("tlbi vmalle1" ::: "memory");
#elif defined(__x86_64__)
	uint64_t cr4;

	/* Changing CR4.PGE flushes global entries too (SDM 3A, 4.10.4.1). */
	__asm__ volatile("mov %%cr4, %0" : "=r"(cr4));
	__asm__ volatile("mov %0, %%cr4\n\tmov %1, %%cr4" : : "r"(cr4 ^ 0x80), "r"(cr4) : "memory");
#elif defined(__riscv)
	__asm__ volatile("sfence.vma" ::: "memory");
#elif defined(__s390x__)
	__asm__ volatile("ptlb" ::: "memory");
#endif
}

PORT_INLINE void cop_tlb_sync(void)
{
#if defined(__aarch64__)
	__asm__ volatile("dsb ish\n\tisb" ::: "memory");
#endif
}

PORT_INLINE uint64_t cop_entry_xchg(uint64_t *entry, uint64_t new_, const struct cop_tlbi *tlbi)
{
	uint64_t old = cop_xchg(entry, new_, relaxed);

	cop_tlbi(tlbi);
	return old;
}

PORT_INLINE void cop_entries_break(uint64_t *entry, unsigned n, uint64_t invalid_bit, const struct cop_tlbi *tlbi)
{
	for (unsigned i = 0; i < n; i++)
		cop_store(&entry[i], entry[i] | invalid_bit, relaxed);
	cop_tlbi(tlbi);
}

/* One CPU that nothing interrupts: locks are free, and outside read sections every moment is a grace period. */
#define cop_cpu()                 0U
#define cop_irq_save()            ((uintptr_t)0)
#define cop_irq_restore(was)      ((void)(was))
#define cop_spin_init(l)          ((void)(l))
#define cop_spin_lock(l)          ((void)(l))
#define cop_spin_unlock(l)        ((void)(l))
#define cop_mutex_init(l)         ((void)(l))
#define cop_mutex_lock(l)         ((void)(l))
#define cop_mutex_unlock(l)       ((void)(l))
#define cop_rwsem_init(s)         ((void)(s))
#define cop_rwsem_read_lock(s)    ((void)(s))
#define cop_rwsem_read_unlock(s)  ((void)(s))
#define cop_rwsem_write_lock(s)   ((void)(s))
#define cop_rwsem_write_unlock(s) ((void)(s))
#define cop_rcu_read_lock()       ((void)0)
#define cop_rcu_read_unlock()     ((void)0)
#define cop_rcu_sync()            ((void)0)

PORT_INLINE void cop_rcu_defer(cop_rcu *head, void (*fn)(cop_rcu *))
{
	fn(head);
}

PORT_INLINE void cop_ipi(uint64_t cpus, void (*fn)(void *), void *arg)
{
	if (cpus & 1)
		fn(arg);
}

PORT_INLINE int cop_stop_machine(int (*fn)(void *), void *arg)
{
	return fn(arg);
}

PORT_INLINE COP_NORETURN void cop_panic(const char *rule, const void *where)
{
	(void)rule;
	(void)where;
	for (;;)
		__asm__ volatile("" ::: "memory");
}

#endif
