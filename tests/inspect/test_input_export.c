/* SPDX-License-Identifier: MIT */
/* What was exported opens to the same trees and leaves; what is there already stays as it is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "inspect/export_frames.h"
#include "tests/inspect/input.h"

static void same_trees(const struct insp_machine *a, const struct insp_machine *b)
{
	assert_int_equal(a->trees, b->trees);
	for (unsigned i = 0; i < a->trees; i++) {
		assert_ptr_equal(a->tree[i].format, b->tree[i].format);
		assert_string_equal(a->tree[i].name, b->tree[i].name);
		assert_int_equal(a->tree[i].root, b->tree[i].root);
		assert_int_equal(a->tree[i].mair, b->tree[i].mair);
		assert_int_equal(a->tree[i].root_entries, b->tree[i].root_entries);
		assert_memory_equal(&a->tree[i].geom, &b->tree[i].geom, sizeof(struct cop_geom));
	}
}

static void again(const char *set, const char *name, const char *regs)
{
	const struct insp_source s = input_set(set, "frames.bin.xz", "regs.txt");
	struct insp_machine m = input_opened(&s), n;
	struct insp_source copy = {.path = input_path(name), .regs = input_path(regs), .arch = -1};
	struct insp_exported e;
	struct insp_error error;

	if (insp_export_frames(&m, copy.path, &e, &error) != 0)
		fail_msg("%s", error.text);
	assert_string_equal(e.regs, copy.regs);
	assert_true(e.tables > 10 && e.frames > 10 && e.missing == 0);
	n = input_opened(&copy);
	same_trees(&m, &n);
	input_has_leaves(&n, set);
	insp_close(&n);
	/* A second time, nothing is written over. */
	assert_int_equal(insp_export_frames(&m, copy.path, &e, &error), -17);
	assert_non_null(strstr(error.text, "exists"));
	assert_int_equal(unlink(copy.path), 0);
	assert_int_equal(insp_export_frames(&m, copy.path, &e, &error), -17);
	assert_int_equal(access(copy.path, F_OK), -1);
	insp_close(&m);
}

static void every_set(void **state)
{
	again("arm64-default", "default.bin.xz", "default.regs.txt");
	again("arm64-blocks", "blocks.bin", "blocks.regs.txt");
	again("amd64-4level", "amd64.xz", "amd64.regs.txt");
	again("riscv64-sv39", "riscv64", "riscv64.regs.txt");
	again("s390x", "s390x.bin.xz", "s390x.regs.txt");
}

/* A root of 64 bytes in a frame that holds a secret. */
static void nothing_but_tables(void **state)
{
	static const char regs[] = "TTBR1_EL1=0x80000104\nTCR_EL1=0x8000186800c0000\n";
	struct insp_source s = {.path = input_path("secret"), .regs = input_path("secret-regs"), .arch = -1};
	const char *out = input_path("public.bin");
	unsigned char record[4104];
	struct insp_machine m;
	struct insp_exported e;
	struct insp_error error;
	FILE *f;

	memset(record, 'S', sizeof(record));
	memcpy(record, "\0\0\0\x80\0\0\1\0", 8);
	memset(record + 8 + 0x100, 0, 128);
	input_write(s.path, record, sizeof(record));
	input_write(s.regs, regs, sizeof(regs) - 1);
	(void)input_path("public.regs.txt");
	m = input_opened(&s);
	if (insp_export_frames(&m, out, &e, &error) != 0)
		fail_msg("%s", error.text);
	insp_close(&m);
	f = fopen(out, "rb");
	assert_non_null(f);
	assert_int_equal(fread(record, 1, sizeof(record), f), sizeof(record));
	assert_null(memchr(record, 'S', sizeof(record)));
	assert_int_equal(fclose(f), 0);
}

/* A table that links itself, and one that is not there. */
static void cycles_and_holes(void **state)
{
	unsigned char record[4104] = {0};
	struct insp_source s = {.path = input_path("cycle"), .regs = input_path("cycle-regs"), .arch = -1};
	const char *out = input_path("cycle.bin");
	struct insp_machine m;
	struct insp_exported e;
	struct insp_error error;

	memcpy(record, "\0\x10\0\0\0\0\0\0", 8);
	memcpy(record + 8, "\x63\x10\0\0\0\0\0\0\x63\x20\0\0\0\0\0\0", 16);
	input_write(s.path, record, sizeof(record));
	input_write(s.regs, "cr3=0x1000\ncr4=0x20\n", 20);
	(void)input_path("cycle.regs.txt");
	m = input_opened(&s);
	if (insp_export_frames(&m, out, &e, &error) != 0)
		fail_msg("%s", error.text);
	/* Once as each level, and the missing one at each of the three below. */
	assert_int_equal(e.tables, 4);
	assert_int_equal(e.frames, 1);
	assert_int_equal(e.missing, 3);
	insp_close(&m);
}

static void no_such_place(void **state)
{
	const struct insp_source s = input_set("riscv64-sv39", "frames.bin.xz", "regs.txt");
	struct insp_machine m = input_opened(&s);
	struct insp_exported e;
	struct insp_error error;

	assert_true(insp_export_frames(&m, "/nonexistent/out.bin", &e, &error) < 0);
	assert_non_null(strstr(error.text, "No such file"));
	insp_close(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_set),
		cmocka_unit_test(nothing_but_tables),
		cmocka_unit_test(cycles_and_holes),
		cmocka_unit_test(no_such_place),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
