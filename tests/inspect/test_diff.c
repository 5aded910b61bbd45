// SPDX-License-Identifier: MIT
/* What diff says is what two lists of leaves say; a hot-added DIMM comes and goes. */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "inspect/diff.h"
#include "tests/inspect/overlay.h"

#define ACCESSED (COP_YOUNG | COP_DIRTY | COP_SOFT_DIRTY)

struct changes {
	struct insp_change *change;
	struct insp_table_change *table;
	size_t count, room, tables, table_room;
	struct insp_differed done;
};

static void on_change(void *context, const struct insp_change *c)
{
	struct changes *all = context;

	if (all->count == all->room) {
		all->room = all->room ? 2 * all->room : 64;
		all->change = realloc(all->change, all->room * sizeof(*all->change));
		assert_non_null(all->change);
	}
	all->change[all->count++] = *c;
}

static void on_table(void *context, const struct insp_table_change *c)
{
	struct changes *all = context;

	if (all->tables == all->table_room) {
		all->table_room = all->table_room ? 2 * all->table_room : 64;
		all->table = realloc(all->table, all->table_room * sizeof(*all->table));
		assert_non_null(all->table);
	}
	all->table[all->tables++] = *c;
}

static struct changes diff(const struct overlay *a, const struct overlay *b, cop_va start)
{
	const struct insp_diff_spec spec = {.start = start, .last = ~0ULL, .change = on_change, .table = on_table};
	struct changes all = {0};

	for (unsigned i = 0; i < a->machine.trees; i++) {
		struct insp_differed done;

		assert_int_equal(insp_diff(a->machine.memory, &a->machine.tree[i], b->machine.memory,
					   &b->machine.tree[i], &spec, &all, &done),
				 0);
		all.done.same += done.same;
		all.done.missing += done.missing;
		assert_false(done.cut);
	}
	return all;
}

static void free_changes(struct changes *all)
{
	free(all->change);
	free(all->table);
}

static uint64_t entries(const struct changes *all, enum insp_what what, unsigned lg2)
{
	uint64_t n = 0;

	for (size_t i = 0; i < all->count; i++) {
		const struct insp_side *s = what == INSP_VANISHED ? &all->change[i].before : &all->change[i].after;

		if (all->change[i].what == what && s->lg2 == lg2)
			n += s->entries;
	}
	return n;
}

static uint64_t tables(const struct changes *all, enum insp_what what)
{
	uint64_t n = 0;

	for (size_t i = 0; i < all->tables; i++)
		n += all->table[i].what == what ? all->table[i].tables : 0;
	return n;
}

/* 256 MB, and the 4 MB of struct pages for it; what is gone afterwards is all of it. */
static void hotplug(void **state)
{
	struct overlay *before = overlay_open("amd64-hotplug/before"), *added = overlay_open("amd64-hotplug/added");
	struct overlay *removed = overlay_open("amd64-hotplug/removed");
	const cop_va kernel = 0xff00000000000000;
	struct changes d = diff(before, added, kernel);

	assert_int_equal(d.count, 2);
	assert_int_equal(entries(&d, INSP_APPEARED, 21), 130);
	assert_int_equal(d.change[0].bytes, 256ULL << 20);
	assert_int_equal(d.change[0].after.pa, 0x100000000);
	assert_true(d.change[0].after.linear);
	assert_int_equal(tables(&d, INSP_APPEARED), 1);
	assert_int_equal(d.table[0].va, d.change[0].va);
	free_changes(&d);

	d = diff(added, removed, kernel);
	assert_int_equal(entries(&d, INSP_VANISHED, 21), 130);
	assert_int_equal(tables(&d, INSP_VANISHED), 1);
	free_changes(&d);

	d = diff(before, removed, kernel);
	assert_int_equal(d.count, 0);
	assert_int_equal(d.tables, 0);
	free_changes(&d);

	/* Everywhere: no leaf appeared, and no table. */
	d = diff(before, removed, 0);
	assert_int_equal(entries(&d, INSP_APPEARED, 12) + entries(&d, INSP_APPEARED, 21), 0);
	assert_int_equal(tables(&d, INSP_APPEARED), 0);
	free_changes(&d);
	overlay_close(before);
	overlay_close(added);
	overlay_close(removed);
}

/* A table that hot-remove forgot. */
static void leftover(void **state)
{
	struct overlay *before = overlay_open("amd64-hotplug/before"), *removed = overlay_open("amd64-hotplug/removed");
	const cop_va va = 0xff2bd43500000000;
	struct overlay_at at = overlay_at_level(removed, va, 2);
	struct changes d;

	removed->frame[removed->frames++] = 0x298d000;
	overlay_plant(removed, &at, 0x298d063);
	d = diff(before, removed, 0xff00000000000000);
	assert_int_equal(d.count, 0);
	assert_int_equal(d.tables, 1);
	assert_int_equal(d.table[0].what, INSP_APPEARED);
	assert_int_equal(d.table[0].empty, 1);
	assert_int_equal(d.table[0].pa, 0x298d000);
	assert_int_equal(d.table[0].va, va);
	free_changes(&d);
	overlay_close(before);
	overlay_close(removed);
}

