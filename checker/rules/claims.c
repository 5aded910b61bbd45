/* SPDX-License-Identifier: MIT */
/* Claims: what a story or the library itself says. */
#include "checker/rules/table.h"

static const struct checker_rule rules[] = {
	{
		.name = "assert",
		.meaning = "A story's claim does not hold.",
		.hardware = "COP_ASSERT() in a story's actors or its check: what it says in the story's own terms.",
		.wrong = "remove(memory)          fails: a page is in use\n"
			 "COP_ASSERT(removed)     <-\n",
		.right = "remove(memory)          fails: a page is in use\n"
			 "COP_ASSERT(removed || pinned)\n",
	},
	{
		.name = "boot-memmap",
		.meaning = "The library: the memmap of boot memory is to be taken down.",
		.hardware = "The memmap of boot memory was never allocated from the allocator, and has no end that a "
			    "section's removal may free.",
		.wrong = "boot(section 0)\n"
			 "remove(section 0)       <-\n",
		.right = "boot(section 0)\n"
			 "add(section 1)\n"
			 "remove(section 1)\n",
	},
	{
		.name = "memmap-not-mapped",
		.meaning = "The library: a memmap is to be taken down that is not there.",
		.hardware = "Somebody else has taken it down, and its frames are his: unmapping again would free them "
			    "twice.",
		.wrong = "remove(section)\n"
			 "remove(section)         <-\n",
		.right = "remove(section)\n"
			 "add(section)\n"
			 "remove(section)\n",
	},
	{
		.name = "linear-map-not-mapped",
		.meaning = "The library: rolling back, it does not find what it has mapped.",
		.hardware = "Rolling back takes out what its own operation put in; what is not there was unmapped by "
			    "somebody who was not to know it.",
		.wrong = "add(section)            fails half way\n"
			 "unmap what was mapped\n"
			 "unmap what was mapped   <-\n",
		.right = "add(section)            fails half way\n"
			 "unmap what was mapped   once, up to where it failed\n",
	},
	{
		.name = "vmalloc-not-mapped",
		.meaning = "The library: an area is to be unmapped that somebody else has unmapped.",
		.hardware = "The range may be somebody else's by now, whose pages would be unmapped under him.",
		.wrong = "vunmap(area)\n"
			 "vunmap(area)            <-\n",
		.right = "vunmap(area)\n"
			 "area = NULL             its addresses are the allocator's\n",
	},
	{
		.name = "isolated-frame-allocated",
		.meaning = "The library: a frame was handed out of a section that is isolated.",
		.hardware = "Offline counts on isolated frames to stay free: one that is handed out is in use in "
			    "memory that goes.",
		.wrong = "isolate(section)\n"
			 "evict(section)\n"
			 "alloc() takes a frame of the section\n"
			 "withdraw(section)       <- a frame is in use\n",
		.right = "isolate(section)\n"
			 "evict(section)\n"
			 "alloc() takes none of an isolated section\n"
			 "withdraw(section)\n",
	},
	{
		.name = "pincount-underflow",
		.meaning = "The library: a pin is dropped that nobody holds.",
		.hardware = "A folio that somebody else has pinned looks free to move, while a device writes to it.",
		.wrong = "pin(folio, 1)\n"
			 "unpin(folio, 2)         <-\n",
		.right = "pin(folio, 1)\n"
			 "unpin(folio, 1)\n",
	},
	{
		.name = "pfn-not-valid",
		.meaning = "A walker is sure that a frame has a struct page, instead of asking.",
		.hardware = "There is no struct page for it: its part of the memmap is unmapped or about to be.",
		.wrong = "A: entry = load(leaf)   a frame of the section\n"
			 "B: unmap; offline; remove: the section is gone\n"
			 "A: assert(pfn_valid(frame))  <-\n",
		.right = "A: entry = load(leaf)\n"
			 "B: unmap; offline; remove: the section is gone\n"
			 "A: pfn_valid(frame)?    no: give up, or walk again\n",
	},
	{
		.name = "wrong-page",
		.meaning = "A walker returns a page that was no longer the mapping's when it got its reference.",
		.hardware = "A reference holds the frame, not the mapping: between the look and the reference it "
			    "became somebody else's.",
		.wrong = "A: entry = load(leaf)   frame P\n"
			 "B: unmap; free(P); P = alloc()\n"
			 "A: get(P)               it is B's other page\n"
			 "A: return P             <- is leaf still entry?\n",
		.right = "A: entry = load(leaf)   frame P\n"
			 "B: unmap; free(P); P = alloc()\n"
			 "A: get(P)\n"
			 "A: load(leaf) != entry: put(P), and again\n",
	},
	{
		.name = "past-the-port",
		.meaning = "Shared memory is accessed by a pointer, not through the port.",
		.hardware = "No search can order an access that it does not see; on a real port it would be a plain "
			    "access to shared memory.",
		.wrong = "uint64_t *entry = cop_phys(table)\n"
			 "*entry = 0              <-\n",
		.right = "uint64_t *entry = cop_phys(table)\n"
			 "cop_store(entry, 0, relaxed)\n",
	},
	{
		.name = "crash",
		.meaning = "Story or library end the program: no such memory, a division by zero, no stack left.",
		.hardware = "The program that is checked ended in a signal; what it did last is reported with it.",
		.wrong = "struct thing *t = NULL\n"
			 "t->count++              <-\n",
		.right = "struct thing *t = &w->thing\n"
			 "t->count++\n",
	},
	{
		.name = "not-modelled",
		.meaning = "What the program does is right, and the machine cannot tell.",
		.hardware = "The machine would have to guess, and does not: the verdict would be about something else.",
		.wrong = "cop_await(cop_virt(va), v, v != 0)  <- through a translation\n",
		.right = "cop_await(cop_phys(pa), v, v != 0)\n",
	},
	{
		.name = "sim-limit",
		.meaning = "The machine that is simulated is too small for this program.",
		.hardware = "Tables of the simulated machine are of fixed size: memory, locations, steps of one "
			    "execution, callbacks.",
		.wrong = "while (alloc() != none) <- more than the story's machine has\n"
			 "        count++\n",
		.right = ".pa_bytes = what the story needs\n"
			 ".section and actors: as few as show it\n",
	},
};
const struct checker_rules checker_rules_claims = {"Claims", rules, sizeof(rules) / sizeof(*rules)};
