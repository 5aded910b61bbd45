/* SPDX-License-Identifier: MIT */
/* Reading and walking recorded page tables; see dump.h. */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <lzma.h>
#include <cmocka.h>

#include "tests/formats/dump.h"

struct bytes {
	unsigned char *data;
	size_t size;
};

static FILE *open_data(const char *set, const char *file)
{
	char path[4096];
	FILE *stream;

	assert_true((size_t)snprintf(path, sizeof(path), "%s/dumps/%s/%s", COP_TEST_DATA, set, file) < sizeof(path));
	stream = fopen(path, "rb");
	if (!stream)
		fail_msg("cannot open %s", path);
	return stream;
}

static struct bytes read_all(const char *set, const char *file)
{
	FILE *stream = open_data(set, file);
	struct bytes all = {0};
	size_t room = 0, got;

	do {
		if (all.size == room) {
			room = room ? 2 * room : 65536;
			all.data = realloc(all.data, room);
			assert_non_null(all.data);
		}
		got = fread(all.data + all.size, 1, room - all.size, stream);
		all.size += got;
	} while (got);
	fclose(stream);
	return all;
}

/* One byte more than the data, zero, so that text is a string. */
static struct bytes read_xz(const char *set, const char *file)
{
	struct bytes packed = read_all(set, file), plain = {0};
	lzma_stream xz = LZMA_STREAM_INIT;
	size_t room = 0;
	lzma_ret ret;

	assert_int_equal(lzma_stream_decoder(&xz, UINT64_MAX, 0), LZMA_OK);
	xz.next_in = packed.data;
	xz.avail_in = packed.size;
	do {
		room = room ? 2 * room : 1 << 20;
		plain.data = realloc(plain.data, room + 1);
		assert_non_null(plain.data);
		xz.next_out = plain.data + xz.total_out;
		xz.avail_out = room - xz.total_out;
		ret = lzma_code(&xz, LZMA_FINISH);
	} while (ret == LZMA_OK);
	if (ret != LZMA_STREAM_END)
		fail_msg("%s/%s is damaged (%d)", set, file, (int)ret);
	plain.size = xz.total_out;
	plain.data[plain.size] = 0;
	lzma_end(&xz);
	free(packed.data);
	return plain;
}

static uint64_t little64(const unsigned char *p)
{
	uint64_t v = 0;

	for (unsigned i = 8; i-- > 0;)
		v = v << 8 | p[i];
	return v;
}

static uint64_t big64(const unsigned char *p)
{
	uint64_t v = 0;

	for (unsigned i = 0; i < 8; i++)
		v = v << 8 | p[i];
	return v;
}

static int frame_order(const void *a, const void *b)
{
	const struct dump_frame *x = a, *y = b;

	return (x->pa > y->pa) - (x->pa < y->pa);
}

struct dump dump_open(const char *set, const char *file, unsigned frame_lg2, bool big_endian)
{
	const struct bytes plain = read_xz(set, file);
	const size_t record = 8 + ((size_t)1 << frame_lg2);
	struct dump d = {.data = plain.data, .frame_lg2 = frame_lg2, .big_endian = big_endian};

	assert_true(plain.size != 0 && plain.size % record == 0);
	d.count = plain.size / record;
	d.frames = calloc(d.count, sizeof(*d.frames));
	assert_non_null(d.frames);
	for (size_t i = 0; i < d.count; i++) {
		d.frames[i].pa = little64(d.data + i * record);
		d.frames[i].bytes = d.data + i * record + 8;
	}
	qsort(d.frames, d.count, sizeof(*d.frames), frame_order);
	return d;
}

void dump_close(struct dump *d)
{
	free(d->frames);
	free(d->data);
}

uint64_t dump_register(const char *set, const char *file, const char *name)
{
	FILE *stream = open_data(set, file);
	const size_t length = strlen(name);
	char line[256];

	while (fgets(line, sizeof(line), stream))
		if (strncmp(line, name, length) == 0 && line[length] == '=') {
			fclose(stream);
			return strtoull(line + length + 1, NULL, 0);
		}
	fclose(stream);
	fail_msg("%s/%s: no %s", set, file, name);
	return 0;
}

