/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "inspect/entry.h"
#include "tests/inspect/overlay.h"

static bool added(const struct overlay *o, cop_pa pa)
{
	for (unsigned i = 0; i < o->frames; i++)
		if (COP_ALIGN_DOWN(pa, 4096) == o->frame[i])
			return true;
	return false;
}

static bool patched(const struct overlay *o, cop_pa pa, size_t bytes)
{
	for (unsigned i = 0; i < o->patches; i++)
		if (o->patch[i].pa >= pa && o->patch[i].pa - pa < bytes)
			return true;
	return false;
}

static const void *frame(struct insp_memory *m, cop_pa pa, size_t bytes, void *buffer)
{
	const struct overlay *o = (const struct overlay *)m;
	const void *p;

	if (bytes <= 4096 && added(o, pa))
		p = memset(buffer, 0, bytes);
	else
		p = insp_frame(o->record.memory, pa, bytes, buffer);
	if (!p || !patched(o, pa, bytes))
		return p;
	memmove(buffer, p, bytes);
	for (unsigned i = 0; i < o->patches; i++) {
		const uint64_t v = o->big_endian ? __builtin_bswap64(o->patch[i].value) : o->patch[i].value;

		if (o->patch[i].pa >= pa && o->patch[i].pa - pa < bytes)
			memcpy((char *)buffer + (o->patch[i].pa - pa), &v, sizeof(v));
	}
	return buffer;
}

static const struct insp_memory_ops ops = {frame, NULL};

struct overlay *overlay_open(const char *name)
{
	struct overlay *o = calloc(1, sizeof(*o));
	const char *slash = strchr(name, '/');
	const int set = slash ? (int)(slash - name) : (int)strlen(name);
	char frames[4096], regs[4096], info[4096];
	struct insp_source s = {.path = frames, .kind = "frames", .regs = regs, .vmcoreinfo = info, .arch = -1};
	struct insp_error error;

	assert_non_null(o);
	snprintf(frames, sizeof(frames), "%s/dumps/%.*s/%s%sframes.bin.xz", COP_TEST_DATA, set, name,
		 slash ? slash + 1 : "", slash ? "." : "");
	snprintf(regs, sizeof(regs), "%s/dumps/%.*s/%s%sregs.txt", COP_TEST_DATA, set, name, slash ? slash + 1 : "",
		 slash ? "." : "");
	snprintf(info, sizeof(info), "%s/dumps/%.*s/vmcoreinfo.txt", COP_TEST_DATA, set, name);
	if (access(info, R_OK))
		s.vmcoreinfo = NULL;
	if (insp_open(&s, &o->record, &error))
		fail_msg("%s", error.text);
	o->machine = o->record;
	o->machine.memory = &o->memory;
	o->memory = *o->record.memory;
	o->memory.ops = &ops;
	o->big_endian = o->record.tree[0].big_endian;
	return o;
}

void overlay_close(struct overlay *o)
{
	insp_close(&o->record);
	free(o);
}

void overlay_restore(struct overlay *o)
{
	o->patches = o->frames = 0;
}

static uint64_t read_entry(const struct overlay *o, cop_pa pa)
{
	_Alignas(64) uint64_t buffer;
	const uint64_t *p = insp_frame((struct insp_memory *)&o->memory, pa, 8, &buffer);

	assert_non_null(p);
	return o->big_endian ? __builtin_bswap64(*p) : *p;
}

static const struct insp_tree *tree_of(const struct overlay *o, cop_va va)
{
	for (unsigned i = 0; i < o->machine.trees; i++) {
		const struct insp_halves h = insp_halves(&o->machine.tree[i].geom);

		for (unsigned k = 0; k < h.count; k++)
			if (va >= h.half[k].start && va <= h.half[k].last)
				return &o->machine.tree[i];
	}
	fail_msg("%#" PRIx64 " is in no tree", va);
	return NULL;
}

