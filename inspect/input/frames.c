/* SPDX-License-Identifier: MIT */
/*
 * Frames-only records: 8 bytes of physical address, little-endian, then a frame of 4K, 16K or 64K as its owner saw it.
 *
 * The size of a frame is not written anywhere. It is the one that divides the file into records whose addresses are all
 * aligned to it and different.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "inspect/input/input.h"

#define FRAMES_PA_MAX (1ULL << 56)

struct frame {
	cop_pa pa;
	const unsigned char *bytes;
};

struct frames {
	struct insp_memory memory;
	struct input_bytes bytes;
	struct frame *frame; /* by address */
	size_t count;
	unsigned lg2;
	struct insp_extent *extents;
};

static uint64_t little64(const unsigned char *p)
{
	uint64_t v = 0;

	for (unsigned i = 8; i-- > 0;)
		v = v << 8 | p[i];
	return v;
}

static int by_pa(const void *a, const void *b)
{
	const struct frame *x = a, *y = b;

	return (x->pa > y->pa) - (x->pa < y->pa);
}

static const unsigned char *lookup(const struct frames *f, cop_pa pa)
{
	const struct frame key = {.pa = COP_ALIGN_DOWN(pa, COP_LG2(f->lg2))};
	const struct frame *found = bsearch(&key, f->frame, f->count, sizeof(key), by_pa);

	return found ? found->bytes + (pa - key.pa) : NULL;
}

static const void *frames_frame(struct insp_memory *m, cop_pa pa, size_t bytes, void *buffer)
{
	const struct frames *f = (const struct frames *)m;
	const size_t size = (size_t)1 << f->lg2;

	if (bytes <= size)
		return lookup(f, pa);
	/* A table larger than a frame (s390x region and segment tables: four of them). */
	for (size_t at = 0; at < bytes; at += size) {
		const unsigned char *part = lookup(f, pa + at);

		if (!part)
			return NULL;
		memcpy((unsigned char *)buffer + at, part, size);
	}
	return buffer;
}

static void frames_close(struct insp_memory *m)
{
	struct frames *f = (struct frames *)m;

	input_free(&f->bytes);
	free(f->frame);
	free(f->extents);
	free(f);
}

static const struct insp_memory_ops frames_ops = {frames_frame, frames_close};

/* The first record that is none, or the count. */
static size_t bad_record(const struct input_bytes *bytes, unsigned lg2)
{
	const size_t record = 8 + ((size_t)1 << lg2), count = bytes->size / record;
	size_t i;

	for (i = 0; i < count; i++) {
		const cop_pa pa = little64(bytes->data + i * record);

		if (pa >= FRAMES_PA_MAX || !COP_IS_ALIGNED(pa, COP_LG2(lg2)))
			break;
	}
	return i;
}

/* 0: none. */
static unsigned record_lg2(const struct input_bytes *bytes)
{
	for (unsigned lg2 = 16; lg2 >= 12; lg2 -= 2) {
		const size_t record = 8 + ((size_t)1 << lg2);

		if (bytes->size >= record && bytes->size % record == 0 &&
		    bad_record(bytes, lg2) == bytes->size / record)
			return lg2;
	}
	return 0;
}

bool input_is_frames(const struct input_bytes *bytes)
{
	return record_lg2(bytes) != 0;
}

static int refuse(struct input *in, const struct input_bytes *bytes)
{
	const size_t bad = bad_record(bytes, 12);

	if (bad < bytes->size / 4104)
		return input_fail(in->error, EINVAL,
				  "%s: record %zu (byte %zu) has address %#" PRIx64
				  "; expected one aligned to its frame, below 2^56",
				  in->source->path, bad, bad * 4104, little64(bytes->data + bad * 4104));
	return input_fail(in->error, EINVAL, "%s: %zu bytes; expected records of 8 bytes and a frame of 4K, 16K or 64K",
			  in->source->path, bytes->size);
}

static int index_frames(struct input *in, struct frames *f)
{
	const size_t size = (size_t)1 << f->lg2;

	for (size_t i = 0; i < f->count; i++) {
		const unsigned char *record = f->bytes.data + i * (8 + size);

		f->frame[i] = (struct frame){little64(record), record + 8};
	}
	qsort(f->frame, f->count, sizeof(*f->frame), by_pa);
	for (size_t i = 1; i < f->count; i++)
		if (f->frame[i].pa == f->frame[i - 1].pa)
			return input_fail(in->error, EINVAL, "%s: two records of address %#" PRIx64 "; expected one",
					  in->source->path, f->frame[i].pa);
	for (size_t i = 0; i < f->count; i++)
		f->extents[i] = (struct insp_extent){f->frame[i].pa, f->frame[i].pa + size};
	f->memory.extents = f->extents;
	f->memory.extent_count = input_merge(f->extents, f->count);
	return 0;
}

int input_frames(struct input *in, struct input_bytes *bytes)
{
	const unsigned lg2 = record_lg2(bytes);
	struct frames *f;
	int err;

	if (lg2 == 0)
		return refuse(in, bytes);
	f = calloc(1, sizeof(*f));
	if (!f)
		return input_fail(in->error, ENOMEM, "%s: no memory", in->source->path);
	f->memory = (struct insp_memory){.ops = &frames_ops, .kind = "frames"};
	f->lg2 = lg2;
	f->count = bytes->size / (8 + ((size_t)1 << lg2));
	f->frame = calloc(f->count, sizeof(*f->frame));
	f->extents = calloc(f->count, sizeof(*f->extents));
	f->bytes = (struct input_bytes){bytes->data, bytes->size, INPUT_BORROWED};
	if (f->frame && f->extents)
		err = index_frames(in, f);
	else
		err = input_fail(in->error, ENOMEM, "%s: no memory for the index of %zu records", in->source->path,
				 f->count);
	if (err) {
		frames_close(&f->memory);
		return err;
	}
	f->bytes.owner = bytes->owner;
	in->machine->memory = &f->memory;
	input_found(in, "memory: %zu frames of %uK (records of frames only)", f->count, 1U << (lg2 - 10));
	return 0;
}
