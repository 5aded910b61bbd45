/* SPDX-License-Identifier: MIT */
#include "tests/bare/count.h"
#include "ports/bare/arm64/cpu.h"

#define INST_RETIRED 8 /* D13.12.3 */

bool bare_count_start(void)
{
	uint64_t before;

	if (!(READ_SYSREG(pmceid0_el0) & COP_LG2(INST_RETIRED)))
		return false;
	WRITE_SYSREG(pmevtyper0_el0, INST_RETIRED);
	WRITE_SYSREG(pmcntenset_el0, 1);
	WRITE_SYSREG(pmcr_el0, READ_SYSREG(pmcr_el0) | 1);
	__asm__ volatile("isb");
	before = bare_instructions();
	return bare_instructions() != before;
}

/* 32 bits of it. */
uint64_t bare_instructions(void)
{
	__asm__ volatile("isb");
	return READ_SYSREG(pmevcntr0_el0) & 0xffffffff;
}

/* 4K granule, levels 0 to 3. */
cop_pa bare_hand_walk(const uint64_t *root, cop_va va)
{
	const uint64_t *table = root;

	for (unsigned shift = 39;; shift -= 9) {
		const uint64_t e = cop_load(&table[va >> shift & 511], acquire);
		const uint64_t inside = COP_LG2(shift) - 1;

		if (!(e & 1))
			return COP_PA_NONE;
		if (shift == 12 || !(e & 2))
			return (e & 0xfffffffff000 & ~inside) | (va & inside);
		table = cop_phys(e & 0xfffffffff000);
	}
}
