/* SPDX-License-Identifier: MIT */
/* A monitor and a gdbstub in a thread answer as QEMU does, from recorded frames: the same leaves. And answers that are none. */
#include <inttypes.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <cmocka.h>

#include "tests/inspect/input.h"

enum protocol { QMP, HMP, GDB };

struct server {
	enum protocol protocol;
	const struct input_frames *frames;
	bool big; /* words of xp are the guest's */
	const char *registers, *architecture;
	const char *xml; /* the gdbstub's registers, and values in their order */
	uint64_t values[8];
	const char *instead; /* answer this to everything */
	int listener, fd;
	bool running, detached; /* the gdbstub's guest */
	bool disturbed;         /* something but memory was read */
	pthread_t thread;
	char address[160];
	char *text; /* the answer to the last command */
	size_t size;
};

static void say(struct server *s, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void say(struct server *s, const char *format, ...)
{
	char part[512];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(part, sizeof(part), format, args);
	va_end(args);
	s->text = realloc(s->text, s->size + strlen(part) + 1);
	if (!s->text)
		abort();
	memcpy(s->text + s->size, part, strlen(part) + 1);
	s->size += strlen(part);
}

static const unsigned char *frame_at(struct server *s, cop_pa pa)
{
	for (size_t i = 0; i < s->frames->count; i++)
		if (s->frames->frame[i].pa == COP_ALIGN_DOWN(pa, 4096))
			return s->frames->frame[i].bytes + (pa & 4095);
	s->disturbed = true;
	return NULL;
}

static void memory_map(struct server *s)
{
	say(s, "FlatView #0\n AS \"I/O\", root: io\n Root memory region: io\n"
	       "  0000000000000000-ffffffffffffffff (prio 0, ram): not this one\n\nFlatView #1\n"
	       " AS \"memory\", root: system\n AS \"cpu-memory-0\", root: system\n Root memory region: system\n"
	       "  00000000fec00000-00000000fec00fff (prio 0, i/o): ioapic\n");
	for (size_t i = 0; i < s->frames->count; i++)
		say(s, "  %016" PRIx64 "-%016" PRIx64 " (prio 0, ram): pc.ram @%016" PRIx64 "\n",
		    s->frames->frame[i].pa, s->frames->frame[i].pa + 4095, s->frames->frame[i].pa);
	say(s, "\nFlatView #2\n AS \"other\"\n  0000000000000000-ffffffffffffffff (prio 0, ram): nor this\n");
}

static void command(struct server *s, const char *line)
{
	uint64_t pa;

	if (strncmp(line, "info mtree -f", 13) == 0)
		memory_map(s);
	else if (strncmp(line, "info registers", 14) == 0)
		say(s, "%s", s->registers);
	else if (sscanf(line, "xp /512gx %" SCNx64, &pa) == 1 && frame_at(s, pa))
		for (unsigned i = 0; i < 512; i++) {
			uint64_t v;

			memcpy(&v, frame_at(s, pa + 8 * i), 8);
			say(s, i % 2 ? " 0x%016" PRIx64 "\r\n" : "%016" PRIx64 ": 0x%016" PRIx64,
			    i % 2 ? (s->big ? __builtin_bswap64(v) : v) : pa + 8 * i,
			    s->big ? __builtin_bswap64(v) : v);
		}
	else
		say(s, "unknown command: '%s'\n", line);
}

static void send_all(struct server *s, const char *data, size_t size)
{
	/* In small pieces, as networks do. */
	while (size) {
		const size_t part = size > 1000 ? 1000 : size;
		const ssize_t sent = send(s->fd, data, part, MSG_NOSIGNAL);

		if (sent <= 0)
			return;
		data += sent;
		size -= (size_t)sent;
	}
}

static void send_text(struct server *s, const char *text)
{
	send_all(s, text, strlen(text));
}

static void answer_qmp(struct server *s, char *line)
{
	char *p = strstr(line, "command-line\": \""), *out;

	s->size = 0;
	send_text(s, "{\"timestamp\": {\"seconds\": 1, \"microseconds\": 2}, \"event\": \"RTC_CHANGE\"}\r\n");
	if (!p) {
		send_text(s, "{\"return\": {}}\r\n");
		return;
	}
	p += strlen("command-line\": \"");
	p[strcspn(p, "\"")] = 0;
	command(s, p);
	out = malloc(6 * s->size + 32);
	if (!out)
		abort();
	p = out + sprintf(out, "{\"return\": \"");
	for (size_t i = 0; i < s->size; i++) {
		if (s->text[i] == '\n' || s->text[i] == '\r')
			p += sprintf(p, s->text[i] == '\n' ? "\\n" : "\\r");
		else if (s->text[i] == '"')
			p += sprintf(p, "\\\"");
		else if (s->text[i] == '\'')
			p += sprintf(p, "\\u0027");
		else
			*p++ = s->text[i];
	}
	p += sprintf(p, "\"}\r\n");
	send_all(s, out, (size_t)(p - out));
	free(out);
}

static void answer_hmp(struct server *s, char *line)
{
	s->size = 0;
	say(s, "%s\x1b[K\r\n", line);
	command(s, line);
	say(s, "(qemu) ");
	send_all(s, s->text, s->size);
}

/* Binary replies escape; all others have nothing to. */
static void packet(struct server *s, const char *data)
{
	char *out = malloc(2 * strlen(data) + 8), *p = out;
	unsigned sum = 0;

	if (!out)
		abort();
	*p++ = '$';
	for (const char *c = data; *c; c++) {
		if (*c == '#' || *c == '$' || *c == '*' || *c == '}') {
			*p++ = '}';
			*p++ = (char)(*c ^ 0x20);
		} else {
			*p++ = *c;
		}
	}
	for (const char *c = out + 1; c < p; c++)
		sum += (unsigned char)*c;
	p += sprintf(p, "#%02x", sum & 0xff);
	send_all(s, out, (size_t)(p - out));
	free(out);
}

static void answer_document(struct server *s, const char *question)
{
	char whole[4096], part[512], name[64];
	unsigned at, size;
	const char *text = s->xml;

	if (sscanf(question, "qXfer:features:read:%63[^:]:%x,%x", name, &at, &size) != 3) {
		packet(s, "");
		return;
	}
	(void)snprintf(whole, sizeof(whole),
		       "<?xml version=\"1.0\"?><target><architecture>%s</architecture>"
		       "<xi:include href=\"core.xml\"/><xi:include href='regs.xml'/></target>",
		       s->architecture);
	if (strcmp(name, "target.xml") == 0)
		text = whole;
	if (strcmp(name, "core.xml") == 0)
		text = "<!-- $* # } <reg name=\"not\"/> --><feature><reg name=\"pc\" bitsize=\"64\"/></feature>";
	at = at > strlen(text) ? (unsigned)strlen(text) : at;
	(void)snprintf(part, sizeof(part), "%c%.100s", strlen(text + at) > 100 ? 'm' : 'l', text + at);
	packet(s, part);
}

static void answer_monitor(struct server *s, const char *hex)
{
	char line[128] = "", *out;
	unsigned c;

	for (size_t i = 0; sscanf(hex + 2 * i, "%2x", &c) == 1 && i < 127; i++)
		line[i] = (char)c;
	s->size = 0;
	command(s, line);
	for (size_t at = 0; at < s->size; at += 500) {
		out = calloc(1, 1100);
		if (!out)
			abort();
		out[0] = 'O';
		for (size_t i = 0; i < 500 && at + i < s->size; i++)
			(void)sprintf(out + 1 + 2 * i, "%02x", (unsigned char)s->text[at + i]);
		packet(s, out);
		free(out);
	}
	packet(s, "OK");
}

static void answer_memory(struct server *s, uint64_t pa, unsigned size)
{
	char out[4096] = "E14";

	if (frame_at(s, pa) && size <= 2000 && (pa & 4095) + size <= 4096)
		for (unsigned i = 0; i < size; i++)
			(void)sprintf(out + 2 * i, "%02x", frame_at(s, pa + i)[0]);
	packet(s, out);
}

static void answer_register(struct server *s, unsigned number)
{
	char out[32];

	/* The first eight after pc and a gap. */
	if (number < 10 || number >= 18) {
		packet(s, "00000000");
		return;
	}
	for (unsigned i = 0; i < 8; i++)
		(void)sprintf(out + 2 * i, "%02x",
			      (unsigned)(s->values[number - 10] >> (s->big ? 56 - 8 * i : 8 * i)) & 0xff);
	packet(s, out);
}

static void answer_gdb(struct server *s, char *line)
{
	unsigned number, size;
	uint64_t pa;

	send_text(s, "+");
	if (strncmp(line, "qSupported", 10) == 0)
		packet(s, "PacketSize=1000;qXfer:features:read+");
	else if (strncmp(line, "qXfer", 5) == 0)
		answer_document(s, line);
	else if (strncmp(line, "qRcmd,", 6) == 0)
		answer_monitor(s, line + 6);
	else if (sscanf(line, "m%" SCNx64 ",%x", &pa, &size) == 2)
		answer_memory(s, pa, size);
	else if (sscanf(line, "p%x", &number) == 1)
		answer_register(s, number);
	else if (strcmp(line, "c") == 0)
		s->running = true;
	else {
		s->detached |= strcmp(line, "D") == 0;
		packet(s, strncmp(line, "Qqemu.PhyMemMode", 16) == 0 || *line == 'D' ? "OK" : "");
	}
}

static void answer(struct server *s, char *line)
{
	if (s->instead && !*s->instead)
		(void)shutdown(s->fd, SHUT_RDWR);
	else if (s->instead)
		send_text(s, s->instead);
	else if (s->protocol == QMP)
		answer_qmp(s, line);
	else if (s->protocol == HMP)
		answer_hmp(s, line);
	else
		answer_gdb(s, line);
}

/* A gdb packet begins with '$' and ends two characters behind '#'; an interrupt is one byte. */
static size_t gdb_command(struct server *s, char *in, size_t size)
{
	char *start = memchr(in, '$', size), *end = memchr(in, '#', size);

	if (size && in[0] == 3) {
		if (s->running && !s->instead)
			packet(s, "T02thread:01;");
		s->running = false;
		return 1;
	}
	if (size && in[0] == '+')
		return 1;
	if (!start || !end || (size_t)(end - in) + 3 > size)
		return 0;
	*end = 0;
	answer(s, start + 1);
	return (size_t)(end - in) + 3;
}

static size_t line_command(struct server *s, char *in, size_t size)
{
	char *end = memchr(in, '\n', size);

	if (!end)
		return 0;
	*end = 0;
	answer(s, in);
	return (size_t)(end - in) + 1;
}

static void *serve(void *argument)
{
	struct server *s = argument;
	char in[8192];
	size_t size = 0, used;
	ssize_t got;

	s->fd = accept(s->listener, NULL, NULL);
	if (s->protocol == QMP)
		send_text(s, "{\"QMP\": {\"version\": {}, \"capabilities\": []}}\r\n");
	if (s->protocol == HMP)
		send_text(s, "QEMU 7.2.0 monitor - type 'help' for more information\r\n(qemu) ");
	while ((got = recv(s->fd, in + size, sizeof(in) - 1 - size, 0)) > 0) {
		size += (size_t)got;
		do {
			used = s->protocol == GDB ? gdb_command(s, in, size) : line_command(s, in, size);
			size -= used;
			memmove(in, in + used, size);
		} while (used);
	}
	close(s->fd);
	return NULL;
}

static struct insp_source start(struct server *s)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};

	(void)snprintf(a.sun_path, sizeof(a.sun_path), "%s", input_path("socket"));
	(void)unlink(a.sun_path);
	(void)snprintf(s->address, sizeof(s->address), "unix:%s", a.sun_path);
	s->listener = socket(AF_UNIX, SOCK_STREAM, 0);
	assert_int_equal(bind(s->listener, (struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(listen(s->listener, 1), 0);
	assert_int_equal(pthread_create(&s->thread, NULL, serve, s), 0);
	return (struct insp_source){.path = s->address, .arch = -1};
}

static void finish(struct server *s)
{
	pthread_join(s->thread, NULL);
	close(s->listener);
	free(s->text);
}

static void check(const char *set, struct server s, const char *kind)
{
	struct input_frames f = input_frames_of(set);
	struct insp_source source;
	struct insp_machine m;

	s.frames = &f;
	source = start(&s);
	source.kind = kind;
	m = input_opened(&source);
	assert_non_null(strstr(m.found, "may change"));
	assert_true(m.memory->ram);
	input_has_leaves(&m, set);
	insp_close(&m);
	finish(&s);
	assert_false(s.disturbed);
	assert_int_equal(s.detached, s.protocol == GDB);
	assert_false(s.running);
	input_frames_free(&f);
}

static const char x86_registers[] = "RAX=0 RBX=0\nCR0=80050033 CR2=0000000000000000 CR3=0000000005660000 CR4=00750eb0\n"
				    "EFER=0000000000000d01\nFCW=037f\n";
static const char s390x_registers[] =
	"PSW=mask 0704c00180000000 addr 0 cc 00\nR00=0 R01=0\nF00=0\n"
	"C00=0000000014966a12 C01=0000000001290007 C02=0 C03=0\nC04=0 C07=00000000026b41c7\n"
	"C13=0000000001290007\n";

static void qmp(void **state)
{
	check("amd64-4level", (struct server){.protocol = QMP, .registers = x86_registers}, NULL);
	check("s390x", (struct server){.protocol = QMP, .registers = s390x_registers, .big = true}, "qmp");
}

static void hmp(void **state)
{
	check("amd64-4level", (struct server){.protocol = HMP, .registers = x86_registers}, NULL);
	check("riscv64-sv39",
	      (struct server){.protocol = HMP, .registers = " pc 0\n mhartid 0\n satp     80010000000834c8\n"}, "hmp");
}

static void gdb(void **state)
{
	check("amd64-4level",
	      (struct server){
		      .protocol = GDB,
		      .architecture = "i386:x86-64",
		      .xml = "<reg name=\"cr0\" bitsize=\"64\" regnum=\"10\"/>\n<reg bitsize=\"64\" name='cr3'/>"
			     "<reg name=\"cr4\"/><reg name=\"efer\"/>",
		      .values = {0x80050033, 0x5660000, 0x750eb0, 0xd01}},
	      NULL);
	check("arm64-default",
	      (struct server){.protocol = GDB,
			      .architecture = "aarch64",
			      .xml = "<reg name=\"TTBR0_EL1\" regnum=\"10\"/><reg name=\"TTBR1_EL1\" regnum=\"11\"/>"
				     "<reg name=\"TCR_EL1\" regnum=\"12\"/><reg name=\"MAIR_EL1\" regnum=\"13\"/>",
			      .values = {0x43863001, 0x2000004157b001, 0x15001f5b5503510, 0x40044ffff}},
	      "gdb");
	check("s390x",
	      (struct server){.protocol = GDB,
			      .big = true,
			      .architecture = "s390:64-bit",
			      .xml = "<reg name=\"cr0\" regnum=\"10\"/><reg name=\"cr1\"/><reg name=\"cr13\"/>",
			      .values = {0x14966a12, 0x1290007, 0x1290007}},
	      "gdb");
}

static void refuse(struct server s, const char *kind, const char *part)
{
	struct input_frames f = input_frames_of("amd64-4level");
	struct insp_source source;

	s.frames = &f;
	source = start(&s);
	source.kind = kind;
	input_refused(&source, part);
	finish(&s);
	input_frames_free(&f);
}

static void strange_answers(void **state)
{
	refuse((struct server){.protocol = QMP, .instead = "{\"error\": {\"class\": \"x\", \"desc\": \"no\"}}\n"},
	       "qmp", "'info mtree -f' was answered with");
	refuse((struct server){.protocol = QMP, .instead = ""}, "qmp", "the connection was closed");
	refuse((struct server){.protocol = GDB, .instead = ""}, "gdb", "the connection was closed");
	refuse((struct server){.protocol = HMP, .instead = "(qemu) (qemu) (qemu) "}, "hmp", "shows no memory");
	refuse((struct server){.protocol = HMP, .registers = "PSTATE=00000005\n"}, "hmp",
	       "does not show where tables are");
	refuse((struct server){.protocol = HMP, .registers = "what\n"}, "hmp", "no architecture");
	refuse((struct server){.protocol = HMP, .registers = "CR0=10 CR3=0\n"}, "hmp", "paging is off");
	refuse((struct server){.protocol = HMP}, "qmp", "expected QMP's greeting");
	refuse((struct server){.protocol = GDB, .instead = "+$E01#a6"}, "gdb", "expected OK");
	refuse((struct server){.protocol = GDB, .instead = "+$#00"}, "gdb", "expected OK");
	refuse((struct server){.protocol = GDB, .architecture = "vax", .xml = ""}, "gdb", "no architecture");
	refuse((struct server){.protocol = GDB, .architecture = "aarch64", .xml = "<reg name=\"x0\""}, "gdb",
	       "does not show where tables are");
}

static void no_socket(void **state)
{
	const struct insp_source none = {.path = "unix:/nonexistent/socket", .arch = -1};
	const struct insp_source strange = {.path = "tcp:1234", .arch = -1},
				 kind = {.path = "x", .kind = "qmp", .arch = -1};

	input_refused(&none, "No such file");
	input_refused(&strange, "expected tcp:HOST:PORT");
	input_refused(&kind, "expected unix:PATH or tcp:HOST:PORT");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(qmp),
		cmocka_unit_test(hmp),
		cmocka_unit_test(gdb),
		cmocka_unit_test(no_socket),
		cmocka_unit_test(strange_answers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
