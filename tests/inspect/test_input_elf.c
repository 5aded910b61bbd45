/* SPDX-License-Identifier: MIT */
/* ELF cores of recorded kernels: the same leaves, whatever the notes are; and what is wrong with damaged ones. */
#include <sys/stat.h>
#include <unistd.h>

#include "tests/inspect/elf_writer.h"

/* What these kernels left in VMCOREINFO, as far as it matters. */
static const char arm64_info[] = "OSRELEASE=6.1.0-50-cloud-arm64\n"
				 "PAGESIZE=4096\n"
				 "SYMBOL(swapper_pg_dir)=ffffa8a3ba97b000\n"
				 "SYMBOL(_stext)=ffffa8a3b9610000\n"
				 "NUMBER(SECTION_SIZE_BITS)=27\n"
				 "NUMBER(VA_BITS)=48\n"
				 "NUMBER(MODULES_VADDR)=0xffff800000000000\n"
				 "NUMBER(MODULES_END)=0xffff800008000000\n"
				 "NUMBER(VMALLOC_START)=0xffff800008000000\n"
				 "NUMBER(VMALLOC_END)=0xfffffbfff0000000\n"
				 "NUMBER(VMEMMAP_START)=0xfffffc0000000000\n"
				 "NUMBER(VMEMMAP_END)=0xfffffe0000000000\n"
				 "NUMBER(kimage_voffset)=0xffffa8a379400000\n"
				 "NUMBER(TCR_EL1_T1SZ)=0x10\n"
				 "KERNELOFFSET=28a3b1600000\n";

static struct insp_machine open_image(struct elf_image *e)
{
	const struct insp_source s = {.path = input_path("core"), .arch = -1};

	input_write(s.path, e->data, e->size);
	free(e->data);
	return input_opened(&s);
}

static void check_x86(bool wide, size_t skew, bool extended)
{
	struct input_frames f = input_frames_of("amd64-4level");
	struct elf_image e = {.wide = wide, .machine = EM_X86_64};
	struct insp_machine m;

	/* CPU 0 is still in real mode. */
	elf_qemu_note(&e, 0x60000010, 0, 0);
	elf_qemu_note(&e, 0x80050033, 0x5660000, 0x750eb0);
	elf_build(&e, &f, skew, extended);
	m = open_image(&e);
	assert_string_equal(m.memory->kind, "ELF core");
	assert_true(m.memory->ram);
	assert_non_null(strstr(m.found, "QEMU note"));
	input_has_leaves(&m, "amd64-4level");
	insp_close(&m);
	input_frames_free(&f);
}

static void qemu_notes(void **state)
{
	check_x86(true, 0, false);
	check_x86(true, 3, false);
	check_x86(true, 0, true);
	check_x86(false, 1, false);
}

/* A dump with virtual addresses has memory more than once, in pieces that overlap: here the second frame of a larger piece. */
static void overlapping_segments(void **state)
{
	struct input_frames f = input_frames_of("amd64-4level");
	struct elf_image e = {.wide = true, .machine = EM_X86_64};
	const size_t last = f.count;
	struct insp_machine m;
	size_t k = 0;

	while (f.frame[k + 1].pa != f.frame[k].pa + 4096)
		assert_true(++k + 1 < f.count);
	f.frame = realloc(f.frame, (f.count + 2) * sizeof(*f.frame));
	assert_non_null(f.frame);
	f.frame[f.count++] = f.frame[k];
	f.frame[f.count++] = f.frame[k + 1];
	elf_qemu_note(&e, 0x80050033, 0x5660000, 0x750eb0);
	elf_build(&e, &f, 0, false);
	elf_phdr(&e, 1 + k + 1, PT_NULL, 0, 0, 0);
	elf_phdr(&e, 1 + last, PT_LOAD, e.size - 8192, f.frame[k].pa, 8192);
	elf_phdr(&e, 1 + last + 1, PT_NULL, 0, 0, 0);
	m = open_image(&e);
	input_has_leaves(&m, "amd64-4level");
	insp_close(&m);
	input_frames_free(&f);
}

static const struct insp_region *region(const struct insp_machine *m, cop_va va)
{
	for (size_t i = 0; i < m->region_count; i++)
		if (va >= m->regions[i].start && va <= m->regions[i].last)
			return &m->regions[i];
	return NULL;
}

