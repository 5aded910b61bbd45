/* SPDX-License-Identifier: MIT */
/* Constants that start.S shares with C. */
#ifndef COPPICE_BARE_X86_64_LAYOUT_H
#define COPPICE_BARE_X86_64_LAYOUT_H

#define X86_CPUS          4 /* BARE_CPUS */
#define X86_STACK         16384
#define X86_TRAMPOLINE    0x8000
#define X86_DEVICES       0xfd000000 /* timer, local APIC */
#define X86_DEVICES_BYTES 0x3000000
#define X86_USER_VA       0x100000000 /* the code of probes, for the user: after what maps itself */

/* Segment selectors; see x86_gdt. */
#define X86_CODE_32   0x08
#define X86_DATA      0x10
#define X86_CODE      0x18
#define X86_USER_DATA 0x23
#define X86_USER_CODE 0x2b
#define X86_TASK      0x30
#define X86_GDT_BYTES (X86_TASK + 16 * X86_CPUS)

#endif
