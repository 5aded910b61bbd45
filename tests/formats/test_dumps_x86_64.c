/* SPDX-License-Identifier: MIT */
/*
 * Every leaf of two recorded amd64 kernels is found, read and written again as the kernel wrote it; what its entries say
 * is what QEMU and the guest's own page-table dump say of them.
 */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "formats/x86_64.h"
#include "tests/formats/dump.h"

#define GUEST   "amd64-4level"
#define HOTPLUG "amd64-hotplug"

/* SDM 2.5: CR4.PGE is bit 7, LA57 bit 12, PCIDE bit 17. The dumps say nothing of CPUID: 1G pages, NX and all of 52 bits. */
static struct cop_geom geom_of(const char *set, const char *regs)
{
	const uint64_t cr4 = dump_register(set, regs, "cr4");
	struct cop_geom g;

	assert_int_equal(cop_geom_init(&g, COP_X86_64, 12, cr4 >> 12 & 1 ? 57 : 48), 0);
	g.pa_bits = 52;
	g.features = COP_F_NX | COP_F_1G | (cr4 >> 7 & 1 ? COP_F_PGE : 0U) | (cr4 >> 17 & 1 ? COP_F_PCID : 0U);
	return g;
}

/* CR3: PCID or PWT and PCD in bits 11:0. */
static cop_pa root_of(const char *set, const char *regs)
{
	return dump_register(set, regs, "cr3") & X86_ADDRESS;
}

static struct dump_leaves found_in(const char *set, const char *frames, const char *regs)
{
	const struct cop_geom g = geom_of(set, regs);
	struct dump d = dump_open(set, frames, 12, false);
	struct dump_leaves found = {0};

	dump_walk(&d, cop_format_for(COP_X86_64, 0), &g, root_of(set, regs), &found);
	assert_int_equal(d.missing, 0);
	dump_close(&d);
	dump_sort(&found);
	return found;
}

static struct dump_leaves found_in_guest(void)
{
	return found_in(GUEST, "frames.bin.xz", "regs.txt");
}

static void leaves(void **state)
{
	struct dump_leaves found = found_in_guest(), expected = dump_expected(GUEST, "leaves.txt.xz");

	dump_sort(&expected);
	for (size_t i = 0; i < found.count && i < expected.count; i++) {
		const struct dump_leaf *f = &found.leaf[i], *e = &expected.leaf[i];

		if (f->va != e->va || f->pa != e->pa || f->bytes != e->bytes || f->entry != e->entry)
			fail_msg("found %#" PRIx64 " %#" PRIx64 " %#" PRIx64 " %#" PRIx64 ", expected %#" PRIx64
				 " %#" PRIx64 " %#" PRIx64 " %#" PRIx64,
				 f->va, f->pa, f->bytes, f->entry, e->va, e->pa, e->bytes, e->entry);
	}
	assert_int_equal(found.count, expected.count);
	assert_int_equal(found.count, 9057);
	dump_leaves_free(&found);
	dump_leaves_free(&expected);
}

/*
 * Through address and attributes and back. What those do not hold of these kernels' entries: which of its two bits says
 * that a read-only leaf is dirty (6.1 knows one), and which kind of uncached a leaf is (UC- or UC: PWT).
 */
static void check_again(const char *set, const char *frames, const char *regs)
{
	const struct cop_geom g = geom_of(set, regs);
	struct dump_leaves found = found_in(set, frames, regs);

	for (size_t i = 0; i < found.count; i++) {
		const uint64_t e = found.leaf[i].entry;
		const unsigned l = found.leaf[i].level;
		const uint32_t attrs = fmt_attrs(&g, e, l);
		const uint64_t dirty = attrs & COP_WRITE ? 0 : X86_D | X86_SW_SAVED_DIRTY;
		const uint64_t uncached = (attrs & COP_MT_MASK) == COP_MT_DEVICE ? X86_PWT : 0;
		const uint64_t rest = fmt_rest_mask(&g, e, l) & (dirty | uncached);
		const uint64_t again = fmt_leaf(&g, fmt_leaf_pa(&g, e, l), l, attrs);

		if (((again & ~rest) | (e & rest)) != e)
			fail_msg("%s: %#" PRIx64 " became %#" PRIx64, frames, e, again);
		assert_int_equal(fmt_check_attrs(&g, attrs, l), 0);
	}
	dump_leaves_free(&found);
}

static void again(void **state)
{
	check_again(GUEST, "frames.bin.xz", "regs.txt");
	check_again(HOTPLUG, "before.frames.bin.xz", "before.regs.txt");
	check_again(HOTPLUG, "added.frames.bin.xz", "added.regs.txt");
	check_again(HOTPLUG, "removed.frames.bin.xz", "removed.regs.txt");
}

