/* SPDX-License-Identifier: MIT */
/*
 * Random programs over everything the engine offers. Reduced and unreduced search must come to the same final states; no
 * execution is explored twice; with wakeup trees none is begun in vain. What a bound leaves is the same with and without
 * reduction, but where an await changes other locations than its own: there it may be less.
 *
 *	PROGRAM [COUNT [FIRST SEED]]
 */
#include "checker/engine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ACTORS   4
#define OPS      4
#define VARS     3
#define LOCALS   OPS
#define STATES   (1 << 16)
#define TOO_MANY 60000 /* interleavings: the program is left out */

enum op {
	LOAD,
	STORE,
	STORE_SEEN,
	XCHG,
	CAS,
	ADD,
	FETCH_ADD,
	AWAIT,
	AWAIT_ASKED,
	AWAIT_TWO,
	AWAIT_CHANGE,
	AWAIT_STORE,
	LOCK,
	UNLOCK,
	CHOOSE,
	CHOOSE_SEEN,
	SKIP_IF,
	FAIL_IF,
	KINDS
};

struct instruction {
	enum op op;
	uint8_t var, other, value, old;
};

static struct {
	unsigned actors, ops[ACTORS], vars;
	struct instruction code[ACTORS][OPS];
} program;

static struct {
	uint64_t var[VARS], lock;
	struct {
		uint64_t seen[LOCALS + 1]; /* a skip at the end is noted behind the last */
		uint32_t at, failed;
	} actor[ACTORS];
} world;

static uint64_t seed;

static unsigned pick(unsigned n)
{
	seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
	return (unsigned)(seed >> 33) % n;
}

static void set(uint64_t *p, uint64_t v)
{
	engine_touch(p, ENGINE_WRITE, *p);
	engine_save(p, sizeof(*p));
	*p = v;
}

static bool is_equal(uint64_t v, uint64_t arg)
{
	return v == arg;
}

static struct engine_await await_of(uint64_t *p, bool (*holds)(uint64_t, uint64_t), uint64_t arg)
{
	return (struct engine_await){.location = p, .value = p, .size = 8, .holds = holds, .arg = arg};
}

static void step_await(const struct instruction *i, uint64_t *p)
{
	struct engine_await a[2] = {await_of(p, i->op == AWAIT_ASKED ? NULL : is_equal, i->value),
				    await_of(&world.var[i->other], is_equal, i->old)};
	uint64_t v;

	a[0].changes = i->op == AWAIT_CHANGE;
	engine_await(a, i->op == AWAIT_TWO ? 2 : 1);
	if (i->op == AWAIT_ASKED)
		do
			v = engine_await_value();
		while (!engine_await_answer(v == i->value || v == i->old));
	if (i->op == AWAIT_CHANGE)
		set(p, *p + 1);
	engine_touch(p, ENGINE_READ, 0);
	/* What it does beside is seen only when it happens. */
	if (i->op == AWAIT_STORE)
		set(&world.var[i->other], i->old);
	if (i->op == AWAIT_TWO)
		engine_touch(&world.var[i->other], ENGINE_READ, 0);
}

static void step_lock(bool lock)
{
	struct engine_await a = await_of(&world.lock, is_equal, 0);

	a.changes = true;
	if (lock)
		engine_await(&a, 1);
	else
		engine_point();
	set(&world.lock, lock ? engine_current() + 1 : 0);
}

