/* SPDX-License-Identifier: MIT */
/*
 * Accesses to another address space than the one that this code runs in: data of the secondary space, code of the home
 * space. A program check goes on at s390x_touch_failed, in the primary space; so does the supervisor call that is fetched.
 */
#include "ports/bare/s390x/layout.h"

	.text
	.globl s390x_secondary_load, s390x_secondary_store, s390x_secondary_lra, s390x_home_fetch
/* (va, value) */
s390x_secondary_load:
	sacf 0x100
	lg %r2, 0(%r2)
	sacf 0
	br %r14
s390x_secondary_store:
	sacf 0x100
	stg %r3, 0(%r2)
	sacf 0
	br %r14
/* (va, where the condition code goes): the answer of LOAD REAL ADDRESS */
s390x_secondary_lra:
	lghi %r1, 0
	sacf 0x100
	lra %r1, 0(%r2)
	sacf 0
	ipm %r0
	srl %r0, 28
	st %r0, 0(%r3)
	lgr %r2, %r1
	br %r14
/* (va, PSW mask of the home space) */
s390x_home_fetch:
	stg %r3, 16(%r15)
	stg %r2, 24(%r15)
	lpswe 16(%r15)

	.section .note.GNU-stack, "", @progbits
