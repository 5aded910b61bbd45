/* SPDX-License-Identifier: MIT */
/* The scan against a plain recursive reader: random tables of every geometry, holes, cycles, garbage, cut-off tables. */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "inspect/scan.h"

#define FRAMES 192
#define FRAME  4096UL

/* ---- memory of a few frames, some of which nobody has ---- */

struct small_memory {
	struct insp_memory m;
	struct insp_extent all;
	unsigned char *bytes;
	bool gone[FRAMES];
	bool copies;
	uint64_t reads;
};

static const void *small_frame(struct insp_memory *m, cop_pa pa, size_t bytes, void *buffer)
{
	struct small_memory *s = (struct small_memory *)m;

	assert_true(bytes && !(bytes & (bytes - 1)) && bytes <= 65536 && COP_IS_ALIGNED(pa, bytes));
	s->reads++;
	if (pa >= (FRAMES * FRAME) || bytes > (FRAMES * FRAME) - pa)
		return NULL;
	for (cop_pa at = pa; at < pa + bytes; at += FRAME)
		if (s->gone[at / FRAME])
			return NULL;
	if (!s->copies)
		return s->bytes + pa;
	memcpy(buffer, s->bytes + pa, bytes);
	return buffer;
}

static const struct insp_memory_ops small_ops = {.frame = small_frame};

#define BYTES (FRAMES * FRAME)

static _Alignas(65536) unsigned char memory_bytes[BYTES];
static struct small_memory memory = {.bytes = memory_bytes};

static void memory_clear(bool copies)
{
	memset(memory.bytes, 0, BYTES);
	memset(memory.gone, 0, sizeof(memory.gone));
	memory.all = (struct insp_extent){0, BYTES};
	memory.m = (struct insp_memory){.ops = &small_ops, .kind = "test", .extents = &memory.all, .extent_count = 1};
	memory.copies = copies;
	memory.reads = 0;
}

static void put(const struct insp_tree *tree, cop_pa table, unsigned index, uint64_t e)
{
	const cop_pa at = table + index * 8UL;

	assert_true(at + 8 <= BYTES);
	e = tree->big_endian ? __builtin_bswap64(e) : e;
	memcpy(memory.bytes + at, &e, 8);
}

static bool get(const struct insp_tree *tree, cop_pa table, unsigned index, uint64_t *e)
{
	const cop_pa at = table + index * 8UL;

	if (at < table || at + 8 > BYTES || memory.gone[at / FRAME])
		return false;
	memcpy(e, memory.bytes + at, 8);
	*e = tree->big_endian ? __builtin_bswap64(*e) : *e;
	return true;
}

static uint64_t seed;

static uint64_t draw(uint64_t below)
{
	seed ^= seed >> 12;
	seed ^= seed << 25;
	seed ^= seed >> 27;
	return (seed * 0x2545f4914f6cdd1dULL >> 11) % below;
}

/* ---- what is there, entry by entry ---- */

struct item {
	cop_va va;
	cop_pa pa;
	uint64_t entry;
	uint8_t level, kind;
};

struct items {
	struct item *item;
	size_t count, room;
};

static void add(struct items *items, struct item item)
{
	if (items->count == items->room) {
		items->room = items->room ? 2 * items->room : 4096;
		items->item = realloc(items->item, items->room * sizeof(item));
		assert_non_null(items->item);
	}
	items->item[items->count++] = item;
}

static cop_va signed_va(const struct cop_geom *g, cop_va va)
{
	if (g->va_bits == 64 || g->half == COP_HALF_LOW)
		return va;
	if (g->half == COP_HALF_HIGH || (va >> (g->va_bits - 1) & 1))
		return va | ~0ULL << g->va_bits;
	return va;
}

static bool short_table(const struct insp_tree *tree, uint64_t e, unsigned level)
{
	if (tree->format->arch != COP_S390X || level < 2)
		return false;
	/* Neither invalid nor a leaf, its own type, nothing reserved, offset not behind length. */
	return !(e & 0x20) && !(e & 0x400) && (e >> 2 & 3) == level - 1 && !(e & 0x910) && (e >> 6 & 3) <= (e & 3);
}

