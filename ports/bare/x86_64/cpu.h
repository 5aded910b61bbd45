/* SPDX-License-Identifier: MIT */
/* What the files of this port, and the programs on it, know of the CPU. */
#ifndef COPPICE_BARE_X86_64_CPU_H
#define COPPICE_BARE_X86_64_CPU_H

#include "ports/bare/x86_64/layout.h"

#include "coppice.h"

/* Vectors of our own. */
#define X86_VECTOR_CALL     0x80 /* user code gives up */
#define X86_VECTOR_IPI      0xf0
#define X86_VECTOR_SPURIOUS 0xff

#define X86_CR0_WP    (1ULL << 16)
#define X86_CR4_PGE   (1ULL << 7)
#define X86_CR4_LA57  (1ULL << 12)
#define X86_CR4_PCIDE (1ULL << 17)
#define X86_CR4_SMEP  (1ULL << 20)
#define X86_CR4_SMAP  (1ULL << 21)
#define X86_EFER      0xc0000080U
#define X86_EFER_NXE  (1ULL << 11)
#define X86_MSR_PAT   0x277U
#define X86_MSR_GS    0xc0000101U

/* What trap: in start.S leaves on the stack. */
struct x86_frame {
	uint64_t r15, r14, r13, r12, r11, r10, r9, r8, rdi, rsi, rbp, rbx, rdx, rcx, rax;
	uint64_t vector, error;
	uint64_t rip, cs, flags, rsp, ss;
};

static inline uint64_t x86_cr0(void)
{
	uint64_t v;

	__asm__ volatile("mov %%cr0, %0" : "=r"(v));
	return v;
}

static inline void x86_set_cr0(uint64_t v)
{
	__asm__ volatile("mov %0, %%cr0" : : "r"(v) : "memory");
}

static inline uint64_t x86_cr2(void)
{
	uint64_t v;

	__asm__ volatile("mov %%cr2, %0" : "=r"(v));
	return v;
}

static inline uint64_t x86_cr3(void)
{
	uint64_t v;

	__asm__ volatile("mov %%cr3, %0" : "=r"(v));
	return v;
}

static inline void x86_set_cr3(uint64_t v)
{
	__asm__ volatile("mov %0, %%cr3" : : "r"(v) : "memory");
}

static inline uint64_t x86_cr4(void)
{
	uint64_t v;

	__asm__ volatile("mov %%cr4, %0" : "=r"(v));
	return v;
}

static inline void x86_set_cr4(uint64_t v)
{
	__asm__ volatile("mov %0, %%cr4" : : "r"(v) : "memory");
}

static inline uint64_t x86_rdmsr(uint32_t msr)
{
	uint32_t low, high;

	__asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(msr));
	return low | (uint64_t)high << 32;
}

static inline void x86_wrmsr(uint32_t msr, uint64_t v)
{
	__asm__ volatile("wrmsr" : : "c"(msr), "a"((uint32_t)v), "d"((uint32_t)(v >> 32)) : "memory");
}

struct x86_cpuid {
	uint32_t a, b, c, d;
};

static inline struct x86_cpuid x86_cpuid(uint32_t leaf)
{
	struct x86_cpuid r;

	__asm__ volatile("cpuid" : "=a"(r.a), "=b"(r.b), "=c"(r.c), "=d"(r.d) : "a"(leaf), "c"(0));
	return r;
}

static inline void x86_out(uint16_t port, uint8_t v)
{
	__asm__ volatile("outb %0, %1" : : "a"(v), "Nd"(port));
}

static inline uint8_t x86_in(uint16_t port)
{
	uint8_t v;

	__asm__ volatile("inb %1, %0" : "=a"(v) : "Nd"(port));
	return v;
}

#endif