static struct overlay_at at_root(const struct insp_tree *tree, cop_va va)
{
	const unsigned level = tree->geom.levels - 1U;
	const unsigned mask = (1U << tree->format->index_bits(&tree->geom, level)) - 1;

	return (struct overlay_at){.tree = tree,
				   .va = COP_ALIGN_DOWN(va, COP_LG2(tree->format->shift(level))),
				   .table = tree->root,
				   .index = (unsigned)(va >> tree->format->shift(level)) & mask,
				   .level = level};
}

static void down(struct overlay_at *at, cop_va va)
{
	const struct insp_tree *tree = at->tree;

	at->table = tree->format->table_pa(&tree->geom, at->entry, at->level);
	at->level--;
	at->index = (unsigned)(va >> tree->format->shift(at->level)) &
		    ((1U << tree->format->index_bits(&tree->geom, at->level)) - 1);
	at->va = COP_ALIGN_DOWN(va, COP_LG2(tree->format->shift(at->level)));
}

struct overlay_at overlay_at_level(const struct overlay *o, cop_va va, unsigned level)
{
	struct overlay_at at = at_root(tree_of(o, va), va);

	for (;;) {
		at.entry = read_entry(o, at.table + 8ULL * at.index);
		if (at.level == level || insp_kind(at.tree, at.entry, at.level) != COP_TABLE)
			return at;
		down(&at, va);
	}
}

struct overlay_at overlay_at(const struct overlay *o, cop_va va)
{
	return overlay_at_level(o, va, 0);
}

struct overlay_at overlay_entry(const struct overlay *o, const struct overlay_at *table, unsigned index)
{
	struct overlay_at at = *table;

	at.va += (uint64_t)index << at.tree->format->shift(at.level);
	at.va -= (uint64_t)table->index << at.tree->format->shift(at.level);
	at.index = index;
	at.entry = read_entry(o, at.table + 8ULL * index);
	return at;
}

void overlay_plant(struct overlay *o, const struct overlay_at *at, uint64_t entry)
{
	assert_true(o->patches < OVERLAY_PATCHES);
	o->patch[o->patches].pa = at->table + 8ULL * at->index;
	o->patch[o->patches++].value = entry;
}

uint32_t overlay_attrs(const struct overlay_at *at)
{
	assert_int_equal(insp_kind(at->tree, at->entry, at->level), COP_LEAF);
	return at->tree->format->attrs(&at->tree->geom, at->entry, at->level);
}

cop_pa overlay_pa(const struct overlay_at *at)
{
	assert_int_equal(insp_kind(at->tree, at->entry, at->level), COP_LEAF);
	return at->tree->format->leaf_pa(&at->tree->geom, at->entry, at->level);
}

struct list {
	const struct insp_tree *tree;
	struct overlay_leaf *leaf;
	size_t count, room;
};

static void add(void *context, const struct insp_run *run)
{
	struct list *l = context;

	for (unsigned i = 0; run->kind == COP_LEAF && i < run->count; i++) {
		if (l->count == l->room) {
			l->room = l->room ? 2 * l->room : 4096;
			l->leaf = realloc(l->leaf, l->room * sizeof(*l->leaf));
			assert_non_null(l->leaf);
		}
		l->leaf[l->count++] = (struct overlay_leaf){.tree = l->tree,
							    .va = run->va + ((cop_va)i << run->lg2),
							    .pa = run->pa + ((cop_pa)i << run->lg2),
							    .entry = run->entry + i * run->step,
							    .attrs = insp_attrs(l->tree, run),
							    .lg2 = run->lg2};
	}
}

struct overlay_leaf *overlay_leaves(const struct overlay *o, size_t *count)
{
	const struct insp_visitor visitor = {.run = add};
	struct list l = {0};

	for (unsigned i = 0; i < o->machine.trees; i++) {
		l.tree = &o->machine.tree[i];
		(void)insp_scan(o->machine.memory, l.tree, 0, ~0ULL, &visitor, &l);
	}
	*count = l.count;
	return l.leaf;
}
