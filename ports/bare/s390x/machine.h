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

#define S390X_CR0_IEP (1ULL << 43) /* instruction-execution protection */

/* What start.S leaves on the stack. */
struct s390x_frame {
	uint64_t r[16];
	uint64_t psw_mask, psw_address;
};

/* What LOAD REAL ADDRESS says: condition code 0 and an address, or 3 and a program interruption code. */
struct s390x_lra {
	uint64_t value;
	unsigned cc;
};

static inline struct s390x_lra s390x_lra(cop_va va)
{
	struct s390x_lra out = {.value = 0};

	__asm__ volatile("lra %0, 0(%2)\n\tipm %1" : "+d"(out.value), "=d"(out.cc) : "a"(va) : "cc", "memory");
	out.cc = out.cc >> 28 & 3;
	return out;
}

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

/* Primary address space. */
static inline void s390x_set_asce(uint64_t v)
{
	__asm__ volatile("lctlg 1, 1, %0" : : "S"(v) : "memory");
}

static inline void s390x_purge(void)
{
	__asm__ volatile("ptlb" ::: "memory");
}

uint64_t s390x_asce(const struct cop_geom *geom, cop_pa root);
/* Translation on, for this code and for interrupts; program checks are handled without. */
void s390x_translate(void);
void s390x_translate_not(void);
/* Program interruption code of the last bare_touch() on this CPU; 0: there was none. */
unsigned s390x_touched(void);
bool s390x_facility(unsigned bit);
void s390x_console_init(void);
/* Bytes of memory, from 0 on. */
uint64_t s390x_memory(void);

#endif
