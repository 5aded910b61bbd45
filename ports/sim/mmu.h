/* SPDX-License-Identifier: MIT */
/* Shared by the files of the simulated MMU: items, the walk over them, and what invalidations do to them. */
#ifndef COPPICE_PORTS_SIM_MMU_H
#define COPPICE_PORTS_SIM_MMU_H

#include "ports/sim/sim.h"

struct sim_invalidation {
	struct cop_tlbi what;
	uint64_t issued; /* nothing read after this moment is dropped */
	uint64_t asked;  /* when it was asked for: later than @issued if stores were not yet published */
	uint64_t done;   /* SIM_FOREVER: not complete */
	unsigned cpu;    /* the coroutine that issued it */
	unsigned on;     /* its CPU */
};

/* One entry's value that a CPU may have read. */
struct sim_item {
	const struct sim_tree *tree;
	cop_pa word;
	struct sim_value value;
	enum cop_kind kind; /* to hardware */
	bool cont, global, keepable;
	unsigned level;
	cop_va va;
	uint64_t bytes; /* of addresses that it translates: more than its own where it stands for a contiguous run */
	cop_pa pa;      /* COP_LEAF: of @va; COP_TABLE: of the table */
	bool current;   /* it and all above are what the tables say now */
	bool changed;   /* it or one above has been written to in this execution */
	bool kept;      /* may be kept now */
	bool readable;  /* may be read now: the table it is in may be reached */
	const struct sim_item *above;
};

struct sim_walk {
	unsigned on;        /* whose TLB */
	cop_va start, last; /* which addresses are asked about */
	bool exact;         /* only by the entries of that one address, not by runs that its neighbours are of */
	bool stale;         /* only what the tables no longer say */
	bool changed;       /* it came by a word that has changed */
	uint64_t epoch;     /* the root's entry is read no earlier */
	uint64_t root_read;
	void (*visit)(const struct sim_item *, struct sim_walk *);
	void *arg;
	void (*touch)(const void *);
};

/* What an entry says; good until the next one is asked about. */
struct sim_entry {
	uint64_t value;
	cop_pa pa;                    /* COP_LEAF: of the entry itself; COP_TABLE: of the table */
	enum cop_kind kind, hardware; /* to software, to hardware */
	uint8_t level, coding;
	bool cont, global;
	bool keepable; /* a copy may be kept: always of a table's */
};
const struct sim_entry *sim_decode(const struct sim_tree *, uint64_t entry, unsigned level);
void sim_decode_on(void);
/* Fills in what follows from format and geometry. */
void sim_tree_coding(struct sim_tree *);

uint64_t sim_span(const struct sim_tree *, unsigned level);
/* What entry i of a table around va translates; the upper half of a root may be sign-extended. */
cop_va sim_entry_va(const struct sim_tree *, cop_va va, unsigned level, uint64_t i);
void sim_walk_tree(struct sim_walk *, const struct sim_tree *);
/* Asks about [start, last] in every attached tree and of every CPU. */
void sim_walk_all(struct sim_walk *, cop_va start, cop_va last);
bool sim_translates(const struct sim_tree *, cop_va);
enum cop_kind sim_hardware_kind(const struct sim_tree *, uint64_t entry, unsigned level);

/* What an entry says is at the other end of it: a table, or memory; no bytes: nothing. */
struct sim_target {
	cop_pa pa;
	uint64_t bytes;
};
struct sim_target sim_target_of(const struct sim_tree *, uint64_t entry, unsigned level);

/* names.c */
void sim_names_on(void);
void sim_names_off(void);
void sim_name(cop_pa word, cop_pa pa, uint64_t bytes);
/* Every word that may name something in the range, some of them more than once. */
void sim_names_of(cop_pa, uint64_t bytes, void (*found)(cop_pa word, void *), void *arg);

/* inval.c */
#define SIM_INVALIDATIONS 1024
extern struct sim_invalidations {
	unsigned count;
	bool local; /* one of them is: CPUs differ */
	struct sim_invalidation at[SIM_INVALIDATIONS];
} sim_inval;
bool sim_covers(const struct sim_invalidation *, unsigned on, const struct sim_item *);
/* Cheap: false if it cannot, for its addresses. */
static inline bool sim_may_cover(const struct sim_invalidation *i, const struct sim_item *item)
{
	return (i->what.scope & COP_TLBI_ASID) ||
	       (i->what.start <= item->va + (item->bytes - 1) && i->what.last >= item->va);
}
/* Why is it still kept? Of what has been tried, the nearest. */
struct sim_cause {
	const char *rule, *text;
	struct sim_at at; /* where what it was read from was overwritten */
};
struct sim_cause sim_cause_of(const struct sim_item *, unsigned on);
/* The first item of the path, from the root down, that is not what the tables say now; NULL: all of it is. */
const struct sim_item *sim_first_changed(const struct sim_item *);

#endif
