/* SPDX-License-Identifier: MIT */
/* What stories are compiled with: the sources of the library, and the rest ready to be linked. */
#ifndef CLI_CHECK_KIT_H
#define CLI_CHECK_KIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * struct kit - where it is
 * @src: top of the sources; @lib: the libraries below it
 * @cc: the compiler: $CC, else cc
 * @flags: more for it, separated by blanks
 */
struct kit {
	char *src, *lib, *flags;
	const char *cc;
};

/* Beside the tool in a build, or as installed. Does not come back if there is none. */
struct kit kit_find(void);
void kit_free(struct kit *);
/* PATH of "DIR/FILE", to be freed. */
__attribute__((format(printf, 1, 2))) char *kit_format(const char *format, ...);

/* Files' contents and names, as far as they decide what a program does. */
struct kit_hash {
	uint64_t a, b;
};
struct kit_hash kit_hash_begin(void);
void kit_hash_bytes(struct kit_hash *, const void *, size_t);
/* False: it cannot be read. */
bool kit_hash_file(struct kit_hash *, const char *path);

/**
 * struct kit_run - a program that has ended
 * @code: exit status; -1: it could not be started, or was killed
 * @said: what it wrote to both streams; free()
 */
struct kit_run {
	int code;
	char *said;
};
struct kit_run kit_run(char *const *argv, const char *dir);
/* The rooms of the library, NULL last. */
extern const char *const kit_rooms[];

#endif
