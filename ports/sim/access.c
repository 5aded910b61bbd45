/* SPDX-License-Identifier: MIT */
/* Accesses: announced, executed, checked. Sequentially consistent: the order argument is not used yet. */
#include "ports/sim/sim.h"

#include <string.h>

/* Loads and stores through a translation: each location that the answer depends on makes the access a switch point. */
static bool touched_is_shared;

static void ask_shared(const void *p)
{
	touched_is_shared |= sim_conflicts(p, false);
}

static void touch_read(const void *p)
{
	sim_touch(p, false);
}

static bool translation_shared(cop_va va, bool write)
{
	struct sim_reached to[SIM_MAX_REACHED];
	unsigned n;

	touched_is_shared = sim_conflicts(&sim_loc_tlb, false);
	n = sim_translate(va, to, ask_shared);
	for (unsigned i = 0; i < n; i++) {
		if (to[i].pa < sim.config.pa_bytes)
			touched_is_shared |= sim_conflicts(sim_phys(to[i].pa), write) ||
					     sim_conflicts(sim_frame_location(to[i].pa), false);
	}
	return touched_is_shared;
}

/* Where a translated access goes this time: with several possibilities a branch of the search. */
static struct sim_reached choose_translation(cop_va va)
{
	struct sim_reached to[SIM_MAX_REACHED];
	unsigned n;

	sim_touch(&sim_loc_tlb, false);
	n = sim_translate(va, to, touch_read);
	return n == 1 ? to[0] : to[sim.config.choose(n)];
}

static const char *access_name(bool write)
{
	return write ? "write to" : "read of";
}

static void check_frame(cop_pa pa, bool write, const char *how)
{
	const struct sim_frame *f = &sim.frame[pa >> sim.config.frame_lg2];

	sim_touch(sim_frame_location(pa), false);
	if (f->state == SIM_FREE)
		sim_fail("use-after-free", "%s %#llx%s: the frame (%s) was freed at %s:%d", access_name(write),
			 (unsigned long long)pa, how, f->owner ? f->owner : "never allocated",
			 f->at.file ? f->at.file : "-", f->at.line);
}

/* The location that an access through p reaches; a fault is a failure. */
static void *arrive(const volatile void *p, bool write, cop_pa *reached)
{
	struct sim_place place = sim_place_of(p);
	struct sim_reached to;

	*reached = 0;
	if (place.space == SIM_PHYS)
		check_frame(place.address, write, "");
	if (place.space != SIM_VIRT)
		return (void *)(uintptr_t)p;
	to = choose_translation(place.address);
	*reached = to.pa;
	if (to.pa == COP_PA_NONE || (write && !to.writable))
		sim_fail("fault", "%s %#llx: %s", access_name(write), (unsigned long long)place.address,
			 to.pa == COP_PA_NONE ? "nothing is mapped there" : "it is mapped read-only");
	if (to.pa >= sim.config.pa_bytes)
		sim_fail("wild-physical", "%s %#llx: translated to %#llx, where there is no memory", access_name(write),
			 (unsigned long long)place.address, (unsigned long long)to.pa);
	check_frame(to.pa, write, to.stale ? " through a stale translation" : "");
	return sim_phys(to.pa);
}

static bool in_table(const void *p)
{
	struct sim_place place = sim_place_of(p);

	return place.space == SIM_PHYS && sim.frame[place.address >> sim.config.frame_lg2].state == SIM_TABLE;
}

static bool visible(const volatile void *p, bool write)
{
	struct sim_place place = sim_place_of(p);

	if (sim.solo)
		return false;
	if (place.space == SIM_VIRT)
		return translation_shared(place.address, write);
	return sim_conflicts(p, write) ||
	       (place.space == SIM_PHYS && sim_conflicts(sim_frame_location(place.address), false)) ||
	       (write && in_table((const void *)p) && sim_conflicts(&sim_loc_tables, true));
}

/* Announce, wait, arrive. */
static void *begin(enum sim_op op, const volatile void *p, bool write, struct sim_at at, cop_pa *reached)
{
	void *to;

	sim_point(op, visible(p, write), SIM_READY, (const void *)p, at);
	to = arrive(p, write, reached);
	sim_touch(to, write);
	if (write && in_table(to))
		sim_touch(&sim_loc_tables, true);
	return to;
}

static void put(void *to, uint64_t v, unsigned size, bool by_instruction, struct sim_at at)
{
	struct sim_place place = sim_place_of(to);
	cop_pa word = place.address & ~7ULL;
	uint64_t old;

	if (place.space != SIM_PHYS || sim.frame[word >> sim.config.frame_lg2].state != SIM_TABLE) {
		sim_poke(to, v, size, at);
		return;
	}
	old = sim_word_now(word).value;
	/* The check sees the tables as they were, the link what is new. */
	sim_mmu_entry_written(word, old, size == 8 ? v : old, by_instruction, at);
	sim_poke(to, v, size, at);
	if (!sim.cpu[sim.current].unpublished)
		sim.cpu[sim.current].unpublished = sim.now;
}

