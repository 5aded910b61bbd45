/* SPDX-License-Identifier: MIT */
/* s390x swap entries, as Linux lays them out; part of s390x.h and included by nothing else. */
#ifndef COPPICE_FORMATS_S390X_SWAP_H
#define COPPICE_FORMATS_S390X_SWAP_H

static inline unsigned s390x_swap_type_shift(unsigned l)
{
	return l == 0 ? S390X_SWP_TYPE_SHIFT : S390X_LARGE_SWP_TYPE_SHIFT;
}

static inline uint64_t fmt_swap(unsigned type, uint64_t offset, unsigned l)
{
	return fmt_empty(l) | (l == 0 ? S390X_P : S390X_COMMON) | (uint64_t)type << s390x_swap_type_shift(l) |
	       offset << S390X_SWP_OFFSET_SHIFT;
}

static inline unsigned fmt_swap_type(uint64_t e, unsigned l)
{
	return (unsigned)(e >> s390x_swap_type_shift(l)) & ((1U << FMT_SWAP_TYPE_BITS) - 1);
}

static inline uint64_t fmt_swap_offset(uint64_t e, unsigned l)
{
	(void)l;
	return e >> S390X_SWP_OFFSET_SHIFT;
}

/* Linux leaves this bit of a large swap entry unused. */
static inline bool fmt_swap_exclusive(uint64_t e, unsigned l)
{
	(void)l;
	return e & S390X_SWP_EXCLUSIVE;
}

static inline uint64_t fmt_swap_mkexclusive(uint64_t e, unsigned l)
{
	(void)l;
	return e | S390X_SWP_EXCLUSIVE;
}

static inline uint64_t fmt_swap_clear_exclusive(uint64_t e, unsigned l)
{
	(void)l;
	return e & ~S390X_SWP_EXCLUSIVE;
}

static inline bool fmt_swap_soft_dirty(uint64_t e, unsigned l)
{
	return fmt_soft_dirty(e, l);
}

static inline uint64_t fmt_swap_mksoft_dirty(uint64_t e, unsigned l)
{
	return fmt_mksoft_dirty(e, l);
}

static inline uint64_t fmt_swap_clear_soft_dirty(uint64_t e, unsigned l)
{
	return fmt_clear_soft_dirty(e, l);
}

#endif
