/* SPDX-License-Identifier: MIT */
/*
 * Random programs over the simulated machine's port: reduced and unreduced search come to the same final states and break
 * the same rules.
 *
 *	PROGRAM [COUNT [FIRST SEED]]
 */
#include "tests/checker/toy.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ACTORS   3
#define OPS      3
#define STATES   (1 << 15)
#define TOO_MANY 20000

struct instruction {
	uint8_t op, which, value;
};

struct world {
	struct toy_world toy;
	uint64_t var[2];
	cop_spinlock lock;
	cop_mutex mutex;
	cop_rwsem sem;
	cop_rcu rcu[ACTORS];
	uint64_t called, guarded;
	uint64_t data[2], ready[2]; /* plain, and whether it is there */
	uint64_t block[3];
	struct {
		uint64_t seen[OPS];
		uint64_t at;
	} actor[SIM_CPUS];
};
static struct world world;

static struct {
	enum sim_memory_order order;
	unsigned actors, ops[ACTORS];
	struct instruction code[ACTORS][OPS];
} program;

static uint64_t seed;

static unsigned pick(unsigned n)
{
	seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
	return (unsigned)(seed >> 33) % n;
}

typedef void (*operation)(struct world *, const struct instruction *, uint64_t *seen);

static void op_load(struct world *w, const struct instruction *i, uint64_t *seen)
{
	*seen = cop_load(&w->var[i->which], acquire);
}

static void op_load_relaxed(struct world *w, const struct instruction *i, uint64_t *seen)
{
	*seen = cop_load(&w->var[i->which], relaxed);
}

static void op_store(struct world *w, const struct instruction *i, uint64_t *seen)
{
	(void)seen;
	cop_store(&w->var[i->which], i->value, release);
}

static void op_store_relaxed(struct world *w, const struct instruction *i, uint64_t *seen)
{
	(void)seen;
	cop_store(&w->var[i->which], i->value, relaxed);
}

/* A plain datum behind a flag, each way to order it, and one that does not. */
static void op_send(struct world *w, const struct instruction *i, uint64_t *seen)
{
	(void)seen;
	cop_write(&w->data[i->which], i->value + 7U);
	cop_store(&w->ready[i->which], 1, release);
}

static void op_send_fence(struct world *w, const struct instruction *i, uint64_t *seen)
{
	(void)seen;
	cop_write(&w->data[i->which], i->value + 7U);
	if (i->value)
		cop_fence_release();
	cop_store(&w->ready[i->which], 1, relaxed);
}

static void op_receive(struct world *w, const struct instruction *i, uint64_t *seen)
{
	if (cop_load(&w->ready[i->which], acquire))
		*seen = cop_read(&w->data[i->which]);
}

static void op_receive_fence(struct world *w, const struct instruction *i, uint64_t *seen)
{
	if (!cop_load(&w->ready[i->which], relaxed))
		return;
	cop_fence_acquire();
	*seen = cop_read(&w->data[i->which]);
}

static void op_fill(struct world *w, const struct instruction *i, uint64_t *seen)
{
	(void)seen;
	cop_spin_lock(&w->lock);
	cop_fill64(w->block, i->value, 16);
	cop_spin_unlock(&w->lock);
}

static void op_copy(struct world *w, const struct instruction *i, uint64_t *seen)
{
	(void)i;
	cop_spin_lock(&w->lock);
	cop_copy(&w->block[1], w->block, 9);
	*seen = cop_read(&w->block[1]);
	cop_spin_unlock(&w->lock);
}

static void op_xchg(struct world *w, const struct instruction *i, uint64_t *seen)
{
	*seen = cop_xchg(&w->var[i->which], i->value, acq_rel);
}

static void op_cas(struct world *w, const struct instruction *i, uint64_t *seen)
{
	*seen = cop_cas(&w->var[i->which], i->value, i->value + 1U, acq_rel);
}

static void op_add(struct world *w, const struct instruction *i, uint64_t *seen)
{
	*seen = cop_fetch_add(&w->var[i->which], 1, relaxed);
}

