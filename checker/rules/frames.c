/* SPDX-License-Identifier: MIT */
/* Frames and tables: when something may be freed, and what is still free. */
#include "checker/rules/table.h"

static const struct checker_rule rules[] = {
	{
		.name = "freed-while-mapped",
		.meaning = "A frame is freed while the tables still map it.",
		.hardware = "A walk that begins later finds the entry, and whoever gets the frame next is read and "
			    "written by the one before.",
		SOURCES,
		.wrong = "entry[0] = leaf(page)\n"
			 "...\n"
			 "free(page)              <- entry[0] still says so\n"
			 "entry[0] = empty\n"
			 "publish; tlbi(va); sync\n",
		.right = "entry[0] = empty\n"
			 "publish; tlbi(va); sync\n"
			 "free(page)\n",
	},
	{
		.name = "freed-while-translatable",
		.meaning =
			"A frame is freed while some CPU may still hold a translation that the tables no longer show.",
		.hardware = "TLBs go on translating until an invalidation is complete, on every CPU: a TLB may have "
			    "fetched the entry at any moment while it was there, though no program asked.",
		SOURCES,
		.wrong = "entry[0] = empty\n"
			 "publish\n"
			 "tlbi(va)\n"
			 "free(page)              <- issued, not complete\n"
			 "sync\n",
		.right = "entry[0] = empty\n"
			 "publish\n"
			 "tlbi(va)\n"
			 "sync                    every CPU has dropped it\n"
			 "free(page)\n",
	},
	{
		.name = "freed-while-walkable",
		.meaning = "A table is freed while some CPU's paging-structure cache may still name it.",
		.hardware = "A paging-structure cache keeps the parent's entry: the next walk begins in the table, "
			    "whatever that memory is by then.",
		SOURCES,
		.wrong = "parent[0] = empty       unlink an empty table\n"
			 "publish\n"
			 "tlbi(va, leaves only)   <- spares the paging-structure caches\n"
			 "sync\n"
			 "free(table)\n",
		.right = "parent[0] = empty\n"
			 "publish\n"
			 "tlbi(va, tables too)\n"
			 "sync\n"
			 "free(table)\n",
	},
	{
		.name = "live-table-freed",
		.meaning = "A table is freed that still maps something, and no leaf has taken its place.",
		.hardware = "The tree is short of what somebody else has mapped and never unmapped: his next access "
			    "faults.",
		.wrong = "table[0] = leaf(a); table[1] = leaf(b)\n"
			 "table[0] = empty        a's owner\n"
			 "parent[0] = empty       <- b is still mapped\n"
			 "publish; tlbi(va, tables); sync\n"
			 "free(table)\n",
		.right = "table[0] = empty; count(table) -= 1\n"
			 "cas(count(table), 0 -> dead)?  no: b is counted\n"
			 "                        who brings the count to 0 frees the table\n",
	},
	{
		.name = "use-after-free",
		.meaning = "An access, translated or not, reaches a frame, or an object, that is free.",
		.hardware =
			"Nothing in hardware stops it: the access reads or overwrites what the next owner keeps there.",
		.wrong = "p = phys(page)\n"
			 "unmap(page)\n"
			 "sync\n"
			 "free(page)\n"
			 "read(p)                 <-\n",
		.right = "p = phys(page)\n"
			 "read(p)\n"
			 "unmap(page)\n"
			 "sync\n"
			 "free(page)\n",
	},
	{
		.name = "walker-in-freed-table",
		.meaning = "A software walker reads or writes a table that is free: it was not waited for.",
		.hardware = "A walker in software holds a table by its address; no invalidation reaches it, only "
			    "waiting does.",
		.wrong = "walker:  table = load(parent[0])\n"
			 "remover: parent[0] = empty; publish; tlbi; sync\n"
			 "remover: free(table)    <- no grace period\n"
			 "walker:  load(table[0])\n",
		.right = "walker:  read section { table = load(parent[0]); load(table[0]) }\n"
			 "remover: parent[0] = empty; publish; tlbi; sync\n"
			 "remover: defer(free, table)   after a grace period\n",
	},
	{
		.name = "absent-memory",
		.meaning = "An access reaches physical memory that has been taken out of the machine.",
		.hardware = "The bus answers with an error or with nothing: a machine check, an SError, ones.",
		.wrong = "p = phys(frame)\n"
			 "offline(section)\n"
			 "remove(section)\n"
			 "punch(section)\n"
			 "read(p)                 <-\n",
		.right = "p = phys(frame)\n"
			 "read(p)\n"
			 "offline(section); remove(section)\n"
			 "punch(section)          nobody has an address of it\n",
	},
	{
		.name = "wild-physical",
		.meaning = "A physical address, given or translated to, is outside of memory.",
		.hardware = "There is no memory at that address: the bus answers with an error, or a device does.",
		.wrong = "memory is [0, 4 MB)\n"
			 "entry[0] = leaf(8 MB)\n"
			 "publish\n"
			 "read(virt(va))          <-\n",
		.right = "memory is [0, 4 MB)\n"
			 "entry[0] = leaf(2 MB)\n"
			 "publish\n"
			 "read(virt(va))\n",
	},
	{
		.name = "double-free",
		.meaning = "A frame is freed that is free.",
		.hardware = "The allocator hands the frame out twice, and two owners overwrite each other.",
		.wrong = "unmap(page)\n"
			 "sync\n"
			 "free(page)\n"
			 "...\n"
			 "free(page)              <-\n",
		.right = "unmap(page)\n"
			 "sync\n"
			 "free(page)              by who unmapped it, and by nobody else\n",
	},
	{
		.name = "leak",
		.meaning = "Everything is over, and a frame was never freed.",
		.hardware = "Memory that nobody knows of is gone until the machine boots again.",
		.wrong = "table = alloc()\n"
			 "fill(table, empty)\n"
			 "cas(parent[0], empty -> table) fails\n"
			 "use the winner's table\n"
			 "return                  <- and ours?\n",
		.right = "table = alloc()\n"
			 "fill(table, empty)\n"
			 "cas(parent[0], empty -> table) fails\n"
			 "free(table)             nobody has seen it\n"
			 "use the winner's table\n",
	},
	{
		.name = "accounting",
		.meaning = "Counters of tables or frames say something else than what is there.",
		.hardware = "Who looks at the counter later frees a table that is in use, or never frees one: the "
			    "error shows far from its cause.",
		.wrong = "table = alloc()         constructor: tables += 1\n"
			 "link(table)\n"
			 "...\n"
			 "unlink(table)\n"
			 "free(table)             <- no destructor\n",
		.right = "table = alloc()         constructor: tables += 1\n"
			 "link(table)\n"
			 "unlink(table)\n"
			 "destructor(table)       tables -= 1\n"
			 "free(table)\n",
	},
	{
		.name = "free-reserved",
		.meaning = "Memory that the allocator never handed out (boot memory) is given to it.",
		.hardware = "Boot memory has no allocator's record: the free list gets a frame that is in no zone, or "
			    "that firmware uses.",
		.wrong = "boot: memmap carved out of memory, reserved\n"
			 "offline(section)\n"
			 "remove(section)\n"
			 "unmap(memmap)\n"
			 "free(memmap's frames)   <- reserved\n",
		.right = "unmap(memmap)\n"
			 "reserved(memmap's frames)?  put_reserved(them)\n"
			 "allocated?              free(them)\n",
	},
	{
		.name = "frame-taken",
		.meaning = "A story wants memory at an address that is in use.",
		.hardware =
			"It is a mistake of the story's setup: two of its parts would share memory without knowing.",
		.wrong = "claim(2 MB, 2 MB)\n"
			 "claim(3 MB, 1 MB)       <- [3 MB, 4 MB) is the first one's\n",
		.right = "claim(2 MB, 1 MB)\n"
			 "claim(3 MB, 1 MB)\n",
	},
};
const struct checker_rules checker_rules_frames = {"Frames and tables", rules, sizeof(rules) / sizeof(*rules)};
