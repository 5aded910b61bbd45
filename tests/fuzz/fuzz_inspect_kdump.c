// SPDX-License-Identifier: MIT
#include "tests/fuzz/fuzz_inspect.h"

/* libkdumpfile 0.5.1 does not free all of a dump that it closes. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
	return "leak:libkdumpfile";
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
	const struct insp_source s = {.path = "fuzz", .kind = "kdump", .arch = -1};
	struct input in = {.source = &s, .arch = -1};

	fuzz_open(&in, data, bytes);
	return 0;
}
