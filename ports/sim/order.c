/* SPDX-License-Identifier: MIT */
/*
 * Memory order. Stores that others may see wait in their CPU's buffer; a coroutine of its own per CPU takes them to memory.
 *
 *   TSO   x86-64, s390x: first in, first out. A load sees its own CPU's newest store that waits, else memory. A
 *         read-modify-write and a full fence wait until the buffer is empty (Intel SDM 3A 9.2; Principles of Operation,
 *         "Storage-Operand Consistency").
 *   weak  arm64, riscv64: stores of one location in order, others in any, except that what is before a release or a
 *         release fence is not overtaken by it. A load may be satisfied early: it sees what its location held at any
 *         moment from its CPU's view on. An acquire that reads a store moves the view to the moment at which that was
 *         made; a full fence to the present; what was read of a location moves that location's. All CPUs agree on the order in
 *         which stores are made (Arm ARM B2.3, "other-multi-copy atomic"; RISC-V RVWMO, load value axiom).
 *
 * Plain accesses are made at once: those that a program orders are seen so by everybody who may look, and the others are
 * races, which are reported in whichever order they come (S. Dolan, KC Sivaramakrishnan, A. Madhavapeddy, "Bounding Data
 * Races in Space and Time", PLDI 2018). What a table holds when it is linked is ordered by a rule, linked-unordered.
 *
 * Left out: see checker_leaves_out().
 */
#include "ports/sim/sim.h"
#include "checker/engine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define ENTRIES 256 /* stores of one CPU that others may see, in one execution */
#define WORDS   (1U << 12)
#define LOG     (1U << 14)

enum { EMPTY, WAITS, MADE };

struct entry {
	uint64_t state;
	struct sim_store what;
	uint64_t *word;
	uint32_t after; /* the first so many entries have to be made before it */
};

static struct {
	struct entry entry[SIM_BUFFERS][ENTRIES];
	/* Of each location: what it held before, and what each CPU has seen of it. */
	struct word {
		uint64_t *word;
		unsigned place; /* compared.c */
		uint32_t last;  /* in log, + 1 */
		uint32_t seen[SIM_BUFFERS];
	} slot[WORDS];
	struct write {
		uint64_t old;
		uint32_t time, before;
	} log[LOG];
	unsigned used;
	uint32_t slots[SIM_BUFFERS]; /* who has looked into the buffer or stored, in any execution */
} order;

void sim_order_on(void)
{
	memset(&order, 0, sizeof(order));
	sim_compared_on();
}

bool sim_order_is(enum sim_memory_order what)
{
	return sim.config.order == what && !sim.solo;
}

/* Do stores wait? */
static bool is_buffered(void)
{
	return sim.config.order != SIM_ORDER_SC && !sim.solo;
}

/* Callbacks run beside the CPU that they name as theirs. */
static unsigned on(void)
{
	return sim.current == SIM_RCU_CPU ? SIM_CPUS : sim.cpu[sim.current].on;
}

static bool is_weak(void)
{
	return sim_order_is(SIM_ORDER_WEAK);
}

static struct sim_order_cpu *mine(void)
{
	return &sim.order.cpu[on()];
}

/* Does anybody else look, so that it makes a difference when? */
static bool is_shared(const void *p, bool write)
{
	return sim_log_shared(sim_conflicts(p, write));
}

static bool is_made(uint64_t made, uint64_t wanted)
{
	return made >= wanted;
}

static bool is_there(uint64_t state, uint64_t unused)
{
	(void)unused;
	return state != EMPTY;
}

/*
 * What waits in a CPU's buffer is seen by all that run on it: a task, and the handlers that interrupt it. Where nobody has
 * come but one, that is its own affair.
 */
static bool is_held_shared(void)
{
	uint32_t *slots = &order.slots[on()];

	if (!(*slots & COP_LG2(sim.current))) {
		*slots |= (uint32_t)COP_LG2(sim.current);
		if ((*slots & (*slots - 1)) && sim.config.quiet && !sim.config.fine) {
			sim.restart = true;
			engine_restart();
		}
	}
	return *slots & (*slots - 1);
}

static void touch_held(bool write)
{
	if (is_held_shared())
		sim_touch(&mine()->held, write);
}

