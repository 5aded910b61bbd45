// SPDX-License-Identifier: MIT
/* A register file, a zero, records. */
#include "tests/fuzz/fuzz_inspect.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
	const struct insp_source s = {.path = "fuzz", .kind = "frames", .arch = -1};
	struct input in = {.source = &s, .arch = -1};
	const uint8_t *zero = bytes ? memchr(data, 0, bytes) : NULL;
	const size_t text = zero ? (size_t)(zero - data) : bytes;
	struct insp_error error = {""};

	if (input_regs_parse(&in.regs, "regs", (const char *)data, text, &error) != 0) {
		fuzz_line(error.text);
		return 0;
	}
	if (zero)
		fuzz_open(&in, zero + 1, bytes - text - 1);
	return 0;
}
