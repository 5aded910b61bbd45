// SPDX-License-Identifier: MIT
#include <inttypes.h>
#include <string.h>

#include "inspect/views/style.h"

/* ---- the kernel's: "0x%016lx-0x%016lx   %9lu%c " ---- */

/* Whole units, the largest that divides; @least is the unit counted from. */
static void print_span(FILE *to, const struct insp_range *r, unsigned least_lg2, const char *units)
{
	uint64_t n = (r->end - r->start) >> least_lg2;

	while (!(n & 1023) && units[1]) {
		n >>= 10;
		units++;
	}
	fprintf(to, "0x%016" PRIx64 "-0x%016" PRIx64 "   %9" PRIu64 "%c ", r->start, r->end, n, *units);
}

#define X86_FLAGS 0xfff0000000000fffULL

/* What the leaf says and what is left of it below its tables are compared each for itself (arch/x86/mm/dump_pagetables.c). */
static uint64_t x86_ptdump_key(const struct insp_run *run, uint32_t attrs)
{
	return (run->entry & X86_FLAGS) | (uint64_t)(attrs & (COP_WRITE | COP_EXEC | COP_USER)) << 12;
}

static void x86_ptdump_line(FILE *to, const struct insp_tree *tree, const struct insp_range *r)
{
	static const char *const names[] = {"pte", "pmd", "pud", "p4d", "pgd"};
	const char *name = r->level + 1 == tree->geom.levels ? "pgd" : names[r->level];
	const uint64_t e = r->entry;

	print_span(to, r, 0, "BKMGTPE");
	if (!(e & 1))
		fprintf(to, "%30s", "");
	else
		fprintf(to, "%s%s%s%s%s%s%s%s", e & 4 ? "USR " : "    ", e & 2 ? "RW " : "ro ", e & 8 ? "PWT " : "    ",
			e & 16 ? "PCD " : "    ", r->level && (e & 128) ? "PSE " : "    ",
			(r->level ? e >> 12 : e >> 7) & 1 ? "PAT " : "    ", e & 256 ? "GLB " : "    ",
			e >> 63 ? "NX " : "x  ");
	fprintf(to, "%s\n", name);
}

/* Bits as arch/arm64/mm/ptdump.c names them; a type of memory is a value of a field. */
static const struct {
	uint64_t mask, value;
	const char *set, *clear;
} arm64_bits[] = {
	{1, 1, " ", "F"},
	{1 << 6, 1 << 6, "USR", "   "},
	{1 << 7, 1 << 7, "ro", "RW"},
	{1ULL << 53, 1ULL << 53, "NX", "x "},
	{3 << 8, 3 << 8, "SHD", "   "},
	{1 << 10, 1 << 10, "AF", "  "},
	{1 << 11, 1 << 11, "NG", "  "},
	{1ULL << 52, 1ULL << 52, "CON", "   "},
	{1 << 1, 1 << 1, "   ", "BLK"},
	{1ULL << 54, 1ULL << 54, "UXN", "   "},
	{1ULL << 50, 1ULL << 50, "GP", "  "},
	{7 << 2, 3 << 2, "DEVICE/nGnRnE", NULL},
	{7 << 2, 4 << 2, "DEVICE/nGnRE", NULL},
	{7 << 2, 2 << 2, "MEM/NORMAL-NC", NULL},
	{7 << 2, 0, "MEM/NORMAL", NULL},
	{7 << 2, 1 << 2, "MEM/NORMAL-TAGGED", NULL},
};
#define ARM64_BITS (sizeof(arm64_bits) / sizeof(*arm64_bits))

static uint64_t arm64_ptdump_key(const struct insp_run *run, uint32_t attrs)
{
	uint64_t mask = 0;

	(void)attrs;
	for (size_t i = 0; i < ARM64_BITS; i++)
		mask |= arm64_bits[i].mask;
	return run->entry & mask;
}

static void arm64_ptdump_line(FILE *to, const struct insp_tree *tree, const struct insp_range *r)
{
	print_span(to, r, 10, "KMGTPE");
	fputs(tree->format->level_name(&tree->geom, r->level), to);
	for (size_t i = 0; i < ARM64_BITS && !r->hole; i++) {
		const bool set = (r->entry & arm64_bits[i].mask) == arm64_bits[i].value;
		const char *text = set ? arm64_bits[i].set : arm64_bits[i].clear;

		if (text)
			fprintf(to, " %s", text);
	}
	fputc('\n', to);
}

/* ---- QEMU's monitor ---- */

static uint64_t x86_mem_key(const struct insp_run *run, uint32_t attrs)
{
	(void)run;
	return attrs & (COP_WRITE | COP_USER);
}

static void x86_mem_line(FILE *to, const struct insp_tree *tree, const struct insp_range *r)
{
	(void)tree;
	fprintf(to, "%016" PRIx64 "-%016" PRIx64 " %016" PRIx64 " %cr%c\n", r->start, r->end, r->end - r->start,
		r->attrs & COP_USER ? 'u' : '-', r->attrs & COP_WRITE ? 'w' : '-');
}

