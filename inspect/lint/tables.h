/* SPDX-License-Identifier: MIT */
#ifndef COPPICE_INSPECT_LINT_TABLES_H
#define COPPICE_INSPECT_LINT_TABLES_H

#include "inspect/lint/lint.h"

enum lint_added { LINT_NEW, LINT_AGAIN, LINT_FULL };

/* LINT_AGAIN: @seen is the first one. LINT_FULL: no memory, nothing was recorded. */
enum lint_added lint_tables_add(struct lint_tables *, cop_pa, struct lint_seen *seen);

#endif
