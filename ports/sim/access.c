/* SPDX-License-Identifier: MIT */
/* Accesses: announced, executed, checked. */
#include "ports/sim/sim.h"
#include "checker/engine.h"

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

static bool translation_shared(const struct sim_tree *user, cop_va va, bool write)
{
	struct sim_reached to[SIM_MAX_REACHED];
	unsigned n;

	touched_is_shared = sim_conflicts(&sim_loc_tlb, false);
	n = sim_translate(user, va, write, to, ask_shared);
	/* An event has room for few choices: each of these is one of its own. */
	touched_is_shared |= n > 1;
	for (unsigned i = 0; i < n; i++) {
		if (to[i].pa < sim.config.pa_bytes)
			touched_is_shared |= sim_conflicts(sim_phys(to[i].pa), write) ||
					     sim_conflicts(sim_frame_location(to[i].pa), false);
		if (to[i].updated != to[i].entry)
			touched_is_shared |= sim_conflicts(sim_phys(to[i].word), true);
	}
	return touched_is_shared;
}

/* The MMU sets accessed and dirty bits in the entry itself: a write like any other, but that no rule is broken by it. */
static void update_entry(const struct sim_reached *to, struct sim_at at)
{
	if (to->pa == COP_PA_NONE || to->updated == to->entry)
		return;
	sim_touch(sim_phys(to->word), true);
	sim_mmu_touch_written(to->word, &to->updated);
	sim_race_hardware(sim_phys(to->word), to->updated);
	sim_poke_by_hardware(to->word, to->updated, at);
}

/* Where a translated access goes this time: with several possibilities a branch of the search. */
static struct sim_reached choose_translation(const struct sim_tree *user, cop_va va, bool write, struct sim_at at)
{
	struct sim_reached to[SIM_MAX_REACHED], chosen;
	unsigned n;

	sim_touch(&sim_loc_tlb, false);
	n = sim_translate(user, va, write, to, touch_read);
	chosen = n == 1 ? to[0] : to[sim_choose(n)];
	if (chosen.unpublished)
		sim_report("unpublished-entry",
			   "%#llx is accessed, and the entry that this CPU has stored for it is not published: its own "
			   "walk may not find it",
			   (unsigned long long)va);
	update_entry(&chosen, at);
	return chosen;
}

static const char *access_name(bool write)
{
	return write ? "write to" : "read of";
}

static const char *rule_of_freed(const struct sim_frame *f)
{
	if (f->state == SIM_ABSENT)
		return "absent-memory";
	return f->was_table ? "walker-in-freed-table" : "use-after-free";
}

static void check_frame(cop_pa pa, bool write, const char *how)
{
	const struct sim_frame *f = &sim.frame[pa >> sim.config.frame_lg2];

	sim_touch(sim_frame_location(pa), false);
	if (f->state == SIM_FREE || f->state == SIM_ABSENT)
		sim_report(rule_of_freed(f), "%s %#llx%s: the frame (%s) was freed at %s:%d", access_name(write),
			   (unsigned long long)pa, how, f->owner ? f->owner : "never allocated",
			   f->at.file ? f->at.file : "-", f->at.line);
}

COP_NORETURN static void fault(cop_va va, bool write, const struct sim_reached *to)
{
	const char *why = to->refused ? (write ? "it is mapped read-only, or clean where software sets dirty"
					       : "it is mapped without access")
			  : to->stale ? "the CPU may still hold the entry that was not valid"
				      : "nothing is mapped there";
	const char *rule = "fault";

	if (sim_is_memmap(va))
		rule = to->refused ? "struct-page-read-only" : "struct-page-unmapped";
	sim_fail(rule, "%s %#llx: %s", access_name(write), (unsigned long long)va, why);
}

