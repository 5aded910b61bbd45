/* SPDX-License-Identifier: MIT */
/* How the tables of rules are written: manuals, and the sections that several rules name. */
#ifndef COPPICE_CHECKER_RULES_TABLE_H
#define COPPICE_CHECKER_RULES_TABLE_H

#include "checker/rules.h"

#define ARM   "Arm ARM DDI 0487 "
#define SDM   "Intel SDM volume 3A "
#define RISCV "RISC-V Privileged, "
#define S390  "z/Architecture Principles of Operation, "
/* What TLBs and paging-structure caches may hold, and what takes it out. */
#define SOURCES                                                                                                        \
	.arm64 = ARM "D8.16", .x86_64 = SDM "4.10.4",                                                                  \
	.riscv64 = RISCV "Supervisor Memory-Management Fence Instruction", .s390x = S390 "chapter 3, TLB"

#endif
