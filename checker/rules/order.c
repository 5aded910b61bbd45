/* SPDX-License-Identifier: MIT */
/* Order: between CPUs, and what waits for what. */
#include "checker/rules/table.h"

static const struct checker_rule rules[] = {
	{
		.name = "data-race",
		.meaning = "Two accesses to one location, a write among them and one of them plain, are ordered by "
			   "nothing.",
		.hardware = "Compiler and CPU may tear, repeat or reorder a plain access: what the other sees is not "
			    "one of the values written.",
		.wrong = "A: write(x, 1)\n"
			 "A: store(flag, 1, relaxed)  <- release\n"
			 "B: await(flag, 1)\n"
			 "B: read(x)\n",
		.right = "A: write(x, 1)\n"
			 "A: store(flag, 1, release)\n"
			 "B: await(flag, 1)       acquires\n"
			 "B: read(x)\n",
	},
	{
		.name = "deadlock",
		.meaning = "Nobody can go on.",
		.hardware = "Each waits for what another holds or would have to do, and no event is left.",
		.wrong = "task:    lock(l)        interrupts on\n"
			 "handler: lock(l)        <- on the same CPU\n",
		.right = "task:    irq_save(); lock(l)\n"
			 "task:    unlock(l); irq_restore()\n"
			 "handler: lock(l)        comes after\n",
	},
	{
		.name = "livelock",
		.meaning = "An execution does not end.",
		.hardware = "The machine is busy and goes nowhere: in one order of events the loop has no end.",
		.wrong = "A: while (load(x) == 0) {\n"
			 "A:         store(y, 1)\n"
			 "A: }                    <- an await says what is waited for\n",
		.right = "A: store(y, 1)\n"
			 "A: await(x, value != 0)\n",
	},
	{
		.name = "double-lock",
		.meaning = "A lock is taken by who holds it.",
		.hardware = "The lock is not recursive: its holder waits for himself.",
		.wrong = "lock(l)\n"
			 "...\n"
			 "lock(l)                 <-\n",
		.right = "lock(l)\n"
			 "...\n"
			 "unlock(l)\n"
			 "lock(l)\n",
	},
	{
		.name = "foreign-unlock",
		.meaning = "A lock is released by who does not hold it.",
		.hardware = "The holder goes on as if he were alone, and the next one is let in.",
		.wrong = "A: lock(l)\n"
			 "B: unlock(l)            <-\n",
		.right = "A: lock(l)\n"
			 "A: unlock(l)\n"
			 "B: lock(l)\n"
			 "B: unlock(l)\n",
	},
	{
		.name = "sleeps-in-atomic",
		.meaning = "Something that waits for others is done where that is not allowed.",
		.hardware = "Who sleeps gives the CPU away: with interrupts off or a spinlock held nobody may take it, "
			    "and what is waited for may need this CPU.",
		.wrong = "irq_save()\n"
			 "mutex_lock(m)           <-\n"
			 "irq_restore()\n",
		.right = "mutex_lock(m)\n"
			 "irq_save()\n"
			 "irq_restore()\n"
			 "mutex_unlock(m)\n",
	},
	{
		.name = "irq-unbalanced",
		.meaning = "Interrupts are restored that were never saved.",
		.hardware = "Interrupts come on inside a section of somebody further up, who still has them off.",
		.wrong = "irq_restore(0)          <-\n",
		.right = "flags = irq_save()\n"
			 "irq_restore(flags)\n",
	},
	{
		.name = "rcu-unbalanced",
		.meaning = "A read section ends that did not begin.",
		.hardware = "The section of somebody further up ends early, and grace periods no longer wait for him.",
		.wrong = "rcu_read_lock()\n"
			 "rcu_read_unlock()\n"
			 "rcu_read_unlock()       <-\n",
		.right = "rcu_read_lock()\n"
			 "rcu_read_unlock()\n",
	},
	{
		.name = "rcu-head-reused",
		.meaning = "A head is deferred that waits for a grace period already.",
		.hardware = "The head is a link in the list of callbacks: linked twice the list loses what follows, or "
			    "never ends.",
		.wrong = "defer(&page->rcu, free) lower half of the page\n"
			 "defer(&page->rcu, free) <- upper half\n",
		.right = "lower half: pending |= 1; pending was 0?  defer(&page->rcu, free)\n"
			 "upper half: pending |= 2; it was not: the callback takes both\n",
	},
	{
		.name = "rcu-head-touched",
		.meaning = "Memory is read or written that is part of a head which waits for a grace period.",
		.hardware = "The head's words are the callback list's until it has run: whoever overlays them breaks "
			    "the list, or reads its links.",
		.wrong = "defer(&page->rcu, free) overlays the links of a list\n"
			 "...\n"
			 "list_add(&page->list)   <- the other half of the page\n",
		.right = "defer(&page->rcu, free)\n"
			 "...\n"
			 "pending?                the page goes on no list before the callback\n",
	},
};
const struct checker_rules checker_rules_order = {"Order", rules, sizeof(rules) / sizeof(*rules)};