/* A leaf of 2M becomes a table of the same, one page of which is elsewhere. */
static void split(void **state)
{
	struct overlay *a = overlay_open("amd64-4level"), *b = overlay_open("amd64-4level");
	struct overlay_at link = overlay_at_level(b, b->machine.kernel.vmemmap, 1), at = link;
	const uint32_t attrs = overlay_attrs(&link);
	struct changes d;

	b->frame[b->frames++] = at.table = 0x5f00000;
	at.level = 0;
	overlay_plant(b, &link, link.tree->format->table(&link.tree->geom, at.table, 1));
	for (at.index = 0; at.index < 512; at.index++)
		overlay_plant(b, &at,
			      link.tree->format->leaf(&link.tree->geom,
						      overlay_pa(&link) + 4096ULL * (at.index == 7 ? 1000 : at.index),
						      0, attrs));
	d = diff(a, b, 0);
	assert_int_equal(d.count, 3);
	assert_int_equal(d.change[0].how, INSP_SPLIT);
	assert_int_equal(d.change[0].before.entries, 1);
	assert_int_equal(d.change[0].after.entries, 7);
	assert_int_equal(d.change[1].how, INSP_SPLIT | INSP_MOVED);
	assert_int_equal(d.change[1].va, link.va + 7 * 4096);
	assert_int_equal(d.change[2].after.entries, 504);
	assert_int_equal(d.change[2].before.entries, 0);
	assert_int_equal(tables(&d, INSP_APPEARED), 1);
	free_changes(&d);
	d = diff(b, a, 0);
	assert_int_equal(d.change[0].how, INSP_JOINED);
	free_changes(&d);
	overlay_close(a);
	overlay_close(b);
}

/* What a page of virtual addresses maps to, by the list; 0 entries: nothing. */
static const struct overlay_leaf *leaf_at(const struct overlay_leaf *leaf, size_t count, size_t *from, cop_va va,
					  const struct insp_tree *tree)
{
	(void)tree;
	while (*from < count && leaf[*from].va + (COP_LG2(leaf[*from].lg2) - 1) < va)
		(*from)++;
	return *from < count && leaf[*from].va <= va ? &leaf[*from] : NULL;
}

static bool listed(const struct changes *d, size_t *at, cop_va va)
{
	while (*at < d->count && d->change[*at].va + (d->change[*at].bytes - 1) < va)
		(*at)++;
	return *at < d->count && d->change[*at].va <= va;
}

static int by_va(const void *a, const void *b)
{
	const struct overlay_leaf *x = a, *y = b;

	return (x->va > y->va) - (x->va < y->va);
}

static int change_by_va(const void *a, const void *b)
{
	const struct insp_change *x = a, *y = b;

	return (x->va > y->va) - (x->va < y->va);
}

/* Page by page: changed is what the lists of leaves say, and so is what is alike. */
static void compare(const struct overlay *a, const struct overlay *b)
{
	size_t na, nb, ia = 0, ib = 0, at = 0;
	struct overlay_leaf *la = overlay_leaves(a, &na), *lb = overlay_leaves(b, &nb);
	struct changes d = diff(a, b, 0);
	cop_va va = 0;
	uint64_t same = 0;

	qsort(la, na, sizeof(*la), by_va);
	qsort(lb, nb, sizeof(*lb), by_va);
	if (d.count)
		qsort(d.change, d.count, sizeof(*d.change), change_by_va);
	for (;;) {
		const struct overlay_leaf *x = leaf_at(la, na, &ia, va, NULL), *y = leaf_at(lb, nb, &ib, va, NULL);
		bool differ;

		if (!x && !y) {
			/* On to whichever begins next. */
			if (ia == na && ib == nb)
				break;
			va = ia == na || (ib < nb && lb[ib].va < la[ia].va) ? lb[ib].va : la[ia].va;
			continue;
		}
		differ = !x || !y || x->lg2 != y->lg2 || ((x->attrs ^ y->attrs) & ~(uint32_t)ACCESSED) ||
			 x->pa + (va - x->va) != y->pa + (va - y->va);
		if (differ != listed(&d, &at, va))
			fail_msg("%#" PRIx64 ": diff says otherwise", va);
		same += differ ? 0 : 4096;
		va += 4096;
		if (va == 0)
			break;
	}
	assert_int_equal(same, d.done.same);
	free(la);
	free(lb);
	free_changes(&d);
}

static uint64_t next_random(uint64_t *seed)
{
	*seed = *seed * 6364136223846793005ULL + 1442695040888963407ULL;
	return *seed >> 24;
}

