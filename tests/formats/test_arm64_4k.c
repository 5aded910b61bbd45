/* SPDX-License-Identifier: MIT */
/* The format suite and arm64's own cases with the 4K granule. */
#define ARM64_PAGE_LG2 12
#include "tests/formats/arm64_cases.h"
