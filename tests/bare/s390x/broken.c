/* SPDX-License-Identifier: MIT */
#include "tests/bare/broken.h"

/* DIAGNOSE 308: load clear, which begins with a system reset (Linux arch/s390/include/uapi/asm/ipl.h). */
#define LOAD_CLEAR 3

void broken_reset(void)
{
	register uint64_t address __asm__("2") = 0;
	register uint64_t subcode __asm__("4") = LOAD_CLEAR;

	__asm__ volatile("diag %0, %1, 0x308" : "+d"(address) : "d"(subcode) : "cc", "memory");
	for (;;)
		bare_pause();
}
