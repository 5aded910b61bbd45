/* SPDX-License-Identifier: MIT */
/* The format suite and arm64's own cases with the 16K granule. */
#define ARM64_PAGE_LG2 14
#include "tests/formats/arm64_cases.h"
