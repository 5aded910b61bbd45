/* SPDX-License-Identifier: MIT */
/* The tables themselves: linked twice, empty, or not to be had. */
#include <inttypes.h>
#include <string.h>

#include "inspect/lint/lint.h"

/* KASAN's shadow of what is not memory is one page, through tables linked everywhere. */
static bool shared_on_purpose(const struct lint *l, cop_va va)
{
	const struct insp_region *r = lint_region(l->machine, va);

	return r && (strstr(r->name, "KASAN") || strstr(r->name, "Kasan") || strstr(r->name, "kasan"));
}

static void again(struct lint *l, void *state, const struct insp_table *t, struct lint_seen seen)
{
	struct insp_finding f = lint_of_table(l, t);

	(void)state;
	if (seen.level != t->level) {
		lint_report(l, &f, "The table at %#" PRIx64 " is linked at level %u here and at level %u elsewhere",
			    t->pa, t->level + 1U, seen.level + 1U);
		return;
	}
	if (seen.tree != l->tree_index)
		return; /* address spaces share the kernel's tables */
	if (shared_on_purpose(l, t->va))
		f.severity = INSP_NOTE;
	lint_report(l, &f, "The table at %#" PRIx64 " is linked a second time", t->pa);
}

static void skip_cycle(struct lint *l, void *state, const struct insp_table *t, enum insp_skip why)
{
	struct insp_finding f = lint_of_table(l, t);

	(void)state;
	if (why == INSP_CYCLE)
		lint_report(l, &f, "The table at %#" PRIx64 " is one of its own parents", t->pa);
}

#define TABLES                                                                                                         \
	{                                                                                                              \
		[COP_ARM64] = "DDI 0487 D8.2", [COP_X86_64] = "SDM 3A 4.5",                                            \
		[COP_RISCV64] = "RISC-V Privileged, Sv39: Virtual Address Translation Process",                        \
		[COP_S390X] = "SA22-7832 chapter 3, Translation Process"                                               \
	}

const struct lint_rule lint_table_twice = {
	.rule = {"table-twice", "a table is linked twice, or at two levels", INSP_ERROR, TABLES},
	.again = again,
	.skip = skip_cycle,
};

/* Every entry empty: nothing will be unmapped from it any more, so nothing will free it. */
static void leave_empty(struct lint *l, void *state, const struct insp_table *t)
{
	struct insp_finding f;

	(void)state;
	if (t->parent == COP_PA_NONE || t->empty != t->entries)
		return;
	f = lint_of_table(l, t);
	lint_report(l, &f, "Empty, and not given back");
}

const struct lint_rule lint_empty_table = {
	.rule = {"empty-table", "a table is empty and was never given back", INSP_NOTE, TABLES},
	.leave = leave_empty,
};

/* What is not memory cannot be missing. */
static bool is_outside(const struct lint *l, const struct insp_table *t)
{
	const uint64_t bytes = COP_LG2(l->tree->format->index_bits(&l->tree->geom, t->level) + 3);

	return lint_knows_memory(l) && !lint_in_memory(l, t->pa, bytes);
}

static void skip_missing(struct lint *l, void *state, const struct insp_table *t, enum insp_skip why)
{
	struct insp_finding f = lint_of_table(l, t);

	(void)state;
	if (why == INSP_MISSING && !is_outside(l, t))
		lint_report(l, &f, "The input does not have the table: what it maps is not known");
	if (why == INSP_BUDGET)
		lint_report(l, &f, "Tables are linked so often that the scan stopped here");
}

const struct lint_rule lint_missing_table = {
	.rule = {"missing-table", "the input does not have a table that is linked", INSP_NOTE, TABLES},
	.skip = skip_missing,
};

static void outside(struct lint *l, const struct insp_table *t)
{
	struct insp_finding f;

	if (!is_outside(l, t))
		return;
	f = lint_of_table(l, t);
	lint_report(l, &f, "The table would lie at %#" PRIx64 ", where there is no memory", t->pa);
}

static void enter_outside(struct lint *l, void *state, const struct insp_table *t)
{
	(void)state;
	outside(l, t);
}

static void skip_outside(struct lint *l, void *state, const struct insp_table *t, enum insp_skip why)
{
	(void)state;
	if (why == INSP_MISSING)
		outside(l, t);
}

/* What lies between 640K and 1M is mapped with the memory around it (arch/x86/mm/init.c: ISA range). */
#define X86_ISA_END (1ULL << 20)

/*
 * Devices are outside of memory and mapped as such, except on riscv64, where only their physical attributes may say what
 * they are.
 */
static void report_outside(struct lint *l, const struct insp_run *run, struct insp_extent gap)
{
	const cop_pa first = COP_ALIGN_DOWN(gap.start - run->pa, COP_LG2(run->lg2));
	const unsigned skip = (unsigned)(first >> run->lg2);
	struct insp_finding f = lint_of_run(l, run);

	f.severity = INSP_WARNING;
	f.va += first;
	f.pa += first;
	f.index += skip;
	f.entry += skip * run->step;
	f.entries = (gap.end - run->pa - first + COP_LG2(run->lg2) - 1) >> run->lg2;
	f.bytes = f.entries << run->lg2;
	if (l->tree->format->arch == COP_RISCV64) {
		f.severity = INSP_NOTE;
		lint_report(l, &f, "No memory there: a device, if its physical attributes say so");
		return;
	}
	if (l->tree->format->arch == COP_X86_64 && gap.end <= X86_ISA_END) {
		f.severity = INSP_NOTE;
		lint_report(l, &f, "The ISA hole is mapped write-back; MTRRs decide what it is");
		return;
	}
	lint_report(l, &f, "Mapped as memory (write-back), but there is none");
}

static void run_outside(struct lint *l, void *state, const struct insp_run *run)
{
	const cop_pa end = run->pa + ((uint64_t)run->count << run->lg2);
	struct insp_extent gap;

	(void)state;
	if (run->kind != COP_LEAF || !lint_valid(l->tree, run->entry, run->level) || !lint_knows_memory(l))
		return;
	if (lint_type(l->tree, run->entry, run->level) != LINT_WB)
		return;
	for (gap = lint_outside(l, run->pa, end); gap.start < gap.end; gap = lint_outside(l, gap.end, end))
		report_outside(l, run, gap);
}

const struct lint_rule lint_outside_memory = {
	.rule = {"outside-memory", "an entry points where the machine has no memory", INSP_ERROR, TABLES},
	.run = run_outside,
	.enter = enter_outside,
	.skip = skip_outside,
};
