/* SPDX-License-Identifier: MIT */
/* x86-64 swap entries, as Linux lays them out; part of x86_64.h and included by nothing else. */
#ifndef COPPICE_FORMATS_X86_64_SWAP_H
#define COPPICE_FORMATS_X86_64_SWAP_H

/*
 * The offset is inverted so that what hardware may take for an address speculatively (L1 terminal fault) lies above
 * memory. Type 0 with the highest offset is thereby the empty entry, as in Linux, where swap space never reaches there.
 */
static inline uint64_t fmt_swap(unsigned type, uint64_t offset, unsigned l)
{
	(void)l;
	return (uint64_t)type << X86_SWP_TYPE_SHIFT |
	       (~offset << X86_SWP_OFFSET_SHIFT & X86_BITS(X86_SWP_TYPE_SHIFT - 1, X86_SWP_OFFSET_SHIFT));
}

static inline unsigned fmt_swap_type(uint64_t e, unsigned l)
{
	(void)l;
	return (unsigned)(e >> X86_SWP_TYPE_SHIFT);
}

static inline uint64_t fmt_swap_offset(uint64_t e, unsigned l)
{
	(void)l;
	return (~e >> X86_SWP_OFFSET_SHIFT) & ((1ULL << FMT_SWAP_OFFSET_BITS) - 1);
}

static inline bool fmt_swap_exclusive(uint64_t e, unsigned l)
{
	(void)l;
	return e & X86_SWP_EXCLUSIVE;
}

static inline uint64_t fmt_swap_mkexclusive(uint64_t e, unsigned l)
{
	(void)l;
	return e | X86_SWP_EXCLUSIVE;
}

static inline uint64_t fmt_swap_clear_exclusive(uint64_t e, unsigned l)
{
	(void)l;
	return e & ~X86_SWP_EXCLUSIVE;
}

static inline bool fmt_swap_soft_dirty(uint64_t e, unsigned l)
{
	(void)l;
	return e & X86_SWP_SOFT_DIRTY;
}

static inline uint64_t fmt_swap_mksoft_dirty(uint64_t e, unsigned l)
{
	(void)l;
	return e | X86_SWP_SOFT_DIRTY;
}

static inline uint64_t fmt_swap_clear_soft_dirty(uint64_t e, unsigned l)
{
	(void)l;
	return e & ~X86_SWP_SOFT_DIRTY;
}

#endif
