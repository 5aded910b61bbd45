/* SPDX-License-Identifier: MIT */
/*
 * Views of recorded kernels equal what their own dump, QEMU, and lists of their leaves say; and all views agree on how much
 * is mapped.
 */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "inspect/views/attrs.h"
#include "inspect/views/line.h"
#include "inspect/views/stats.h"
#include "inspect/views/style.h"
#include "inspect/views/walk.h"
#include "tests/formats/dump.h"
#include "tests/inspect/input.h"

static const struct {
	const char *set, *frames, *regs, *leaves;
} sets[] = {
	{"amd64-4level", "frames.bin.xz", "regs.txt", "leaves.txt.xz"},
	{"arm64-blocks", "frames.bin.xz", "regs.txt", "leaves.txt.xz"},
	{"arm64-default", "frames.bin.xz", "regs.txt", "leaves.txt.xz"},
	{"riscv64-sv39", "frames.bin.xz", "regs.txt", "leaves.txt.xz"},
	{"s390x", "frames.bin.xz", "regs.txt", "leaves.txt.xz"},
	{"amd64-hotplug", "before.frames.bin.xz", "before.regs.txt", NULL},
	{"amd64-hotplug", "added.frames.bin.xz", "added.regs.txt", NULL},
	{"amd64-hotplug", "removed.frames.bin.xz", "removed.regs.txt", NULL},
};
#define SETS (sizeof(sets) / sizeof(*sets))

static struct insp_machine opened(size_t i)
{
	struct insp_source source = input_set(sets[i].set, sets[i].frames, sets[i].regs);

	if (!strcmp(sets[i].set, "s390x"))
		source.arch = COP_S390X;
	return input_opened(&source);
}

static size_t set_of(const char *set, const char *frames)
{
	for (size_t i = 0; i < SETS; i++)
		if (!strcmp(sets[i].set, set) && !strcmp(sets[i].frames, frames))
			return i;
	fail_msg("no set %s", set);
	return 0;
}

/* ---- equal to what others wrote ---- */

static void same_text(const char *what, char *ours, char *theirs)
{
	struct dump_text a = {ours, ours}, b = {theirs, theirs};

	for (;;) {
		char *x = dump_line(&a), *y = dump_line(&b);

		if (!x && !y)
			return;
		if (!x || !y || strcmp(x, y) != 0)
			fail_msg("%s: '%s', expected '%s'", what, x ? x : "(end)", y ? y : "(end)");
	}
}

static void print_leaves(void *context, const struct insp_run *run, uint32_t attrs)
{
	char line[INSP_LINE];

	for (unsigned i = 0; i < run->count; i++)
		fwrite(line, 1, (size_t)(insp_leaf_line(line, run, i) - line), context);
}

static void leaves(void **state)
{
	for (size_t i = 0; i < SETS; i++) {
		struct insp_machine m;
		const struct insp_pass pass = {.filter = insp_filter_all(), .leaves = print_leaves};
		struct dump_text theirs;
		char *text;
		size_t size;
		FILE *to;

		if (!sets[i].leaves)
			continue;
		m = opened(i);
		to = open_memstream(&text, &size);
		for (unsigned t = 0; t < m.trees; t++)
			(void)insp_pass(m.memory, &m.tree[t], &pass, to);
		fclose(to);
		theirs = dump_text(sets[i].set, sets[i].leaves);
		assert_int_equal(size, strlen(theirs.text));
		same_text(sets[i].set, text, theirs.text);
		free(theirs.text);
		free(text);
		insp_close(&m);
	}
}

static char *styled(const struct insp_machine *m, const struct insp_tree *tree, const char *name, cop_va start,
		    const struct insp_region *regions, size_t count)
{
	struct insp_style_print print = {insp_style_find(name, tree->format->arch), tree, NULL};
	struct insp_filter filter = insp_filter_all();
	struct insp_ranges_spec spec;
	struct insp_ranges *ranges;
	struct insp_pass pass;
	char *text;
	size_t size;

	assert_non_null(print.style);
	print.to = open_memstream(&text, &size);
	fputs(print.style->header ? print.style->header : "", print.to);
	filter.start = start;
	if (!print.style->all)
		filter.may_not = COP_PROTNONE;
	spec = insp_style_spec(&print, regions, count);
	ranges = insp_ranges_begin(&spec, tree, &filter);
	assert_non_null(ranges);
	pass = insp_ranges_pass(ranges);
	(void)insp_pass(m->memory, tree, &pass, ranges);
	insp_ranges_end(ranges);
	fclose(print.to);
	return text;
}

