/* SPDX-License-Identifier: MIT */
/* How readers build a map: insert disjoint ranges, then repaint parts of them. */
#ifndef CLI_MAPS_BUILD_H
#define CLI_MAPS_BUILD_H

#include "cli/maps/map.h"

/* No machine's map comes near; bounds the work that a hostile file can ask for. */
#define MAP_MAX_RANGES 16384

__attribute__((format(printf, 2, 3))) void map_error(struct map_read *, const char *fmt, ...);

/* A copy with what a terminal should not see replaced. */
void map_copy_name(char to[MAP_NAME_MAX], const char *from, size_t bytes);

/**
 * map_insert() - add a range that overlaps no other
 * Return: NULL; the range it overlaps; or the range itself where there is no room for another (MAP_MAX_RANGES).
 */
const struct map_range *map_insert(struct memory_map *, const struct map_range *);

/* What map_repaint() changes a stretch to. */
struct map_paint {
	enum map_kind from, to;
	bool remove;      /* drop the stretch instead */
	const char *name; /* NULL: keep */
};

/**
 * map_repaint() - change the kind of those parts of [start, last] that are of kind from
 * Return: false when there is no room.
 */
bool map_repaint(struct memory_map *, uint64_t start, uint64_t last, const struct map_paint *);

/* Index of the first range that ends at or after addr. */
size_t map_lower(const struct memory_map *, uint64_t addr);

#endif