/* A leaf as QEMU's "info tlb" prints it: NX, G, PS, D, A, PCD, PWT, U/S, R/W; here from attributes where there are any. */
static void tlb_line(const struct cop_geom *g, const struct dump_leaf *leaf, char *line, size_t size)
{
	const uint32_t attrs = fmt_attrs(g, leaf->entry, leaf->level), type = attrs & COP_MT_MASK;
	const bool wt = type == COP_MT_WT, nc = type == COP_MT_NC, device = type == COP_MT_DEVICE;
	const bool uc = device && !(fmt_rest_mask(g, leaf->entry, leaf->level) & X86_PWT);

	(void)snprintf(line, size, "%016" PRIx64 ": %016" PRIx64 " %c%c%c%c%c%c%c%c%c", leaf->va, leaf->pa,
		       attrs & COP_EXEC ? '-' : 'X', attrs & COP_GLOBAL ? 'G' : '-',
		       fmt_huge(leaf->entry, leaf->level) ? 'P' : '-', attrs & COP_DIRTY ? 'D' : '-',
		       attrs & COP_YOUNG ? 'A' : '-', wt || device ? 'C' : '-', wt || nc || uc ? 'T' : '-',
		       attrs & COP_USER ? 'U' : '-', attrs & COP_WRITE ? 'W' : '-');
}

static void check_tlb(const char *set, const char *frames, const char *regs, const char *list)
{
	const struct cop_geom g = geom_of(set, regs);
	struct dump_leaves found = found_in(set, frames, regs);
	struct dump_text text = dump_text(set, list);
	char ours[64], *theirs;
	size_t i = 0;

	for (; (theirs = dump_line(&text)) != NULL; i++) {
		assert_true(i < found.count);
		tlb_line(&g, &found.leaf[i], ours, sizeof(ours));
		if (strcmp(ours, theirs) != 0)
			fail_msg("%s: %s, expected %s", list, ours, theirs);
	}
	assert_int_equal(i, found.count);
	free(text.text);
	dump_leaves_free(&found);
}

static void tlb(void **state)
{
	check_tlb(GUEST, "frames.bin.xz", "regs.txt", "info-tlb.txt.xz");
}

/* ---- rights over all levels: QEMU's "info mem" ---- */

struct stretch {
	cop_va start, end;
	uint32_t rights; /* COP_READ | COP_WRITE | COP_USER */
};

struct stretches {
	struct stretch *at;
	size_t count;
};

/* SDM 4.6: R/W and U/S count only if set at every level. */
static uint32_t rights_of(struct dump *d, const struct cop_geom *g, cop_va va)
{
	uint64_t all = X86_RW | X86_US;
	cop_pa table = root_of(GUEST, "regs.txt");

	for (unsigned l = g->levels; l-- > 0;) {
		const uint64_t e = dump_entry(d, table, (unsigned)(va >> fmt_shift(l)) & 511);

		all &= e;
		if (fmt_kind(g, e, l) != COP_TABLE)
			break;
		table = fmt_table_pa(g, e, l);
	}
	return COP_READ | (all & X86_RW ? COP_WRITE : 0U) | (all & X86_US ? COP_USER : 0U);
}

static struct stretches merged_rights(void)
{
	const struct cop_geom g = geom_of(GUEST, "regs.txt");
	struct dump_leaves found = found_in_guest();
	struct dump d = dump_open(GUEST, "frames.bin.xz", 12, false);
	struct stretches all = {calloc(found.count, sizeof(struct stretch)), 0};

	assert_non_null(all.at);
	for (size_t i = 0; i < found.count; i++) {
		const struct dump_leaf *leaf = &found.leaf[i];
		const uint32_t rights = rights_of(&d, &g, leaf->va);
		struct stretch *last = all.count ? &all.at[all.count - 1] : NULL;

		if (last && last->end == leaf->va && last->rights == rights)
			last->end += leaf->bytes;
		else
			all.at[all.count++] = (struct stretch){leaf->va, leaf->va + leaf->bytes, rights};
	}
	dump_close(&d);
	dump_leaves_free(&found);
	return all;
}

static void rights(void **state)
{
	struct stretches ours = merged_rights();
	struct dump_text text = dump_text(GUEST, "info-mem.txt");
	char line[64], *theirs;
	size_t i = 0;

	for (; (theirs = dump_line(&text)) != NULL; i++) {
		const struct stretch *s = &ours.at[i];

		assert_true(i < ours.count);
		(void)snprintf(line, sizeof(line), "%016" PRIx64 "-%016" PRIx64 " %016" PRIx64 " %cr%c", s->start,
			       s->end, s->end - s->start, s->rights & COP_USER ? 'u' : '-',
			       s->rights & COP_WRITE ? 'w' : '-');
		assert_string_equal(line, theirs);
	}
	assert_int_equal(i, ours.count);
	free(text.text);
	free(ours.at);
}

/* ---- the guest's own dump of its kernel half ---- */

static bool has_word(const char *line, const char *word)
{
	const size_t length = strlen(word);

	for (const char *at = line; (at = strstr(at, word)) != NULL; at++)
		if (at > line && at[-1] == ' ' && (at[length] == ' ' || at[length] == 0))
			return true;
	return false;
}

