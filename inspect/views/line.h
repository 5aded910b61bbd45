/* SPDX-License-Identifier: MIT */
/* Text of a leaf, made quickly: there may be hundreds of millions. */
#ifndef COPPICE_INSPECT_VIEWS_LINE_H
#define COPPICE_INSPECT_VIEWS_LINE_H

#include "inspect/scan.h"

/* "0x" and lower-case digits, no leading zeros, no end; returns where the text ends. */
char *insp_hex(char *to, uint64_t value);

/* Leaf @i of a run as "virtual physical size entry\n", with no end; room for it is INSP_LINE. */
#define INSP_LINE 80
char *insp_leaf_line(char *to, const struct insp_run *run, unsigned i);

#endif
