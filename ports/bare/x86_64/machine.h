/* SPDX-License-Identifier: MIT */
/* What the files of this port share, and what its programs may use of the machine beside the library's port. */
#ifndef COPPICE_BARE_X86_64_MACHINE_H
#define COPPICE_BARE_X86_64_MACHINE_H

#include "ports/bare/x86_64/cpu.h"

#include "ports/bare/common/bare.h"

/*
 * struct x86_probe - one access, made to see what it does
 * @rip, @rsp: where to go on; rip 0: no probe is under way
 * @vector: how it ended: X86_VECTOR_CALL, or the exception
 * @value: RAX then
 */
struct x86_probe {
	uint64_t rip, rsp;
	uint64_t vector, error, cr2, value;
};

/*
 * struct x86_cpu - what this port knows of one CPU
 * @pending: invalidations issued, of which the other CPUs have not been told
 * @probe: under way, if its rip is set
 */
struct x86_cpu {
	struct cop_tlbi pending;
	bool is_pending;
	struct x86_probe probe;
};

extern struct x86_cpu x86_cpus[BARE_CPUS];
extern uint64_t x86_gdt[], x86_identity[];
extern const char x86_probe_code[], x86_text[], x86_text_end[];

static inline struct x86_cpu *x86_self(void)
{
	return &x86_cpus[cop_cpu()];
}

void x86_probe_enter(struct x86_probe *, uint64_t rip, cop_va va, uint64_t value, uint64_t cs, uint64_t ss);
void x86_main(unsigned cpu);
void x86_trap(struct x86_frame *);
const struct x86_probe *x86_touch(cop_va va, unsigned access, uint64_t value);
/* enum bare_fault of how a probe ended. */
uint8_t x86_fault_of(const struct x86_probe *);
void x86_map_user_code(void);
/* The other CPUs translate as the one that started them. */
void x86_mmu_recall(void);

#endif
