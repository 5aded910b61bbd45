/* SPDX-License-Identifier: MIT */
/* From power on to C, and what a CPU does when it is interrupted. Addresses are real until the kernel has a tree. */
#include "ports/bare/s390x/layout.h"

	.section .text.start, "ax"
	.globl start
start:
	larl %r15, s390x_stacks + S390X_STACK - 160
	lghi %r2, 0
	brasl %r14, s390x_main
	j .

/* Restarted by SIGP: its stack is in its prefix area. */
	.globl s390x_secondary
s390x_secondary:
	lg %r15, LC_STACK(%r0)
	lg %r2, LC_SELF(%r0)
	llgf %r2, 0(%r2)
	brasl %r14, s390x_main
	j .

/* struct s390x_frame on the stack: registers, then the old PSW. Its length keeps the stack aligned to 8. */
	.macro interrupted saved, old, handler
	stmg %r0, %r15, \saved(%r0)
	aghi %r15, -(160 + 16 * 8 + 16)
	mvc 160(16 * 8, %r15), \saved(%r0)
	mvc 160 + 16 * 8(16, %r15), \old(%r0)
	la %r2, 160(%r15)
	brasl %r14, \handler
	mvc \old(16, %r0), 160 + 16 * 8(%r15)
	lmg %r0, %r15, 160(%r15)
	lpswe \old(%r0)
	.endm

	.text
	.globl s390x_external, s390x_program
s390x_external:
	interrupted LC_EXTERNAL_SAVED, LC_EXTERNAL_OLD_PSW, s390x_interrupt
s390x_program:
	interrupted LC_PROGRAM_SAVED, LC_PROGRAM_OLD_PSW, s390x_trap

/*
 * s390x_touch_load(va, value), s390x_touch_store(), s390x_touch_fetch(): one access each. A program check goes on at
 * s390x_touch_failed, and so does a supervisor call, which is what is fetched.
 */
	.globl s390x_touch_load, s390x_touch_store, s390x_touch_fetch, s390x_touch_failed
s390x_touch_load:
	lg %r2, 0(%r2)
	br %r14
s390x_touch_store:
	stg %r3, 0(%r2)
	br %r14
s390x_touch_fetch:
	br %r2
s390x_touch_failed:
	br %r14

	.bss
	.globl s390x_stacks
	.balign 4096
s390x_stacks:	.skip S390X_STACK * S390X_CPUS

	.section .note.GNU-stack, "", @progbits
