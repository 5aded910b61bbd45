/* SPDX-License-Identifier: MIT */
/*
 * QEMU's gdbstub: GDB's remote serial protocol (GDB manual, appendix E) with QEMU's physical memory mode.
 *
 * The stub stops the guest when someone connects, and answers only while it is stopped. So the guest is stopped for each
 * read and runs on behind it.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "inspect/input/live.h"

#define WAIT_MS    10000
#define READ_BYTES 1024U /* half of the smallest packet that QEMU takes */
#define XML_CHUNK  0x7f0U
#define XML_MAX    (4U << 20)

static int hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* Bytes of hexadecimal text until something else. */
static size_t unhex(const char *text, unsigned char *out, size_t room)
{
	size_t n = 0;

	while (n < room && hex(text[2 * n]) >= 0 && hex(text[2 * n + 1]) >= 0) {
		out[n] = (unsigned char)(hex(text[2 * n]) << 4 | hex(text[2 * n + 1]));
		n++;
	}
	return n;
}

static int send_packet(struct live *l, const char *data)
{
	char packet[600];
	unsigned sum = 0;

	for (const char *c = data; *c; c++)
		sum += (unsigned char)*c;
	(void)snprintf(packet, sizeof(packet), "$%s#%02x", data, sum & 0xff);
	return live_send(l, packet, strlen(packet));
}

/* The next packet, without its frame, at the start of l->in and NUL-terminated; *@size to drop it with. */
static int packet(struct live *l, size_t *size)
{
	for (;;) {
		char *start = l->in_size ? memchr(l->in, '$', l->in_size) : NULL;
		char *end = start ? memchr(start, '#', l->in_size - (size_t)(start - l->in)) : NULL;
		int err;

		if (end && (size_t)(end - l->in) + 3 <= l->in_size) {
			*end = 0;
			*size = (size_t)(end - start) + 2;
			live_drop(l, (size_t)(start - l->in) + 1);
			return live_send(l, "+", 1);
		}
		err = live_receive(l, WAIT_MS);
		if (err)
			return err;
	}
}

/* Ask, and the reply stays at l->in until live_drop(size). */
static int ask(struct live *l, const char *question, size_t *size)
{
	const int err = send_packet(l, question);

	return err ? err : packet(l, size);
}

static int ask_ok(struct live *l, const char *question)
{
	size_t size;
	int err = ask(l, question, &size);

	if (err)
		return err;
	if (strcmp(l->in, "OK") != 0)
		err = input_fail(l->error, EPROTO,
				 "%s: '%s' was answered with '%.40s'; expected OK: is it QEMU's gdbstub?", l->path,
				 question, l->in);
	live_drop(l, size);
	return err;
}

/* An interrupt; the answer is why it stopped. */
static int stop(struct live *l)
{
	size_t size;
	int err = live_send(l, "\x03", 1);

	if (!err)
		err = packet(l, &size);
	if (err)
		return err;
	live_drop(l, size);
	l->running = false;
	return 0;
}

static int resume(struct live *l)
{
	l->running = true;
	return send_packet(l, "c");
}

/* Console output comes as packets "O" and hexadecimal text, then "OK". */
static char *monitor(struct live *l, const char *command)
{
	char question[256] = "qRcmd,", *text = calloc(1, 1), *grown;
	size_t used = 0, size, part;
	int err;

	for (size_t i = 0; command[i] && 6 + 2 * i + 3 < sizeof(question); i++)
		(void)snprintf(question + 6 + 2 * i, 3, "%02x", (unsigned char)command[i]);
	err = text ? ask(l, question, &size) : -ENOMEM;
	while (!err && l->in[0] == 'O' && l->in[1] != 'K') {
		part = strlen(l->in) / 2;
		grown = used < XML_MAX ? realloc(text, used + part + 1) : NULL;
		if (!grown)
			break;
		text = grown;
		used += unhex(l->in + 1, (unsigned char *)text + used, part);
		text[used] = 0;
		live_drop(l, size);
		err = packet(l, &size);
	}
	if (!err && strcmp(l->in, "OK") == 0) {
		live_drop(l, size);
		return text;
	}
	if (!err) {
		(void)input_fail(l->error, EPROTO, "%s: '%s' was answered with '%.40s'", l->path, command, l->in);
		live_drop(l, size);
	}
	free(text);
	return NULL;
}

