/* SPDX-License-Identifier: MIT */
/* s390x, behind function pointers. */
#include "formats/s390x.h"
#include "formats/ops.h"
