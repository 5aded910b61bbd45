/* SPDX-License-Identifier: MIT */
/*
 * The simulated machine's port: every access is a call, and every marked one a point where the explorer may switch CPUs.
 *
 * The addresses that cop_phys(), cop_virt() and cop_ptdesc() return lie where nothing is mapped. Only the calls below
 * know how to get from them to the machine's memory, so that code which dereferences one directly crashes at once.
 * Ordinary memory (stacks, the story's world) may be passed too and is accessed as it is.
 */
#ifndef COPPICE_PORTS_SIM_PORT_H
#define COPPICE_PORTS_SIM_PORT_H

#include <coppice/types.h>

/* Where in the source an access is written: what a trace shows. */
struct sim_at {
	const char *file;
	int line;
};
#define SIM_AT ((struct sim_at){__FILE__, __LINE__})

enum sim_order { sim_relaxed, sim_acquire, sim_release, sim_acq_rel };

typedef struct {
	uint64_t holder; /* CPU + 1 */
} cop_spinlock;
typedef struct {
	uint64_t holder;
} cop_mutex;
typedef struct {
	uint64_t word; /* rwsem.c */
} cop_rwsem;
/* Two words, so that cop_ptdesc keeps its size; the machine keeps its own queue. */
typedef struct cop_rcu {
	struct cop_rcu *next;
	void (*func)(struct cop_rcu *);
} cop_rcu;

struct cop_ptdesc;
struct cop_tlbi;

uint64_t sim_read(const volatile void *p, unsigned size, struct sim_at at);
void sim_write(volatile void *p, uint64_t v, unsigned size, struct sim_at at);
void sim_fill64(void *p, uint64_t v, size_t bytes, struct sim_at at);
void sim_copy(void *to, const void *from, size_t bytes, struct sim_at at);
uint64_t sim_load(const volatile void *p, unsigned size, enum sim_order, struct sim_at at);
void sim_store(volatile void *p, uint64_t v, unsigned size, enum sim_order, struct sim_at at);
uint64_t sim_xchg(volatile void *p, uint64_t v, unsigned size, enum sim_order, struct sim_at at);
uint64_t sim_cas(volatile void *p, uint64_t old, uint64_t v, unsigned size, enum sim_order, struct sim_at at);
uint64_t sim_fetch_add(volatile void *p, uint64_t v, unsigned size, enum sim_order, struct sim_at at);
struct sim_wait {
	const volatile void *where;
	unsigned size, slot;
	struct sim_at at;
};
struct sim_wait sim_await_begin(const volatile void *p, unsigned size, struct sim_at at);
uint64_t sim_await_next(const struct sim_wait *);
bool sim_await_answer(const struct sim_wait *, uint64_t value, bool good);
void sim_fence_acquire(struct sim_at at);
void sim_fence_release(struct sim_at at);
void sim_fence_full(struct sim_at at);

void *sim_phys(cop_pa pa);
void *sim_virt(cop_va va);
struct cop_ptdesc *sim_ptdesc(cop_pa table);

void sim_mmu_publish(struct sim_at at);
void sim_tlbi(const struct cop_tlbi *, struct sim_at at);
void sim_tlb_sync(struct sim_at at);
uint64_t sim_entry_xchg(uint64_t *, uint64_t v, const struct cop_tlbi *, struct sim_at at);
void sim_entries_break(uint64_t *, unsigned n, uint64_t invalid_bit, const struct cop_tlbi *, struct sim_at at);

unsigned sim_cpu(void);
uintptr_t sim_irq_save(struct sim_at at);
void sim_irq_restore(uintptr_t, struct sim_at at);
void sim_ipi(uint64_t cpus, void (*)(void *), void *, struct sim_at at);
int sim_stop_machine(int (*)(void *), void *, struct sim_at at);
void sim_lock(uint64_t *holder, struct sim_at at);
void sim_unlock(uint64_t *holder, struct sim_at at);
void sim_mutex_lock(uint64_t *holder, struct sim_at at);
void sim_mutex_unlock(uint64_t *holder, struct sim_at at);
void sim_rwsem_read_lock(uint64_t *word, struct sim_at at);
void sim_rwsem_read_unlock(uint64_t *word, struct sim_at at);
void sim_rwsem_write_lock(uint64_t *word, struct sim_at at);
void sim_rwsem_write_unlock(uint64_t *word, struct sim_at at);
void sim_rcu_read_lock(struct sim_at at);
void sim_rcu_read_unlock(struct sim_at at);
void sim_rcu_defer(cop_rcu *, void (*)(cop_rcu *), struct sim_at at);
void sim_rcu_sync(struct sim_at at);
COP_NORETURN void sim_panic(const char *rule, const void *where, struct sim_at at);

/* The comma drops the qualifiers of *p, which a cast may not carry. */
#define SIM_TYPE(p) __typeof__(((void)0, *(p)))

