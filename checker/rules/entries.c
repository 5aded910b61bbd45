/* SPDX-License-Identifier: MIT */
/* Entries: what may be written where, and when. */
#include "checker/rules/table.h"

static const struct checker_rule rules[] = {
	{
		.name = "break-before-make",
		.meaning = "A live entry is overwritten by a value that must not stand beside the old one: no break in "
			   "between.",
		.hardware =
			"Two CPUs, or two parts of one TLB, hold both translations at once: conflict aborts, lost "
			"coherence, memory that two attributes reach. An invalidation that comes after is too late.",
		.arm64 = ARM "D8.16.1",
		.x86_64 = SDM "4.10.2.3, Programming the PAT",
		.riscv64 = RISCV "Svpbmt",
		.s390x = S390 "chapter 3, Modification of Translation Tables",
		.wrong = "entry[0] = leaf(page, writable)\n"
			 "...\n"
			 "entry[0] = leaf(other, writable)  <- clear, tlbi, sync come first\n"
			 "publish; tlbi(va); sync\n",
		.right = "entry[0] = empty\n"
			 "publish; tlbi(va); sync\n"
			 "entry[0] = leaf(other, writable)\n"
			 "publish\n",
	},
	{
		.name = "unclean-make",
		.meaning = "An entry is made valid while some CPU may still hold what was there before it was cleared.",
		.hardware = "The old translation lives in TLBs until the sync: with the new one valid both are there, "
			    "as if nothing had been broken.",
		.arm64 = ARM "D8.16.1",
		.x86_64 = SDM "4.10.2.3",
		.riscv64 = RISCV "Svpbmt",
		.s390x = S390 "chapter 3, Modification of Translation Tables",
		.wrong = "entry[0] = empty\n"
			 "publish\n"
			 "tlbi(va)\n"
			 "entry[0] = leaf(other)  <- not synced\n"
			 "sync\n",
		.right = "entry[0] = empty\n"
			 "publish\n"
			 "tlbi(va)\n"
			 "sync\n"
			 "entry[0] = leaf(other)\n",
	},
	{
		.name = "live-entry-stored",
		.meaning = "A valid entry is changed by a store where only an instruction may do so.",
		.hardware = "Hardware reads entries in pieces and keeps copies that only IPTE, IDTE, CRDTE, CSPG and "
			    "RDP find; a store leaves the copies, and may be seen half.",
		.s390x = S390 "chapter 3, Modification of Translation Tables; IPTE, IDTE, CRDTE",
		.wrong = "entry[0] = leaf(page)\n"
			 "...\n"
			 "store(entry[0], empty)  <- IPTE\n",
		.right = "entry[0] = leaf(page)\n"
			 "...\n"
			 "ipte(entry[0], va)      invalid everywhere, and in no TLB\n"
			 "store(entry[0], empty)  it is invalid: stores are free\n",
	},
	{
		.name = "bad-encoding",
		.meaning = "An entry of a table that hardware walks gets a reserved encoding.",
		.hardware = "A walk that meets it faults, with a reserved-bit or translation-specification exception, "
			    "in the kernel's own accesses.",
		.arm64 = ARM "D8.3",
		.x86_64 = SDM "4.7",
		.riscv64 = RISCV "Sv39: Virtual Address Translation Process",
		.s390x = S390 "chapter 3, Translation-Specification Exception",
		.wrong = "table = alloc()\n"
			 "link(table)\n"
			 "table[0] = valid | reserved bit  <-\n",
		.right = "table = alloc()\n"
			 "link(table)\n"
			 "table[0] = encode(leaf, level, attributes)\n",
	},
	{
		.name = "frozen-child",
		.meaning = "An entry of an unlinked table is made valid while some CPU may still walk that table.",
		.hardware = "A CPU that still has the parent's entry caches walks into the table and fetches the new "
			    "entry; the invalidation that was for the table as it was unlinked does not count what "
			    "comes later.",
		SOURCES,
		.wrong = "parent[0] = empty       unlinks the table\n"
			 "publish\n"
			 "table[1] = leaf(page)   <- who invalidates that?\n"
			 "tlbi(va, tables); sync\n"
			 "free(table)\n",
		.right = "parent[0] = empty\n"
			 "publish\n"
			 "tlbi(va, tables); sync  nobody walks it any more\n"
			 "table[1] = leaf(page)   it may serve somewhere else now\n",
	},
	{
		.name = "linked-twice",
		.meaning = "A table is linked that is linked already.",
		.hardware = "Two ranges of addresses share their entries: unmapping one unmaps the other, and the "
			    "table is freed twice.",
		.wrong = "parent[0] = table\n"
			 "parent[1] = table       <-\n",
		.right = "parent[0] = table\n"
			 "parent[1] = copy(table)\n",
	},
	{
		.name = "linked-uninitialised",
		.meaning = "A table is linked with entries that nobody ever wrote.",
		.hardware = "The walk takes what was in memory before for an entry, and caches what it seems to map.",
		.wrong = "table = alloc()\n"
			 "table[0] = leaf(page)\n"
			 "parent[0] = table       <- what is in table[1]?\n",
		.right = "table = alloc()\n"
			 "fill(table, empty)\n"
			 "table[0] = leaf(page)\n"
			 "parent[0] = table\n",
	},
	{
		.name = "linked-unordered",
		.meaning = "A table is linked by a store that what it holds may be seen after.",
		.hardware = "Stores to different locations may become visible in another order: a walk finds the table "
			    "before what was filled in.",
		.arm64 = ARM "B2.3, D8.2.6",
		.riscv64 = RISCV "Supervisor Memory-Management Fence Instruction; RVWMO",
		.wrong = "table = alloc()\n"
			 "fill(table, empty)\n"
			 "table[0] = leaf(page)\n"
			 "store(parent[0], table, relaxed)  <- release\n",
		.right = "table = alloc()\n"
			 "fill(table, empty)\n"
			 "table[0] = leaf(page)\n"
			 "store(parent[0], table, release)\n",
	},
	{
		.name = "unpublished-entry",
		.meaning = "An address is accessed by a CPU that has stored an entry for it and not published that.",
		.hardware = "A walk is no load of the program: on arm64 and riscv64 it need not see an older store of "
			    "its own CPU before a barrier, and faults on what was just mapped.",
		.arm64 = ARM "B2.3 (a walk need not see a store before a DSB)",
		.riscv64 = RISCV "Supervisor Memory-Management Fence Instruction",
		.wrong = "entry[0] = leaf(page)\n"
			 "read(va)                <- publish comes first\n",
		.right = "entry[0] = leaf(page)\n"
			 "publish                 DSB ISHST; ISB, sfence.vma\n"
			 "read(va)\n",
	},
	{
		.name = "wild-table",
		.meaning = "What is linked as a table is no table.",
		.hardware = "A walk goes on in memory that holds something else, and takes data for entries.",
		.wrong = "page = alloc(data)\n"
			 "fill(page, empty)\n"
			 "parent[0] = table(page) <-\n",
		.right = "table = alloc(table)\n"
			 "fill(table, empty)\n"
			 "parent[0] = table(table)\n",
	},
	{
		.name = "wrong-operand",
		.meaning = "An instruction that changes an entry is told another type of table, or another address, "
			   "than the entry's.",
		.hardware = "IDTE and its like find the entry by the table's origin and the address: with another "
			    "address it is another entry's copies that go, and this one's stay.",
		.s390x = S390
		"INVALIDATE PAGE TABLE ENTRY, INVALIDATE DAT TABLE ENTRY, COMPARE AND REPLACE DAT TABLE ENTRY",
		.wrong = "for (; va < end; va += 1 MB)\n"
			 "        next = va + 1 MB\n"
			 "        idte(segment[i], next)  <- the next entry's address\n"
			 "        segment[i] = table\n",
		.right = "for (; va < end; va += 1 MB)\n"
			 "        idte(segment[i], va)\n"
			 "        segment[i] = table\n",
	},
	{
		.name = "lost-update",
		.meaning = "An entry is overwritten that somebody else, or hardware, changed after it was read.",
		.hardware = "Hardware sets accessed and dirty bits in the entry by itself, between any load and any "
			    "store of a program.",
		.arm64 = ARM "D8.5",
		.x86_64 = SDM "4.8",
		.riscv64 = RISCV "Svadu",
		.s390x = S390 "chapter 3, Modification of Translation Tables",
		.wrong = "old = load(entry)\n"
			 "hardware: entry |= dirty\n"
			 "store(entry, old & ~writable)  <- compare and swap\n"
			 "publish; tlbi(va); sync\n"
			 "write the page back?    it is clean\n",
		.right = "do\n"
			 "        old = load(entry)\n"
			 "while (!cas(entry, old, old & ~writable))\n"
			 "publish; tlbi(va); sync\n"
			 "write the page back if old was dirty\n",
	},
	{
		.name = "asid-shared",
		.meaning = "Two roots that translate the same half have one address space number.",
		.hardware = "TLBs tell address spaces apart by this number alone: one space runs on the other's "
			    "translations.",
		.arm64 = ARM "D8.16.3",
		.x86_64 = SDM "4.10.1",
		.riscv64 = RISCV "satp register",
		.s390x = S390 "chapter 3, Address-Space-Control Element",
		.wrong = "load(root A, asid 1)\n"
			 "read(va)\n"
			 "load(root B, asid 1)    <- no invalidation of asid 1\n"
			 "read(va)                A's page\n",
		.right = "load(root A, asid 1)\n"
			 "read(va)\n"
			 "load(root B, asid 2)\n"
			 "read(va)                B's page\n",
	},
};
const struct checker_rules checker_rules_entries = {"Entries", rules, sizeof(rules) / sizeof(*rules)};
