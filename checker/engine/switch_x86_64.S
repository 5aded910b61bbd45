/* SPDX-License-Identifier: MIT */
/* void coroutine_switch(void **from, void *to): the registers a callee keeps (System V AMD64 ABI, 3.2.1), and the stack. */
#ifdef __x86_64__
	.text
	.globl	coroutine_switch
	.type	coroutine_switch, @function
	.p2align 4
coroutine_switch:
	pushq	%rbp
	pushq	%rbx
	pushq	%r12
	pushq	%r13
	pushq	%r14
	pushq	%r15
	movq	%rsp, (%rdi)
	movq	%rsi, %rsp
	popq	%r15
	popq	%r14
	popq	%r13
	popq	%r12
	popq	%rbx
	popq	%rbp
	ret
	.size	coroutine_switch, . - coroutine_switch
#endif
#ifdef __ELF__
	.section .note.GNU-stack, "", %progbits
#endif