static void check_style(const char *set, const char *frames, const char *style, const char *list)
{
	struct insp_machine m = opened(set_of(set, frames));
	char *ours = styled(&m, &m.tree[0], style, 0, NULL, 0);
	struct dump_text theirs = dump_text(set, list);

	same_text(list, ours, theirs.text);
	free(ours);
	free(theirs.text);
	insp_close(&m);
}

static void qemu(void **state)
{
	check_style("amd64-4level", "frames.bin.xz", "qemu-mem", "info-mem.txt");
	check_style("amd64-4level", "frames.bin.xz", "qemu-tlb", "info-tlb.txt.xz");
	check_style("amd64-hotplug", "before.frames.bin.xz", "qemu-tlb", "before.info-tlb.txt.xz");
	check_style("amd64-hotplug", "added.frames.bin.xz", "qemu-tlb", "added.info-tlb.txt.xz");
	check_style("amd64-hotplug", "removed.frames.bin.xz", "qemu-tlb", "removed.info-tlb.txt.xz");
	check_style("riscv64-sv39", "frames.bin.xz", "qemu-mem", "info-mem.txt");
}

/* Lines of the kernel's dump from @from on; around it the guest's console is left. */
static char *kernel_dump(const char *set, const char *from)
{
	struct dump_text text = dump_text(set, "ptdump.txt.xz");
	char *start = strstr(text.text, from), *end = strstr(text.text, "DONE"), *copy;

	assert_true(start && end && end > start);
	copy = strndup(start, (size_t)(end - start));
	free(text.text);
	return copy;
}

static void check_arm64(const char *set)
{
	const struct insp_region kernel = {0xffff000000000000, ~0ULL, "Kernel"};
	struct insp_machine m = opened(set_of(set, "frames.bin.xz"));
	char *theirs = kernel_dump(set, "---[ Kernel ]---"), *ours;

	assert_string_equal(m.tree[0].name, "kernel");
	ours = styled(&m, &m.tree[0], "ptdump", 0, &kernel, 1);
	same_text(set, ours, theirs);
	free(ours);
	free(theirs);
	insp_close(&m);
}

static void ptdump_arm64(void **state)
{
	check_arm64("arm64-default");
	check_arm64("arm64-blocks");
}

/*
 * Where this kernel's address space changes its name; it dumped a tree without user space, so that ours is compared from the
 * first heading on that lies behind.
 */
static void ptdump_amd64(void **state)
{
	static const struct insp_region regions[] = {
		{0, 0xffff7fffffffffff, "User Space"},
		{0xffff800000000000, 0xffff87ffffffffff, "Kernel Space"},
		{0xffff880000000000, 0xffff8cf9ffffffff, "LDT remap"},
		{0xffff8cfa00000000, 0xffffd3daffffffff, "Low Kernel Mapping"},
		{0xffffd3db00000000, 0xfffff8d77fffffff, "vmalloc() Area"},
		{0xfffff8d780000000, 0xfffffdffffffffff, "Vmemmap"},
		{0xfffffe0000000000, 0xffffffeeffffffff, "CPU entry Area"},
		{0xffffffef00000000, 0xffffffff7fffffff, "EFI Runtime Services"},
		{0xffffffff80000000, 0xffffffffbfffffff, "High Kernel Mapping"},
		{0xffffffffc0000000, 0xfffffffffeffffff, "Modules"},
		{0xffffffffff000000, 0xffffffffff578fff, "End Modules"},
		{0xffffffffff579000, ~0ULL, "Fixmap Area"},
	};
	const char *from = "---[ Kernel Space ]---";
	struct insp_machine m = opened(set_of("amd64-4level", "frames.bin.xz"));
	char *ours = styled(&m, &m.tree[0], "ptdump", 0, regions, sizeof(regions) / sizeof(*regions));
	char *theirs = kernel_dump("amd64-4level", from);

	assert_non_null(strstr(ours, from));
	same_text("ptdump", strstr(ours, from), theirs);
	free(ours);
	free(theirs);
	insp_close(&m);
}

