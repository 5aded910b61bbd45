/* SPDX-License-Identifier: MIT */
/* What must hold of every input that coppice inspect opens, and of every refusal; a machine is scanned to its end. */
#ifndef TESTS_FUZZ_FUZZ_INSPECT_H
#define TESTS_FUZZ_FUZZ_INSPECT_H

#include <stdlib.h>
#include <string.h>

#include "inspect/input/input.h"
#include "inspect/scan.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

static inline void fuzz_line(const char *line)
{
	if (!line[0] || strchr(line, '\n') || strlen(line) >= sizeof(struct insp_error))
		abort();
}

static inline void fuzz_run(void *last, const struct insp_run *run)
{
	if (!run->count || run->va == ~*(cop_va *)last)
		abort();
	*(cop_va *)last = ~run->va;
}

static inline void fuzz_scan(struct insp_machine *m)
{
	static const struct insp_visitor visitor = {.run = fuzz_run};

	if (!m->trees || !m->memory)
		abort();
	for (size_t i = 0; i < m->memory->extent_count; i++)
		if (m->memory->extents[i].start >= m->memory->extents[i].end ||
		    (i && m->memory->extents[i].start <= m->memory->extents[i - 1].end))
			abort();
	for (size_t i = 0; i < m->region_count; i++)
		if (m->regions[i].start > m->regions[i].last || (i && m->regions[i].start <= m->regions[i - 1].last))
			abort();
	for (unsigned i = 0; i < m->trees; i++) {
		cop_va last = 0;

		if (m->tree[i].format->check_geom(&m->tree[i].geom) != 0)
			abort();
		(void)insp_scan(m->memory, &m->tree[i], 0, UINT64_MAX, &visitor, &last);
	}
}

/* @in: what is known before the file; @bytes: the file, copied so that nothing lies behind it. */
static inline void fuzz_open(struct input *in, const uint8_t *data, size_t size)
{
	struct insp_machine m = {0};
	struct insp_error error = {""};
	unsigned char *copy = malloc(size ? size : 1);
	struct input_bytes bytes = {copy, size, INPUT_HEAP};
	int err;

	if (!copy)
		return;
	memcpy(copy, data, size);
	in->machine = &m;
	in->error = &error;
	err = input_finish(in, &bytes, input_open_bytes(in, &bytes));
	if (err) {
		fuzz_line(error.text);
		if (m.memory || m.found || err > 0)
			abort();
		return;
	}
	fuzz_scan(&m);
	insp_close(&m);
}

#endif
