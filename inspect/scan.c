// SPDX-License-Identifier: MIT
#include "inspect/entry.h"
#include "inspect/scan_formats.h"

/* A tree that shares tables may be larger than memory, up to here; a frame's worth of entries takes well under 1 us. */
#define BUDGET_LEAST   (1ULL << 20)
#define BUDGET_SHARING 16

uint64_t scan_budget(const struct insp_memory *memory, const struct insp_visitor *visit)
{
	uint64_t bytes = 0;

	if (visit->budget)
		return visit->budget;
	for (size_t i = 0; i < memory->extent_count; i++)
		bytes += memory->extents[i].end - memory->extents[i].start;
	return BUDGET_LEAST + BUDGET_SHARING * (bytes / 4096);
}

struct insp_halves insp_halves(const struct cop_geom *g)
{
	const cop_va last = g->va_bits == 64 ? ~0ULL : COP_LG2(g->va_bits) - 1;
	struct insp_halves h = {.count = 1};

	if (g->half == COP_HALF_HIGH) {
		h.half[0].start = ~last;
		h.half[0].last = ~0ULL;
		return h;
	}
	h.half[0].last = last;
	if (g->half == COP_HALF_LOW || g->va_bits == 64)
		return h;
	h.half[0].last = last >> 1;
	h.half[1].start = ~(last >> 1);
	h.half[1].last = ~0ULL;
	h.count = 2;
	return h;
}

static scan_fn *scan_for(const struct cop_format *format)
{
	static const struct {
		const struct cop_format *format;
		scan_fn *scan;
	} all[] = {
		{&cop_format_arm64_4k, scan_arm64_4k},   {&cop_format_arm64_16k, scan_arm64_16k},
		{&cop_format_arm64_64k, scan_arm64_64k}, {&cop_format_x86_64, scan_x86_64},
		{&cop_format_riscv64, scan_riscv64},     {&cop_format_s390x, scan_s390x},
	};

	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++)
		if (all[i].format == format)
			return all[i].scan;
	return NULL;
}

/* Both halves are one stretch once the sign is cut off. */
static bool scan_clip(const struct cop_geom *g, cop_va start, cop_va last, struct scan_span *span)
{
	const struct insp_halves h = insp_halves(g);
	const cop_va mask = g->va_bits == 64 ? ~0ULL : COP_LG2(g->va_bits) - 1;
	bool any = false;

	for (unsigned i = 0; i < h.count; i++) {
		const cop_va from = start > h.half[i].start ? start : h.half[i].start;
		const cop_va to = last < h.half[i].last ? last : h.half[i].last;

		if (from > to)
			continue;
		if (!any)
			span->start = from & mask;
		span->last = to & mask;
		any = true;
	}
	return any;
}

struct insp_scanned insp_scan(struct insp_memory *memory, const struct insp_tree *tree, cop_va start, cop_va last,
			      const struct insp_visitor *visit, void *context)
{
	scan_fn *scan = scan_for(tree->format);
	struct scan_span span;

	if (!scan || tree->format->check_geom(&tree->geom) || !scan_clip(&tree->geom, start, last, &span))
		return (struct insp_scanned){0};
	return scan(memory, tree, span, visit, context);
}

/* COP_EXEC is the kernel's where COP_USER is not set. */
uint32_t insp_less(uint32_t attrs, uint32_t denied)
{
	uint32_t lost = denied;

	if (!(attrs & COP_USER))
		lost = (denied & ~(uint32_t)COP_EXEC) | (denied & COP_KEXEC ? COP_EXEC : 0U);
	return attrs & ~lost;
}

uint32_t insp_attrs(const struct insp_tree *tree, const struct insp_run *run)
{
	return insp_less(tree->format->attrs(&tree->geom, run->entry, run->level), run->denied);
}

uint32_t insp_denies(const struct insp_tree *tree, uint64_t entry)
{
	switch (tree->format->arch) {
	case COP_X86_64:
		return insp_denies_x86_64(entry);
	case COP_ARM64:
		return insp_denies_arm64(entry);
	case COP_S390X:
		return insp_denies_s390x(entry);
	default:
		return 0;
	}
}

enum cop_kind insp_kind(const struct insp_tree *tree, uint64_t entry, unsigned level)
{
	const enum cop_kind kind = tree->format->kind(&tree->geom, entry, level);

	if (kind == COP_BAD && tree->format->arch == COP_S390X && insp_short_table(entry, level))
		return COP_TABLE;
	return kind;
}

struct insp_part insp_part(const struct insp_tree *tree, uint64_t entry, unsigned level)
{
	if (tree->format->arch == COP_S390X && level >= 2)
		return (struct insp_part){insp_table_first(entry), insp_table_end(entry)};
	return (struct insp_part){0, 1U << tree->format->index_bits(&tree->geom, level - 1)};
}
