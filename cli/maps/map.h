/* SPDX-License-Identifier: MIT */
/*
 * A machine's physical memory map, whatever it was read from.
 *
 * Readers turn text or a blob into one sorted list of disjoint ranges. They never trust their input: what they cannot
 * place is one line that says what, where, and what was expected.
 */
#ifndef CLI_MAPS_MAP_H
#define CLI_MAPS_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum map_kind {
	MAP_RAM,          /* memory that the kernel may give out */
	MAP_RAM_RESERVED, /* memory in use from the start: kernel image, firmware tables, /memreserve/ */
	MAP_RESERVED,     /* addresses the firmware keeps; not managed as memory */
	MAP_DEVICE,       /* a hole as far as memory goes: PCI windows, controllers */
};

enum map_format { MAP_IOMEM, MAP_FDT, MAP_KLOG };

#define MAP_NODE_UNKNOWN (-1)
#define MAP_NAME_MAX     48

struct map_range {
	uint64_t start, last; /* physical addresses, bytes, inclusive */
	enum map_kind kind;
	int node; /* NUMA node or MAP_NODE_UNKNOWN */
	char name[MAP_NAME_MAX];
};

/**
 * struct memory_map - sorted, disjoint ranges
 * @source: where it came from, for messages: a path or "stdin"
 */
struct memory_map {
	struct map_range *ranges;
	size_t count, room;
	enum map_format format;
	char source[128];
};

/* The map, or one line that says why there is none (error[0] is 0 on success). */
struct map_read {
	struct memory_map map;
	char error[320];
};

/**
 * map_parse() - read a map from memory, whatever of the three kinds it is
 * @source: name for messages
 * @data, @bytes: the whole input; may be hostile
 */
struct map_read map_parse(const char *source, const void *data, size_t bytes);

struct map_read map_parse_iomem(const char *source, const char *text, size_t bytes);
struct map_read map_parse_fdt(const char *source, const void *blob, size_t bytes);
struct map_read map_parse_klog(const char *source, const char *text, size_t bytes);

/**
 * map_load() - read a file, "-" for standard input, or the name of a bundled map
 */
struct map_read map_load(const char *path);

void map_free(struct memory_map *);

/* Bytes of all ranges of a kind. */
uint64_t map_bytes(const struct memory_map *, enum map_kind);

const char *map_kind_name(enum map_kind);
const char *map_format_name(enum map_format);

/**
 * map_bundled_dir() - where the maps that come with the tool are: beside the build tree or under share/
 * Return: a path in @buf, or NULL.
 */
const char *map_bundled_dir(char *buf, size_t bytes);

#endif