static void check_region(const struct insp_machine *m, cop_va va, const char *name)
{
	assert_non_null(region(m, va));
	assert_string_equal(region(m, va)->name, name);
}

/* Where the kernel's own dump says that each part begins, though it was moved at boot. */
static void randomised_regions(void **state)
{
	struct insp_source s = input_set("amd64-4level", "frames.bin.xz", "regs.txt");
	struct insp_machine m = input_opened(&s);

	assert_int_equal(m.kernel.page_offset, 0xffff8cfa00000000);
	assert_int_equal(region(&m, 0xffff8cfa00000000)->start, 0xffff8cfa00000000);
	assert_int_equal(region(&m, 0xffffd3db00000000)->start, 0xffffd3db00000000);
	assert_int_equal(region(&m, 0xfffff8d780000000)->start, 0xfffff8d780000000);
	check_region(&m, 0xffff8cfa00000000, "Low Kernel Mapping");
	check_region(&m, 0xffffd3db00000000, "vmalloc() Area");
	check_region(&m, 0xfffff3daffc00000, "vmalloc() Area");
	check_region(&m, 0xfffff8d780000000, "Vmemmap");
	check_region(&m, 0xffffffffbb400000, "High Kernel Mapping");
	check_region(&m, 0xffffffffc00de000, "Modules");
	check_region(&m, 0xffffffffff5fc000, "Fixmap Area");
	insp_close(&m);
	s = input_set("riscv64-sv39", "frames.bin.xz", "regs.txt");
	m = input_opened(&s);
	check_region(&m, 0xffffffc4fec00000, "Fixmap");
	check_region(&m, 0xffffffc500000000, "vmemmap");
	check_region(&m, 0xffffffc600000000, "vmalloc() area");
	check_region(&m, 0xffffffd600000000, "Linear mapping");
	check_region(&m, 0xffffffff80000000, "Kernel mapping");
	insp_close(&m);
}

/* The kernel's half is what VMCOREINFO leads to. */
static void check_kernel_half(struct insp_machine *m, const char *set)
{
	struct dump_leaves expected = dump_expected(set, "leaves.txt.xz"), found;
	size_t first = 0;
	unsigned holes;

	found = input_leaves(m, &holes);
	assert_int_equal(holes, 0);
	dump_sort(&expected);
	while (first < expected.count && expected.leaf[first].va >> 63 == 0)
		first++;
	memmove(expected.leaf, expected.leaf + first, (expected.count - first) * sizeof(*expected.leaf));
	expected.count -= first;
	input_same(&found, &expected);
	dump_leaves_free(&found);
	dump_leaves_free(&expected);
}

static void arm64_by_vmcoreinfo(void **state)
{
	struct input_frames f = input_frames_of("arm64-default");
	struct elf_image e = {.wide = true, .machine = EM_AARCH64};
	struct insp_machine m;

	elf_note(&e, "CORE", NT_PRSTATUS, "0123456789", 10);
	elf_note(&e, "VMCOREINFO", 0, arm64_info, sizeof(arm64_info) - 1);
	elf_build(&e, &f, 0, false);
	m = open_image(&e);
	assert_int_equal(m.trees, 1);
	assert_int_equal(m.tree[0].root, 0x4157b000);
	assert_string_equal(m.kernel.release, "6.1.0-50-cloud-arm64");
	assert_int_equal(m.kernel.va_bits, 48);
	assert_int_equal(m.kernel.kaslr_offset, 0x28a3b1600000);
	check_kernel_half(&m, "arm64-default");
	check_region(&m, 0xffff000000000000, "Linear Mapping");
	check_region(&m, 0xffff800000000000, "Modules");
	check_region(&m, 0xffff800008000000, "vmalloc() area");
	check_region(&m, 0xfffffc0000000000, "vmemmap");
	insp_close(&m);
	input_frames_free(&f);
}

