// SPDX-License-Identifier: MIT
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
	fuzz_check(map_parse_iomem("fuzz", (const void *)data, bytes));
	return 0;
}
