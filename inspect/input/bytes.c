/* SPDX-License-Identifier: MIT */
/* Files as bytes: mapped, or unpacked from xz. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <lzma.h>

#include "inspect/input/input.h"

/* What one xz file may become: a few hundred bytes can pack terabytes of zeroes. */
#define PLAIN_MAX  (16ULL << 30)
#define XZ_MEMORY  (1ULL << 30)
#define READ_CHUNK 65536

/* Pipes and files of /proc have no size to map. */
static int read_stream(int fd, const char *path, struct input_bytes *bytes, struct insp_error *error)
{
	unsigned char *data = NULL, *grown;
	size_t size = 0, room = 0;
	ssize_t got;

	do {
		if (size == room) {
			room = room ? 2 * room : READ_CHUNK;
			grown = realloc(data, room);
			if (!grown) {
				free(data);
				return input_fail(error, ENOMEM, "%s: no memory for its %zu bytes", path, size);
			}
			data = grown;
		}
		got = read(fd, data + size, room - size);
		if (got > 0)
			size += (size_t)got;
	} while (got > 0 || (got < 0 && errno == EINTR));
	if (got < 0) {
		free(data);
		return input_fail(error, errno, "%s: %s", path, strerror(errno));
	}
	*bytes = (struct input_bytes){data, size, INPUT_HEAP};
	return 0;
}

int input_map(int fd, const char *path, struct input_bytes *bytes, struct insp_error *error)
{
	struct stat st;
	void *data;

	if (fstat(fd, &st) != 0)
		return input_fail(error, errno, "%s: %s", path, strerror(errno));
	if (S_ISDIR(st.st_mode))
		return input_fail(error, EISDIR, "%s is a directory; expected a dump", path);
	if (!S_ISREG(st.st_mode) || st.st_size <= 0)
		return read_stream(fd, path, bytes, error);
	data = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (data == MAP_FAILED)
		return input_fail(error, errno, "%s: mapping its %lld bytes: %s", path, (long long)st.st_size,
				  strerror(errno));
	*bytes = (struct input_bytes){data, (size_t)st.st_size, INPUT_MAPPED};
	return 0;
}

int input_load(const char *path, struct input_bytes *bytes, struct insp_error *error)
{
	const int fd = open(path, O_RDONLY | O_CLOEXEC);
	int err;

	if (fd < 0)
		return input_fail(error, errno, "%s: %s", path, strerror(errno));
	err = input_map(fd, path, bytes, error);
	close(fd);
	return err;
}

void input_free(struct input_bytes *bytes)
{
	if (bytes->owner == INPUT_HEAP)
		free((void *)(uintptr_t)bytes->data);
	if (bytes->owner == INPUT_MAPPED)
		munmap((void *)(uintptr_t)bytes->data, bytes->size);
	*bytes = (struct input_bytes){0};
}

/* The decoder writes into a buffer that doubles. */
static lzma_ret unpack(lzma_stream *xz, unsigned char **data)
{
	size_t room = 0;
	lzma_ret ret = LZMA_OK;

	while (ret == LZMA_OK) {
		unsigned char *grown;

		room = room ? 2 * room : 1 << 20;
		if (room > PLAIN_MAX)
			return LZMA_MEMLIMIT_ERROR;
		grown = realloc(*data, room);
		if (!grown)
			return LZMA_MEM_ERROR;
		*data = grown;
		xz->next_out = grown + xz->total_out;
		xz->avail_out = room - xz->total_out;
		do
			ret = lzma_code(xz, LZMA_FINISH);
		while (ret == LZMA_OK && xz->avail_out != 0);
	}
	return ret;
}

int input_plain(struct input_bytes *bytes, const char *path, struct insp_error *error)
{
	static const unsigned char magic[] = {0xfd, '7', 'z', 'X', 'Z', 0};
	lzma_stream xz = LZMA_STREAM_INIT;
	unsigned char *data = NULL;
	size_t size, at;
	lzma_ret ret;

	if (bytes->size < sizeof(magic) || memcmp(bytes->data, magic, sizeof(magic)) != 0)
		return 0;
	if (lzma_stream_decoder(&xz, XZ_MEMORY, LZMA_CONCATENATED) != LZMA_OK)
		return input_fail(error, ENOMEM, "%s: no memory for the xz decoder", path);
	xz.next_in = bytes->data;
	xz.avail_in = bytes->size;
	ret = unpack(&xz, &data);
	size = xz.total_out;
	at = xz.total_in;
	lzma_end(&xz);
	if (ret != LZMA_STREAM_END) {
		free(data);
		if (ret == LZMA_MEM_ERROR || ret == LZMA_MEMLIMIT_ERROR)
			return input_fail(error, ENOMEM, "%s: too large unpacked; expected at most %llu bytes", path,
					  PLAIN_MAX);
		return input_fail(error, EINVAL, "%s: the xz data are %s at byte %zu of %zu", path,
				  ret == LZMA_BUF_ERROR ? "cut off" : "damaged", at, bytes->size);
	}
	input_free(bytes);
	*bytes = (struct input_bytes){data, size, INPUT_HEAP};
	return 0;
}
