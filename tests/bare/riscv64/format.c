/* SPDX-License-Identifier: MIT */
#include "coppice.h"

#pragma GCC diagnostic ignored "-Wunused-function"
#include "formats/riscv64.h"
#include "tests/bare/algebra.h"
