/* SPDX-License-Identifier: MIT */
/* Names of what a leaf permits, the same on every architecture. */
#ifndef COPPICE_INSPECT_VIEWS_ATTRS_H
#define COPPICE_INSPECT_VIEWS_ATTRS_H

#include <coppice/format.h>

/* One attribute: (attrs & @mask) == @value. */
struct insp_attr_name {
	const char *name, *brief; /* "write", "w"; brief may be NULL */
	uint32_t mask, value;
};

/* All of them; memory types last. */
extern const struct insp_attr_name insp_attr_names[];
extern const unsigned insp_attr_count;

/* The attribute called so; NULL: none. */
const struct insp_attr_name *insp_attr_find(const char *name, size_t length);

/* "rw- user global young dirty write-back"; room for all of them is INSP_ATTRS_TEXT. */
#define INSP_ATTRS_TEXT 160
void insp_attrs_text(char *text, size_t room, uint32_t attrs);

#endif
