/* SPDX-License-Identifier: MIT */
#include "checker/rules.h"

#include <string.h>

static const struct checker_rules *const kinds[] = {
	&checker_rules_frames,   &checker_rules_entries, &checker_rules_invalidations,
	&checker_rules_accesses, &checker_rules_order,   &checker_rules_claims,
};

const struct checker_rule *checker_rule_at(size_t n)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		if (n < kinds[i]->count)
			return &kinds[i]->at[n];
		n -= kinds[i]->count;
	}
	return NULL;
}

const struct checker_rule *checker_rule(const char *name)
{
	const struct checker_rule *r;

	for (size_t i = 0; (r = checker_rule_at(i)); i++) {
		if (!strcmp(r->name, name))
			return r;
	}
	return NULL;
}
