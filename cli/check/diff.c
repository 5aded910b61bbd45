// SPDX-License-Identifier: MIT
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/check/diff.h"
#include "cli/check/kit.h"
#include "cli/cli.h"

static bool is_in_room(const char *file)
{
	const size_t n = strcspn(file, "/");
	const char *dot = strrchr(file, '.');

	if (strstr(file, "..") || file[n] != '/' || strchr(file + n + 1, '/') || !dot ||
	    (strcmp(dot, ".c") != 0 && strcmp(dot, ".h") != 0))
		return false;
	for (unsigned i = 0; kit_rooms[i]; i++) {
		if (strlen(kit_rooms[i]) == n && !strncmp(file, kit_rooms[i], n))
			return true;
	}
	return false;
}

/* "--- a/tables/unmap.h\tdate": without its first directory, as patch -p1 takes it. NULL: it is no such line. */
static char *name_in(char *line, const char *mark)
{
	char *slash;

	if (strncmp(line, mark, 4) != 0)
		return NULL;
	line += 4;
	line[strcspn(line, "\t\r\n")] = 0;
	if (!strcmp(line, "/dev/null"))
		return line;
	slash = strchr(line, '/');
	return slash ? slash + 1 : line;
}

static void add(struct diff *d, const char *path, unsigned line, const char *file)
{
	if (!strcmp(file, "/dev/null"))
		return;
	if (!is_in_room(file) || strlen(file) >= sizeof(*d->file))
		cli_fail(
			CLI_USAGE,
			"%s:%u: '%.80s'; expected changes of C files in formats, tables, memory, spaces or hotplug, as "
			"a/ROOM/FILE",
			path, line, file);
	for (unsigned i = 0; i < d->files; i++) {
		if (!strcmp(d->file[i], file))
			return;
	}
	if (d->files == DIFF_FILES)
		cli_fail(CLI_USAGE, "%s: more than %d files", path, DIFF_FILES);
	snprintf(d->file[d->files++], sizeof(*d->file), "%s", file);
}

struct diff diff_read(const char *path)
{
	struct diff d = {.files = 0};
	unsigned number = 0;
	FILE *f = fopen(path, "r");
	char *line = NULL;
	size_t room = 0;

	if (!f)
		cli_fail(CLI_USAGE, "--patch: %s: %s; expected a unified diff", path, strerror(errno));
	errno = 0;
	while (getline(&line, &room, f) >= 0) {
		char *name = name_in(line, "+++ ");

		number++;
		if (!name)
			name = name_in(line, "--- ");
		if (name)
			add(&d, path, number, name);
	}
	if (ferror(f))
		cli_fail(CLI_USAGE, "--patch: %s: %s; expected a unified diff", path, strerror(errno));
	fclose(f);
	free(line);
	if (!d.files)
		cli_fail(CLI_USAGE, "--patch: %s changes nothing; expected a unified diff", path);
	return d;
}

/* What patch says, in one line. */
static void one_line(char *text)
{
	size_t n = strlen(text);

	while (n && text[n - 1] == '\n')
		text[--n] = 0;
	for (; *text; text++) {
		if (*text == '\n')
			*text = ';';
	}
}

void diff_apply(const char *path, const char *dir)
{
	char *file = realpath(path, NULL);
	char *const argv[] = {"patch", "-p1", "--fuzz=0", "--no-backup-if-mismatch", "-f", "-r", "-", "-i", file, NULL};
	struct kit_run run;

	if (!file)
		cli_fail(CLI_USAGE, "--patch: %s: %s", path, strerror(errno));
	run = kit_run(argv, dir);
	if (run.code < 0)
		cli_fail(CLI_HOST, "patch: cannot be run; expected that program in PATH");
	one_line(run.said);
	if (run.code)
		cli_fail(CLI_USAGE, "--patch: %s does not apply exactly to the library: %s", path, run.said);
	free(run.said);
	free(file);
}
