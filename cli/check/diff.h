/* SPDX-License-Identifier: MIT */
/* A change to the library that a user brings: a unified diff. */
#ifndef CLI_CHECK_DIFF_H
#define CLI_CHECK_DIFF_H

#include <stddef.h>

#define DIFF_FILES 64

struct diff {
	char file[DIFF_FILES][128]; /* of the library, that it changes */
	unsigned files;
};

/* Does not come back if it touches anything but C files in the rooms of the library. */
struct diff diff_read(const char *path);
/* Applies it to the copy of the rooms in a directory; does not come back if it does not fit exactly. */
void diff_apply(const char *path, const char *dir);

#endif