/* The location that an access through p reaches; a fault is a failure. */
static void *arrive(const volatile void *p, bool write, struct sim_at at, cop_pa *reached)
{
	struct sim_place place = sim_place_of(p);
	struct sim_reached to;

	*reached = 0;
	if (place.space == SIM_PHYS)
		check_frame(place.address, write, "");
	if (place.space != SIM_VIRT)
		return (void *)(uintptr_t)p;
	to = choose_translation(NULL, place.address, write, at);
	*reached = to.pa;
	if (to.pa == COP_PA_NONE)
		fault(place.address, write, &to);
	if (to.pa >= sim.config.pa_bytes)
		sim_fail("wild-physical", "%s %#llx: translated to %#llx, where there is no memory", access_name(write),
			 (unsigned long long)place.address, (unsigned long long)to.pa);
	check_frame(to.pa, write, to.stale ? " through a stale translation" : "");
	return sim_phys(to.pa);
}

void sim_check_reached(const volatile void *p, bool write)
{
	const struct sim_place place = sim_place_of(p);

	if (place.space == SIM_PHYS)
		check_frame(place.address, write, "");
}

bool sim_in_table(const void *p)
{
	struct sim_place place = sim_place_of(p);

	return place.space == SIM_PHYS && sim.frame[place.address >> sim.config.frame_lg2].state == SIM_TABLE;
}

/* @v: what is about to be written, if that is known. */
static bool visible(const volatile void *p, bool write, const uint64_t *v)
{
	struct sim_place place = sim_place_of(p);

	if (sim.solo)
		return false;
	if (place.space == SIM_VIRT)
		return translation_shared(NULL, place.address, write);
	return sim_conflicts(p, write) ||
	       (place.space == SIM_PHYS && sim_conflicts(sim_frame_location(place.address), false)) ||
	       (write && sim_in_table((const void *)p) && sim_mmu_write_shared(place.address, v));
}

static void touch_written(void *to, bool write, const uint64_t *v)
{
	sim_touch(to, write);
	if (write && sim_in_table(to))
		sim_mmu_touch_written(sim_place_of(to).address & ~7ULL, v);
}

/* Announce, wait, arrive. */
static void *begin(enum sim_op op, const volatile void *p, bool write, const uint64_t *v, struct sim_at at,
		   cop_pa *reached)
{
	void *to;

	if (sim_place_of(p).space == SIM_VIRT)
		sim_order_before_walk(at);
	sim_point(op, visible(p, write, v), (const void *)p, at);
	to = arrive(p, write, at, reached);
	touch_written(to, write, v);
	return to;
}

static struct sim_change change_of(const void *to, enum sim_entry_write how, unsigned race)
{
	return (struct sim_change){.how = how, .ordered = sim_order_ordered(race), .known = sim_race_known(to)};
}

static void put_entry(cop_pa word, void *to, uint64_t v, unsigned size, const struct sim_change *how, struct sim_at at)
{
	uint64_t old = sim_word_now(word).value;

	/* The check sees the tables as they were, the link what is new. */
	sim_mmu_entry_written(word, old, size == 8 ? v : old, how, at);
	sim_poke(to, v, size, at);
	if (size != 8)
		sim_mmu_entry_patched(word);
	if (!sim.frame[word >> sim.config.frame_lg2].linked)
		sim_order_table_written(word);
	/* Elsewhere the MMU sees stores as they come. */
	if (sim_order_is(SIM_ORDER_WEAK) && !sim.cpu[sim.current].unpublished)
		sim.cpu[sim.current].unpublished = sim.now;
}

static void put(void *to, uint64_t v, unsigned size, unsigned race, const struct sim_change *how, struct sim_at at)
{
	uint64_t old = sim_peek_word(to);

	if (sim_in_table(to))
		put_entry(sim_place_of(to).address & ~7ULL, to, v, size, how, at);
	else
		sim_poke(to, v, size, at);
	if (race & SIM_RACE_PLAIN)
		sim_order_plain(to);
	else
		sim_order_written(to, old);
}

static uint64_t truncated(uint64_t v, unsigned size)
{
	return size == 8 ? v : v & (COP_LG2(size * 8) - 1);
}

static void check_object(const void *p, unsigned size, struct sim_at at)
{
	sim_rcu_check_heads(p, size, at);
	sim_object_check(p, at);
}

/* After the value is known: who knows what of whom, and what becomes of a struct page. */
static void account(const void *p, void *to, unsigned how, uint64_t old, uint64_t v, unsigned size, enum sim_op op,
		    struct sim_at at)
{
	struct sim_place place = sim_place_of(p);

