/* SPDX-License-Identifier: MIT */
/* Option arguments, read strictly: the whole string or an error. */
#ifndef CLI_PARSE_H
#define CLI_PARSE_H

#include <stdbool.h>
#include <stdint.h>

struct parsed {
	uint64_t value;
	const char *expected; /* NULL: value is good; else what should have been there */
};

/* "4096", "64K", "128M", "4G", "1T"; also KiB, MiB, ...; powers of 1024. */
struct parsed parse_size(const char *text);

/* A decimal number in [min, max]. */
struct parsed parse_count(const char *text, uint64_t min, uint64_t max);

/* An architecture's name to enum cop_arch. */
struct parsed parse_arch(const char *text);

#endif