static void op_await(struct world *w, const struct instruction *i, uint64_t *seen)
{
	cop_await(&w->var[i->which], *seen, *seen == i->value || *seen == 2);
}

static void op_plain(struct world *w, const struct instruction *i, uint64_t *seen)
{
	*seen = cop_read(&w->var[i->which]);
	cop_write(&w->var[i->which], *seen + 1);
}

static void op_spin(struct world *w, const struct instruction *i, uint64_t *seen)
{
	cop_spin_lock(&w->lock);
	*seen = cop_read(&w->toy.flag);
	cop_write(&w->toy.flag, *seen + i->value);
	cop_spin_unlock(&w->lock);
}

static void op_mutex(struct world *w, const struct instruction *i, uint64_t *seen)
{
	cop_mutex_lock(&w->mutex);
	*seen = cop_load(&w->var[i->which], relaxed);
	cop_mutex_unlock(&w->mutex);
}

static void op_sem_read(struct world *w, const struct instruction *i, uint64_t *seen)
{
	cop_rwsem_read_lock(&w->sem);
	*seen = cop_load(&w->var[i->which], relaxed);
	cop_rwsem_read_unlock(&w->sem);
}

static void op_sem_write(struct world *w, const struct instruction *i, uint64_t *seen)
{
	cop_rwsem_write_lock(&w->sem);
	*seen = cop_read(&w->guarded);
	cop_write(&w->guarded, *seen + i->value);
	cop_rwsem_write_unlock(&w->sem);
}

/* What only writers may change. */
static void op_sem_change(struct world *w, const struct instruction *i, uint64_t *seen)
{
	cop_rwsem_read_lock(&w->sem);
	*seen = cop_read(&w->guarded);
	if (i->which)
		cop_write(&w->guarded, i->value);
	cop_rwsem_read_unlock(&w->sem);
}

static void op_fence(struct world *w, const struct instruction *i, uint64_t *seen)
{
	cop_store(&w->var[i->which], i->value, relaxed);
	cop_fence_full();
	*seen = cop_load(&w->var[!i->which], relaxed);
}

static void op_read_section(struct world *w, const struct instruction *i, uint64_t *seen)
{
	cop_rcu_read_lock();
	*seen = cop_load(&w->var[i->which], relaxed);
	cop_rcu_read_unlock();
}

static void op_rcu_sync(struct world *w, const struct instruction *i, uint64_t *seen)
{
	(void)seen;
	cop_rcu_sync();
	cop_store(&w->var[i->which], i->value, relaxed);
}

static void called(cop_rcu *unused)
{
	(void)unused;
	cop_fetch_add(&world.called, 1, relaxed);
}

static void op_rcu_defer(struct world *w, const struct instruction *i, uint64_t *seen)
{
	(void)i, (void)seen;
	cop_rcu_defer(&w->rcu[cop_cpu()], called);
}

static void op_irqs(struct world *w, const struct instruction *i, uint64_t *seen)
{
	uintptr_t flags = cop_irq_save();

	*seen = cop_load(&w->var[i->which], relaxed);
	cop_irq_restore(flags);
}

static void interrupted(void *arg)
{
	cop_fetch_add((uint64_t *)arg, 1, relaxed);
}

static void op_ipi(struct world *w, const struct instruction *i, uint64_t *seen)
{
	(void)seen;
	cop_ipi(COP_LG2(i->value), interrupted, &w->var[i->which]);
}

static int stopped(void *arg)
{
	return (int)cop_load((uint64_t *)arg, relaxed);
}

static void op_stop(struct world *w, const struct instruction *i, uint64_t *seen)
{
	*seen = (uint64_t)cop_stop_machine(stopped, &w->var[i->which]);
}

static void op_panic(struct world *w, const struct instruction *i, uint64_t *seen)
{
	*seen = cop_load(&w->var[i->which], relaxed);
	if (*seen == i->value)
		cop_panic("panic", &w->var[i->which]);
}

