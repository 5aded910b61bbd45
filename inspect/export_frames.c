/* SPDX-License-Identifier: MIT */
/*
 * --export-frames: the tables of all trees, each once, whatever links them how often. Tables are gathered first (their
 * addresses only), so that the records come in address order and parts of one frame end up in one record.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <lzma.h>

#include "inspect/export_frames.h"

#define NONE UINT64_MAX

struct table {
	cop_pa pa;
	uint32_t bytes;
	uint8_t level;
};

struct gather {
	struct insp_machine *machine;
	const struct insp_tree *tree;
	struct insp_exported *exported;
	struct table *table; /* open-addressed by address and level while gathering, then sorted */
	size_t count, room;
	unsigned char *buffer; /* 64K for each level */
	bool no_memory;
};

static int fail(struct insp_error *error, int err, const char *format, ...) __attribute__((format(printf, 3, 4)));
static int fail(struct insp_error *error, int err, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	(void)vsnprintf(error->text, sizeof(error->text), format, args);
	va_end(args);
	return -err;
}

static size_t slot_of(const struct table *table, size_t room, cop_pa pa, unsigned level)
{
	size_t i = (size_t)(((pa >> 6 | (uint64_t)level << 58) * 0x9e3779b97f4a7c15ULL) >> 20) & (room - 1);

	while (table[i].pa != NONE && !(table[i].pa == pa && table[i].level == level))
		i = (i + 1) & (room - 1);
	return i;
}

static bool grow(struct gather *g)
{
	const size_t room = g->room ? 2 * g->room : 4096;
	struct table *table = malloc(room * sizeof(*table));

	if (!table)
		return false;
	for (size_t i = 0; i < room; i++)
		table[i].pa = NONE;
	for (size_t i = 0; i < g->room; i++)
		if (g->table[i].pa != NONE)
			table[slot_of(table, room, g->table[i].pa, g->table[i].level)] = g->table[i];
	free(g->table);
	g->table = table;
	g->room = room;
	return true;
}

/* False: it was seen already, or there is no memory for it. */
static bool add(struct gather *g, cop_pa pa, unsigned level, uint32_t bytes)
{
	size_t i;

	if (2 * g->count >= g->room && !grow(g)) {
		g->no_memory = true;
		return false;
	}
	i = slot_of(g->table, g->room, pa, level);
	if (g->table[i].pa != NONE)
		return false;
	g->table[i] = (struct table){pa, bytes, (uint8_t)level};
	g->count++;
	return true;
}

static void visit(struct gather *g, cop_pa pa, unsigned level)
{
	const struct cop_format *f = g->tree->format;
	const struct cop_geom *geom = &g->tree->geom;
	const unsigned entries = 1U << f->index_bits(geom, level);
	const uint32_t bytes = 8U * entries;
	const uint64_t *e;

	if (!COP_IS_ALIGNED(pa, bytes) || bytes > 65536) {
		g->exported->missing++;
		return;
	}
	if (!add(g, pa, level, bytes))
		return;
	e = insp_frame(g->machine->memory, pa, bytes, g->buffer + 65536ULL * level);
	if (!e) {
		/* Known, so that it is counted once; nothing of it will be written. */
		g->table[slot_of(g->table, g->room, pa, level)].bytes = 0;
		g->exported->missing++;
		return;
	}
	g->exported->tables++;
	for (unsigned i = 0; i < entries && level; i++) {
		const uint64_t v = g->tree->big_endian ? __builtin_bswap64(e[i]) : e[i];

		if (f->kind(geom, v, level) == COP_TABLE)
			visit(g, f->table_pa(geom, v, level), level - 1);
	}
}

static int by_pa(const void *a, const void *b)
{
	const struct table *x = a, *y = b;

	return (x->pa > y->pa) - (x->pa < y->pa);
}

static int gather(struct gather *g, struct insp_error *error)
{
	size_t n = 0;

	g->buffer = aligned_alloc(64, 65536ULL * 8);
	g->no_memory = !g->buffer;
	for (unsigned i = 0; i < g->machine->trees && !g->no_memory; i++) {
		g->tree = &g->machine->tree[i];
		visit(g, g->tree->root, g->tree->geom.levels - 1U);
	}
	if (g->no_memory)
		return fail(error, ENOMEM, "no memory for a list of %zu tables", g->count);
	for (size_t i = 0; i < g->room; i++)
		if (g->table[i].pa != NONE && g->table[i].bytes)
			g->table[n++] = g->table[i];
	g->count = n;
	if (n)
		qsort(g->table, n, sizeof(*g->table), by_pa);
	return 0;
}

/* A file that is not there until it is whole. */
struct output {
	FILE *file;
	char temporary[4096 + 16];
	lzma_stream xz;
	bool packed;
};

static bool begin(struct output *o, const char *path, bool packed)
{
	int fd;

	*o = (struct output){.packed = packed, .xz = LZMA_STREAM_INIT};
	(void)snprintf(o->temporary, sizeof(o->temporary), "%s.XXXXXX", path);
	fd = mkstemp(o->temporary);
	o->file = fd < 0 ? NULL : fdopen(fd, "wb");
	if (fd >= 0 && !o->file) {
		close(fd);
		(void)unlink(o->temporary);
	}
	return o->file && (!packed || lzma_easy_encoder(&o->xz, 6, LZMA_CHECK_CRC64) == LZMA_OK);
}