	check_object(p, size, at);
	sim_race_access(to, how, how & SIM_RACE_WRITE ? v : old, at);
	if ((how & SIM_RACE_WRITE) && place.space == SIM_VIRT)
		sim_memmap_written(place.address, old, v, size, op, at);
}

static unsigned marked(enum sim_order order, unsigned how)
{
	if (order == sim_acquire || order == sim_acq_rel)
		how |= SIM_RACE_ACQUIRE;
	if (order == sim_release || order == sim_acq_rel)
		how |= SIM_RACE_RELEASE;
	return how;
}

/* Marked accesses. */

uint64_t sim_load(const volatile void *p, unsigned size, enum sim_order order, struct sim_at at)
{
	cop_pa pa;
	void *from = begin(SIM_OP_LOAD, p, false, NULL, at, &pa);
	struct sim_own own = sim_order_own(from, size, at);
	uint64_t v;

	if (own.waits) {
		sim_record(SIM_OP_LOAD, (const void *)p, own.value, own.value, pa, at);
		return own.value;
	}
	v = sim_order_load(from, size, order == sim_acquire || order == sim_acq_rel);
	account((const void *)p, from, marked(order, 0), v, v, size, SIM_OP_LOAD, at);
	sim_record(SIM_OP_LOAD, (const void *)p, v, v, pa, at);
	return v;
}

/* Does anybody else look? */
static bool seen_by_others(const void *to, uint64_t v, unsigned size)
{
	if (sim_conflicts(to, true))
		return true;
	return sim_in_table(to) && sim_mmu_write_shared(sim_place_of(to).address & ~7ULL, size == 8 ? &v : NULL);
}

/* What is stored without a translation may wait; nobody but its CPU knows of it then. */
static bool store_later(enum sim_op op, volatile void *p, uint64_t v, unsigned size, unsigned how, struct sim_at at)
{
	struct sim_store s = {.p = (const void *)p,
			      .to = (void *)(uintptr_t)p,
			      .v = truncated(v, size),
			      .size = size,
			      .how = how,
			      .slot = sim.current,
			      .op = op,
			      .at = at};
	struct sim_place place = sim_place_of(p);

	if (sim_order_is(SIM_ORDER_SC) || sim.solo)
		return false;
	if ((how & SIM_RACE_PLAIN) && !sim.config.plain_waits) {
		sim_order_before_plain(s.to, at);
		return false;
	}
	if (place.space == SIM_VIRT) {
		sim_order_before_change(s.to, how & SIM_RACE_RELEASE, at);
		return false;
	}
	sim_order_before_store(at);
	if (place.space == SIM_PHYS)
		check_frame(place.address, true, "");
	s.change = change_of(s.to, SIM_ENTRY_STORE, how);
	if (!sim_order_waits(seen_by_others(s.to, s.v, size)))
		return false;
	s.issued = sim_race_issued(how);
	sim_order_store(&s);
	sim_record(SIM_OP_BUFFER, s.p, 0, s.v, 0, at);
	return true;
}

void sim_store_made(const struct sim_store *s)
{
	const uint64_t old = sim_peek(s->to, s->size);
	struct sim_change change = s->change;

	change.knew = &s->issued.knew;
	if (sim_place_of(s->to).space == SIM_PHYS)
		check_frame(sim_place_of(s->to).address, true, "");
	touch_written(s->to, true, s->size == 8 ? &s->v : NULL);
	sim_record(s->op, s->p, old, s->v, 0, s->at);
	put(s->to, s->v, s->size, s->how, &change, s->at);
	check_object(s->p, s->size, s->at);
	sim_race_made(s->to, s->how, s->v, s->at, &s->issued);
}

/* @how: enum sim_race bits. */
static void store(enum sim_op op, volatile void *p, uint64_t v, unsigned size, unsigned how, struct sim_at at)
{
	struct sim_change change;
	cop_pa pa;
	void *to;
	uint64_t old;

	if (store_later(op, p, v, size, how, at))
		return;
	to = begin(op, p, true, size == 8 ? &v : NULL, at, &pa);
	old = sim_peek(to, size);
	change = change_of(to, SIM_ENTRY_STORE, how);
	sim_record(op, (const void *)p, old, v, pa, at);
	put(to, v, size, how, &change, at);
	account((const void *)p, to, how, old, truncated(v, size), size, op, at);
}

