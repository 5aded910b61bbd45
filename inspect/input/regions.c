/* SPDX-License-Identifier: MIT */
/*
 * Names of the kernel's address space, as its page-table dump prints them. VMCOREINFO says where the parts are; what it leaves
 * out follows from the address width and, where the layout is randomised, from the tree itself.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "inspect/input/input.h"

#define REGIONS 24
#define MB      (1ULL << 20)
#define GB      (1ULL << 30)
#define TB      (1ULL << 40)

struct layout {
	struct input *in;
	struct insp_region region[REGIONS];
	size_t count;
};

/* [@start, @end); an @end of 0 is the top of the address space. */
static void add(struct layout *l, cop_va start, cop_va end, const char *name)
{
	if (l->count < REGIONS && start <= end - 1)
		l->region[l->count++] = (struct insp_region){start, end - 1, name};
}

/* A stretch that VMCOREINFO gives both ends of, or the two defaults. */
static cop_va add_info(struct layout *l, const char *from, const char *to, cop_va start, cop_va end, const char *name)
{
	uint64_t v, w;

	if (input_info(l->in, from, &v))
		start = v;
	if (input_info(l->in, to, &w))
		end = w;
	add(l, start, end, name);
	return start;
}

/* arch/arm64/mm/ptdump.c; arch/arm64/include/asm/memory.h with struct page of 64 bytes. */
static void arm64(struct layout *l, const struct insp_tree *t)
{
	uint64_t bits = t->geom.va_bits, v;
	cop_va offset, half, vmemmap, modules;

	if (input_info(l->in, "NUMBER(VA_BITS)", &v) && v >= 36 && v <= 52)
		bits = v;
	offset = -(1ULL << bits);
	/* Kernels of up to 52 bits keep the layout of the upper half on any CPU. */
	half = -(1ULL << ((bits > 48 ? 48 : bits) - 1));
	vmemmap = -(1ULL << (bits - (t->geom.page_lg2 - 6U)));
	add(l, 0, bits >= 48 ? 1ULL << 48 : 1ULL << bits, "User Space");
	add(l, offset, half, "Linear Mapping");
	modules = half + 128 * MB;
	if (input_info(l->in, "NUMBER(MODULES_END)", &v))
		modules = v;
	(void)add_info(l, "NUMBER(MODULES_VADDR)", "NUMBER(MODULES_END)", half, modules, "Modules");
	vmemmap = input_info(l->in, "NUMBER(VMEMMAP_START)", &v) ? v : vmemmap;
	(void)add_info(l, "NUMBER(VMALLOC_START)", "NUMBER(VMALLOC_END)", modules, vmemmap - 256 * MB,
		       "vmalloc() area");
	/* Between the two: FIXADDR_TOP is 32 MB below vmemmap, PCI I/O 16 MB of the 8 MB guard below it. */
	add(l, vmemmap - 256 * MB, vmemmap - 32 * MB, "Fixmap");
	add(l, vmemmap - 24 * MB, vmemmap - 8 * MB, "PCI I/O");
	(void)add_info(l, "NUMBER(VMEMMAP_START)", "NUMBER(VMEMMAP_END)", vmemmap,
		       vmemmap + ((half - offset) >> (t->geom.page_lg2 - 6U)), "vmemmap");
}

