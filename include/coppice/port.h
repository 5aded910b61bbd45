/* SPDX-License-Identifier: MIT */
/*
 * The port: the only way the library touches state that another CPU, a device or the MMU may touch.
 *
 * A port is one header, named by COP_PORT_HEADER, that defines the types cop_spinlock, cop_mutex, cop_rwsem and cop_rcu and
 * every function below (as macros or static inlines). The library has no other dependency: no libc, no allocator.
 *
 *   PLAIN    cop_read(p) cop_write(p, v)       owner or lock holder only; unpublished memory
 *            cop_fill64(p, v, bytes)           p, bytes: multiples of 8
 *            cop_copy(to, from, bytes)
 *   MARKED   cop_load(p, order)                aligned 1, 2, 4 or 8 bytes
 *            cop_store(p, v, order)            order: relaxed acquire release acq_rel
 *            cop_xchg(p, v, order)
 *            cop_cas(p, old, v, order)         returns what was there; may write-fault though it fails
 *            cop_fetch_add(p, v, order)        returns what was there
 *            cop_await(p, var, cond)           loads *p (acquire) into var until cond: the only spin
 *   FENCES   cop_fence_acquire() cop_fence_release() cop_fence_full()
 *
 * Every name that takes `p` takes the type of *p with it.
 */
#ifndef COPPICE_PORT_H
#define COPPICE_PORT_H

#include <coppice/types.h>

/* What a TLB invalidation is to reach. */
enum cop_tlbi_scope {
	COP_TLBI_LEAVES = 0,      /* last-level entries only: no table was unlinked */
	COP_TLBI_TABLES = 1 << 0, /* paging-structure caches too: a table was unlinked */
	COP_TLBI_GLOBAL = 1 << 1, /* every address space: global entries */
	COP_TLBI_LOCAL = 1 << 2,  /* this CPU only */
	COP_TLBI_ASID = 1 << 3,   /* the whole address space: start and last are ignored */
};

/**
 * struct cop_tlbi - one invalidation
 * @start: first byte's virtual address
 * @last: last byte's virtual address (inclusive, so that the top of the address space needs no special case)
 * @asid: address space (ASID, PCID); ignored with COP_TLBI_GLOBAL
 * @stride_lg2: size of the smallest leaf that was removed, lg2 of bytes: how far apart by-address operations may be
 * @level: level of the leaves when all are of one level, else COP_TLBI_ANY_LEVEL (a hint, as TTL on arm64)
 * @scope: enum cop_tlbi_scope bits
 */
struct cop_tlbi {
	cop_va start, last;
	uint32_t asid;
	uint8_t stride_lg2, level, scope;
};
#define COP_TLBI_ANY_LEVEL 0xff

struct cop_ptdesc; /* tables.h */

/* The host port under a name that needs no quoting on a command line. */
#if !defined(COP_PORT_HEADER) && defined(COP_PORT_HOST)
#define COP_PORT_HEADER "ports/host/port.h"
#endif
#ifndef COP_PORT_HEADER
#error "define COP_PORT_HEADER to the header of your port, e.g. -DCOP_PORT_HEADER='\"ports/host/port.h\"'"
#endif
#include COP_PORT_HEADER

/*
 * What COP_PORT_HEADER provides beside the accessors:
 *
 *   void *cop_phys(cop_pa);            untranslated; dies with its frame
 *   void *cop_virt(cop_va);            through this CPU's TLB, at each access; kernel addresses
 *   struct cop_ptdesc *cop_ptdesc(cop_pa table);  64 bytes per table-sized frame, in memory that needs no translation
 *
 *   set -> publish; clear -> publish -> tlbi -> sync -> free
 *   void cop_mmu_publish(void);                      arm64 DSB ISHST; riscv64 fence w,w; nothing on x86-64
 *   void cop_tlbi(const struct cop_tlbi *);          issues only
 *   void cop_tlb_sync(void);                         complete everywhere; interrupts on
 *   uint64_t cop_entry_xchg(uint64_t *, uint64_t new, const struct cop_tlbi *);    IPTE, IDTE, CRDTE: changes a valid
 *                                                    entry and invalidates it everywhere; returns the old entry
 *   void cop_entries_break(uint64_t *, unsigned n, uint64_t invalid_bit, const struct cop_tlbi *);   IPTE with range,
 *                                                    IDTE with additional entries: sets invalid_bit in n entries of
 *                                                    one table and invalidates what was formed from them everywhere
 *
 *   CPU. [irq]: callable from handlers.
 *   unsigned cop_cpu(void);                          [irq]
 *   uintptr_t cop_irq_save(void);                    [irq]
 *   void cop_irq_restore(uintptr_t);                 [irq]
 *   void cop_ipi(uint64_t cpus, void (*)(void *), void *);
 *   int cop_stop_machine(int (*)(void *), void *);   sleeps
 *   void cop_spin_init(cop_spinlock *);
 *   void cop_spin_lock(cop_spinlock *);              [irq]
 *   void cop_spin_unlock(cop_spinlock *);            [irq]
 *   void cop_mutex_init(cop_mutex *);
 *   void cop_mutex_lock(cop_mutex *);                sleeps
 *   void cop_mutex_unlock(cop_mutex *);
 *   void cop_rwsem_init(cop_rwsem *);                readers together or one writer; not recursive. Writers do not
 *                                                    starve: a reader waits while a writer waits, so that nobody who
 *                                                    reads may wait for somebody who is still to read
 *   void cop_rwsem_read_lock(cop_rwsem *);           sleeps
 *   void cop_rwsem_read_unlock(cop_rwsem *);
 *   void cop_rwsem_write_lock(cop_rwsem *);          sleeps
 *   void cop_rwsem_write_unlock(cop_rwsem *);
 *   void cop_rcu_read_lock(void);                    [irq]; interrupts off also read
 *   void cop_rcu_read_unlock(void);                  [irq]
 *   void cop_rcu_defer(cop_rcu *, void (*)(cop_rcu *));  [irq]
 *   void cop_rcu_sync(void);                         sleeps
 *   _Noreturn void cop_panic(const char *rule, const void *where);
 */

#endif
