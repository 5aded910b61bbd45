// SPDX-License-Identifier: MIT
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/inspect/inspect.h"
#include "cli/out.h"
#include "inspect/export_frames.h"

bool inspect_wants(const struct inspect *in, const struct insp_tree *tree)
{
	return !in->tree || !strcmp(in->tree, tree->name);
}

static bool has_wanted(const struct inspect *in, const struct insp_machine *m)
{
	for (unsigned i = 0; i < m->trees; i++)
		if (inspect_wants(in, &m->tree[i]))
			return true;
	return false;
}

/* People see what was guessed; programs ask for it. */
static void tell(const struct inspect *in, const struct insp_machine *m)
{
	if (!m->found || !(in->verbose || (isatty(STDERR_FILENO) && isatty(STDOUT_FILENO))))
		return;
	fprintf(stderr, "%s%s%s", out_style(stderr, OUT_DIM), m->found, out_style(stderr, OUT_PLAIN));
}

static void export_frames(struct insp_machine *m, const char *path)
{
	struct insp_exported e;
	struct insp_error error;

	if (insp_export_frames(m, path, &e, &error))
		cli_fail(CLI_USAGE, "--export-frames: %s", error.text);
	fprintf(stderr, "%s: %llu tables in %llu frames, %llu tables were missing; registers in %s\n", path,
		(unsigned long long)e.tables, (unsigned long long)e.frames, (unsigned long long)e.missing, e.regs);
}

void inspect_open(struct inspect *in, unsigned i)
{
	struct insp_error error;

	if (insp_open(&in->source[i], &in->machine[i], &error))
		cli_fail(CLI_USAGE, "%s", error.text);
	tell(in, &in->machine[i]);
	if (i == 0 && in->export_frames)
		export_frames(&in->machine[i], in->export_frames);
	if (!has_wanted(in, &in->machine[i]))
		cli_fail(CLI_USAGE, "--tree: '%s'; expected one of this input, such as '%s'", in->tree,
			 in->machine[i].trees ? in->machine[i].tree[0].name : "");
}

void inspect_close(struct inspect *in)
{
	for (unsigned i = 0; i < in->inputs; i++)
		if (in->machine[i].memory)
			insp_close(&in->machine[i]);
}
