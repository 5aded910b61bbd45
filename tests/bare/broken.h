/* SPDX-License-Identifier: MIT */
/* What tests/bare/<arch>/ brings for broken.c. */
#ifndef COPPICE_TESTS_BARE_BROKEN_H
#define COPPICE_TESTS_BARE_BROKEN_H

#include "ports/bare/common/bare.h"

/* The machine begins anew, as after power on. */
COP_NORETURN void broken_reset(void);

#endif
