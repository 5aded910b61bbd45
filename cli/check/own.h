/* SPDX-License-Identifier: MIT */
/* Stories that are not shipped, and changes to the library: compiled when they are asked for, and kept. */
#ifndef CLI_CHECK_OWN_H
#define CLI_CHECK_OWN_H

#include "cli/check/stories.h"

/* Is this argument a file, not the id of a story? */
bool own_is_file(const char *name);

/**
 * own_compile() - the programs of a story
 * @source: C file of a story
 * @patch: a change to the library, for its fixed variant alone; NULL: none: then each variant has its patch beside the source
 *
 * Does not come back if anything does not compile, apply, or make sense.
 */
struct story_programs own_compile(const char *source, const char *patch);
/* The source of a shipped story; NULL: there is none. free() */
char *own_shipped(const char *id);

#endif
