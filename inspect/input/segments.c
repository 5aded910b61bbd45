/* SPDX-License-Identifier: MIT */
/* Memory that lies in pieces in one file, mapped or read through a descriptor. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "inspect/input/input.h"

struct segments {
	struct insp_memory memory;
	struct input_bytes bytes;
	int fd;
	struct input_segment *segment; /* ascending, disjoint */
	size_t count;
	struct insp_extent *extents;
	size_t handed_out; /* bytes of the mapping, since it was last let go */
};

/* Of a mapped file, what stays resident, times the 16 pages that Linux maps around each that is touched. */
#define KEEP_BYTES ((size_t)16 << 20)

/* The last segment that begins at or below @pa, if it reaches beyond it. */
static const struct input_segment *lookup(const struct segments *s, cop_pa pa)
{
	size_t low = 0, high = s->count;

	while (low < high) {
		const size_t middle = low + (high - low) / 2;

		if (s->segment[middle].start <= pa)
			low = middle + 1;
		else
			high = middle;
	}
	return low && pa < s->segment[low - 1].end ? &s->segment[low - 1] : NULL;
}

static bool read_at(int fd, void *buffer, size_t bytes, uint64_t offset)
{
	size_t done = 0;

	while (done < bytes) {
		const ssize_t got = pread(fd, (char *)buffer + done, bytes - done, (off_t)(offset + done));

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return false;
		done += (size_t)got;
	}
	return true;
}

static bool copy(const struct segments *s, const struct input_segment *from, cop_pa pa, void *to, size_t bytes)
{
	const uint64_t offset = from->offset + (pa - from->start);

	if (!s->bytes.data)
		return read_at(s->fd, to, bytes, offset);
	memcpy(to, s->bytes.data + offset, bytes);
	return true;
}

/* What lies in several segments, or askew in the file. */
static const void *gather(const struct segments *s, cop_pa pa, size_t bytes, void *buffer)
{
	for (size_t at = 0; at < bytes;) {
		const struct input_segment *from = lookup(s, pa + at);
		size_t part;

		if (!from)
			return NULL;
		part = from->end - (pa + at) < bytes - at ? (size_t)(from->end - (pa + at)) : bytes - at;
		if (!copy(s, from, pa + at, (char *)buffer + at, part))
			return NULL;
		at += part;
	}
	return buffer;
}

/* Pages come back by themselves when they are touched again: what was handed out stays valid. */
static void let_go(struct segments *s, size_t bytes)
{
	s->handed_out += bytes;
	if (s->handed_out < KEEP_BYTES || s->bytes.owner != INPUT_MAPPED)
		return;
	(void)madvise((void *)(uintptr_t)s->bytes.data, s->bytes.size, MADV_DONTNEED);
	s->handed_out = 0;
}

static const void *segments_frame(struct insp_memory *m, cop_pa pa, size_t bytes, void *buffer)
{
	struct segments *s = (struct segments *)m;
	const struct input_segment *from = lookup(s, pa);
	const unsigned char *data;

	if (!from)
		return NULL;
	if (!s->bytes.data || from->end - pa < bytes)
		return gather(s, pa, bytes, buffer);
	let_go(s, bytes);
	data = s->bytes.data + from->offset + (pa - from->start);
	if (((uintptr_t)data & 7) == 0)
		return data;
	return memcpy(buffer, data, bytes);
}

static void segments_close(struct insp_memory *m)
{
	struct segments *s = (struct segments *)m;

	input_free(&s->bytes);
	if (s->fd >= 0)
		close(s->fd);
	free(s->segment);
	free(s->extents);
	free(s);
}

static const struct insp_memory_ops segments_ops = {segments_frame, segments_close};

static int by_start(const void *a, const void *b)
{
	const struct input_segment *x = a, *y = b;

	if (x->start != y->start)
		return x->start < y->start ? -1 : 1;
	return (x->offset > y->offset) - (x->offset < y->offset);
}

/* A dump taken with virtual addresses has the same memory several times; each address is kept once. */
static size_t disjoint(struct input_segment *s, size_t count)
{
	size_t n = 0;

	qsort(s, count, sizeof(*s), by_start);
	for (size_t i = 0; i < count; i++) {
		struct input_segment next = s[i];

		if (n && next.start < s[n - 1].end) {
			const uint64_t known = s[n - 1].end - next.start;

			if (next.end <= s[n - 1].end)
				continue;
			next.start += known;
			next.offset += known;
		}
		if (n && next.start == s[n - 1].end && next.offset == s[n - 1].offset + (next.start - s[n - 1].start))
			s[n - 1].end = next.end;
		else if (next.start < next.end)
			s[n++] = next;
	}
	return n;
}

int input_segments(struct input *in, const char *kind, struct input_bytes *bytes, int fd, struct input_segment *segment,
		   size_t count)
{
	struct segments *s = calloc(1, sizeof(*s));
	uint64_t size = 0;

	count = disjoint(segment, count);
	if (s)
		s->extents = calloc(count + 1, sizeof(*s->extents));
	if (!s || !s->extents) {
		free(s);
		return input_fail(in->error, ENOMEM, "%s: no memory for %zu segments", in->source->path, count);
	}
	for (size_t i = 0; i < count; i++) {
		s->extents[i] = (struct insp_extent){segment[i].start, segment[i].end};
		size += segment[i].end - segment[i].start;
	}
	s->memory = (struct insp_memory){.ops = &segments_ops, .kind = kind, .extents = s->extents, .ram = true};
	s->memory.extent_count = input_merge(s->extents, count);
	s->segment = segment;
	s->count = count;
	s->fd = fd;
	if (bytes)
		s->bytes = *bytes;
	in->machine->memory = &s->memory;
	input_found(in, "memory: %" PRIu64 " KB in %zu pieces, %#" PRIx64 " to %#" PRIx64 " (%s)", size >> 10,
		    s->memory.extent_count, count ? s->extents[0].start : 0,
		    count ? s->extents[s->memory.extent_count - 1].end - 1 : 0, kind);
	return 0;
}