static void op_describe(struct world *w, const struct instruction *i, uint64_t *seen)
{
	uint64_t *desc = (uint64_t *)(void *)cop_ptdesc(w->toy.table);

	*seen = cop_load(desc, acquire);
	cop_store(desc, i->value, relaxed);
}

static void op_link(struct world *w, const struct instruction *i, uint64_t *seen)
{
	const uint64_t link = toy_new_table() | TOY_VALID | TOY_LINK;

	if (i->value)
		*seen = cop_cas(toy_entry(w->toy.root, 2), 0ULL, link, release);
	else
		*seen = cop_cas(toy_entry(w->toy.root, 2), 0ULL, link, relaxed);
}

static void op_xchg_entry(struct world *w, const struct instruction *i, uint64_t *seen)
{
	const struct cop_tlbi page = {.start = TOY_VA + i->which * TOY_PAGE,
				      .last = TOY_VA + i->which * TOY_PAGE + TOY_PAGE - 1,
				      .stride_lg2 = 12};

	*seen = cop_entry_xchg(toy_entry(w->toy.table, i->which), 0, &page);
}

static void op_break_entries(struct world *w, const struct instruction *i, uint64_t *seen)
{
	const struct cop_tlbi pages = {.start = TOY_VA, .last = TOY_VA + 2 * TOY_PAGE - 1, .stride_lg2 = 12};

	(void)i, (void)seen;
	cop_entries_break(toy_entry(w->toy.table, 0), 2, TOY_LINK, &pages);
}

static void op_publish(struct world *w, const struct instruction *i, uint64_t *seen)
{
	(void)w, (void)i, (void)seen;
	cop_mmu_publish();
}

static void op_tlbi(struct world *w, const struct instruction *i, uint64_t *seen)
{
	(void)w, (void)seen;
	toy_invalidate(TOY_VA + i->which * TOY_PAGE, TOY_PAGE, i->value ? COP_TLBI_TABLES : COP_TLBI_LEAVES);
}

static void op_sync(struct world *w, const struct instruction *i, uint64_t *seen)
{
	(void)w, (void)i, (void)seen;
	cop_tlb_sync();
}

static void op_store_translated(struct world *w, const struct instruction *i, uint64_t *seen)
{
	(void)w, (void)seen;
	cop_store((uint64_t *)cop_virt(TOY_VA + i->which * TOY_PAGE), i->value, relaxed);
}

static void op_set_page(struct world *w, const struct instruction *i, uint64_t *seen)
{
	(void)seen;
	cop_store(toy_entry(w->toy.table, i->which), w->toy.other | TOY_VALID, release);
}

static void op_clear_page(struct world *w, const struct instruction *i, uint64_t *seen)
{
	*seen = cop_xchg(toy_entry(w->toy.table, i->which), 0ULL, relaxed);
}

static void op_clear_table(struct world *w, const struct instruction *i, uint64_t *seen)
{
	(void)i;
	*seen = cop_xchg(toy_entry(w->toy.root, 0), 0ULL, relaxed);
}

static void op_invalidate(struct world *w, const struct instruction *i, uint64_t *seen)
{
	(void)w, (void)seen;
	cop_mmu_publish();
	toy_invalidate(TOY_VA + i->which * TOY_PAGE, TOY_PAGE, i->value ? COP_TLBI_TABLES : COP_TLBI_LEAVES);
	cop_tlb_sync();
}

static void op_probe(struct world *w, const struct instruction *i, uint64_t *seen)
{
	(void)w;
	if (!sim_probe(TOY_VA + i->which * TOY_PAGE, false, seen, SIM_AT))
		*seen = 99;
}

static void op_translated(struct world *w, const struct instruction *i, uint64_t *seen)
{
	(void)w;
	*seen = cop_load((uint64_t *)cop_virt(TOY_VA + i->which * TOY_PAGE), relaxed);
}