#define cop_read(p)               ((SIM_TYPE(p))sim_read((p), sizeof(*(p)), SIM_AT))
#define cop_write(p, v)           sim_write((p), (uint64_t)(v), sizeof(*(p)), SIM_AT)
#define cop_fill64(p, v, bytes)   sim_fill64((p), (v), (bytes), SIM_AT)
#define cop_copy(to, from, bytes) sim_copy((to), (from), (bytes), SIM_AT)
#define cop_load(p, order)        ((SIM_TYPE(p))sim_load((p), sizeof(*(p)), sim_##order, SIM_AT))
#define cop_store(p, v, order)    sim_store((p), (uint64_t)(v), sizeof(*(p)), sim_##order, SIM_AT)
#define cop_xchg(p, v, order)     ((SIM_TYPE(p))sim_xchg((p), (uint64_t)(v), sizeof(*(p)), sim_##order, SIM_AT))
#define cop_cas(p, old, v, order)                                                                                      \
	((SIM_TYPE(p))sim_cas((p), (uint64_t)(old), (uint64_t)(v), sizeof(*(p)), sim_##order, SIM_AT))
#define cop_fetch_add(p, v, order) ((SIM_TYPE(p))sim_fetch_add((p), (uint64_t)(v), sizeof(*(p)), sim_##order, SIM_AT))
/* The explorer asks for which values cond is true: waiting costs no interleavings. */
#define cop_await(p, var, cond)                                                                                        \
	do {                                                                                                           \
		const struct sim_wait sim_wait_ = sim_await_begin((p), sizeof(*(p)), SIM_AT);                          \
		do                                                                                                     \
			(var) = (SIM_TYPE(p))sim_await_next(&sim_wait_);                                               \
		while (!sim_await_answer(&sim_wait_, (uint64_t)(var), (cond)));                                        \
	} while (0)
#define cop_fence_acquire() sim_fence_acquire(SIM_AT)
#define cop_fence_release() sim_fence_release(SIM_AT)
#define cop_fence_full()    sim_fence_full(SIM_AT)

#define cop_phys(pa)   sim_phys(pa)
#define cop_virt(va)   sim_virt(va)
#define cop_ptdesc(pa) sim_ptdesc(pa)

#define cop_mmu_publish()                       sim_mmu_publish(SIM_AT)
#define cop_tlbi(t)                             sim_tlbi((t), SIM_AT)
#define cop_tlb_sync()                          sim_tlb_sync(SIM_AT)
#define cop_entry_xchg(p, v, t)                 sim_entry_xchg((p), (v), (t), SIM_AT)
#define cop_entries_break(p, n, invalid_bit, t) sim_entries_break((p), (n), (invalid_bit), (t), SIM_AT)

#define cop_cpu()                   sim_cpu()
#define cop_irq_save()              sim_irq_save(SIM_AT)
#define cop_irq_restore(f)          sim_irq_restore((f), SIM_AT)
#define cop_ipi(cpus, func, arg)    sim_ipi((cpus), (func), (arg), SIM_AT)
#define cop_stop_machine(func, arg) sim_stop_machine((func), (arg), SIM_AT)
#define cop_spin_init(l)            sim_write(&(l)->holder, 0, sizeof((l)->holder), SIM_AT)
#define cop_spin_lock(l)            sim_lock(&(l)->holder, SIM_AT)
#define cop_spin_unlock(l)          sim_unlock(&(l)->holder, SIM_AT)
#define cop_mutex_init(l)           sim_write(&(l)->holder, 0, sizeof((l)->holder), SIM_AT)
#define cop_mutex_lock(l)           sim_mutex_lock(&(l)->holder, SIM_AT)
#define cop_mutex_unlock(l)         sim_mutex_unlock(&(l)->holder, SIM_AT)
#define cop_rwsem_init(s)           sim_write(&(s)->word, 0, sizeof((s)->word), SIM_AT)
#define cop_rwsem_read_lock(s)      sim_rwsem_read_lock(&(s)->word, SIM_AT)
#define cop_rwsem_read_unlock(s)    sim_rwsem_read_unlock(&(s)->word, SIM_AT)
#define cop_rwsem_write_lock(s)     sim_rwsem_write_lock(&(s)->word, SIM_AT)
#define cop_rwsem_write_unlock(s)   sim_rwsem_write_unlock(&(s)->word, SIM_AT)
#define cop_rcu_read_lock()         sim_rcu_read_lock(SIM_AT)
#define cop_rcu_read_unlock()       sim_rcu_read_unlock(SIM_AT)
#define cop_rcu_defer(r, func)      sim_rcu_defer((r), (func), SIM_AT)
#define cop_rcu_sync()              sim_rcu_sync(SIM_AT)
#define cop_panic(rule, where)      sim_panic((rule), (where), SIM_AT)

#endif