/* Some leaves of a real kernel changed at random: gone, elsewhere, or with other attributes; some that were not there. */
static void change_some(struct overlay *o, uint64_t seed, unsigned changes)
{
	size_t count;
	struct overlay_leaf *leaf = overlay_leaves(o, &count);

	for (unsigned i = 0; i < changes; i++) {
		struct overlay_at at = overlay_at(o, leaf[next_random(&seed) % count].va);
		const uint64_t size = COP_LG2(at.tree->format->shift(at.level));
		const struct cop_geom *g = &at.tree->geom;
		uint64_t kind = next_random(&seed) % 4;
		uint32_t attrs;
		cop_pa pa;

		if (at.tree->format->kind(g, at.entry, at.level) != COP_LEAF)
			continue;
		pa = overlay_pa(&at);
		attrs = overlay_attrs(&at) & ~(uint32_t)COP_CONT;
		if (kind == 0)
			overlay_plant(o, &at, at.tree->format->empty(at.level));
		else if (kind == 1)
			overlay_plant(o, &at,
				      at.tree->format->leaf(g, (pa + size) & (COP_LG2(32) - 1), at.level, attrs));
		else if (kind == 2)
			overlay_plant(o, &at, at.tree->format->leaf(g, pa, at.level, attrs ^ COP_WRITE));
		else
			overlay_plant(o, &at, at.tree->format->leaf(g, pa, at.level, attrs ^ COP_SPECIAL));
	}
	free(leaf);
}

static void model(void **state)
{
	static const char *const sets[] = {"amd64-4level", "arm64-default", "arm64-blocks", "riscv64-sv39", "s390x"};

	for (unsigned i = 0; i < 20; i++) {
		struct overlay *a = overlay_open(sets[i % 5]), *b = overlay_open(sets[i % 5]);

		change_some(a, i + 1, i < 5 ? 0 : 40 * i);
		change_some(b, i + 100, i < 5 ? 1 : 40 * i);
		compare(a, b);
		compare(b, a);
		overlay_close(a);
		overlay_close(b);
	}
}

/* Trees of different shape are no two moments of one. */
static void shapes(void **state)
{
	struct overlay *a = overlay_open("amd64-4level"), *b = overlay_open("amd64-hotplug/before");
	const struct insp_diff_spec spec = {.last = ~0ULL, .change = on_change, .table = on_table};
	struct changes all = {0};
	struct insp_differed done;

	assert_int_equal(insp_diff(a->machine.memory, &a->machine.tree[0], b->machine.memory, &b->machine.tree[0],
				   &spec, &all, &done),
			 -COP_EINVAL);
	overlay_close(a);
	overlay_close(b);
}

/* More tables than are looked at in one go: each counts once. */
static void many_tables(void **state)
{
	struct overlay *a = overlay_open("amd64-4level"), *b = overlay_open("amd64-4level");
	const struct overlay_at pud = overlay_at_level(b, 0xffff8cfa00000000, 2);
	const struct insp_visitor nothing = {0};
	uint64_t in_a, in_b;
	struct changes d;

	for (unsigned i = 0; i < 512; i++) {
		struct overlay_at at = pud;

		at.index = i;
		overlay_plant(b, &at, pud.entry);
	}
	in_a = insp_scan(a->machine.memory, &a->machine.tree[0], 0, ~0ULL, &nothing, NULL).tables;
	in_b = insp_scan(b->machine.memory, &b->machine.tree[0], 0, ~0ULL, &nothing, NULL).tables;
	assert_true(in_b > in_a + 1500);
	d = diff(a, b, 0);
	assert_int_equal(tables(&d, INSP_APPEARED) - tables(&d, INSP_VANISHED), in_b - in_a);
	free_changes(&d);
	overlay_close(a);
	overlay_close(b);
}

/* Every link leads to the same table, or up again: it ends. */
static void shared(void **state)
{
	struct overlay *a = overlay_open("amd64-4level"), *b = overlay_open("amd64-4level");
	const struct overlay_at root = overlay_at_level(b, 0xffff8cfa00000000, 3),
				pud = overlay_at_level(b, root.va, 2);
	struct changes d;

	for (unsigned i = 0; i < 512; i += 8) {
		struct overlay_at at = pud;

		at.index = i;
		overlay_plant(b, &at, (i & 8 ? pud.table : root.table) | 0x67);
		at = root;
		at.index = i;
		overlay_plant(b, &at, pud.table | 0x67);
	}
	d = diff(a, b, 0);
	assert_true(d.tables > 0);
	assert_true(d.done.missing > 0);
	free_changes(&d);
	overlay_close(a);
	overlay_close(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hotplug),     cmocka_unit_test(leftover), cmocka_unit_test(split),
		cmocka_unit_test(model),       cmocka_unit_test(shapes),   cmocka_unit_test(shared),
		cmocka_unit_test(many_tables),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