/* KASLR moves linear map, vmalloc and vmemmap by whole gigabytes: each begins where something is first mapped. */
static void x86_64_random(struct layout *l, const struct insp_tree *t, bool five, cop_va linear[3])
{
	struct insp_memory *m = l->in->machine->memory;
	const cop_va end = five ? 0xfffffc0000000000 : 0xfffffe0000000000;
	const uint64_t vmalloc = five ? 12800 * TB : 32 * TB;
	struct input_leaf leaf = input_next_leaf(m, t, linear[0]);

	/* The linear map has address 0 first; another leaf there says nothing. */
	if (leaf.lg2 == 0 || leaf.pa != 0 || leaf.va >= end || leaf.va % GB)
		return;
	linear[0] = leaf.va;
	/* Behind it come vmalloc and vmemmap, each at least a gigabyte away from what was before. */
	while (leaf.lg2 && leaf.va - linear[0] == leaf.pa && leaf.va < end)
		leaf = input_next_leaf(m, t, COP_ALIGN_DOWN(leaf.va, GB) + GB);
	if (leaf.lg2 == 0 || leaf.va >= end)
		return;
	linear[1] = COP_ALIGN_DOWN(leaf.va, GB);
	leaf = input_next_leaf(m, t, linear[1] + vmalloc);
	linear[2] = leaf.lg2 && leaf.va < end ? COP_ALIGN_DOWN(leaf.va, GB) : linear[1] + vmalloc + TB;
}

/* arch/x86/mm/dump_pagetables.c; Documentation/arch/x86/x86_64/mm.rst. */
static void x86_64(struct layout *l, const struct insp_tree *t)
{
	const bool five = t->geom.levels == 5;
	cop_va at[3] = {five ? 0xff11000000000000 : 0xffff888000000000, five ? 0xffa0000000000000 : 0xffffc90000000000,
			five ? 0xffd4000000000000 : 0xffffea0000000000};
	uint64_t image = 1 * GB, v;

	x86_64_random(l, t, five, at);
	if (l->in->machine->kernel.page_offset == 0) {
		l->in->machine->kernel.page_offset = at[0];
		l->in->machine->kernel.vmemmap = at[2];
	}
	if (input_info(l->in, "NUMBER(KERNEL_IMAGE_SIZE)", &v) && v >= 512 * MB && v <= GB)
		image = v;
	add(l, 0, 1ULL << (t->geom.va_bits - 1), "User Space");
	add(l, five ? 0xff00000000000000 : 0xffff800000000000, five ? 0xff10000000000000 : 0xffff880000000000,
	    "Kernel Space");
	add(l, five ? 0xff10000000000000 : 0xffff880000000000, five ? 0xff11000000000000 : 0xffff888000000000,
	    "LDT remap");
	add(l, at[0], at[1], "Low Kernel Mapping");
	add(l, at[1], at[2], "vmalloc() Area");
	add(l, at[2], 0xfffffe0000000000, "Vmemmap");
	add(l, 0xfffffe0000000000, 0xfffffe8000000000, "CPU entry Area");
	add(l, 0xffffffef00000000, 0xffffffff00000000, "EFI Runtime Services");
	add(l, 0xffffffff80000000, 0xffffffff80000000 + image, "High Kernel Mapping");
	add(l, 0xffffffff80000000 + image, 0xffffffffff000000, "Modules");
	/* How far down the fixmap reaches is a matter of configuration: this is a distribution's kernel. */
	add(l, 0xffffffffff000000, 0xffffffffff579000, "End Modules");
	add(l, 0xffffffffff579000, 0xffffffffffe00000, "Fixmap Area");
}

/* arch/riscv/mm/ptdump.c; Documentation/arch/riscv/vm-layout.rst. */
static void riscv64(struct layout *l, const struct insp_tree *t)
{
	const unsigned bits = t->geom.va_bits;
	cop_va offset = bits == 39 ? 0xffffffd600000000 : bits == 48 ? 0xffffaf8000000000 : 0xff60000000000000;
	cop_va vmalloc, vmemmap, top = 0xffffffff80000000;
	uint64_t v;

	if (input_info(l->in, "NUMBER(PAGE_OFFSET)", &v))
		offset = v;
	/* A quarter of a half for vmalloc; 64 bytes of struct page for each page of a half. */
	vmalloc = input_info(l->in, "NUMBER(VMALLOC_START)", &v) ? v : offset - (1ULL << (bits - 3));
	vmemmap = input_info(l->in, "NUMBER(VMEMMAP_START)", &v) ? v : vmalloc - (1ULL << (bits - 7));
	if (input_info(l->in, "NUMBER(KERNEL_LINK_ADDR)", &v))
		top = v;
	add(l, 0, 1ULL << (bits - 1), "User Space");
	add(l, vmemmap - 22 * MB, vmemmap - 16 * MB, "Fixmap");
	add(l, vmemmap - 16 * MB, vmemmap, "PCI I/O");
	add(l, vmemmap, vmalloc, "vmemmap");
	add(l, vmalloc, offset, "vmalloc() area");
	add(l, offset, bits == 39 ? 0xfffffff700000000 : 0xfffffffe00000000, "Linear mapping");
	(void)add_info(l, "NUMBER(MODULES_VADDR)", "NUMBER(MODULES_END)", top - 2 * GB, top, "Modules/BPF mapping");
	add(l, top, 0, "Kernel mapping");
}

