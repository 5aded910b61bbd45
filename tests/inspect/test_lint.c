// SPDX-License-Identifier: MIT
/*
 * Every rule names a defect planted in a real kernel's tables, alone: one finding more than without it, at its address.
 * What real kernels have is judged below: no error but what their own dump shows.
 */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "inspect/entry.h"
#include "inspect/lint.h"
#include "tests/formats/dump.h"
#include "tests/inspect/overlay.h"

#define MB (1ULL << 20)

struct findings {
	struct insp_finding *finding;
	size_t count, room;
};

static void keep(void *context, const struct insp_finding *f)
{
	struct findings *all = context;

	if (all->count == all->room) {
		all->room = all->room ? 2 * all->room : 64;
		all->finding = realloc(all->finding, all->room * sizeof(*all->finding));
		assert_non_null(all->finding);
	}
	all->finding[all->count++] = *f;
}

/* The memory of the guests, from maps/; and what their firmware keeps. */
static const struct machine {
	const char *set;
	struct insp_extent memory[2], known[2];
	unsigned memory_count, known_count;
} machines[] = {
	{"amd64-4level", {{0x100000, 0x5fe0000}}, {{0, 0xa0000}, {0xc0000, 0x6000000}}, 1, 2},
	{"amd64-hotplug/before", {{0}}, {{0}}, 0, 0},
	{"amd64-hotplug/added", {{0}}, {{0}}, 0, 0},
	{"amd64-hotplug/removed", {{0}}, {{0}}, 0, 0},
	{"arm64-default", {{0x40000000, 0x44000000}}, {{0x40000000, 0x44000000}}, 1, 1},
	{"arm64-blocks", {{0x40000000, 0x44000000}}, {{0x40000000, 0x44000000}}, 1, 1},
	{"riscv64-sv39", {{0x80000000, 0x86000000}}, {{0x80000000, 0x86000000}}, 1, 1},
	{"s390x", {{0, 0x6000000}}, {{0, 0x6000000}}, 1, 1},
};

static struct findings lint(const struct overlay *o, const char *set)
{
	struct insp_lint_options options = {.last = ~0ULL};
	struct findings all = {0};
	struct insp_linted done;

	for (size_t i = 0; set && i < sizeof(machines) / sizeof(*machines); i++)
		if (strcmp(machines[i].set, set) == 0) {
			options.memory = machines[i].memory;
			options.memory_count = machines[i].memory_count;
			options.known = machines[i].known;
			options.known_count = machines[i].known_count;
		}
	done = insp_lint(&o->machine, &options, keep, &all);
	assert_false(done.incomplete);
	return all;
}

static bool same(const struct insp_finding *a, const struct insp_finding *b)
{
	return a->rule == b->rule && a->severity == b->severity && a->tree == b->tree && a->va == b->va &&
	       a->bytes == b->bytes && a->table == b->table && a->index == b->index && a->entries == b->entries &&
	       strcmp(a->text, b->text) == 0;
}

static bool has(const struct findings *all, const struct insp_finding *f)
{
	for (size_t i = 0; i < all->count; i++)
		if (same(&all->finding[i], f))
			return true;
	return false;
}

static void print(const struct insp_finding *f)
{
	print_message("  %s %s %016" PRIx64 " +%" PRIx64 " %s\n", insp_severity_name(f->severity), f->rule->name, f->va,
		      f->bytes, f->text);
}

/* What HVO could save follows from how much is mapped, and is no defect. */
static bool is_figure(const struct insp_finding *f)
{
	return strstr(f->text, "HVO saved nothing") != NULL;
}

/* The one finding that is in @after only. */
static struct insp_finding only_new(const struct findings *before, const struct findings *after)
{
	struct insp_finding found = {0};
	unsigned n = 0;

	for (size_t i = 0; i < after->count; i++)
		if (!has(before, &after->finding[i]) && !is_figure(&after->finding[i])) {
			found = after->finding[i];
			if (n++)
				print(&found);
		}
	if (n != 1)
		fail_msg("%u new findings; expected one", n);
	return found;
}

