// SPDX-License-Identifier: MIT
/* The readers against the bundled maps (what the real machines said) and against input that must be refused. */
// clang-format off: cmocka.h needs these before it
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on
#include <libfdt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/maps/map.h"

#define MB ((uint64_t)1 << 20)
#define GB ((uint64_t)1 << 30)

static struct memory_map load(const char *name)
{
	char path[4096];
	struct map_read read;

	snprintf(path, sizeof(path), "%s/%s", COP_TEST_MAPS, name);
	read = map_load(path);
	assert_string_equal(read.error, "");
	return read.map;
}

static void expect(const struct map_range *r, uint64_t start, uint64_t last, enum map_kind kind, int node,
		   const char *name)
{
	assert_int_equal(r->start, start);
	assert_int_equal(r->last, last);
	assert_int_equal(r->kind, kind);
	assert_int_equal(r->node, node);
	assert_string_equal(r->name, name);
}

static void iomem_nested(void **state)
{
	struct memory_map map = load("arm64.iomem");
	const struct map_range *r = map.ranges;

	/* 7 devices below the memory (children of devices add nothing), 2 above. */
	assert_int_equal(map.format, MAP_IOMEM);
	expect(&r[0], 0x8000000, 0x800ffff, MAP_DEVICE, -1, "GICD");
	expect(&r[7], 0x40000000, 0x4020ffff, MAP_RAM, -1, "System RAM");
	expect(&r[8], 0x40210000, 0x4157ffff, MAP_RAM_RESERVED, -1, "Kernel code");
	expect(&r[9], 0x41580000, 0x419fffff, MAP_RAM_RESERVED, -1, "reserved");
	expect(&r[10], 0x41a00000, 0x41c9ffff, MAP_RAM_RESERVED, -1, "Kernel data");
	expect(&r[11], 0x41ca0000, 0x41ffffff, MAP_RAM, -1, "System RAM");
	assert_int_equal(map_bytes(&map, MAP_RAM) + map_bytes(&map, MAP_RAM_RESERVED), 64 * MB);
	map_free(&map);
}

static void iomem_grandchildren(void **state)
{
	struct memory_map map = load("riscv64.iomem");

	/* "Kernel image" counts once, whatever is nested in it. */
	assert_int_equal(map_bytes(&map, MAP_RAM) + map_bytes(&map, MAP_RAM_RESERVED), 96 * MB);
	expect(&map.ranges[7], 0x80202000, 0x8206a337, MAP_RAM_RESERVED, -1, "Kernel image");
	map_free(&map);
}

static void iomem_every_map(void **state)
{
	static const struct {
		const char *name;
		uint64_t memory, in_use;
	} maps[] = {
		{"amd64.iomem", 0x9ec00 + 0x5ee0000, 0xe01ef2 + 0x823000 + 0x245d40 + 0x554000},
		{"amd64-hotplugged.iomem", 0x9ec00 + 0xfee0000 + 256 * MB, 0xe01ef2 + 0x823000 + 0x245d40 + 0x554000},
		{"cloud-24g.iomem", 0x9ec00 + 0xbff00000 + 21 * GB, 0x120bb08 + 0xa0a000 + 0x27c140 + 0x124000},
		{"s390x.iomem", 96 * MB, 0x9e1000 + 0x428000 + 0xad000},
	};

	for (size_t i = 0; i < sizeof(maps) / sizeof(*maps); i++) {
		struct memory_map map = load(maps[i].name);

		assert_int_equal(map_bytes(&map, MAP_RAM_RESERVED), maps[i].in_use);
		assert_int_equal(map_bytes(&map, MAP_RAM) + maps[i].in_use, maps[i].memory);
		map_free(&map);
	}
}

