// SPDX-License-Identifier: MIT
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/check/kit.h"
#include "cli/cli.h"

const char *const kit_rooms[] = {"formats", "tables", "memory", "spaces", "hotplug", NULL};

char *kit_format(const char *format, ...)
{
	va_list args;
	char *text;
	int n;

	va_start(args, format);
	n = vasprintf(&text, format, args);
	va_end(args);
	if (n < 0)
		cli_fail(CLI_HOST, "out of memory");
	return text;
}

static bool is_there(const char *path)
{
	return !access(path, R_OK);
}

/* A build says where its sources are: a line each of sources, libraries, compiler flags. */
static bool read_kit(const char *path, struct kit *kit)
{
	char line[3][PATH_MAX] = {"", "", ""};
	FILE *f = fopen(path, "r");

	if (!f)
		return false;
	for (unsigned i = 0; i < 3; i++) {
		if (!fgets(line[i], sizeof(line[i]), f))
			line[i][0] = 0;
		line[i][strcspn(line[i], "\n")] = 0;
	}
	fclose(f);
	kit->src = kit_format("%s", line[0]);
	kit->lib = kit_format("%s", line[1]);
	kit->flags = kit_format("%s", line[2]);
	return true;
}

static void own_dir(char *dir, size_t bytes)
{
	const ssize_t n = readlink("/proc/self/exe", dir, bytes - 1);
	char *slash;

	dir[n > 0 ? n : 0] = 0;
	slash = strrchr(dir, '/');
	if (slash)
		*slash = 0;
}

struct kit kit_find(void)
{
	struct kit kit = {.cc = getenv("CC")};
	char dir[PATH_MAX], *path, *library, *story;

	if (!kit.cc || !*kit.cc)
		kit.cc = "cc";
	own_dir(dir, sizeof(dir));
	path = kit_format("%s/stories/kit", dir);
	if (!read_kit(path, &kit)) {
		kit.src = kit_format("%s/../share/coppice/src", dir);
		kit.lib = kit_format("%s/../lib/coppice", dir);
		kit.flags = kit_format("%s", "");
	}
	free(path);
	library = kit_format("%s/libcoppice_stories.a", kit.lib);
	story = kit_format("%s/stories/story.h", kit.src);
	if (!is_there(library) || !is_there(story))
		cli_fail(CLI_HOST, "%s: not there; expected what `make install` installs, or a whole build",
			 is_there(story) ? library : story);
	free(library);
	free(story);
	return kit;
}

void kit_free(struct kit *kit)
{
	free(kit->src);
	free(kit->lib);
	free(kit->flags);
}

/* FNV-1a, twice: what is hashed is the user's own. */
struct kit_hash kit_hash_begin(void)
{
	return (struct kit_hash){0xcbf29ce484222325ULL, 0x9ae16a3b2f90404fULL};
}

void kit_hash_bytes(struct kit_hash *h, const void *data, size_t bytes)
{
	const uint8_t *p = data;

	for (size_t i = 0; i < bytes; i++) {
		h->a = (h->a ^ p[i]) * 0x100000001b3ULL;
		h->b = (h->b ^ (p[i] + 0x9eULL)) * 0x100000001b3ULL;
	}
}

bool kit_hash_file(struct kit_hash *h, const char *path)
{
	FILE *f = fopen(path, "rb");
	char buffer[65536];
	size_t n, all = 0;
	bool good;

	if (!f)
		return false;
	while ((n = fread(buffer, 1, sizeof(buffer), f))) {
		kit_hash_bytes(h, buffer, n);
		all += n;
	}
	good = !ferror(f);
	fclose(f);
	kit_hash_bytes(h, &all, sizeof(all));
	return good;
}

static char *read_all(int fd)
{
	char *text = NULL;
	size_t n = 0;

	for (;;) {
		char *more = realloc(text, n + 4097);
		ssize_t got;

		if (!more)
			cli_fail(CLI_HOST, "out of memory");
		text = more;
		got = read(fd, text + n, 4096);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			break;
		n += (size_t)got;
	}
	text[n] = 0;
	return text;
}

__attribute__((noreturn)) static void become(char *const *argv, const char *dir, int out)
{
	dup2(out, STDOUT_FILENO);
	dup2(out, STDERR_FILENO);
	if (!dir || !chdir(dir))
		execvp(argv[0], argv);
	_exit(127);
}

struct kit_run kit_run(char *const *argv, const char *dir)
{
	struct kit_run run = {.code = -1};
	int fds[2], status;
	pid_t pid;

	if (pipe(fds))
		cli_fail(CLI_HOST, "pipe: %s", strerror(errno));
	fflush(NULL);
	pid = fork();
	if (pid < 0)
		cli_fail(CLI_HOST, "fork: %s", strerror(errno));
	if (!pid) {
		close(fds[0]);
		become(argv, dir, fds[1]);
	}
	close(fds[1]);
	run.said = read_all(fds[0]);
	close(fds[0]);
	while (waitpid(pid, &status, 0) < 0) {
		if (errno != EINTR)
			cli_fail(CLI_HOST, "waitpid: %s", strerror(errno));
	}
	if (WIFEXITED(status) && WEXITSTATUS(status) != 127)
		run.code = WEXITSTATUS(status);
	return run;
}
