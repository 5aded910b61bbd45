/* SPDX-License-Identifier: MIT */
/* Fetches at EL1 or EL0 from EL2: go there, and come back by HVC whatever happens. */

/* bare_fetch_at(va, spsr): what is there is an HVC (undefined at EL0), or cannot be fetched. */
	.text
	.global bare_fetch_at, bare_fetch_back
bare_fetch_at:
	msr	elr_el2, x0
	msr	spsr_el2, x1
	eret
bare_fetch_back:
	ret

/* bare_at_...(va): PAR_EL1. The first instruction may fault. */
	.macro	translate name
	.global bare_at_\name
bare_at_\name:
	at	\name, x0
	isb
	mrs	x0, par_el1
	ret
	.endm
	translate s1e1r
	translate s1e1w
	translate s1e0r
	translate s1e0w

/* EL1's vectors, mapped in the half that is not under test: straight back to EL2. */
	.balign	65536
	.global bare_el1_vectors
bare_el1_vectors:
	.rept	16
	.balign	128
	hvc	#0
	.endr
	.balign	65536
