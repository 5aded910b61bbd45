/* SPDX-License-Identifier: MIT */
/*
 * Litmus tests: which outcomes each memory order has. Names as in Alglave, Maranget, Sarkar, Sewell, "Herding Cats", TOPLAS
 * 36(2), 2014; verdicts as the architectures give them, but for load buffering, which the model leaves out.
 */
#include "checker/explore.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

struct world {
	uint64_t x, y, z;
	uint64_t r[8];
	cop_spinlock lock;
};
static struct world world;

typedef void (*thread)(void *);

/* A thread, its body on w->x, w->y, w->z and the registers r(n). */
#define THREAD(name, body)                                                                                             \
	static void name(void *arg)                                                                                    \
	{                                                                                                              \
		struct world *w = arg;                                                                                 \
		body                                                                                                   \
	}
#define W(var, v)     cop_store(&w->var, (v), relaxed);
#define WREL(var, v)  cop_store(&w->var, (v), release);
#define R(n, var)     w->r[n] = cop_load(&w->var, relaxed);
#define RACQ(n, var)  w->r[n] = cop_load(&w->var, acquire);
#define FULL          cop_fence_full();
#define FREL          cop_fence_release();
#define FACQ          cop_fence_acquire();
#define AWAIT(n, var) cop_await(&w->var, w->r[n], w->r[n] == 1);

THREAD(wx1, W(x, 1))
THREAD(wx2, W(x, 2))
THREAD(wy1, W(y, 1))
THREAD(wx1_ry0, W(x, 1) R(0, y))
THREAD(wy1_rx1, W(y, 1) R(1, x))
THREAD(wx1_full_ry0, W(x, 1) FULL R(0, y))
THREAD(wy1_full_rx1, W(y, 1) FULL R(1, x))
THREAD(xchgx_ry0, (void)cop_xchg(&w->x, 1ULL, acq_rel); R(0, y))
THREAD(xchgy_rx1, (void)cop_xchg(&w->y, 1ULL, acq_rel); R(1, x))
THREAD(casx_full_ry0, (void)cop_cas(&w->x, 0ULL, 1ULL, relaxed); FULL R(0, y))
THREAD(casy_full_rx1, (void)cop_cas(&w->y, 0ULL, 1ULL, relaxed); FULL R(1, x))
THREAD(wx_own_ry, W(x, 1) R(0, x) R(1, y))
THREAD(wy_own_rx, W(y, 1) R(2, y) R(3, x))

THREAD(wx1_wy1, W(x, 1) W(y, 1))
THREAD(wx1_wrely1, W(x, 1) WREL(y, 1))
THREAD(wx1_frel_wy1, W(x, 1) FREL W(y, 1))
THREAD(wx1_full_wy1, W(x, 1) FULL W(y, 1))
THREAD(wx1_casy, W(x, 1)(void) cop_cas(&w->y, 0ULL, 1ULL, acq_rel);)
THREAD(wx1_casy_relaxed, W(x, 1)(void) cop_cas(&w->y, 0ULL, 1ULL, relaxed);)
THREAD(wx1_addy_rel, W(x, 1)(void) cop_fetch_add(&w->y, 1, release);)
THREAD(ry0_rx1, R(0, y) R(1, x))
THREAD(racqy0_rx1, RACQ(0, y) R(1, x))
THREAD(ry0_facq_rx1, R(0, y) FACQ R(1, x))
THREAD(ry0_full_rx1, R(0, y) FULL R(1, x))
THREAD(casy0_rx1, w->r[0] = cop_cas(&w->y, 1ULL, 2ULL, acq_rel); R(1, x))
THREAD(casy0_relaxed_rx1, w->r[0] = cop_cas(&w->y, 1ULL, 2ULL, relaxed); R(1, x))
THREAD(awaity0_rx1, AWAIT(0, y) R(1, x))
THREAD(locked_wx1_wy1, cop_spin_lock(&w->lock); W(x, 1) W(y, 1) cop_spin_unlock(&w->lock);)
THREAD(locked_ry0_rx1, cop_spin_lock(&w->lock); R(0, y) R(1, x) cop_spin_unlock(&w->lock);)

