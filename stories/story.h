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

struct cop_actor {
	const char *name; /* NULL ends the list */
	unsigned cpu;
	void (*run)(cop_world *);
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
 */
struct cop_variant {
	const char *name; /* NULL ends the list */
	enum cop_outcome outcome;
	const char *rule;
	const char *host_rule;
};

/**
 * struct cop_story - a story
 * @id, @title: its row among the stories
 * @origin: the thread it comes from
 * @world: its state; @world_bytes: size of that
 * @setup: runs first, alone
 * @actors: run together
 * @check: runs last, alone; must free what is left: everything that is not free after it is a leak
 */
struct cop_story {
	const char *id, *title, *origin;
	cop_world *world;
	size_t world_bytes;
	void (*setup)(cop_world *);
	const struct cop_actor *actors;
	void (*check)(cop_world *);
	const struct cop_variant *variants;
};
extern const struct cop_story cop_story;

#define COP_STORY(...) const struct cop_story cop_story = {__VA_ARGS__}

/* The part of virtual addresses that a story may map. Physical memory lies below COP_STAGE_PA_BYTES. */
#define COP_STAGE_VA       0xffff800000000000ULL
#define COP_STAGE_VA_BYTES (2ULL << 30)
#define COP_STAGE_PA_BYTES (8ULL << 20)

struct cop_stage_at {
	const char *file;
	int line;
};
#define COP_STAGE_AT ((struct cop_stage_at){__FILE__, __LINE__})

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

struct cop_stage_probe {
	bool fault;
	uint64_t value;
};
/* One load through this CPU's translation, as hardware does it: it faults or it reads. */
struct cop_stage_probe cop_stage_probe(cop_va, struct cop_stage_at);
/* The caller claims that no CPU can reach the range any more. */
void cop_stage_gone(cop_va, uint64_t bytes, struct cop_stage_at);
COP_NORETURN void cop_stage_fail(const char *rule, const char *what, struct cop_stage_at);

#define COP_ALLOC(lg2, owner)       cop_stage_alloc((lg2), (owner), COP_STAGE_AT)
#define COP_CLAIM(pa, bytes, owner) cop_stage_claim((pa), (bytes), (owner), COP_STAGE_AT)
#define COP_FREE(pa, bytes)         cop_stage_free((pa), (bytes), COP_STAGE_AT)
#define COP_PROBE(va)               cop_stage_probe((va), COP_STAGE_AT)
#define COP_GONE(va, bytes)         cop_stage_gone((va), (bytes), COP_STAGE_AT)
#define COP_ASSERT(cond)                                                                                               \
	do {                                                                                                           \
		if (!(cond))                                                                                           \
			cop_stage_fail("assert", #cond, COP_STAGE_AT);                                                 \
	} while (0)

#endif
