/* SPDX-License-Identifier: MIT */
/* From reset to C, at EL1 or EL2, MMU off; and exceptions, to C with the registers in a struct frame (cpu.c). */
#include "ports/bare/arm64/layout.h"

#define FRAME_BYTES 288

	.section .text.start, "ax"
	.global _start
_start:
	ldr	x1, =bare_bss_start
	ldr	x2, =bare_bss_end
1:	stp	xzr, xzr, [x1], #16
	cmp	x1, x2
	b.lo	1b
	ldr	x0, =bare_cpus
	msr	tpidr_el1, x0
	ldr	x1, =bare_stacks + (1 << BARE_STACK_LG2)
	mov	sp, x1
	bl	bare_cpu_init
	b	bare_begin

/*
 * Translation on, by bare_mmu_state. Clobbers x9 to x13.
 */
	.global bare_mmu_load
bare_mmu_load:
	ldr	x9, =bare_mmu_state
	ldp	x10, x11, [x9]
	ldp	x12, x13, [x9, #16]
	ldr	x9, =BARE_MAIR
	msr	mair_el1, x9
	msr	tcr_el1, x12
	msr	ttbr0_el1, x10
	msr	ttbr1_el1, x11
	isb
	tlbi	vmalle1
	dsb	nsh
	isb
	msr	sctlr_el1, x13
	isb
	ret

/*
 * PSCI hands over x0, which is the address of this CPU's struct bare_cpu. Its cache is off together with its MMU: until
 * that is on it looks at nothing else that the other CPU has written, and writes nothing.
 */
	.global bare_secondary
bare_secondary:
	msr	tpidr_el1, x0
	bl	bare_mmu_load
	ldr	w2, [x0]
	ldr	x1, =bare_stacks
	add	x2, x2, #1
	add	x1, x1, x2, lsl #BARE_STACK_LG2
	mov	sp, x1
	bl	bare_cpu_init
	b	bare_begin_secondary

	.macro	vector kind
	.balign	128
	sub	sp, sp, #FRAME_BYTES
	stp	x0, x1, [sp, #0]
	mov	x0, #\kind
	b	save
	.endm

	.text
	.balign	2048
	.global bare_vectors
bare_vectors:
	.set	n, 0
	.rept	16
	vector	n
	.set	n, n + 1
	.endr

save:
	stp	x2, x3, [sp, #16]
	stp	x4, x5, [sp, #32]
	stp	x6, x7, [sp, #48]
	stp	x8, x9, [sp, #64]
	stp	x10, x11, [sp, #80]
	stp	x12, x13, [sp, #96]
	stp	x14, x15, [sp, #112]
	stp	x16, x17, [sp, #128]
	stp	x18, x19, [sp, #144]
	stp	x20, x21, [sp, #160]
	stp	x22, x23, [sp, #176]
	stp	x24, x25, [sp, #192]
	stp	x26, x27, [sp, #208]
	stp	x28, x29, [sp, #224]
	add	x2, sp, #FRAME_BYTES
	stp	x30, x2, [sp, #240]
	mrs	x3, CurrentEL
	cmp	x3, #8
	b.eq	1f
	mrs	x2, elr_el1
	mrs	x3, spsr_el1
	b	2f
1:	mrs	x2, elr_el2
	mrs	x3, spsr_el2
2:	stp	x2, x3, [sp, #256]
	mov	x1, sp
	bl	bare_exception
	ldp	x2, x3, [sp, #256]
	mrs	x4, CurrentEL
	cmp	x4, #8
	b.eq	1f
	msr	elr_el1, x2
	msr	spsr_el1, x3
	b	2f
1:	msr	elr_el2, x2
	msr	spsr_el2, x3
2:	ldp	x2, x3, [sp, #16]
	ldp	x4, x5, [sp, #32]
	ldp	x6, x7, [sp, #48]
	ldp	x8, x9, [sp, #64]
	ldp	x10, x11, [sp, #80]
	ldp	x12, x13, [sp, #96]
	ldp	x14, x15, [sp, #112]
	ldp	x16, x17, [sp, #128]
	ldp	x18, x19, [sp, #144]
	ldp	x20, x21, [sp, #160]
	ldp	x22, x23, [sp, #176]
	ldp	x24, x25, [sp, #192]
	ldp	x26, x27, [sp, #208]
	ldp	x28, x29, [sp, #224]
	ldr	x30, [sp, #240]
	ldp	x0, x1, [sp, #0]
	add	sp, sp, #FRAME_BYTES
	eret

/* bare_touch_load(va), bare_touch_store(va, value): the one instruction that may fault is the first. */
	.global bare_touch_load, bare_touch_store, bare_touch_failed
bare_touch_load:
	ldr	x0, [x0]
	ret
bare_touch_store:
	str	x1, [x0]
	mov	x0, x1
bare_touch_failed:
	ret

	.bss
	.balign	16
	.global bare_stacks
bare_stacks:
	.space	4 << BARE_STACK_LG2
