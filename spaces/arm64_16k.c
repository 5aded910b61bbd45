/* SPDX-License-Identifier: MIT */
#define ARM64_PAGE_LG2 14
#include "formats/arm64.h"
#define COP_TABLES_NAME arm64_16k
#include "spaces/gup_template.h"
