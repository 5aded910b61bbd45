/* SPDX-License-Identifier: MIT */
/*
 * CPUs that several coroutines share: tasks that are preempted, handlers that interrupt, the machine stopped.
 *
 * Each CPU has one word. Whoever changes it touches it, whoever waits for it awaits its value:
 *
 *	7:0    how often interrupts are off
 *	15:8   how often preemption is off: spinlocks, read sections
 *	23:16  whose atomic section that is, a coroutine's number + 1
 *	24     a handler runs
 *	25     the machine is stopped
 *	26     an IPI is pending
 *
 * A task goes on while no handler runs and no other task is in an atomic section; a handler begins while interrupts are
 * on, and runs to its end.
 */
#include "ports/sim/sim.h"
#include "checker/engine.h"

#include <string.h>

#define IRQS_OFF 0xffULL
#define ATOMIC   0xff00ULL
#define ATOMIC_1 0x100ULL
#define OWNER    0xff0000ULL
#define OWNER_1  0x10000ULL
#define ACTIVE   (1ULL << 24)
#define STOPPED  (1ULL << 25)
#define PENDING  (1ULL << 26)

/* CPUs that more than one coroutine runs on: known after the first execution that shows it. */
static bool armed[SIM_CPUS];

static struct sim_processor *me(void)
{
	return &sim.cpu[sim.current];
}

static uint64_t *word_of(unsigned on)
{
	return &sim.hw[on].word;
}

void sim_word_set(uint64_t *word, uint64_t v)
{
	sim_touch(word, true);
	*word = v;
}

void sim_irq_reset(void)
{
	memset(armed, 0, sizeof(armed));
}

void sim_cpu_place(unsigned cpu, unsigned on, bool handler)
{
	struct sim_processor *p = &sim.cpu[cpu];

	p->on = on;
	p->handler = handler;
	if (on != cpu)
		armed[on] = true;
	if (!handler)
		return;
	p->handler_run = p->run;
	p->run = sim_handler_run;
}

bool sim_armed(unsigned on)
{
	return armed[on];
}

void sim_arm(unsigned on)
{
	if (armed[on])
		return;
	armed[on] = true;
	if (!sim.solo)
		sim_search_again();
}

bool sim_gate_open(uint64_t word, uint64_t slot)
{
	uint64_t owner = (word & OWNER) / OWNER_1;

	return !(word & (ACTIVE | STOPPED)) && (!owner || owner == slot + 1);
}

static void change(unsigned on, uint64_t set, uint64_t clear)
{
	sim_word_set(word_of(on), (*word_of(on) & ~clear) | set);
}

/* A handler is not preempted, and its CPU has interrupts off anyway; callbacks go on whatever that CPU does. */
static void own(int64_t by)
{
	uint64_t word = *word_of(me()->on);

	if (me()->handler || sim.current == SIM_RCU_CPU)
		return;
	word += (uint64_t)by;
	word &= ~OWNER;
	if (word & (IRQS_OFF | ATOMIC))
		word |= (sim.current + 1ULL) * OWNER_1;
	sim_word_set(word_of(me()->on), word);
}

void sim_atomic_begin(void)
{
	if (me()->atomic++ == 0 && sim_armed(me()->on))
		own((int64_t)ATOMIC_1);
}

void sim_atomic_end(void)
{
	if (--me()->atomic == 0 && sim_armed(me()->on))
		own(-(int64_t)ATOMIC_1);
}

static void point(enum sim_op op, struct sim_at at)
{
	sim_point(op, sim_conflicts(word_of(me()->on), true) || sim_rcu_visible(), word_of(me()->on), at);
}

uintptr_t sim_irq_save(struct sim_at at)
{
	point(SIM_OP_IRQ_OFF, at);
	if (!me()->irqs_off)
		own(1);
	sim_rcu_section_begin();
	sim_record(SIM_OP_IRQ_OFF, NULL, 0, 0, 0, at);
	return me()->irqs_off++;
}