THREAD(rx0_rx1, R(0, x) R(1, x))
THREAD(rx2_rx3, R(2, x) R(3, x))
THREAD(wx1_wx2, W(x, 1) W(x, 2))
THREAD(rx0_wx1, R(0, x) W(x, 1))
THREAD(wx1_rx0, W(x, 1) R(0, x))
THREAD(addx, (void)cop_fetch_add(&w->x, 1, relaxed);)

THREAD(rx0_ry1, R(0, x) R(1, y))
THREAD(ry2_rx3, R(2, y) R(3, x))
THREAD(racqx0_ry1, RACQ(0, x) R(1, y))
THREAD(racqy2_rx3, RACQ(2, y) R(3, x))
THREAD(rx0_full_ry1, R(0, x) FULL R(1, y))
THREAD(ry2_full_rx3, R(2, y) FULL R(3, x))

THREAD(rx0_wy1, R(0, x) W(y, 1))
THREAD(racqx0_wrely1, RACQ(0, x) WREL(y, 1))
THREAD(ry1_rx2, R(1, y) R(2, x))
THREAD(racqy1_rx2, RACQ(1, y) R(2, x))
THREAD(racqy0_wrelz1, RACQ(0, y) WREL(z, 1))
THREAD(racqz1_rx2, RACQ(1, z) R(2, x))
THREAD(wy1_rx2, W(y, 1) R(2, x))
THREAD(wy1_full_rx2, W(y, 1) FULL R(2, x))

THREAD(wy2_rx0, W(y, 2) R(0, x))
THREAD(wy2_full_rx0, W(y, 2) FULL R(0, x))
THREAD(wx2_wy1, W(x, 2) W(y, 1))
THREAD(wx2_wrely1, W(x, 2) WREL(y, 1))
THREAD(wx2_full_wy1, W(x, 2) FULL W(y, 1))
THREAD(ry0_wx1, R(0, y) W(x, 1))
THREAD(racqy0_wx1, RACQ(0, y) W(x, 1))
THREAD(wx1_wy2, W(x, 1) W(y, 2))
THREAD(wy1_wx2, W(y, 1) W(x, 2))
THREAD(wx1_wrely2, W(x, 1) WREL(y, 2))
THREAD(wy1_wrelx2, W(y, 1) WREL(x, 2))
THREAD(wx1_full_wy2, W(x, 1) FULL W(y, 2))
THREAD(wy1_full_wx2, W(y, 1) FULL W(x, 2))
THREAD(wx1_frel_wy2, W(x, 1) FREL W(y, 2))
THREAD(wy1_frel_wx2, W(y, 1) FREL W(x, 2))

/* What one asks about. */
#define OUTCOME(name, condition)                                                                                       \
	static bool name(const struct world *w)                                                                        \
	{                                                                                                              \
		return condition;                                                                                      \
	}
OUTCOME(both_zero, !w->r[0] && !w->r[1])
OUTCOME(one_zero, w->r[0] == 1 && !w->r[1])
OUTCOME(own_then_zero, w->r[0] == 1 && !w->r[1] && w->r[2] == 1 && !w->r[3])
OUTCOME(iriw, w->r[0] == 1 && !w->r[1] && w->r[2] == 1 && !w->r[3])
OUTCOME(wrc, w->r[0] == 1 && w->r[1] == 1 && !w->r[2])
OUTCOME(rwc, w->r[0] == 1 && !w->r[1] && !w->r[2])
OUTCOME(x_is_1, w->x == 1)
OUTCOME(read_1, w->r[0] == 1)
OUTCOME(read_0, w->r[0] == 0)
OUTCOME(corw, w->r[0] == 2 && w->x == 2)
OUTCOME(corr2, w->r[0] == 1 && w->r[1] == 2 && w->r[2] == 2 && w->r[3] == 1)
OUTCOME(r_last, w->y == 2 && !w->r[0])
OUTCOME(s_last, w->r[0] == 1 && w->x == 2)
OUTCOME(two_two, w->x == 1 && w->y == 1)
OUTCOME(lb, w->r[0] == 1 && w->r[1] == 1)

