/* SPDX-License-Identifier: MIT */
/* Entries that hardware ignores and software does not: swapped, protected from all access, or just unlinked. */
#include <inttypes.h>

#include "inspect/lint/lint.h"

enum absent { SWAP, PROTNONE, MARKER, ABSENT };

struct counts {
	uint64_t entries[ABSENT];
	struct insp_run first[ABSENT];
};

/* Address bits 51 to 46 of an entry: set in what is inverted, clear in what could be memory in a cache. */
#define HIGH_ADDRESS (0x3fULL << 46)

static bool not_inverted(const struct lint *l, const struct insp_run *run)
{
	return l->tree->format->arch == COP_X86_64 && (run->kind == COP_LEAF || run->kind == COP_SWAP) &&
	       !(run->entry & 1) && !(run->entry & HIGH_ADDRESS);
}

static enum absent absent_of(const struct lint *l, const struct insp_run *run)
{
	if (not_inverted(l, run))
		return ABSENT;
	if (run->kind == COP_SWAP)
		return SWAP;
	if (run->kind == COP_MARKER)
		return MARKER;
	return run->kind == COP_LEAF && !lint_valid(l->tree, run->entry, run->level) ? PROTNONE : ABSENT;
}

static void begin(struct lint *l, void *state)
{
	struct counts *c = state;

	(void)l;
	*c = (struct counts){0};
}

static void run(struct lint *l, void *state, const struct insp_run *run)
{
	struct counts *c = state;
	const enum absent kind = absent_of(l, run);

	if (kind == ABSENT)
		return;
	if (c->entries[kind] == 0)
		c->first[kind] = *run;
	c->entries[kind] += run->count;
}

static void end(struct lint *l, void *state)
{
	static const char *const what[ABSENT] = {
		"swap or migration entries",
		"present only to software (protnone, or not accessed yet)",
		"left where a table was unlinked and its invalidation is not complete",
	};
	const struct counts *c = state;

	for (unsigned i = 0; i < ABSENT; i++) {
		struct insp_finding f;

		if (c->entries[i] == 0)
			continue;
		f = lint_of_run(l, &c->first[i]);
		f.entries = c->entries[i];
		f.bytes = 0;
		lint_report(l, &f, "%" PRIu64 " %s", c->entries[i],
			    i == PROTNONE && l->tree->format->arch == COP_X86_64
				    ? "present only to software, their addresses inverted (L1TF)"
				    : what[i]);
	}
}

const struct lint_rule lint_not_present = {
	.rule = {"not-present",
		 "entries that only software sees: swap, inverted, markers; counted",
		 INSP_NOTE,
		 {[COP_ARM64] = "DDI 0487 D8.3 (ignored by hardware)",
		  [COP_X86_64] = "SDM 3A 4.5 (P = 0)",
		  [COP_RISCV64] = "RISC-V Privileged, Sv39 (V = 0)",
		  [COP_S390X] = "SA22-7832 chapter 3 (I = 1)"}},
	.state = sizeof(struct counts),
	.begin = begin,
	.run = run,
	.end = end,
};

static void run_l1tf(struct lint *l, void *state, const struct insp_run *run)
{
	struct insp_finding f;

	(void)state;
	if (!not_inverted(l, run))
		return;
	f = lint_of_run(l, run);
	f.pa = run->entry & 0x000ffffffffff000ULL;
	lint_report(l, &f, "Not present, but its address is not inverted: a CPU may read what is cached of it");
}

const struct lint_rule lint_l1tf = {
	.rule = {"l1tf",
		 "an entry that is not present holds the address of memory (L1 terminal fault)",
		 INSP_ERROR,
		 {[COP_X86_64] = "Linux Documentation/admin-guide/hw-vuln/l1tf.rst"}},
	.run = run_l1tf,
};
