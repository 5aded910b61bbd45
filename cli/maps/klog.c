// SPDX-License-Identifier: MIT
/*
 * The memory map in a Linux kernel log, with or without time stamps and syslog prefixes:
 *
 *   BIOS-e820: [mem 0x0000000000100000-0x00000000bfffffff] usable
 *   e820: update [mem 0x00000000-0x00000fff] usable ==> reserved
 *   e820: remove [mem 0x000a0000-0x000fffff] usable
 *   efi: mem04: [Conventional Memory|   |  |  |...|WB|WT|WC|UC] range=[0x0000000000100000-0x00000000007fffff] (7MB)
 *   efi:   0x000040000000-0x00007e8ebfff [Conventional Memory|...]        (arm64, riscv64)
 *
 * Where both are printed, e820 is what the kernel used: EFI lines count only without any e820 line.
 */
#include <inttypes.h>
#include <stdio.h>

#include "cli/maps/build.h"
#include "cli/maps/text.h"

struct klog {
	struct map_read read;
	unsigned line;
	bool e820;
	uint64_t start, last;
};

static bool fail(struct klog *in, const char *what, const char *expected)
{
	map_error(&in->read, "%s:%u: %" PRIx64 "-%" PRIx64 " %s; expected %s", in->read.map.source, in->line, in->start,
		  in->last, what, expected);
	return false;
}

static bool get_range(struct klog *in, struct text *t)
{
	enum text_number err = text_range(t, &in->start, &in->last);

	if (err) {
		map_error(&in->read, "%s:%u: %s; expected [mem 0xstart-0xlast]", in->read.map.source, in->line,
			  err == TEXT_TOO_LARGE ? "address of more than 64 bits" : "not a range");
		return false;
	}
	if (in->last < in->start)
		return fail(in, "ends before it starts", "start <= last");
	return true;
}

static enum map_kind e820_kind(struct text t)
{
	if (text_skip(&t, "usable"))
		return MAP_RAM;
	return MAP_RESERVED;
}

static bool insert(struct klog *in, enum map_kind kind, struct text name)
{
	struct map_range range = {.start = in->start, .last = in->last, .kind = kind, .node = MAP_NODE_UNKNOWN};
	const struct map_range *other;

	map_copy_name(range.name, name.at, (size_t)(name.end - name.at));
	other = map_insert(&in->read.map, &range);
	if (other == &range)
		return fail(in, "is one too many", "fewer than 16384 ranges");
	if (other)
		return fail(in, "overlaps a range above", "disjoint ranges of one boot");
	return true;
}

static bool add_bios_line(struct klog *in, struct text t)
{
	if (!get_range(in, &t))
		return false;
	text_skip(&t, "]");
	text_blanks(&t);
	return insert(in, e820_kind(t), t);
}

/* "usable ==> reserved", "usable" */
static bool apply_change(struct klog *in, struct text t, bool remove)
{
	struct map_paint paint = {.remove = remove};

	if (!get_range(in, &t))
		return false;
	text_skip(&t, "]");
	text_blanks(&t);
	paint.from = e820_kind(t);
	if (!remove) {
		if (!text_find(&t, "==> "))
			return fail(in, "is changed to nothing", "\"usable ==> reserved\"");
		paint.to = e820_kind(t);
		paint.name = paint.to == MAP_RAM ? "usable" : "reserved";
	}
	return map_repaint(&in->read.map, in->start, in->last, &paint) ||
	       fail(in, "is one too many", "fewer than 16384 ranges");
}

/* What is memory once the boot services are gone (UEFI 2.10, 7.2, table of memory types after ExitBootServices). */
static enum map_kind efi_kind(struct text type)
{
	static const char *const ram[] = {"Conventional", "Loader", "Boot Code", "Boot Data", "Boot code", "Boot data"};

	for (size_t i = 0; i < sizeof(ram) / sizeof(*ram); i++) {
		struct text t = type;

		if (text_skip(&t, ram[i]))
			return MAP_RAM;
	}
	if (text_skip(&type, "Memory Mapped I/O") || text_skip(&type, "MMIO"))
		return MAP_DEVICE;
	return MAP_RESERVED;
}

static bool add_efi(struct klog *in, struct text range, struct text type)
{
	struct text name = type;
	const char *bar = memchr(type.at, '|', (size_t)(type.end - type.at));

	if (!get_range(in, &range))
		return false;
	if (bar)
		name.end = bar;
	while (name.end > name.at && name.end[-1] == ' ')
		name.end--;
	return insert(in, efi_kind(type), name);
}

/* An "efi:" line that is not part of the map is no error: the log is full of them. */
static bool efi_line(struct klog *in, struct text t)
{
	struct text range, type;

	text_blanks(&t);
	range = type = t;
	if (text_skip(&t, "mem")) {
		if (!text_find(&range, "range=[") || !text_find(&type, "["))
			return true;
	} else if (!text_skip(&t, "0x") || !text_find(&type, "[")) {
		return true;
	}
	return add_efi(in, range, type);
}

static bool is_e820(const char *text, size_t bytes)
{
	return memmem(text, bytes, "BIOS-e820: [mem ", 16) != NULL;
}

static bool parse_line(struct klog *in, struct text t)
{
	struct text at = t;

	if (!in->e820)
		return text_find(&at, "efi:") ? efi_line(in, at) : true;
	if (text_find(&at, "BIOS-e820: [mem "))
		return add_bios_line(in, at);
	if (text_find(&at, "e820: update [mem "))
		return apply_change(in, at, false);
	if (text_find(&at, "e820: remove [mem "))
		return apply_change(in, at, true);
	return true;
}

struct map_read map_parse_klog(const char *source, const char *text, size_t bytes)
{
	struct klog in = {.read.map.format = MAP_KLOG, .e820 = is_e820(text, bytes)};
	struct text rest = {text, text + bytes}, line;

	snprintf(in.read.map.source, sizeof(in.read.map.source), "%s", source);
	while (text_line(&rest, &line)) {
		in.line++;
		if (!parse_line(&in, line))
			return in.read;
	}
	if (!in.read.map.count)
		map_error(&in.read,
			  "%s: a kernel log without a memory map; expected \"BIOS-e820: [mem ...]\" or \"efi: mem..\" "
			  "lines (the "
			  "log's first seconds, or boot with efi=debug)",
			  source);
	else if (!map_bytes(&in.read.map, MAP_RAM))
		map_error(&in.read, "%s: no memory; expected at least one usable range", source);
	return in.read;
}
