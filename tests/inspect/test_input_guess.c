/* SPDX-License-Identifier: MIT */
/* Without a word about it, every recorded kernel's root and geometry are found; where two fit, neither is taken. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "tests/inspect/input.h"

static void check(const char *set, const char *frames, cop_pa root, const char *format, unsigned levels)
{
	struct insp_source s = input_set(set, frames, "none");
	struct insp_machine m;

	s.regs = NULL;
	m = input_opened(&s);
	assert_int_equal(m.trees, 1);
	assert_int_equal(m.tree[0].root, root);
	assert_string_equal(m.tree[0].format->name, format);
	assert_int_equal(m.tree[0].geom.levels, levels);
	assert_int_equal(m.tree[0].big_endian, m.tree[0].geom.arch == COP_S390X);
	assert_non_null(strstr(m.found, "guessed"));
	insp_close(&m);
}

static void recorded_kernels(void **state)
{
	check("amd64-4level", "frames.bin.xz", 0x5660000, "x86-64", 4);
	check("amd64-hotplug", "added.frames.bin.xz", 0x2980000, "x86-64", 5);
	check("arm64-default", "frames.bin.xz", 0x4157b000, "arm64-4k", 4);
	check("arm64-blocks", "frames.bin.xz", 0x4157b000, "arm64-4k", 4);
	check("riscv64-sv39", "frames.bin.xz", 0x834c8000, "riscv64", 3);
	check("s390x", "frames.bin.xz", 0x1290000, "s390x", 3);
}

/* In a raw image, among pages of noise. */
static void among_noise(void **state)
{
	struct input_frames f = input_frames_of("amd64-4level");
	const size_t size = f.frame[f.count - 1].pa + 4096;
	unsigned char *image = malloc(size);
	struct insp_source s = {.path = input_path("image"), .arch = -1};
	struct insp_machine m;
	uint64_t random = 1;

	assert_non_null(image);
	for (size_t i = 0; i + 8 <= size; i += 8) {
		random = random * 6364136223846793005ULL + 1442695040888963407ULL;
		memcpy(image + i, &random, 8);
	}
	for (size_t i = 0; i < f.count; i++)
		memcpy(image + f.frame[i].pa, f.frame[i].bytes, 4096);
	input_write(s.path, image, size);
	m = input_opened(&s);
	assert_int_equal(m.tree[0].root, 0x5660000);
	input_has_leaves(&m, "amd64-4level");
	insp_close(&m);
	free(image);
	input_frames_free(&f);
}

static void record(unsigned char *out, cop_pa pa, unsigned slot, uint64_t entry)
{
	memset(out, 0, 4104);
	memcpy(out, &pa, 8);
	memcpy(out + 8 + 8 * slot, &entry, 8);
}

/* Two address spaces of three tables, with nothing in common. */
static void two_that_fit(void **state)
{
	struct insp_source s = {.path = input_path("two"), .kind = "frames", .arch = COP_RISCV64};
	unsigned char records[6 * 4104];
	struct insp_machine m;

	for (unsigned i = 0; i < 2; i++) {
		const cop_pa at = 0x10000 + 0x8000 * i;

		record(records + (3 * i) * 4104, at, 511, (at + 0x1000) >> 2 | 1);
		record(records + (3 * i + 1) * 4104, at + 0x1000, 0, (at + 0x2000) >> 2 | 1);
		record(records + (3 * i + 2) * 4104, at + 0x2000, 0, (0x80000000 + at) >> 2 | 0xc7);
	}
	input_write(s.path, records, sizeof(records));
	input_refused(&s, "two roots look alike: 0x10000 (riscv64, 3 levels) and 0x18000");
	s.root = 0x18000;
	s.has_root = true;
	m = input_opened(&s);
	insp_close(&m);
	s.has_root = false;
	input_write(s.path, records, 3 * 4104);
	m = input_opened(&s);
	assert_int_equal(m.tree[0].root, 0x10000);
	insp_close(&m);
}

static void nothing_that_fits(void **state)
{
	struct insp_source s = {.path = input_path("zero"), .kind = "raw", .arch = -1};
	static unsigned char zero[65536];

	input_write(s.path, zero, sizeof(zero));
	input_refused(&s, "no page looks like one");
	memset(zero, 0xff, sizeof(zero));
	input_write(s.path, zero, sizeof(zero));
	input_refused(&s, "no page looks like one");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(recorded_kernels),
		cmocka_unit_test(among_noise),
		cmocka_unit_test(two_that_fit),
		cmocka_unit_test(nothing_that_fits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
