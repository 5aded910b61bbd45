/* SPDX-License-Identifier: MIT */
/* Where things are: entries, slots, spans, outputs. The includer has included a format header. */
#ifndef COPPICE_TABLES_WHERE_H
#define COPPICE_TABLES_WHERE_H

#include "tables/top.h"

#define PAGE_BYTES COP_LG2(FMT_PAGE_LG2)

static COP_ALWAYS_INLINE uint64_t *table_entries(cop_pa table)
{
	return (uint64_t *)cop_phys(table);
}

static COP_ALWAYS_INLINE uint64_t leaf_bytes(unsigned l)
{
	return COP_LG2(fmt_shift(l));
}

static COP_ALWAYS_INLINE unsigned table_slots(const struct cop_geom *g, unsigned l)
{
	return 1U << fmt_index_bits(g, l);
}

static COP_ALWAYS_INLINE unsigned slot_of(const struct cop_geom *g, cop_va va, unsigned l)
{
	return (unsigned)(va >> fmt_shift(l)) & (table_slots(g, l) - 1);
}

/* The last byte that the table of level @l around @va translates. */
static inline cop_va table_last(const struct cop_geom *g, cop_va va, unsigned l)
{
	const unsigned bits = fmt_shift(l) + fmt_index_bits(g, l);

	return bits >= 64 ? ~(cop_va)0 : va | (COP_LG2(bits) - 1);
}

/* Of @left bytes from @va on, those inside that table. Never overflows: @left is less than 2^64. */
static inline uint64_t table_room(const struct cop_geom *g, cop_va va, uint64_t left, unsigned l)
{
	const uint64_t to_end = table_last(g, va, l) - va;

	return (to_end < left - 1 ? to_end : left - 1) + 1;
}

/* Of @left bytes from @va on, those inside the entry of level @l around @va. */
static inline uint64_t entry_room(cop_va va, uint64_t left, unsigned l)
{
	const uint64_t room = leaf_bytes(l) - (va & (leaf_bytes(l) - 1));

	return room < left ? room : left;
}

/* What an entry of a table maps; inside a riscv64 run all entries name the run's base. */
static COP_ALWAYS_INLINE cop_pa entry_pa_inline(const struct cop_geom *g, uint64_t e, unsigned l, unsigned slot)
{
	const cop_pa pa = fmt_leaf_pa(g, e, l);

	if (!fmt_cont(e, l) || fmt_leaf_step(g, l, COP_CONT) != 0)
		return pa;
	return pa + ((uint64_t)(slot & ((1U << fmt_cont_lg2(g, l)) - 1)) << fmt_shift(l));
}

static inline bool is_leaf(uint64_t e, unsigned l)
{
	return fmt_present(e, l) && !fmt_is_table(e, l);
}

#endif