static void step(const struct instruction *i, uint64_t *seen, uint64_t before)
{
	uint64_t *p = &world.var[i->var];

	switch (i->op) {
	case AWAIT:
	case AWAIT_ASKED:
	case AWAIT_TWO:
	case AWAIT_CHANGE:
	case AWAIT_STORE:
		step_await(i, p);
		*seen = *p;
		return;
	case LOCK:
	case UNLOCK:
		step_lock(i->op == LOCK);
		return;
	case SKIP_IF:
	case FAIL_IF:
	case KINDS:
		return;
	default:
		break;
	}
	engine_point();
	switch (i->op) {
	case STORE:
		set(p, i->value);
		return;
	case STORE_SEEN:
		set(p, before + 1);
		return;
	case ADD:
		engine_touch(p, ENGINE_ADD, *p);
		engine_save(p, sizeof(*p));
		*p += i->value;
		return;
	case CAS:
		*seen = *p;
		if (*p == i->old)
			set(p, i->value);
		else
			engine_touch(p, ENGINE_READ, 0);
		return;
	case XCHG:
	case FETCH_ADD:
		*seen = *p;
		set(p, i->op == XCHG ? i->value : *p + i->value);
		return;
	case CHOOSE:
		set(p, engine_choose(2));
		return;
	case CHOOSE_SEEN:
		engine_touch(p, ENGINE_READ, 0);
		*seen = engine_choose((unsigned)(*p % 3) + 1);
		return;
	default:
		engine_touch(p, ENGINE_READ, 0);
		*seen = *p;
	}
}

static void run(void *arg)
{
	unsigned a = (unsigned)(uintptr_t)arg;
	uint64_t before = 0;

	for (unsigned i = 0; i < program.ops[a]; i++) {
		const struct instruction *in = &program.code[a][i];

		if (in->op == SKIP_IF && before == in->value)
			i++;
		if (in->op == FAIL_IF && before == in->value) {
			world.actor[a].failed = i + 1;
			engine_stop();
		}
		step(in, &world.actor[a].seen[i], before);
		before = world.actor[a].seen[i];
		world.actor[a].at = i + 1;
	}
}

static void generate(uint64_t from)
{
	static const unsigned most[] = {0, 4, 4, 3, 2};

	seed = from * 0x9e3779b97f4a7c15ULL + 1;
	memset(&program, 0, sizeof(program));
	program.actors = 2 + pick(ACTORS - 1);
	program.vars = 1 + pick(VARS);
	for (unsigned a = 0; a < program.actors; a++) {
		bool locked = false;

		program.ops[a] = 1 + pick(most[program.actors]);
		for (unsigned i = 0; i < program.ops[a]; i++) {
			struct instruction *in = &program.code[a][i];

			*in = (struct instruction){.op = (enum op)pick(KINDS),
						   .var = (uint8_t)pick(program.vars),
						   .other = (uint8_t)pick(program.vars),
						   .value = (uint8_t)pick(3),
						   .old = (uint8_t)pick(3)};
			if (in->op == LOCK || in->op == UNLOCK) {
				in->op = locked ? UNLOCK : LOCK;
				locked = !locked;
			}
		}
	}
}

/* The final states of one search, as a sorted set of hashes. */
struct states {
	uint64_t hash[STATES];
	size_t count;
};
static struct states unreduced, reduced;

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

static bool note_state(void *ctx, enum engine_end end)
{
	struct states *s = ctx;
	uint64_t h = end;

	for (size_t i = 0; i < sizeof(world) / 8; i++) {
		uint64_t v;

		memcpy(&v, (char *)&world + i * 8, 8);
		h = (h ^ v) * 0x9e3779b97f4a7c15ULL;
		h ^= h >> 29;
	}
	if (s->count == STATES)
		make_set(s);
	if (s->count < STATES)
		s->hash[s->count++] = h;
	return true;
}

static struct engine_result search(struct states *s, enum engine_reduction reduction, unsigned preemptions,
				   uint64_t executions, bool fingerprints)
{
	struct engine_actor actors[ACTORS];
	struct engine_program p = {.actors = actors,
				   .count = program.actors,
				   .end = note_state,
				   .ctx = s,
				   .reduction = reduction,
				   .executions = executions,
				   .preemptions = preemptions,
				   .after_failure = true,
				   .fingerprints = fingerprints};
	struct engine_result r;

	for (unsigned a = 0; a < program.actors; a++)
		actors[a] = (struct engine_actor){.name = "actor", .run = run, .arg = (void *)(uintptr_t)a};
	do {
		memset(&world, 0, sizeof(world));
		s->count = 0;
		r = engine_explore(&p);
	} while (r.verdict == ENGINE_RESTART);
	make_set(s);
	return r;
}

