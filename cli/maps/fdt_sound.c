// SPDX-License-Identifier: MIT
/* Devicetree Specification 0.4, 5.2 (header) and 5.4 (structure block). */
#include <libfdt.h>
#include <stdbool.h>
#include <string.h>

#include "cli/maps/fdt_sound.h"

struct block {
	const unsigned char *at, *end;
};

static bool get_block(const void *blob, size_t total, size_t offset, size_t bytes, struct block *block)
{
	if (offset > total || bytes > total - offset)
		return false;
	block->at = (const unsigned char *)blob + offset;
	block->end = block->at + bytes;
	return true;
}

static bool get_cell(struct block *b, uint32_t *cell)
{
	fdt32_t raw;

	if ((size_t)(b->end - b->at) < sizeof(raw))
		return false;
	memcpy(&raw, b->at, sizeof(raw));
	b->at += sizeof(raw);
	*cell = fdt32_to_cpu(raw);
	return true;
}

/* Skip bytes and what pads them to a cell. */
static bool skip(struct block *b, size_t bytes)
{
	const size_t padded = (bytes + 3) & ~(size_t)3;

	if (padded < bytes || padded > (size_t)(b->end - b->at))
		return false;
	b->at += padded;
	return true;
}

static bool skip_name(struct block *b)
{
	const unsigned char *nul = memchr(b->at, 0, (size_t)(b->end - b->at));

	return nul && skip(b, (size_t)(nul - b->at) + 1);
}

static bool skip_property(struct block *b, const struct block *strings)
{
	uint32_t bytes, name;

	if (!get_cell(b, &bytes) || !get_cell(b, &name) || !skip(b, bytes))
		return false;
	if (name >= (size_t)(strings->end - strings->at))
		return false;
	return memchr(strings->at + name, 0, (size_t)(strings->end - strings->at) - name) != NULL;
}

static int walk(struct block b, const struct block *strings)
{
	unsigned depth = 0;
	bool root = false;
	uint32_t tag;

	while (get_cell(&b, &tag)) {
		if (tag == FDT_END)
			return root && !depth ? 0 : -FDT_ERR_BADSTRUCTURE;
		if (tag == FDT_NOP)
			continue;
		if (tag == FDT_BEGIN_NODE && (depth || !root) && skip_name(&b)) {
			root = true;
			depth++;
		} else if (tag == FDT_END_NODE && depth) {
			depth--;
		} else if (tag != FDT_PROP || !depth || !skip_property(&b, strings)) {
			return -FDT_ERR_BADSTRUCTURE;
		}
	}
	return -FDT_ERR_TRUNCATED;
}

int fdt_sound(const void *blob, size_t bytes)
{
	struct block structure, strings;
	size_t total;

	if (bytes < sizeof(struct fdt_header))
		return -FDT_ERR_TRUNCATED;
	if (fdt_magic(blob) != FDT_MAGIC)
		return -FDT_ERR_BADMAGIC;
	/* 17 is of 2007; before, the structure block did not say how long it is. */
	if (fdt_version(blob) < 17 || fdt_last_comp_version(blob) > 17)
		return -FDT_ERR_BADVERSION;
	total = fdt_totalsize(blob);
	if (total > bytes || total < sizeof(struct fdt_header))
		return -FDT_ERR_TRUNCATED;
	if (fdt_off_dt_struct(blob) % 4 || fdt_off_mem_rsvmap(blob) % 8 ||
	    !get_block(blob, total, fdt_off_dt_struct(blob), fdt_size_dt_struct(blob), &structure) ||
	    !get_block(blob, total, fdt_off_dt_strings(blob), fdt_size_dt_strings(blob), &strings))
		return -FDT_ERR_BADLAYOUT;
	return walk(structure, &strings);
}
