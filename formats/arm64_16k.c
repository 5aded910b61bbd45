/* SPDX-License-Identifier: MIT */
/* arm64 with the 16K granule, behind function pointers. */
#define ARM64_PAGE_LG2 14
#include "formats/arm64.h"
#include "formats/ops.h"