void sim_store(volatile void *p, uint64_t v, unsigned size, enum sim_order order, struct sim_at at)
{
	store(SIM_OP_STORE, p, v, size, marked(order, SIM_RACE_WRITE), at);
}

static void read_modify_write(enum sim_op op, volatile void *p, void *to, uint64_t old, uint64_t v, unsigned size,
			      enum sim_order order, cop_pa pa, struct sim_at at)
{
	const unsigned how = marked(order, SIM_RACE_WRITE | SIM_RACE_RMW);
	const struct sim_change change = change_of(to, SIM_ENTRY_EXCHANGE, how);

	sim_record(op, (const void *)p, old, v, pa, at);
	put(to, v, size, how, &change, at);
	account((const void *)p, to, how, old, v, size, op, at);
}

/* It reads what memory holds last, and nothing comes in between. */
static void *begin_change(enum sim_op op, volatile void *p, enum sim_order order, struct sim_at at, cop_pa *pa)
{
	void *to;

	sim_order_before_change((const void *)p, order == sim_release || order == sim_acq_rel, at);
	to = begin(op, p, true, NULL, at, pa);
	if (order == sim_acquire || order == sim_acq_rel)
		sim_order_acquired(to);
	return to;
}

uint64_t sim_xchg(volatile void *p, uint64_t v, unsigned size, enum sim_order order, struct sim_at at)
{
	cop_pa pa;
	void *to;
	uint64_t old;

	to = begin_change(SIM_OP_XCHG, p, order, at, &pa);
	old = sim_peek(to, size);

	read_modify_write(SIM_OP_XCHG, p, to, old, truncated(v, size), size, order, pa, at);
	return old;
}

uint64_t sim_cas(volatile void *p, uint64_t old, uint64_t v, unsigned size, enum sim_order order, struct sim_at at)
{
	cop_pa pa;
	void *to;
	uint64_t was;

	to = begin_change(SIM_OP_CAS, p, order, at, &pa);
	was = sim_peek(to, size);

	if (was == truncated(old, size)) {
		read_modify_write(SIM_OP_CAS, p, to, was, truncated(v, size), size, order, pa, at);
		return was;
	}
	account((const void *)p, to, marked(order, 0) & ~(unsigned)SIM_RACE_RELEASE, was, was, size, SIM_OP_CAS, at);
	sim_record(SIM_OP_CAS, (const void *)p, was, was, pa, at);
	return was;
}

uint64_t sim_fetch_add(volatile void *p, uint64_t v, unsigned size, enum sim_order order, struct sim_at at)
{
	cop_pa pa;
	void *to;
	uint64_t old;

	to = begin_change(SIM_OP_ADD, p, order, at, &pa);
	old = sim_peek(to, size);

	read_modify_write(SIM_OP_ADD, p, to, old, truncated(old + v, size), size, order, pa, at);
	return old;
}

void sim_await_over(const struct sim_wait *w, uint64_t value)
{
	sim_touch(w->where, false);
	sim_order_acquired((const void *)w->where);
	sim_race_access(w->where, SIM_RACE_ACQUIRE, value, w->at);
	sim_record(SIM_OP_AWAIT, (const void *)w->where, value, value, 0, w->at);
}

void sim_fence_acquire(struct sim_at at)
{
	sim_order_fence(true, false, false, at);
	sim_race_fence(true, false);
}

void sim_fence_release(struct sim_at at)
{
	sim_order_fence(false, true, false, at);
	sim_race_fence(false, true);
}

void sim_fence_full(struct sim_at at)
{
	sim_order_fence(true, true, true, at);
	sim_race_fence(true, true);
}

/* Plain accesses: a switch point only where another CPU's access conflicts, so that the search stays complete. */