uint64_t dump_entry(struct dump *d, cop_pa table, unsigned index)
{
	const uint64_t size = 1ULL << d->frame_lg2;
	const cop_pa at = table + 8ULL * index;
	const struct dump_frame key = {.pa = COP_ALIGN_DOWN(at, size)};
	const struct dump_frame *frame = bsearch(&key, d->frames, d->count, sizeof(key), frame_order);

	if (!frame) {
		d->missing += index == 0;
		return 0;
	}
	return d->big_endian ? big64(frame->bytes + (at & (size - 1))) : little64(frame->bytes + (at & (size - 1)));
}

static void append(struct dump_leaves *leaves, struct dump_leaf leaf)
{
	if (leaves->count == leaves->room) {
		leaves->room = leaves->room ? 2 * leaves->room : 4096;
		leaves->leaf = realloc(leaves->leaf, leaves->room * sizeof(*leaves->leaf));
		assert_non_null(leaves->leaf);
	}
	leaves->leaf[leaves->count++] = leaf;
}

/* The address of an index that counts from the bottom of the tree's own half. */
static cop_va canonical(const struct cop_geom *g, cop_va va)
{
	if (g->va_bits == 64 || g->half == COP_HALF_LOW)
		return va;
	if (g->half == COP_HALF_HIGH || va >> (g->va_bits - 1))
		return va | ~0ULL << g->va_bits;
	return va;
}

static void walk_table(struct dump *d, const struct cop_format *f, const struct cop_geom *g, cop_pa table,
		       unsigned level, cop_va base, struct dump_leaves *out)
{
	const unsigned entries = 1U << f->index_bits(g, level);

	for (unsigned i = 0; i < entries; i++) {
		const uint64_t e = dump_entry(d, table, i);
		const cop_va va = base + ((cop_va)i << f->shift(level));
		const enum cop_kind kind = f->kind(g, e, level);

		if (kind == COP_BAD)
			fail_msg("level %u at %#" PRIx64 ": bad entry %#" PRIx64, level, va, e);
		if (kind == COP_TABLE)
			walk_table(d, f, g, f->table_pa(g, e, level), level - 1, va, out);
		if (kind == COP_LEAF)
			append(out, (struct dump_leaf){.va = canonical(g, va),
						       .pa = f->leaf_pa(g, e, level),
						       .bytes = 1ULL << f->shift(level),
						       .entry = e,
						       .level = level});
	}
}

void dump_walk(struct dump *d, const struct cop_format *f, const struct cop_geom *g, cop_pa root,
	       struct dump_leaves *out)
{
	assert_int_equal(f->check_geom(g), 0);
	walk_table(d, f, g, root, g->levels - 1U, 0, out);
}

struct dump_text dump_text(const char *set, const char *file)
{
	const size_t length = strlen(file);
	const bool packed = length > 3 && strcmp(file + length - 3, ".xz") == 0;
	struct bytes all = packed ? read_xz(set, file) : read_all(set, file);

	all.data = realloc(all.data, all.size + 1);
	assert_non_null(all.data);
	all.data[all.size] = 0;
	return (struct dump_text){(char *)all.data, (char *)all.data};
}

char *dump_line(struct dump_text *t)
{
	char *line = t->rest, *end = strchr(line, '\n');

	if (!end)
		return NULL;
	*end = 0;
	t->rest = end + 1;
	return line;
}

struct dump_leaves dump_expected(const char *set, const char *file)
{
	const struct bytes text = read_xz(set, file);
	struct dump_leaves leaves = {0};
	char *line = (char *)text.data, *end;

	while ((end = strchr(line, '\n')) != NULL) {
		struct dump_leaf leaf = {0};

		*end = 0;
		if (sscanf(line, "%" SCNx64 " %" SCNx64 " %" SCNx64 " %" SCNx64, &leaf.va, &leaf.pa, &leaf.bytes,
			   &leaf.entry) != 4)
			fail_msg("%s/%s: not a leaf: %s", set, file, line);
		append(&leaves, leaf);
		line = end + 1;
	}
	free(text.data);
	return leaves;
}

static int leaf_order(const void *a, const void *b)
{
	const struct dump_leaf *x = a, *y = b;

	return (x->va > y->va) - (x->va < y->va);
}

void dump_sort(struct dump_leaves *leaves)
{
	qsort(leaves->leaf, leaves->count, sizeof(*leaves->leaf), leaf_order);
}

void dump_leaves_free(struct dump_leaves *leaves)
{
	free(leaves->leaf);
}
