/* SPDX-License-Identifier: MIT */
/* x86-64, behind function pointers. */
#include "formats/x86_64.h"
#include "formats/ops.h"
