// SPDX-License-Identifier: MIT
#include "formats/riscv64.h"
#include "inspect/scan_formats.h"

#define SCAN_NAME    scan_riscv64
#define SCAN_ENTRIES 512

#define scan_kind fmt_kind

static inline struct scan_part scan_quarters(uint64_t e, unsigned l)
{
	(void)e;
	(void)l;
	return (struct scan_part){0, SCAN_ENTRIES};
}

/* A table's entry says nothing of access. */
static inline uint32_t scan_denies(uint64_t e, unsigned l)
{
	(void)e;
	(void)l;
	return 0;
}

/* "Svnapot": the low bits of the page number are the virtual address's. */
static inline unsigned scan_shared_lg2(uint64_t e, unsigned l)
{
	return l == 0 && (e & RISCV_N) ? RISCV_NAPOT_LG2 : 0;
}

#include "inspect/scan_template.h"
