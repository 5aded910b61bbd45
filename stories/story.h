/* SPDX-License-Identifier: MIT */
/*
 * A story: actors on CPUs that use the library, and what must be true of every way in which they can meet.
 *
 * The same source runs on the simulated machine (every interleaving) and on the host (real threads, as it happens). What a
 * story needs of the machine beside the port is here; the stage of each machine provides it.
 */
#ifndef COPPICE_STORIES_STORY_H
#define COPPICE_STORIES_STORY_H

#include <coppice/tables.h>

/* The story's shared state: its own struct, its first byte at the address every actor gets. */
typedef struct cop_world cop_world;

/* Where a story or a variant applies. */
enum cop_stage_format {
	COP_ON_ARM64_4K = 1 << 0,
	COP_ON_ARM64_16K = 1 << 1,
	COP_ON_ARM64_64K = 1 << 2,
	COP_ON_X86_64 = 1 << 3,
	COP_ON_RISCV64 = 1 << 4,
	COP_ON_S390X = 1 << 5,
	COP_ON_ARM64 = COP_ON_ARM64_4K | COP_ON_ARM64_16K | COP_ON_ARM64_64K,
	COP_ON_ALL = (1 << 6) - 1,
	/* Where a valid entry is changed by stores, and invalidated afterwards. */
	COP_ON_STORES = COP_ON_ALL & ~COP_ON_S390X,
	/* Where stores overtake each other, and where not. */
	COP_ON_WEAK = COP_ON_ARM64 | COP_ON_RISCV64,
	COP_ON_TSO = COP_ON_X86_64 | COP_ON_S390X,
};

/**
 * struct cop_actor - one task
 * @cpu: where it runs; several tasks may share one and are preempted
 * @interrupt: it is no task: it interrupts that CPU once, at any point where its interrupts are on, and runs to its end
 */
struct cop_actor {
	const char *name; /* NULL ends the list */
	void (*run)(cop_world *);
	unsigned cpu;
	bool interrupt;
};

enum cop_outcome {
	COP_EXHAUSTED, /* every execution was run and is correct */
	COP_FAILS,     /* some execution breaks @rule */
};

/**
 * struct cop_variant - the story with the library as it is, or with a patch that breaks it
 * @name: "fixed", or what stories/<id>-<name>.patch does to the library
 * @outcome: on the simulated machine
 * @rule: which rule is broken there; NULL for none
 * @host_rule: which rule the host sees broken, NULL: it cannot see it
 * @formats: enum cop_stage_format, 0: all of the story's. A name may appear once more for other formats
 * @features: enum cop_feature, beside those of the story
 * @actors: in place of the story's; NULL: those
 * @bound: executions, where there are too many to run all: it is bounded then, as expected; 0: all are run
 * @reordered: it is the architecture's memory order that breaks it: sequentially consistent it is exhausted
 */
struct cop_variant {
	const char *name; /* NULL ends the list */
	enum cop_outcome outcome;
	const char *rule;
	const char *host_rule;
	uint32_t formats;
	uint32_t features;
	const struct cop_actor *actors;
	uint64_t bound;
	bool reordered;
};

struct cop_stage_at {
	const char *file;
	int line;
};
#define COP_STAGE_AT ((struct cop_stage_at){__FILE__, __LINE__})

/**
 * struct cop_story - a story
 * @at: where it is registered
 * @id, @title: its row among the stories
 * @origin: the thread it comes from
 * @formats: enum cop_stage_format
 * @features: enum cop_feature that the machine has too, where its architecture knows them
 * @pa_bytes: physical memory that it takes, bytes; NULL: COP_STAGE_PA_BYTES
 * @world: its state; @world_bytes: size of that
 * @setup: runs first, alone
 * @actors: run together
 * @check: runs last, alone; must free what is left: everything that is not free after it is a leak
 */
struct cop_story {
	struct cop_stage_at at;
	const char *id, *title, *origin;
	uint32_t formats, features;
	uint64_t (*pa_bytes)(const struct cop_geom *);
	cop_world *world;
	size_t world_bytes;
	void (*setup)(cop_world *);
	const struct cop_actor *actors;
	void (*check)(cop_world *);
	const struct cop_variant *variants;
};
extern const struct cop_story cop_story;

#define COP_STORY(...) const struct cop_story cop_story = {.at = {__FILE__, __LINE__}, __VA_ARGS__}

#define COP_STAGE_PA_BYTES (8ULL << 20)

/* The geometry of this run's format, for the kernel's half, and the first address that a story may map. */
struct cop_geom cop_stage_geom(void);
cop_va cop_stage_va(void);
const struct cop_format *cop_stage_format(void);

/* A frame of 1 << lg2 bytes for data; zero on failure never happens: a story that runs out fails. */
cop_pa cop_stage_alloc(unsigned lg2, const char *owner, struct cop_stage_at);
/* Memory at an address of the story's choice. */
void cop_stage_claim(cop_pa, uint64_t bytes, const char *owner, struct cop_stage_at);
/* Whoever gets it next may write to it: nobody may reach it any more. */
void cop_stage_free(cop_pa, uint64_t bytes, struct cop_stage_at);
struct cop_table_source cop_stage_tables(void);
/* From now on, or no longer, CPUs translate through the tree. */
void cop_stage_attach(struct cop_tree *);
void cop_stage_detach(struct cop_tree *);
/* CPUs that have @old load the tree's root. */
void cop_stage_grown(struct cop_tree *, cop_pa old);

struct cop_stage_probe {
	bool fault;
	uint64_t value;
};
/* One load through this CPU's translation, as hardware does it: it faults or it reads. */
struct cop_stage_probe cop_stage_probe(cop_va, struct cop_stage_at);
/* The caller claims that no CPU can reach the range any more. */
void cop_stage_gone(cop_va, uint64_t bytes, struct cop_stage_at);
/* An object in ordinary memory, the story's world for one, is no more: nobody may touch it. */
void cop_stage_object_gone(const void *, size_t bytes, struct cop_stage_at);
/* One of n ways for the story to go on, from 0: all of them are explored. */
unsigned cop_stage_choose(unsigned n, struct cop_stage_at);
COP_NORETURN void cop_stage_fail(const char *rule, const char *what, struct cop_stage_at);

#define COP_ALLOC(lg2, owner)       cop_stage_alloc((lg2), (owner), COP_STAGE_AT)
#define COP_CLAIM(pa, bytes, owner) cop_stage_claim((pa), (bytes), (owner), COP_STAGE_AT)
#define COP_FREE(pa, bytes)         cop_stage_free((pa), (bytes), COP_STAGE_AT)
#define COP_PROBE(va)               cop_stage_probe((va), COP_STAGE_AT)
#define COP_GONE(va, bytes)         cop_stage_gone((va), (bytes), COP_STAGE_AT)
#define COP_OBJECT_GONE(p)          cop_stage_object_gone((p), sizeof(*(p)), COP_STAGE_AT)
#define COP_CHOOSE(n)               cop_stage_choose((n), COP_STAGE_AT)
#define COP_ASSERT(cond)                                                                                               \
	do {                                                                                                           \
		if (!(cond))                                                                                           \
			cop_stage_fail("assert", #cond, COP_STAGE_AT);                                                 \
	} while (0)

#endif