static void op_gone(struct world *w, const struct instruction *i, uint64_t *seen)
{
	(void)w, (void)seen;
	sim_gone(TOY_VA + i->which * TOY_PAGE, TOY_PAGE, SIM_AT);
}

static void op_free_page(struct world *w, const struct instruction *i, uint64_t *seen)
{
	(void)i, (void)seen;
	sim_frame_free(w->toy.page, TOY_PAGE, SIM_AT);
}

static void op_alloc(struct world *w, const struct instruction *i, uint64_t *seen)
{
	(void)w, (void)i;
	*seen = sim_frame_alloc(12, SIM_DATA, "actor", SIM_AT);
}

static const struct {
	const char *name;
	operation run;
} operations[] = {
	{"load", op_load},
	{"store", op_store},
	{"load-relaxed", op_load_relaxed},
	{"store-relaxed", op_store_relaxed},
	{"send", op_send},
	{"send-fence", op_send_fence},
	{"receive", op_receive},
	{"receive-fence", op_receive_fence},
	{"fill", op_fill},
	{"copy", op_copy},
	{"panic", op_panic},
	{"describe", op_describe},
	{"link", op_link},
	{"xchg-entry", op_xchg_entry},
	{"break-entries", op_break_entries},
	{"publish", op_publish},
	{"tlbi", op_tlbi},
	{"sync", op_sync},
	{"store-translated", op_store_translated},
	{"xchg", op_xchg},
	{"cas", op_cas},
	{"add", op_add},
	{"await", op_await},
	{"plain", op_plain},
	{"spin", op_spin},
	{"mutex", op_mutex},
	{"sem-read", op_sem_read},
	{"sem-write", op_sem_write},
	{"sem-change", op_sem_change},
	{"fence", op_fence},
	{"read-section", op_read_section},
	{"rcu-sync", op_rcu_sync},
	{"rcu-defer", op_rcu_defer},
	{"irqs", op_irqs},
	{"ipi", op_ipi},
	{"stop", op_stop},
	{"set-page", op_set_page},
	{"clear-page", op_clear_page},
	{"clear-table", op_clear_table},
	{"invalidate", op_invalidate},
	{"probe", op_probe},
	{"translated", op_translated},
	{"gone", op_gone},
	{"free-page", op_free_page},
	{"alloc", op_alloc},
};
#define KINDS (sizeof(operations) / sizeof(*operations))

static uint8_t kind_of(operation run)
{
	uint8_t k = 0;

	while (operations[k].run != run)
		k++;
	return k;
}

static void run(void *arg)
{
	struct world *w = arg;
	unsigned a = sim.current;

	for (unsigned i = 0; i < program.ops[a]; i++) {
		const struct instruction *in = &program.code[a][i];

		operations[in->op].run(w, in, &w->actor[a].seen[i]);
		w->actor[a].at = i + 1;
	}
}

/* Half of all programs are about few kinds of operations, so that these meet. */
static void generate(uint64_t number)
{
	static const unsigned most[] = {0, 3, 3, 2}, fewer[] = {0, 3, 2, 1};
	unsigned kinds[3];

	seed = number * 0x9e3779b97f4a7c15ULL + 1;
	memset(&program, 0, sizeof(program));
	program.order = (enum sim_memory_order)(number % 6 / 2);
	program.actors = 2 + pick(ACTORS - 1);
	for (unsigned k = 0; k < 3; k++)
		kinds[k] = pick(KINDS);
	for (unsigned a = 0; a < program.actors; a++) {
		program.ops[a] = 1 + pick((program.order ? fewer : most)[program.actors]);
		for (unsigned i = 0; i < program.ops[a]; i++)
			program.code[a][i] =
				(struct instruction){.op = (uint8_t)(number % 2 ? kinds[pick(3)] : pick(KINDS)),
						     .which = (uint8_t)pick(2),
						     .value = (uint8_t)pick(3)};
	}
}

