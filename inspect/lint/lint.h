/* SPDX-License-Identifier: MIT */
/* What the rules share. */
#ifndef COPPICE_INSPECT_LINT_LINT_H
#define COPPICE_INSPECT_LINT_LINT_H

#include "inspect/lint.h"

struct lint;

/* A table that was seen before. */
struct lint_seen {
	unsigned level, tree;
};

/**
 * struct lint_rule - a rule and what it listens to; any callback may be NULL
 * @state: bytes it keeps, zero at the start
 * @collect: runs of all trees, in a pass before; @collected: that pass is over
 * @begin, @end: a tree
 * @again: a table that was entered before: nothing inside is shown
 * @finish: after all trees: frees what @state points to
 */
struct lint_rule {
	struct insp_rule rule;
	size_t state;
	void (*collect)(struct lint *, void *state, const struct insp_run *);
	void (*collected)(struct lint *, void *state);
	void (*begin)(struct lint *, void *state);
	void (*run)(struct lint *, void *state, const struct insp_run *);
	void (*enter)(struct lint *, void *state, const struct insp_table *);
	void (*leave)(struct lint *, void *state, const struct insp_table *);
	void (*again)(struct lint *, void *state, const struct insp_table *, struct lint_seen);
	void (*skip)(struct lint *, void *state, const struct insp_table *, enum insp_skip);
	void (*end)(struct lint *, void *state);
	void (*finish)(void *state);
};

extern const struct lint_rule lint_wx_kernel, lint_wx_user, lint_user_in_kernel, lint_reserved, lint_contiguous,
	lint_alias_type, lint_table_twice, lint_outside_memory, lint_empty_table, lint_vmemmap_orphan,
	lint_vmemmap_hole, lint_memmap_shared, lint_not_present, lint_l1tf, lint_missing_table;

/* Which tables were entered: a hash of their addresses. */
struct lint_tables {
	uint64_t *slot;
	size_t count, room;
};

/**
 * struct lint - a lint under way
 * @now: the rule that is being called
 * @pending: by rule, the finding that may still grow
 */
#define LINT_RULES 16
struct lint {
	const struct insp_machine *machine;
	const struct insp_lint_options *options;
	const struct insp_tree *tree;
	unsigned tree_index, now;
	void *state[LINT_RULES];
	struct insp_finding pending[LINT_RULES];
	bool open[LINT_RULES];
	struct lint_tables tables;
	struct insp_linted done;
	void (*report)(void *, const struct insp_finding *);
	void *context;
};

/* A finding about a run or a table's link, to be filled in and reported. */
struct insp_finding lint_of_run(const struct lint *, const struct insp_run *);
struct insp_finding lint_of_table(const struct lint *, const struct insp_table *);
/* Takes the sentence, and joins the finding to the one before if that says the same of the addresses just below. */
__attribute__((format(printf, 3, 4))) void lint_report(struct lint *, struct insp_finding *, const char *fmt, ...);

/* "rw-" */
const char *lint_access(uint32_t attrs);

/* Of the region that holds an address; NULL: none does. */
const struct insp_region *lint_region(const struct insp_machine *, cop_va);

/* What is known to be memory, and whether anything is. */
bool lint_knows_memory(const struct lint *);
bool lint_in_memory(const struct lint *, cop_pa start, uint64_t bytes);
/* The first addresses of [start, end) outside of it; start == end: none. */
struct insp_extent lint_outside(const struct lint *, cop_pa start, cop_pa end);
/* What the kernel manages. */
const struct insp_extent *lint_memory(const struct lint *, size_t *count);

/* Memory as seen through vmemmap. */
struct lint_vmemmap {
	cop_va base; /* of the struct page of frame 0, which need not be mapped */
	cop_va start, last;
	unsigned page_lg2, struct_lg2, section_lg2;
};
/* False: where it is is not known, or this tree does not have it. */
bool lint_vmemmap_of(const struct lint *, struct lint_vmemmap *);
cop_pa lint_vmemmap_pa(const struct lint_vmemmap *, cop_va);
cop_va lint_vmemmap_va(const struct lint_vmemmap *, cop_pa);

/* Facts of an architecture that formats do not say. */
bool lint_valid(const struct insp_tree *, uint64_t entry, unsigned level);
/* Bits in which the members of a contiguous run may differ. */
uint64_t lint_run_may_differ(const struct insp_tree *);
bool lint_high_half(const struct insp_tree *, cop_va);

/* Memory types as registers define them; two of different class must not map the same frame. */
enum lint_type { LINT_WB, LINT_WT, LINT_NC, LINT_UC, LINT_DEVICE, LINT_TYPES };
enum lint_type lint_type(const struct insp_tree *, uint64_t entry, unsigned level);
const char *lint_type_name(const struct insp_tree *, enum lint_type);

#endif