/* Binary replies write '#', '$', '*' and '}' as '}' and the character with bit 5 flipped. */
static size_t unescape(char *text)
{
	char *out = text;

	for (const char *p = text; *p; p++)
		*out++ = *p == '}' && p[1] ? (char)(*++p ^ 0x20) : *p;
	*out = 0;
	return (size_t)(out - text);
}

/* A document of the target description, in chunks that begin with 'm' (more) or 'l' (last). */
static char *document(struct live *l, const char *name)
{
	char question[128], *text = calloc(1, 1), *grown;
	size_t used = 0, size, part;
	bool more = true;

	while (text && more && used < XML_MAX) {
		(void)snprintf(question, sizeof(question), "qXfer:features:read:%s:%zx,%x", name, used, XML_CHUNK);
		if (ask(l, question, &size) != 0)
			break;
		more = l->in[0] == 'm';
		part = l->in[0] == 'm' || l->in[0] == 'l' ? unescape(l->in + 1) : 0;
		more = more && part;
		grown = realloc(text, used + part + 1);
		if (grown) {
			text = grown;
			memcpy(text + used, l->in + 1, part);
			used += part;
			text[used] = 0;
		}
		live_drop(l, size);
		if (!grown)
			break;
	}
	if (text)
		live_parse_uncomment(text);
	return text;
}

static void read_register(struct live *l, struct input *in, const struct live_register *r)
{
	static const char *const wanted[] = {"cr0",  "cr1",       "cr3",       "cr4",     "cr7",      "cr13",
					     "efer", "TTBR0_EL1", "TTBR1_EL1", "TCR_EL1", "MAIR_EL1", "satp"};
	unsigned char bytes[8];
	char question[32];
	size_t size, got;

	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
		if (strcmp(r->name, wanted[i]) != 0)
			continue;
		(void)snprintf(question, sizeof(question), "p%x", r->number);
		if (ask(l, question, &size) != 0)
			return;
		got = unhex(l->in, bytes, sizeof(bytes));
		if (got == 4 || got == 8)
			input_reg_set(&in->regs, r->name, input_field(bytes, (unsigned)got, l->arch == COP_S390X));
		live_drop(l, size);
	}
}

static int read_registers(struct live *l, struct input *in)
{
	struct live_register r = {.number = UINT32_MAX};
	char *target = document(l, "target.xml"), *part, name[64];
	size_t at = 0, from = 0;

	if (target)
		l->arch = live_parse_arch(target);
	in->regs.from = "the gdbstub";
	while (target && live_parse_xml_include(target, &at, name)) {
		part = document(l, name);
		from = 0;
		while (part && live_parse_xml_register(part, &from, &r))
			read_register(l, in, &r);
		free(part);
	}
	from = 0;
	while (target && live_parse_xml_register(target, &from, &r))
		read_register(l, in, &r);
	free(target);
	return 0;
}

/* Stopping for us may be reported before the first answer. */
static int start(struct live *l)
{
	size_t size;
	int err = ask(l, "qSupported:qXfer:features:read+", &size);

	if (!err && (l->in[0] == 'T' || l->in[0] == 'S')) {
		live_drop(l, size);
		err = packet(l, &size);
	}
	if (err)
		return err;
	l->started = true;
	live_drop(l, size);
	return ask_ok(l, "Qqemu.PhyMemMode:1");
}

static bool read_part(struct live *l, cop_pa pa, unsigned char *out)
{
	char question[64];
	size_t size, got;

	(void)snprintf(question, sizeof(question), "m%" PRIx64 ",%x", pa, READ_BYTES);
	if (ask(l, question, &size) != 0)
		return false;
	got = unhex(l->in, out, READ_BYTES);
	live_drop(l, size);
	return got == READ_BYTES;
}

static bool read_page(struct live *l, cop_pa pa, unsigned char page[LIVE_PAGE])
{
	bool whole = stop(l) == 0;

	for (unsigned at = 0; at < LIVE_PAGE && whole; at += READ_BYTES)
		whole = read_part(l, pa + at, page + at);
	return resume(l) == 0 && whole;
}

/* Detaching lets the guest run on. */
static void leave(struct live *l)
{
	if (l->running && stop(l) != 0)
		return;
	(void)ask_ok(l, "Qqemu.PhyMemMode:0");
	(void)ask_ok(l, "D");
}

static int read_all_registers(struct live *l, struct input *in)
{
	const int err = read_registers(l, in);

	return err ? err : resume(l);
}

const struct live_ops live_gdb = {"gdbstub", start, monitor, read_page, read_all_registers, leave};
