/* SPDX-License-Identifier: MIT */
/*
 * Root and geometry where nothing says them. Every page is tried as a root of every geometry that kernels use; what makes
 * sense (links lead to tables that are there, none leads back up, no entry is reserved) is measured by how many tables it reaches:
 * of a tree and its own branches, the tree reaches most.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "inspect/input/input.h"

#define TABLES_MAX 16384U     /* to look at under one root */
#define BEST       4U         /* candidates kept */
#define PAGES_MAX  (1U << 24) /* to try as roots: 64 GB */

struct shape {
	uint8_t arch, page_lg2, va_bits;
};

/* Where one tree may be read as two shapes, the more common one comes first. */
static const struct shape shapes[] = {
	{COP_X86_64, 12, 48},  {COP_X86_64, 12, 57},  {COP_ARM64, 12, 48}, {COP_ARM64, 12, 39},
	{COP_ARM64, 12, 52},   {COP_ARM64, 14, 47},   {COP_ARM64, 14, 48}, {COP_ARM64, 14, 36},
	{COP_ARM64, 16, 48},   {COP_ARM64, 16, 42},   {COP_ARM64, 16, 52}, {COP_RISCV64, 12, 39},
	{COP_RISCV64, 12, 48}, {COP_RISCV64, 12, 57}, {COP_S390X, 12, 42}, {COP_S390X, 12, 53},
};

struct candidate {
	struct insp_tree tree;
	unsigned tables, links, bad, user, leaves, outside;
	bool low; /* something in the lower half of a tree that has both */
	uint64_t high_hash;
};

struct guess {
	struct input *in;
	struct insp_memory *memory;
	struct candidate now, best[BEST];
	unsigned count;
	cop_pa path[8];
	unsigned char *buffer; /* 64K for each level, and one for the root */
};

static bool in_memory(const struct insp_memory *m, cop_pa pa, uint64_t bytes)
{
	size_t low = 0, high = m->extent_count;

	while (low < high) {
		const size_t middle = low + (high - low) / 2;

		if (m->extents[middle].start <= pa)
			low = middle + 1;
		else
			high = middle;
	}
	return low && pa < m->extents[low - 1].end && bytes <= m->extents[low - 1].end - pa;
}

static bool is_above(const struct guess *g, cop_pa pa, unsigned level)
{
	for (unsigned l = level; l < g->now.tree.geom.levels; l++)
		if (g->path[l] == pa)
			return true;
	return false;
}

/* A few wrong ones in a large tree are damage; a few among a few are chance. */
static bool hopeless(const struct candidate *c)
{
	return c->bad > c->links / 64;
}

static void leaf(struct guess *g, uint64_t v, unsigned level)
{
	const struct insp_tree *t = &g->now.tree;

	g->now.leaves++;
	g->now.user += (t->format->attrs(&t->geom, v, level) & COP_USER) != 0;
	g->now.outside += g->memory->ram && !in_memory(g->memory, t->format->leaf_pa(&t->geom, v, level), 1);
}

static void table(struct guess *g, cop_pa pa, unsigned level)
{
	const struct insp_tree *t = &g->now.tree;
	const unsigned entries = 1U << t->format->index_bits(&t->geom, level);
	const uint64_t *e = insp_frame(g->memory, pa, 8ULL * entries, g->buffer + 65536ULL * level);

	if (!e) {
		g->now.bad++;
		return;
	}
	g->now.tables++;
	g->path[level] = pa;
	for (unsigned i = 0; i < entries && g->now.tables < TABLES_MAX && !hopeless(&g->now); i++) {
		const uint64_t v = t->big_endian ? __builtin_bswap64(e[i]) : e[i];
		const enum cop_kind kind = t->format->kind(&t->geom, v, level);

		if (kind == COP_LEAF)
			leaf(g, v, level);
		if (kind == COP_BAD)
			g->now.bad++;
		if (kind == COP_TABLE) {
			const cop_pa next = t->format->table_pa(&t->geom, v, level);
			const uint64_t bytes = 8ULL << t->format->index_bits(&t->geom, level - 1);

			g->now.links++;
			if (!COP_IS_ALIGNED(next, bytes) || !in_memory(g->memory, next, bytes) ||
			    is_above(g, next, level))
				g->now.bad++;
			else
				table(g, next, level - 1);
		}
	}
}

/* The root alone, which most pages do not pass: links and nothing that is reserved. */
static bool root_passes(struct guess *g, const uint64_t *e)
{
	const struct insp_tree *t = &g->now.tree;
	const unsigned level = t->geom.levels - 1U, entries = 1U << t->format->index_bits(&t->geom, level);
	const uint64_t bytes = 8ULL << t->format->index_bits(&t->geom, level - 1);
	unsigned links = 0;

	g->now.high_hash = 0;
	for (unsigned i = 0; i < entries; i++) {
		const uint64_t v = t->big_endian ? __builtin_bswap64(e[i]) : e[i];
		const enum cop_kind kind = t->format->kind(&t->geom, v, level);

		if (kind == COP_EMPTY)
			continue;
		if (kind == COP_BAD || kind == COP_SWAP || kind == COP_MARKER)
			return false;
		if (kind == COP_TABLE && (!COP_IS_ALIGNED(t->format->table_pa(&t->geom, v, level), bytes) ||
					  !in_memory(g->memory, t->format->table_pa(&t->geom, v, level), bytes)))
			return false;
		links += kind == COP_TABLE;
		if (i < entries / 2)
			g->now.low = true;
		else
			g->now.high_hash = (g->now.high_hash ^ v) * 0x9e3779b97f4a7c15ULL + i;
	}
	/* Kernels of two halves have themselves at the top: text, or what is fixed. */
	if (t->geom.half == COP_HALF_BOTH && g->now.high_hash == 0)
		return false;
	return links != 0;
}

