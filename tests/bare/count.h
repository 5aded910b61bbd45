/* SPDX-License-Identifier: MIT */
/* What tests/bare/<arch>/ brings for count.c. An architecture without it, or a machine that does not count, is skipped. */
#ifndef COPPICE_TESTS_BARE_COUNT_H
#define COPPICE_TESTS_BARE_COUNT_H

#include "ports/bare/common/bare.h"

/* Instructions that this CPU has executed; false from bare_count_start(): it does not tell. */
bool bare_count_start(void);
uint64_t bare_instructions(void);

/* The bottom level: lg2 of a table's entries, and the empty one. */
#if defined(__s390x__)
#define BARE_INDEX_LG2 8
#define BARE_EMPTY     0x400
#else
#define BARE_INDEX_LG2 9
#define BARE_EMPTY     0
#endif

/* As somebody writes it who has this one format, one number of levels and pages of 4 KB. */
cop_pa bare_hand_walk(const uint64_t *root, cop_va va);

#endif