/* What tells moments of memory order apart: few enough kinds that more of each can be explored. */
static void generate_ordered(uint64_t number)
{
	static const operation ordered[] = {op_load,         op_store, op_load_relaxed, op_store_relaxed, op_xchg,
					    op_cas,          op_add,   op_await,        op_spin,          op_mutex,
					    op_sem_read,     op_fence, op_read_section, op_rcu_sync,      op_rcu_defer,
					    op_ipi,          op_stop,  op_send,         op_send_fence,    op_receive,
					    op_receive_fence};
	unsigned left = 6;

	seed = number * 0x9e3779b97f4a7c15ULL + 2;
	memset(&program, 0, sizeof(program));
	program.order = SIM_ORDER_WEAK;
	program.actors = 2 + pick(ACTORS - 1);
	for (unsigned a = 0; a < program.actors; a++) {
		const unsigned most = left - (program.actors - 1 - a);

		program.ops[a] = 1 + pick(most < OPS ? most : OPS);
		left -= program.ops[a];
		for (unsigned i = 0; i < program.ops[a]; i++)
			program.code[a][i] = (struct instruction){
				.op = kind_of(ordered[pick(pick(2) ? 4 : sizeof(ordered) / sizeof(*ordered))]),
				.which = (uint8_t)pick(2),
				.value = (uint8_t)pick(3)};
	}
}

/* Final states of one search, as a sorted set of hashes. */
struct states {
	uint64_t hash[STATES];
	size_t count;
};
static struct states unreduced, reduced, *noted;

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static void make_set(struct states *s)
{
	size_t n = 0;

	qsort(s->hash, s->count, sizeof(*s->hash), compare);
	for (size_t i = 0; i < s->count; i++) {
		if (!n || s->hash[n - 1] != s->hash[i])
			s->hash[n++] = s->hash[i];
	}
	s->count = n;
}

static void mix(uint64_t *h, uint64_t v)
{
	*h = (*h ^ v) * 0x9e3779b97f4a7c15ULL;
	*h ^= *h >> 29;
}

static void mix_memory(uint64_t *h, const struct world *w)
{
	for (unsigned i = 0; i < 2; i++) {
		mix(h, w->var[i]);
		mix(h, sim_peek(toy_entry(w->toy.table, i), 8));
		mix(h, sim_peek(toy_entry(w->toy.root, i), 8));
	}
	for (unsigned i = 0; i < 2; i++) {
		mix(h, w->data[i]);
		mix(h, w->ready[i]);
	}
	mix(h, sim_peek(cop_ptdesc(w->toy.table), 8));
	mix(h, sim_peek(toy_entry(w->toy.root, 2), 8));
	mix(h, w->called);
	mix(h, w->guarded);
	mix(h, w->toy.flag);
	for (unsigned a = 0; a < program.actors; a++) {
		mix(h, w->actor[a].at);
		for (unsigned i = 0; i < OPS; i++)
			mix(h, w->actor[a].seen[i]);
	}
}

/* How far somebody came who waits for ever depends on which accesses are switch points; then only that he does is compared. */
static bool coarse;

static bool raced; /* some execution has a data race */

static void note_race(void)
{
	for (unsigned a = 0; a < SIM_ALL_CPUS; a++)
		raced |= sim.cpu[a].failed && !strcmp(sim.cpu[a].failed, "data-race");
}

static void note(void *arg, bool deadlock)
{
	uint64_t h = deadlock;

	note_race();
	for (unsigned a = 0; a < SIM_ALL_CPUS && !(deadlock && coarse); a++) {
		for (const char *c = sim.cpu[a].failed; c && *c; c++)
			mix(&h, (uint64_t)*c);
		mix(&h, sim.cpu[a].done);
	}
	if (!deadlock)
		mix_memory(&h, arg);
	if (noted->count == STATES)
		make_set(noted);
	if (noted->count < STATES)
		noted->hash[noted->count++] = h;
}

static void setup(void *arg)
{
	struct world *w = arg;

	memset(w, 0, sizeof(*w));
	toy_setup(&w->toy);
}

static bool plain_waits, all_ordered;

