/* SPDX-License-Identifier: MIT */
#define ARM64_PAGE_LG2 12
#include "formats/arm64.h"
#define COP_TABLES_NAME arm64_4k
#include "spaces/gup_template.h"
