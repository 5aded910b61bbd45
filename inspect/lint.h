/* SPDX-License-Identifier: MIT */
/*
 * What is wrong or wasted in the trees of a machine.
 *
 * Rules listen to one pass over each tree (insp_scan) and keep what does not grow with the number of leaves: 16 bytes per
 * table (which tables were seen), and 40 bytes per stretch of memory that is mapped other than write-back.
 */
#ifndef COPPICE_INSPECT_LINT_H
#define COPPICE_INSPECT_LINT_H

#include "inspect/scan.h"

enum insp_severity {
	INSP_NOTE,    /* worth knowing: waste, or what a kernel does on purpose */
	INSP_WARNING, /* wrong unless somebody meant it */
	INSP_ERROR,   /* wrong */
};

/**
 * struct insp_rule - what is looked for
 * @severity: of its findings, unless a finding says otherwise
 * @section: manual and section, by enum cop_arch; NULL: the architecture knows no such thing
 */
struct insp_rule {
	const char *name, *what;
	enum insp_severity severity;
	const char *section[4];
};

/**
 * struct insp_finding - one thing found, or a stretch of neighbouring entries with the same thing wrong
 * @va, @bytes: the virtual addresses concerned
 * @pa: that the entry maps or links; COP_PA_NONE: none
 * @table: that holds the entry, COP_PA_NONE: none does (the root itself, something that is not mapped)
 * @entries: how many entries of that kind, from @index of @table on
 * @level: of @table
 * @text: one sentence
 */
struct insp_finding {
	const struct insp_rule *rule;
	const struct insp_tree *tree;
	const char *section;
	enum insp_severity severity;
	cop_va va;
	uint64_t bytes;
	cop_pa pa, table;
	uint64_t entry, entries;
	unsigned index;
	uint8_t level;
	char text[200];
};

/**
 * struct insp_lint_options - what is wanted, and what else is known
 * @wanted: bit per rule, as insp_rules() numbers them; 0: all
 * @tree: name of the one tree that is wanted, NULL: all
 * @start, @last: the virtual addresses that are wanted; tables that reach into them count
 * @memory: what the kernel manages; none: the input's extents if they are the machine's memory
 * @known: with @memory: that, and what firmware keeps: where a mapping is no surprise
 */
struct insp_lint_options {
	uint32_t wanted;
	const char *tree;
	cop_va start, last;
	const struct insp_extent *memory, *known;
	size_t memory_count, known_count;
};

struct insp_linted {
	struct insp_scanned scanned;
	bool incomplete; /* no memory for bookkeeping: rules that compare saw only a part */
};

const struct insp_rule *insp_rule(unsigned i); /* NULL: no more */
const char *insp_severity_name(enum insp_severity);

/**
 * insp_lint() - look at all trees of a machine
 * @report: called for each finding, of each rule in address order; the finding is valid during the call
 */
struct insp_linted insp_lint(const struct insp_machine *, const struct insp_lint_options *,
			     void (*report)(void *, const struct insp_finding *), void *context);

#endif
