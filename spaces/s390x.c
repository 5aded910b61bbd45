/* SPDX-License-Identifier: MIT */
#include "formats/s390x.h"
#define COP_TABLES_NAME s390x
#include "spaces/gup_template.h"
