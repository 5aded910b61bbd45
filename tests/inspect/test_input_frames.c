/* SPDX-License-Identifier: MIT */
/* Frames-only records and register files: recorded kernels open to exactly their leaves, damaged ones to one line. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "tests/inspect/input.h"

static void check_set(const char *set, enum cop_arch arch, unsigned trees)
{
	const struct insp_source s = input_set(set, "frames.bin.xz", "regs.txt");
	struct insp_machine m = input_opened(&s);

	assert_int_equal(m.trees, trees);
	assert_int_equal(m.tree[0].geom.arch, arch);
	assert_int_equal(m.tree[0].big_endian, arch == COP_S390X);
	assert_false(m.memory->ram);
	assert_non_null(strstr(m.found, "tree"));
	input_has_leaves(&m, set);
	insp_close(&m);
}

static void recorded_kernels(void **state)
{
	check_set("arm64-default", COP_ARM64, 2);
	check_set("arm64-blocks", COP_ARM64, 2);
	check_set("amd64-4level", COP_X86_64, 1);
	check_set("riscv64-sv39", COP_RISCV64, 1);
	/* The user's space was not recorded. */
	check_set("s390x", COP_S390X, 1);
}

/* Registers and the geometry they make: one frame of zeroes wherever the root is. */
static struct insp_machine machine_of(const char *regs, unsigned lg2, cop_pa root)
{
	struct insp_source s = {.path = input_path("f.bin"), .regs = input_path("r.txt"), .arch = -1};
	const size_t size = 8 + ((size_t)1 << lg2);
	unsigned char *record = calloc(1, size);
	struct insp_machine m;

	assert_non_null(record);
	root = COP_ALIGN_DOWN(root, COP_LG2(lg2));
	for (unsigned i = 0; i < 8; i++)
		record[i] = (unsigned char)(root >> (8 * i));
	input_write(s.path, record, size);
	input_write(s.regs, regs, strlen(regs));
	m = input_opened(&s);
	free(record);
	return m;
}

static void check_geom(const char *regs, unsigned lg2, cop_pa root, const char *format, struct cop_geom expected)
{
	struct insp_machine m = machine_of(regs, lg2, root);
	const struct cop_geom *g = &m.tree[0].geom;

	assert_int_equal(m.trees, 1);
	assert_string_equal(m.tree[0].format->name, format);
	assert_int_equal(m.tree[0].root, root);
	assert_int_equal(g->half, expected.half);
	assert_int_equal(g->levels, expected.levels);
	assert_int_equal(g->va_bits, expected.va_bits);
	assert_int_equal(g->pa_bits, expected.pa_bits);
	assert_int_equal(g->features, expected.features);
	insp_close(&m);
}

static void arm64_geometry(void **state)
{
	/* 16K, 47 bits, IPS 48: root of 2048 entries, EPD0. */
	check_geom("TTBR0_EL1=0x4000\nTTBR1_EL1=0x7800000080004001\nTCR_EL1=0x540110091\n", 14, 0x80004000, "arm64-16k",
		   (struct cop_geom){0, COP_HALF_HIGH, 14, 3, 47, 48, COP_F_CONT});
	/* 64K, 52 bits, IPS 52: BADDR bits 51:48 in TTBR 5:2; a root of 1024 entries. */
	check_geom("TTBR1_EL1=0x8000203c\nTCR_EL1=0x6c00c0000\n", 16, 0x000f000080002000, "arm64-64k",
		   (struct cop_geom){0, COP_HALF_HIGH, 16, 3, 52, 52, COP_F_CONT | COP_F_LPA});
	/* The same registers with 48 bits of physical address: those bits mean nothing. */
	check_geom("TTBR1_EL1=0x8000203c\nTCR_EL1=0x5c00c0000\n", 16, 0x80002000, "arm64-64k",
		   (struct cop_geom){0, COP_HALF_HIGH, 16, 3, 52, 48, COP_F_CONT});
	/* 4K, DS: 52 bits, 5 levels, a root of 16 entries; HA and HD. */
	check_geom("ttbr1 = 0x80000104\ntcr = 0x8000186800c0000\n", 12, 0x0001000080000100, "arm64-4k",
		   (struct cop_geom){0, COP_HALF_HIGH, 12, 5, 52, 52, COP_F_CONT | COP_F_LPA2 | COP_F_HAF | COP_F_HD});
	/* 39 bits in the lower half. */
	check_geom("TTBR0_EL1=0x1000080003000\nTCR_EL1=0x200800019\n", 12, 0x80003000, "arm64-4k",
		   (struct cop_geom){0, COP_HALF_LOW, 12, 3, 39, 40, COP_F_CONT});
}