/* No note at all: the page of VMCOREINFO is found in memory. */
static void vmcoreinfo_in_memory(void **state)
{
	struct input_frames f = input_frames_of("arm64-default");
	static unsigned char page[4096];
	struct elf_image e = {.wide = true, .machine = EM_AARCH64};
	struct insp_machine m;

	memcpy(page, arm64_info, sizeof(arm64_info));
	f.frame = realloc(f.frame, (f.count + 1) * sizeof(*f.frame));
	assert_non_null(f.frame);
	f.frame[f.count++] = (struct input_frame){0x77777000, page};
	elf_build(&e, &f, 5, false);
	m = open_image(&e);
	assert_non_null(strstr(m.found, "VMCOREINFO: at physical address 0x77777000"));
	check_kernel_half(&m, "arm64-default");
	insp_close(&m);
	input_frames_free(&f);
}

/* Big-endian, and both notes of a CPU. */
static void s390x_control_registers(void **state)
{
	struct input_frames f = input_frames_of("s390x");
	struct elf_image e = {.wide = true, .big = true, .machine = EM_S390};
	unsigned char registers[128] = {0};
	struct insp_machine m;

	elf_put(&e, registers + 8, 0x1290007, 8);
	elf_put(&e, registers + 56, 0x26b41c7, 8);
	elf_put(&e, registers + 104, 0x1290007, 8);
	elf_note(&e, "CORE", NT_PRSTATUS, "0123456789", 10);
	elf_note(&e, "LINUX", NT_S390_CTRS, registers, sizeof(registers));
	/* EDAT and IEP on. */
	elf_put(&e, e.notes + e.notes_size - 128, 0x900000, 8);
	elf_build(&e, &f, 0, false);
	m = open_image(&e);
	input_has_leaves(&m, "s390x");
	insp_close(&m);
	input_frames_free(&f);
}

static void riscv64_by_registers(void **state)
{
	struct input_frames f = input_frames_of("riscv64-sv39");
	struct elf_image e = {.wide = true, .machine = EM_RISCV};
	struct insp_source s = input_set("riscv64-sv39", "x", "regs.txt");
	struct insp_machine m;

	elf_build(&e, &f, 0, false);
	s.path = input_path("core");
	input_write(s.path, e.data, e.size);
	m = input_opened(&s);
	input_has_leaves(&m, "riscv64-sv39");
	insp_close(&m);
	s.arch = COP_S390X;
	input_refused(&s, "told s390x, but e_machine says riscv64");
	s.arch = -1;
	s.regs = NULL;
	input_refused(&s, "expected --regs");
	free(e.data);
	input_frames_free(&f);
}

/* The lowest frame at the base; what lies between is zero. */
static void raw_image(void **state)
{
	struct input_frames f = input_frames_of("riscv64-sv39");
	const cop_pa base = f.frame[0].pa;
	struct insp_source s = input_set("riscv64-sv39", "x", "regs.txt");
	struct insp_machine m;
	FILE *image;

	s.path = input_path("raw");
	image = fopen(s.path, "wb");
	assert_non_null(image);
	for (size_t i = 0; i < f.count; i++) {
		assert_int_equal(fseek(image, (long)(f.frame[i].pa - base), SEEK_SET), 0);
		assert_int_equal(fwrite(f.frame[i].bytes, 1, 4096, image), 4096);
	}
	assert_int_equal(fclose(image), 0);
	s.base = base;
	m = input_opened(&s);
	assert_string_equal(m.memory->kind, "raw image");
	input_has_leaves(&m, "riscv64-sv39");
	insp_close(&m);
	s.base = base + 1;
	input_refused(&s, "expected a page boundary");
	s.base = UINT64_MAX - 4095;
	input_refused(&s, "an end below 2^56");
	s.base = 0;
	input_refused(&s, "is not in the input");
	s.kind = "tape";
	input_refused(&s, "kind 'tape'; expected elf");
	input_frames_free(&f);
}

struct damage {
	size_t at, bytes;
	uint64_t value;
	const char *said;
};