static void expect(const struct insp_tree *tree, cop_pa table, unsigned level, cop_va base, unsigned first,
		   unsigned end, cop_pa *path, struct items *out)
{
	const struct cop_format *f = tree->format;
	const struct cop_geom *g = &tree->geom;

	path[level] = table;
	for (unsigned i = first; i < end; i++) {
		const cop_va va = base + ((cop_va)i << f->shift(level));
		enum cop_kind kind;
		cop_pa pa = 0;
		uint64_t e;

		if (!get(tree, table, i, &e))
			continue;
		kind = f->kind(g, e, level);
		if (kind == COP_EMPTY)
			continue;
		if (kind == COP_TABLE || short_table(tree, e, level)) {
			const cop_pa next = f->table_pa(g, e, level);
			const bool quarters = f->arch == COP_S390X && level >= 2;
			const unsigned from = quarters ? (unsigned)(e >> 6 & 3) * 512 : 0;
			const unsigned to =
				quarters ? (unsigned)((e & 3) + 1) * 512 : 1U << f->index_bits(g, level - 1);
			bool cycle = false;

			for (unsigned l = level; l < g->levels; l++)
				cycle |= path[l] == next;
			if (!cycle)
				expect(tree, next, level - 1, va, from, to, path, out);
			continue;
		}
		if (kind == COP_LEAF)
			pa = f->leaf_pa(g, e, level);
		if (kind == COP_LEAF && f->arch == COP_RISCV64 && e >> 63)
			pa += (i & 15) * FRAME;
		add(out, (struct item){signed_va(g, va), pa, e, (uint8_t)level, (uint8_t)kind});
	}
}

static struct items expected(const struct insp_tree *tree)
{
	const unsigned top = tree->geom.levels - 1U, entries = 1U << tree->format->index_bits(&tree->geom, top);
	struct items items = {0};
	cop_pa path[5];

	expect(tree, tree->root, top, 0, 0, tree->root_entries ? tree->root_entries : entries, path, &items);
	return items;
}

/* ---- what the scan says ---- */

static void see(void *context, const struct insp_run *run)
{
	assert_true(run->count >= 1 && run->kind != COP_EMPTY && run->kind != COP_TABLE);
	for (unsigned i = 0; i < run->count; i++)
		add(context, (struct item){run->va + ((cop_va)i << run->lg2),
					   run->kind == COP_LEAF ? run->pa + ((cop_pa)i << run->lg2) : 0,
					   run->entry + i * run->step, run->level, run->kind});
}

static const struct insp_visitor visitor = {.run = see};

static void same(const struct items *found, const struct items *want)
{
	for (size_t i = 0; i < found->count && i < want->count; i++) {
		const struct item *f = &found->item[i], *w = &want->item[i];

		if (f->va != w->va || f->pa != w->pa || f->entry != w->entry || f->level != w->level ||
		    f->kind != w->kind)
			fail_msg("found %#" PRIx64 " %#" PRIx64 " %#" PRIx64 " level %u kind %u, expected %#" PRIx64
				 " %#" PRIx64 " %#" PRIx64 " level %u kind %u",
				 f->va, f->pa, f->entry, f->level, f->kind, w->va, w->pa, w->entry, w->level, w->kind);
	}
	assert_int_equal(found->count, want->count);
}

/* Some of them, by address, as a scan of a part must find them: entries that reach into [start, last]. */
static void same_part(const struct insp_tree *tree, const struct items *all, cop_va start, cop_va last)
{
	struct items part = {0}, found = {0};

	for (size_t i = 0; i < all->count; i++) {
		const struct item *item = &all->item[i];
		const cop_va end = item->va + (COP_LG2(tree->format->shift(item->level)) - 1);

		if (item->va <= last && end >= start)
			add(&part, *item);
	}
	(void)insp_scan(&memory.m, tree, start, last, &visitor, &found);
	same(&found, &part);
	free(part.item);
	free(found.item);
}

