/* SPDX-License-Identifier: MIT */
#include "tests/bare/broken.h"

/* A fault with no way to tell of it, nor of that: SDM 3A 6.15, "Double Fault Exception". */
void broken_reset(void)
{
	const struct {
		uint16_t limit;
		uint64_t base;
	} __attribute__((packed)) nothing = {0, 0};

	__asm__ volatile("lidt %0\n\tint3" : : "m"(nothing) : "memory");
	for (;;)
		bare_pause();
}