struct planted {
	struct overlay *o;
	const char *set;
	struct findings before;
};

static struct planted open_set(const char *set)
{
	struct planted p = {.o = overlay_open(set), .set = set};

	p.before = lint(p.o, set);
	return p;
}

static void close_set(struct planted *p)
{
	free(p->before.finding);
	overlay_close(p->o);
}

/* After planting: exactly one more finding, of @rule, about the entry @at, with @word in its sentence. Then all is undone. */
static struct insp_finding expect(struct planted *p, const char *rule, const struct overlay_at *at, const char *word)
{
	struct findings after = lint(p->o, p->set);
	const struct insp_finding f = only_new(&p->before, &after);

	if (!f.rule)
		fail_msg("%s: nothing found; expected %s", p->set, rule);
	else if (strcmp(f.rule->name, rule) != 0 || !strstr(f.text, word))
		fail_msg("%s: %s; expected %s: ...%s...", f.rule->name, f.text, rule, word);
	assert_int_equal(f.va, at->va);
	assert_int_equal(f.table, at->table);
	assert_int_equal(f.index, at->index);
	assert_int_equal(f.level, at->level);
	assert_non_null(f.section);
	free(after.finding);
	overlay_restore(p->o);
	return f;
}

static void expect_none(struct planted *p)
{
	struct findings after = lint(p->o, p->set);

	for (size_t i = 0; i < after.count; i++)
		if (!has(&p->before, &after.finding[i]))
			fail_msg("%s: %s; expected nothing", after.finding[i].rule->name, after.finding[i].text);
	free(after.finding);
	overlay_restore(p->o);
}

/* A leaf in [start, last] with the attributes @must and without @may_not, in the middle of others like it. */
static struct overlay_at find_leaf(const struct overlay *o, cop_va start, cop_va last, uint32_t must, uint32_t may_not,
				   unsigned level)
{
	size_t count;
	struct overlay_leaf *leaf = overlay_leaves(o, &count);

	for (size_t i = 0; i < count; i++)
		if (leaf[i].va >= start && leaf[i].va <= last && (leaf[i].attrs & must) == must &&
		    !(leaf[i].attrs & may_not) && leaf[i].lg2 == leaf[i].tree->format->shift(level)) {
			const cop_va va = leaf[i].va;

			free(leaf);
			return overlay_at(o, va);
		}
	fail_msg("no such leaf");
	return (struct overlay_at){0};
}

#define KERNEL 0xffff000000000000, ~0ULL
#define USER   0, 0x0000ffffffffffff

static uint64_t with_attrs(const struct overlay_at *at, uint32_t attrs)
{
	return at->tree->format->leaf(&at->tree->geom, overlay_pa(at), at->level, attrs);
}

/* Bits that forbid execution: cleared or, on riscv64, set. */
static void plant_exec(const char *set, cop_va start, uint64_t clear, uint64_t plus)
{

	struct planted p = open_set(set);
	const struct overlay_at at = find_leaf(p.o, start, ~0ULL, COP_WRITE, COP_EXEC | COP_USER, 0);

	overlay_plant(p.o, &at, (at.entry & ~clear) | plus);
	assert_int_equal(expect(&p, "wx-kernel", &at, "kernel may both").severity, INSP_ERROR);
	close_set(&p);
}

static void wx_kernel(void **state)
{
	struct planted p = open_set("arm64-default");
	const struct overlay_at linear = find_leaf(p.o, KERNEL, COP_WRITE, COP_EXEC | COP_USER, 0);

	plant_exec("amd64-4level", 0xffff800000000000, 1ULL << 63, 0);
	plant_exec("arm64-default", 0xffff800000000000, 1ULL << 53, 0);
	plant_exec("riscv64-sv39", 0xffff800000000000, 0, 1 << 3);
	plant_exec("s390x", 0x300000, 0x100, 0);
	/* Linux forbids execution of arm64's linear map above the leaves (PXNTable). */
	overlay_plant(p.o, &linear, linear.entry & ~(1ULL << 53));
	expect_none(&p);
	close_set(&p);
}