static void check(const struct insp_tree *tree)
{
	struct items found = {0}, want = expected(tree);

	(void)insp_scan(&memory.m, tree, 0, ~0ULL, &visitor, &found);
	same(&found, &want);
	for (unsigned i = 0; i < 4 && want.count; i++) {
		const cop_va a = want.item[draw(want.count)].va + draw(8192),
			     b = want.item[draw(want.count)].va + draw(8192);

		same_part(tree, &want, a < b ? a : b, a < b ? b : a);
	}
	free(found.item);
	free(want.item);
}

/* ---- geometries ---- */

static const struct {
	uint8_t arch, page_lg2, va_bits;
	bool high;
	uint32_t features;
} shapes[] = {
	{COP_ARM64, 12, 39, true, 0},
	{COP_ARM64, 12, 48, false, 0},
	{COP_ARM64, 12, 52, true, 0},
	{COP_ARM64, 14, 36, false, 0},
	{COP_ARM64, 14, 47, true, 0},
	{COP_ARM64, 14, 48, false, 0},
	{COP_ARM64, 14, 52, true, 0},
	{COP_ARM64, 16, 42, true, 0},
	{COP_ARM64, 16, 48, false, 0},
	{COP_ARM64, 16, 52, true, COP_F_LPA},
	{COP_X86_64, 12, 48, false, 0},
	{COP_X86_64, 12, 57, false, 0},
	{COP_RISCV64, 12, 39, false, COP_F_SVNAPOT | COP_F_SVPBMT},
	{COP_RISCV64, 12, 48, false, 0},
	{COP_RISCV64, 12, 57, false, COP_F_SVNAPOT},
	{COP_S390X, 12, 31, false, 0},
	{COP_S390X, 12, 42, false, 0},
	{COP_S390X, 12, 53, false, 0},
	{COP_S390X, 12, 64, false, 0},
};
#define SHAPES (sizeof(shapes) / sizeof(*shapes))

static struct insp_tree tree_of(size_t i)
{
	struct insp_tree tree = {.name = "", .format = cop_format_for(shapes[i].arch, shapes[i].page_lg2)};
	unsigned bits;

	assert_int_equal(cop_geom_init(&tree.geom, shapes[i].arch, shapes[i].page_lg2,
				       shapes[i].va_bits >= 64 ? 64 : shapes[i].va_bits),
			 0);
	if (shapes[i].high)
		tree.geom.half = COP_HALF_HIGH;
	tree.geom.features |= shapes[i].features;
	if (shapes[i].features & COP_F_LPA)
		tree.geom.pa_bits = 52;
	tree.big_endian = shapes[i].arch == COP_S390X;
	bits = tree.format->index_bits(&tree.geom, tree.geom.levels - 1U);
	tree.root = COP_ALIGN_UP(FRAME, 8UL << bits);
	assert_int_equal(tree.format->check_geom(&tree.geom), 0);
	return tree;
}

/* Table memory is handed out one after the other, whatever its size. */
static cop_pa next_table;

static cop_pa new_table(const struct insp_tree *tree, unsigned level)
{
	const size_t bytes = 8UL << tree->format->index_bits(&tree->geom, level);
	const cop_pa pa = COP_ALIGN_UP(next_table, bytes);

	if (pa + bytes > BYTES)
		return COP_PA_NONE;
	next_table = pa + bytes;
	for (unsigned i = 0; i < bytes / 8; i++)
		put(tree, pa, i, tree->format->empty(level));
	return pa;
}

static uint32_t some_attrs(const struct insp_tree *tree, unsigned level)
{
	for (;;) {
		const uint32_t attrs = COP_READ | (uint32_t)draw(1 << 11) | (draw(8) ? 0 : COP_PROTNONE);

		if (!tree->format->check_attrs(&tree->geom, attrs, level))
			return attrs;
	}
}