/* What a plain read of @from, which @p names, finds. */
static uint64_t read_plain(const void *p, void *from, unsigned size, struct sim_at at)
{
	struct sim_own own = sim_order_own(from, size, at);
	uint64_t v;

	if (own.waits)
		return own.value;
	v = sim.config.plain_waits ? sim_order_load(from, size, false) : sim_peek(from, size);
	sim_order_plain(from);
	account(p, from, SIM_RACE_PLAIN, v, v, size, SIM_OP_READ, at);
	return v;
}

uint64_t sim_read(const volatile void *p, unsigned size, struct sim_at at)
{
	cop_pa pa;
	void *from = begin(SIM_OP_READ, p, false, NULL, at, &pa);
	const uint64_t v = read_plain((const void *)p, from, size, at);

	sim_record(SIM_OP_READ, (const void *)p, v, v, pa, at);
	return v;
}

void sim_write(volatile void *p, uint64_t v, unsigned size, struct sim_at at)
{
	store(SIM_OP_WRITE, p, v, size, SIM_RACE_WRITE | SIM_RACE_PLAIN, at);
}

/* A table that is not linked yet is its maker's alone: who else gets there is in a frame that was free. */
static bool private_table(const void *p, size_t bytes)
{
	struct sim_place place = sim_place_of(p);
	const struct sim_frame *f;

	if (place.space != SIM_PHYS || place.address + bytes > sim.config.pa_bytes)
		return false;
	f = &sim.frame[place.address >> sim.config.frame_lg2];
	return f->state == SIM_TABLE && !f->known &&
	       f->base == sim.frame[(place.address + bytes - 1) >> sim.config.frame_lg2].base;
}

void sim_fill64(void *p, uint64_t v, size_t bytes, struct sim_at at)
{
	cop_pa pa;

	sim_record(SIM_OP_FILL, p, 0, v, 0, at);
	if (private_table(p, bytes)) {
		(void)begin(SIM_OP_FILL, p, false, NULL, at, &pa);
		sim_poke_fill(sim_place_of(p).address, v, bytes);
		sim_order_table_written(sim_place_of(p).address);
		return;
	}
	for (size_t i = 0; i < bytes; i += 8) {
		void *at_word = begin(SIM_OP_FILL, (char *)p + i, true, &v, at, &pa);
		uint64_t old = sim_peek(at_word, 8);
		struct sim_change change = change_of(at_word, SIM_ENTRY_STORE, SIM_RACE_PLAIN);

		put(at_word, v, 8, SIM_RACE_PLAIN, &change, at);
		account((char *)p + i, at_word, SIM_RACE_WRITE | SIM_RACE_PLAIN, old, v, 8, SIM_OP_FILL, at);
	}
}

/* A page is many words: what a trace tells of is those that change. */
static void copy_word(void *to, const void *from, unsigned size, struct sim_at at)
{
	const unsigned how = SIM_RACE_WRITE | SIM_RACE_PLAIN;
	cop_pa pa;
	void *word = begin(SIM_OP_READ, from, false, NULL, at, &pa);
	const uint64_t v = read_plain(from, word, size, at);
	struct sim_change change;
	uint64_t old;

	if (store_later(SIM_OP_WRITE, to, v, size, how, at))
		return;
	word = begin(SIM_OP_WRITE, to, true, size == 8 ? &v : NULL, at, &pa);
	old = sim_peek(word, size);
	change = change_of(word, SIM_ENTRY_STORE, how);
	if (old != truncated(v, size))
		sim_record(SIM_OP_WRITE, to, old, v, pa, at);
	put(word, v, size, how, &change, at);
	account(to, word, how, old, truncated(v, size), size, SIM_OP_WRITE, at);
}

void sim_copy(void *to, const void *from, size_t bytes, struct sim_at at)
{
	for (size_t i = 0; i < bytes;) {
		unsigned size = bytes - i >= 8 ? 8 : 1;

		copy_word((char *)to + i, (const char *)from + i, size, at);
		i += size;
	}
}

/* The MMU. */

void sim_mmu_publish(struct sim_at at)
{
	sim_order_publish(at);
	sim.cpu[sim.current].unpublished = 0;
	sim_record(SIM_OP_PUBLISH, NULL, 0, 0, 0, at);
}

