/* SPDX-License-Identifier: MIT */
/* What can be reported: each rule's meaning, what machines do, where the manuals say it, what breaks it and what does not. */
#ifndef COPPICE_CHECKER_RULES_H
#define COPPICE_CHECKER_RULES_H

#include <stddef.h>

/**
 * struct checker_rule - one rule
 * @name: as it is reported; stable
 * @meaning: in one line
 * @hardware: what happens on a machine where it is broken
 * @arm64, @x86_64, @riscv64, @s390x: manual and section; NULL: the architecture has no such rule. All of them NULL: it is a
 *	rule of programs, on whatever machine
 * @wrong: lines that break it
 * @right: the same, done so that it holds
 */
struct checker_rule {
	const char *name, *meaning, *hardware;
	const char *arm64, *x86_64, *riscv64, *s390x;
	const char *wrong, *right;
};

/* Those of one kind, one file of rules/ each. */
struct checker_rules {
	const char *title;
	const struct checker_rule *at;
	size_t count;
};
extern const struct checker_rules checker_rules_frames, checker_rules_entries, checker_rules_invalidations,
	checker_rules_accesses, checker_rules_order, checker_rules_claims;

/* All of them, kind by kind; NULL: there are no more. */
const struct checker_rule *checker_rule_at(size_t);
/* NULL: no such rule. */
const struct checker_rule *checker_rule(const char *name);

#endif
