/* SPDX-License-Identifier: MIT */
#include "coppice.h"

#pragma GCC diagnostic ignored "-Wunused-function"
#include "formats/s390x.h"
#include "tests/bare/algebra.h"