void sim_irq_restore(uintptr_t flags, struct sim_at at)
{
	point(SIM_OP_IRQ_ON, at);
	if (!me()->irqs_off)
		sim_fail("irq-unbalanced", "interrupts are restored that were never saved");
	if (me()->irqs_off && !flags)
		own(-1);
	me()->irqs_off = (unsigned)flags;
	sim_rcu_section_end();
	sim_record(SIM_OP_IRQ_ON, NULL, 0, 0, 0, at);
}

void sim_may_sleep(const char *what, struct sim_at at)
{
	me()->at = at;
	if (me()->irqs_off || me()->reading || me()->atomic || me()->handler)
		sim_report("sleeps-in-atomic", "%s %s", what,
			   me()->handler    ? "in a handler"
			   : me()->irqs_off ? "with interrupts off"
			   : me()->reading  ? "inside a read section"
					    : "with a spinlock held");
}

/* Interrupting others while interrupts are off here: two that do so wait for each other for ever. */
static void may_interrupt(const char *what, struct sim_at at)
{
	me()->at = at;
	if (me()->irqs_off || me()->handler)
		sim_report("sleeps-in-atomic", "%s with interrupts off: the other CPU may wait for this one likewise",
			   what);
}

static bool in_use(unsigned on)
{
	for (unsigned i = 0; i < SIM_CPUS; i++) {
		if (sim.cpu[i].live && sim.cpu[i].on == on)
			return true;
	}
	return false;
}

/* Handlers. */

static bool may_begin(uint64_t word, uint64_t unused)
{
	(void)unused;
	return !(word & (IRQS_OFF | ACTIVE | STOPPED));
}

static bool ipi_may_begin(uint64_t word, uint64_t unused)
{
	return (word & PENDING) && may_begin(word, unused);
}

static void handler_begins(void)
{
	change(me()->on, ACTIVE, 0);
	me()->irqs_off = 1;
	sim_rcu_section_begin();
	/* It sees what the task it interrupts has done. */
	sim_race_after(word_of(me()->on));
}

static void handler_ends(void)
{
	me()->irqs_off = 0;
	sim_rcu_section_end();
	sim_race_before(word_of(me()->on));
	change(me()->on, 0, ACTIVE);
}

void sim_handler_run(void *arg)
{
	struct sim_processor *p = me();

	sim_await_change(SIM_OP_IRQ, word_of(p->on), may_begin, 0, SIM_AT);
	sim_record(SIM_OP_IRQ, NULL, 0, 0, 0, SIM_AT);
	handler_begins();
	p->handler_run(arg);
	sim_point(SIM_OP_IRQ_END, true, word_of(p->on), SIM_AT);
	handler_ends();
	sim_record(SIM_OP_IRQ_END, NULL, 0, 0, 0, SIM_AT);
}

void sim_ipi_run(void *unused)
{
	(void)unused;
	for (;;) {
		struct sim_mail *mail = &sim.hw[me()->on].mail;

		sim_await_change(SIM_OP_IRQ, word_of(me()->on), ipi_may_begin, 0, SIM_AT);
		sim_record(SIM_OP_IRQ, NULL, 0, 0, 0, SIM_AT);
		handler_begins();
		sim_race_after(mail);
		sim_order_fence(true, true, true, SIM_AT);
		mail->func(mail->arg);
		sim_point(SIM_OP_IRQ_END, true, word_of(me()->on), SIM_AT);
		sim_race_before(mail);
		change(me()->on, 0, PENDING);
		handler_ends();
		sim_record(SIM_OP_IRQ_END, NULL, 0, 0, 0, SIM_AT);
	}
}

static bool nothing_pending(uint64_t word, uint64_t unused)
{
	(void)unused;
	return !(word & PENDING);
}

