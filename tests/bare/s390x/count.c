/* SPDX-License-Identifier: MIT */
#include "tests/bare/count.h"

/* With -icount shift=0 an instruction is a nanosecond, which is 4.096 units of the time-of-day clock. */
uint64_t bare_instructions(void)
{
	return bare_clock_ns();
}

/* Between two looks there are a few instructions, and many cycles of any clock. */
bool bare_count_start(void)
{
	const uint64_t before = bare_instructions();

	return bare_instructions() - before - 1 < 31;
}

/* Three levels: 42 bits. */
cop_pa bare_hand_walk(const uint64_t *root, cop_va va)
{
	const uint64_t *table = root;

	for (unsigned shift = 31;; shift = shift == 31 ? 20 : 12) {
		const uint64_t e = cop_load(&table[va >> shift & (shift == 12 ? 255 : 2047)], acquire);
		const uint64_t inside = COP_LG2(shift) - 1;

		if (e & (shift == 12 ? 0x400 : 0x20))
			return COP_PA_NONE;
		if (shift == 12 || e & 0x400)
			return (e & ~inside) | (va & inside);
		table = cop_phys(e & (shift == 20 ? ~0x7ffULL : ~0xfffULL));
	}
}