static void wx_user(void **state)
{
	static const struct {
		const char *set;
		uint64_t clear, plus;
	} plans[] = {{"amd64-4level", 1ULL << 63, 0}, {"arm64-default", 1ULL << 54, 0}, {"riscv64-sv39", 0, 1 << 3}};

	for (unsigned i = 0; i < 3; i++) {
		struct planted p = open_set(plans[i].set);
		const struct overlay_at at = find_leaf(p.o, USER, COP_WRITE | COP_USER, COP_EXEC, 0);

		overlay_plant(p.o, &at, (at.entry & ~plans[i].clear) | plans[i].plus);
		(void)expect(&p, "wx-user", &at, "user may both");
		close_set(&p);
	}
}

/* On x86-64 the tables above have the last word. */
static void user_in_kernel(void **state)
{
	struct planted p = open_set("arm64-default");
	struct overlay_at at = find_leaf(p.o, KERNEL, COP_READ, COP_EXEC, 0);

	overlay_plant(p.o, &at, at.entry | 1 << 6);
	(void)expect(&p, "user-in-kernel", &at, "kernel's half");
	close_set(&p);

	p = open_set("riscv64-sv39");
	at = find_leaf(p.o, KERNEL, COP_READ, COP_EXEC, 0);
	overlay_plant(p.o, &at, at.entry | 1 << 4);
	(void)expect(&p, "user-in-kernel", &at, "kernel's half");
	close_set(&p);

	p = open_set("amd64-4level");
	at = find_leaf(p.o, KERNEL, COP_READ, COP_EXEC, 0);
	overlay_plant(p.o, &at, at.entry | 1 << 2);
	for (unsigned level = 1; level < 4; level++) {
		const struct overlay_at up = overlay_at_level(p.o, at.va, level);

		overlay_plant(p.o, &up, up.entry | 1 << 2);
	}
	(void)expect(&p, "user-in-kernel", &at, "kernel's half");
	overlay_plant(p.o, &at, at.entry | 1 << 2);
	for (unsigned level = 1; level < 4; level++) {
		const struct overlay_at up = overlay_at_level(p.o, at.va, level);

		overlay_plant(p.o, &up, up.entry & ~4ULL);
	}
	expect_none(&p);
	close_set(&p);
}

static void reserved_bits(void **state)
{
	static const struct {
		const char *set;
		uint64_t bit;
		unsigned level;
	} plans[] = {
		{"amd64-4level", 1 << 13, 1},
		{"arm64-default", 1ULL << 48, 0},
		{"riscv64-sv39", 1ULL << 54, 0},
		{"s390x", 0x800, 0},
	};

	for (unsigned i = 0; i < 4; i++) {
		struct planted p = open_set(plans[i].set);
		const cop_va start = i == 3 ? 0x300000 : i == 2 ? 0xffffffc600000000 : 0xffff000000000000;
		const struct overlay_at at = find_leaf(p.o, start, ~0ULL, COP_WRITE, COP_EXEC, plans[i].level);
		char word[16];

		overlay_plant(p.o, &at, at.entry | plans[i].bit);
		snprintf(word, sizeof(word), "Bit %d ", __builtin_ctzll(plans[i].bit));
		(void)expect(&p, "reserved-bits", &at, word);
		close_set(&p);
	}
}