static struct checker_verdict search(struct states *s, bool reduce, bool every_access)
{
	struct checker_actor actors[ACTORS + 1] = {{.name = NULL}};
	struct checker_program p = {.setup = setup,
				    .over = note,
				    .actors = actors,
				    .world = &world,
				    .world_bytes = sizeof(world),
				    .every_access = every_access,
				    .order = program.order,
				    .plain_waits = plain_waits,
				    .all_ordered = all_ordered,
				    /* The toy has no such instructions; here they do what they say. */
				    .disabled = "wrong-operand",
				    .unreduced = !reduce};
	struct checker_verdict v;

	for (unsigned a = 0; a < program.actors; a++)
		actors[a] = (struct checker_actor){.name = "actor", .cpu = a, .run = run};
	noted = s;
	s->count = 0;
	v = checker_explore(&p, reduce && !all_ordered ? 0 : TOO_MANY, NULL);
	make_set(s);
	return v;
}

static bool same_states(void)
{
	return unreduced.count == reduced.count &&
	       !memcmp(unreduced.hash, reduced.hash, reduced.count * sizeof(*reduced.hash));
}

static void print_program(void)
{
	for (unsigned a = 0; a < program.actors; a++) {
		printf("actor %u:", a);
		for (unsigned i = 0; i < program.ops[a]; i++) {
			const struct instruction *in = &program.code[a][i];

			printf(" %s(%u =%u)", operations[in->op].name, in->which, in->value);
		}
		putchar('\n');
	}
}

static int differs(uint64_t number, const char *how)
{
	static const char *const name[] = {"sequential", "TSO", "weak"};

	printf("program %llu, %s, %s: %zu states, and %zu\n", (unsigned long long)number, name[program.order], how,
	       reduced.count, unreduced.count);
	print_program();
	return 1;
}

/* Programs without data races do not see whether plain accesses wait; those with one have it either way. */
static bool plain_differs(void)
{
	bool without;

	raced = false;
	(void)search(&reduced, true, false);
	without = raced;
	raced = false;
	plain_waits = true;
	(void)search(&unreduced, true, false);
	plain_waits = false;
	return raced != without || (!raced && !same_states());
}

/* Which stores' order makes a difference is found out. */
static int check_ordered(uint64_t number)
{
	bool whole;

	generate_ordered(number);
	coarse = false;
	all_ordered = true;
	whole = search(&unreduced, true, false).result == CHECKER_EXHAUSTED;
	all_ordered = false;
	if (!whole)
		return -1;
	(void)search(&reduced, true, false);
	return same_states() ? 0 : differs(number, "stores in the orders that matter and in all");
}

/* 1: wrong, -1: left out. */
static int check_program(uint64_t number)
{
	generate(number);
	coarse = false;
	if (search(&unreduced, false, false).result != CHECKER_EXHAUSTED)
		return -1;
	(void)search(&reduced, true, false);
	if (!same_states())
		return differs(number, "reduced and unreduced");
	if (program.order != SIM_ORDER_SC && plain_differs())
		return differs(number, "plain accesses made at once and not");
	/* A failure ends the buffer's coroutine if the store waited, and waiting is for switch points only. */
	if (program.order != SIM_ORDER_SC)
		return 0;
	coarse = true;
	(void)search(&unreduced, true, false);
	(void)search(&reduced, true, true);
	if (!same_states())
		return differs(number, "every access a switch point and not");
	return 0;
}

int main(int argc, char **argv)
{
	uint64_t count = argc > 1 ? strtoull(argv[1], NULL, 0) : 300;
	uint64_t first = argc > 2 ? strtoull(argv[2], NULL, 0) : 1;
	uint64_t left_out = 0;

	for (uint64_t i = first; i < first + count; i++) {
		int wrong = check_program(i);

		if (!wrong)
			wrong = check_ordered(i);
		if (wrong > 0)
			return 1;
		left_out += wrong < 0;
	}
	printf("%llu programs, %llu left out\n", (unsigned long long)count, (unsigned long long)left_out);
	return left_out * 2 > count;
}
