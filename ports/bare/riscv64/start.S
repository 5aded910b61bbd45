/* SPDX-License-Identifier: MIT */
/* From reset or SBI firmware to C, translation off; and traps, to C with the registers in a struct frame (cpu.c). */
#include "ports/bare/riscv64/layout.h"

#define FRAME_BYTES 288

	.section .text.start, "ax"
	.global _start
/* a0: number of this hart. With no firmware all harts come here: the others wait for ever. */
_start:
#ifdef BARE_MACHINE_MODE
	csrr	a0, mhartid
	beqz	a0, 2f
1:	wfi
	j	1b
2:
#endif
	la	t0, bare_bss_start
	la	t1, bare_bss_end
3:	sd	zero, (t0)
	addi	t0, t0, 8
	bltu	t0, t1, 3b
	la	tp, bare_cpus
	la	sp, bare_stacks + (1 << BARE_STACK_LG2)
	la	t0, bare_boot_hart
	sd	a0, (t0)
	call	bare_cpu_init
	tail	bare_begin

/* SBI HSM hands over a1, which is the address of this CPU's struct bare_cpu. */
	.global bare_secondary
bare_secondary:
	mv	tp, a1
	lwu	t0, (tp)
	addi	t0, t0, 1
	slli	t0, t0, BARE_STACK_LG2
	la	sp, bare_stacks
	add	sp, sp, t0
	call	bare_cpu_init
	tail	bare_begin_secondary

	.text
	.balign	4
	.global bare_vector
bare_vector:
	addi	sp, sp, -FRAME_BYTES
	sd	x1, 8(sp)
	sd	x3, 24(sp)
	sd	x4, 32(sp)
	sd	x5, 40(sp)
	sd	x6, 48(sp)
	sd	x7, 56(sp)
	sd	x8, 64(sp)
	sd	x9, 72(sp)
	sd	x10, 80(sp)
	sd	x11, 88(sp)
	sd	x12, 96(sp)
	sd	x13, 104(sp)
	sd	x14, 112(sp)
	sd	x15, 120(sp)
	sd	x16, 128(sp)
	sd	x17, 136(sp)
	sd	x18, 144(sp)
	sd	x19, 152(sp)
	sd	x20, 160(sp)
	sd	x21, 168(sp)
	sd	x22, 176(sp)
	sd	x23, 184(sp)
	sd	x24, 192(sp)
	sd	x25, 200(sp)
	sd	x26, 208(sp)
	sd	x27, 216(sp)
	sd	x28, 224(sp)
	sd	x29, 232(sp)
	sd	x30, 240(sp)
	sd	x31, 248(sp)
	addi	t0, sp, FRAME_BYTES
	sd	t0, 16(sp)
	csrr	t0, CSR_EPC
	sd	t0, 256(sp)
	csrr	t0, CSR_STATUS
	sd	t0, 264(sp)
	mv	a0, sp
	call	bare_exception
	ld	t0, 256(sp)
	csrw	CSR_EPC, t0
	ld	t0, 264(sp)
	csrw	CSR_STATUS, t0
	ld	x1, 8(sp)
	ld	x5, 40(sp)
	ld	x6, 48(sp)
	ld	x7, 56(sp)
	ld	x8, 64(sp)
	ld	x9, 72(sp)
	ld	x10, 80(sp)
	ld	x11, 88(sp)
	ld	x12, 96(sp)
	ld	x13, 104(sp)
	ld	x14, 112(sp)
	ld	x15, 120(sp)
	ld	x16, 128(sp)
	ld	x17, 136(sp)
	ld	x18, 144(sp)
	ld	x19, 152(sp)
	ld	x20, 160(sp)
	ld	x21, 168(sp)
	ld	x22, 176(sp)
	ld	x23, 184(sp)
	ld	x24, 192(sp)
	ld	x25, 200(sp)
	ld	x26, 208(sp)
	ld	x27, 216(sp)
	ld	x28, 224(sp)
	ld	x29, 232(sp)
	ld	x30, 240(sp)
	ld	x31, 248(sp)
	addi	sp, sp, FRAME_BYTES
	TRAP_RET

/* bare_touch_load(va), bare_touch_store(va, value): the one instruction that may fault is the first. */
	.global bare_touch_load, bare_touch_store, bare_touch_failed
bare_touch_load:
	ld	a0, (a0)
	ret
bare_touch_store:
	sd	a1, (a0)
	mv	a0, a1
bare_touch_failed:
	ret

	.bss
	.balign	16
	.global bare_stacks
bare_stacks:
	.space	4 << BARE_STACK_LG2
