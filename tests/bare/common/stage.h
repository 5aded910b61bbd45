/* SPDX-License-Identifier: MIT */
/* A machine that is up: it maps itself, and there is a pool of frames for tables and for what they map. */
#ifndef COPPICE_TESTS_BARE_STAGE_H
#define COPPICE_TESTS_BARE_STAGE_H

#include "ports/bare/common/bare.h"

extern struct cop_tree bare_identity;

/* Tables come and go as they are. Else they are filled with what is no entry. */
extern bool stage_quick;

/* Translate, by the library; false if that failed. */
bool stage_up(void);

/* A kernel's tree whose tables come from the pool; translated by from now on. */
bool stage_kernel(struct cop_tree *kernel);

/* @bytes that stay taken, aligned to @align. */
cop_pa stage_take(uint64_t bytes, uint64_t align);

/* Frames that came back poisoned, and those that are out. */
uint64_t stage_tables_out(void);

/* The first address that the kernel's tree translates and that nothing else of the machine uses. */
cop_va stage_window(const struct cop_geom *geom);

/* Entry of level @level around va; NULL: there is no table. */
uint64_t *stage_slot(const struct cop_tree *tree, cop_va va, unsigned level);

/* Fill every page of physical memory with its own address. */
void stage_stamp(cop_pa start, uint64_t bytes, unsigned page_lg2);

#endif