/* Leaves from @i on: a row of them, now and then with other attributes or a jump. */
static unsigned some_leaves(const struct insp_tree *tree, cop_pa table, unsigned i, unsigned end, unsigned level)
{
	const struct cop_format *f = tree->format;
	const uint64_t bytes = COP_LG2(f->shift(level)), most = COP_LG2(tree->geom.pa_bits);
	const unsigned n = 1 + (unsigned)draw(draw(2) ? 4 : 200);
	uint32_t attrs = some_attrs(tree, level);
	cop_pa pa = draw(3) ? draw(most / bytes < 4096 ? most / bytes : 4096) * bytes : most - bytes * (1 + draw(3));

	for (unsigned k = 0; k < n && i < end; k++, i++) {
		if (pa >= most)
			pa = 0;
		put(tree, table, i,
		    f->leaf(&tree->geom, pa, level, attrs & COP_CONT ? attrs & ~(uint32_t)COP_CONT : attrs));
		if (attrs & COP_CONT && f->cont_lg2(&tree->geom, level))
			put(tree, table, i, f->leaf(&tree->geom, pa, level, attrs));
		pa += bytes;
		if (!draw(20))
			attrs ^= COP_YOUNG;
	}
	return i;
}

static void fill(const struct insp_tree *tree, cop_pa table, unsigned level, cop_pa root)
{
	const struct cop_format *f = tree->format;
	const unsigned end = 1U << f->index_bits(&tree->geom, level);
	unsigned i = 0, tables = 0;

	while (i < end) {
		const unsigned what = (unsigned)draw(20);

		if (what < 8) {
			i += 1 + (unsigned)draw(end / 4 + 1);
		} else if (what < 13 && f->can_leaf(&tree->geom, level)) {
			i = some_leaves(tree, table, i, end, level);
		} else if (what < 18 && level > 0 && tables++ < 3) {
			const cop_pa child = draw(6)   ? new_table(tree, level - 1)
					     : draw(2) ? root
						       : draw(FRAMES + 8) * FRAME;
			uint64_t e;

			if (child == COP_PA_NONE)
				continue;
			e = f->table(&tree->geom, child, level);
			if (f->arch == COP_S390X && level >= 2 && draw(2))
				e = (e & ~0xc3ULL) | draw(4) << 6 | draw(4);
			put(tree, table, i++, e);
			if (child >= root && child < next_table && child != root && draw(8))
				fill(tree, child, level - 1, root);
		} else if (what == 18) {
			put(tree, table, i++, draw(1ULL << 40) | draw(1ULL << 24) << 40);
		} else {
			i++;
		}
	}
}

static void random_tree(const struct insp_tree *tree, uint64_t with)
{
	cop_pa root;

	memory_clear(with & 1);
	seed = with * 0x9e3779b97f4a7c15ULL + 1;
	next_table = tree->root;
	root = new_table(tree, tree->geom.levels - 1U);
	assert_int_equal(root, tree->root);
	fill(tree, root, tree->geom.levels - 1U, root);
	for (unsigned i = 0; i < (with % 3) * 6; i++)
		memory.gone[draw(FRAMES)] = true;
}

static void random_trees(void **state)
{
	for (size_t i = 0; i < SHAPES; i++) {
		struct insp_tree tree = tree_of(i);

		for (uint64_t n = 1; n <= 40; n++) {
			random_tree(&tree, n + 1000 * i);
			tree.root_entries = tree.format->arch == COP_S390X && n % 4 ? 512 * (unsigned)(n % 4) : 0;
			check(&tree);
		}
	}
}

/* Nothing but noise: whatever it reads as, it ends, within memory. */
static void noise(void **state)
{
	const struct insp_visitor bounded = {.run = see, .budget = 2000};

	for (size_t i = 0; i < SHAPES; i++) {
		const struct insp_tree tree = tree_of(i);

		for (unsigned n = 0; n < 4; n++) {
			struct items found = {0};
			struct insp_scanned done;

			memory_clear(n & 1);
			seed = 77 + n + 10 * i;
			for (size_t k = 0; k < BYTES / 8; k++) {
				const uint64_t any = draw(1ULL << 32) | draw(1ULL << 32) << 32;
				const uint64_t e = draw(4) ? any : any & 0x9fff7ULL;

				memcpy(memory.bytes + 8 * k, &e, 8);
			}
			done = insp_scan(&memory.m, &tree, 0, ~0ULL, &bounded, &found);
			assert_true(done.tables <= 2000);
			free(found.item);
		}
	}
}

static void count_skips(void *context, const struct insp_table *t, enum insp_skip why)
{
	uint64_t *skips = context;

	skips[why]++;
}

