// SPDX-License-Identifier: MIT
/* VMCOREINFO of any content, over one page of memory wherever it leads: at most places there is none. */
#include "tests/fuzz/fuzz_inspect.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
	static const uint8_t page[16384];
	struct insp_source s = {.path = "fuzz", .kind = "raw", .arch = -1};
	struct insp_machine m = {0};
	struct insp_error error = {""};
	struct input in = {.source = &s, .arch = -1, .machine = &m, .error = &error};

	if (bytes < 2)
		return 0;
	s.arch = data[0] % 5 - 1;
	s.base = (cop_pa)data[1] << 20;
	if (input_info_set(&in, (const char *)data + 2, bytes - 2, "fuzz") == 0)
		fuzz_open(&in, page, sizeof(page));
	return 0;
}
