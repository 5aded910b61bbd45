/* SPDX-License-Identifier: MIT */
#include "tests/bare/count.h"

/* With -icount shift=0 the time stamp counts instructions. */
uint64_t bare_instructions(void)
{
	uint32_t low, high;

	__asm__ volatile("rdtsc" : "=a"(low), "=d"(high) : : "memory");
	return low | (uint64_t)high << 32;
}

/* Between two looks there are a few instructions, and many cycles of any clock. */
bool bare_count_start(void)
{
	const uint64_t before = bare_instructions();

	return bare_instructions() - before - 1 < 15;
}

/* Four levels. */
cop_pa bare_hand_walk(const uint64_t *root, cop_va va)
{
	const uint64_t *table = root;

	for (unsigned shift = 39;; shift -= 9) {
		const uint64_t e = cop_load(&table[va >> shift & 511], acquire);
		const uint64_t inside = COP_LG2(shift) - 1;

		if (!(e & 1))
			return COP_PA_NONE;
		if (shift == 12 || e & 0x80)
			return (e & 0xffffffffff000 & ~inside) | (va & inside);
		table = cop_phys(e & 0xffffffffff000);
	}
}
