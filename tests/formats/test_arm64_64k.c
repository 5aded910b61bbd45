/* SPDX-License-Identifier: MIT */
/* The format suite and arm64's own cases with the 64K granule. */
#define ARM64_PAGE_LG2 16
#include "tests/formats/arm64_cases.h"
