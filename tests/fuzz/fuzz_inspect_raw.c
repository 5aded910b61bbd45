// SPDX-License-Identifier: MIT
/* An image that says nothing: VMCOREINFO and trees are looked for in it. Its first byte chooses the architecture. */
#include "tests/fuzz/fuzz_inspect.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
	struct insp_source s = {.path = "fuzz", .kind = "raw", .arch = -1};
	struct input in = {.source = &s, .arch = -1};

	if (!bytes)
		return 0;
	s.arch = data[0] % 5 - 1;
	fuzz_open(&in, data + 1, bytes - 1);
	return 0;
}