/* What a format calls an entry has none of the bits set that its fields call reserved: no rule has to look at those. */
static void reserved_fields(void **state)
{
	static const struct cop_format *const formats[] = {&cop_format_arm64_4k,  &cop_format_arm64_16k,
							   &cop_format_arm64_64k, &cop_format_x86_64,
							   &cop_format_riscv64,   &cop_format_s390x};
	uint64_t seed = 1;
	unsigned seen = 0;

	for (unsigned i = 0; i < 600000; i++) {
		const struct cop_format *f = formats[i % 6];
		struct cop_geom g;
		uint64_t e = 0, r[3];
		unsigned count, level;
		const struct cop_field *field;

		assert_int_equal(cop_geom_init(&g, (enum cop_arch)f->arch, f->page_lg2, 0), 0);
		for (unsigned k = 0; k < 3; k++)
			r[k] = seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
		level = (unsigned)(r[0] >> 60) % g.levels;
		e = (r[0] ^ r[0] >> 29) & (r[1] ^ r[1] >> 31) & (i & 8 ? r[2] ^ r[2] >> 30 : ~0ULL);
		if (f->arch == COP_S390X && level)
			e = (e & ~0xcULL) | (uint64_t)(level - 1) << 2;
		if (f->kind(&g, e, level) != COP_LEAF && f->kind(&g, e, level) != COP_TABLE)
			continue;
		seen++;
		field = f->fields(&g, e, level, &count);
		for (unsigned k = 0; k < count; k++)
			if ((!strcmp(field[k].name, "RES0") || !strcmp(field[k].name, "reserved")) &&
			    (e >> field[k].shift & ((1ULL << field[k].width) - 1)))
				fail_msg("%s level %u: %#" PRIx64 " has %s at %u", f->name, level, e, field[k].name,
					 field[k].shift);
	}
	assert_true(seen > 10000);
}

/* A contiguous run of the linear map, whose members are not executable. */
static void contiguous_arm64(void **state)
{
	struct planted p = open_set("arm64-blocks");
	const struct overlay_at run = find_leaf(p.o, 0xffff000000000000, 0xffff00ffffffffff, COP_CONT, COP_EXEC, 0);
	struct overlay_at at = overlay_entry(p.o, &run, run.index + 5);

	assert_int_equal(run.index % 16, 0);
	overlay_plant(p.o, &at, at.entry & ~(1ULL << 52));
	(void)expect(&p, "contiguous", &at, "not part of the run");
	overlay_plant(p.o, &at, 0);
	(void)expect(&p, "contiguous", &at, "not part of the run");
	overlay_plant(p.o, &at, at.entry ^ 1ULL << 50);
	(void)expect(&p, "contiguous", &at, "attributes");
	overlay_plant(p.o, &at, at.entry ^ 0x1000);
	(void)expect(&p, "contiguous", &at, "address");
	/* The access flag may differ. */
	overlay_plant(p.o, &at, at.entry ^ 1ULL << 10);
	expect_none(&p);
	/* All moved by half a run: consecutive, and not aligned. */
	for (unsigned i = 0; i < 16; i++) {
		at = overlay_entry(p.o, &run, run.index + i);
		overlay_plant(p.o, &at, at.entry + 0x8000);
	}
	(void)expect(&p, "contiguous", &run, "not aligned");
	close_set(&p);
}

/* Sixteen leaves in a row become a Svnapot run, but for one. */
static void contiguous_riscv64(void **state)
{
	struct planted p = open_set("riscv64-sv39");
	struct overlay_at first = find_leaf(p.o, 0xffffffd600000000, ~0ULL, COP_WRITE, COP_EXEC, 0), at;
	size_t count;
	struct overlay_leaf *leaf = overlay_leaves(p.o, &count);
	bool found = false;

	for (size_t i = 0; i + 16 < count && !found; i++) {
		bool all = leaf[i].va >= 0xffffffd600000000 && !(leaf[i].va & 0xffff) && !(leaf[i].pa & 0xffff) &&
			   leaf[i].lg2 == 12 && !(leaf[i].attrs & COP_EXEC);

		for (unsigned k = 1; k < 16; k++)
			all = all && leaf[i + k].va == leaf[i].va + k * 4096 &&
			      leaf[i + k].pa == leaf[i].pa + k * 4096 && leaf[i + k].attrs == leaf[i].attrs;
		if (all)
			first = overlay_at(p.o, leaf[i].va);
		found = all;
	}
	free(leaf);
	assert_true(found);
	for (unsigned i = 0; i < 16; i++) {
		at = overlay_entry(p.o, &first, first.index + i);
		overlay_plant(p.o, &at, with_attrs(&first, overlay_attrs(&first) | COP_CONT));
	}
	expect_none(&p);
	for (unsigned i = 0; i < 16; i++) {
		at = overlay_entry(p.o, &first, first.index + i);
		if (i != 9)
			overlay_plant(p.o, &at, with_attrs(&first, overlay_attrs(&first) | COP_CONT));
	}
	at = overlay_entry(p.o, &first, first.index + 9);
	(void)expect(&p, "contiguous", &at, "not part of the run");
	close_set(&p);
}

