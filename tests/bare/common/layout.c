/* SPDX-License-Identifier: MIT */
#include "tests/bare/common/layout.h"

/* Every address bit that a leaf of the level can have, now and then. */
static cop_pa address(const struct cop_geom *geom, const struct cop_format *format, unsigned level, uint64_t *seed)
{
	return COP_ALIGN_DOWN(bare_random(seed) & (COP_LG2(geom->pa_bits) - 1), COP_LG2(format->shift(level)));
}

COP_NORETURN static void elsewhere(const struct cop_geom *geom, const char *what, unsigned level, uint64_t a,
				   uint64_t b)
{
	bare_print_entry(geom, a, level);
	bare_print_entry(geom, b, level);
	cop_panic(what, NULL);
}

static bool reserved(const struct cop_geom *geom, const struct cop_format *format, uint64_t e, uint64_t bits,
		     unsigned level)
{
	for (unsigned bit = 0; bit < 64; bit++)
		if (bits >> bit & 1 && format->kind(geom, e | COP_LG2(bit), level) != COP_BAD)
			return false;
	return true;
}

static void check(const struct cop_geom *geom, const struct bare_layout *x, unsigned level)
{
	const struct cop_format *format = cop_format_for(geom->arch, geom->page_lg2);
	uint64_t seed = level + 1, bits = x->bits;

	if (x->address)
		bits |= (COP_LG2(52) - 1) & ~(COP_LG2(format->shift(level)) - 1);
	for (unsigned i = 0; i < 64; i++) {
		const cop_pa pa = address(geom, format, level, &seed);
		const uint64_t a = format->leaf(geom, pa, level, x->from), b = format->leaf(geom, pa, level, x->to);

		if ((a ^ (x->from == x->to ? pa : b)) != bits || !reserved(geom, format, b, x->reserved, level) ||
		    format->leaf_pa(geom, a, level) != pa || format->leaf_pa(geom, b, level) != pa ||
		    format->attrs(geom, a, level) != x->from || format->attrs(geom, b, level) != x->to)
			elsewhere(geom, x->name, level, a, b);
	}
}

void bare_check_layout(const struct cop_geom *geom, const struct bare_layout *table, unsigned count)
{
	const struct cop_format *format = cop_format_for(geom->arch, geom->page_lg2);

	for (unsigned i = 0; i < count; i++)
		for (unsigned level = 0; level < geom->levels; level++)
			if (table[i].levels >> level & 1 && format->can_leaf(geom, level) &&
			    !format->check_attrs(geom, table[i].from, level) &&
			    !format->check_attrs(geom, table[i].to, level))
				check(geom, &table[i], level);
}

static bool swap_bits(const struct cop_geom *geom, uint64_t e, uint64_t any, unsigned level)
{
	const struct cop_format *format = cop_format_for(geom->arch, geom->page_lg2);

	for (unsigned bit = 0; bit < 64; bit++)
		if ((format->kind(geom, e ^ COP_LG2(bit), level) == COP_SWAP) != (any >> bit & 1))
			return false;
	return true;
}

void bare_check_swap_layout(const struct cop_geom *geom, unsigned level, const struct bare_swap_layout *x)
{
	const struct bare_algebra *a = &bare_algebra;
	const uint64_t e = a->swap(0, 0, level), marker = level ? a->marker(geom, 0x10000, level) : 0;

	if (e != x->zero || !swap_bits(geom, e, x->any, level))
		elsewhere(geom, "swap", level, e, x->zero);
	if ((e ^ a->swap(1, 0, level)) != x->type)
		elsewhere(geom, "swap type", level, e, a->swap(1, 0, level));
	if ((e ^ a->swap(0, 1, level)) != x->offset)
		elsewhere(geom, "swap offset", level, e, a->swap(0, 1, level));
	if ((e ^ a->swap_mkexclusive(e, level)) != x->exclusive)
		elsewhere(geom, "swap exclusive", level, e, a->swap_mkexclusive(e, level));
	if ((e ^ a->swap_mksoft_dirty(e, level)) != x->soft_dirty)
		elsewhere(geom, "swap soft-dirty", level, e, a->swap_mksoft_dirty(e, level));
	if (marker != x->marker)
		elsewhere(geom, "marker", level, marker, x->marker);
}

void bare_check_layouts(const struct cop_geom *geom, const struct bare_layout *table, unsigned count,
			const struct bare_swap_layout *swaps)
{
	bare_check_layout(geom, table, count);
	for (unsigned level = 0; level < geom->levels; level++) {
		struct bare_swap_layout swap = *swaps;

		if (!level)
			swap.marker = 0; /* no tables below */
		bare_check_swap_layout(geom, level, &swap);
	}
}