static void iomem_memory_below_a_window(void **state)
{
	static const char text[] = "100000000-1ffffffff : CXL Window 0\n"
				   "  100000000-17fffffff : region0\n"
				   "    100000000-17fffffff : System RAM (kmem)\n"
				   "      100000000-1000fffff : reserved\n";
	struct map_read read = map_parse("t", text, strlen(text));

	assert_string_equal(read.error, "");
	assert_int_equal(read.map.count, 3);
	expect(&read.map.ranges[0], 0x100000000, 0x1000fffff, MAP_RAM_RESERVED, -1, "reserved");
	expect(&read.map.ranges[1], 0x100100000, 0x17fffffff, MAP_RAM, -1, "System RAM (kmem)");
	expect(&read.map.ranges[2], 0x180000000, 0x1ffffffff, MAP_DEVICE, -1, "CXL Window 0");
	map_free(&read.map);
}

static void fdt_both_nodes(void **state)
{
	struct memory_map arm = load("arm64-virt-2numa-64g.dtb"), riscv = load("riscv64-virt-2numa-16g.dtb");

	assert_int_equal(arm.format, MAP_FDT);
	assert_int_equal(arm.count, 2);
	expect(&arm.ranges[0], 0x40000000, 0x83fffffff, MAP_RAM, 0, "memory@40000000");
	expect(&arm.ranges[1], 0x840000000, 0x103fffffff, MAP_RAM, 1, "memory@840000000");
	assert_int_equal(riscv.count, 2);
	expect(&riscv.ranges[0], 0x80000000, 0x27fffffff, MAP_RAM, 0, "memory@80000000");
	expect(&riscv.ranges[1], 0x280000000, 0x47fffffff, MAP_RAM, 1, "memory@280000000");
	map_free(&arm);
	map_free(&riscv);
}

/* A tree with one memory node of two ranges, reservations of both kinds, and the given cell counts. */
static void build_fdt(void *blob, int size, uint32_t address_cells, uint32_t size_cells, const uint32_t *reg, int cells)
{
	assert_int_equal(fdt_create(blob, size), 0);
	assert_int_equal(fdt_add_reservemap_entry(blob, 0x81000000, 0x1000), 0);
	assert_int_equal(fdt_finish_reservemap(blob), 0);
	fdt_begin_node(blob, "");
	fdt_property_u32(blob, "#address-cells", address_cells);
	fdt_property_u32(blob, "#size-cells", size_cells);
	fdt_begin_node(blob, "memory@80000000");
	fdt_property_string(blob, "device_type", "memory");
	fdt_property(blob, "reg", reg, cells * 4);
	fdt_end_node(blob);
	fdt_begin_node(blob, "reserved-memory");
	fdt_property_u32(blob, "#address-cells", 1);
	fdt_property_u32(blob, "#size-cells", 1);
	fdt_begin_node(blob, "firmware@80000000");
	{
		const uint32_t fw[2] = {cpu_to_fdt32(0x80000000), cpu_to_fdt32(0x200000)};

		fdt_property(blob, "reg", fw, sizeof(fw));
	}
	fdt_end_node(blob);
	fdt_end_node(blob);
	fdt_end_node(blob);
	assert_int_equal(fdt_finish(blob), 0);
}

static void fdt_cells_and_reservations(void **state)
{
	_Alignas(8) char blob[2048];
	const uint32_t reg[4] = {cpu_to_fdt32(0x80000000), cpu_to_fdt32(0x8000000), cpu_to_fdt32(0xa0000000),
				 cpu_to_fdt32(0x8000000)};
	struct map_read read;

	build_fdt(blob, sizeof(blob), 1, 1, reg, 4);
	read = map_parse("t", blob, fdt_totalsize(blob));
	assert_string_equal(read.error, "");
	assert_int_equal(read.map.count, 5);
	expect(&read.map.ranges[0], 0x80000000, 0x801fffff, MAP_RAM_RESERVED, -1, "firmware@80000000");
	expect(&read.map.ranges[1], 0x80200000, 0x80ffffff, MAP_RAM, -1, "memory@80000000");
	expect(&read.map.ranges[2], 0x81000000, 0x81000fff, MAP_RAM_RESERVED, -1, "/memreserve/");
	expect(&read.map.ranges[3], 0x81001000, 0x87ffffff, MAP_RAM, -1, "memory@80000000");
	expect(&read.map.ranges[4], 0xa0000000, 0xa7ffffff, MAP_RAM, -1, "memory@80000000");
	map_free(&read.map);
}