static bool better(const struct candidate *a, const struct candidate *b)
{
	/* All processes' roots have the kernel's half; the kernel's own root has nothing else. */
	if (a->tree.format == b->tree.format && a->tree.geom.levels == b->tree.geom.levels &&
	    a->high_hash == b->high_hash && a->high_hash && a->low != b->low)
		return b->low;
	return a->tables > b->tables;
}

static void keep(struct guess *g)
{
	unsigned i = g->count < BEST ? g->count++ : BEST;

	for (; i > 0 && better(&g->now, &g->best[i - 1]); i--)
		if (i < BEST)
			g->best[i] = g->best[i - 1];
	if (i < BEST)
		g->best[i] = g->now;
}

static void try_root(struct guess *g, const struct shape *shape, cop_pa pa)
{
	struct insp_tree *t = &g->now.tree;
	const uint64_t *e;
	unsigned lg2;

	g->now = (struct candidate){.tree = {.name = "", .root = pa, .big_endian = shape->arch == COP_S390X}};
	t->format = cop_format_for((enum cop_arch)shape->arch, shape->page_lg2);
	if (cop_geom_init(&t->geom, (enum cop_arch)shape->arch, shape->page_lg2, shape->va_bits) != 0)
		return;
	if (shape->arch == COP_X86_64)
		t->geom.pa_bits = 52;
	if (shape->arch == COP_RISCV64)
		t->geom.features |= COP_F_SVNAPOT | COP_F_SVPBMT;
	lg2 = t->format->index_bits(&t->geom, t->geom.levels - 1U) + 3;
	if (!COP_IS_ALIGNED(pa, COP_LG2(lg2 > t->geom.page_lg2 ? lg2 : t->geom.page_lg2)))
		return;
	e = insp_frame(g->memory, pa, (size_t)1 << lg2, g->buffer + 65536ULL * 7);
	if (!e || !root_passes(g, e))
		return;
	table(g, pa, t->geom.levels - 1U);
	/* Mapped memory is mostly memory. */
	if (hopeless(&g->now) || !g->now.leaves || g->now.outside > g->now.leaves / 2)
		return;
	if (shape->arch == COP_ARM64)
		t->geom.half = g->now.user > g->now.leaves / 2 ? COP_HALF_LOW : COP_HALF_HIGH;
	keep(g);
}

static bool wanted(const struct input *in, const struct shape *s)
{
	const struct insp_source *w = in->source;
	struct cop_geom g;

	if (in->arch >= 0 && s->arch != in->arch)
		return false;
	if (cop_geom_init(&g, (enum cop_arch)s->arch, s->page_lg2, s->va_bits) != 0)
		return false;
	return (!w->page_lg2 || w->page_lg2 == s->page_lg2) && (!w->va_bits || w->va_bits == s->va_bits) &&
	       (!w->levels || w->levels == g.levels);
}

static bool is_zero(const unsigned char *page)
{
	return page[0] == 0 && memcmp(page, page + 1, 4095) == 0;
}

static void try_all(struct guess *g)
{
	const struct insp_memory *m = g->memory;
	unsigned tried = 0;

	for (size_t i = 0; i < m->extent_count; i++)
		for (cop_pa pa = COP_ALIGN_UP(m->extents[i].start, 4096);
		     pa < m->extents[i].end && m->extents[i].end - pa >= 4096; pa += 4096) {
			const unsigned char *page = insp_frame(g->memory, pa, 4096, g->buffer);

			if (!page || is_zero(page))
				continue;
			if (++tried > PAGES_MAX) {
				input_found(g->in, "guess: only the first %u pages with something in them were tried",
					    PAGES_MAX);
				return;
			}
			for (size_t s = 0; s < sizeof(shapes) / sizeof(shapes[0]); s++)
				if (wanted(g->in, &shapes[s]))
					try_root(g, &shapes[s], pa);
		}
}

/* A branch of the best tree, or the same kernel under another process, does not contradict it. */
static bool contradicts(const struct candidate *best, const struct candidate *other)
{
	const bool same = best->tree.format == other->tree.format && best->tree.geom.levels == other->tree.geom.levels;

	if (same && best->high_hash && best->high_hash == other->high_hash)
		return false;
	return other->tables == best->tables;
}

int input_trees_guess(struct input *in)
{
	struct guess g = {.in = in, .memory = in->machine->memory};
	const struct candidate *best = &g.best[0], *second = &g.best[1];
	char from[128];

	g.buffer = aligned_alloc(64, 65536ULL * 8);
	if (!g.buffer)
		return input_fail(in->error, ENOMEM, "%s: no memory", in->source->path);
	try_all(&g);
	free(g.buffer);
	if (g.count == 0)
		return input_fail(
			in->error, ENOENT,
			"%s: nothing says where the root is, and no page looks like one; expected --regs or --root",
			in->source->path);
	if (g.count > 1 && contradicts(best, second))
		return input_fail(in->error, EINVAL,
				  "%s: two roots look alike: %#" PRIx64 " (%s, %u levels) and %#" PRIx64
				  " (%s, %u levels), %u tables each; expected --arch, --regs or --root",
				  in->source->path, best->tree.root, best->tree.format->name, best->tree.geom.levels,
				  second->tree.root, second->tree.format->name, second->tree.geom.levels, best->tables);
	in->arch = best->tree.geom.arch;
	(void)snprintf(from, sizeof(from), "guessed: %u tables, %u links, %u of them bad; the next one has %u tables",
		       best->tables, best->links, best->bad, g.count > 1 ? second->tables : 0);
	return input_tree_add(in, &best->tree, from);
}
