/* SPDX-License-Identifier: MIT */
#include "checker/schedule.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAGIC "cop1"
#define BYTES (1U << 20) /* of a string: more than any schedule takes */

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

static uint32_t crc32_of(uint32_t crc, const void *data, size_t bytes)
{
	const uint8_t *p = data;

	crc = ~crc;
	while (bytes--) {
		crc ^= *p++;
		for (unsigned i = 0; i < 8; i++)
			crc = crc >> 1 ^ (crc & 1 ? 0xedb88320U : 0);
	}
	return ~crc;
}

void schedule_free(struct schedule *s)
{
	free(s->actor);
	free(s->choice);
	free(s->shared);
	memset(s, 0, sizeof(*s));
}

static void *copy_of(const void *from, size_t bytes, bool *good)
{
	void *to = malloc(bytes ? bytes : 1);

	if (!to)
		*good = false;
	else if (bytes)
		memcpy(to, from, bytes);
	return to;
}

struct schedule schedule_copy(const struct schedule *s)
{
	struct schedule c = *s;
	bool good = true;

	c.actor = copy_of(s->actor, s->steps, &good);
	c.choice = copy_of(s->choice, s->choices * sizeof(*s->choice), &good);
	c.shared = copy_of(s->shared, s->asked, &good);
	if (!good)
		schedule_free(&c);
	return c;
}

/* Writing. */

struct writer {
	uint8_t *at;
	size_t bytes, room;
	bool failed;
};

static void put(struct writer *w, unsigned byte)
{
	if (w->bytes == w->room) {
		const size_t room = w->room ? 2 * w->room : 256;
		uint8_t *at = realloc(w->at, room);

		if (!at) {
			w->failed = true;
			return;
		}
		w->at = at;
		w->room = room;
	}
	w->at[w->bytes++] = (uint8_t)byte;
}

static void put_number(struct writer *w, uint32_t n)
{
	for (; n > 127; n >>= 7)
		put(w, (n & 127) | 128);
	put(w, n);
}

/* Bytes that are the same, from @i on. */
static uint32_t run_at(const uint8_t *p, uint32_t i, uint32_t n)
{
	uint32_t end = i;

	while (end < n && p[end] == p[i])
		end++;
	return end - i;
}

static void put_steps(struct writer *w, const struct schedule *s)
{
	uint32_t runs = 0;

	for (uint32_t i = 0; i < s->steps; i += run_at(s->actor, i, s->steps))
		runs++;
	put_number(w, runs);
	for (uint32_t i = 0, n; i < s->steps; i += n) {
		n = run_at(s->actor, i, s->steps);
		put_number(w, s->actor[i] + SCHEDULE_ACTORS * (n - 1));
	}
}

static void put_choices(struct writer *w, const struct schedule *s)
{
	uint32_t pass = 0;

	put_number(w, s->choices);
	for (uint32_t i = 0; i < s->choices; i++) {
		put_number(w, s->choice[i].pass - pass);
		put(w, s->choice[i].nth);
		put(w, s->choice[i].way);
		pass = s->choice[i].pass;
	}
}

static void put_answers(struct writer *w, const struct schedule *s)
{
	const bool first = s->asked && s->shared[0];
	uint32_t runs = first;

	for (uint32_t i = 0; i < s->asked; i += run_at(s->shared, i, s->asked))
		runs++;
	put_number(w, runs);
	if (first)
		put_number(w, 0);
	for (uint32_t i = 0, n; i < s->asked; i += n) {
		n = run_at(s->shared, i, s->asked);
		put_number(w, n);
	}
}

static char *with_digits(const char *head, const struct writer *w)
{
	char *text = malloc(strlen(head) + w->bytes * 4 / 3 + 4), *to;
	uint32_t held = 0;
	unsigned bits = 0;

	if (!text)
		return NULL;
	to = stpcpy(text, head);
	for (size_t i = 0; i < w->bytes; i++) {
		held = held << 8 | w->at[i];
		for (bits += 8; bits >= 6; bits -= 6)
			*to++ = digits[held >> (bits - 6) & 63];
	}
	if (bits)
		*to++ = digits[held << (6 - bits) & 63];
	*to = 0;
	return text;
}

char *schedule_print(const struct schedule_name *n, const struct schedule *s)
{
	char head[sizeof(*n) + 16], *text = NULL;
	struct writer w = {NULL, 0, 0, false};
	uint32_t crc;

	snprintf(head, sizeof(head), MAGIC ".%s.%s.%s.%s.%s.", n->story, n->variant, n->format, n->order, n->version);
	put_steps(&w, s);
	put_choices(&w, s);
	put_answers(&w, s);
	crc = crc32_of(crc32_of(0, head, strlen(head)), w.at, w.failed ? 0 : w.bytes);
	for (unsigned i = 0; i < 4; i++)
		put(&w, crc >> 8 * i & 255);
	if (!w.failed)
		text = with_digits(head, &w);
	free(w.at);
	return text;
}

/* Reading. */

struct reader {
	const uint8_t *at, *end;
	bool failed;
};

static unsigned get(struct reader *r)
{
	if (r->at == r->end) {
		r->failed = true;
		return 0;
	}
	return *r->at++;
}

static uint32_t get_number(struct reader *r)
{
	uint32_t n = 0;

	for (unsigned shift = 0; shift < 28; shift += 7) {
		const unsigned byte = get(r);

		n |= (byte & 127) << shift;
		if (!(byte & 128)) {
			/* One way only to say a number. */
			r->failed |= shift && !byte;
			return n;
		}
	}
	r->failed = true;
	return 0;
}

