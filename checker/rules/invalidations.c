/* SPDX-License-Identifier: MIT */
/* Invalidations: whether they reach what was changed, in time and everywhere. */
#include "checker/rules/table.h"

static const struct checker_rule rules[] = {
	{
		.name = "still-mapped",
		.meaning = "A range is said to be gone, and the tables still map it.",
		.hardware = "A walk finds the entry again right after the invalidation, and nothing is gone.",
		.wrong = "unmap(va, 4 KB)\n"
			 "publish; tlbi(va, 8 KB); sync\n"
			 "gone(va, 8 KB)          <-\n",
		.right = "unmap(va, 8 KB)\n"
			 "publish; tlbi(va, 8 KB); sync\n"
			 "gone(va, 8 KB)\n",
	},
	{
		.name = "missing-invalidation",
		.meaning = "A translation that was taken out of the tables is never invalidated.",
		.hardware =
			"A TLB keeps a translation as long as it likes, and may have fetched it though nobody used it.",
		SOURCES,
		.wrong = "entry[0] = empty\n"
			 "publish\n"
			 "sync                    <- of what?\n"
			 "return 0\n",
		.right = "entry[0] = empty\n"
			 "publish\n"
			 "tlbi(va)\n"
			 "sync\n"
			 "return 0\n",
	},
	{
		.name = "narrow-invalidation",
		.meaning = "An invalidation does not reach what was changed: range or stride are too narrow.",
		.hardware = "TLBs drop what the operation names and no more: a contiguous run may be one entry there, "
			    "or sixteen.",
		SOURCES,
		.wrong = "entry[0..15] = empty    a contiguous run\n"
			 "publish\n"
			 "tlbi(va, 4 KB)          <- 15 are left\n"
			 "sync\n",
		.right = "entry[0..15] = empty\n"
			 "publish\n"
			 "tlbi(va, 64 KB)\n"
			 "sync\n",
	},
	{
		.name = "wrong-invalidation",
		.meaning =
			"An invalidation is of the wrong kind: leaves only for a table, another level, local for all.",
		.hardware = "An operation for leaves spares cached table entries, one for a level spares the others, a "
			    "local one spares other CPUs.",
		SOURCES,
		.wrong = "parent[0] = empty       unlinks a table\n"
			 "publish\n"
			 "tlbi(va, leaves only)   <-\n"
			 "sync\n",
		.right = "parent[0] = empty\n"
			 "publish\n"
			 "tlbi(va, tables too)\n"
			 "sync\n",
	},
	{
		.name = "wrong-asid",
		.meaning = "An invalidation is for another address space, or spares global entries.",
		.hardware = "Translations are tagged: an operation for one number leaves those of others, and global "
			    "ones unless it says so.",
		.arm64 = ARM "D8.16.3",
		.x86_64 = SDM "4.10.4.1",
		.riscv64 = RISCV "Supervisor Memory-Management Fence Instruction",
		.s390x = S390 "chapter 3, TLB",
		.wrong = "kernel: entry[0] = empty       it was global\n"
			 "publish\n"
			 "tlbi(va, asid 1)        <- global entries stay\n"
			 "sync\n",
		.right = "kernel: entry[0] = empty\n"
			 "publish\n"
			 "tlbi(va, all asids)\n"
			 "sync\n",
	},
	{
		.name = "early-invalidation",
		.meaning = "An invalidation comes before the change, or before it is published: a CPU may read the old "
			   "entry again.",
		.hardware = "Between the invalidation and the moment at which the store is seen a walk fetches the old "
			    "entry again.",
		.arm64 = ARM "B2.3, D8.16 (DSB before TLBI)",
		.x86_64 = SDM "4.10.4.2",
		.riscv64 = RISCV "Supervisor Memory-Management Fence Instruction",
		.s390x = S390 "chapter 3, TLB",
		.wrong = "tlbi(va)                <-\n"
			 "entry[0] = empty\n"
			 "publish\n"
			 "sync\n",
		.right = "entry[0] = empty\n"
			 "publish                 DSB: walks see it from here on\n"
			 "tlbi(va)\n"
			 "sync\n",
	},
	{
		.name = "unsynced-invalidation",
		.meaning = "An invalidation is issued, and nobody waits until it is complete everywhere.",
		.hardware = "The instruction only asks: it is complete when the barrier after it is, or when the other "
			    "CPUs have acknowledged.",
		.arm64 = ARM "D8.16 (DSB after TLBI)",
		.x86_64 = SDM "4.10.5",
		.riscv64 = RISCV "SBI RFENCE extension",
		.wrong = "entry[0] = empty\n"
			 "publish\n"
			 "tlbi(va)\n"
			 "return 0                <- DSB\n",
		.right = "entry[0] = empty\n"
			 "publish\n"
			 "tlbi(va)\n"
			 "sync                    DSB ISH; acknowledged by every CPU\n"
			 "return 0\n",
	},
};
const struct checker_rules checker_rules_invalidations = {"Invalidations", rules, sizeof(rules) / sizeof(*rules)};
