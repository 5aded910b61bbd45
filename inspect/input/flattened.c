/* SPDX-License-Identifier: MIT */
/*
 * makedumpfile's flattened form (makedumpfile -F, QEMU's dump-guest-memory -z): pieces of a file with their offsets, so that it
 * can be written to a pipe. Put together again in an unnamed temporary file.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "inspect/input/input.h"

#define HEADER 4096
/* Nothing lies further out in a dump of any machine; a larger offset would make a file that no one can read. */
#define OFFSET_MAX (1ULL << 46)

bool input_is_flattened(const struct input_bytes *bytes)
{
	return bytes->size >= 32 && memcmp(bytes->data, "makedumpfile\0\0\0\0", 16) == 0;
}

static bool write_at(int fd, const unsigned char *data, size_t size, uint64_t offset)
{
	while (size) {
		const ssize_t done = pwrite(fd, data, size, (off_t)offset);

		if (done < 0 && errno == EINTR)
			continue;
		if (done <= 0)
			return false;
		data += done;
		size -= (size_t)done;
		offset += (uint64_t)done;
	}
	return true;
}

static int pieces(struct input *in, const struct input_bytes *bytes, int fd)
{
	size_t at = HEADER;

	while (bytes->size >= at + 16) {
		const uint64_t offset = input_field(bytes->data + at, 8, true);
		const uint64_t size = input_field(bytes->data + at + 8, 8, true);

		if (offset == UINT64_MAX)
			return 0;
		at += 16;
		if (size > bytes->size - at || offset > OFFSET_MAX)
			return input_fail(in->error, EINVAL,
					  "%s: flattened piece at byte %zu is %#" PRIx64 " bytes for %#" PRIx64
					  ", past the end at %#zx",
					  in->source->path, at - 16, size, offset, bytes->size);
		if (!write_at(fd, bytes->data + at, size, offset))
			return input_fail(in->error, errno, "%s: putting the flattened dump together: %s",
					  in->source->path, strerror(errno));
		at += size;
	}
	return input_fail(in->error, EINVAL, "%s: the flattened dump has no end mark at byte %zu; is it cut off?",
			  in->source->path, at);
}

int input_unflatten(struct input *in, const struct input_bytes *bytes)
{
	FILE *file = tmpfile();
	int fd, err;

	if (!file)
		return input_fail(in->error, errno, "%s: a temporary file for the flattened dump: %s", in->source->path,
				  strerror(errno));
	err = pieces(in, bytes, fileno(file));
	fd = err ? err : dup(fileno(file));
	if (!err && fd < 0)
		fd = input_fail(in->error, errno, "%s: %s", in->source->path, strerror(errno));
	(void)fclose(file);
	return fd;
}
