// SPDX-License-Identifier: MIT
/*
 * A flattened device tree (Devicetree Specification 0.4): memory nodes (3.4), /memreserve/ (5.3), /reserved-memory (3.5).
 */
#include <inttypes.h>
#include <libfdt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/maps/build.h"
#include "cli/maps/fdt_sound.h"

struct fdt {
	struct map_read read;
	const void *blob;
};

/* Cells of one "reg" entry; 2.3.5: the parent's, 2 and 1 when not given. */
struct cells {
	int address, size;
};

static const char *path_of(const struct fdt *in, int node, char *buf, int bytes)
{
	if (fdt_get_path(in->blob, node, buf, bytes) < 0)
		snprintf(buf, (size_t)bytes, "node at offset %d", node);
	for (char *c = buf; *c; c++)
		if (*c < 0x20 || *c > 0x7e)
			*c = '?';
	return buf;
}

static bool fail(struct fdt *in, int node, const char *what, const char *expected)
{
	char path[96];

	map_error(&in->read, "%s: %s: %s; expected %s", in->read.map.source, path_of(in, node, path, sizeof(path)),
		  what, expected);
	return false;
}

static bool fail_range(struct fdt *in, int node, uint64_t start, uint64_t size, const char *what, const char *expected)
{
	char text[128];

	snprintf(text, sizeof(text), "0x%" PRIx64 " of 0x%" PRIx64 " bytes %s", start, size, what);
	return fail(in, node, text, expected);
}

/* -1: malformed */
static int cell_count(const struct fdt *in, int node, const char *name, int otherwise)
{
	int bytes;
	const void *value = fdt_getprop(in->blob, node, name, &bytes);
	fdt32_t cell;

	if (!value)
		return otherwise;
	if (bytes != sizeof(cell))
		return -1;
	memcpy(&cell, value, sizeof(cell));
	return fdt32_to_cpu(cell) <= 2 ? (int)fdt32_to_cpu(cell) : -1;
}

static bool get_cells(struct fdt *in, int node, struct cells *cells)
{
	cells->address = cell_count(in, node, "#address-cells", 2);
	cells->size = cell_count(in, node, "#size-cells", 1);
	if (cells->address < 1 || cells->size < 1)
		return fail(in, node, "#address-cells or #size-cells", "one cell, 1 or 2");
	return true;
}

static uint64_t get_number(const unsigned char *at, int cells)
{
	uint64_t v = 0;

	for (int i = 0; i < cells * 4; i++)
		v = v << 8 | at[i];
	return v;
}

static int node_id(const struct fdt *in, int node)
{
	int bytes;
	const void *value = fdt_getprop(in->blob, node, "numa-node-id", &bytes);
	fdt32_t cell;

	if (!value || bytes != sizeof(cell))
		return MAP_NODE_UNKNOWN;
	memcpy(&cell, value, sizeof(cell));
	return fdt32_to_cpu(cell) < 1024 ? (int)fdt32_to_cpu(cell) : MAP_NODE_UNKNOWN;
}

static bool disabled(const struct fdt *in, int node)
{
	int bytes;
	const char *status = fdt_getprop(in->blob, node, "status", &bytes);

	return status && bytes > 0 && memcmp(status, "ok", bytes < 2 ? (size_t)bytes : 2) != 0;
}

static bool add_memory(struct fdt *in, int node, uint64_t start, uint64_t size)
{
	struct map_range range = {.start = start, .last = start + size - 1, .kind = MAP_RAM, .node = node_id(in, node)};
	const struct map_range *other;
	const char *name = fdt_get_name(in->blob, node, NULL);

	map_copy_name(range.name, name ? name : "memory", strlen(name ? name : "memory"));
	other = map_insert(&in->read.map, &range);
	if (other == &range)
		return fail(in, node, "one range too many", "fewer than 16384");
	if (other)
		return fail_range(in, node, start, size, "overlaps another memory range", "disjoint ranges");
	return true;
}

static bool reserve(struct fdt *in, int node, uint64_t start, uint64_t size, const char *name)
{
	char clean[MAP_NAME_MAX];
	const struct map_paint paint = {.from = MAP_RAM, .to = MAP_RAM_RESERVED, .name = clean};

	map_copy_name(clean, name, strlen(name));
	return map_repaint(&in->read.map, start, start + size - 1, &paint) ||
	       fail(in, node, "one range too many", "fewer than 16384");
}

