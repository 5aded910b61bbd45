/* SPDX-License-Identifier: MIT */
#ifndef COPPICE_STORIES_STAGE_SIM_H
#define COPPICE_STORIES_STAGE_SIM_H

#include "checker/explore.h"

/* Of the sources of story, library and checker: without it a schedule says nothing. Made by the build. */
extern const char stage_version[];

/* Explores the story as it was compiled, for one format (enum cop_stage_format). */
struct checker_verdict stage_explore(uint32_t format, uint64_t bound, FILE *trace);
/* Runs one execution of it. */
struct checker_replay stage_replay(uint32_t format, const struct schedule *, FILE *trace);

#endif
