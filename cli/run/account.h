/* SPDX-License-Identifier: MIT */
/* Is everything that came gone again? To the page. */
#ifndef CLI_RUN_ACCOUNT_H
#define CLI_RUN_ACCOUNT_H

#include "cli/out.h"
#include "cli/run/machine.h"

/* What a machine has at one moment at which nothing is under way. */
struct account {
	struct cop_mem_account mem;
	uint64_t held;   /* host memory, bytes */
	unsigned faults; /* of cop_mem_check() */
	struct cop_mem_fault first_fault;
};

struct account account_take(struct run_machine *);

/**
 * account_compare() - print what differs, or that nothing does
 * @what: "boot, before memory was added, and after all of it was removed"
 * @differences: array for JSON, or NULL
 *
 * Return: figures that differ.
 */
unsigned account_compare(const char *what, const struct account *before, const struct account *after, FILE *to,
			 cJSON *differences);

/**
 * account_compare_tables() - the same while there are tables that are smaller than a frame
 *
 * Their bytes are compared; in how many frames they lie depends on the order in which they came.
 */
unsigned account_compare_tables(const char *what, const struct account *before, const struct account *after, FILE *to,
				cJSON *differences);

#endif
