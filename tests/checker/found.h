/* SPDX-License-Identifier: MIT */
#ifndef COPPICE_TESTS_CHECKER_FOUND_H
#define COPPICE_TESTS_CHECKER_FOUND_H

#include "checker/explore.h"

/* What was found, for whoever does not want to run it again. */
static inline struct checker_verdict found(struct checker_verdict v)
{
	checker_verdict_free(&v);
	return v;
}

#endif
