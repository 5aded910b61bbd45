/* SPDX-License-Identifier: MIT */
/* What must hold of every map that a reader accepts, and of every refusal. */
#ifndef TESTS_FUZZ_FUZZ_H
#define TESTS_FUZZ_FUZZ_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "cli/maps/map.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

static inline void fuzz_check(struct map_read read)
{
	const struct map_range *r = read.map.ranges;
	bool memory = false;

	if (read.error[0]) {
		/* One line, and nothing kept. */
		if (strchr(read.error, '\n') || r)
			abort();
		return;
	}
	for (size_t i = 0; i < read.map.count; i++) {
		memory |= r[i].kind == MAP_RAM;
		if (r[i].start > r[i].last || r[i].kind > MAP_DEVICE || !memchr(r[i].name, 0, sizeof(r[i].name)))
			abort();
		if (i && r[i].start <= r[i - 1].last)
			abort();
	}
	if (!memory)
		abort();
	map_free(&read.map);
}

#endif
