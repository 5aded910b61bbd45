/* SPDX-License-Identifier: MIT */
/* riscv64, behind function pointers. */
#include "formats/riscv64.h"
#include "formats/ops.h"
