/* SPDX-License-Identifier: MIT */
/*
 * x86_probe_enter(struct x86_probe *, rip, va, value, cs, ss): run code at rip with va and value in its first two
 * argument registers, at the privilege of cs, until it traps. It resumes here, with the registers saved by the caller
 * restored; x86_trap() has filled in the rest of the struct.
 */
	.text
	.globl x86_probe_enter
x86_probe_enter:
	push %rbx
	push %rbp
	push %r12
	push %r13
	push %r14
	push %r15
	lea 1f(%rip), %rax
	mov %rax, (%rdi)
	mov %rsp, 8(%rdi)
	mov %rsp, %rax
	push %r9  /* ss */
	push %rax /* rsp */
	push $2   /* flags: interrupts off */
	push %r8  /* cs */
	push %rsi /* rip */
	mov %rdx, %rdi
	mov %rcx, %rsi
	xor %eax, %eax
	iretq
1:	pop %r15
	pop %r14
	pop %r13
	pop %r12
	pop %rbp
	pop %rbx
	ret

/* What a probe does, for the kernel here and for user code in a copy: position-independent. */
	.globl x86_probe_code, x86_probe_load, x86_probe_store
	.balign 4096 /* mapped for the user, alone */
x86_probe_code:
x86_probe_load:
	mov (%rdi), %rax
	int $0x80
	.balign 16
x86_probe_store:
	mov %rsi, (%rdi)
	int $0x80
	.balign 4096

	.section .note.GNU-stack, "", @progbits
