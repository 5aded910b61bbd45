/* SPDX-License-Identifier: MIT */
#include "coppice.h"

#pragma GCC diagnostic ignored "-Wunused-function"
#include "formats/s390x.h"
#include "tests/bare/algebra.h"

bool bare_s390x_storable(uint64_t entry, unsigned level);

bool bare_s390x_storable(uint64_t entry, unsigned level)
{
	return s390x_storable(entry, level);
}
