/* SPDX-License-Identifier: MIT */
/* The story programs: one for each variant of each story, built beside the tool. */
#ifndef CLI_CHECK_STORIES_H
#define CLI_CHECK_STORIES_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>

struct story_program {
	char story[32], variant[64];
	char *path;
};

struct story_programs {
	struct story_program *at; /* by story, the fixed variant first */
	size_t count;
};

/* Does not come back if there are none. */
struct story_programs stories_find(void);
/* None of them is an answer, too. */
struct story_programs stories_look(void);

/**
 * struct story_job - a program that runs, and what it has said
 * @cost: what costs more is begun earlier
 * @lines: JSON values, one for each line; NULL until it has ended
 * @status: of waitpid()
 */
struct story_job {
	const struct story_program *program;
	char *const *argv;
	unsigned cost;
	cJSON *lines;
	int status;
	/* private */
	int pid, fd;
	bool begun;
	char *text;
	size_t bytes;
};

/* Runs all, @parallel at a time. @tick: told now and then how many have ended, and one that has not; may be NULL. */
void stories_run(struct story_job *, size_t count, unsigned parallel,
		 void (*tick)(size_t ended, const struct story_job *, void *), void *arg);

/* What each story says of itself: an array of objects. */
cJSON *stories_info(const struct story_programs *);

/* Prints the trace of one execution, and comes back when that is done. */
void stories_trace(const struct story_program *, char *schedule);
/* Becomes the program, which runs one execution; comes back if there is no such program. */
void stories_replay(const struct story_program *, char *schedule, bool json, char *chrome);

#endif
