/* SPDX-License-Identifier: MIT */
/* Preloaded: the FAIL_ALLOC-th allocation of the program fails, and FAIL_ALLOC_REPORT gets a line if it came that far. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdlib.h>
#include <unistd.h>

static long left;
static int started;

static int fails(void)
{
	if (!started) {
		const char *nth = getenv("FAIL_ALLOC");

		started = 1;
		left = nth ? atol(nth) : 0;
	}
	if (!left || --left)
		return 0;
	const char *report = getenv("FAIL_ALLOC_REPORT");
	const int fd = report ? open(report, O_WRONLY | O_CREAT | O_APPEND, 0600) : -1;

	if (fd >= 0) {
		(void)!write(fd, "failed\n", 7);
		close(fd);
	}
	errno = ENOMEM;
	return 1;
}

extern void *__libc_malloc(size_t);
extern void *__libc_calloc(size_t, size_t);
extern void *__libc_realloc(void *, size_t);

void *malloc(size_t bytes)
{
	return fails() ? NULL : __libc_malloc(bytes);
}

void *calloc(size_t n, size_t bytes)
{
	return fails() ? NULL : __libc_calloc(n, bytes);
}

void *realloc(void *old, size_t bytes)
{
	return fails() ? NULL : __libc_realloc(old, bytes);
}
