// SPDX-License-Identifier: MIT
#include <stdio.h>
#include <string.h>

#include "inspect/views/attrs.h"

#define BIT(bit)         (bit), (bit)
#define MEMORY_TYPE(bit) COP_MT_MASK, (bit)

const struct insp_attr_name insp_attr_names[] = {
	{"read", "r", BIT(COP_READ)},
	{"write", "w", BIT(COP_WRITE)},
	{"exec", "x", BIT(COP_EXEC)},
	{"user", "u", BIT(COP_USER)},
	{"global", "g", BIT(COP_GLOBAL)},
	{"young", "a", BIT(COP_YOUNG)},
	{"dirty", "d", BIT(COP_DIRTY)},
	{"special", NULL, BIT(COP_SPECIAL)},
	{"soft-dirty", NULL, BIT(COP_SOFT_DIRTY)},
	{"protnone", NULL, BIT(COP_PROTNONE)},
	{"cont", NULL, BIT(COP_CONT)},
	{"kexec", NULL, BIT(COP_KEXEC)},
	{"devmap", NULL, BIT(COP_DEVMAP)},
	{"normal", "wb", MEMORY_TYPE(COP_MT_NORMAL)},
	{"write-through", "wt", MEMORY_TYPE(COP_MT_WT)},
	{"non-cacheable", "nc", MEMORY_TYPE(COP_MT_NC)},
	{"device", "uc", MEMORY_TYPE(COP_MT_DEVICE)},
	{"tagged", NULL, MEMORY_TYPE(COP_MT_TAGGED)},
	{"device-re", NULL, MEMORY_TYPE(COP_MT_DEVICE_RE)},
};
const unsigned insp_attr_count = sizeof(insp_attr_names) / sizeof(*insp_attr_names);

static bool is(const char *name, const char *text, size_t length)
{
	return name && strlen(name) == length && !strncmp(name, text, length);
}

const struct insp_attr_name *insp_attr_find(const char *name, size_t length)
{
	for (unsigned i = 0; i < insp_attr_count; i++)
		if (is(insp_attr_names[i].name, name, length) || is(insp_attr_names[i].brief, name, length))
			return &insp_attr_names[i];
	return NULL;
}

void insp_attrs_text(char *text, size_t room, uint32_t attrs)
{
	int n = snprintf(text, room, "%c%c%c", attrs & COP_READ ? 'r' : '-', attrs & COP_WRITE ? 'w' : '-',
			 attrs & COP_EXEC ? 'x' : '-');

	for (unsigned i = 3; i < insp_attr_count && n > 0 && (size_t)n < room; i++)
		if ((attrs & insp_attr_names[i].mask) == insp_attr_names[i].value)
			n += snprintf(text + n, room - (size_t)n, " %s", insp_attr_names[i].name);
}
