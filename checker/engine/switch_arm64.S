/* SPDX-License-Identifier: MIT */
/* void coroutine_switch(void **from, void *to): the registers a callee keeps (AAPCS64, 6.1), and the stack. */
#ifdef __aarch64__
	.text
	.globl	coroutine_switch
	.type	coroutine_switch, %function
	.p2align 4
coroutine_switch:
	stp	x29, x30, [sp, #-160]!
	stp	x19, x20, [sp, #16]
	stp	x21, x22, [sp, #32]
	stp	x23, x24, [sp, #48]
	stp	x25, x26, [sp, #64]
	stp	x27, x28, [sp, #80]
	stp	d8, d9, [sp, #96]
	stp	d10, d11, [sp, #112]
	stp	d12, d13, [sp, #128]
	stp	d14, d15, [sp, #144]
	mov	x9, sp
	str	x9, [x0]
	mov	sp, x1
	ldp	x19, x20, [sp, #16]
	ldp	x21, x22, [sp, #32]
	ldp	x23, x24, [sp, #48]
	ldp	x25, x26, [sp, #64]
	ldp	x27, x28, [sp, #80]
	ldp	d8, d9, [sp, #96]
	ldp	d10, d11, [sp, #112]
	ldp	d12, d13, [sp, #128]
	ldp	d14, d15, [sp, #144]
	ldp	x29, x30, [sp], #160
	ret
	.size	coroutine_switch, . - coroutine_switch
#endif
#ifdef __ELF__
	.section .note.GNU-stack, "", %progbits
#endif