static void wait_made(struct sim_at at)
{
	if (!is_buffered())
		return;
	touch_held(false);
	if (mine()->made == mine()->count)
		return;
	sim_await_word(SIM_OP_FENCE, &mine()->made, is_made, mine()->count, at);
}

void sim_order_settle(struct sim_at at)
{
	wait_made(at);
	if (is_weak())
		mine()->ordered = mine()->wrote;
}

void sim_order_settle_all(struct sim_at at)
{
	if (!is_buffered())
		return;
	for (unsigned c = 0; c < SIM_BUFFERS; c++) {
		if (sim.order.cpu[c].made != sim.order.cpu[c].count)
			sim_await_word(SIM_OP_FENCE, &sim.order.cpu[c].made, is_made, sim.order.cpu[c].count, at);
	}
	sim_order_fence(true, true, true, at);
	for (unsigned c = 0; c < SIM_BUFFERS; c++) {
		sim.order.cpu[c].view = sim.order.now;
		sim.order.cpu[c].view_at = COP_LG2(on());
	}
}

/* Weak order. */

static struct word *slot_of(uint64_t *word)
{
	size_t i = (size_t)(((uintptr_t)word * 0x9e3779b97f4a7c15ULL) >> 52);

	while (order.slot[i].word && order.slot[i].word != word)
		i = (i + 1) & (WORDS - 1);
	if (order.slot[i].word)
		return &order.slot[i];
	if (++order.used == WORDS / 2)
		sim_fail("sim-limit", "more than %u words that several CPUs access", WORDS / 2);
	order.slot[i].word = word;
	order.slot[i].place = sim_compared_place();
	return &order.slot[i];
}

static uint32_t time_of(uint32_t write)
{
	return write ? order.log[write - 1].time : 0;
}

void sim_order_written(void *to, uint64_t old)
{
	struct word *w;

	/* Nobody else looks: when it was made is of no interest. */
	if (!is_weak() || !is_shared(to, true))
		return;
	if (sim.order.writes == LOG)
		sim_fail("sim-limit", "more than %u stores in one execution", LOG);
	w = slot_of(sim_real_word(to));
	sim_compared_touch(w->place, true);
	engine_save(w, sizeof(*w));
	order.log[sim.order.writes] = (struct write){old, ++sim.order.now, w->last};
	w->last = ++sim.order.writes;
	w->seen[on()] = sim.order.now;
	mine()->own = sim.order.now;
	mine()->own_at |= COP_LG2(w->place);
}

static uint32_t newer(uint32_t a, uint32_t b)
{
	return a > b ? a : b;
}

/* It has read what was made at @time. */
static void has_read(struct word *w, uint32_t time, bool acquire)
{
	struct sim_order_cpu *me = mine();

	if (w->seen[on()] < time) {
		engine_save(w, sizeof(*w));
		w->seen[on()] = time;
	}
	if (!time)
		return;
	me->read = newer(me->read, time);
	me->read_at |= COP_LG2(w->place);
	if (!acquire)
		return;
	me->view = newer(me->view, time);
	me->view_at |= COP_LG2(w->place);
}

/* Before its frame was allocated it was another location. */
static uint32_t begins(const void *p)
{
	const struct sim_place place = sim_place_of(p);

	return place.space == SIM_PHYS ? sim.frame[place.address >> sim.config.frame_lg2].since : 0;
}

static uint64_t load_weak(const void *from, bool acquire)
{
	struct word *w = slot_of(sim_real_word(from));
	const uint32_t here = newer(w->seen[on()], begins(from));
	uint32_t write = w->last, way, ways = 1;
	uint64_t v = *w->word;

	if (time_of(write) > here)
		sim_compared(w->place, mine()->view_at);
	/* Each value that it held after the view began. */
	for (uint32_t i = write; i && time_of(i) > newer(mine()->view, here); i = order.log[i - 1].before)
		ways++;
	for (way = sim_choose(ways); way; way--) {
		v = order.log[write - 1].old;
		write = order.log[write - 1].before;
	}
	has_read(w, time_of(write), acquire);
	return v;
}

void sim_order_acquired(const void *from)
{
	struct word *w;

	if (!is_weak() || !is_shared(from, false))
		return;
	w = slot_of(sim_real_word(from));
	has_read(w, time_of(w->last), true);
}