/* ---- all views agree ---- */

struct sums {
	const struct insp_machine *m;
	const struct insp_tree *tree;
	uint64_t leaves, bytes, ranges;
};

static void sum_leaves(void *context, const struct insp_run *run, uint32_t attrs)
{
	struct sums *s = context;

	s->leaves += run->count;
	s->bytes += (uint64_t)run->count << run->lg2;
}

static void sum_range(void *context, const struct insp_range *r)
{
	struct sums *s = context;

	assert_int_equal(r->end - r->start, r->leaves << r->lg2);
	s->leaves += r->leaves;
	s->bytes += r->end - r->start;
	s->ranges++;
}

static uint64_t key_attrs(const struct insp_run *run, uint32_t attrs)
{
	return attrs;
}

static struct sums ranges_of(const struct insp_machine *m, const struct insp_tree *tree, bool by_pa)
{
	struct sums s = {0};
	const struct insp_filter all = insp_filter_all();
	const struct insp_ranges_spec spec = {.regions = m->regions,
					      .region_count = m->region_count,
					      .key = key_attrs,
					      .by_level = true,
					      .by_pa = by_pa,
					      .range = sum_range,
					      .context = &s};
	struct insp_ranges *ranges = insp_ranges_begin(&spec, tree, &all);
	const struct insp_pass pass = insp_ranges_pass(ranges);

	(void)insp_pass(m->memory, tree, &pass, ranges);
	insp_ranges_end(ranges);
	return s;
}

/* Each leaf, walked to: its first, last and a middle address. */
static void walk_leaves(void *context, const struct insp_run *run, uint32_t attrs)
{
	const struct sums *s = context;

	for (unsigned i = 0; i < run->count; i++) {
		const uint64_t at = (uint64_t)i << run->lg2, inside = (i * 1237ULL) & (COP_LG2(run->lg2) - 1);
		const struct insp_walk w = insp_walk(s->m->memory, s->tree, run->va + at + inside);

		assert_int_equal(w.end, attrs & COP_PROTNONE ? INSP_WALK_PROTNONE : INSP_WALK_MAPPED);
		assert_int_equal(w.pa, run->pa + at + inside);
		assert_int_equal(w.step[w.steps - 1].entry, run->entry + i * run->step);
		assert_int_equal(w.attrs, attrs);
		assert_int_equal(w.lg2, run->lg2);
	}
}

/* By halves of physical memory, by attribute and by size: parts that make the whole. */
static void check_parts(const struct insp_machine *m, const struct insp_tree *tree, const struct sums *whole)
{
	struct insp_pass pass = {.leaves = sum_leaves};
	struct sums s = {0};
	const cop_pa middle = 0x43a5b000;

	pass.filter = insp_filter_all();
	pass.filter.pa_last = middle - 1;
	(void)insp_pass(m->memory, tree, &pass, &s);
	pass.filter.pa_start = middle;
	pass.filter.pa_last = ~0ULL;
	(void)insp_pass(m->memory, tree, &pass, &s);
	assert_true(s.leaves == whole->leaves || s.leaves == whole->leaves + 1 || s.leaves == whole->leaves + 2);
	memset(&s, 0, sizeof(s));
	pass.filter = insp_filter_all();
	assert_null(insp_filter_parse(&pass.filter, "write"));
	(void)insp_pass(m->memory, tree, &pass, &s);
	pass.filter = insp_filter_all();
	assert_null(insp_filter_parse(&pass.filter, "!w"));
	(void)insp_pass(m->memory, tree, &pass, &s);
	assert_int_equal(s.leaves, whole->leaves);
	memset(&s, 0, sizeof(s));
	for (unsigned level = 0; level < tree->geom.levels; level++) {
		pass.filter = insp_filter_all();
		pass.filter.bytes = COP_LG2(tree->format->shift(level));
		(void)insp_pass(m->memory, tree, &pass, &s);
	}
	assert_int_equal(s.leaves, whole->leaves);
}

