/* SPDX-License-Identifier: MIT */
#define ARM64_PAGE_LG2 12
#include "formats/arm64.h"
#define WALKS_NAME arm64_4k
#include "bench/walks.h"
