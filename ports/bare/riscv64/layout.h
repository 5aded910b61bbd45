/* SPDX-License-Identifier: MIT */
/* Where things are on QEMU's virt machine; for C and assembler. */
#ifndef COPPICE_BARE_RISCV64_LAYOUT_H
#define COPPICE_BARE_RISCV64_LAYOUT_H

#define BARE_RAM_BASE    0x80000000
#define BARE_RAM_BYTES   0x20000000 /* -m 512M */
#define BARE_KERNEL_BASE 0x80200000 /* below is the firmware's, where there is one */
#define BARE_PTDESC_BASE 0x80800000 /* 64 bytes for each frame: 8 MB */
#define BARE_PTDESC_LG2  6
#define BARE_FREE_BASE   0x81000000
#define BARE_STACK_LG2   15

#define BARE_FINISHER 0x00100000
#define BARE_UART     0x10000000

/* Control registers of the mode that the image runs in: S, started by SBI firmware, or M, with nothing below it. */
#ifdef BARE_MACHINE_MODE
#define CSR_STATUS mstatus
#define CSR_EPC    mepc
#define CSR_CAUSE  mcause
#define CSR_TVAL   mtval
#define CSR_TVEC   mtvec
#define TRAP_RET   mret
#else
#define CSR_STATUS sstatus
#define CSR_EPC    sepc
#define CSR_CAUSE  scause
#define CSR_TVAL   stval
#define CSR_TVEC   stvec
#define TRAP_RET   sret
#endif

#endif
