/* SPDX-License-Identifier: MIT */
#include "formats/x86_64.h"
#define COP_TABLES_NAME x86_64
#include "spaces/gup_template.h"