static void other_geometry(void **state)
{
	const uint32_t x86 = COP_F_1G | COP_F_PGE | COP_F_NX;

	check_geom("cr3=0x12345fff\ncr4=0x200a0\nefer=0xd01\n", 12, 0x12345000, "x86-64",
		   (struct cop_geom){0, COP_HALF_BOTH, 12, 4, 48, 52, x86 | COP_F_PCID});
	check_geom("cr3=0x8000000012345000\ncr4=0x10a0\ncr0=0x80050033\n", 12, 0x12345000, "x86-64",
		   (struct cop_geom){0, COP_HALF_BOTH, 12, 5, 57, 52, x86});
	check_geom("cr3=0x1000\ncr4=0x20\nefer=0x500\n", 12, 0x1000, "x86-64",
		   (struct cop_geom){0, COP_HALF_BOTH, 12, 4, 48, 52, COP_F_1G});
	for (unsigned mode = 8; mode < 11; mode++) {
		char regs[64];

		(void)snprintf(regs, sizeof(regs), "satp=0x%x%04x%011x\n", mode, 7, 0x81234);
		check_geom(regs, 12, 0x81234000, "riscv64",
			   (struct cop_geom){0, COP_HALF_BOTH, 12, (uint8_t)(mode - 5), (uint8_t)(39 + 9 * (mode - 8)),
					     56, COP_F_SVNAPOT | COP_F_SVPBMT});
	}
	/* A segment table of 512 entries; EDAT without IEP. */
	check_geom("cr0=0x800000\ncr1=0x8000\ncr13=0x8000\ncr3=0\n", 14, 0x8000, "s390x",
		   (struct cop_geom){0, COP_HALF_LOW, 12, 2, 31, 53, COP_F_EDAT1 | COP_F_EDAT2});
}

static void s390x_designations(void **state)
{
	struct insp_machine m = machine_of("cr1=0x8000\ncr7=0x24\n", 14, 0x8000);

	assert_int_equal(m.trees, 1);
	assert_int_equal(m.tree[0].root_entries, 512);
	assert_non_null(strstr(m.found, "real-space"));
	insp_close(&m);
}

static void larger_tables_from_frames(void **state)
{
	const struct insp_source s = input_set("s390x", "frames.bin.xz", "regs.txt");
	struct insp_machine m = input_opened(&s);
	unsigned char *big = malloc(65536), *part = malloc(65536);

	assert_non_null(insp_frame(m.memory, m.tree[0].root, 16384, big));
	for (unsigned at = 0; at < 16384; at += 2048)
		assert_memory_equal(big + at, insp_frame(m.memory, m.tree[0].root + at, 2048, part), 2048);
	assert_null(insp_frame(m.memory, 0xffffffffffff0000, 65536, big));
	assert_null(insp_frame(m.memory, COP_LG2(50), 16384, big));
	free(big);
	free(part);
	insp_close(&m);
}

static void refuse_regs(const char *text, const char *part)
{
	struct insp_source s = input_set("amd64-4level", "frames.bin.xz", "regs.txt");

	s.regs = input_path("regs");
	input_write(s.regs, text, strlen(text));
	input_refused(&s, part);
}

