/* SPDX-License-Identifier: MIT */
/* What the files of the riscv64 port share. */
#ifndef COPPICE_BARE_RISCV64_CPU_H
#define COPPICE_BARE_RISCV64_CPU_H

#include "ports/bare/common/bare.h"

#define CSR_NAME_(csr) #csr
#define CSR_NAME(csr)  CSR_NAME_(csr)
#define READ_CSR(csr)                                                                                                  \
	__extension__({                                                                                                \
		uint64_t value_;                                                                                       \
		__asm__ volatile("csrr %0, " CSR_NAME(csr) : "=r"(value_)::"memory");                                  \
		value_;                                                                                                \
	})
#define WRITE_CSR(csr, value) __asm__ volatile("csrw " CSR_NAME(csr) ", %0" ::"r"((uint64_t)(value)) : "memory")
#define SET_CSR(csr, bits)    __asm__ volatile("csrs " CSR_NAME(csr) ", %0" ::"r"((uint64_t)(bits)) : "memory")
#define CLEAR_CSR(csr, bits)  __asm__ volatile("csrc " CSR_NAME(csr) ", %0" ::"r"((uint64_t)(bits)) : "memory")

#define MSTATUS_MPP      (3ULL << 11)
#define MSTATUS_MPP_S    (1ULL << 11)
#define MSTATUS_MPRV     (1ULL << 17)
#define STATUS_SUM       (1ULL << 18)
#define CAUSE_INTERRUPT  (1ULL << 63)
#define CAUSE_BREAKPOINT 3

struct frame;

/* start.S */
extern const char bare_vector[], bare_secondary[], bare_touch_failed[], bare_text_end[];
uint64_t bare_touch_load(cop_va va);
uint64_t bare_touch_store(cop_va va, uint64_t value);

/* cpu.c */
extern uint64_t bare_boot_hart;
uint64_t bare_hart_of(unsigned cpu);
struct sbi_ret {
	int64_t error, value;
};
struct sbi_ret bare_sbi(uint64_t extension, uint64_t function, uint64_t a0, uint64_t a1, uint64_t a2, uint64_t a3,
			uint64_t a4);
struct bare_outcome bare_fault_of(uint64_t cause);
void bare_exception(struct frame *frame);
void bare_cpu_init(void);

/* mmu.c */
uint32_t riscv_features(void);
uint64_t riscv_satp_of(const struct cop_geom *geom, cop_pa root, uint32_t asid);
/* Another CPU is to translate as this one does; that CPU does. */
void bare_mmu_remember(void);
void bare_mmu_recall(void);

#endif
