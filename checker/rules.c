/* SPDX-License-Identifier: MIT */
#include "checker/rules.h"

#include <string.h>

#define ARM     "Arm ARM DDI 0487 "
#define SDM     "Intel SDM volume 3A "
#define RISCV   "RISC-V Privileged, "
#define S390    "z/Architecture Principles of Operation, "
#define SOURCES ARM "D8.16", SDM "4.10.4", RISCV "Supervisor Memory-Management Fence Instruction", S390 "chapter 3, TLB"
/* Rules of the program, not of a machine. */
#define ANYWHERE "every machine", "every machine", "every machine", "every machine"

const struct checker_rule checker_rules[] = {
	/* Frames and tables. */
	{"freed-while-mapped", "A frame is freed while the tables still map it.", SOURCES,
	 "entry[0] = leaf(page)\n"
	 "...\n"
	 "free(page)              <- entry[0] still says so\n"
	 "entry[0] = empty\n"
	 "publish; tlbi(va); sync\n"},
	{"freed-while-translatable",
	 "A frame is freed while some CPU may still hold a translation that the tables no longer show.", SOURCES,
	 "entry[0] = empty\n"
	 "publish\n"
	 "tlbi(va)\n"
	 "free(page)              <- issued, not complete\n"
	 "sync\n"},
	{"freed-while-walkable", "A table is freed while some CPU's paging-structure cache may still name it.", SOURCES,
	 "parent[0] = empty       unlink an empty table\n"
	 "publish\n"
	 "tlbi(va, leaves only)   <- spares the paging-structure caches\n"
	 "sync\n"
	 "free(table)\n"},
	{"live-table-freed", "A table is freed that still maps something, and no leaf has taken its place.", ANYWHERE,
	 "table[0] = leaf(a); table[1] = leaf(b)\n"
	 "table[0] = empty        a's owner\n"
	 "parent[0] = empty       <- b is still mapped\n"
	 "publish; tlbi(va, tables); sync\n"
	 "free(table)\n"},
	{"use-after-free", "An access, translated or not, reaches a frame, or an object, that is free.", ANYWHERE,
	 "p = phys(page)\n"
	 "unmap(page)\n"
	 "sync\n"
	 "free(page)\n"
	 "read(p)                 <-\n"},
	{"walker-in-freed-table", "A software walker reads or writes a table that is free: it was not waited for.",
	 ANYWHERE,
	 "walker:  table = load(parent[0])\n"
	 "remover: parent[0] = empty; publish; tlbi; sync\n"
	 "remover: free(table)    <- no grace period\n"
	 "walker:  load(table[0])\n"},
	{"absent-memory", "An access reaches physical memory that has been taken out of the machine.", ANYWHERE,
	 "p = phys(frame)\n"
	 "offline(section)\n"
	 "remove(section)\n"
	 "punch(section)\n"
	 "read(p)                 <-\n"},
	{"wild-physical", "A physical address, given or translated to, is outside of memory.", ANYWHERE,
	 "memory is [0, 4 MB)\n"
	 "entry[0] = leaf(8 MB)\n"
	 "publish\n"
	 "read(virt(va))          <-\n"},
	{"double-free", "A frame is freed that is free.", ANYWHERE,
	 "unmap(page)\n"
	 "sync\n"
	 "free(page)\n"
	 "...\n"
	 "free(page)              <-\n"},
	{"leak", "Everything is over, and a frame was never freed.", ANYWHERE,
	 "table = alloc()\n"
	 "fill(table, empty)\n"
	 "cas(parent[0], empty -> table) fails\n"
	 "use the winner's table\n"
	 "return                  <- and ours?\n"},
	{"accounting", "Counters of tables or frames say something else than what is there.", ANYWHERE,
	 "table = alloc()         constructor: tables += 1\n"
	 "link(table)\n"
	 "...\n"
	 "unlink(table)\n"
	 "free(table)             <- no destructor\n"},
	{"free-reserved", "Memory that the allocator never handed out (boot memory) is given to it.", ANYWHERE,
	 "boot: memmap carved out of memory, reserved\n"
	 "offline(section)\n"
	 "remove(section)\n"
	 "unmap(memmap)\n"
	 "free(memmap's frames)   <- reserved\n"},
	{"frame-taken", "A story wants memory at an address that is in use.", ANYWHERE,
	 "claim(2 MB, 2 MB)\n"
	 "\n"
	 "claim(3 MB, 1 MB)       <-\n"},

	/* Entries. */
	{"break-before-make",
	 "A live entry is overwritten by a value that must not stand beside the old one: no break in between.",
	 ARM "D8.16.1", SDM "4.10.2.3, Programming the PAT", RISCV "Svpbmt",
	 S390 "chapter 3, Modification of Translation Tables",
	 "entry[0] = leaf(page, writable)\n"
	 "...\n"
	 "entry[0] = leaf(other, writable)  <- clear, tlbi, sync come first\n"
	 "publish; tlbi(va); sync\n"},
	{"unclean-make", "An entry is made valid while some CPU may still hold what was there before it was cleared.",
	 ARM "D8.16.1", SDM "4.10.2.3", RISCV "Svpbmt", S390 "chapter 3, Modification of Translation Tables",
	 "entry[0] = empty\n"
	 "publish\n"
	 "tlbi(va)\n"
	 "entry[0] = leaf(other)  <- not synced\n"
	 "sync\n"},
	{"live-entry-stored", "A valid entry is changed by a store where only an instruction may do so.", NULL, NULL,
	 NULL, S390 "chapter 3, Modification of Translation Tables; IPTE, IDTE, CRDTE",
	 "entry[0] = leaf(page)\n"
	 "...\n"
	 "store(entry[0], empty)  <- IPTE\n"},
	{"bad-encoding", "An entry of a table that hardware walks gets a reserved encoding.", ARM "D8.3", SDM "4.7",
	 RISCV "Sv39: Virtual Address Translation Process", S390 "chapter 3, Translation-Specification Exception",
	 "table = alloc()\n"
	 "link(table)\n"
	 "table[0] = valid | reserved bit  <-\n"},
	{"frozen-child", "An entry of an unlinked table is made valid while some CPU may still walk that table.",
	 SOURCES,
	 "parent[0] = empty       unlinks the table\n"
	 "publish\n"
	 "table[1] = leaf(page)   <- who invalidates that?\n"
	 "tlbi(va, tables); sync\n"
	 "free(table)\n"},
	{"linked-twice", "A table is linked that is linked already.", ANYWHERE,
	 "parent[0] = table\n"
	 "parent[1] = table       <-\n"},
	{"linked-uninitialised", "A table is linked with entries that nobody ever wrote.", ANYWHERE,
	 "table = alloc()\n"
	 "table[0] = leaf(page)\n"
	 "parent[0] = table       <- what is in table[1]?\n"},
	{"linked-unordered", "A table is linked by a store that what it holds may be seen after.", ARM "B2.3, D8.2.6",
	 NULL, RISCV "Supervisor Memory-Management Fence Instruction; RVWMO", NULL,
	 "table = alloc()\n"
	 "fill(table, empty)\n"
	 "table[0] = leaf(page)\n"
	 "store(parent[0], table, relaxed)  <- release\n"},
	{"unpublished-entry", "An address is accessed by a CPU that has stored an entry for it and not published that.",
	 ARM "B2.3 (a walk need not see a store before a DSB)", NULL,
	 RISCV "Supervisor Memory-Management Fence Instruction", NULL,
	 "entry[0] = leaf(page)\n"
	 "read(va)                <- publish comes first\n"},
	{"wild-table", "What is linked as a table is no table.", ANYWHERE,
	 "page = alloc(data)\n"
	 "fill(page, empty)\n"
	 "parent[0] = table(page) <-\n"},
	{"wrong-operand",
	 "An instruction that changes an entry is told another type of table, or another address, than the entry's.",
	 NULL, NULL, NULL,
	 S390 "INVALIDATE PAGE TABLE ENTRY, INVALIDATE DAT TABLE ENTRY, COMPARE AND REPLACE DAT TABLE ENTRY",
	 "for (; va < end; va += 1 MB)\n"
	 "        next = va + 1 MB\n"
	 "        idte(segment[i], next)  <- the next entry's address\n"
	 "        segment[i] = table\n"},
	{"lost-update", "An entry is overwritten that somebody else, or hardware, changed after it was read.",
	 ARM "D8.5", SDM "4.8", RISCV "Svadu", S390 "chapter 3, Modification of Translation Tables",
	 "old = load(entry)\n"
	 "hardware: entry |= dirty\n"
	 "store(entry, old & ~writable)  <- compare and swap\n"
	 "publish; tlbi(va); sync\n"
	 "write the page back?    it is clean\n"},
	{"asid-shared", "Two roots that translate the same half have one address space number.", ARM "D8.16.3",
	 SDM "4.10.1", RISCV "satp register", S390 "chapter 3, Address-Space-Control Element",
	 "load(root A, asid 1)\n"
	 "read(va)\n"
	 "load(root B, asid 1)    <- no invalidation of asid 1\n"
	 "read(va)                A's page\n"},

	/* Invalidations. */
	{"still-mapped", "A range is said to be gone, and the tables still map it.", ANYWHERE,
	 "unmap(va, 4 KB)\n"
	 "publish; tlbi(va, 8 KB); sync\n"
	 "gone(va, 8 KB)          <-\n"},
	{"missing-invalidation", "A translation that was taken out of the tables is never invalidated.", SOURCES,
	 "entry[0] = empty\n"
	 "publish\n"
	 "sync                    <- of what?\n"
	 "return 0\n"},
	{"narrow-invalidation", "An invalidation does not reach what was changed: range or stride are too narrow.",
	 SOURCES,
	 "entry[0..15] = empty    a contiguous run\n"
	 "publish\n"
	 "tlbi(va, 4 KB)          <- 15 are left\n"
	 "sync\n"},
	{"wrong-invalidation",
	 "An invalidation is of the wrong kind: leaves only for a table, another level, local for all.", SOURCES,
	 "parent[0] = empty       unlinks a table\n"
	 "publish\n"
	 "tlbi(va, leaves only)   <-\n"
	 "sync\n"},
	{"wrong-asid", "An invalidation is for another address space, or spares global entries.", ARM "D8.16.3",
	 SDM "4.10.4.1", RISCV "Supervisor Memory-Management Fence Instruction", S390 "chapter 3, TLB",
	 "kernel: entry[0] = empty       it was global\n"
	 "publish\n"
	 "tlbi(va, asid 1)        <- global entries stay\n"
	 "sync\n"},
	{"early-invalidation",
	 "An invalidation comes before the change, or before it is published: a CPU may read the old entry again.",
	 ARM "B2.3, D8.16 (DSB before TLBI)", SDM "4.10.4.2", RISCV "Supervisor Memory-Management Fence Instruction",
	 S390 "chapter 3, TLB",
	 "tlbi(va)                <-\n"
	 "entry[0] = empty\n"
	 "publish\n"
	 "sync\n"},
	{"unsynced-invalidation", "An invalidation is issued, and nobody waits until it is complete everywhere.",
	 ARM "D8.16 (DSB after TLBI)", SDM "4.10.5", RISCV "SBI RFENCE extension", NULL,
	 "entry[0] = empty\n"
	 "publish\n"
	 "tlbi(va)\n"
	 "return 0                <- DSB\n"},

	/* Accesses. */
	{"fault", "An access of the kernel finds no translation, or one that does not allow it.", ARM "D8.15",
	 SDM "4.7", RISCV "Sv39: Virtual Address Translation Process", S390 "chapter 3, Translation Exceptions",
	 "protect(va, read-only)\n"
	 "publish; tlbi(va); sync\n"
	 "write(virt(va))         <-\n"},
	{"struct-page-unmapped", "A struct page is accessed whose part of the memmap is not mapped, or no longer.",
	 ANYWHERE,
	 "walker:  pfn_valid(pfn)? yes\n"
	 "remover: unmap(memmap of the section)\n"
	 "remover: publish; tlbi; sync\n"
	 "walker:  load(page(pfn)->refcount)  <-\n"},
	{"struct-page-read-only",
	 "A struct page is written to whose part of the memmap is read-only; a compare-and-swap that fails is a write.",
	 ARM "D8.4, C6.2 (CAS)", SDM "8.1.2.2", RISCV "Zaamo, Zacas", S390 "COMPARE AND SWAP",
	 "protect(memmap of the tails, read-only)\n"
	 "publish; tlbi; sync\n"
	 "cas(page(tail)->refcount, 1 -> 2)  <- though it is 0\n"},
	{"reference-to-free-frame", "A reference is taken to a frame that nobody holds.", ANYWHERE,
	 "put(frame)              the last one\n"
	 "add(page(frame)->refcount, 1)  <- unless it is 0\n"},
	{"refcount-underflow", "A reference is put that nobody holds.", ANYWHERE,
	 "get(frame)\n"
	 "put(frame)\n"
	 "put(frame)\n"
	 "put(frame)              <-\n"},
	{"stale-copy", "A walker steps from a copy of an entry to what lies beside it, and returns pages of elsewhere.",
	 ANYWHERE,
	 "copy = load(root[0])    the step above is folded\n"
	 "end = end of that step  <- not of root[0]\n"
	 "walk(&copy, va, end)\n"
	 "at 2 GB: load((&copy)[1]), whatever that is\n"},

	/* Order. */
	{"data-race", "Two accesses to one location, a write among them and one of them plain, are ordered by nothing.",
	 ANYWHERE,
	 "A: write(x, 1)\n"
	 "A: store(flag, 1, relaxed)  <- release\n"
	 "B: await(flag, 1)\n"
	 "B: read(x)\n"},
	{"deadlock", "Nobody can go on.", ANYWHERE,
	 "task:    lock(l)        interrupts on\n"
	 "handler: lock(l)        <- on the same CPU\n"},
	{"livelock", "An execution does not end.", ANYWHERE,
	 "A: while (load(x) == 0) {\n"
	 "A:         store(y, 1)\n"
	 "A: }                    <- an await says what is waited for\n"},
	{"double-lock", "A lock is taken by who holds it.", ANYWHERE,
	 "lock(l)\n"
	 "...\n"
	 "lock(l)                 <-\n"},
	{"foreign-unlock", "A lock is released by who does not hold it.", ANYWHERE,
	 "A: lock(l)\n"
	 "B: unlock(l)            <-\n"},
	{"sleeps-in-atomic", "Something that waits for others is done where that is not allowed.", ANYWHERE,
	 "irq_save()\n"
	 "mutex_lock(m)           <-\n"},
	{"irq-unbalanced", "Interrupts are restored that were never saved.", ANYWHERE, "irq_restore(0)          <-\n"},
	{"rcu-unbalanced", "A read section ends that did not begin.", ANYWHERE,
	 "rcu_read_lock()\n"
	 "rcu_read_unlock()\n"
	 "rcu_read_unlock()       <-\n"},
	{"rcu-head-reused", "A head is deferred that waits for a grace period already.", ANYWHERE,
	 "defer(&page->rcu, free) lower half of the page\n"
	 "defer(&page->rcu, free) <- upper half\n"},
	{"rcu-head-touched", "Memory is read or written that is part of a head which waits for a grace period.",
	 ANYWHERE,
	 "defer(&page->rcu, free) overlays the links of a list\n"
	 "...\n"
	 "list_add(&page->list)   <- the other half of the page\n"},

	/* What a story or the library says. */
	{"assert", "A story's claim does not hold.", ANYWHERE, "COP_ASSERT(!cop_mem_remove(...))\n"},
	{"boot-memmap", "The library: the memmap of boot memory is to be taken down.", ANYWHERE,
	 "remove(section of boot memory)\n"},
	{"memmap-not-mapped", "The library: a memmap is to be taken down that is not there.", ANYWHERE,
	 "remove(section)\n"
	 "remove(section)         <-\n"},
	{"linear-map-not-mapped", "The library: rolling back, it does not find what it has mapped.", ANYWHERE,
	 "add(section)            fails half way\n"
	 "unmap what was mapped   <-\n"},
	{"vmalloc-not-mapped", "The library: an area is to be unmapped that somebody else has unmapped.", ANYWHERE,
	 "vunmap(area)\n"
	 "vunmap(area)            <-\n"},
	{"isolated-frame-allocated", "The library: a frame was handed out of a section that is isolated.", ANYWHERE,
	 "isolate(section)\n"
	 "evict(section)\n"
	 "withdraw(section)       <- a frame is in use\n"},
	{"pincount-underflow", "The library: a pin is dropped that nobody holds.", ANYWHERE,
	 "pin(folio, 1)\n"
	 "unpin(folio, 2)         <-\n"},
	{"pfn-not-valid", "A walker is sure that a frame has a struct page, instead of asking.", ANYWHERE,
	 "A: entry = load(leaf)   a frame of the section\n"
	 "B: unmap; offline; remove: the section is gone\n"
	 "A: assert(pfn_valid(frame))  <-\n"},
	{"wrong-page", "A walker returns a page that was no longer the mapping's when it got its reference.", ANYWHERE,
	 "A: entry = load(leaf)   frame P\n"
	 "B: unmap; free(P); P = alloc()\n"
	 "A: get(P)               it is B's other page\n"
	 "A: load(leaf) is still entry?  <- left out\n"},
	{"past-the-port", "Shared memory is accessed by a pointer, not through the port.", ANYWHERE,
	 "uint64_t *entry = cop_phys(table)\n"
	 "*entry = 0              <- cop_store(entry, 0, relaxed)\n"},
	{"crash", "Story or library end the program: no such memory, a division by zero, no stack left.", ANYWHERE,
	 "struct thing *t = NULL\n"
	 "t->count++              <-\n"},
	{"not-modelled", "What the program does is right, and the machine cannot tell.", ANYWHERE,
	 "cop_await() of a location that is reached through a translation\n"},
	{"sim-limit", "The machine that is simulated is too small for this program.", ANYWHERE,
	 "alloc() until there is no more\n"},
};
const size_t checker_rule_count = sizeof(checker_rules) / sizeof(*checker_rules);

const struct checker_rule *checker_rule(const char *name)
{
	for (size_t i = 0; i < checker_rule_count; i++) {
		if (!strcmp(checker_rules[i].name, name))
			return &checker_rules[i];
	}
	return NULL;
}
