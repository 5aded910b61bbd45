// SPDX-License-Identifier: MIT
/* coppice maps: what is bundled, and what a reader makes of a file. */
#include <argp.h>
#include <dirent.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/maps/map.h"
#include "cli/out.h"

struct options {
	const char *file;
	bool json;
};

static const struct argp_option option_list[] = {
	{"json", 'j', NULL, 0, "print JSON", 0},
	{0},
};

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;

	switch (key) {
	case 'j':
		o->json = true;
		return 0;
	case ARGP_KEY_ARG:
		if (o->file)
			cli_fail(CLI_USAGE, "unexpected argument '%s'; expected one FILE", arg);
		o->file = arg;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const char doc[] =
	"List the bundled memory maps, or show what is read from one.\v"
	"FILE is /proc/iomem text, a flattened device tree, a kernel log, \"-\" for standard input, or the name of "
	"a bundled map.\n"
	"\n"
	"Examples:\n"
	"  coppice maps\n"
	"  coppice maps arm64-virt-2numa-64g.dtb\n"
	"  dmesg | coppice maps -\n"
	"  coppice maps --json /sys/firmware/fdt\n";

static int is_map(const struct dirent *entry)
{
	return entry->d_name[0] != '.' && strcmp(entry->d_name, "README.md") != 0;
}

/* A bundled map and its size, as a row or an object. */
static void add_bundled(struct out_table *t, cJSON *list, const char *dir, const char *name)
{
	char path[2 * PATH_MAX];
	struct map_read read;
	uint64_t bytes;
	cJSON *item;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	read = map_load(path);
	if (read.error[0])
		cli_fail(CLI_USAGE, "%s", read.error);
	bytes = map_bytes(&read.map, MAP_RAM) + map_bytes(&read.map, MAP_RAM_RESERVED);
	out_cell(t, "%s", name);
	out_cell(t, "%s", map_format_name(read.map.format));
	out_cell(t, "%s", out_size(bytes).s);
	item = cJSON_CreateObject();
	cJSON_AddStringToObject(item, "name", name);
	cJSON_AddStringToObject(item, "format", map_format_name(read.map.format));
	out_json_count(item, "bytes", bytes);
	cJSON_AddItemToArray(list, item);
	map_free(&read.map);
}

static int list_bundled(bool json)
{
	char dir[PATH_MAX];
	struct dirent **entries;
	struct out_table *t = out_table("map|kind|>memory");
	cJSON *list = cJSON_CreateArray();
	int n = -1;

	if (map_bundled_dir(dir, sizeof(dir)))
		n = scandir(dir, &entries, is_map, alphasort);
	if (n < 0)
		cli_fail(CLI_HOST, "no bundled maps; expected them in ../share/coppice/maps beside the tool");
	for (int i = 0; i < n; i++) {
		add_bundled(t, list, dir, entries[i]->d_name);
		free(entries[i]);
	}
	free(entries);
	if (json)
		out_json_print(list, stdout);
	else
		out_table_print(t, stdout);
	return CLI_OK;
}

static void print_table(const struct memory_map *map)
{
	struct out_table *t = out_table("start|last|>size|kind|node|name");

	for (size_t i = 0; i < map->count; i++) {
		const struct map_range *r = &map->ranges[i];

		out_cell(t, "%012" PRIx64, r->start);
		out_cell(t, "%012" PRIx64, r->last);
		out_cell(t, "%s", out_size(r->last - r->start + 1).s);
		out_cell(t, "%s", map_kind_name(r->kind));
		if (r->node == MAP_NODE_UNKNOWN)
			out_cell(t, "-");
		else
			out_cell(t, "%d", r->node);
		out_cell(t, "%s", r->name);
	}
	out_table_print(t, stdout);
}

static void print_json(const struct memory_map *map)
{
	cJSON *root = cJSON_CreateObject();
	cJSON *ranges;

	cJSON_AddStringToObject(root, "source", map->source);
	cJSON_AddStringToObject(root, "format", map_format_name(map->format));
	ranges = cJSON_AddArrayToObject(root, "ranges");
	for (size_t i = 0; i < map->count; i++) {
		const struct map_range *r = &map->ranges[i];
		cJSON *range = cJSON_CreateObject();

		out_json_hex(range, "start", r->start);
		out_json_hex(range, "last", r->last);
		cJSON_AddStringToObject(range, "kind", map_kind_name(r->kind));
		if (r->node != MAP_NODE_UNKNOWN)
			out_json_count(range, "node", (uint64_t)r->node);
		cJSON_AddStringToObject(range, "name", r->name);
		cJSON_AddItemToArray(ranges, range);
	}
	out_json_print(root, stdout);
}

int cmd_maps(int argc, char **argv)
{
	static const struct argp argp = {option_list, parse_option, "[FILE]", doc, NULL, NULL, NULL};
	struct options o = {0};
	struct map_read read;

	cli_args(&argp, argc, argv, &o);
	if (!o.file)
		return list_bundled(o.json);
	read = map_load(o.file);
	if (read.error[0])
		cli_fail(CLI_USAGE, "%s", read.error);
	if (o.json) {
		print_json(&read.map);
	} else {
		printf("%s (%s): %s usable, %s in use\n", read.map.source, map_format_name(read.map.format),
		       out_size(map_bytes(&read.map, MAP_RAM)).s, out_size(map_bytes(&read.map, MAP_RAM_RESERVED)).s);
		print_table(&read.map);
	}
	map_free(&read.map);
	return CLI_OK;
}
