/* SPDX-License-Identifier: MIT */
#include "tests/bare/broken.h"

#define PSCI_SYSTEM_RESET 0x84000009UL

void broken_reset(void)
{
	register uint64_t x0 __asm__("x0") = PSCI_SYSTEM_RESET;

	__asm__ volatile("hvc #0" : "+r"(x0)::"memory");
	for (;;)
		bare_pause();
}