void sim_order_plain(const void *p)
{
	struct word *w;

	if (!is_weak() || !is_shared(p, false))
		return;
	w = slot_of(sim_real_word(p));
	has_read(w, time_of(w->last), false);
}

void sim_order_table_written(cop_pa pa)
{
	struct sim_frame *f;

	if (!is_weak())
		return;
	f = sim_frame_change(sim.frame[pa >> sim.config.frame_lg2].base);
	f->writer = (uint8_t)(on() + 1);
	f->written = ++mine()->wrote;
}

uint32_t sim_order_ordered(unsigned how)
{
	return is_weak() && !(how & SIM_RACE_RELEASE) ? mine()->ordered : UINT32_MAX;
}

bool sim_order_late(const struct sim_frame *f, uint32_t ordered)
{
	return is_weak() && f->writer == on() + 1 && f->written > ordered;
}

/* All that this CPU can tell others of. */
static void tell(uint32_t *moment, uint64_t *at)
{
	*moment = newer(*moment, newer(mine()->view, mine()->own));
	*at |= mine()->view_at | mine()->own_at;
}

static void see(uint32_t moment, uint64_t at)
{
	mine()->view = newer(mine()->view, moment);
	mine()->view_at |= at;
}

void sim_order_grace_begins(void)
{
	if (is_weak())
		tell(&sim.order.grace, &sim.order.grace_at);
}

void sim_order_section_begins(void)
{
	if (is_weak())
		see(sim.order.grace, sim.order.grace_at);
}

void sim_order_frame_freed(void)
{
	if (is_weak())
		tell(&sim.order.frames, &sim.order.frames_at);
}

void sim_order_frame_allocated(void)
{
	if (is_weak())
		see(sim.order.frames, sim.order.frames_at);
}

/* Both. */

static uint64_t part_of(uint64_t word, const void *p, unsigned size)
{
	uint64_t v = 0;

	memcpy(&v, (const char *)&word + ((uintptr_t)p & 7), size);
	return v;
}

/* The newest own store to the word that waits. */
static struct entry *waiting_for(const uint64_t *word)
{
	touch_held(false);
	for (uint64_t i = mine()->count; i--;) {
		struct entry *e = &order.entry[on()][i];

		if (e->word == word && e->state == WAITS)
			return e;
	}
	return NULL;
}

struct sim_own sim_order_own(const void *from, unsigned size, struct sim_at at)
{
	struct entry *own;

	if (!is_buffered())
		return (struct sim_own){.waits = false};
	own = waiting_for(sim_real_word(from));
	if (own && own->what.to == from && own->what.size == size) {
		/* Once it is made, another may be made after it. */
		sim_touch(&own->state, false);
		return (struct sim_own){.waits = true, .value = own->what.v};
	}
	if (own)
		wait_made(at);
	return (struct sim_own){.waits = false};
}

uint64_t sim_order_load(const void *from, unsigned size, bool acquire)
{
	if (!is_weak() || !is_shared(from, false))
		return sim_peek(from, size);
	return part_of(load_weak(from, acquire), from, size);
}

static bool waits_here(const void *p)
{
	return sim_place_of(p).space != SIM_VIRT && waiting_for(sim_real_word(p));
}

void sim_order_before_change(const void *p, bool release, struct sim_at at)
{
	if (!is_buffered())
		return;
	if (sim.config.order == SIM_ORDER_TSO || release || waits_here(p))
		wait_made(at);
}

void sim_order_before_plain(const void *p, struct sim_at at)
{
	if (is_buffered() && waits_here(p))
		wait_made(at);
}

static bool is_no_more(uint64_t state, uint64_t unused)
{
	(void)unused;
	return state == MADE;
}

void sim_order_before_await(const void *p, struct sim_at at)
{
	const struct entry *own;

	if (!is_buffered() || sim_place_of(p).space == SIM_VIRT)
		return;
	own = waiting_for(sim_real_word(p));
	if (own)
		sim_await_word(SIM_OP_FENCE, &own->state, is_no_more, 0, at);
}

static bool entry_waits(void)
{
	touch_held(false);
	for (uint64_t i = 0; i < mine()->count; i++) {
		const struct entry *e = &order.entry[on()][i];

		if (e->state == WAITS && sim_in_table(e->what.to))
			return true;
	}
	return false;
}

