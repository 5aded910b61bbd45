// SPDX-License-Identifier: MIT
/* The picture is well-formed XML, whatever the names in it are. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "cli/inspect/svg.h"

#define DEPTH 32

/* A name of an element: its end, or NULL. */
static const char *name_end(const char *p)
{
	const size_t n = strspn(p, "abcdefghijklmnopqrstuvwxyz");

	return n ? p + n : NULL;
}

/* Attributes: name="value" without markup in the value. The '>' or '/' behind them. */
static const char *attributes_end(const char *p)
{
	while (*p == ' ') {
		p += 1 + strcspn(p + 1, "=<>\"");
		assert_int_equal(p[0], '=');
		assert_int_equal(p[1], '"');
		p += 2;
		p += strcspn(p, "\"<&");
		assert_int_equal(*p, '"');
		p++;
	}
	return p;
}

static const char *entity_end(const char *p)
{
	static const char *const entities[] = {"&lt;", "&gt;", "&amp;", "&quot;"};

	for (unsigned i = 0; i < 4; i++)
		if (strncmp(p, entities[i], strlen(entities[i])) == 0)
			return p + strlen(entities[i]);
	fail_msg("not an entity: %.20s", p);
	return NULL;
}

/* Elements nest, values are quoted, there is one root. Elements counted by name in @name. */
static unsigned check(const char *p, const char *name)
{
	char open[DEPTH][16];
	unsigned depth = 0, seen = 0, roots = 0;

	while (*p) {
		const bool closing = p[0] == '<' && p[1] == '/';
		const char *start = p + 1 + closing, *end;
		char this[16] = "";

		if (*p == '&') {
			p = entity_end(p);
			continue;
		}
		if (*p != '<') {
			assert_true(depth > 0 || *p == '\n');
			assert_true((unsigned char)*p >= 0x20 || *p == '\n');
			p++;
			continue;
		}
		end = name_end(start);
		assert_non_null(end);
		assert_true(end - start < 16);
		memcpy(this, start, (size_t)(end - start));
		if (closing) {
			assert_int_equal(*end, '>');
			assert_true(depth > 0);
			assert_string_equal(open[--depth], this);
			p = end + 1;
			continue;
		}
		seen += strcmp(this, name) == 0;
		p = attributes_end(end);
		if (p[0] == '/') {
			assert_int_equal(p[1], '>');
			p += 2;
			continue;
		}
		assert_int_equal(*p, '>');
		roots += depth == 0;
		assert_true(depth < DEPTH);
		strcpy(open[depth++], this);
		p++;
	}
	assert_int_equal(depth, 0);
	assert_int_equal(roots, 1);
	return seen;
}

static char *print(const struct picture *p, const char *title)
{
	char *text;
	size_t size;
	FILE *to = open_memstream(&text, &size);

	svg_print(to, p, title);
	fclose(to);
	return text;
}

static void hostile_names(void **state)
{
	static struct picture_stretch stretch[2];
	struct insp_tree tree = {.name = "<tree & \"so\">", .format = &cop_format_x86_64};
	struct picture p = {.stretch = stretch, .stretches = 2, .sizes = 1, .levels = 1, .size_lg2 = {12}};
	char *text;

	for (unsigned i = 0; i < 2; i++) {
		stretch[i] = (struct picture_stretch){
			.tree = &tree, .region = "a]]><b>\x01\xff&c;", .start = i << 20, .bytes = 8192, .bins = 2};
		stretch[i].bin[1][0] = 1;
		stretch[i].mapped[0] = 4096;
		stretch[i].leaves[0] = 1;
	}
	p.level[0] = (struct picture_level){.name = "PTE", .tables = 1, .entries = 512};
	text = print(&p, "</title><script>alert('1')</script> \t\n\x7f");
	assert_int_equal(check(text, "script"), 0);
	assert_null(strstr(text, "<script"));
	assert_true(check(text, "title") >= 3);
	assert_int_equal(check(text, "desc"), 1);
	assert_non_null(strstr(text, "prefers-color-scheme"));
	free(text);
}

static void nothing_mapped(void **state)
{
	struct picture p = {0};
	char *text = print(&p, "nothing");

	assert_int_equal(check(text, "svg"), 1);
	free(text);
}

/* The largest there can be: every size, every bin, every stretch. */
static void all_of_it(void **state)
{
	struct picture_stretch *stretch = calloc(PICTURE_STRETCHES, sizeof(*stretch));
	struct insp_tree tree = {.name = "", .format = &cop_format_x86_64};
	struct picture p = {
		.stretch = stretch, .stretches = PICTURE_STRETCHES, .sizes = PICTURE_SIZES, .levels = PICTURE_LEVELS};
	char *text;

	for (unsigned i = 0; i < PICTURE_SIZES; i++)
		p.size_lg2[i] = (uint8_t)(12 + 6 * i);
	for (unsigned i = 0; i < PICTURE_STRETCHES; i++) {
		stretch[i].tree = &tree;
		stretch[i].start = (uint64_t)i << 58;
		stretch[i].bytes = 1ULL << 57;
		stretch[i].bins = svg_bins(stretch[i].bytes);
		for (unsigned b = 0; b < PICTURE_BINS; b++)
			stretch[i].bin[b][(b + i) % PICTURE_SIZES] = (float)(b % 3) / 2;
		stretch[i].mapped[7] = 1ULL << 57;
		stretch[i].leaves[7] = 8;
	}
	text = print(&p, "all");
	assert_true(check(text, "rect") > 1000);
	free(text);
	free(stretch);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hostile_names),
		cmocka_unit_test(nothing_mapped),
		cmocka_unit_test(all_of_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
