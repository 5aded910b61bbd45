/* SPDX-License-Identifier: MIT */
#include "formats/riscv64.h"
#define WALKS_NAME riscv64
#include "bench/walks.h"
