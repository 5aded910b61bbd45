// SPDX-License-Identifier: MIT
/* coppice inspect map: a picture. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/inspect/inspect.h"
#include "cli/inspect/svg.h"

enum { KEY_SVG = 1024, KEY_TITLE };

static const struct argp_option option_list[] = {
	{NULL, 0, NULL, 0, "The picture:", 1},
	{"svg", KEY_SVG, "FILE", 0, "where to write it; \"-\" is standard output", 1},
	{"title", KEY_TITLE, "TEXT", 0, "its title (default: the kernel's release and the input's name)", 1},
	{0},
};

static const char doc[] =
	"A picture of the address space, leaf sizes by colour, and of how full the tables are.\v"
	"The file appears whole or not at all. It has no scripts, and follows the reader's light or dark theme.\n"
	"\n"
	"Examples:\n"
	"  coppice inspect map --svg map.svg vmcore\n"
	"  coppice inspect map --svg - --frames F.bin.xz --regs R.txt > map.svg\n"
	"\n"
	"Exit status: 0; 2 bad option or input; 3 the file cannot be written.\n";

struct own {
	const char *svg, *title;
};

static void parse(int key, char *arg, void *to)
{
	struct own *own = to;

	if (key == KEY_SVG)
		own->svg = arg;
	else
		own->title = arg;
}

static void default_title(const struct inspect *in, char *title, size_t room)
{
	const char *slash = strrchr(in->source[0].path, '/'), *release = in->machine[0].kernel.release;
	const char *name = slash ? slash + 1 : in->source[0].path;

	if (*release)
		snprintf(title, room, "Page tables of Linux %s (%s)", release, name);
	else
		snprintf(title, room, "Page tables of %s", name);
}

/* Beside the file, then in its place, so that nobody ever sees half of it. */
static void write_file(const char *path, const struct picture *p, const char *title)
{
	char temporary[PATH_MAX];
	const mode_t mask = umask(0);
	FILE *to;
	int fd;

	umask(mask);
	if ((size_t)snprintf(temporary, sizeof(temporary), "%s.XXXXXX", path) >= sizeof(temporary))
		cli_fail(CLI_USAGE, "--svg: the path is too long");
	fd = mkstemp(temporary);
	to = fd < 0 ? NULL : fdopen(fd, "w");
	if (!to)
		cli_fail(CLI_HOST, "%s: %s", path, strerror(errno));
	svg_print(to, p, title);
	if (ferror(to) | fchmod(fd, 0666 & ~mask) | fclose(to) || rename(temporary, path)) {
		const int err = errno;

		unlink(temporary);
		cli_fail(CLI_HOST, "%s: %s", path, strerror(err));
	}
}

int inspect_map(int argc, char **argv)
{
	static struct own own;
	static const struct inspect_spec spec = {
		.args = "[FILE]", .doc = doc, .options = option_list, .parse = parse, .own = &own, .inputs = 1};
	struct inspect in;
	struct picture picture;
	char title[512];

	inspect_args(&spec, argc, argv, &in);
	if (!own.svg)
		cli_fail(CLI_USAGE, "no picture asked for; expected --svg FILE");
	inspect_open(&in, 0);
	default_title(&in, title, sizeof(title));
	if (insp_picture(&in.machine[0], in.tree, in.filter.start, in.filter.last, svg_bins, &picture))
		cli_fail(CLI_HOST, "out of memory");
	if (strcmp(own.svg, "-") == 0)
		svg_print(stdout, &picture, own.title ? own.title : title);
	else
		write_file(own.svg, &picture, own.title ? own.title : title);
	insp_picture_free(&picture);
	inspect_close(&in);
	return CLI_OK;
}