/* Every entry of every table links the same lower table: 512^4 ways, and a table that links itself. */
static void sharing_ends(void **state)
{
	const struct insp_visitor skips = {.skip = count_skips};
	struct insp_tree tree = tree_of(11);
	uint64_t seen[3] = {0};
	struct insp_scanned done;

	memory_clear(false);
	assert_int_equal(tree.geom.levels, 5);
	for (unsigned level = 4; level > 0; level--)
		for (unsigned i = 0; i < 512; i++)
			put(&tree, tree.root + (4 - level) * FRAME, i,
			    tree.format->table(&tree.geom, tree.root + (5 - level) * FRAME, level));
	done = insp_scan(&memory.m, &tree, 0, ~0ULL, &skips, seen);
	assert_true(done.budget > 0 && done.tables < 2000000);
	assert_int_equal(done.budget, seen[INSP_BUDGET]);
	memory_clear(false);
	for (unsigned i = 0; i < 512; i++)
		put(&tree, tree.root, i, tree.format->table(&tree.geom, tree.root, 4));
	done = insp_scan(&memory.m, &tree, 0, ~0ULL, &skips, seen);
	assert_int_equal(done.tables, 1);
	assert_int_equal(done.cycles, 512);
	assert_int_equal(seen[INSP_CYCLE], 512);
}

static void missing_is_counted(void **state)
{
	struct insp_tree tree = tree_of(17); /* s390x, region tables of four frames */
	struct insp_scanned done;
	struct items found = {0};
	const cop_pa lower = tree.root + 4 * FRAME;

	memory_clear(false);
	for (unsigned i = 0; i < 2048; i++) {
		put(&tree, tree.root, i, tree.format->empty(tree.geom.levels - 1U));
		put(&tree, lower, i, tree.format->empty(2));
	}
	put(&tree, tree.root, 3, tree.format->table(&tree.geom, lower, 3));
	put(&tree, tree.root, 4, tree.format->table(&tree.geom, FRAMES * FRAME, 3));
	put(&tree, lower, 5, tree.format->leaf(&tree.geom, 1ULL << 31, 2, COP_READ | COP_YOUNG));
	memory.gone[lower / FRAME + 1] = true;
	done = insp_scan(&memory.m, &tree, 0, ~0ULL, &visitor, &found);
	assert_int_equal(found.count, 1);
	assert_int_equal(done.missing, 2);
	assert_int_equal(found.item[0].va, 3ULL << 42 | 5ULL << 31);
	free(found.item);
}

/* What the tables above take away is taken from the leaf. */
static void see_attrs(void *context, const struct insp_run *run)
{
	struct insp_tree tree = tree_of(10);

	*(uint32_t *)context = insp_attrs(&tree, run);
}

static void denied(void **state)
{
	const struct insp_visitor attrs_of = {.run = see_attrs};
	struct insp_tree tree = tree_of(10);
	uint32_t attrs = 0;

	memory_clear(false);
	for (unsigned level = 3; level > 0; level--)
		put(&tree, tree.root + (3 - level) * FRAME, 0,
		    tree.format->table(&tree.geom, tree.root + (4 - level) * FRAME, level));
	put(&tree, tree.root + 3 * FRAME, 0,
	    tree.format->leaf(&tree.geom, 0, 0, COP_READ | COP_WRITE | COP_EXEC | COP_USER));
	(void)insp_scan(&memory.m, &tree, 0, ~0ULL, &attrs_of, &attrs);
	assert_int_equal(attrs & (COP_WRITE | COP_EXEC | COP_USER), COP_WRITE | COP_EXEC | COP_USER);
	put(&tree, tree.root + FRAME, 0,
	    (tree.format->table(&tree.geom, tree.root + 2 * FRAME, 2) & ~2ULL) | 1ULL << 63);
	(void)insp_scan(&memory.m, &tree, 0, ~0ULL, &attrs_of, &attrs);
	assert_int_equal(attrs & (COP_WRITE | COP_EXEC | COP_USER), COP_USER);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_trees),       cmocka_unit_test(noise),  cmocka_unit_test(sharing_ends),
		cmocka_unit_test(missing_is_counted), cmocka_unit_test(denied),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