static const struct litmus {
	const char *name;
	thread run[4];
	bool (*outcome)(const struct world *);
	bool tso, weak; /* may it be? never under sequential consistency */
} tests[] = {
	{"SB", {wx1_ry0, wy1_rx1}, both_zero, true, true},
	{"SB+full+po", {wx1_full_ry0, wy1_rx1}, both_zero, true, true},
	{"SB+fulls", {wx1_full_ry0, wy1_full_rx1}, both_zero, false, false},
	/* The store of an acquire-release exchange may be seen after a later load was satisfied (Arm ARM B2.3). */
	{"SB+xchgs", {xchgx_ry0, xchgy_rx1}, both_zero, false, true},
	{"SB+cas-fulls", {casx_full_ry0, casy_full_rx1}, both_zero, false, false},
	{"SB+rfis", {wx_own_ry, wy_own_rx}, own_then_zero, true, true},
	{"MP", {wx1_wy1, ry0_rx1}, one_zero, false, true},
	{"MP+rel+po", {wx1_wrely1, ry0_rx1}, one_zero, false, true},
	{"MP+po+acq", {wx1_wy1, racqy0_rx1}, one_zero, false, true},
	{"MP+rel+acq", {wx1_wrely1, racqy0_rx1}, one_zero, false, false},
	{"MP+frel+facq", {wx1_frel_wy1, ry0_facq_rx1}, one_zero, false, false},
	{"MP+frel+acq", {wx1_frel_wy1, racqy0_rx1}, one_zero, false, false},
	{"MP+rel+facq", {wx1_wrely1, ry0_facq_rx1}, one_zero, false, false},
	{"MP+fulls", {wx1_full_wy1, ry0_full_rx1}, one_zero, false, false},
	{"MP+full+po", {wx1_full_wy1, ry0_rx1}, one_zero, false, true},
	{"MP+po+full", {wx1_wy1, ry0_full_rx1}, one_zero, false, true},
	{"MP+frel+po", {wx1_frel_wy1, ry0_rx1}, one_zero, false, true},
	{"MP+cas+acq", {wx1_casy, racqy0_rx1}, one_zero, false, false},
	{"MP+cas-relaxed+acq", {wx1_casy_relaxed, racqy0_rx1}, one_zero, false, true},
	{"MP+add-rel+acq", {wx1_addy_rel, racqy0_rx1}, one_zero, false, false},
	{"MP+rel+cas", {wx1_wrely1, casy0_rx1}, one_zero, false, false},
	{"MP+rel+cas-relaxed", {wx1_wrely1, casy0_relaxed_rx1}, one_zero, false, true},
	{"MP+rel+await", {wx1_wrely1, awaity0_rx1}, one_zero, false, false},
	{"MP+po+await", {wx1_wy1, awaity0_rx1}, one_zero, false, true},
	{"MP+locks", {locked_wx1_wy1, locked_ry0_rx1}, one_zero, false, false},
	{"CoRR", {wx1, rx0_rx1}, one_zero, false, false},
	{"CoRR2", {wx1, wx2, rx0_rx1, rx2_rx3}, corr2, false, false},
	{"CoWW", {wx1_wx2}, x_is_1, false, false},
	{"CoRW1", {rx0_wx1}, read_1, false, false},
	{"CoRW2", {rx0_wx1, wx2}, corw, false, false},
	{"CoWR", {wx1_rx0, wx2}, read_0, false, false},
	{"atomic-adds", {addx, addx}, x_is_1, false, false},
	{"IRIW", {wx1, wy1, rx0_ry1, ry2_rx3}, iriw, false, true},
	{"IRIW+acqs", {wx1, wy1, racqx0_ry1, racqy2_rx3}, iriw, false, false},
	{"IRIW+acq+po", {wx1, wy1, racqx0_ry1, ry2_rx3}, iriw, false, true},
	{"IRIW+fulls", {wx1, wy1, rx0_full_ry1, ry2_full_rx3}, iriw, false, false},
	{"WRC", {wx1, rx0_wy1, ry1_rx2}, wrc, false, true},
	{"WRC+rel+acq", {wx1, racqx0_wrely1, racqy1_rx2}, wrc, false, false},
	{"WRC+rel+po", {wx1, racqx0_wrely1, ry1_rx2}, wrc, false, true},
	{"ISA2+rels+acqs", {wx1_wrely1, racqy0_wrelz1, racqz1_rx2}, wrc, false, false},
	{"RWC", {wx1, rx0_ry1, wy1_rx2}, rwc, true, true},
	{"RWC+acq+full", {wx1, racqx0_ry1, wy1_full_rx2}, rwc, false, false},
	{"RWC+po+full", {wx1, rx0_ry1, wy1_full_rx2}, rwc, false, true},
	{"R", {wx1_wy1, wy2_rx0}, r_last, true, true},
	{"R+full+po", {wx1_full_wy1, wy2_rx0}, r_last, true, true},
	{"R+fulls", {wx1_full_wy1, wy2_full_rx0}, r_last, false, false},
	{"R+rel+full", {wx1_wrely1, wy2_full_rx0}, r_last, false, false},
	{"S", {wx2_wy1, ry0_wx1}, s_last, false, true},
	{"S+rel+acq", {wx2_wrely1, racqy0_wx1}, s_last, false, false},
	/* Allowed as load buffering is: the store of the second may be made before its load is satisfied. */
	{"S+full+po", {wx2_full_wy1, ry0_wx1}, s_last, false, false},
	{"S+po+acq", {wx2_wy1, racqy0_wx1}, s_last, false, true},
	{"2+2W", {wx1_wy2, wy1_wx2}, two_two, false, true},
	{"2+2W+rels", {wx1_wrely2, wy1_wrelx2}, two_two, false, false},
	{"2+2W+rel+po", {wx1_wrely2, wy1_wx2}, two_two, false, true},
	{"2+2W+frels", {wx1_frel_wy2, wy1_frel_wx2}, two_two, false, false},
	{"2+2W+fulls", {wx1_full_wy2, wy1_full_wx2}, two_two, false, false},
	/* The architectures allow it, the model does not. */
	{"LB", {rx0_wy1, ry1_rx2}, lb, false, false},
};

