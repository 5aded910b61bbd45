// SPDX-License-Identifier: MIT
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "cli/cli.h"

const char *cli_name = "coppice";

static void vcomplain(const char *fmt, va_list args)
{
	fflush(stdout);
	fprintf(stderr, "%s: ", cli_name);
	vfprintf(stderr, fmt, args);
	fputc('\n', stderr);
}

void cli_fail(int code, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vcomplain(fmt, args);
	va_end(args);
	exit(code);
}

void cli_note(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vcomplain(fmt, args);
	va_end(args);
}
