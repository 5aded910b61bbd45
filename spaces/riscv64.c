/* SPDX-License-Identifier: MIT */
#include "formats/riscv64.h"
#define COP_TABLES_NAME riscv64
#include "spaces/gup_template.h"
