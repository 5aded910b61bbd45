/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "tests/inspect/input.h"

#define PATHS 64

static char directory[64];
static char paths[PATHS][128];
static unsigned path_count;

struct insp_source input_set(const char *set, const char *frames, const char *regs)
{
	static char frames_path[4096], regs_path[4096];

	(void)snprintf(frames_path, sizeof(frames_path), "%s/dumps/%s/%s", COP_TEST_DATA, set, frames);
	(void)snprintf(regs_path, sizeof(regs_path), "%s/dumps/%s/%s", COP_TEST_DATA, set, regs);
	return (struct insp_source){.path = frames_path, .regs = regs_path, .arch = -1};
}

struct insp_machine input_opened(const struct insp_source *source)
{
	struct insp_machine m;
	struct insp_error error;

	if (insp_open(source, &m, &error) != 0)
		fail_msg("%s", error.text);
	return m;
}

void input_refused(const struct insp_source *source, const char *part)
{
	struct insp_machine m;
	struct insp_error error;

	if (insp_open(source, &m, &error) == 0)
		fail_msg("%s was opened; expected '%s'", source->path, part);
	if (!strstr(error.text, part) || strchr(error.text, '\n'))
		fail_msg("'%s'; expected '%s'", error.text, part);
	assert_null(m.memory);
	assert_null(m.found);
}

struct walk {
	struct insp_machine *m;
	const struct insp_tree *t;
	struct dump_leaves *out;
	unsigned *holes;
};

static void append(struct dump_leaves *leaves, struct dump_leaf leaf)
{
	if (leaves->count == leaves->room) {
		leaves->room = leaves->room ? 2 * leaves->room : 4096;
		leaves->leaf = realloc(leaves->leaf, leaves->room * sizeof(*leaves->leaf));
		assert_non_null(leaves->leaf);
	}
	leaves->leaf[leaves->count++] = leaf;
}

static cop_va canonical(const struct cop_geom *g, cop_va va)
{
	if (g->va_bits == 64 || g->half == COP_HALF_LOW)
		return va;
	if (g->half == COP_HALF_HIGH || va >> (g->va_bits - 1))
		return va | ~0ULL << g->va_bits;
	return va;
}

static void walk(struct walk *w, cop_pa table, unsigned level, cop_va base)
{
	const struct cop_format *f = w->t->format;
	const struct cop_geom *g = &w->t->geom;
	const unsigned bits = f->index_bits(g, level);
	uint64_t *buffer = malloc(65536);
	const uint64_t *entries = insp_frame(w->m->memory, table, 8ULL << bits, buffer);

	assert_true(((uintptr_t)entries & 7) == 0);
	*w->holes += !entries;
	for (unsigned i = 0; entries && i < 1U << bits; i++) {
		const uint64_t e = w->t->big_endian ? __builtin_bswap64(entries[i]) : entries[i];
		const cop_va va = base + ((cop_va)i << f->shift(level));

		if (f->kind(g, e, level) == COP_TABLE)
			walk(w, f->table_pa(g, e, level), level - 1, va);
		if (f->kind(g, e, level) == COP_LEAF)
			append(w->out, (struct dump_leaf){.va = canonical(g, va),
							  .pa = f->leaf_pa(g, e, level),
							  .bytes = 1ULL << f->shift(level),
							  .entry = e,
							  .level = level});
	}
	free(buffer);
}

struct dump_leaves input_leaves(struct insp_machine *m, unsigned *holes)
{
	struct dump_leaves all = {0};

	*holes = 0;
	for (unsigned i = 0; i < m->trees; i++) {
		struct walk w = {m, &m->tree[i], &all, holes};

		walk(&w, w.t->root, w.t->geom.levels - 1U, 0);
	}
	dump_sort(&all);
	return all;
}

void input_same(struct dump_leaves *a, struct dump_leaves *b)
{
	for (size_t i = 0; i < a->count && i < b->count; i++) {
		const struct dump_leaf *x = &a->leaf[i], *y = &b->leaf[i];

		if (x->va != y->va || x->pa != y->pa || x->bytes != y->bytes || x->entry != y->entry)
			fail_msg("%#" PRIx64 " %#" PRIx64 " %#" PRIx64 " %#" PRIx64 ", expected %#" PRIx64 " %#" PRIx64
				 " %#" PRIx64 " %#" PRIx64,
				 x->va, x->pa, x->bytes, x->entry, y->va, y->pa, y->bytes, y->entry);
	}
	assert_int_equal(a->count, b->count);
	assert_true(a->count > 100);
}

void input_has_leaves(struct insp_machine *m, const char *set)
{
	struct dump_leaves expected = dump_expected(set, "leaves.txt.xz"), found;
	unsigned holes;

	found = input_leaves(m, &holes);
	assert_int_equal(holes, 0);
	dump_sort(&expected);
	input_same(&found, &expected);
	dump_leaves_free(&found);
	dump_leaves_free(&expected);
}

static void remove_all(void)
{
	for (unsigned i = 0; i < path_count; i++)
		(void)unlink(paths[i]);
	(void)rmdir(directory);
}

const char *input_path(const char *name)
{
	if (!directory[0]) {
		(void)snprintf(directory, sizeof(directory), "/tmp/coppice-test.XXXXXX");
		assert_non_null(mkdtemp(directory));
		(void)atexit(remove_all);
	}
	assert_true(path_count < PATHS);
	(void)snprintf(paths[path_count], sizeof(paths[0]), "%s/%s", directory, name);
	return paths[path_count++];
}

void input_write(const char *path, const void *data, size_t size)
{
	FILE *f = fopen(path, "wb");

	assert_non_null(f);
	assert_int_equal(fwrite(data, 1, size, f), size);
	assert_int_equal(fclose(f), 0);
}

struct input_frames input_frames_of(const char *set)
{
	struct dump d = dump_open(set, "frames.bin.xz", 12, false);
	struct input_frames f = {.data = d.data, .count = d.count};

	f.frame = calloc(d.count, sizeof(*f.frame));
	assert_non_null(f.frame);
	for (size_t i = 0; i < d.count; i++)
		f.frame[i] = (struct input_frame){d.frames[i].pa, d.frames[i].bytes};
	free(d.frames);
	return f;
}

void input_frames_free(struct input_frames *f)
{
	free(f->frame);
	free(f->data);
}