/* A page of vmalloc made uncached, while the linear map has it write-back. */
static void alias_type(void **state)
{
	static const struct {
		const char *set;
		uint64_t bits;
		cop_va start, last;
		cop_va linear; /* of physical address 0 */
	} plans[] = {
		{"amd64-4level", 1 << 3 | 1 << 4, 0xffffd3db00000000, 0xffffd3dbffffffff, 0xffff8cfa00000000},
		{"arm64-default", 3 << 2, 0xffff800008000000, 0xffff80000fffffff, 0xffff000000000000 - 0x40000000},
		{"riscv64-sv39", 1ULL << 61, 0xffffffc600000000, 0xffffffc60fffffff, 0xffffffd600000000 - 0x80000000},
	};

	for (unsigned i = 0; i < 3; i++) {
		struct planted p = open_set(plans[i].set);
		const struct overlay_at at =
			find_leaf(p.o, plans[i].start, plans[i].last, COP_WRITE | COP_GLOBAL, COP_MT_MASK, 0);
		const struct overlay_at alias = overlay_at(p.o, plans[i].linear + overlay_pa(&at));

		overlay_plant(p.o, &at, at.entry | plans[i].bits);
		(void)expect(&p, "alias-type", &alias, "and ");
		close_set(&p);
	}
}

/* An empty slot after @at in the same table. */
static struct overlay_at free_slot(const struct overlay *o, const struct overlay_at *at)
{
	const struct insp_tree *tree = at->tree;

	for (unsigned i = at->index + 1; i < 1U << tree->format->index_bits(&tree->geom, at->level); i++) {
		const struct overlay_at slot = overlay_entry(o, at, i);

		if (slot.entry == tree->format->empty(at->level))
			return slot;
	}
	fail_msg("no empty slot");
	return *at;
}

static void table_twice(void **state)
{
	static const struct {
		const char *set;
		cop_va va;
	} plans[] = {{"amd64-4level", 0xffff8cfa00000000},
		     {"arm64-default", 0xffff000000000000},
		     {"riscv64-sv39", 0xffffffc600000000},
		     {"s390x", 0x300000}};

	for (unsigned i = 0; i < 4; i++) {
		struct planted p = open_set(plans[i].set);
		const struct overlay_at link = overlay_at_level(p.o, plans[i].va, 1);
		const struct overlay_at up = overlay_at_level(p.o, plans[i].va, 2);
		struct overlay_at slot = free_slot(p.o, &link);

		overlay_plant(p.o, &slot, link.entry);
		(void)expect(&p, "table-twice", &slot, "a second time");
		slot = free_slot(p.o, &up);
		overlay_plant(p.o, &slot,
			      slot.tree->format->table(&slot.tree->geom,
						       link.tree->format->table_pa(&link.tree->geom, link.entry, 1),
						       2));
		/* A smaller table seen as a larger one reaches into what lies beside it. */
		if (strcmp(plans[i].set, "s390x") != 0)
			(void)expect(&p, "table-twice", &slot, "level 2 here and at level 1 elsewhere");
		overlay_restore(p.o);
		slot = free_slot(p.o, &link);
		overlay_plant(p.o, &slot, link.tree->format->table(&link.tree->geom, link.table, 1));
		if (strcmp(plans[i].set, "s390x") != 0)
			(void)expect(&p, "table-twice", &slot, "its own parents");
		overlay_restore(p.o);
		close_set(&p);
	}
}

