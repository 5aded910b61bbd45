/* SPDX-License-Identifier: MIT */
/* The A extension exchanges words; for bytes gcc before 13 calls this. */
#include <stdint.h>

unsigned char __atomic_exchange_1(volatile void *at, unsigned char value, int order);

/* As strong as any order that may be asked for. */
unsigned char __atomic_exchange_1(volatile void *at, unsigned char value, int order)
{
	uint32_t *word = (uint32_t *)((uintptr_t)at & ~(uintptr_t)3);
	const unsigned shift = ((uintptr_t)at & 3) * 8;
	uint32_t old = __atomic_load_n(word, __ATOMIC_RELAXED);

	(void)order;
	while (!__atomic_compare_exchange_n(word, &old, (old & ~(0xffU << shift)) | (uint32_t)value << shift, 1,
					    __ATOMIC_SEQ_CST, __ATOMIC_RELAXED))
		;
	return (unsigned char)(old >> shift);
}
