/* SPDX-License-Identifier: MIT */
/* A memory image without any header: its first byte is at the base that the user gives. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "inspect/input/input.h"

int input_raw(struct input *in, struct input_bytes *bytes)
{
	const cop_pa base = in->source->base;
	struct input_segment *all;
	int err;

	if (bytes->size < 4096)
		return input_fail(in->error, EINVAL, "%s: %zu bytes; expected a memory image of at least one page",
				  in->source->path, bytes->size);
	if (!COP_IS_ALIGNED(base, 4096) || base >= INPUT_PA_MAX || bytes->size > INPUT_PA_MAX - base)
		return input_fail(in->error, EINVAL,
				  "%s: base %#" PRIx64 " and %zu bytes; expected a page boundary and "
				  "an end below 2^56",
				  in->source->path, base, bytes->size);
	all = calloc(1, sizeof(*all));
	if (!all)
		return input_fail(in->error, ENOMEM, "%s: no memory", in->source->path);
	*all = (struct input_segment){base, base + bytes->size, 0};
	err = input_segments(in, "raw image", bytes, -1, all, 1);
	if (err)
		free(all);
	return err;
}
