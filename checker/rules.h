/* SPDX-License-Identifier: MIT */
/* What can be reported: each rule's meaning, where the manuals say it, and an example that breaks it. */
#ifndef COPPICE_CHECKER_RULES_H
#define COPPICE_CHECKER_RULES_H

#include <stddef.h>

/**
 * struct checker_rule - one rule
 * @name: as it is reported; stable
 * @meaning: in one line
 * @arm64, @x86_64, @riscv64, @s390x: manual and section; NULL: the architecture has no such rule
 * @example: five lines that break it, newest last
 */
struct checker_rule {
	const char *name, *meaning;
	const char *arm64, *x86_64, *riscv64, *s390x;
	const char *example;
};

extern const struct checker_rule checker_rules[];
extern const size_t checker_rule_count;

/* NULL: no such rule. */
const struct checker_rule *checker_rule(const char *name);

#endif
