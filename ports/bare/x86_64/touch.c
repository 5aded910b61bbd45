/* SPDX-License-Identifier: MIT */
/* One access, made to see what comes of it: a fault is an answer. */
#include "ports/bare/x86_64/machine.h"

#define PAGE_FAULT 14

/* Error code of a page fault (SDM 3A 4.7). QEMU forgets P beside RSVD. */
#define ERROR_P    1U
#define ERROR_RSVD 8U

extern const char x86_probe_load[], x86_probe_store[];

uint8_t x86_fault_of(const struct x86_probe *probe)
{
	if (probe->vector == X86_VECTOR_CALL)
		return BARE_OK;
	if (probe->vector != PAGE_FAULT)
		return BARE_OTHER;
	if (probe->error & ERROR_RSVD)
		return BARE_RESERVED;
	return probe->error & ERROR_P ? BARE_PERMISSION : BARE_TRANSLATION;
}

static uint64_t code_at(const char *code, bool user)
{
	return user ? X86_USER_VA + (uint64_t)(code - x86_probe_code) : (uint64_t)(uintptr_t)code;
}

const struct x86_probe *x86_touch(cop_va va, unsigned access, uint64_t value)
{
	struct x86_probe *probe = &x86_self()->probe;
	const bool user = access & BARE_USER;
	const uintptr_t irqs = cop_irq_save();
	uint64_t rip = va;

	if ((access & BARE_ACCESS_MASK) == BARE_READ)
		rip = code_at(x86_probe_load, user);
	else if ((access & BARE_ACCESS_MASK) == BARE_WRITE)
		rip = code_at(x86_probe_store, user);
	x86_probe_enter(probe, rip, va, value, user ? X86_USER_CODE : X86_CODE, user ? X86_USER_DATA : X86_DATA);
	cop_irq_restore(irqs);
	return probe;
}

struct bare_outcome bare_touch(cop_va va, unsigned access, uint64_t value)
{
	const struct x86_probe *probe = x86_touch(va, access, value);

	return (struct bare_outcome){
		.fault = x86_fault_of(probe),
		.level = BARE_LEVEL_UNKNOWN,
		.pa = COP_PA_NONE,
		.value = probe->value,
	};
}