static void outside_memory(void **state)
{
	struct planted p = open_set("amd64-4level");
	struct overlay_at at = find_leaf(p.o, 0xffffd3db00000000, 0xffffd3dbffffffff, COP_WRITE, COP_MT_MASK, 0);

	overlay_plant(p.o, &at, (at.entry & ~0x000ffffffffff000ULL) | 0x100000000);
	assert_int_equal(expect(&p, "outside-memory", &at, "there is none").severity, INSP_WARNING);
	at = overlay_at_level(p.o, 0x400000, 1);
	at = free_slot(p.o, &at);
	overlay_plant(p.o, &at, at.tree->format->table(&at.tree->geom, 0x100000000, 1));
	assert_int_equal(expect(&p, "outside-memory", &at, "no memory").severity, INSP_ERROR);
	close_set(&p);
}

static void missing_table(void **state)
{
	struct planted p = open_set("arm64-default");
	struct overlay_at at = overlay_at_level(p.o, 0xffff000000000000, 1);

	at = free_slot(p.o, &at);
	overlay_plant(p.o, &at, at.tree->format->table(&at.tree->geom, 0x40001000, 1));
	(void)expect(&p, "missing-table", &at, "does not have");
	close_set(&p);
}

/* The only leaves of a table go. */
static void empty_table(void **state)
{
	struct planted p = open_set("amd64-4level");
	struct overlay_at at = find_leaf(p.o, 0x2000000, 0x3ffffff, COP_USER, 0, 0);
	const struct overlay_at link = overlay_at_level(p.o, at.va, 1);

	for (unsigned i = 0; i < 512; i++) {
		const struct overlay_at one = overlay_entry(p.o, &at, i);

		overlay_plant(p.o, &one, 0);
	}
	(void)expect(&p, "empty-table", &link, "Empty");
	close_set(&p);
}

/* vmemmap of the guest with 96 MB: one leaf of 2M for the one section. */
static struct overlay_at memmap(const struct overlay *o)
{
	assert_true(o->machine.kernel.vmemmap != 0);
	return overlay_at_level(o, o->machine.kernel.vmemmap, 1);
}

static void vmemmap_orphan(void **state)
{
	struct planted p = open_set("amd64-4level");
	const struct overlay_at first = memmap(p.o), at = free_slot(p.o, &first);

	overlay_plant(p.o, &at, first.entry);
	(void)expect(&p, "vmemmap-orphan", &at, "no memory");
	close_set(&p);
}

static void vmemmap_hole(void **state)
{
	struct planted p = open_set("amd64-4level");
	const struct overlay_at at = memmap(p.o);
	struct findings after;
	struct insp_finding f;

	/* Another address, so that its table is not empty. */
	struct overlay_at slot = free_slot(p.o, &at);

	slot = free_slot(p.o, &slot);
	overlay_plant(p.o, &at, 0);
	overlay_plant(p.o, &slot, 1ULL << 59 | ((~0x1234ULL << 9) & 0x07fffffffffffe00ULL));
	after = lint(p.o, p.set);
	for (size_t i = 0; i < after.count; i++)
		if (strcmp(after.finding[i].rule->name, "not-present") == 0)
			after.finding[i] = after.finding[--after.count];
	f = only_new(&p.before, &after);
	assert_string_equal(f.rule->name, "vmemmap-hole");
	assert_int_equal(f.va, at.va + 0x100000 / 4096 * 64);
	assert_int_equal(f.bytes, 0x5ee0000 / 4096 * 64);
	assert_int_equal(f.severity, INSP_ERROR);
	assert_non_null(strstr(f.text, "0x100000-0x5fdffff"));
	free(after.finding);
	close_set(&p);
}

/* Memory that begins in a section with struct pages and ends in one without. */
static void vmemmap_short(void **state)
{
	const struct insp_extent memory = {0x100000, 0x10000000};
	struct overlay *o = overlay_open("amd64-4level");
	const struct overlay_at at = memmap(o);
	struct insp_lint_options options = {
		.last = ~0ULL, .memory = &memory, .known = &memory, .memory_count = 1, .known_count = 1};
	struct findings all = {0};

	for (unsigned i = 0; insp_rule(i); i++)
		if (strcmp(insp_rule(i)->name, "vmemmap-hole") == 0)
			options.wanted = 1U << i;
	(void)insp_lint(&o->machine, &options, keep, &all);
	assert_int_equal(all.count, 1);
	assert_int_equal(all.finding[0].va, at.va + 2 * MB);
	assert_int_equal(all.finding[0].bytes, 2 * MB);
	free(all.finding);
	overlay_close(o);
}

