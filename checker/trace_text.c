/* SPDX-License-Identifier: MIT */
/* A trace for people: the failure in one sentence, then one column per CPU. */
#include "checker/rules.h"
#include "checker/trace.h"

#include <string.h>

#define WIDTH  140
#define NUMBER 6
#define PLACE  24
#define NARROW 30

struct style {
	const char *bold, *red, *dim, *plain;
};

static struct style style_of(const struct checker_show *show)
{
	if (show && show->colour)
		return (struct style){"\033[1m", "\033[31m", "\033[2m", "\033[0m"};
	return (struct style){"", "", "", ""};
}

static void head(const struct trace *t, const struct style *s, FILE *f)
{
	fprintf(f, "%s%s%s%s\n", s->bold, t->who, t->who[0] ? ": " : "", t->report->text);
	fprintf(f, "%s  rule    %s%s%s%s\n", s->plain, t->report->rule, t->rule ? ": " : "",
		t->rule ? t->rule->meaning : "", s->plain);
	if (t->manual && strcmp(t->manual, "every machine") != 0)
		fprintf(f, "  manual  %s\n", t->manual);
}

/* As much of the text as fits, broken at a blank if there is one. */
static size_t fitting(const char *text, size_t room)
{
	size_t n = strlen(text);

	if (n <= room)
		return n;
	for (n = room; n > room / 2; n--) {
		if (text[n] == ' ')
			return n;
	}
	return room;
}

static void print_line(const struct trace_line *l, unsigned column, unsigned columns, const struct style *s, FILE *f)
{
	const char *text = l->text, *colour = "";
	size_t n = fitting(text, column - 2);
	char number[16] = "";

	if (l->event)
		snprintf(number, sizeof(number), "%zu", l->number);
	if (l->folded)
		colour = s->dim;
	else if (l->event->op == SIM_OP_REPORT)
		colour = s->red;
	fprintf(f, "%*s  %*s%s%.*s%s", NUMBER - 2, number, (int)(l->column * column), "", colour, (int)n, text,
		s->plain);
	if (l->event)
		fprintf(f, "%*s%s:%d", (int)((columns - l->column) * column - (unsigned)n), "",
			trace_base_name(l->event->at.file), l->event->at.line);
	fputc('\n', f);
	for (text += n; *text; text += n) {
		text += *text == ' ';
		n = fitting(text, column - 4);
		fprintf(f, "%*s%s%.*s%s\n", NUMBER + (int)(l->column * column) + 2, "", colour, (int)n, text, s->plain);
	}
}

void trace_print(const struct trace *t, const struct checker_show *show, FILE *f)
{
	const struct style s = style_of(show);
	const unsigned width = show && show->width ? show->width : WIDTH;
	unsigned column = (width - NUMBER - PLACE) / t->columns;

	column = column < NARROW ? NARROW : column;
	head(t, &s, f);
	if (show && show->origin)
		fprintf(f, "  thread  %s\n", show->origin);
	fprintf(f, "\n%*s%s", NUMBER, "", s.bold);
	for (unsigned i = 0; i < t->columns; i++)
		fprintf(f, "%-*s", i + 1 < t->columns ? (int)column : 0, t->column[i]);
	fprintf(f, "%s\n", s.plain);
	for (size_t i = 0; i < t->lines; i++)
		print_line(&t->line[i], column, t->columns, &s, f);
	if (t->holds)
		fprintf(f, "\n%sThen%s\n", s.bold, s.plain);
	for (unsigned i = 0; i < t->holds; i++)
		fprintf(f, "  %s\n", t->hold[i]);
	if (t->left_out)
		fprintf(f, "\n%zu events that did not come before it are left out.\n", t->left_out);
	fputc('\n', f);
}