static void refused(const void *data, size_t bytes, const char *part)
{
	struct map_read read = map_parse("t", data, bytes);

	if (!strstr(read.error, part))
		fail_msg("expected \"%s\" in \"%s\"", part, read.error);
	assert_null(strchr(read.error, '\n'));
	assert_null(read.map.ranges);
}

static void fdt_refused(void **state)
{
	_Alignas(8) char blob[2048];
	const uint32_t overlap[4] = {cpu_to_fdt32(0x80000000), cpu_to_fdt32(0x8000000), cpu_to_fdt32(0x87fff000),
				     cpu_to_fdt32(0x1000)};
	const uint32_t wrap[4] = {~0U, ~0U, 0, cpu_to_fdt32(0x1000)};

	build_fdt(blob, sizeof(blob), 1, 1, overlap, 4);
	refused(blob, fdt_totalsize(blob), "t: /memory@80000000: 0x87fff000 of 0x1000 bytes overlaps");
	refused(blob, fdt_totalsize(blob) - 1, "broken device tree");
	fdt_set_version(blob, 16);
	refused(blob, fdt_totalsize(blob), "broken device tree (FDT_ERR_BADVERSION)");
	build_fdt(blob, sizeof(blob), 1, 1, overlap, 3);
	refused(blob, fdt_totalsize(blob), "/memory@80000000: \"reg\" is cut short");
	build_fdt(blob, sizeof(blob), 2, 2, wrap, 4);
	refused(blob, fdt_totalsize(blob), "/memory@80000000: 0xffffffffffffffff of 0x1000 bytes wraps around");
	build_fdt(blob, sizeof(blob), 3, 1, wrap, 4);
	refused(blob, fdt_totalsize(blob), "t: /: #address-cells or #size-cells; expected one cell, 1 or 2");
	build_fdt(blob, sizeof(blob), 2, 2, wrap, 0);
	refused(blob, fdt_totalsize(blob), "no memory");
}

/* What libfdt 1.6 loops on for ever: a property so long that the next tag comes before it. */
static void fdt_length_wraps(void **state)
{
	_Alignas(8) char blob[2048];
	const uint32_t reg[2] = {cpu_to_fdt32(0x80000000), cpu_to_fdt32(0x8000000)};
	struct fdt_property *property;

	build_fdt(blob, sizeof(blob), 1, 1, reg, 2);
	property = fdt_get_property_w(blob, fdt_path_offset(blob, "/memory@80000000"), "reg", NULL);
	assert_non_null(property);
	property->len = cpu_to_fdt32((uint32_t)-16);
	refused(blob, fdt_totalsize(blob), "broken device tree (FDT_ERR_BADSTRUCTURE)");
}

/* Cut anywhere and with any one byte changed: refused or sound, never read outside (ASan watches). */
static void fdt_truncated_and_flipped(void **state)
{
	char path[4096];
	FILE *file;
	char *blob = malloc(8192);
	size_t bytes;

	snprintf(path, sizeof(path), "%s/%s", COP_TEST_MAPS, "riscv64-virt-2numa-16g.dtb");
	file = fopen(path, "rb");
	assert_non_null(file);
	bytes = fread(blob, 1, 8192, file);
	fclose(file);
	for (size_t n = 0; n < bytes; n++)
		assert_true(map_parse_fdt("t", blob, n).error[0]);
	for (size_t n = 0; n < bytes; n++) {
		struct map_read read;

		blob[n] = (char)~blob[n];
		read = map_parse_fdt("t", blob, bytes);
		map_free(&read.map);
		blob[n] = (char)~blob[n];
	}
	free(blob);
}

