/* SPDX-License-Identifier: MIT */
/*
 * vmemmap: the array of struct page, one for each frame of memory, mapped by section. What is mapped there and the memory
 * that it is about should agree; frames that appear in it more than once are HugeTLB vmemmap optimisation (HVO): the struct
 * pages of a huge page's tail are all the same, so they may share one frame, read-only.
 */
#include <inttypes.h>

#include "inspect/lint/lint.h"

#define MEMMAP                                                                                                         \
	{                                                                                                              \
		[COP_ARM64] = "Linux Documentation/mm/memory-model.rst",                                               \
		[COP_X86_64] = "Linux Documentation/mm/memory-model.rst",                                              \
		[COP_RISCV64] = "Linux Documentation/mm/memory-model.rst",                                             \
		[COP_S390X] = "Linux Documentation/mm/memory-model.rst"                                                \
	}
#define HVO                                                                                                            \
	{                                                                                                              \
		[COP_ARM64] = "Linux Documentation/mm/vmemmap_dedup.rst",                                              \
		[COP_X86_64] = "Linux Documentation/mm/vmemmap_dedup.rst",                                             \
		[COP_RISCV64] = "Linux Documentation/mm/vmemmap_dedup.rst",                                            \
		[COP_S390X] = "Linux Documentation/mm/vmemmap_dedup.rst"                                               \
	}

/* A leaf of the memmap, cut to the region. */
static bool in_vmemmap(const struct lint_vmemmap *v, const struct insp_run *run)
{
	return run->kind == COP_LEAF && run->va >= v->start && run->va <= v->last && run->va >= v->base;
}

struct orphan {
	struct lint_vmemmap v;
	bool on;
};

static void begin_orphan(struct lint *l, void *state)
{
	struct orphan *o = state;

	o->on = lint_knows_memory(l) && lint_vmemmap_of(l, &o->v);
}

/* Whether any memory lies in [start, end). */
static bool any_memory(const struct lint *l, cop_pa start, cop_pa end)
{
	size_t count;
	const struct insp_extent *m = lint_memory(l, &count);

	for (size_t i = 0; i < count; i++)
		if (m[i].start < end && m[i].end > start)
			return true;
	return false;
}

/* One entry: the sections whose struct pages it holds. */
static bool has_memory(const struct lint *l, const struct orphan *o, const struct insp_run *run, unsigned i)
{
	const uint64_t section = COP_LG2(o->v.section_lg2);
	const cop_va va = run->va + ((cop_va)i << run->lg2);
	const cop_pa start = lint_vmemmap_pa(&o->v, va), end = lint_vmemmap_pa(&o->v, va + COP_LG2(run->lg2));

	return any_memory(l, COP_ALIGN_DOWN(start, section), COP_ALIGN_UP(end, section));
}

static void report_orphan(struct lint *l, const struct insp_run *run, unsigned i, unsigned n)
{
	struct insp_finding f = lint_of_run(l, run);

	f.va += (cop_va)i << run->lg2;
	f.pa += (cop_pa)i << run->lg2;
	f.bytes = (uint64_t)n << run->lg2;
	f.entries = n;
	f.index += i;
	f.entry += i * run->step;
	lint_report(l, &f, "Struct pages of sections that have no memory");
}

static void run_orphan(struct lint *l, void *state, const struct insp_run *run)
{
	const struct orphan *o = state;
	unsigned since = 0;

	if (!o->on || !in_vmemmap(&o->v, run))
		return;
	for (unsigned i = 0; i <= run->count; i++) {
		if (i < run->count && !has_memory(l, o, run, i))
			continue;
		if (i > since)
			report_orphan(l, run, since, i - since);
		since = i + 1;
	}
}

const struct lint_rule lint_vmemmap_orphan = {
	.rule = {"vmemmap-orphan", "struct pages are mapped for sections without memory", INSP_WARNING, MEMMAP},
	.state = sizeof(struct orphan),
	.begin = begin_orphan,
	.run = run_orphan,
};

/**
 * struct hole - memory that is passed without having been seen mapped
 * @extent: the stretch of memory that comes next, @at: how far it is covered
 */
struct hole {
	struct lint_vmemmap v;
	size_t extent;
	cop_pa at;
	bool on;
};

static void begin_hole(struct lint *l, void *state)
{
	struct hole *h = state;

	h->on = lint_knows_memory(l) && lint_vmemmap_of(l, &h->v);
	h->extent = 0;
	h->at = 0;
}

static void report_hole(struct lint *l, const struct hole *h, cop_pa start, cop_pa end)
{
	struct insp_run none = {.kind = COP_EMPTY, .table = COP_PA_NONE};
	struct insp_finding f;

	start = COP_ALIGN_UP(start, COP_LG2(h->v.page_lg2));
	end = COP_ALIGN_DOWN(end, COP_LG2(h->v.page_lg2));
	if (start >= end)
		return;
	none.va = lint_vmemmap_va(&h->v, start);
	f = lint_of_run(l, &none);
	f.bytes = lint_vmemmap_va(&h->v, end) - none.va;
	f.entries = 0;
	/* A dump's extents may hold what is no memory to the kernel; its own list does not. */
	if (l->options->memory_count)
		f.severity = INSP_ERROR;
	lint_report(l, &f, "Memory %#" PRIx64 "-%#" PRIx64 " has no struct pages", start, end - 1);
}

