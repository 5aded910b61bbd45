// SPDX-License-Identifier: MIT
#include "tests/fuzz/fuzz_inspect.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
	const struct insp_source s = {.path = "fuzz", .kind = "elf", .arch = -1};
	struct input in = {.source = &s, .arch = -1};

	fuzz_open(&in, data, bytes);
	return 0;
}