static void check_ptdump_leaf(const struct cop_geom *g, const struct dump_leaf *leaf, const char *line)
{
	const uint32_t attrs = fmt_attrs(g, leaf->entry, leaf->level);
	const uint32_t said = (has_word(line, "RW") ? COP_WRITE : 0U) | (has_word(line, "USR") ? COP_USER : 0U) |
			      (has_word(line, "GLB") ? COP_GLOBAL : 0U) | (has_word(line, "x") ? COP_EXEC : 0U) |
			      (has_word(line, "PCD") ? COP_MT_DEVICE : 0U);
	const char *name = fmt_level_name(g, leaf->level), *theirs = strrchr(line, ' ');

	assert_int_equal(attrs & (COP_WRITE | COP_USER | COP_GLOBAL | COP_EXEC | COP_MT_MASK), said);
	assert_int_equal(fmt_huge(leaf->entry, leaf->level), has_word(line, "PSE"));
	assert_non_null(theirs);
	for (size_t i = 0; name[i]; i++)
		assert_int_equal(theirs[1 + i], name[i] - 'A' + 'a');
}

static void ptdump(void **state)
{
	const struct cop_geom g = geom_of(GUEST, "regs.txt");
	struct dump_leaves found = found_in_guest();
	struct dump_text text = dump_text(GUEST, "ptdump.txt.xz");
	size_t next = 0, lines = 0;
	char *line;

	/* The dump is of the kernel's tables, whose lower half is empty. */
	while (next < found.count && found.leaf[next].va >> 63 == 0)
		next++;
	while ((line = dump_line(&text)) != NULL) {
		cop_va start, end;

		if (sscanf(line, "0x%" SCNx64 "-0x%" SCNx64, &start, &end) != 2 ||
		    !(has_word(line, "RW") || has_word(line, "ro")))
			continue;
		lines++;
		for (; start != end; start += found.leaf[next++].bytes) {
			assert_true(next < found.count);
			assert_int_equal(found.leaf[next].va, start);
			check_ptdump_leaf(&g, &found.leaf[next], line);
		}
	}
	assert_int_equal(next, found.count);
	assert_true(lines > 100);
	free(text.text);
	dump_leaves_free(&found);
}

/* ---- a DIMM comes and goes ---- */

static struct dump_leaves moment(const char *name)
{
	char frames[64], regs[64], list[64];

	(void)snprintf(frames, sizeof(frames), "%s.frames.bin.xz", name);
	(void)snprintf(regs, sizeof(regs), "%s.regs.txt", name);
	(void)snprintf(list, sizeof(list), "%s.info-tlb.txt.xz", name);
	assert_int_equal(geom_of(HOTPLUG, regs).levels, 5);
	check_tlb(HOTPLUG, frames, regs, list);
	return found_in(HOTPLUG, frames, regs);
}

/* The kernel's leaves of @b that @a lacks; all that @a has, @b has. User space went on meanwhile. */
static struct dump_leaves gained(const struct dump_leaves *a, const struct dump_leaves *b)
{
	struct dump_leaves more = {calloc(b->count, sizeof(struct dump_leaf)), 0, b->count};
	size_t i = 0;

	assert_non_null(more.leaf);
	while (i < a->count && a->leaf[i].va >> 63 == 0)
		i++;
	for (size_t j = 0; j < b->count; j++) {
		if (b->leaf[j].va >> 63 == 0)
			continue;
		if (i < a->count && a->leaf[i].va == b->leaf[j].va) {
			assert_int_equal(a->leaf[i].entry, b->leaf[j].entry);
			i++;
			continue;
		}
		more.leaf[more.count++] = b->leaf[j];
	}
	assert_int_equal(i, a->count);
	return more;
}

/* 256 MB of linear map and 4 MB of memmap: 2 MB leaves, writable, not executable, all dirty by hardware or from birth. */
static void dimm(void **state)
{
	struct dump_leaves before = moment("before"), added = moment("added"), removed = moment("removed");
	struct dump_leaves came = gained(&before, &added), stayed = gained(&before, &removed);
	const struct cop_geom g = geom_of(HOTPLUG, "added.regs.txt");
	size_t linear = 0;

	assert_int_equal(came.count, 130);
	assert_int_equal(stayed.count, 0);
	for (size_t i = 0; i < came.count; i++) {
		const struct dump_leaf *leaf = &came.leaf[i];

		assert_int_equal(leaf->bytes, 2 << 20);
		assert_int_equal(fmt_attrs(&g, leaf->entry, leaf->level), COP_KERNEL_RW);
		linear += leaf->pa >> 28 == came.leaf[0].pa >> 28 &&
			  leaf->va - leaf->pa == came.leaf[0].va - came.leaf[0].pa;
	}
	assert_int_equal(linear, 128);
	dump_leaves_free(&before);
	dump_leaves_free(&added);
	dump_leaves_free(&removed);
	dump_leaves_free(&came);
	dump_leaves_free(&stayed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(leaves), cmocka_unit_test(again),  cmocka_unit_test(tlb),
		cmocka_unit_test(rights), cmocka_unit_test(ptdump), cmocka_unit_test(dimm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
