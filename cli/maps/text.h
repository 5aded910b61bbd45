/* SPDX-License-Identifier: MIT */
/* Reading numbers and lines out of text that is not NUL-terminated. */
#ifndef CLI_MAPS_TEXT_H
#define CLI_MAPS_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct text {
	const char *at, *end;
};

/* One line without its newline; false at the end of the text. */
static inline bool text_line(struct text *rest, struct text *line)
{
	const char *newline;

	if (rest->at == rest->end)
		return false;
	newline = memchr(rest->at, '\n', (size_t)(rest->end - rest->at));
	line->at = rest->at;
	line->end = newline ? newline : rest->end;
	rest->at = newline ? newline + 1 : rest->end;
	if (line->end > line->at && line->end[-1] == '\r')
		line->end--;
	return true;
}

static inline bool text_skip(struct text *t, const char *word)
{
	size_t n = strlen(word);

	if ((size_t)(t->end - t->at) < n || memcmp(t->at, word, n) != 0)
		return false;
	t->at += n;
	return true;
}

static inline void text_blanks(struct text *t)
{
	while (t->at < t->end && (*t->at == ' ' || *t->at == '\t'))
		t->at++;
}

/* Move behind the first occurrence of word. */
static inline bool text_find(struct text *t, const char *word)
{
	const char *found = memmem(t->at, (size_t)(t->end - t->at), word, strlen(word));

	if (!found)
		return false;
	t->at = found + strlen(word);
	return true;
}

static inline int text_hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

enum text_number { TEXT_OK, TEXT_NOT_A_NUMBER, TEXT_TOO_LARGE };

/* Hexadecimal digits, without 0x. */
static inline enum text_number text_hex(struct text *t, uint64_t *value)
{
	const char *first = t->at;
	uint64_t v = 0;

	for (; t->at < t->end && text_hex_digit(*t->at) >= 0; t->at++) {
		if (v >> 60)
			return TEXT_TOO_LARGE;
		v = v << 4 | (uint64_t)text_hex_digit(*t->at);
	}
	*value = v;
	return t->at == first ? TEXT_NOT_A_NUMBER : TEXT_OK;
}

/* "start-last", each with an optional 0x. */
static inline enum text_number text_range(struct text *t, uint64_t *start, uint64_t *last)
{
	enum text_number err;

	text_skip(t, "0x");
	err = text_hex(t, start);
	if (err)
		return err;
	if (!text_skip(t, "-"))
		return TEXT_NOT_A_NUMBER;
	text_skip(t, "0x");
	return text_hex(t, last);
}

#endif