static void reconcile(void **state)
{
	for (size_t i = 0; i < SETS; i++) {
		struct insp_machine m = opened(i);

		for (unsigned t = 0; t < m.trees; t++) {
			const struct insp_tree *tree = &m.tree[t];
			const struct insp_pass sum = {.filter = insp_filter_all(), .leaves = sum_leaves};
			const struct insp_pass walk = {.filter = insp_filter_all(), .leaves = walk_leaves};
			struct sums s = {.m = &m, .tree = tree}, r = ranges_of(&m, tree, false),
				    x = ranges_of(&m, tree, true);
			struct insp_counting counting;

			(void)insp_pass(m.memory, tree, &sum, &s);
			assert_true(s.leaves > 100);
			assert_int_equal(r.leaves, s.leaves);
			assert_int_equal(r.bytes, s.bytes);
			assert_int_equal(x.leaves, s.leaves);
			assert_int_equal(x.bytes, s.bytes);
			assert_true(r.ranges <= x.ranges && x.ranges <= s.leaves);
			insp_counting_begin(&counting, tree);
			counting.stats.scanned = insp_scan(m.memory, tree, 0, ~0ULL, &insp_counting_visitor, &counting);
			assert_int_equal(counting.stats.leaves, s.leaves);
			assert_int_equal(counting.stats.mapped, s.bytes);
			assert_int_equal(counting.stats.scanned.missing, 0);
			assert_int_equal(counting.stats.bad, 0);
			check_parts(&m, tree, &s);
			(void)insp_pass(m.memory, tree, &walk, &s);
		}
		insp_close(&m);
	}
}

/* Block mappings hold 1,264 pages and 16 blocks in runs; nothing could be a larger leaf. */
static void runs_counted(void **state)
{
	struct insp_machine m = opened(set_of("arm64-blocks", "frames.bin.xz"));
	struct insp_counting counting;
	struct insp_reach reach;

	insp_counting_begin(&counting, &m.tree[0]);
	(void)insp_scan(m.memory, &m.tree[0], 0, ~0ULL, &insp_counting_visitor, &counting);
	reach = insp_stats_reach(&m.tree[0], &counting.stats);
	assert_int_equal(counting.stats.level[0].cont % 16, 0);
	assert_true(counting.stats.level[0].cont > 900);
	assert_int_equal(counting.stats.level[1].cont, 16);
	assert_int_equal(reach.now, counting.stats.leaves - (counting.stats.level[0].cont + 16) / 16 * 15);
	assert_true(reach.best < reach.now);
	insp_close(&m);
}

static void why(void **state)
{
	struct insp_machine m = opened(set_of("amd64-4level", "frames.bin.xz"));

	assert_int_equal(insp_walk(m.memory, &m.tree[0], 0x800000000000).end, INSP_WALK_OUTSIDE);
	assert_int_equal(insp_walk(m.memory, &m.tree[0], 0x1000).end, INSP_WALK_EMPTY);
	assert_int_equal(insp_walk(m.memory, &m.tree[0], 0x400123).pa, 0x32a6123);
	insp_close(&m);
}

static void filters(void **state)
{
	struct insp_filter f = insp_filter_all();

	assert_null(insp_filter_parse(&f, "w,x,!user,device"));
	assert_int_equal(f.must, COP_WRITE | COP_EXEC);
	assert_int_equal(f.may_not, COP_USER);
	assert_int_equal(f.types, 1 << (COP_MT_DEVICE >> 16));
	assert_string_equal(insp_filter_parse(&f, "w,shiny"), "shiny");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(leaves),       cmocka_unit_test(qemu),      cmocka_unit_test(ptdump_arm64),
		cmocka_unit_test(ptdump_amd64), cmocka_unit_test(reconcile), cmocka_unit_test(runs_counted),
		cmocka_unit_test(why),          cmocka_unit_test(filters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
