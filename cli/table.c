// SPDX-License-Identifier: MIT
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/out.h"

#define MAX_COLUMNS 16

struct out_table {
	unsigned columns;
	bool right[MAX_COLUMNS];
	char **cells; /* row by row; the first row is the headings */
	size_t count, room;
};

static void add(struct out_table *t, char *cell)
{
	if (t->count == t->room) {
		t->room = t->room ? 2 * t->room : 64;
		t->cells = realloc(t->cells, t->room * sizeof(*t->cells));
	}
	if (!cell || !t->cells)
		cli_fail(CLI_HOST, "out of memory");
	t->cells[t->count++] = cell;
}

struct out_table *out_table(const char *headings)
{
	struct out_table *t = calloc(1, sizeof(*t));

	if (!t)
		cli_fail(CLI_HOST, "out of memory");
	while (t->columns < MAX_COLUMNS) {
		size_t n = strcspn(headings, "|");

		t->right[t->columns] = *headings == '>';
		add(t, strndup(headings + t->right[t->columns], n - t->right[t->columns]));
		t->columns++;
		if (!headings[n])
			break;
		headings += n + 1;
	}
	return t;
}

void out_cell(struct out_table *t, const char *fmt, ...)
{
	char *cell = NULL;
	va_list args;

	va_start(args, fmt);
	if (vasprintf(&cell, fmt, args) < 0)
		cell = NULL;
	va_end(args);
	add(t, cell);
}

static void measure(const struct out_table *t, int width[MAX_COLUMNS])
{
	for (size_t i = 0; i < t->count; i++) {
		int n = (int)strlen(t->cells[i]);

		if (n > width[i % t->columns])
			width[i % t->columns] = n;
	}
}

static void print_row(const struct out_table *t, const char *const *row, const int *width, FILE *to)
{
	for (unsigned c = 0; c < t->columns; c++) {
		const bool last = c == t->columns - 1;

		if (t->right[c])
			fprintf(to, "  %*s", width[c], row[c]);
		else
			fprintf(to, "  %-*s", last ? 0 : width[c], row[c]);
	}
	fputc('\n', to);
}

void out_table_print(struct out_table *t, FILE *to)
{
	int width[MAX_COLUMNS] = {0};

	measure(t, width);
	for (size_t i = 0; i + t->columns <= t->count; i += t->columns) {
		fputs(i ? "" : out_style(to, OUT_DIM), to);
		print_row(t, (const char *const *)&t->cells[i], width, to);
		fputs(i ? "" : out_style(to, OUT_PLAIN), to);
	}
	for (size_t i = 0; i < t->count; i++)
		free(t->cells[i]);
	free(t->cells);
	free(t);
}
