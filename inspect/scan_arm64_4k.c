// SPDX-License-Identifier: MIT
#define ARM64_PAGE_LG2 12
#include "formats/arm64.h"
#include "inspect/scan_formats.h"

#define SCAN_NAME    scan_arm64_4k
#define SCAN_ENTRIES 512
#include "inspect/scan_arm64.h"
#include "inspect/scan_template.h"
