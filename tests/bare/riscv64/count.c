/* SPDX-License-Identifier: MIT */
#include "tests/bare/count.h"
#include "ports/bare/riscv64/cpu.h"

bool bare_count_start(void)
{
	const uint64_t before = bare_instructions();

	return bare_instructions() != before;
}

uint64_t bare_instructions(void)
{
	return READ_CSR(instret);
}

/* Sv48. */
cop_pa bare_hand_walk(const uint64_t *root, cop_va va)
{
	const uint64_t *table = root;

	for (unsigned shift = 39;; shift -= 9) {
		const uint64_t e = cop_load(&table[va >> shift & 511], acquire);
		const cop_pa pa = (e & (COP_LG2(54) - 1)) >> 10 << 12;

		if (!(e & 1))
			return COP_PA_NONE;
		if (e & 0xe)
			return pa | (va & (COP_LG2(shift) - 1));
		table = cop_phys(pa);
	}
}