static uint64_t truncated(uint64_t v, unsigned size)
{
	return size == 8 ? v : v & (COP_LG2(size * 8) - 1);
}

/* Marked accesses. */

uint64_t sim_load(const volatile void *p, unsigned size, enum sim_order order, struct sim_at at)
{
	cop_pa pa;
	void *from = begin(SIM_OP_LOAD, p, false, at, &pa);
	uint64_t v = sim_peek(from, size);

	(void)order;
	sim_record(SIM_OP_LOAD, (const void *)p, v, v, pa, at);
	return v;
}

void sim_store(volatile void *p, uint64_t v, unsigned size, enum sim_order order, struct sim_at at)
{
	cop_pa pa;
	void *to = begin(SIM_OP_STORE, p, true, at, &pa);

	(void)order;
	sim_record(SIM_OP_STORE, (const void *)p, sim_peek(to, size), v, pa, at);
	put(to, v, size, false, at);
}

uint64_t sim_xchg(volatile void *p, uint64_t v, unsigned size, enum sim_order order, struct sim_at at)
{
	cop_pa pa;
	void *to = begin(SIM_OP_XCHG, p, true, at, &pa);
	uint64_t old = sim_peek(to, size);

	(void)order;
	sim_record(SIM_OP_XCHG, (const void *)p, old, v, pa, at);
	put(to, v, size, false, at);
	return old;
}

uint64_t sim_cas(volatile void *p, uint64_t old, uint64_t v, unsigned size, enum sim_order order, struct sim_at at)
{
	cop_pa pa;
	void *to = begin(SIM_OP_CAS, p, true, at, &pa);
	uint64_t was = sim_peek(to, size);

	(void)order;
	sim_record(SIM_OP_CAS, (const void *)p, was, was == truncated(old, size) ? v : was, pa, at);
	if (was == truncated(old, size))
		put(to, v, size, false, at);
	return was;
}

uint64_t sim_fetch_add(volatile void *p, uint64_t v, unsigned size, enum sim_order order, struct sim_at at)
{
	cop_pa pa;
	void *to = begin(SIM_OP_ADD, p, true, at, &pa);
	uint64_t old = sim_peek(to, size);

	(void)order;
	sim_record(SIM_OP_ADD, (const void *)p, old, truncated(old + v, size), pa, at);
	put(to, old + v, size, false, at);
	return old;
}

uint64_t sim_await(const volatile void *p, unsigned size, bool again, uint64_t seen, struct sim_at at)
{
	struct sim_processor *me = &sim.cpu[sim.current];
	uint64_t v;

	me->size = size;
	me->seen = truncated(seen, size);
	sim_point(SIM_OP_AWAIT, visible(p, false), again ? SIM_WAIT_CHANGE : SIM_READY, (const void *)p, at);
	sim_touch(p, false);
	v = sim_peek(p, size);
	sim_record(SIM_OP_AWAIT, (const void *)p, v, v, 0, at);
	return v;
}

void sim_fence(struct sim_at at)
{
	(void)at;
}

/* Plain accesses: a switch point only where another CPU's access conflicts, so that the search stays complete. */

uint64_t sim_read(const volatile void *p, unsigned size, struct sim_at at)
{
	cop_pa pa;
	void *from = begin(SIM_OP_READ, p, false, at, &pa);
	uint64_t v = sim_peek(from, size);

	sim_record(SIM_OP_READ, (const void *)p, v, v, pa, at);
	return v;
}

void sim_write(volatile void *p, uint64_t v, unsigned size, struct sim_at at)
{
	cop_pa pa;
	void *to = begin(SIM_OP_WRITE, p, true, at, &pa);

	sim_record(SIM_OP_WRITE, (const void *)p, sim_peek(to, size), v, pa, at);
	put(to, v, size, false, at);
}

void sim_fill64(void *p, uint64_t v, size_t bytes, struct sim_at at)
{
	cop_pa pa;

	sim_record(SIM_OP_FILL, p, 0, v, 0, at);
	for (size_t i = 0; i < bytes; i += 8)
		put(begin(SIM_OP_FILL, (char *)p + i, true, at, &pa), v, 8, false, at);
}

void sim_copy(void *to, const void *from, size_t bytes, struct sim_at at)
{
	for (size_t i = 0; i < bytes;) {
		unsigned size = bytes - i >= 8 ? 8 : 1;

		sim_write((char *)to + i, sim_read((const char *)from + i, size, at), size, at);
		i += size;
	}
}

/* The MMU. */

void sim_mmu_publish(struct sim_at at)
{
	sim.cpu[sim.current].unpublished = 0;
	sim_record(SIM_OP_PUBLISH, NULL, 0, 0, 0, at);
}

void sim_tlbi(const struct cop_tlbi *t, struct sim_at at)
{
	uint64_t unpublished = sim.cpu[sim.current].unpublished;

	sim_point(SIM_OP_TLBI, sim_conflicts(&sim_loc_tlb, true) || sim_conflicts(&sim_loc_tables, true), SIM_READY,
		  NULL, at);
	sim_touch(&sim_loc_tlb, true);
	sim_touch(&sim_loc_tables, true);
	/* An unpublished store may reach the walkers after the invalidation, which then does not reach what it overwrites. */
	sim_mmu_invalidate(t, unpublished ? unpublished - 2 : sim.now, false);
	sim_record(SIM_OP_TLBI, NULL, t->start, t->last, t->scope, at);
	sim.now++;
}

