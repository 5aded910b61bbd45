// SPDX-License-Identifier: MIT
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/maps/build.h"

/* Larger than any device tree or kernel log; a mistake such as --map /dev/zero ends here. */
#define MAX_FILE_BYTES ((size_t)64 << 20)

static const char *const kind_names[] = {"RAM", "RAM, in use", "reserved", "device"};
static const char *const format_names[] = {"/proc/iomem text", "flattened device tree", "kernel log"};

const char *map_kind_name(enum map_kind kind)
{
	return kind_names[kind];
}

const char *map_format_name(enum map_format format)
{
	return format_names[format];
}

void map_free(struct memory_map *map)
{
	free(map->ranges);
	map->ranges = NULL;
	map->count = map->room = 0;
}

uint64_t map_bytes(const struct memory_map *map, enum map_kind kind)
{
	uint64_t bytes = 0;

	for (size_t i = 0; i < map->count; i++)
		if (map->ranges[i].kind == kind)
			bytes += map->ranges[i].last - map->ranges[i].start + 1;
	return bytes;
}

static bool contains(const char *text, size_t bytes, const char *word)
{
	return memmem(text, bytes, word, strlen(word)) != NULL;
}

static struct map_read parse_as_found(const char *source, const void *data, size_t bytes)
{
	static const unsigned char fdt_magic[4] = {0xd0, 0x0d, 0xfe, 0xed};
	const char *text = data;
	const char *mem;

	if (bytes >= sizeof(fdt_magic) && !memcmp(data, fdt_magic, sizeof(fdt_magic)))
		return map_parse_fdt(source, data, bytes);
	if (contains(text, bytes, "e820:") || contains(text, bytes, "efi:"))
		return map_parse_klog(source, text, bytes);
	/* A kernel log without a map (boot lines rotated out) deserves its own message. */
	mem = memchr(text, '[', bytes < 16 ? bytes : 16);
	if (contains(text, bytes, "Linux version") || (mem && !contains(text, bytes, " : ")))
		return map_parse_klog(source, text, bytes);
	return map_parse_iomem(source, text, bytes);
}

struct map_read map_parse(const char *source, const void *data, size_t bytes)
{
	struct map_read read = parse_as_found(source, data, bytes);

	/* So that the end of any memory, which is one more, is an address too. */
	for (size_t i = 0; i < read.map.count; i++) {
		const struct map_range r = read.map.ranges[i];

		if ((r.kind == MAP_RAM || r.kind == MAP_RAM_RESERVED) && r.last == UINT64_MAX) {
			map_error(&read,
				  "%s: %" PRIx64 "-%" PRIx64 " %s reaches the last 64-bit address; expected memory "
				  "that ends below it",
				  source, r.start, r.last, r.name);
			break;
		}
	}
	return read;
}

/* Whole input in malloc'd memory; NULL with errno (EFBIG when over the limit). */
static char *slurp(FILE *file, size_t *bytes)
{
	size_t room = 1 << 16, used = 0;
	char *data = malloc(room);

	while (data) {
		size_t n = fread(data + used, 1, room - used, file);
		char *more;

		used += n;
		if (ferror(file))
			break;
		if (used < room) {
			*bytes = used;
			return data;
		}
		if (used >= MAX_FILE_BYTES) {
			errno = EFBIG;
			break;
		}
		room *= 2;
		more = realloc(data, room);
		if (!more)
			break;
		data = more;
	}
	free(data);
	return NULL;
}

static bool is_dir(const char *path)
{
	return access(path, R_OK | X_OK) == 0;
}

const char *map_bundled_dir(char *buf, size_t bytes)
{
	static const char *const places[] = {"../share/coppice/maps", "../maps"};
	char exe[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", exe, sizeof(exe) - 1);
	char *slash;

	if (n <= 0)
		return NULL;
	exe[n] = 0;
	slash = strrchr(exe, '/');
	if (!slash)
		return NULL;
	*slash = 0;
	for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++) {
		int len = snprintf(buf, bytes, "%s/%s", exe, places[i]);

		if (len > 0 && (size_t)len < bytes && is_dir(buf))
			return buf;
	}
	return NULL;
}

static FILE *open_bundled(const char *name)
{
	char dir[PATH_MAX], path[PATH_MAX];
	int len;

	if (strchr(name, '/') || !map_bundled_dir(dir, sizeof(dir)))
		return NULL;
	len = snprintf(path, sizeof(path), "%s/%s", dir, name);
	if (len <= 0 || (size_t)len >= sizeof(path))
		return NULL;
	return fopen(path, "rbe");
}

struct map_read map_load(const char *path)
{
	struct map_read read = {0};
	const bool standard_input = !strcmp(path, "-");
	const char *name = standard_input ? "stdin" : path;
	FILE *file = standard_input ? stdin : fopen(path, "rbe");
	size_t bytes = 0;
	char *data;

	if (!file && errno == ENOENT && *path) {
		file = open_bundled(path);
		errno = file ? errno : ENOENT;
	}
	if (!file) {
		map_error(&read, "%s: %s; expected a file, \"-\", or one of `coppice maps`", *name ? name : "''",
			  strerror(errno));
		return read;
	}
	data = slurp(file, &bytes);
	if (!data)
		map_error(&read, "%s: cannot read: %s; expected a memory map of at most %zu MB", name, strerror(errno),
			  MAX_FILE_BYTES >> 20);
	else
		read = map_parse(name, data, bytes);
	free(data);
	if (!standard_input)
		fclose(file);
	return read;
}
