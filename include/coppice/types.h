/* SPDX-License-Identifier: MIT */
/*
 * Words that every room uses.
 *
 * Terms: a *table* is an array of *entries*; an entry is empty, points to a lower table, is a *leaf* (maps an output
 * address, OA), or is *invalid* but meaningful to software. Levels are counted from the bottom: level 0 tables hold the
 * smallest leaves. Architectures number them otherwise; only what is printed uses their names.
 */
#ifndef COPPICE_TYPES_H
#define COPPICE_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint64_t cop_pa;  /* physical address, bytes */
typedef uint64_t cop_va;  /* virtual address, bytes */
typedef uint64_t cop_pfn; /* frame number: physical address >> page_lg2 */

#define COP_PA_NONE (~(cop_pa)0)

/* Error numbers, Linux's values: functions return them negated. */
enum cop_errno {
	COP_EPERM = 1,
	COP_ENOENT = 2,
	COP_EIO = 5,
	COP_E2BIG = 7,
	COP_EAGAIN = 11,
	COP_ENOMEM = 12,
	COP_EFAULT = 14,
	COP_EBUSY = 16,
	COP_EEXIST = 17,
	COP_EINVAL = 22,
	COP_ENOSPC = 28,
	COP_ERANGE = 34,
	COP_EOVERFLOW = 75,
	COP_EOPNOTSUPP = 95,
	COP_EADDRINUSE = 98,
	COP_ECANCELED = 125,
};

#define COP_LG2(n)           (1ULL << (n))
#define COP_ALIGN_DOWN(x, a) ((x) & ~((uint64_t)(a)-1))
#define COP_ALIGN_UP(x, a)   (((x) + ((uint64_t)(a)-1)) & ~((uint64_t)(a)-1))
#define COP_IS_ALIGNED(x, a) (((x) & ((uint64_t)(a)-1)) == 0)

#if defined(__GNUC__) || defined(__clang__)
#define COP_LIKELY(x)     __builtin_expect(!!(x), 1)
#define COP_UNLIKELY(x)   __builtin_expect(!!(x), 0)
#define COP_MUST_CHECK    __attribute__((warn_unused_result))
#define COP_ALWAYS_INLINE inline __attribute__((always_inline))
#define COP_NOINLINE      __attribute__((noinline))
#define COP_UNUSED        __attribute__((unused))
#endif

#ifdef __cplusplus
#define COP_STATIC_ASSERT static_assert
#define COP_NORETURN      [[noreturn]]
#else
#define COP_STATIC_ASSERT _Static_assert
#define COP_NORETURN      _Noreturn
#endif

#endif