static void damaged_registers(void **state)
{
	refuse_regs("", "no register that says");
	refuse_regs("cr2=0x1\n", "no register that says");
	refuse_regs("cr3 0x1000\n", "expected NAME=VALUE");
	refuse_regs("=0x1000\n", "no name");
	refuse_regs("cr3=0x1000 x\n", "expected 64 bits");
	refuse_regs("cr3=-1\n", "expected 64 bits");
	refuse_regs("cr3=0x12345678123456789\n", "expected 64 bits");
	refuse_regs("# one\ncr3=1\ncr3=2\n", ":3: cr3 for the second time");
	refuse_regs("cr3=0x5660000\ncr0=0x11\n", "paging is off");
	refuse_regs("cr3=0x5660000\ncr4=0\n", "expected PAE");
	refuse_regs("cr3=0x5660000\nefer=0\n", "expected LMA");
	refuse_regs("cr3=0x7000\ncr4=0x20\n", "the root at 0x7000");
	refuse_regs("cr4=0x20\n", "nothing says which architecture");
	refuse_regs("satp=0x1000\n", "translation is off");
	refuse_regs("satp=0xf000000000001000\n", "mode 15");
	refuse_regs("TTBR1_EL1=0x1000\n", "no TCR_EL1");
	refuse_regs("TCR_EL1=0x1000\n", "neither TTBR0_EL1");
	refuse_regs("TTBR1_EL1=0x1000\nTCR_EL1=0\n", "reserved TG1");
	refuse_regs("TTBR1_EL1=0x1000\nTCR_EL1=0x80000000\n", "T1SZ 0");
}

static void disagreement(void **state)
{
	struct insp_source s = input_set("amd64-4level", "frames.bin.xz", "regs.txt");

	s.arch = COP_ARM64;
	input_refused(&s, "registers of x86-64");
	s.regs = NULL;
	s.arch = COP_X86_64;
	s.root = 0x7000;
	s.has_root = true;
	input_refused(&s, "the root at 0x7000 (as told)");
	s.levels = 3;
	input_refused(&s, "no tree has");
}

/* The user knows better than any file. */
static void explicit_root(void **state)
{
	struct insp_source s = input_set("amd64-4level", "frames.bin.xz", "regs.txt");
	struct insp_machine m;

	s.regs = NULL;
	s.arch = COP_X86_64;
	s.root = 0x5660000;
	s.has_root = true;
	m = input_opened(&s);
	input_has_leaves(&m, "amd64-4level");
	insp_close(&m);
	s = input_set("arm64-blocks", "frames.bin.xz", "none");
	s.regs = NULL;
	s.arch = COP_ARM64;
	s.levels = 4;
	s.root = 0x4157b000;
	s.has_root = true;
	m = input_opened(&s);
	assert_int_equal(m.tree[0].geom.va_bits, 48);
	insp_close(&m);
}

static void refuse_frames(const void *data, size_t size, const char *part)
{
	struct insp_source s = input_set("amd64-4level", "frames.bin.xz", "regs.txt");

	s.path = input_path("frames");
	s.kind = "frames";
	input_write(s.path, data, size);
	input_refused(&s, part);
}

static void damaged_frames(void **state)
{
	struct input_frames f = input_frames_of("amd64-4level");
	unsigned char *xz = calloc(1, 4096);

	refuse_frames("", 0, "0 bytes; expected records");
	refuse_frames(f.data, f.count * 4104 - 1, "expected records");
	refuse_frames(f.data, 4103, "expected records");
	f.data[4104]++;
	refuse_frames(f.data, f.count * 4104, "record 1 (byte 4104)");
	memcpy(f.data + 4104, f.data, 8);
	refuse_frames(f.data, f.count * 4104, "two records of address");
	memcpy(xz,
	       "\xfd"
	       "7zXZ\0",
	       6);
	refuse_frames(xz, 4096, "damaged");
	refuse_frames(xz, 6, "cut off");
	free(xz);
	input_frames_free(&f);
}

static void nothing_there(void **state)
{
	const struct insp_source none = {.path = "/nonexistent/dump", .arch = -1}, folder = {.path = "/", .arch = -1};
	struct insp_source s = input_set("amd64-4level", "frames.bin.xz", "no-regs");

	input_refused(&none, "No such file");
	input_refused(&folder, "directory");
	input_refused(&s, "No such file");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(recorded_kernels),
		cmocka_unit_test(arm64_geometry),
		cmocka_unit_test(other_geometry),
		cmocka_unit_test(s390x_designations),
		cmocka_unit_test(larger_tables_from_frames),
		cmocka_unit_test(damaged_registers),
		cmocka_unit_test(disagreement),
		cmocka_unit_test(explicit_root),
		cmocka_unit_test(damaged_frames),
		cmocka_unit_test(nothing_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