/* Memory below @pa is passed: what of it was not covered is a hole. Then @end is covered. */
static void pass(struct lint *l, struct hole *h, cop_pa pa, cop_pa end)
{
	size_t count;
	const struct insp_extent *m = lint_memory(l, &count);

	while (h->extent < count && m[h->extent].start < pa) {
		const cop_pa from = h->at > m[h->extent].start ? h->at : m[h->extent].start;
		const cop_pa to = m[h->extent].end < pa ? m[h->extent].end : pa;

		if (from < to)
			report_hole(l, h, from, to);
		if (m[h->extent].end > pa)
			break;
		h->extent++;
	}
	if (end > h->at)
		h->at = end;
}

static void run_hole(struct lint *l, void *state, const struct insp_run *run)
{
	struct hole *h = state;

	if (!h->on || !in_vmemmap(&h->v, run))
		return;
	pass(l, h, lint_vmemmap_pa(&h->v, run->va),
	     lint_vmemmap_pa(&h->v, run->va + ((uint64_t)run->count << run->lg2)));
}

static void end_hole(struct lint *l, void *state)
{
	struct hole *h = state;

	if (h->on)
		pass(l, h, ~0ULL, ~0ULL);
}

const struct lint_rule lint_vmemmap_hole = {
	.rule = {"vmemmap-hole", "memory has no struct pages", INSP_WARNING, MEMMAP},
	.state = sizeof(struct hole),
	.begin = begin_hole,
	.run = run_hole,
	.end = end_hole,
};

/**
 * struct shared - frames that the memmap shows more than once
 * @frame: of the leaf before
 * @first: of the region's leaves
 */
struct shared {
	struct lint_vmemmap v;
	struct insp_run first;
	cop_pa frame;
	uint64_t bytes, shared;
	bool on;
};

static void begin_shared(struct lint *l, void *state)
{
	struct shared *s = state;

	s->on = lint_vmemmap_of(l, &s->v);
	s->frame = COP_PA_NONE;
	s->bytes = s->shared = 0;
}

static void run_shared(struct lint *l, void *state, const struct insp_run *run)
{
	struct shared *s = state;
	struct insp_finding f;

	if (!s->on || !in_vmemmap(&s->v, run))
		return;
	if (s->bytes == 0)
		s->first = *run;
	s->bytes += (uint64_t)run->count << run->lg2;
	if (run->level == 0 && run->pa == s->frame) {
		s->shared += COP_LG2(run->lg2);
		if (insp_attrs(l->tree, run) & COP_WRITE) {
			f = lint_of_run(l, run);
			f.severity = INSP_ERROR;
			f.entries = 1;
			f.bytes = COP_LG2(run->lg2);
			lint_report(l, &f, "Struct pages that share a frame, and this mapping of it is writable");
		}
	}
	s->frame = run->pa + ((cop_pa)(run->count - 1) << run->lg2);
}

/* As 2M folios (whatever one table of the lowest level maps), all but the first page of each one's struct pages could go. */
static uint64_t could_save(const struct lint *l, const struct shared *s)
{
	const struct insp_tree *tree = l->tree;
	const unsigned folio_lg2 = tree->format->shift(1);
	const uint64_t bytes = COP_LG2(folio_lg2 - s->v.page_lg2 + s->v.struct_lg2), page = COP_LG2(s->v.page_lg2);

	return bytes <= page ? 0 : s->bytes / bytes * (bytes - page);
}

static void end_shared(struct lint *l, void *state)
{
	struct shared *s = state;
	struct insp_finding f;

	if (!s->on || s->bytes == 0)
		return;
	f = lint_of_run(l, &s->first);
	f.bytes = 0;
	if (s->shared)
		lint_report(l, &f, "HVO saved %" PRIu64 "K: of %" PRIu64 "K of struct pages, that much shares frames",
			    s->shared >> 10, s->bytes >> 10);
	else
		lint_report(l, &f,
			    "HVO saved nothing: with all memory in %" PRIu64 "M folios it would save %" PRIu64
			    "K of %" PRIu64 "K",
			    (uint64_t)(COP_LG2(l->tree->format->shift(1)) >> 20), could_save(l, s) >> 10,
			    s->bytes >> 10);
}

const struct lint_rule lint_memmap_shared = {
	.rule = {"memmap-shared", "what HVO saved in the memmap, or would; shared frames that are writable", INSP_NOTE,
		 HVO},
	.state = sizeof(struct shared),
	.begin = begin_shared,
	.run = run_shared,
	.end = end_shared,
};
