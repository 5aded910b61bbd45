/* SPDX-License-Identifier: MIT */
/* riscv64 swap entries, as Linux lays them out; part of riscv64.h and included by nothing else. */
#ifndef COPPICE_FORMATS_RISCV64_SWAP_H
#define COPPICE_FORMATS_RISCV64_SWAP_H

/* Type 0 with offset 0 is the empty entry, as in Linux, where the first slot of swap space is its header. */
static inline uint64_t fmt_swap(unsigned type, uint64_t offset, unsigned l)
{
	(void)l;
	return (uint64_t)type << RISCV_SWP_TYPE_SHIFT | offset << RISCV_SWP_OFFSET_SHIFT;
}

static inline unsigned fmt_swap_type(uint64_t e, unsigned l)
{
	(void)l;
	return (unsigned)(e >> RISCV_SWP_TYPE_SHIFT) & ((1U << FMT_SWAP_TYPE_BITS) - 1);
}

static inline uint64_t fmt_swap_offset(uint64_t e, unsigned l)
{
	(void)l;
	return (e >> RISCV_SWP_OFFSET_SHIFT) & ((1ULL << FMT_SWAP_OFFSET_BITS) - 1);
}

static inline bool fmt_swap_exclusive(uint64_t e, unsigned l)
{
	(void)l;
	return e & RISCV_SWP_EXCLUSIVE;
}

static inline uint64_t fmt_swap_mkexclusive(uint64_t e, unsigned l)
{
	(void)l;
	return e | RISCV_SWP_EXCLUSIVE;
}

static inline uint64_t fmt_swap_clear_exclusive(uint64_t e, unsigned l)
{
	(void)l;
	return e & ~RISCV_SWP_EXCLUSIVE;
}

static inline bool fmt_swap_soft_dirty(uint64_t e, unsigned l)
{
	(void)l;
	return e & RISCV_SWP_SOFT_DIRTY;
}

static inline uint64_t fmt_swap_mksoft_dirty(uint64_t e, unsigned l)
{
	(void)l;
	return e | RISCV_SWP_SOFT_DIRTY;
}

static inline uint64_t fmt_swap_clear_soft_dirty(uint64_t e, unsigned l)
{
	(void)l;
	return e & ~RISCV_SWP_SOFT_DIRTY;
}

#endif