/* Under TSO the MMU's look is a load of its CPU; elsewhere there is a rule, unpublished-entry. */
void sim_order_before_walk(struct sim_at at)
{
	if (is_buffered() && entry_waits())
		wait_made(at);
}

/* INVLPG and IPTE serialise; TLBI overtakes stores (SDM 3A 8.3; Principles of Operation, "CPU Serialization"; Arm ARM D8.16). */
void sim_order_before_tlbi(struct sim_at at)
{
	if (sim_order_is(SIM_ORDER_TSO))
		wait_made(at);
}

/* Under TSO there is nothing to do. */
void sim_order_publish(struct sim_at at)
{
	if (is_weak())
		sim_order_settle(at);
}

void sim_order_fence(bool acquire, bool release, bool full, struct sim_at at)
{
	struct sim_order_cpu *me = mine();

	if (!is_buffered())
		return;
	if (full)
		sim_order_settle(at);
	if (sim.config.order == SIM_ORDER_TSO)
		return;
	if (release) {
		me->fence = (uint32_t)me->count;
		me->ordered = me->wrote;
	}
	if (acquire)
		see(me->read, me->read_at);
	if (!full)
		return;
	sim_point(SIM_OP_FENCE, sim_compared_conflicts(on(), false), NULL, at);
	sim_compared_touch(on(), false);
	me->view = sim.order.now;
	/* Newer than all that it knew. */
	me->view_at = COP_LG2(on());
}

bool sim_order_waits(bool shared)
{
	return is_buffered() && sim_log_shared(shared);
}

void sim_order_before_store(struct sim_at at)
{
	sim_point(SIM_OP_BUFFER, is_held_shared() && sim_conflicts(&mine()->held, true), NULL, at);
}

void sim_order_store(const struct sim_store *s)
{
	struct sim_order_cpu *me = mine();
	const bool release = s->how & SIM_RACE_RELEASE;
	struct entry *e;

	if (me->count == ENTRIES)
		sim_fail("sim-limit", "more than %d stores of one CPU in one execution", ENTRIES);
	e = &order.entry[on()][me->count];
	touch_held(true);
	sim_touch(&e->state, true);
	/* Which stores can be made first depends on which are there. */
	if (sim.config.order == SIM_ORDER_WEAK)
		sim_touch(&me->count, true);
	/* Of what is not there the rest is not looked at. */
	engine_save(&e->state, sizeof(e->state));
	e->state = WAITS;
	e->what = *s;
	e->word = sim_real_word(s->to);
	e->after = release || sim.config.order == SIM_ORDER_TSO ? (uint32_t)me->count : me->fence;
	me->count++;
}

static bool may_be_made(unsigned cpu, uint64_t i)
{
	const struct entry *e = &order.entry[cpu][i];

	if (e->state != WAITS)
		return false;
	for (uint64_t k = 0; k < i; k++) {
		const struct entry *before = &order.entry[cpu][k];

		if (before->state == WAITS && (k < e->after || before->word == e->word))
			return false;
	}
	return true;
}

static uint64_t choose_entry(unsigned cpu)
{
	const struct sim_order_cpu *c = &sim.order.cpu[cpu];
	uint64_t possible[ENTRIES];
	unsigned n = 0;

	for (uint64_t i = 0; i < c->count; i++) {
		if (may_be_made(cpu, i))
			possible[n++] = i;
	}
	return possible[sim_choose(n)];
}

/* The coroutine of a CPU's buffer. */
void sim_order_run(void *unused)
{
	unsigned slot = sim.current, cpu = on();
	struct sim_order_cpu *c = &sim.order.cpu[cpu];

	(void)unused;
	for (;;) {
		struct entry *e;

		/* As many are there as the state of the entry of this number says. */
		sim_await_word(SIM_OP_DRAIN, &order.entry[cpu][c->made].state, is_there, 0, SIM_AT);
		if (sim.config.order == SIM_ORDER_WEAK)
			sim_touch(&c->count, false);
		e = &order.entry[cpu][choose_entry(cpu)];
		sim.current = e->what.slot;
		sim_store_made(&e->what);
		sim.current = slot;
		sim_touch(&e->state, true);
		engine_save(&e->state, sizeof(e->state));
		e->state = MADE;
		sim_word_set(&c->made, c->made + 1);
	}
}