static bool same_states(void)
{
	return unreduced.count == reduced.count &&
	       !memcmp(unreduced.hash, reduced.hash, reduced.count * sizeof(*reduced.hash));
}

static const char *check_reduction(enum engine_reduction reduction)
{
	struct engine_result r = search(&reduced, reduction, ENGINE_UNBOUNDED, 0, true);

	if (r.verdict != ENGINE_EXHAUSTED)
		return "not exhausted";
	if (r.duplicates)
		return "an execution was explored twice";
	if (r.misled && !r.vague)
		return "a wakeup tree was wrong";
	if (reduction == ENGINE_OPTIMAL && r.blocked && !r.vague)
		return "an execution was begun in vain";
	return same_states() ? NULL : "other final states";
}

static bool has(enum op op)
{
	for (unsigned a = 0; a < program.actors; a++) {
		for (unsigned i = 0; i < program.ops[a]; i++) {
			if (program.code[a][i].op == op)
				return true;
		}
	}
	return false;
}

static const char *check_bound(unsigned preemptions)
{
	(void)search(&unreduced, ENGINE_NONE, preemptions, 0, false);
	(void)search(&reduced, ENGINE_SOURCE, preemptions, 0, false);
	return same_states() ? NULL : "other final states";
}

static const char *check_program(uint64_t number, const char **what)
{
	const char *wrong;

	generate(number);
	*what = "unreduced";
	if (search(&unreduced, ENGINE_NONE, ENGINE_UNBOUNDED, TOO_MANY, false).verdict != ENGINE_EXHAUSTED)
		return "";
	*what = "source sets";
	wrong = check_reduction(ENGINE_SOURCE);
	if (wrong)
		return wrong;
	*what = "wakeup trees";
	wrong = check_reduction(ENGINE_OPTIMAL);
	for (unsigned bound = 0; bound < 3 && !wrong && !has(AWAIT_STORE); bound++) {
		static const char *const name[] = {"no preemption", "one preemption", "two preemptions"};

		*what = name[bound];
		wrong = check_bound(bound);
	}
	return wrong;
}

static void print_program(void)
{
	static const char *const name[] = {"load",         "store",       "store-seen", "xchg",        "cas",
					   "add",          "fetch-add",   "await",      "await-asked", "await-two",
					   "await-change", "await-store", "lock",       "unlock",      "choose",
					   "choose-seen",  "skip-if",     "fail-if"};

	for (unsigned a = 0; a < program.actors; a++) {
		printf("actor %u:", a);
		for (unsigned i = 0; i < program.ops[a]; i++) {
			const struct instruction *in = &program.code[a][i];

			printf(" %s(v%u v%u =%u old %u)", name[in->op], in->var, in->other, in->value, in->old);
		}
		putchar('\n');
	}
}

int main(int argc, char **argv)
{
	uint64_t count = argc > 1 ? strtoull(argv[1], NULL, 0) : 1000;
	uint64_t first = argc > 2 ? strtoull(argv[2], NULL, 0) : 1;
	uint64_t left_out = 0;

	engine_region(&world.actor, sizeof(world.actor));
	for (uint64_t i = first; i < first + count; i++) {
		const char *what, *wrong = check_program(i, &what);

		if (wrong && !*wrong) {
			left_out++;
			continue;
		}
		if (wrong) {
			printf("program %llu, %s: %s (%zu states, unreduced %zu)\n", (unsigned long long)i, what, wrong,
			       reduced.count, unreduced.count);
			print_program();
			return 1;
		}
	}
	engine_regions_reset();
	printf("%llu programs, %llu left out\n", (unsigned long long)count, (unsigned long long)left_out);
	return left_out * 2 > count;
}
