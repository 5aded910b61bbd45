// SPDX-License-Identifier: MIT
/*
 * /proc/iomem: "start-last : name" lines, children indented by two spaces under their parent.
 *
 * 'System RAM' at any depth is memory (below a CXL window it is a grandchild); what lies inside it is memory in use.
 */
#include <inttypes.h>
#include <stdio.h>

#include "cli/maps/build.h"
#include "cli/maps/text.h"

#define MAX_DEPTH 16

struct iomem_line {
	uint64_t start, last;
	unsigned depth;
	struct text name;
};

struct iomem {
	struct map_read read;
	unsigned line;
	unsigned depth; /* of the last line; open[] holds its ancestors and itself */
	struct iomem_line open[MAX_DEPTH];
	bool any_line, any_nonzero;
};

static bool starts_with(struct text name, const char *word)
{
	return text_skip(&name, word);
}

static bool fail(struct iomem *in, const struct iomem_line *line, const char *what, const char *expected)
{
	map_error(&in->read, "%s:%u: %" PRIx64 "-%" PRIx64 " %s; expected %s", in->read.map.source, in->line,
		  line->start, line->last, what, expected);
	return false;
}

static bool bad_line(struct iomem *in, const char *what)
{
	map_error(&in->read, "%s:%u: %s; expected \"start-last : name\" as in /proc/iomem", in->read.map.source,
		  in->line, what);
	return false;
}

static bool split_line(struct iomem *in, struct text t, struct iomem_line *line)
{
	const char *first = t.at;
	enum text_number err;

	text_blanks(&t);
	line->depth = (unsigned)(t.at - first) / 2;
	if ((t.at - first) % 2 || line->depth >= MAX_DEPTH)
		return bad_line(in, "indented by an odd number of spaces or too deep");
	err = text_range(&t, &line->start, &line->last);
	if (err == TEXT_TOO_LARGE)
		return bad_line(in, "address of more than 64 bits");
	if (err || !text_skip(&t, " : "))
		return bad_line(in, "not a range");
	line->name = t;
	return true;
}

static bool check_place(struct iomem *in, const struct iomem_line *line)
{
	const struct iomem_line *before = &in->open[line->depth];

	if (line->last < line->start)
		return fail(in, line, "ends before it starts", "start <= last");
	if (!in->any_line)
		return line->depth == 0 || bad_line(in, "indented without a parent");
	if (line->depth > in->depth + 1)
		return bad_line(in, "indented without a parent");
	if (line->depth > 0) {
		const struct iomem_line *parent = &in->open[line->depth - 1];

		if (line->start < parent->start || line->last > parent->last)
			return fail(in, line, "reaches out of the range it is nested in",
				    "children inside their parent");
	}
	if (line->depth > in->depth)
		return true;
	if (line->start < before->start)
		return fail(in, line, "starts below the line before it", "ascending order");
	if (line->start <= before->last)
		return fail(in, line, "overlaps the line before it", "disjoint ranges");
	return true;
}

/* The ancestor that is memory, if any. */
static bool inside_ram(const struct iomem *in, unsigned depth)
{
	for (unsigned i = 0; i < depth; i++)
		if (starts_with(in->open[i].name, "System RAM"))
			return true;
	return false;
}

/*
 * Wholly or partly, the addresses of an outer line that is not memory are reserved or a device until an inner line says
 * System RAM, which then cuts itself out.
 */
static bool add_ram(struct iomem *in, const struct map_range *range)
{
	struct memory_map *map = &in->read.map;
	const struct map_paint cut_reserved = {.from = MAP_RESERVED, .remove = true};
	const struct map_paint cut_device = {.from = MAP_DEVICE, .remove = true};

	return map_repaint(map, range->start, range->last, &cut_reserved) &&
	       map_repaint(map, range->start, range->last, &cut_device) && !map_insert(map, range);
}

static bool add_line(struct iomem *in, const struct iomem_line *line)
{
	struct map_range range = {.start = line->start, .last = line->last, .node = MAP_NODE_UNKNOWN};
	const struct map_paint in_use = {.from = MAP_RAM, .to = MAP_RAM_RESERVED, .name = range.name};
	bool ok = true;

	map_copy_name(range.name, line->name.at, (size_t)(line->name.end - line->name.at));
	if (inside_ram(in, line->depth)) {
		ok = map_repaint(&in->read.map, range.start, range.last, &in_use);
	} else if (starts_with(line->name, "System RAM")) {
		range.kind = MAP_RAM;
		ok = add_ram(in, &range);
	} else if (line->depth == 0) {
		range.kind = starts_with(line->name, "Reserved") || starts_with(line->name, "reserved") ? MAP_RESERVED
													: MAP_DEVICE;
		ok = !map_insert(&in->read.map, &range);
	}
	return ok || fail(in, line, "is one too many", "fewer than 16384 ranges");
}

static bool parse_lines(struct iomem *in, struct text rest)
{
	struct text t;

	while (text_line(&rest, &t)) {
		struct iomem_line line;

		in->line++;
		if (t.at == t.end)
			continue;
		if (!split_line(in, t, &line))
			return false;
		in->any_nonzero |= line.start || line.last;
		/* Hidden addresses are diagnosed below, as a whole. */
		if (in->any_nonzero && (!check_place(in, &line) || !add_line(in, &line)))
			return false;
		in->any_line = true;
		in->depth = line.depth;
		in->open[line.depth] = line;
	}
	return true;
}

/* By ranges: the bytes of all addresses would be 0. */
static bool has_memory(const struct memory_map *map)
{
	for (size_t i = 0; i < map->count; i++)
		if (map->ranges[i].kind == MAP_RAM)
			return true;
	return false;
}

struct map_read map_parse_iomem(const char *source, const char *text, size_t bytes)
{
	struct iomem in = {.read.map.format = MAP_IOMEM};

	snprintf(in.read.map.source, sizeof(in.read.map.source), "%s", source);
	if (!parse_lines(&in, (struct text){text, text + bytes}))
		return in.read;
	if (!in.any_line)
		map_error(&in.read, "%s: empty; expected /proc/iomem text, a device tree blob or a kernel log", source);
	else if (!in.any_nonzero)
		map_error(&in.read,
			  "%s: every address is 0: the kernel hides them from unprivileged readers; expected a copy "
			  "read by root "
			  "(sudo cat /proc/iomem)",
			  source);
	else if (!has_memory(&in.read.map))
		map_error(&in.read, "%s: no memory; expected at least one \"System RAM\" line that is not all in use",
			  source);
	return in.read;
}
