/* SPDX-License-Identifier: MIT */
#ifndef COPPICE_STORIES_STAGE_SIM_H
#define COPPICE_STORIES_STAGE_SIM_H

#include "checker/explore.h"

/* Explores the story as it was compiled, for one format (enum cop_stage_format). */
struct checker_verdict stage_explore(uint32_t format, enum sim_memory_order, uint64_t bound, FILE *trace);
enum sim_memory_order stage_order(uint32_t format);

#endif
