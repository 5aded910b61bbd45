/* SPDX-License-Identifier: MIT */
/* Constants that start.S shares with C. */
#ifndef COPPICE_BARE_S390X_LAYOUT_H
#define COPPICE_BARE_S390X_LAYOUT_H

#define S390X_CPUS  4 /* BARE_CPUS */
#define S390X_STACK 16384

/* Memory once more, out of the way of a linear map that begins at 0: three quarters up in the least of 3 levels. */
#define BARE_PHYS 0x30000000000

/* SA22-7832 chapter 4, "Assigned Storage Locations": of each CPU, by its prefix. */
#define LC_EXTERNAL_CODE     0x086
#define LC_PROGRAM_CODE      0x08e
#define LC_TRANSLATION       0x0a8 /* address that could not be translated */
#define LC_EXTERNAL_OLD_PSW  0x130
#define LC_PROGRAM_OLD_PSW   0x150
#define LC_RESTART_NEW_PSW   0x1a0
#define LC_EXTERNAL_NEW_PSW  0x1b0
#define LC_SUPERVISOR_NEW    0x1c0
#define LC_PROGRAM_NEW_PSW   0x1d0
#define LC_MACHINE_CHECK_NEW 0x1e0
#define LC_IO_NEW_PSW        0x1f0
/* Programs' own. */
#define LC_EXTERNAL_SAVED 0x200
#define LC_PROGRAM_SAVED  0x280
#define LC_SELF           0x300 /* this CPU's struct bare_cpu */
#define LC_STACK          0x308
#define LC_BYTES          0x2000

/* PSW: 64-bit addresses, and what else. */
#define PSW_64       0x0000000180000000UL
#define PSW_DAT      0x0400000000000000UL
#define PSW_EXTERNAL 0x0100000000000000UL
#define PSW_WAIT     0x0002000000000000UL
#define PSW_SPACE    0x0000c00000000000UL
#define PSW_HOME     0x0000c00000000000UL

#endif