/* arch/s390/boot/startup.c, setup_kernel_memory_layout(): modules at the top, vmalloc below, vmemmap below that. */
static void s390x(struct layout *l, const struct insp_tree *t)
{
	const struct insp_memory *m = l->in->machine->memory;
	const cop_va top = t->geom.va_bits >= 64 ? 0 : 1ULL << t->geom.va_bits;
	/* Between modules and vmalloc lie the absolute lowcore and a window for copies of real memory. */
	const cop_va modules = top - 2 * GB, vmalloc = top - 512 * GB - 4 * MB;
	const cop_pa memory = m->extent_count && m->ram ? m->extents[m->extent_count - 1].end : 0;
	struct input_leaf leaf;

	if (t->geom.levels < 4 && t->geom.va_bits < 42)
		return;
	leaf = input_next_leaf(l->in->machine->memory, t, memory ? COP_ALIGN_UP(memory, GB) : vmalloc / 2);
	add(l, 0, leaf.lg2 && leaf.va < vmalloc ? COP_ALIGN_DOWN(leaf.va, GB) : vmalloc, "Identity Mapping");
	if (leaf.lg2 && leaf.va < vmalloc)
		add(l, COP_ALIGN_DOWN(leaf.va, GB), vmalloc, "vmemmap Area");
	add(l, vmalloc, modules, "vmalloc Area");
	add(l, modules, top, "Modules Area");
}

static int by_start(const void *a, const void *b)
{
	const struct insp_region *x = a, *y = b;

	return (x->start > y->start) - (x->start < y->start);
}

/* Each ends where the next begins, so that values that contradict each other leave no overlap. */
static size_t cut(struct insp_region *r, size_t count)
{
	size_t n = 0;

	qsort(r, count, sizeof(*r), by_start);
	for (size_t i = 0; i < count; i++) {
		if (n && r[n - 1].start == r[i].start)
			continue;
		if (n && r[n - 1].last >= r[i].start)
			r[n - 1].last = r[i].start - 1;
		r[n++] = r[i];
	}
	return n;
}

int input_regions(struct input *in)
{
	static void (*const of[])(struct layout *, const struct insp_tree *) = {
		[COP_ARM64] = arm64,
		[COP_X86_64] = x86_64,
		[COP_RISCV64] = riscv64,
		[COP_S390X] = s390x,
	};
	struct layout l = {.in = in};
	struct insp_machine *m = in->machine;

	/* The kernel's tree is the one that has these names: the last of arm64's, the first of s390x's. */
	of[in->arch](&l, &m->tree[in->arch == COP_ARM64 ? m->trees - 1 : 0]);
	if (l.count == 0)
		return 0;
	m->regions = calloc(l.count, sizeof(*m->regions));
	if (!m->regions)
		return input_fail(in->error, ENOMEM, "%s: no memory for its regions", in->source->path);
	m->region_count = cut(l.region, l.count);
	for (size_t i = 0; i < m->region_count; i++)
		m->regions[i] = l.region[i];
	return 0;
}