static void damaged(void **state)
{
	static const struct damage all[] = {
		{4, 1, 3, "ELF class 3"},
		{5, 1, 9, "ELF byte order 9"},
		{16, 2, 2, "ELF type 2; expected 4"},
		{18, 2, 40, "e_machine is 40"},
		{32, 8, UINT64_MAX, "program headers at 0xffffffffffffffff"},
		{32, 8, 1ULL << 40, "past the end"},
		{54, 2, 0, "program headers of 0 bytes"},
		{56, 2, 0, "none of 0 program headers"},
		{56, 2, 60000, "60000 program headers at"},
		{56, 2, PN_XNUM, "section 0 at"},
		{128 + 56 + 8, 8, UINT64_MAX, "segment 1 is"},
		{128 + 56 + 24, 8, UINT64_MAX - 4095, "below 2^56"},
		{128 + 56 + 32, 8, UINT64_MAX, "segment 1 is"},
		{128 + 8, 8, UINT64_MAX, "expected --regs"},
		{128 + 32, 8, UINT64_MAX, "expected --regs"},
	};
	struct input_frames f = input_frames_of("amd64-4level");
	struct insp_source s = {.arch = -1};
	struct elf_image e = {.wide = true, .machine = EM_X86_64};

	elf_qemu_note(&e, 0x80050033, 0x5660000, 0x750eb0);
	elf_build(&e, &f, 0, false);
	elf_put(&e, e.data + 40, UINT64_MAX - 10, 8);
	s.path = input_path("core");
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		unsigned char kept[8];

		memcpy(kept, e.data + all[i].at, 8);
		elf_put(&e, e.data + all[i].at, all[i].value, (unsigned)all[i].bytes);
		input_write(s.path, e.data, e.size);
		if (all[i].said)
			input_refused(&s, all[i].said);
		memcpy(e.data + all[i].at, kept, 8);
	}
	for (size_t size = 4; size < e.size; size += size < 512 ? 12 : 4000) {
		input_write(s.path, e.data, size);
		input_refused(&s, size < 64 ? "bytes of ELF header" : "past the end");
	}
	free(e.data);
	input_frames_free(&f);
}

/* The running kernel's own, where this user may read it. */
static void running_kernel(void **state)
{
	const struct insp_source s = {.path = "/proc/kcore", .arch = -1};
	struct insp_machine m;
	struct insp_error error;
	unsigned char first;
	FILE *kcore = fopen("/proc/kcore", "rb");

	if (!kcore || fread(&first, 1, 1, kcore) != 1) {
		if (kcore)
			(void)fclose(kcore);
		skip();
	}
	(void)fclose(kcore);
	if (insp_open(&s, &m, &error) == 0) {
		assert_true(m.trees > 0);
		insp_close(&m);
	}
	assert_null(strchr(error.text, '\n'));
}

/* What /proc/kcore looks like: read by descriptor, vmalloc segments without a physical address. */
static void like_kcore(void **state)
{
	struct input_frames f = input_frames_of("amd64-4level");
	struct insp_source s = {.kind = "kcore", .arch = -1};
	struct elf_image e = {.wide = true, .machine = EM_X86_64};
	struct insp_machine m;

	elf_qemu_note(&e, 0x80050033, 0x5660000, 0x750eb0);
	f.frame = realloc(f.frame, (f.count + 1) * sizeof(*f.frame));
	assert_non_null(f.frame);
	f.frame[f.count] = f.frame[0];
	f.frame[f.count++].pa = UINT64_MAX;
	elf_build(&e, &f, 0, false);
	s.path = input_path("kcore");
	input_write(s.path, e.data, e.size);
	m = input_opened(&s);
	assert_string_equal(m.memory->kind, "/proc/kcore");
	input_has_leaves(&m, "amd64-4level");
	insp_close(&m);
	/* A segment that is not there after all is a hole. */
	assert_int_equal(truncate(s.path, (off_t)(e.size - 4096 * 10)), 0);
	m = input_opened(&s);
	insp_close(&m);
	free(e.data);
	input_frames_free(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(qemu_notes),
		cmocka_unit_test(overlapping_segments),
		cmocka_unit_test(randomised_regions),
		cmocka_unit_test(arm64_by_vmcoreinfo),
		cmocka_unit_test(vmcoreinfo_in_memory),
		cmocka_unit_test(s390x_control_registers),
		cmocka_unit_test(riscv64_by_registers),
		cmocka_unit_test(raw_image),
		cmocka_unit_test(damaged),
		cmocka_unit_test(running_kernel),
		cmocka_unit_test(like_kcore),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
