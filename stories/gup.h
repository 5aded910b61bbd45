/* SPDX-License-Identifier: MIT */
/* A stage with an address space, for those who walk it. On the simulated machine only. */
#ifndef COPPICE_STORIES_GUP_H
#define COPPICE_STORIES_GUP_H

#include "stories/space.h"

#include <coppice/gup.h>

/*
 * An empty address space whose tables the machine walks too; @asid: at least 1. It is there until cop_stage_user_off(), which
 * wants it empty. Its tables are not the stage memory's but above: so that what frees a folio does not meet what frees a
 * table in the allocator, which has stories of its own. A story takes one section more for them.
 */
void cop_stage_user_on(struct cop_spaces *, struct cop_space *, uint32_t asid);
void cop_stage_user_off(struct cop_space *);
/* Maps frames for the user, with whose reference it is done: the mapping has it. */
void cop_stage_user_map(struct cop_space *, cop_va, cop_pfn, uint64_t pages, uint32_t attrs, struct cop_stage_at);
/* Takes them out again; the reference is the caller's. */
void cop_stage_user_unmap(struct cop_space *, cop_va, uint64_t pages, struct cop_stage_at);

#define COP_USER_MAP(space, va, pfn, pages, attrs) cop_stage_user_map(space, va, pfn, pages, attrs, COP_STAGE_AT)
#define COP_USER_UNMAP(space, va, pages)           cop_stage_user_unmap(space, va, pages, COP_STAGE_AT)

/* A walker has a page that the mapping did not have while there was a reference to it. */
#define COP_WRONG_PAGE(cond)                                                                                           \
	do {                                                                                                           \
		if (cond)                                                                                              \
			cop_stage_fail("wrong-page", #cond, COP_STAGE_AT);                                             \
	} while (0)

#endif
