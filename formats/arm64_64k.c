/* SPDX-License-Identifier: MIT */
/* arm64 with the 64K granule, behind function pointers. */
#define ARM64_PAGE_LG2 16
#include "formats/arm64.h"
#include "formats/ops.h"