static bool put(struct output *o, const void *data, size_t size, lzma_action action)
{
	unsigned char chunk[16384];
	lzma_ret ret = LZMA_OK;

	if (!o->packed)
		return fwrite(data, 1, size, o->file) == size;
	o->xz.next_in = data;
	o->xz.avail_in = size;
	do {
		o->xz.next_out = chunk;
		o->xz.avail_out = sizeof(chunk);
		ret = lzma_code(&o->xz, action);
		if (fwrite(chunk, 1, sizeof(chunk) - o->xz.avail_out, o->file) != sizeof(chunk) - o->xz.avail_out)
			return false;
	} while (ret == LZMA_OK && (o->xz.avail_in || o->xz.avail_out == 0 || action == LZMA_FINISH));
	return ret == LZMA_OK || ret == LZMA_STREAM_END || (ret == LZMA_BUF_ERROR && action == LZMA_RUN);
}

/* The name appears with all of it, unless someone has the name already. */
static bool finish(struct output *o, const char *path, bool whole)
{
	int err = 0;

	if (whole && o->packed)
		whole = put(o, "", 0, LZMA_FINISH);
	lzma_end(&o->xz);
	if (!o->file)
		return false;
	if (whole && (fflush(o->file) != 0 || fchmod(fileno(o->file), 0644) != 0))
		whole = false;
	if (fclose(o->file) != 0)
		whole = false;
	if (whole && link(o->temporary, path) != 0) {
		whole = errno != EEXIST && access(path, F_OK) != 0 && rename(o->temporary, path) == 0;
		if (!whole)
			err = errno;
	}
	(void)unlink(o->temporary);
	if (err)
		errno = err;
	return whole;
}

/* Each frame once: all tables that lie in it, nothing else of it. */
static bool put_frames(struct gather *g, struct output *o, unsigned lg2)
{
	const size_t size = (size_t)1 << lg2;
	unsigned char *record = calloc(1, 8 + size), *buffer = g->buffer;
	cop_pa at = NONE;
	bool good = record != NULL;

	for (size_t i = 0; i < g->count && good; i++) {
		const struct table *t = &g->table[i];
		const unsigned char *from = insp_frame(g->machine->memory, t->pa, t->bytes, buffer);

		for (size_t done = 0; from && done < t->bytes && good;) {
			const cop_pa pa = t->pa + done, frame = COP_ALIGN_DOWN(pa, size);
			const size_t part = t->bytes - done < size ? t->bytes - done : size;

			/* Tables that overlap (only damaged trees have them): each frame is written once. */
			if (at != NONE && frame < at) {
				done += part;
				continue;
			}
			if (frame != at && at != NONE)
				good = put(o, record, 8 + size, LZMA_RUN);
			if (frame != at) {
				memset(record, 0, 8 + size);
				for (unsigned b = 0; b < 8; b++)
					record[b] = (unsigned char)(frame >> (8 * b));
				g->exported->frames++;
				at = frame;
			}
			memcpy(record + 8 + (pa - frame), from + done, part);
			done += part;
		}
	}
	if (good && at != NONE)
		good = put(o, record, 8 + size, LZMA_RUN);
	free(record);
	return good;
}

static bool ends_in(const char *path, const char *end)
{
	const size_t length = strlen(path), tail = strlen(end);

	return length > tail && strcmp(path + length - tail, end) == 0;
}

/* "a.bin.xz" and "a.bin" have "a.regs.txt". */
static void regs_path(const char *path, char out[4096])
{
	size_t length = strlen(path);

	if (ends_in(path, ".xz"))
		length -= 3;
	if (length > 4 && strncmp(path + length - 4, ".bin", 4) == 0)
		length -= 4;
	(void)snprintf(out, 4096, "%.*s.regs.txt", (int)length, path);
}

static int write_regs(struct insp_machine *m, struct insp_exported *e, struct insp_error *error)
{
	struct output o;
	char text[1024];
	const int size = insp_export_regs(m, text, sizeof(text));
	bool good = begin(&o, e->regs, false);

	good = good && put(&o, text, (size_t)size, LZMA_RUN);
	if (!finish(&o, e->regs, good))
		return fail(error, errno, "%s: %s", e->regs, strerror(errno));
	return 0;
}

static int write_frames(struct gather *g, const char *path, struct insp_error *error)
{
	struct output o;
	unsigned lg2 = 16;
	bool good = begin(&o, path, ends_in(path, ".xz"));

	for (unsigned i = 0; i < g->machine->trees; i++)
		if (g->machine->tree[i].geom.page_lg2 < lg2)
			lg2 = g->machine->tree[i].geom.page_lg2;
	good = good && put_frames(g, &o, lg2);
	if (!finish(&o, path, good))
		return fail(error, errno ? errno : EIO, "%s: %s", path, strerror(errno ? errno : EIO));
	return 0;
}

int insp_export_frames(struct insp_machine *m, const char *path, struct insp_exported *exported,
		       struct insp_error *error)
{
	struct gather g = {.machine = m, .exported = exported};
	int err;

	*exported = (struct insp_exported){0};
	error->text[0] = 0;
	if (strlen(path) > 4000)
		return fail(error, ENAMETOOLONG, "%.40s...: a path of more than 4000 bytes", path);
	regs_path(path, exported->regs);
	if (m->trees == 0)
		return fail(error, EINVAL, "%s: no tree to write", path);
	if (access(path, F_OK) == 0 || access(exported->regs, F_OK) == 0)
		return fail(error, EEXIST, "%s exists; expected a new file",
			    access(path, F_OK) == 0 ? path : exported->regs);
	err = gather(&g, error);
	if (!err)
		err = write_regs(m, exported, error);
	if (!err) {
		err = write_frames(&g, path, error);
		if (err)
			(void)unlink(exported->regs);
	}
	free(g.table);
	free(g.buffer);
	return err;
}
