/* SPDX-License-Identifier: MIT */
/* The copies of the scan, one for each format, and what they share; for inspect/scan*.c alone. */
#ifndef COPPICE_INSPECT_SCAN_FORMATS_H
#define COPPICE_INSPECT_SCAN_FORMATS_H

#include "inspect/scan.h"

/* Entries [first, end) of a table exist. */
struct scan_part {
	unsigned first, end;
};

/* Virtual addresses [start, last], bits above those that are translated cut off. */
struct scan_span {
	cop_va start, last;
};

uint64_t scan_budget(const struct insp_memory *, const struct insp_visitor *);

typedef struct insp_scanned scan_fn(struct insp_memory *, const struct insp_tree *, struct scan_span,
				    const struct insp_visitor *, void *);
scan_fn scan_arm64_4k, scan_arm64_16k, scan_arm64_64k, scan_x86_64, scan_riscv64, scan_s390x;

#endif
