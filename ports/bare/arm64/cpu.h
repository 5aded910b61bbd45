/* SPDX-License-Identifier: MIT */
/* What the files of the arm64 port share. */
#ifndef COPPICE_BARE_ARM64_CPU_H
#define COPPICE_BARE_ARM64_CPU_H

#include "ports/bare/common/bare.h"

#define READ_SYSREG(name)                                                                                              \
	__extension__({                                                                                                \
		uint64_t value_;                                                                                       \
		__asm__ volatile("mrs %0, " #name : "=r"(value_)::"memory");                                           \
		value_;                                                                                                \
	})
#define WRITE_SYSREG(name, value) __asm__ volatile("msr " #name ", %0" ::"r"((uint64_t)(value)) : "memory")

struct frame;

/* start.S */
extern const char bare_vectors[], bare_secondary[], bare_touch_failed[];
uint64_t bare_touch_load(cop_va va);
uint64_t bare_touch_store(cop_va va, uint64_t value);
void bare_mmu_load(void); /* bare_mmu_state */

/* cpu.c */
bool bare_at_el2(void);
struct bare_outcome bare_fault_of(uint64_t fsc);
void bare_exception(unsigned vector, struct frame *frame);
void bare_cpu_init(void);

/* mmu.c */
#define ARM64_TCR_BASE ((1ULL << 8 | 1ULL << 10 | 3ULL << 12) * 0x10001) /* write-back, inner shareable; both halves */
#define ARM64_TCR_EPD1 (1ULL << 23)
#define ARM64_TCR_DS   (1ULL << 59)
#define ARM64_TCR_HA   (1ULL << 39)
#define ARM64_TCR_HD   (1ULL << 40)
#define ARM64_TCR_AS   (1ULL << 36)
#define ARM64_TCR_HPD  (3ULL << 41)
#define ARM64_MAIR     BARE_MAIR /* as formats/arm64.h: Normal, Tagged, NC, Device-nGnRnE, Device-nGnRE */
/* T0SZ and TG0 of a tree in the lower half, or T1SZ and TG1; and what both halves share. */
uint64_t arm64_tcr_of(const struct cop_geom *geom);
uint64_t arm64_ips_of(const struct cop_geom *geom);
uint64_t arm64_ttbr_of(cop_pa root, uint32_t asid);
/* Another CPU is to translate as this one does. */
void bare_mmu_remember(void);

#endif