static bool mmu_visible(void)
{
	return sim_conflicts_as(&sim_loc_tlb, SIM_ADD) || sim_conflicts(&sim_loc_tables, false);
}

void sim_tlbi(const struct cop_tlbi *t, struct sim_at at)
{
	uint64_t unpublished = sim.cpu[sim.current].unpublished;

	sim_order_before_tlbi(at);
	sim_point(SIM_OP_TLBI, mmu_visible(), NULL, at);
	sim_touch_as(&sim_loc_tlb, SIM_ADD);
	sim_touch(&sim_loc_tables, false);
	/* An unpublished store may reach the walkers after the invalidation, which then does not reach what it overwrites. */
	sim_mmu_invalidate(t, unpublished ? unpublished - 2 : sim.now, false);
	sim_record(SIM_OP_TLBI, NULL, t->start, t->last, t->scope, at);
	sim.now++;
}

void sim_tlb_sync(struct sim_at at)
{
	sim_order_fence(true, true, true, at);
	sim_shootdown(at);
	sim_point(SIM_OP_SYNC, mmu_visible(), NULL, at);
	sim_touch_as(&sim_loc_tlb, SIM_ADD);
	sim_touch(&sim_loc_tables, false);
	sim.now++;
	sim_mmu_complete();
	sim_record(SIM_OP_SYNC, NULL, 0, 0, 0, at);
}

/* After the point: entries of one table are changed, and what was formed through them is dropped everywhere. */
static uint64_t change_by_instruction(uint64_t *p, uint64_t v, bool or_old, struct sim_at at)
{
	const struct sim_change change = {.how = SIM_ENTRY_INSTRUCTION, .ordered = UINT32_MAX};
	cop_pa pa;
	void *to = arrive(p, true, at, &pa);
	uint64_t old = sim_peek(to, 8);

	if (or_old)
		v |= old;
	sim_touch(to, true);
	sim_mmu_touch_written(sim_place_of(to).address & ~7ULL, &v);
	sim_record(SIM_OP_XCHG, p, old, v, pa, at);
	put(to, v, 8, SIM_RACE_WRITE | SIM_RACE_RMW, &change, at);
	account(p, to, SIM_RACE_WRITE | SIM_RACE_RMW, old, v, 8, SIM_OP_XCHG, at);
	return old;
}

static void point_of_instruction(const uint64_t *p, unsigned n, const struct cop_tlbi *t, struct sim_at at)
{
	bool shared;

	sim_order_before_tlbi(at);
	shared = mmu_visible();
	for (unsigned i = 0; i < n; i++)
		shared |= visible(p + i, true, NULL);
	sim_point(SIM_OP_XCHG, shared, p, at);
	sim_mmu_check_operand(sim_place_of(p).address, n, t);
	sim_touch_as(&sim_loc_tlb, SIM_ADD);
	sim_touch(&sim_loc_tables, false);
}

uint64_t sim_entry_xchg(uint64_t *p, uint64_t v, const struct cop_tlbi *t, struct sim_at at)
{
	struct cop_tlbi all;
	uint64_t old;

	point_of_instruction(p, 1, t, at);
	all = sim_mmu_of_entries(sim_place_of(p).address, 1, t);
	old = change_by_instruction(p, v, false, at);
	sim_mmu_invalidate(&all, sim.now - 1, true);
	return old;
}

void sim_entries_break(uint64_t *p, unsigned n, uint64_t invalid_bit, const struct cop_tlbi *t, struct sim_at at)
{
	struct cop_tlbi all;

	point_of_instruction(p, n, t, at);
	all = sim_mmu_of_entries(sim_place_of(p).address, n, t);
	for (unsigned i = 0; i < n; i++)
		change_by_instruction(p + i, invalid_bit, true, at);
	sim_mmu_invalidate(&all, sim.now - 1, true);
}

/* CPUs and locks. */

unsigned sim_cpu(void)
{
	return sim.cpu[sim.current].on;
}

static bool is_free(uint64_t holder, uint64_t unused)
{
	(void)unused;
	return !holder;
}