/* The leaf of 2M becomes a table, with memory behind it as HVO leaves it: page 0 of eight, seven times more. */
static void plant_hvo(struct planted *p, bool writable)
{
	struct overlay_at link = memmap(p->o), at;
	const uint32_t attrs = overlay_attrs(&link);
	const cop_pa pa = overlay_pa(&link), table = 0x5f00000;

	p->o->frame[p->o->frames++] = table;
	overlay_plant(p->o, &link, link.tree->format->table(&link.tree->geom, table, 1));
	at = link;
	at.table = table;
	at.level = 0;
	for (unsigned i = 0; i < 512; i++) {
		const bool tail = i % 8 && i < 80;
		const cop_pa to = pa + 4096ULL * (i < 80 ? i & ~7U : i);
		const uint32_t less = tail && !(writable && i == 9) ? COP_WRITE : 0;

		at.index = i;
		overlay_plant(p->o, &at, link.tree->format->leaf(&link.tree->geom, to, 0, attrs & ~less));
	}
}

static void memmap_shared(void **state)
{
	struct planted p = open_set("amd64-4level");
	struct findings before, after;
	struct overlay_at at = memmap(p.o);
	struct insp_finding f;

	at.table = 0x5f00000;
	at.index = 0;
	at.level = 0;
	plant_hvo(&p, false);
	(void)expect(&p, "memmap-shared", &at, "HVO saved 280K: of 2048K");
	plant_hvo(&p, false);
	before = lint(p.o, p.set);
	overlay_restore(p.o);
	plant_hvo(&p, true);
	after = lint(p.o, p.set);
	f = only_new(&before, &after);
	assert_string_equal(f.rule->name, "memmap-shared");
	assert_int_equal(f.severity, INSP_ERROR);
	assert_int_equal(f.va, at.va + 9 * 4096);
	assert_int_equal(f.index, 9);
	free(before.finding);
	free(after.finding);
	close_set(&p);
}

static void not_present(void **state)
{
	struct planted p = open_set("amd64-4level");
	const struct overlay_at at = find_leaf(p.o, USER, COP_WRITE | COP_USER, COP_EXEC, 0);
	struct insp_finding f;

	overlay_plant(p.o, &at, with_attrs(&at, overlay_attrs(&at) | COP_PROTNONE));
	f = expect(&p, "not-present", &at, "inverted");
	assert_int_equal(f.entries, 1);
	/* Linux: type 1, offset 0x1234, inverted. */
	overlay_plant(p.o, &at, 1ULL << 59 | ((~0x1234ULL << 9) & 0x07fffffffffffe00ULL));
	(void)expect(&p, "not-present", &at, "1 swap");
	close_set(&p);
}

static void l1tf(void **state)
{
	struct planted p = open_set("amd64-4level");
	const struct overlay_at at = find_leaf(p.o, USER, COP_WRITE | COP_USER, COP_EXEC, 0);

	overlay_plant(p.o, &at, (at.entry & ~1ULL) | 1 << 8);
	assert_int_equal(expect(&p, "l1tf", &at, "not inverted").severity, INSP_ERROR);
	close_set(&p);
}

/* "0xSTART-0xEND  SIZE LEVEL RW x ..." of arm64's ptdump. */
static bool wx_line(const char *line, cop_va *start, cop_va *end)
{
	return strstr(line, " RW x ") && sscanf(line, "0x%" SCNx64 "-0x%" SCNx64, start, end) == 2;
}

