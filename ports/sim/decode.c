/* SPDX-License-Identifier: MIT */
/* What entries say, by their trees' formats. Formats are pure: what was asked once is remembered. */
#include "ports/sim/mmu.h"

#include <string.h>

#define ENTRIES_LG2 12
#define CODINGS     16

static struct sim_entry entries[1U << ENTRIES_LG2];

/* Formats and geometries that trees have had; each has its number. */
static struct coding {
	const struct cop_format *format;
	struct cop_geom geom;
} codings[CODINGS];
static unsigned coding_count;

void sim_decode_on(void)
{
	memset(entries, 0, sizeof(entries));
	coding_count = 0;
}

static bool geom_same(const struct cop_geom *a, const struct cop_geom *b)
{
	return a->arch == b->arch && a->half == b->half && a->page_lg2 == b->page_lg2 && a->levels == b->levels &&
	       a->va_bits == b->va_bits && a->pa_bits == b->pa_bits && a->features == b->features;
}

static uint8_t coding_of(const struct cop_format *format, const struct cop_geom *geom)
{
	for (unsigned i = 0; i < coding_count; i++) {
		if (codings[i].format == format && geom_same(&codings[i].geom, geom))
			return (uint8_t)(i + 1);
	}
	if (coding_count == CODINGS)
		sim_fail("sim-limit", "more than %d formats and geometries", CODINGS);
	codings[coding_count] = (struct coding){format, *geom};
	return (uint8_t)++coding_count;
}

void sim_tree_coding(struct sim_tree *tree)
{
	const struct cop_format *f = tree->format;

	tree->coding = coding_of(f, &tree->geom);
	for (unsigned l = 0; l < tree->geom.levels && l < SIM_LEVELS; l++) {
		tree->shift[l] = (uint8_t)f->shift(l);
		tree->index_bits[l] = (uint8_t)f->index_bits(&tree->geom, l);
	}
}

/* Can a copy of a leaf's entry exist? Arm: not while the access flag is clear and software's to set. */
static bool cacheable(const struct sim_tree *tree, uint64_t entry, unsigned level)
{
	const struct cop_format *f = tree->format;

	return !f->covers || f->covers(&tree->geom, entry, f->empty(level), level) != COP_COVERS_NONE;
}

/* And of one that is not valid? Then a change to a valid one would want an invalidation. */
static bool cached_invalid(const struct sim_tree *tree, uint64_t entry, unsigned level)
{
	const struct cop_format *f = tree->format;
	uint64_t valid;

	if (!tree->caches_invalid)
		return false;
	valid = level && !f->can_leaf(&tree->geom, level) ? f->table(&tree->geom, 0, level)
							  : f->leaf(&tree->geom, 0, level, COP_KERNEL_RW);
	return f->covers(&tree->geom, entry, valid, level) != COP_COVERS_NONE;
}

static void decode_leaf(struct sim_entry *e, const struct sim_tree *tree)
{
	const uint32_t attrs = tree->format->attrs(&tree->geom, e->value, e->level);

	e->pa = tree->format->leaf_pa(&tree->geom, e->value, e->level);
	e->cont = attrs & COP_CONT;
	e->global = attrs & COP_GLOBAL;
	/* Present to software only. */
	if (attrs & COP_PROTNONE)
		e->hardware = COP_SWAP;
}

const struct sim_entry *sim_decode(const struct sim_tree *tree, uint64_t value, unsigned level)
{
	const uint64_t hash = (value + level + ((uint64_t)tree->coding << 56)) * 0x9e3779b97f4a7c15ULL;
	struct sim_entry *e = &entries[hash >> (64 - ENTRIES_LG2)];

	if (e->value == value && e->level == level && e->coding == tree->coding)
		return e;
	*e = (struct sim_entry){.value = value, .level = (uint8_t)level, .coding = tree->coding};
	e->kind = e->hardware = tree->format->kind(&tree->geom, value, level);
	if (e->kind == COP_LEAF)
		decode_leaf(e, tree);
	else if (e->kind == COP_TABLE)
		e->pa = tree->format->table_pa(&tree->geom, value, level);
	if (e->hardware == COP_LEAF)
		e->keepable = cacheable(tree, value, level);
	else if (e->hardware != COP_TABLE)
		e->keepable = cached_invalid(tree, value, level);
	return e;
}
