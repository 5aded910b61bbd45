/* SPDX-License-Identifier: MIT */
/* For each rule a program that breaks it alone, and beside it the nearest one that does not. */
#ifndef COPPICE_TESTS_CHECKER_RULES_H
#define COPPICE_TESTS_CHECKER_RULES_H

#include "tests/checker/toy.h"

#include <coppice/tables.h>

/*
 * struct rule_case - @broken fails with @rule, @correct is exhausted
 * @setup: NULL: the toy's; @check likewise
 * @beside: runs on the second CPU, in both; NULL: nothing does
 * @behind: with the rule disabled @broken is exhausted, or fails with this one
 * @order: of memory
 * @arch: a real format (enum cop_arch + 1) in the rig; 0: the toy
 */
struct rule_case {
	const char *rule;
	void (*broken)(void *);
	void (*correct)(void *);
	void (*beside)(void *);
	const char *behind;
	void (*setup)(void *);
	void (*check)(void *);
	const struct checker_place *places;
	enum sim_memory_order order;
	unsigned arch;
};

extern const struct rule_case rules_entries[], rules_tlb[], rules_memory[], rules_sync[];

/*
 * A real tree: a page at .va, a second and a third one that are not mapped, a struct page window. All by the library but
 * for what a case stores itself.
 */
struct rig {
	struct toy_world toy; /* first: the same pointers serve both */
	struct cop_tree tree;
	cop_va va;
	cop_pa page, other, table; /* table: of level 0 around .va */
	uint32_t features_off;
};

void rig_setup(void *);
void rig_check(void *);
void rig_choose(enum cop_arch, uint32_t features_on, uint32_t features_off);
/* The entry of .va and of the pages after it. */
uint64_t *rig_entry(const struct rig *, unsigned i);
uint64_t rig_leaf(const struct rig *, cop_pa, uint32_t attrs);
void rig_invalidate(const struct rig *, cop_va, uint64_t bytes, uint8_t level, uint8_t scope);
void rig_sync(void);

#endif
