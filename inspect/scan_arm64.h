/* SPDX-License-Identifier: MIT */
/* What the scan asks of arm64, whatever the granule; part of inspect/scan_arm64_*.c and included by nothing else. */
#ifndef COPPICE_INSPECT_SCAN_ARM64_H
#define COPPICE_INSPECT_SCAN_ARM64_H

#include "inspect/entry.h"

#define scan_kind fmt_kind

static inline struct scan_part scan_quarters(uint64_t e, unsigned l)
{
	(void)e;
	(void)l;
	return (struct scan_part){0, SCAN_ENTRIES};
}

static inline uint32_t scan_denies(uint64_t e, unsigned l)
{
	(void)l;
	return insp_denies_arm64(e);
}

static inline unsigned scan_shared_lg2(uint64_t e, unsigned l)
{
	(void)e;
	(void)l;
	return 0;
}

#endif
