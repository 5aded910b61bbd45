/* SPDX-License-Identifier: MIT */
/* Accesses: what a translated access or a reference finds. */
#include "checker/rules/table.h"

static const struct checker_rule rules[] = {
	{
		.name = "fault",
		.meaning = "An access of the kernel finds no translation, or one that does not allow it.",
		.hardware = "The MMU finds no translation, or one that forbids the access: an exception where the "
			    "kernel has no handler for it.",
		.arm64 = ARM "D8.15",
		.x86_64 = SDM "4.7",
		.riscv64 = RISCV "Sv39: Virtual Address Translation Process",
		.s390x = S390 "chapter 3, Translation Exceptions",
		.wrong = "protect(va, read-only)\n"
			 "publish; tlbi(va); sync\n"
			 "write(virt(va))         <-\n",
		.right = "protect(va, writable)\n"
			 "publish; tlbi(va); sync\n"
			 "write(virt(va))\n",
	},
	{
		.name = "struct-page-unmapped",
		.meaning = "A struct page is accessed whose part of the memmap is not mapped, or no longer.",
		.hardware = "The memmap is mapped memory like any other: once its translation is gone an access "
			    "faults, in the middle of a walk.",
		.wrong = "walker:  pfn_valid(pfn)? yes\n"
			 "remover: unmap(memmap of the section)\n"
			 "remover: publish; tlbi; sync\n"
			 "walker:  load(page(pfn)->refcount)  <-\n",
		.right = "walker:  read section { pfn_valid(pfn)? load(page(pfn)->refcount) }\n"
			 "remover: section is gone; grace period\n"
			 "remover: unmap(memmap of the section)\n"
			 "remover: publish; tlbi; sync\n",
	},
	{
		.name = "struct-page-read-only",
		.meaning = "A struct page is written to whose part of the memmap is read-only; a compare-and-swap that "
			   "fails is a write.",
		.hardware = "A compare-and-swap asks for write permission before it compares: it faults on a read-only "
			    "page also where it would fail.",
		.arm64 = ARM "D8.4, C6.2 (CAS)",
		.x86_64 = SDM "8.1.2.2",
		.riscv64 = RISCV "Zaamo, Zacas",
		.s390x = S390 "COMPARE AND SWAP",
		.wrong = "protect(memmap of the tails, read-only)\n"
			 "publish; tlbi; sync\n"
			 "cas(page(tail)->refcount, 1 -> 2)  <- though it is 0\n",
		.right = "protect(memmap of the tails, read-only)\n"
			 "publish; tlbi; sync\n"
			 "load(page(tail)->refcount) != 0?  0: none is taken\n",
	},
	{
		.name = "reference-to-free-frame",
		.meaning = "A reference is taken to a frame that nobody holds.",
		.hardware = "The count is of no use to a frame that the allocator has: its next owner sets it, and a "
			    "put that follows frees it again.",
		.wrong = "put(frame)              the last one\n"
			 "add(page(frame)->refcount, 1)  <- unless it is 0\n",
		.right = "put(frame)\n"
			 "do\n"
			 "        n = load(page(frame)->refcount)\n"
			 "while (n && !cas(page(frame)->refcount, n, n + 1))\n"
			 "n?                      only then it is ours\n",
	},
	{
		.name = "refcount-underflow",
		.meaning = "A reference is put that nobody holds.",
		.hardware = "The count passes 0 twice, and the frame is freed twice; or it wraps, and is never freed.",
		.wrong = "get(frame)\n"
			 "put(frame)\n"
			 "put(frame)              the allocator's: it is free\n"
			 "put(frame)              <-\n",
		.right = "get(frame)\n"
			 "put(frame)              one for each get\n"
			 "put(frame)              the allocator's: it is free\n",
	},
	{
		.name = "stale-copy",
		.meaning = "A walker steps from a copy of an entry to what lies beside it, and returns pages of "
			   "elsewhere.",
		.hardware = "Folded levels have no table: a copy on the stack stands for an entry, and what lies "
			    "beside the copy is no entry.",
		.wrong = "copy = load(root[0])    the step above is folded\n"
			 "end = end of that step  <- not of root[0]\n"
			 "walk(&copy, va, end)\n"
			 "at 2 GB: load((&copy)[1]), whatever that is\n",
		.right = "entry = &root[0]        the table's own entry\n"
			 "walk(entry, va, end)\n"
			 "at 2 GB: load(entry[1])\n",
	},
};
const struct checker_rules checker_rules_accesses = {"Accesses", rules, sizeof(rules) / sizeof(*rules)};
