/* SPDX-License-Identifier: MIT */
/* Which format a stage's run is for. */
#ifndef COPPICE_STORIES_STAGE_FORMAT_H
#define COPPICE_STORIES_STAGE_FORMAT_H

#include "stories/story.h"

#define STAGE_FORMATS 6

const char *stage_format_name(uint32_t bit);  /* NULL: none */
uint32_t stage_format_bits(const char *name); /* of a format or of an architecture; 0: none */
void stage_format_choose(uint32_t bit);
/* enum cop_feature that the machine has beside the usual ones, where its architecture knows them. */
void stage_format_features(uint32_t features);

#endif
