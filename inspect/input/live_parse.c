/* SPDX-License-Identifier: MIT */
/* What QEMU's monitor and gdbstub answer. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "inspect/input/live.h"

/* "info mtree -f": flat views, each with the address spaces it is of; memory is the one named "memory". */
size_t live_parse_mtree(const char *text, struct insp_extent *extents, size_t room)
{
	const char *view = strstr(text, "AS \"memory\""), *end, *line;
	size_t count = 0;

	if (!view)
		return 0;
	end = strstr(view, "FlatView #");
	for (line = strchr(view, '\n'); line && (!end || line < end) && count < room; line = strchr(line, '\n')) {
		char *stop;
		unsigned long long first, last;
		const char *kind, *eol;

		line++;
		first = strtoull(line, &stop, 16);
		if (stop == line || *stop != '-')
			continue;
		last = strtoull(stop + 1, &stop, 16);
		eol = stop + strcspn(stop, "\n");
		kind = strstr(stop, ", ");
		if (last < first || last >= INPUT_PA_MAX || !kind || kind > eol || strncmp(kind, ", ram)", 6) != 0)
			continue;
		extents[count++] = (struct insp_extent){first, last + 1};
	}
	return input_merge(extents, count);
}

/* Lines of an address and up to two words; words are the guest's, so that bytes follow from its byte order. */
bool live_parse_xp(const char *text, bool big_endian, unsigned char page[LIVE_PAGE])
{
	size_t at = 0;

	for (const char *p = strchr(text, ':'); p && at < LIVE_PAGE; p = strchr(p, ':')) {
		p++;
		while (at < LIVE_PAGE) {
			char *stop;
			unsigned long long v;

			p += strspn(p, " ");
			if (p[0] != '0' || p[1] != 'x')
				break;
			v = strtoull(p, &stop, 16);
			for (unsigned i = 0; i < 8; i++)
				page[at + (big_endian ? 7 - i : i)] = (unsigned char)(v >> (8 * i));
			at += 8;
			p = stop;
		}
	}
	return at == LIVE_PAGE;
}

void live_parse_registers(const char *text, struct input_regs *regs)
{
	static const struct {
		const char *text, *name;
	} known[] = {{"CR0=", "cr0"}, {"CR3=", "cr3"}, {"CR4=", "cr4"},  {"EFER=", "efer"}, {"C00=", "cr0"},
		     {"C01=", "cr1"}, {"C07=", "cr7"}, {"C13=", "cr13"}, {"satp ", "satp"}};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		const char *p = text;
		char *stop;

		while ((p = strstr(p, known[i].text)) && p != text && isalnum((unsigned char)p[-1]))
			p++;
		if (!p)
			continue;
		p += strlen(known[i].text);
		p += strspn(p, " ");
		if (isxdigit((unsigned char)*p))
			input_reg_set(regs, known[i].name, strtoull(p, &stop, 16));
	}
}

int live_parse_arch(const char *text)
{
	static const struct {
		const char *text;
		enum cop_arch arch;
	} known[] = {{"CR3=", COP_X86_64},        {"PSTATE=", COP_ARM64},      {"satp ", COP_RISCV64},
		     {"PSW=", COP_S390X},         {"i386:x86-64", COP_X86_64}, {"aarch64", COP_ARM64},
		     {"riscv:rv64", COP_RISCV64}, {"s390:64", COP_S390X}};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (strstr(text, known[i].text))
			return (int)known[i].arch;
	return -1;
}

/* An attribute's value within [tag, end); false if there is none that fits. */
static bool attribute(const char *tag, const char *end, const char *name, char *value, size_t room)
{
	const size_t length = strlen(name);

	for (const char *p = tag; p + length + 2 < end; p++) {
		const char *stop;

		if (!isspace((unsigned char)p[0]) || strncmp(p + 1, name, length) != 0 || p[1 + length] != '=')
			continue;
		p += length + 2;
		stop = p < end ? memchr(p + 1, *p, (size_t)(end - p - 1)) : NULL;
		if (!stop || (size_t)(stop - p) > room)
			return false;
		memcpy(value, p + 1, (size_t)(stop - p - 1));
		value[stop - p - 1] = 0;
		return true;
	}
	return false;
}

static const char *next_tag(const char *xml, const char *tag, size_t *at, const char **end)
{
	const char *p = strstr(xml + *at, tag);

	*end = p ? strchr(p, '>') : NULL;
	if (!*end)
		return NULL;
	*at = (size_t)(*end - xml);
	return p + strlen(tag);
}

/* QEMU's descriptions have registers in comments that it does not count. */
void live_parse_uncomment(char *xml)
{
	char *start, *end;

	while ((start = strstr(xml, "<!--")) != NULL) {
		end = strstr(start, "-->");
		end = end ? end + 3 : start + strlen(start);
		memset(start, ' ', (size_t)(end - start));
		xml = end;
	}
}

bool live_parse_xml_register(const char *xml, size_t *at, struct live_register *r)
{
	const char *end, *tag;
	char number[16];

	while ((tag = next_tag(xml, "<reg", at, &end)) != NULL) {
		if (!isspace((unsigned char)*tag))
			continue;
		/* Without a number it is the one after the last. */
		r->number++;
		if (attribute(tag, end, "regnum", number, sizeof(number)))
			r->number = (unsigned)strtoul(number, NULL, 10);
		if (attribute(tag, end, "name", r->name, sizeof(r->name)))
			return true;
	}
	return false;
}

bool live_parse_xml_include(const char *xml, size_t *at, char name[64])
{
	const char *end, *tag;

	while ((tag = next_tag(xml, "<xi:include", at, &end)) != NULL)
		if (attribute(tag, end, "href", name, 64))
			return true;
	return false;
}

/* One escape behind the backslash; everything that the monitor prints is ASCII. */
static char unescape(const char **p, const char *end)
{
	char hex[5] = "";

	switch (**p) {
	case 'n':
		return '\n';
	case 'r':
		return '\r';
	case 't':
		return '\t';
	case 'u':
		if (end - *p > 4) {
			memcpy(hex, *p + 1, 4);
			*p += 4;
		}
		return (char)(strtoul(hex, NULL, 16) & 0x7f);
	default:
		return **p;
	}
}

char *live_parse_qmp(const char *line, size_t size)
{
	static const char start[] = "{\"return\": \"";
	const char *p = line + sizeof(start) - 1, *end = line + size;
	char *text, *out;

	if (size < sizeof(start) || strncmp(line, start, sizeof(start) - 1) != 0)
		return NULL;
	text = malloc(size);
	for (out = text; text && p < end && *p != '"'; p++) {
		if (*p == '\\' && ++p == end)
			break;
		*out++ = p[-1] == '\\' ? unescape(&p, end) : *p;
	}
	if (text)
		*out = 0;
	return text;
}
