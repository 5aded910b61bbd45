// SPDX-License-Identifier: MIT
#define ARM64_PAGE_LG2 16
#include "formats/arm64.h"
#include "inspect/scan_formats.h"

#define SCAN_NAME    scan_arm64_64k
#define SCAN_ENTRIES 8192
#include "inspect/scan_arm64.h"
#include "inspect/scan_template.h"
