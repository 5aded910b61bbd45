/* SPDX-License-Identifier: MIT */
/*
 * Accesses as another mode makes them, from M mode: by mstatus.MPRV, or by going there. The trap that ends each comes back
 * to bare_probe_back (cpu.c), with MPRV clear.
 */
#include "ports/bare/riscv64/layout.h"

#define MPRV (1 << 17)

/* bare_probe_load(va, mode << 11), bare_probe_store(va, mode << 11, value) */
	.text
	.global bare_probe_load, bare_probe_store, bare_probe_fetch, bare_probe_back
	.macro	as_that_mode
	csrr	t1, mstatus
	li	t0, (3 << 11) | MPRV
	not	t0, t0
	and	t0, t1, t0
	or	a1, a1, t0
	li	t0, MPRV
	or	a1, a1, t0
	csrw	mstatus, a1
	.endm
bare_probe_load:
	as_that_mode
	ld	a0, (a0)
	csrw	mstatus, t1
	ret
bare_probe_store:
	as_that_mode
	sd	a2, (a0)
	csrw	mstatus, t1
	ret
/* bare_probe_fetch(va, mode << 11): what is there is an EBREAK, or cannot be fetched. */
bare_probe_fetch:
	li	t0, 3 << 11
	csrc	mstatus, t0
	csrs	mstatus, a1
	csrw	mepc, a0
	mret
bare_probe_back:
	ret