static bool get_steps(struct reader *r, struct schedule *s)
{
	const uint32_t runs = get_number(r);

	s->actor = malloc(SCHEDULE_STEPS);
	if (!s->actor)
		return false;
	for (uint32_t i = 0; i < runs && !r->failed; i++) {
		const uint32_t run = get_number(r), n = run / SCHEDULE_ACTORS + 1;

		if (n > SCHEDULE_STEPS - s->steps) {
			r->failed = true;
			break;
		}
		memset(s->actor + s->steps, (int)(run % SCHEDULE_ACTORS), n);
		s->steps += n;
	}
	return true;
}

static bool get_choices(struct reader *r, struct schedule *s)
{
	const uint32_t n = get_number(r);
	uint32_t pass = 0;

	if (n > SCHEDULE_STEPS)
		r->failed = true;
	if (r->failed)
		return true;
	s->choice = calloc(n ? n : 1, sizeof(*s->choice));
	if (!s->choice)
		return false;
	for (; s->choices < n && !r->failed; s->choices++) {
		pass += get_number(r);
		r->failed |= pass > s->steps;
		s->choice[s->choices].pass = pass;
		s->choice[s->choices].nth = (uint8_t)get(r);
		s->choice[s->choices].way = (uint8_t)get(r);
	}
	return true;
}

static bool get_answers(struct reader *r, struct schedule *s)
{
	const uint32_t runs = get_number(r);

	s->shared = malloc(SCHEDULE_ASKED);
	if (!s->shared)
		return false;
	for (uint32_t i = 0; i < runs && !r->failed; i++) {
		const uint32_t n = get_number(r);

		if (n > SCHEDULE_ASKED - s->asked) {
			r->failed = true;
			break;
		}
		memset(s->shared + s->asked, i & 1, n);
		s->asked += n;
	}
	return true;
}

/* Bytes of digits; 0: they are none. */
static size_t undigit(const char *text, uint8_t *to)
{
	uint32_t held = 0;
	unsigned bits = 0;
	size_t n = 0;

	for (; *text; text++) {
		const char *digit = strchr(digits, *text);

		if (!digit)
			return 0;
		held = held << 6 | (uint32_t)(digit - digits);
		bits += 6;
		if (bits >= 8) {
			bits -= 8;
			to[n++] = (uint8_t)(held >> bits);
		}
	}
	return held & ((1U << bits) - 1) ? 0 : n;
}

static bool name_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

/* Up to the next dot. Return: what follows it; NULL: no such name. */
static const char *get_name(const char *text, char *to, size_t room)
{
	size_t n = 0;

	while (name_char(text[n]) && n < room - 1) {
		to[n] = text[n];
		n++;
	}
	to[n] = 0;
	return n && text[n] == '.' ? text + n + 1 : NULL;
}

static const char *get_head(const char *text, struct schedule_name *n)
{
	char magic[8];
	const struct {
		char *to;
		size_t room;
	} part[] = {{magic, sizeof(magic)},         {n->story, sizeof(n->story)}, {n->variant, sizeof(n->variant)},
		    {n->format, sizeof(n->format)}, {n->order, sizeof(n->order)}, {n->version, sizeof(n->version)}};

	for (size_t i = 0; text && i < sizeof(part) / sizeof(*part); i++) {
		text = get_name(text, part[i].to, part[i].room);
		if (!i && text && strcmp(magic, MAGIC) != 0)
			return NULL;
	}
	return text;
}

static const char *get_schedule(const uint8_t *at, size_t bytes, struct schedule *s)
{
	struct reader r = {at, at + bytes, false};

	if (!get_steps(&r, s) || (!r.failed && !get_choices(&r, s)) || (!r.failed && !get_answers(&r, s)))
		return "out of memory";
	return r.failed || r.at != r.end ? "its steps make no sense" : NULL;
}

static const char *get_all(const char *text, const char *steps, struct schedule_string *s)
{
	const size_t n = strlen(steps);
	uint8_t *at = malloc(n + 1);
	const char *error = NULL;
	size_t bytes;
	uint32_t crc;

	if (!at)
		return "out of memory";
	bytes = undigit(steps, at);
	if (bytes < 4) {
		error = "it is not whole: its end is missing, or something else follows";
	} else {
		bytes -= 4;
		crc = crc32_of(crc32_of(0, text, (size_t)(steps - text)), at, bytes);
		if (crc != ((uint32_t)at[bytes] | (uint32_t)at[bytes + 1] << 8 | (uint32_t)at[bytes + 2] << 16 |
			    (uint32_t)at[bytes + 3] << 24))
			error = "it is not whole: it was cut off or changed";
		else
			error = get_schedule(at, bytes, &s->schedule);
	}
	free(at);
	return error;
}

struct schedule_string schedule_parse(const char *text)
{
	struct schedule_string s = {.error = NULL};
	const char *steps;

	if (strlen(text) > BYTES) {
		s.error = "it is too long";
		return s;
	}
	steps = get_head(text, &s.name);
	if (!steps) {
		s.error = "it does not begin as cop1.STORY.VARIANT.FORMAT.ORDER.VERSION.";
		return s;
	}
	s.error = get_all(text, steps, &s);
	if (s.error)
		schedule_free(&s.schedule);
	return s;
}