/* Real kernels: their own dump has the same lines, and there is no other error. */
static void real_kernels(void **state)
{
	for (size_t i = 0; i < sizeof(machines) / sizeof(*machines); i++) {
		struct planted p = open_set(machines[i].set);
		const bool arm64 = strncmp(machines[i].set, "arm64", 5) == 0;
		struct dump_text text = {0};
		char *line;
		size_t errors = 0, wx = 0;

		for (size_t k = 0; k < p.before.count; k++)
			errors += p.before.finding[k].severity == INSP_ERROR;
		if (arm64)
			text = dump_text(machines[i].set, "ptdump.txt.xz");
		while (arm64 && (line = dump_line(&text)) != NULL) {
			cop_va start, end;
			bool found = false;

			if (!wx_line(line, &start, &end))
				continue;
			wx++;
			for (size_t k = 0; k < p.before.count; k++) {
				const struct insp_finding *f = &p.before.finding[k];

				found |= !strcmp(f->rule->name, "wx-kernel") && f->va == start &&
					 f->va + f->bytes == end;
			}
			if (!found)
				fail_msg("%s: not found: %s", machines[i].set, line);
		}
		free(text.text);
		assert_int_equal(errors, wx);
		assert_int_equal(wx, strcmp(machines[i].set, "arm64-blocks") == 0 ? 6 : 0);
		close_set(&p);
	}
}

/* All four kinds of machine are looked at; every rule has a section for some of them. */
static void rules(void **state)
{
	unsigned n = 0;

	for (; insp_rule(n); n++) {
		bool any = false;

		for (unsigned a = 0; a < 4; a++)
			any |= insp_rule(n)->section[a] != NULL;
		assert_true(any);
		for (unsigned k = 0; k < n; k++)
			assert_string_not_equal(insp_rule(n)->name, insp_rule(k)->name);
	}
	assert_int_equal(n, 15);
}

/* Only what is asked for. */
static void one_rule(void **state)
{
	struct overlay *o = overlay_open("arm64-blocks");
	struct insp_lint_options options = {.last = ~0ULL, .wanted = 1};
	struct findings all = {0};

	(void)insp_lint(&o->machine, &options, keep, &all);
	assert_int_equal(all.count, 6);
	for (size_t i = 0; i < all.count; i++)
		assert_ptr_equal(all.finding[i].rule, insp_rule(0));
	free(all.finding);
	overlay_close(o);
}

/* Tables full of noise: it ends, and tells. */
static void noise(void **state)
{
	static const char *const sets[] = {"amd64-4level", "arm64-default", "riscv64-sv39", "s390x"};
	uint64_t seed = 7;

	for (unsigned round = 0; round < 16; round++) {
		struct overlay *o = overlay_open(sets[round % 4]);
		struct findings all;

		for (unsigned i = 0; i < OVERLAY_PATCHES; i++) {
			const size_t extent = (seed >> 33) % o->memory.extent_count;

			seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
			o->patch[i].pa = o->memory.extents[extent].start + (seed >> 40 & 511) * 8;
			seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
			o->patch[i].value = seed ^ seed >> 32;
			if (i & 1) /* links to what is there */
				o->patch[i].value = o->memory.extents[extent].start | (round % 4 == 1 ? 3 : 0x67);
		}
		o->patches = OVERLAY_PATCHES;
		all = lint(o, sets[round % 4]);
		assert_true(all.count > 0);
		free(all.finding);
		overlay_close(o);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(wx_kernel),          cmocka_unit_test(wx_user),
		cmocka_unit_test(user_in_kernel),     cmocka_unit_test(reserved_bits),
		cmocka_unit_test(reserved_fields),    cmocka_unit_test(contiguous_arm64),
		cmocka_unit_test(contiguous_riscv64), cmocka_unit_test(alias_type),
		cmocka_unit_test(table_twice),        cmocka_unit_test(outside_memory),
		cmocka_unit_test(missing_table),      cmocka_unit_test(empty_table),
		cmocka_unit_test(vmemmap_orphan),     cmocka_unit_test(vmemmap_hole),
		cmocka_unit_test(vmemmap_short),      cmocka_unit_test(memmap_shared),
		cmocka_unit_test(not_present),        cmocka_unit_test(l1tf),
		cmocka_unit_test(real_kernels),       cmocka_unit_test(rules),
		cmocka_unit_test(one_rule),           cmocka_unit_test(noise),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
