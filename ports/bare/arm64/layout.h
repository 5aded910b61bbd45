/* SPDX-License-Identifier: MIT */
/* Where things are on QEMU's virt machine; for C, assembler and linker. */
#ifndef COPPICE_BARE_ARM64_LAYOUT_H
#define COPPICE_BARE_ARM64_LAYOUT_H

#ifndef COPPICE_PAGE_LG2
#define COPPICE_PAGE_LG2 12
#endif

#define BARE_RAM_BASE    0x40000000
#define BARE_RAM_BYTES   0x20000000 /* -m 512M */
#define BARE_IMAGE_BASE  0x40200000
#define BARE_PTDESC_BASE 0x40800000 /* 64 bytes for each frame: 8 MB with the smallest */
#define BARE_PTDESC_LG2  6
#define BARE_FREE_BASE   0x41000000
#define BARE_STACK_LG2   15

#define BARE_MAIR 0x040044f0ff

#define BARE_GICD 0x08000000
#define BARE_GICC 0x08010000
#define BARE_UART 0x09000000

#endif
