/* SPDX-License-Identifier: MIT */
/* Where a walk begins, also while the tree grows. */
#ifndef COPPICE_TABLES_TOP_H
#define COPPICE_TABLES_TOP_H

#include <coppice/tables.h>

/* What translations begin with, for whoever cop_tree_grow() may run beside. Acquire: pairs with its release. */
static inline const struct cop_top *tree_top(const struct cop_tree *tree)
{
	return &tree->top[cop_load(&tree->levels, acquire) - 1];
}

#endif
