// SPDX-License-Identifier: MIT
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/maps/build.h"

void map_error(struct map_read *read, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(read->error, sizeof(read->error), fmt, args);
	va_end(args);
	map_free(&read->map);
}

void map_copy_name(char to[MAP_NAME_MAX], const char *from, size_t bytes)
{
	size_t n = bytes < MAP_NAME_MAX - 1 ? bytes : MAP_NAME_MAX - 1;

	for (size_t i = 0; i < n; i++)
		to[i] = from[i] >= 0x20 && from[i] < 0x7f ? from[i] : '?';
	to[n] = 0;
}

size_t map_lower(const struct memory_map *map, uint64_t addr)
{
	size_t low = 0, high = map->count;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (map->ranges[mid].last < addr)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static bool make_room(struct memory_map *map, size_t at, size_t n)
{
	if (map->count + n > MAP_MAX_RANGES)
		return false;
	if (map->count + n > map->room) {
		size_t room = map->room ? 2 * map->room + n : 64;
		struct map_range *ranges = realloc(map->ranges, room * sizeof(*ranges));

		if (!ranges)
			return false;
		map->ranges = ranges;
		map->room = room;
	}
	memmove(&map->ranges[at + n], &map->ranges[at], (map->count - at) * sizeof(*map->ranges));
	map->count += n;
	return true;
}

const struct map_range *map_insert(struct memory_map *map, const struct map_range *range)
{
	size_t at = map_lower(map, range->start);

	if (at < map->count && map->ranges[at].start <= range->last)
		return &map->ranges[at];
	if (!make_room(map, at, 1))
		return range;
	map->ranges[at] = *range;
	return NULL;
}

/* Split ranges[at] so that a range begins at addr; addr lies inside it and is not its start. */
static bool split_at(struct memory_map *map, size_t at, uint64_t addr)
{
	if (!make_room(map, at, 1))
		return false;
	map->ranges[at] = map->ranges[at + 1];
	map->ranges[at].last = addr - 1;
	map->ranges[at + 1].start = addr;
	return true;
}

bool map_repaint(struct memory_map *map, uint64_t start, uint64_t last, const struct map_paint *paint)
{
	for (size_t i = map_lower(map, start); i < map->count && map->ranges[i].start <= last; i++) {
		if (map->ranges[i].kind != paint->from)
			continue;
		if (map->ranges[i].start < start) {
			if (!split_at(map, i, start))
				return false;
			i++;
		}
		if (map->ranges[i].last > last && !split_at(map, i, last + 1))
			return false;
		if (paint->remove) {
			map->count--;
			memmove(&map->ranges[i], &map->ranges[i + 1], (map->count - i) * sizeof(*map->ranges));
			i--;
			continue;
		}
		map->ranges[i].kind = paint->to;
		if (paint->name)
			map_copy_name(map->ranges[i].name, paint->name, strlen(paint->name));
	}
	return true;
}