typedef bool (*range_fn)(struct fdt *, int node, uint64_t start, uint64_t size);

static bool reserve_node(struct fdt *in, int node, uint64_t start, uint64_t size)
{
	const char *name = fdt_get_name(in->blob, node, NULL);

	return reserve(in, node, start, size, name ? name : "reserved-memory");
}

static bool each_range(struct fdt *in, int node, struct cells cells, range_fn add)
{
	int bytes;
	const unsigned char *at = fdt_getprop(in->blob, node, "reg", &bytes);
	const int step = 4 * (cells.address + cells.size);

	if (!at)
		return true;
	if (bytes % step)
		return fail(in, node, "\"reg\" is cut short", "whole address and size pairs");
	for (; bytes; bytes -= step, at += step) {
		uint64_t start = get_number(at, cells.address);
		uint64_t size = get_number(at + (size_t)4 * (size_t)cells.address, cells.size);

		if (!size)
			continue;
		if (start + (size - 1) < start)
			return fail_range(in, node, start, size, "wraps around", "a range within 64 bits");
		if (!add(in, node, start, size))
			return false;
	}
	return true;
}

static bool is_memory(const struct fdt *in, int node)
{
	int bytes;
	const char *type = fdt_getprop(in->blob, node, "device_type", &bytes);

	return type && bytes == (int)sizeof("memory") && !memcmp(type, "memory", sizeof("memory"));
}

static bool read_memory(struct fdt *in)
{
	struct cells cells;
	int node;

	if (!get_cells(in, 0, &cells))
		return false;
	fdt_for_each_subnode(node, in->blob, 0) if (is_memory(in, node) && !disabled(in, node) &&
						    !each_range(in, node, cells, add_memory)) return false;
	return true;
}

static bool read_reserved_nodes(struct fdt *in)
{
	int parent = fdt_subnode_offset(in->blob, 0, "reserved-memory");
	struct cells cells;
	int node;

	if (parent < 0)
		return true;
	if (!get_cells(in, parent, &cells))
		return false;
	fdt_for_each_subnode(node, in->blob, parent) if (!disabled(in, node) &&
							 !each_range(in, node, cells, reserve_node)) return false;
	return true;
}

static bool read_memreserve(struct fdt *in)
{
	int n = fdt_num_mem_rsv(in->blob);

	for (int i = 0; i < n; i++) {
		uint64_t start, size;

		if (fdt_get_mem_rsv(in->blob, i, &start, &size) || !size)
			continue;
		if (start + (size - 1) < start)
			return fail_range(in, 0, start, size, "in /memreserve/ wraps around", "a range within 64 bits");
		if (!reserve(in, 0, start, size, "/memreserve/"))
			return false;
	}
	return true;
}

static void parse(struct fdt *in)
{
	if (!read_memory(in) || !read_reserved_nodes(in) || !read_memreserve(in))
		return;
	if (!map_bytes(&in->read.map, MAP_RAM))
		map_error(&in->read, "%s: no memory; expected a node with device_type = \"memory\" and a \"reg\"",
			  in->read.map.source);
}

struct map_read map_parse_fdt(const char *source, const void *blob, size_t bytes)
{
	struct fdt in = {.read.map.format = MAP_FDT};
	void *copy;
	int err;

	snprintf(in.read.map.source, sizeof(in.read.map.source), "%s", source);
	/* libfdt reads the header in place and wants it aligned to 8. */
	copy = malloc(bytes ? bytes : 1);
	if (!copy) {
		map_error(&in.read, "%s: out of memory", source);
		return in.read;
	}
	memcpy(copy, blob, bytes);
	err = fdt_sound(copy, bytes);
	if (!err)
		err = fdt_check_full(copy, bytes);
	if (err) {
		map_error(&in.read, "%s: broken device tree (%s); expected a whole flattened device tree", source,
			  fdt_strerror(err));
	} else {
		in.blob = copy;
		parse(&in);
		in.blob = NULL;
	}
	free(copy);
	return in.read;
}
