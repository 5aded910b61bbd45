/* SPDX-License-Identifier: MIT */
#ifndef COPPICE_STORIES_STAGE_SIM_H
#define COPPICE_STORIES_STAGE_SIM_H

#include "checker/explore.h"
#include "stories/story.h"

/* Of the sources of story, library and checker: without it a schedule says nothing. Made by the build. */
extern const char stage_version[];

/* The variant whose actors and features those explored from now on have. */
void stage_choose(const struct cop_variant *);
/* For those explored from now on; as in struct checker_program. */
void stage_limits(unsigned rounds, double seconds);
/* That of the format's architecture. */
enum sim_memory_order stage_order(uint32_t format);
/* Explores the story as it was compiled, for one format (enum cop_stage_format). */
struct checker_verdict stage_explore(uint32_t format, enum sim_memory_order, uint64_t bound, FILE *trace);
/* Runs one execution of it. */
struct checker_replay stage_replay(uint32_t format, enum sim_memory_order, const struct schedule *,
				   const struct checker_show *, FILE *trace);

/* stage_valid.c: false, after it said why. */
bool stage_valid(void);

/* stage_replay.c */
/* NULL: there is none of this name for the format. */
const struct cop_variant *stage_variant(const char *name, uint32_t format);
/* The string that `coppice replay` takes; NULL: nothing failed, or nothing that fails again. free() */
char *stage_schedule(const struct cop_variant *, uint32_t format, const struct checker_verdict *);
/* Exit status: 1 if it fails, 0 if it does not, 2 if the string is not for this program. */
int stage_replay_main(int argc, char **argv);

#endif
