/* SPDX-License-Identifier: MIT */
#define ARM64_PAGE_LG2 14
#include "formats/arm64.h"
#define WALKS_NAME arm64_16k
#include "bench/walks.h"
