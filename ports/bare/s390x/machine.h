/* SPDX-License-Identifier: MIT */
/* What the files of this port share, and what its programs may use of the machine beside the library's port. */
#ifndef COPPICE_BARE_S390X_MACHINE_H
#define COPPICE_BARE_S390X_MACHINE_H

#include "ports/bare/common/bare.h"

/* Program interruption codes (SA22-7832 chapter 6). */
enum s390x_program {
	S390X_PROTECTION = 0x04,
	S390X_ADDRESSING = 0x05,
	S390X_SEGMENT = 0x10,
	S390X_PAGE = 0x11,
	S390X_SPECIFICATION = 0x12, /* translation specification */
	S390X_ASCE_TYPE = 0x38,
	S390X_REGION_FIRST = 0x39,
	S390X_REGION_SECOND = 0x3a,
	S390X_REGION_THIRD = 0x3b,
};

extern char s390x_text[], s390x_text_end[], s390x_image_end[];

#define S390X_CR0_IEP (1ULL << 20) /* instruction-execution protection */

/* What start.S leaves on the stack. */
struct s390x_frame {
	uint64_t r[16];
	uint64_t psw_mask, psw_address;
};

static inline uint64_t s390x_cr0(void)
{
	uint64_t v;

	__asm__ volatile("stctg 0, 0, %0" : "=S"(v));
	return v;
}

static inline void s390x_set_cr0(uint64_t v)
{
	__asm__ volatile("lctlg 0, 0, %0" : : "S"(v) : "memory");
}

/* The primary address space: code, and data as long as no other is chosen. */
static inline void s390x_set_primary(uint64_t asce)
{
	__asm__ volatile("lctlg 1, 1, %0" : : "S"(asce) : "memory");
}

static inline void s390x_purge(void)
{
	__asm__ volatile("ptlb" ::: "memory");
}

/* No entry, or none that is valid. */
static inline bool s390x_translates_not(unsigned code)
{
	return code == S390X_SEGMENT || code == S390X_PAGE || (code >= S390X_ASCE_TYPE && code <= S390X_REGION_THIRD);
}

uint64_t s390x_asce(const struct cop_geom *geom, cop_pa root);
bool s390x_facility(unsigned bit);
#define FACILITY_EDAT1 8
#define FACILITY_EDAT2 78
#define FACILITY_IEP   130

/* By tables of its own, as soon as bare_ram_end is known. */
void s390x_mmu_boot(void);
/* Translation on, for this code and for what interrupts it. */
void s390x_translate(void);
/* As the other CPUs do. */
void s390x_mmu_recall(void);
/* how() is a single access: a program check in it is the answer. */
struct bare_outcome s390x_touch(uint64_t (*how)(cop_va va, uint64_t value), cop_va va, uint64_t value);
/* What a program interruption code says; 0: nothing. */
struct bare_outcome s390x_outcome(unsigned code);

void s390x_console_init(void);
/* Bytes of memory, from 0 on. */
uint64_t s390x_memory(void);

#endif
