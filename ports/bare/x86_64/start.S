/* SPDX-License-Identifier: MIT */
/*
 * From power on to C: PVH entry (32-bit, paging off), long mode with as many levels as the CPU has, the other CPUs'
 * entry, exceptions.
 */
#include "ports/bare/x86_64/layout.h"

	.section .note.pvh, "a", @note
	.long 4, 8, 18 /* XEN_ELFNOTE_PHYS32_ENTRY */
	.asciz "Xen"
	.quad start

	.section .text.start, "ax"
	.code32
	.globl start
start:
	cld
	mov %ebx, x86_pvh_info
	mov $x86_stacks + X86_STACK, %esp

	/* The low 4 GB at their own addresses: the device registers are there. */
	mov $boot_pd, %edi
	mov $0x83, %eax /* present, writable, 2 MB */
	xor %edx, %edx
	mov $2048, %ecx
1:	mov %eax, (%edi)
	mov %edx, 4(%edi)
	add $0x200000, %eax
	add $8, %edi
	loop 1b
	mov $boot_pd + 3, %eax
	mov $x86_identity, %edi
	mov $4, %ecx
1:	mov %eax, (%edi)
	add $4096, %eax
	add $8, %edi
	loop 1b
	movl $x86_identity + 7, x86_identity_4 /* what the user may do is a leaf's to say */
	movl $x86_identity_4 + 7, boot_pml5

	/* CPUID.7.0:ECX[16]: five levels. */
	movl $x86_identity_4, boot_root
	movl $(1 << 5 | 1 << 7), boot_cr4 /* PAE, PGE */
	mov $7, %eax
	xor %ecx, %ecx
	cpuid
	test $(1 << 16), %ecx
	jz long_mode
	movl $boot_pml5, boot_root
	orl $(1 << 12), boot_cr4 /* LA57 */

/* Every CPU: flat 32-bit segments, %esp set. */
long_mode:
	mov boot_cr4, %eax
	mov %eax, %cr4
	mov boot_root, %eax
	mov %eax, %cr3
	mov $0xc0000080, %ecx /* IA32_EFER */
	rdmsr
	or $(1 << 8 | 1 << 11), %eax /* LME, NXE */
	wrmsr
	mov $0x80010033, %eax /* PG, WP, NE, ET, MP, PE */
	mov %eax, %cr0
	lgdt gdt_pointer
	ljmp $X86_CODE, $1f
	.code64
1:	mov $X86_DATA, %eax
	mov %eax, %ds
	mov %eax, %es
	mov %eax, %ss
	mov %eax, %fs
	mov %eax, %gs
	xor %ebp, %ebp
	mov x86_started, %edi
	call x86_main
2:	hlt
	jmp 2b

/* INIT-SIPI leaves a CPU in real mode at X86_TRAMPOLINE, where this was copied to. */
	.code16
	.globl x86_trampoline, x86_trampoline_end
x86_trampoline:
	cli
	mov %cs, %ax
	mov %ax, %ds
	lgdtl gdt_pointer_low - x86_trampoline
	mov $1, %eax
	mov %eax, %cr0
	ljmpl $X86_CODE_32, $secondary
	.balign 4
gdt_pointer_low:
	.word X86_GDT_BYTES - 1
	.long x86_gdt
x86_trampoline_end:

	.code32
secondary:
	mov $X86_DATA, %eax
	mov %eax, %ds
	mov %eax, %es
	mov %eax, %ss
	/* One at a time: the starter has written x86_started. */
	mov x86_started, %esp
	inc %esp
	imul $X86_STACK, %esp
	add $x86_stacks, %esp
	jmp long_mode
	.code64

/*
 * Exceptions: 16 bytes of stub for each vector, so that the table is arithmetic. Those without an error code push 0.
 */
	.text
	.globl x86_stubs
	.balign 16
x86_stubs:
	vector = 0
	.rept 256
	.balign 16
	.if !(vector == 8 || (vector >= 10 && vector <= 14) || vector == 17 || vector == 21)
	push $0
	.endif
	push $vector
	jmp trap
	vector = vector + 1
	.endr

/* struct x86_frame, built from its end. */
trap:
	cld
	push %rax
	push %rcx
	push %rdx
	push %rbx
	push %rbp
	push %rsi
	push %rdi
	push %r8
	push %r9
	push %r10
	push %r11
	push %r12
	push %r13
	push %r14
	push %r15
	mov %rsp, %rdi
	call x86_trap
	pop %r15
	pop %r14
	pop %r13
	pop %r12
	pop %r11
	pop %r10
	pop %r9
	pop %r8
	pop %rdi
	pop %rsi
	pop %rbp
	pop %rbx
	pop %rdx
	pop %rcx
	pop %rax
	add $16, %rsp
	iretq

	.data
	.globl x86_started, x86_pvh_info
	.balign 8
x86_started:	.quad 0
boot_root:	.quad 0
boot_cr4:	.quad 0
x86_pvh_info:	.quad 0
gdt_pointer:
	.word X86_GDT_BYTES - 1
	.quad x86_gdt

/* Null, 32-bit code, data, 64-bit code, user data, user 64-bit code, then one task segment of 16 bytes for each CPU. */
	.globl x86_gdt
	.balign 16
x86_gdt:
	.quad 0
	.quad 0x00cf9b000000ffff
	.quad 0x00cf93000000ffff
	.quad 0x00af9b000000ffff
	.quad 0x00cff3000000ffff
	.quad 0x00affb000000ffff
	.fill X86_CPUS * 2, 8, 0

	.bss
	.globl x86_identity
	.balign 4096
boot_pml5:	.skip 4096
x86_identity_4:	.skip 4096
x86_identity:	.skip 4096
boot_pd:	.skip 4 * 4096
x86_stacks:	.skip X86_STACK * X86_CPUS

	.section .note.GNU-stack, "", @progbits
