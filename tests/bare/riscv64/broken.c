/* SPDX-License-Identifier: MIT */
#include "tests/bare/broken.h"

#include "ports/bare/riscv64/layout.h"

#define FINISHER_RESET 0x7777U

void broken_reset(void)
{
	*(volatile uint32_t *)(uintptr_t)BARE_FINISHER = FINISHER_RESET;
	for (;;)
		bare_pause();
}
