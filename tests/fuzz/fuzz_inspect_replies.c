// SPDX-License-Identifier: MIT
/* What a monitor or a gdbstub may say. */
#include "inspect/input/live.h"
#include "tests/fuzz/fuzz_inspect.h"

static void parse(char *text, size_t size)
{
	static struct insp_extent extents[64];
	unsigned char page[LIVE_PAGE];
	struct live_register r = {.number = UINT32_MAX};
	struct input_regs regs = {.count = 0};
	char name[64], *qmp = live_parse_qmp(text, size);
	size_t at = 0, count = live_parse_mtree(text, extents, 64);

	free(qmp);
	for (size_t i = 0; i < count; i++)
		if (extents[i].start >= extents[i].end || (i && extents[i].start <= extents[i - 1].end))
			abort();
	(void)live_parse_xp(text, true, page);
	live_parse_registers(text, &regs);
	(void)live_parse_arch(text);
	live_parse_uncomment(text);
	while (live_parse_xml_include(text, &at, name))
		if (!memchr(name, 0, sizeof(name)))
			abort();
	at = 0;
	while (live_parse_xml_register(text, &at, &r))
		if (!memchr(r.name, 0, sizeof(r.name)))
			abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
	char *text = malloc(bytes + 1);

	if (!text)
		return 0;
	memcpy(text, data, bytes);
	text[bytes] = 0;
	parse(text, bytes);
	free(text);
	return 0;
}
