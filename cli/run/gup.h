/* SPDX-License-Identifier: MIT */
/* Threads that get and pin the pages of an address space while it and its memory change, and know which pages these may be. */
#ifndef CLI_RUN_GUP_H
#define CLI_RUN_GUP_H

#include "cli/run/machine.h"

/* One thread's. */
struct gup_count {
	uint64_t calls;
	uint64_t pages;    /* obtained; each was looked at */
	uint64_t pinned;   /* of these, pins */
	uint64_t longterm; /* of these, for an unlimited time */
	uint64_t locked;   /* calls that began with the lock */
	uint64_t partial;  /* calls that got fewer pages than asked for, or none */
	uint64_t refused;  /* of these, because the page may not be kept */
	uint64_t again;    /* pages pinned twice, with what the mapping had done in between */
	uint64_t wrong;
};

/* What the address space went through. */
enum gup_event {
	GUP_SPACES,
	GUP_GROWN,
	GUP_FAULTS,
	GUP_DISCARDS,
	GUP_REMAPS,
	GUP_PROTECTS,
	GUP_FORKS,
	GUP_EVICTIONS,
	GUP_FOLIOS_MADE,
	GUP_MOVES,
	GUP_VACATED,
	GUP_NO_MEMORY,
	GUP_EVENTS,
};
extern const char *const gup_event_names[GUP_EVENTS];

struct gup_result {
	struct gup_count *thread; /* of each thread; NULL: there were none */
	unsigned threads;
	unsigned levels, levels_last; /* of an address space at first and at last */
	bool fragments;               /* leaf tables came from the fragment allocator */
	uint64_t events[GUP_EVENTS];
	uint64_t wrong;
	/* Found when all was over. */
	uint64_t frames_left, references_left, pins_left, fragments_left;
	char first_wrong[192];
};

struct gup;

/* CPUs that gup_start() takes, from options->cpus + options->readers on: the threads, and one that changes the space. */
unsigned gup_cpus(const struct run_options *);

/* Exits with a message where the host gives no threads. NULL if none are asked for. */
struct gup *gup_start(struct run_machine *);

/* Stops them, takes the space down and counts what is left. */
struct gup_result gup_stop(struct gup *);
void gup_result_free(struct gup_result *);

/* Has anybody seen something wrong? */
bool gup_found(const struct gup *);

/* Empties a block of frames that is being offlined: the contents go. 0 or a negative errno. */
int gup_vacate(struct gup *, cop_pfn, unsigned order);

/* Pages, references or pins that must not be there. */
static inline uint64_t gup_findings(const struct gup_result *r)
{
	return r->wrong + r->frames_left + r->pins_left + r->fragments_left;
}

#endif
