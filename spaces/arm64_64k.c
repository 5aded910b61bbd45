/* SPDX-License-Identifier: MIT */
#define ARM64_PAGE_LG2 16
#include "formats/arm64.h"
#define COP_TABLES_NAME arm64_64k
#include "spaces/gup_template.h"
