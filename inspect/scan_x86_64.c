// SPDX-License-Identifier: MIT
#include "formats/x86_64.h"
#include "inspect/entry.h"
#include "inspect/scan_formats.h"

#define SCAN_NAME    scan_x86_64
#define SCAN_ENTRIES 512

#define scan_kind fmt_kind

static inline struct scan_part scan_quarters(uint64_t e, unsigned l)
{
	(void)e;
	(void)l;
	return (struct scan_part){0, SCAN_ENTRIES};
}

/* SDM 4.6: R/W and U/S count only if set at every level, XD if set at any. */
static inline uint32_t scan_denies(uint64_t e, unsigned l)
{
	(void)l;
	return (e & X86_RW ? 0U : COP_WRITE) | (e & X86_US ? 0U : COP_USER) | (e & X86_XD ? COP_EXEC | COP_KEXEC : 0U);
}

static inline unsigned scan_shared_lg2(uint64_t e, unsigned l)
{
	(void)e;
	(void)l;
	return 0;
}

#include "inspect/scan_template.h"