static uint64_t x86_tlb_key(const struct insp_run *run, uint32_t attrs)
{
	(void)attrs;
	return run->entry & X86_FLAGS;
}

/* Bit 7 is shown as the size whatever the level. */
static void x86_tlb_line(FILE *to, const struct insp_tree *tree, const struct insp_range *r)
{
	static const struct {
		unsigned bit;
		char set;
	} bits[] = {{63, 'X'}, {8, 'G'}, {7, 'P'}, {6, 'D'}, {5, 'A'}, {4, 'C'}, {3, 'T'}, {2, 'U'}, {1, 'W'}};
	char flags[10] = {0};

	(void)tree;
	for (unsigned i = 0; i < 9; i++)
		flags[i] = '-';
	for (unsigned i = 0; i < 9; i++)
		if (r->entry >> bits[i].bit & 1)
			flags[i] = bits[i].set;
	for (uint64_t i = 0; i < r->leaves; i++)
		fprintf(to, "%016" PRIx64 ": %016" PRIx64 " %s\n", r->start + (i << r->lg2), r->pa + (i << r->lg2),
			flags);
}

/* QEMU never merges leaves of two tables (target/riscv/monitor.c). */
static uint64_t riscv_mem_key(const struct insp_run *run, uint32_t attrs)
{
	(void)attrs;
	return (run->entry & 0xfe) | run->table << 8;
}

static void riscv_mem_line(FILE *to, const struct insp_tree *tree, const struct insp_range *r)
{
	static const char names[] = "rwxugad";
	char flags[8] = {0};

	(void)tree;
	for (unsigned i = 0; i < 7; i++)
		flags[i] = r->entry >> (1 + i) & 1 ? names[i] : '-';
	fprintf(to, "%016" PRIx64 " %016" PRIx64 " %016" PRIx64 " %s\n", r->start, r->pa, r->end - r->start, flags);
}

#define RISCV_MEM_HEADER                                                                                               \
	"vaddr            paddr            size             attr\n"                                                    \
	"---------------- ---------------- ---------------- -------\n"

static const struct insp_style styles[] = {
	{.name = "ptdump",
	 .arch = COP_X86_64,
	 .key = x86_ptdump_key,
	 .by_level = true,
	 .holes = true,
	 .line = x86_ptdump_line},
	{.name = "ptdump",
	 .arch = COP_ARM64,
	 .key = arm64_ptdump_key,
	 .by_level = true,
	 .holes = true,
	 .all = true,
	 .line = arm64_ptdump_line},
	{.name = "qemu-mem", .arch = COP_X86_64, .key = x86_mem_key, .line = x86_mem_line},
	{.name = "qemu-tlb",
	 .arch = COP_X86_64,
	 .key = x86_tlb_key,
	 .by_level = true,
	 .by_pa = true,
	 .line = x86_tlb_line},
	{.name = "qemu-mem",
	 .arch = COP_RISCV64,
	 .key = riscv_mem_key,
	 .by_pa = true,
	 .header = RISCV_MEM_HEADER,
	 .line = riscv_mem_line},
};

const struct insp_style *insp_style_find(const char *name, int arch)
{
	for (size_t i = 0; i < sizeof(styles) / sizeof(*styles); i++)
		if (styles[i].arch == arch && !strcmp(styles[i].name, name))
			return &styles[i];
	return NULL;
}

static void print_range(void *context, const struct insp_range *r)
{
	const struct insp_style_print *p = context;

	p->style->line(p->to, p->tree, r);
}

static void print_heading(void *context, const char *name)
{
	const struct insp_style_print *p = context;

	fprintf(p->to, "---[ %s ]---\n", name);
}

/* x86-64 leaves 16 entries of the root to hypervisors, from the middle on; its dump goes from the lower half to behind them. */
static struct insp_region skipped(const struct insp_tree *tree)
{
	const struct insp_halves h = insp_halves(&tree->geom);
	const unsigned root_lg2 = tree->format->shift(tree->geom.levels - 1U);

	if (tree->format->arch != COP_X86_64)
		return (struct insp_region){0};
	return (struct insp_region){h.half[0].last + 1, h.half[1].start + (16ULL << root_lg2) - 1, NULL};
}

struct insp_ranges_spec insp_style_spec(struct insp_style_print *p, const struct insp_region *regions, size_t count)
{
	const struct insp_style *style = p->style;

	return (struct insp_ranges_spec){
		.regions = regions,
		.region_count = style->holes ? count : 0,
		.key = style->key,
		.by_level = style->by_level,
		.by_pa = style->by_pa,
		.holes = style->holes,
		.skip = skipped(p->tree),
		.range = print_range,
		.heading = print_heading,
		.context = p,
	};
}