void sim_tlb_sync(struct sim_at at)
{
	sim_point(SIM_OP_SYNC, sim_conflicts(&sim_loc_tlb, true) || sim_conflicts(&sim_loc_tables, true), SIM_READY,
		  NULL, at);
	sim_touch(&sim_loc_tlb, true);
	sim_touch(&sim_loc_tables, true);
	sim.now++;
	sim_mmu_complete();
	sim_record(SIM_OP_SYNC, NULL, 0, 0, 0, at);
}

uint64_t sim_entry_xchg(uint64_t *p, uint64_t v, const struct cop_tlbi *t, struct sim_at at)
{
	cop_pa pa;
	void *to = begin(SIM_OP_XCHG, p, true, at, &pa);
	uint64_t old = sim_peek(to, 8);

	sim_touch(&sim_loc_tlb, true);
	sim_record(SIM_OP_XCHG, p, old, v, pa, at);
	put(to, v, 8, true, at);
	sim_mmu_invalidate(t, sim.now - 1, true);
	return old;
}

void sim_entries_break(uint64_t *p, unsigned n, uint64_t invalid_bit, const struct cop_tlbi *t, struct sim_at at)
{
	cop_pa pa;

	for (unsigned i = 0; i < n; i++) {
		void *to = begin(SIM_OP_XCHG, p + i, true, at, &pa);
		uint64_t old = sim_peek(to, 8);

		sim_touch(&sim_loc_tlb, true);
		sim_record(SIM_OP_XCHG, p + i, old, old | invalid_bit, pa, at);
		put(to, old | invalid_bit, 8, true, at);
		sim_mmu_invalidate(t, sim.now - 1, true);
	}
}

/* CPUs and locks. */

unsigned sim_cpu(void)
{
	return sim.current;
}

void sim_ipi(uint64_t cpus, void (*func)(void *), void *arg, struct sim_at at)
{
	(void)cpus, (void)func, (void)arg;
	sim.cpu[sim.current].at = at;
	sim_fail("not-modelled", "this machine has no interrupts yet");
}

int sim_stop_machine(int (*func)(void *), void *arg, struct sim_at at)
{
	(void)func, (void)arg;
	sim.cpu[sim.current].at = at;
	sim_fail("not-modelled", "this machine cannot stop its CPUs yet");
}

void sim_lock(uint64_t *holder, struct sim_at at)
{
	cop_pa pa;

	if (sim_peek(holder, 8) == sim.current + 1ULL)
		sim_fail("deadlock", "the lock is held by this CPU already");
	sim_point(SIM_OP_LOCK, sim_conflicts(holder, true), SIM_WAIT_LOCK, holder, at);
	sim_touch(arrive(holder, true, &pa), true);
	sim_poke(holder, sim.current + 1ULL, 8, at);
	sim_record(SIM_OP_LOCK, holder, 0, 0, 0, at);
}

void sim_unlock(uint64_t *holder, struct sim_at at)
{
	sim_point(SIM_OP_UNLOCK, sim_conflicts(holder, true), SIM_READY, holder, at);
	sim_touch(holder, true);
	if (sim_peek(holder, 8) != sim.current + 1ULL)
		sim_fail("unlock-not-held", "the lock is not held by this CPU");
	sim_poke(holder, 0, 8, at);
	sim_record(SIM_OP_UNLOCK, holder, 0, 0, 0, at);
}

/* Stories. */

bool sim_probe(cop_va va, uint64_t *value, struct sim_at at)
{
	struct sim_reached to;

	sim_point(SIM_OP_PROBE, visible(sim_virt(va), false), SIM_READY, sim_virt(va), at);
	to = choose_translation(va);
	sim_record(SIM_OP_PROBE, sim_virt(va), 0, 0, to.pa, at);
	if (to.pa == COP_PA_NONE)
		return false;
	if (to.pa >= sim.config.pa_bytes)
		sim_fail("wild-physical", "%#llx translated to %#llx", (unsigned long long)va,
			 (unsigned long long)to.pa);
	check_frame(to.pa, false, to.stale ? " through a stale translation" : "");
	sim_touch(sim_phys(to.pa), false);
	*value = sim_peek(sim_phys(to.pa), 8);
	return true;
}

void sim_gone(cop_va va, uint64_t bytes, struct sim_at at)
{
	sim_point(SIM_OP_GONE, sim_conflicts(&sim_loc_tlb, false) || sim_conflicts(&sim_loc_tables, false), SIM_READY,
		  NULL, at);
	sim_touch(&sim_loc_tlb, false);
	sim_touch(&sim_loc_tables, false);
	sim_record(SIM_OP_GONE, sim_virt(va), 0, bytes, 0, at);
	sim_mmu_check_gone(va, bytes);
}