static void klog_e820(void **state)
{
	struct memory_map map = load("amd64-cloud-24g.e820.log");

	assert_int_equal(map.format, MAP_KLOG);
	assert_int_equal(map.count, 6);
	expect(&map.ranges[0], 0, 0xfff, MAP_RESERVED, -1, "reserved");
	expect(&map.ranges[1], 0x1000, 0x9fbff, MAP_RAM, -1, "usable");
	expect(&map.ranges[2], 0x9fc00, 0xfffff, MAP_RESERVED, -1, "reserved");
	expect(&map.ranges[3], 0x100000, 0xbfffffff, MAP_RAM, -1, "usable");
	expect(&map.ranges[5], 0x100000000, 0x63fffffff, MAP_RAM, -1, "usable");
	map_free(&map);
}

static void klog_remove_and_prefixes(void **state)
{
	static const char text[] =
		"Jan  1 00:00:00 host kernel: [    0.000000] Linux version 6.1\n"
		"Jan  1 00:00:00 host kernel: [    0.000000] BIOS-e820: [mem 0x0000-0x9ffff] usable\n"
		"<6>BIOS-e820: [mem 0x00100000-0x3fffffff] ACPI NVS\r\n"
		"BIOS-e820: [mem 0x40000000-0x7fffffff] usable\n"
		"e820: remove [mem 0x00080000-0x000fffff] usable\n"
		"e820: remove [mem 0x50000000-0x5fffffff] usable\n"
		"efi: mem00: [Conventional Memory|..] range=[0x0-0xffff] (0MB)\n";
	struct map_read read = map_parse("t", text, strlen(text));

	assert_string_equal(read.error, "");
	assert_int_equal(read.map.count, 4);
	expect(&read.map.ranges[0], 0, 0x7ffff, MAP_RAM, -1, "usable");
	expect(&read.map.ranges[1], 0x100000, 0x3fffffff, MAP_RESERVED, -1, "ACPI NVS");
	expect(&read.map.ranges[2], 0x40000000, 0x4fffffff, MAP_RAM, -1, "usable");
	expect(&read.map.ranges[3], 0x60000000, 0x7fffffff, MAP_RAM, -1, "usable");
	map_free(&read.map);
}

static void klog_efi(void **state)
{
	static const char x86[] = "[    0.000000] efi: EFI v2.70 by EDK II\n"
				  "[    0.000000] efi: SMBIOS=0x7f9ac000 ACPI=0x7fb7e000 MEMATTR=0x7e8f5018\n"
				  "[    0.000000] efi: mem00: [Conventional Memory|   |  |  |  |   |WB|WT|WC|UC] "
				  "range=[0x0000000000000000-0x000000000009ffff] (0MB)\n"
				  "[    0.000000] efi: mem01: [Runtime Data       |RUN|  |  |  |   |WB|WT|WC|UC] "
				  "range=[0x0000000000100000-0x00000000001fffff] (1MB)\n";
	static const char arm[] = "efi: Processing EFI memory map:\n"
				  "efi:   0x000040000000-0x00007e8ebfff [Conventional Memory|   |  |  |WB|WT|WC|UC]\n"
				  "efi:   0x00007e8ec000-0x00007fffffff [Boot Data          |   |  |  |WB|WT|WC|UC]*\n";
	struct map_read read = map_parse("t", x86, strlen(x86));

	assert_string_equal(read.error, "");
	assert_int_equal(read.map.count, 2);
	expect(&read.map.ranges[0], 0, 0x9ffff, MAP_RAM, -1, "Conventional Memory");
	expect(&read.map.ranges[1], 0x100000, 0x1fffff, MAP_RESERVED, -1, "Runtime Data");
	map_free(&read.map);
	read = map_parse("t", arm, strlen(arm));
	assert_string_equal(read.error, "");
	assert_int_equal(read.map.count, 2);
	expect(&read.map.ranges[1], 0x7e8ec000, 0x7fffffff, MAP_RAM, -1, "Boot Data");
	map_free(&read.map);
}

