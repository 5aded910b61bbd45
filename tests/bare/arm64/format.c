/* SPDX-License-Identifier: MIT */
#include "coppice.h"

#define ARM64_PAGE_LG2 COPPICE_PAGE_LG2
#pragma GCC diagnostic ignored "-Wunused-function"
#include "formats/arm64.h"
#include "tests/bare/algebra.h"

bool bare_arm64_writable(const struct cop_geom *geom, uint64_t entry);
bool bare_arm64_writable(const struct cop_geom *geom, uint64_t entry)
{
	return arm64_writable(geom, entry);
}
