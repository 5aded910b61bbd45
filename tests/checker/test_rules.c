/* SPDX-License-Identifier: MIT */
/* Every rule: what breaks it is caught by it, what is nearly the same is not, and without the rule it is not caught. */
#include "tests/checker/found.h"
#include "tests/checker/rules.h"
#include "checker/rules.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

static struct rig world;

static struct checker_verdict explore(const struct rule_case *c, void (*run)(void *), const char *disabled)
{
	struct checker_actor actors[] = {{"a", 0, run}, {c->beside ? "b" : NULL, 1, c->beside}, {NULL, 0, NULL}};
	struct checker_program p = {.setup = c->setup  ? c->setup
					     : c->arch ? rig_setup
						       : toy_setup,
				    .check = c->check  ? c->check
					     : c->arch ? rig_check
						       : toy_free_rest,
				    .actors = actors,
				    .places = c->places,
				    .order = c->order,
				    .world = &world,
				    .world_bytes = sizeof(world),
				    .disabled = disabled};

	if (c->arch) {
		rig_choose((enum cop_arch)(c->arch - 1), c->arch - 1 == COP_RISCV64 ? COP_F_SVNAPOT : 0, 0);
		p.frame_lg2 = c->arch - 1 == COP_S390X ? 11 : 12;
	}
	memset(&world, 0, sizeof(world));
	return found(checker_explore(&p, 200000, NULL));
}

static void is_silent(const struct rule_case *c, unsigned i, const char *which, const struct checker_verdict *v)
{
	if (v->result != CHECKER_EXHAUSTED)
		fail_msg("%s, case %u, %s: %s: %s", c->rule, i, which, v->report.rule ? v->report.rule : "bounded",
			 v->report.rule ? v->report.text : "");
}

static void run_cases(const struct rule_case *cases)
{
	for (unsigned i = 0; cases[i].rule; i++) {
		const struct rule_case *c = &cases[i];
		struct checker_verdict v = explore(c, c->broken, NULL);

		if (v.result != CHECKER_FAILS)
			fail_msg("%s, case %u: %s after %llu executions", c->rule, i, checker_result_name(v.result),
				 (unsigned long long)v.executions);
		if (strcmp(v.report.rule, c->rule) != 0)
			fail_msg("%s, case %u: %s: %s", c->rule, i, v.report.rule, v.report.text);
		v = explore(c, c->correct, NULL);
		is_silent(c, i, "the correct one", &v);
	}
}

/* Each rule is all that stands between some broken program and a good verdict. */
static void run_disabled(const struct rule_case *cases)
{
	for (unsigned i = 0; cases[i].rule; i++) {
		const struct rule_case *c = &cases[i];
		struct checker_verdict v;

		if (c->behind && !c->behind[0])
			continue;
		v = explore(c, c->broken, c->rule);
		if (!c->behind) {
			is_silent(c, i, "with the rule disabled", &v);
			continue;
		}
		assert_int_equal(v.result, CHECKER_FAILS);
		assert_string_equal(v.report.rule, c->behind);
	}
}

static const struct rule_case *const all[] = {rules_entries, rules_tlb, rules_memory, rules_sync};

static void test_entries(void **state)
{
	(void)state;
	run_cases(rules_entries);
}

static void test_tlb(void **state)
{
	(void)state;
	run_cases(rules_tlb);
}

static void test_memory(void **state)
{
	(void)state;
	run_cases(rules_memory);
}

static void test_sync(void **state)
{
	(void)state;
	run_cases(rules_sync);
}

static void test_disabled(void **state)
{
	(void)state;
	for (unsigned i = 0; i < sizeof(all) / sizeof(*all); i++)
		run_disabled(all[i]);
}

/* A rule without a case that is caught by it alone proves nothing. */
static bool has_case(const char *rule)
{
	for (unsigned i = 0; i < sizeof(all) / sizeof(*all); i++) {
		for (const struct rule_case *c = all[i]; c->rule; c++) {
			if (!strcmp(c->rule, rule) && !c->behind)
				return true;
		}
	}
	return false;
}

/* These end the program, and are the last it says. */

static void past_the_port(void *arg)
{
	const struct toy_world *w = arg;

	(void)cop_load(&w->flag, relaxed);
	*(volatile uint64_t *)cop_phys(0x1000) = 1;
}

static void through_the_port(void *arg)
{
	struct toy_world *w = arg;

	cop_store(&w->flag2, 1, relaxed);
}

static void crash(void *arg)
{
	static volatile uintptr_t nowhere = 8;

	through_the_port(arg);
	*(volatile uint64_t *)nowhere = 1;
}

static const struct {
	const char *rule;
	void (*broken)(void *);
} ends[] = {{"past-the-port", past_the_port}, {"crash", crash}};

/* What a child that runs it says; it ends by itself. */
static size_t said_by(void (*run)(void *), char *said, size_t room)
{
	const struct rule_case c = {.rule = "none"};
	int fds[2], status;
	pid_t pid;
	ssize_t n;

	assert_int_equal(pipe(fds), 0);
	pid = fork();
	if (!pid) {
		dup2(fds[1], STDERR_FILENO);
		(void)explore(&c, run, NULL);
		_exit(0);
	}
	close(fds[1]);
	n = read(fds[0], said, room - 1);
	close(fds[0]);
	said[n > 0 ? n : 0] = 0;
	waitpid(pid, &status, 0);
	assert_true(WIFEXITED(status));
	return strlen(said);
}

static void test_ends(void **state)
{
	char said[1000];

	(void)state;
	for (unsigned i = 0; i < sizeof(ends) / sizeof(*ends); i++) {
		(void)said_by(ends[i].broken, said, sizeof(said));
		if (!strstr(said, ends[i].rule) || !strstr(said, "by a, after ") == !strstr(said, "in a, after "))
			fail_msg("%s: '%s'", ends[i].rule, said);
	}
	assert_int_equal(said_by(through_the_port, said, sizeof(said)), 0);
}

static bool ends_program(const char *rule)
{
	for (unsigned i = 0; i < sizeof(ends) / sizeof(*ends); i++) {
		if (!strcmp(ends[i].rule, rule))
			return true;
	}
	return false;
}

static void test_every_rule_has_a_case(void **state)
{
	(void)state;
	const struct checker_rule *r;

	for (size_t i = 0; (r = checker_rule_at(i)); i++) {
		if (!has_case(r->name) && !ends_program(r->name))
			fail_msg("%s has no case", r->name);
	}
	for (unsigned i = 0; i < sizeof(all) / sizeof(*all); i++) {
		for (const struct rule_case *c = all[i]; c->rule; c++)
			assert_non_null(checker_rule(c->rule));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_entries),  cmocka_unit_test(test_tlb),
		cmocka_unit_test(test_memory),   cmocka_unit_test(test_sync),
		cmocka_unit_test(test_disabled), cmocka_unit_test(test_every_rule_has_a_case),
		cmocka_unit_test(test_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
