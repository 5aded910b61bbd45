/* SPDX-License-Identifier: MIT */
#define ARM64_PAGE_LG2 16
#include "formats/arm64.h"
#define WALKS_NAME arm64_64k
#include "bench/walks.h"
