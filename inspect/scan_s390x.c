// SPDX-License-Identifier: MIT
#include "formats/s390x.h"
#include "inspect/entry.h"
#include "inspect/scan_formats.h"

#define SCAN_NAME    scan_s390x
#define SCAN_ENTRIES 2048

static inline enum cop_kind scan_kind(const struct cop_geom *g, uint64_t e, unsigned l)
{
	const enum cop_kind kind = fmt_kind(g, e, l);

	return kind == COP_BAD && insp_short_table(e, l) ? COP_TABLE : kind;
}

static inline struct scan_part scan_quarters(uint64_t e, unsigned l)
{
	return l == 1 ? (struct scan_part){0, 256} : (struct scan_part){insp_table_first(e), insp_table_end(e)};
}

static inline uint32_t scan_denies(uint64_t e, unsigned l)
{
	(void)l;
	return insp_denies_s390x(e);
}

static inline unsigned scan_shared_lg2(uint64_t e, unsigned l)
{
	(void)e;
	(void)l;
	return 0;
}

#include "inspect/scan_template.h"
