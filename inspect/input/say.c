/* SPDX-License-Identifier: MIT */
/* What an input tells people: the line that refuses it, the lines about what was found. */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "inspect/input/input.h"

int input_fail(struct insp_error *error, int err, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	(void)vsnprintf(error->text, sizeof(error->text), format, args);
	va_end(args);
	/* Names come from outside: one line stays one line. */
	for (char *c = error->text; *c; c++)
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			*c = '?';
	return -err;
}

void input_found(struct input *in, const char *format, ...)
{
	char line[320], *all;
	size_t old = in->machine->found ? strlen(in->machine->found) : 0, length;
	va_list args;

	va_start(args, format);
	(void)vsnprintf(line, sizeof(line) - 1, format, args);
	va_end(args);
	for (char *c = line; *c; c++)
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			*c = '?';
	length = strlen(line);
	line[length++] = '\n';
	all = realloc(in->machine->found, old + length + 1);
	in->found_lost |= !all;
	if (!all)
		return;
	memcpy(all + old, line, length);
	all[old + length] = 0;
	in->machine->found = all;
}