static void text_refused(void **state)
{
	static const struct {
		const char *text, *part;
	} cases[] = {
		{"", "t: empty; expected"},
		{"\n\n", "t: empty; expected"},
		{"hello\n", "t:1: not a range; expected \"start-last : name\""},
		{"0-fff : System RAM", NULL},
		{"00000000-00000000 : System RAM\n  00000000-00000000 : Kernel code\n", "every address is 0"},
		{"0-fff : Reserved\n", "no memory"},
		{"2000-1fff : System RAM\n", "t:1: 2000-1fff ends before it starts"},
		{"0-1fff : System RAM\n1000-2fff : System RAM\n", "t:2: 1000-2fff overlaps the line before it"},
		{"2000-2fff : System RAM\n0-fff : System RAM\n",
		 "t:2: 0-fff starts below the line before it; expected ascending"},
		{"0-fff : System RAM\n  0-1fff : Kernel code\n", "t:2: 0-1fff reaches out of"},
		{"0-fff : System RAM\n    0-f : x\n", "t:2: indented without a parent"},
		{"  0-fff : System RAM\n", "t:1: indented without a parent"},
		{" 0-fff : System RAM\n", "t:1: indented by an odd number"},
		{"0-1ffffffffffffffff : System RAM\n", "t:1: address of more than 64 bits"},
		{"[    0.0] Linux version 6.1\n", "a kernel log without a memory map"},
		{"BIOS-e820: [mem 0x0-0xfff] reserved\n", "no memory"},
		{"BIOS-e820: [mem 0x0-0xfff] usable\nBIOS-e820: [mem 0x800-0x1fff] usable\n", "t:2: 800-1fff overlaps"},
		{"BIOS-e820: [mem 0x2000-0xfff] usable\n", "t:1: 2000-fff ends before"},
		{"BIOS-e820: [mem zzz] usable\n", "t:1: not a range; expected [mem 0xstart-0xlast]"},
		{"BIOS-e820: [mem 0x0-0x10000000000000000] usable\n", "t:1: address of more than 64 bits"},
		{"BIOS-e820: [mem 0x0-0xfff] usable\ne820: update [mem 0x0-0xf] usable\n",
		 "t:2: 0-f is changed to nothing"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		if (cases[i].part)
			refused(cases[i].text, strlen(cases[i].text), cases[i].part);
}

static void names_are_made_safe(void **state)
{
	static const char text[] =
		"0-fff : System RAM\033[31m and a name that is far longer than any that a kernel prints\n";
	struct map_read read = map_parse("t", text, strlen(text));

	assert_string_equal(read.error, "");
	assert_string_equal(read.map.ranges[0].name, "System RAM?[31m and a name that is far longer t");
	map_free(&read.map);
}

static void missing_file(void **state)
{
	struct map_read read = map_load("no/such/file");

	assert_string_equal(read.error, "no/such/file: No such file or directory; expected a file, \"-\", or one of "
					"`coppice maps`");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(iomem_nested),
		cmocka_unit_test(iomem_grandchildren),
		cmocka_unit_test(iomem_every_map),
		cmocka_unit_test(iomem_memory_below_a_window),
		cmocka_unit_test(fdt_both_nodes),
		cmocka_unit_test(fdt_cells_and_reservations),
		cmocka_unit_test(fdt_refused),
		cmocka_unit_test(fdt_length_wraps),
		cmocka_unit_test(fdt_truncated_and_flipped),
		cmocka_unit_test(klog_e820),
		cmocka_unit_test(klog_remove_and_prefixes),
		cmocka_unit_test(klog_efi),
		cmocka_unit_test(text_refused),
		cmocka_unit_test(names_are_made_safe),
		cmocka_unit_test(missing_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