static void send(unsigned to, void (*func)(void *), void *arg, struct sim_at at)
{
	sim_arm(to);
	sim_order_settle(at);
	/* One at a time: whoever else sends waits. */
	sim_await_change(SIM_OP_IPI, word_of(to), nothing_pending, 0, at);
	sim.hw[to].mail = (struct sim_mail){func, arg};
	sim_race_before(&sim.hw[to].mail);
	change(to, PENDING, 0);
	sim_record(SIM_OP_IPI, NULL, 0, to, 0, at);
}

void sim_ipi(uint64_t cpus, void (*func)(void *), void *arg, struct sim_at at)
{
	uintptr_t irqs;

	may_interrupt("cop_ipi()", at);
	for (unsigned c = 0; c < SIM_CPUS; c++) {
		/* Alone, nobody is there to be interrupted. */
		if ((cpus & COP_LG2(c)) && c != me()->on && in_use(c) && !sim.solo)
			send(c, func, arg, at);
	}
	if (cpus & COP_LG2(me()->on)) {
		irqs = sim_irq_save(at);
		func(arg);
		sim_irq_restore(irqs, at);
	}
	for (unsigned c = 0; c < SIM_CPUS; c++) {
		if (!(cpus & COP_LG2(c)) || c == me()->on || !in_use(c) || sim.solo)
			continue;
		sim_await_word(SIM_OP_IPI, word_of(c), nothing_pending, 0, at);
		sim_race_after(&sim.hw[c].mail);
		/* What the handler did is seen: it has said that it is done. */
		sim_order_fence(true, true, true, at);
	}
}

static bool interrupts_on(uint64_t word, uint64_t unused)
{
	(void)unused;
	return !(word & IRQS_OFF);
}

/*
 * Most x86-64 have no broadcast: another CPU invalidates when it takes an interrupt, at some moment after it was asked
 * (SDM 3A 4.10.5).
 */
void sim_shootdown(struct sim_at at)
{
	bool by_ipi = false;

	for (unsigned t = 0; t < SIM_TREES; t++)
		by_ipi |= sim.tree[t].attached && sim.tree[t].by_ipi;
	if (!by_ipi || sim.solo || !sim_mmu_pending())
		return;
	may_interrupt("cop_tlb_sync()", at);
	for (unsigned c = 0; c < SIM_CPUS; c++) {
		if (c != me()->on && in_use(c))
			sim_await_word(SIM_OP_SYNC, word_of(c), interrupts_on, 0, at);
	}
}

/* The machine stopped: every other CPU is where it could be preempted, and stays there. */

static bool nobody(uint64_t word, uint64_t unused)
{
	(void)unused;
	return !word;
}

static bool may_stop(uint64_t word, uint64_t unused)
{
	(void)unused;
	return !(word & (IRQS_OFF | ATOMIC | ACTIVE | STOPPED));
}

int sim_stop_machine(int (*func)(void *), void *arg, struct sim_at at)
{
	uintptr_t irqs;
	int ret;

	sim_may_sleep("cop_stop_machine()", at);
	for (unsigned c = 0; c < SIM_CPUS; c++) {
		if (in_use(c))
			sim_arm(c);
	}
	sim_await_change(SIM_OP_STOP, &sim.stopper, nobody, 0, at);
	sim_word_set(&sim.stopper, sim.current + 1ULL);
	for (unsigned c = 0; c < SIM_CPUS; c++) {
		if (c == me()->on || !in_use(c))
			continue;
		sim_await_change(SIM_OP_STOP, word_of(c), may_stop, 0, at);
		change(c, STOPPED, 0);
		sim_race_after(word_of(c));
	}
	sim_order_settle_all(at);
	sim_race_join(false);
	irqs = sim_irq_save(at);
	sim_record(SIM_OP_STOP, NULL, 0, 0, 0, at);
	ret = func(arg);
	sim_irq_restore(irqs, at);
	sim_order_settle_all(at);
	sim_race_join(true);
	for (unsigned c = 0; c < SIM_CPUS; c++) {
		if (c != me()->on && in_use(c))
			change(c, 0, STOPPED);
	}
	sim_word_set(&sim.stopper, 0);
	return ret;
}
