/* SPDX-License-Identifier: MIT */
/* A stage with address spaces: user threads of any of them run on any CPU. On the simulated machine only. */
#ifndef COPPICE_STORIES_SPACE_H
#define COPPICE_STORIES_SPACE_H

#include "stories/memory.h"

#include <coppice/spaces.h>

/* What CPUs have of the user's half, by this run's format, and an address that a story may map at. */
struct cop_geom cop_stage_user_geom(void);
cop_va cop_stage_user_va(void);
/* From now on, or no longer, user threads of the space run. To be detached before it is destroyed. */
void cop_stage_space_attach(struct cop_space *);
void cop_stage_space_detach(struct cop_space *);

/*
 * One access by a user thread, through this CPU's translation as hardware does it. A fault is taken by the library, and the
 * access repeated.
 */
uint64_t cop_stage_user_read(struct cop_space *, cop_va, struct cop_stage_at);
void cop_stage_user_write(struct cop_space *, cop_va, uint64_t value, struct cop_stage_at);
/* The same without the library: .fault where it would be asked. */
struct cop_stage_probe cop_stage_user_probe(struct cop_space *, cop_va, struct cop_stage_at);

#define COP_USER_READ(space, va)     cop_stage_user_read((space), (va), COP_STAGE_AT)
#define COP_USER_WRITE(space, va, v) cop_stage_user_write((space), (va), (v), COP_STAGE_AT)
#define COP_USER_PROBE(space, va)    cop_stage_user_probe((space), (va), COP_STAGE_AT)

#endif