static void lock(uint64_t *holder, struct sim_at at)
{
	cop_pa pa;

	sim.cpu[sim.current].at = at;
	if (sim_peek(holder, 8) == sim.current + 1ULL)
		sim_fail("double-lock", "the lock is held by this CPU already");
	sim_order_before_change(holder, false, at);
	sim_await_change(SIM_OP_LOCK, holder, is_free, 0, at);
	(void)arrive(holder, true, at, &pa);
	sim_object_check(holder, at);
	sim_order_acquired(holder);
	sim_poke(holder, sim.current + 1ULL, 8, at);
	sim_order_written(holder, 0);
	sim_race_after(holder);
	sim_record(SIM_OP_LOCK, holder, 0, 0, 0, at);
}

static void unlock(uint64_t *holder, struct sim_at at)
{
	sim_order_settle(at);
	sim_point(SIM_OP_UNLOCK, sim_conflicts(holder, true), holder, at);
	sim_touch(holder, true);
	if (sim_peek(holder, 8) != sim.current + 1ULL)
		sim_report("foreign-unlock", "the lock is not held by this CPU");
	sim_race_before(holder);
	sim_poke(holder, 0, 8, at);
	sim_order_written(holder, sim.current + 1ULL);
	sim_record(SIM_OP_UNLOCK, holder, 0, 0, 0, at);
}

void sim_lock(uint64_t *holder, struct sim_at at)
{
	lock(holder, at);
	sim_atomic_begin();
}

void sim_unlock(uint64_t *holder, struct sim_at at)
{
	unlock(holder, at);
	sim_atomic_end();
}

/* Held across preemption. */
void sim_mutex_lock(uint64_t *holder, struct sim_at at)
{
	sim_may_sleep("cop_mutex_lock()", at);
	lock(holder, at);
}

void sim_mutex_unlock(uint64_t *holder, struct sim_at at)
{
	unlock(holder, at);
}

/* Stories. */

/* As hardware does it; a fault is an answer. */
static bool access_as(const struct sim_tree *user, cop_va va, bool write, uint64_t *value, struct sim_at at)
{
	const struct sim_reached to = choose_translation(user, va, write, at);

	sim_record(SIM_OP_PROBE, sim_virt(va), to.stale, 0, to.pa, at);
	if (to.pa == COP_PA_NONE)
		return false;
	if (to.pa >= sim.config.pa_bytes)
		sim_fail("wild-physical", "%#llx translated to %#llx", (unsigned long long)va,
			 (unsigned long long)to.pa);
	check_frame(to.pa, write, to.stale ? " through a stale translation" : "");
	sim_touch(sim_phys(to.pa), write);
	if (write)
		sim_poke(sim_phys(to.pa), *value, 8, at);
	*value = sim_peek(sim_phys(to.pa), 8);
	return true;
}

bool sim_probe(cop_va va, bool write, uint64_t *value, struct sim_at at)
{
	sim_order_before_walk(at);
	sim_point(SIM_OP_PROBE, visible(sim_virt(va), write, NULL), sim_virt(va), at);
	return access_as(NULL, va, write, value, at);
}

static const struct sim_tree *user_tree(cop_pa root)
{
	for (unsigned t = 0; t < SIM_TREES; t++)
		if (sim.tree[t].attached && sim.tree[t].user && sim.tree[t].root == root)
			return &sim.tree[t];
	sim_fail("assert", "%#llx is no attached root", (unsigned long long)root);
}

bool sim_user(cop_pa root, cop_va va, bool write, uint64_t *value, struct sim_at at)
{
	const struct sim_tree *user = user_tree(root);

	sim_order_before_walk(at);
	sim_point(SIM_OP_PROBE, !sim.solo && translation_shared(user, va, write), sim_virt(va), at);
	return access_as(user, va, write, value, at);
}

void sim_gone(cop_va va, uint64_t bytes, struct sim_at at)
{
	sim_point(SIM_OP_GONE, sim_conflicts(&sim_loc_tlb, false) || sim_conflicts(&sim_loc_tables, false), NULL, at);
	sim_touch(&sim_loc_tlb, false);
	sim_touch(&sim_loc_tables, false);
	sim_record(SIM_OP_GONE, sim_virt(va), 0, bytes, 0, at);
	sim_mmu_check_gone(va, bytes);
}