/* Executions of a search without reduction, which need not come to an end. */
#define UNREDUCED 2000

static const struct litmus *running;
static bool seen, stuck;

static void setup(void *arg)
{
	memset(arg, 0, sizeof(struct world));
}

static void look(void *arg, bool deadlock)
{
	stuck |= deadlock;
	seen |= running->outcome(arg);
}

/* Is the outcome there? */
static bool possible(const struct litmus *l, enum sim_memory_order order, bool reduce)
{
	static const char *const name[] = {"P0", "P1", "P2", "P3"};
	struct checker_actor actors[5] = {{.name = NULL}};
	struct checker_program p = {.setup = setup,
				    .over = look,
				    .actors = actors,
				    .world = &world,
				    .world_bytes = sizeof(world),
				    .pa_bytes = 1 << 16,
				    .order = order,
				    .unreduced = !reduce};
	struct checker_verdict v;

	for (unsigned i = 0; i < 4 && l->run[i]; i++)
		actors[i] = (struct checker_actor){.name = name[i], .cpu = i, .run = l->run[i]};
	running = l;
	seen = stuck = false;
	v = checker_explore(&p, reduce ? 0 : UNREDUCED, NULL);
	if (reduce && (v.result != CHECKER_EXHAUSTED || stuck))
		fail_msg("%s: %s", l->name, stuck ? "deadlock" : "not exhausted");
	return seen;
}

static void expect(const struct litmus *l, enum sim_memory_order order, const char *name, bool allowed)
{
	if (possible(l, order, true) != allowed)
		fail_msg("%s, %s: %s", l->name, name, allowed ? "not seen, and allowed" : "seen, and forbidden");
	/* Without reduction no more is seen, as far as it comes. */
	if (!allowed && possible(l, order, false))
		fail_msg("%s, %s: seen without reduction only", l->name, name);
}

#define EACH(test) for (const struct litmus *test = tests; test < tests + sizeof(tests) / sizeof(*tests); test++)

static void test_sequential(void **state)
{
	(void)state;
	EACH(l)
	expect(l, SIM_ORDER_SC, "sequentially consistent", false);
}

static void test_tso(void **state)
{
	(void)state;
	EACH(l)
	expect(l, SIM_ORDER_TSO, "TSO", l->tso);
}

static void test_weak(void **state)
{
	(void)state;
	EACH(l)
	expect(l, SIM_ORDER_WEAK, "weak", l->weak);
}

int main(void)
{
	const struct CMUnitTest all[] = {
		cmocka_unit_test(test_sequential),
		cmocka_unit_test(test_tso),
		cmocka_unit_test(test_weak),
	};

	return cmocka_run_group_tests(all, NULL, NULL);
}
