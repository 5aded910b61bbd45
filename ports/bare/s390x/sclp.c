/* SPDX-License-Identifier: MIT */
/* The service processor: the console, and how much memory there is (Linux drivers/s390/char/sclp.h). */
#include "ports/bare/s390x/machine.h"

#define READ_INFO   0x00020001U
#define WRITE_EVENT 0x00760005U
#define WRITE_MASK  0x00780005U

#define EVENT_ASCII 0x1a
#define MASK_ASCII  0x00000040U /* bit 26 - 1, from the left */

#define LINE 256

struct header {
	uint16_t length;
	uint8_t function;
	uint8_t control[3];
	uint16_t response;
};

/* Control blocks may not cross a frame. */
static union {
	struct header header;
	struct {
		struct header header;
		uint16_t increments;
		uint8_t megabytes;
	} info;
	struct {
		struct header header;
		uint16_t zero, mask_bytes;
		uint32_t receive, send, sclp_receive, sclp_send;
	} mask;
	struct {
		struct header header;
		uint16_t length;
		uint8_t type, flags;
		uint16_t zero;
		char text[LINE];
	} event;
	uint8_t bytes[4096];
} block __attribute__((aligned(4096)));

/* SERVICE CALL. Return: the condition code; 0: it is done, 2: busy. */
static unsigned service_call(uint32_t command)
{
	unsigned cc;

	__asm__ volatile(".insn rre, 0xb2200000, %1, %2\n\tipm %0"
			 : "=d"(cc)
			 : "d"(command), "a"((uintptr_t)&block)
			 : "cc", "memory");
	return cc >> 28 & 3;
}

static void service(uint32_t command, size_t bytes)
{
	block.header.length = (uint16_t)bytes;
	while (service_call(command))
		;
}

static void clear(void)
{
	__builtin_memset(&block, 0, sizeof(block));
}

uint64_t s390x_memory(void)
{
	clear();
	service(READ_INFO, sizeof(block));
	return (uint64_t)block.info.increments * block.info.megabytes << 20;
}

void s390x_console_init(void)
{
	clear();
	block.mask.mask_bytes = 4;
	block.mask.send = MASK_ASCII;
	service(WRITE_MASK, sizeof(block.mask));
}

static void flush(unsigned n)
{
	block.event.header = (struct header){.length = 0};
	block.event.length = (uint16_t)(n + 6);
	block.event.type = EVENT_ASCII;
	block.event.flags = 0;
	block.event.zero = 0;
	service(WRITE_EVENT, sizeof(struct header) + 6 + n);
}

/* A line at a time. The caller keeps others out. */
void bare_putc(char c)
{
	static unsigned n;

	if (c == '\n')
		block.event.text[n++] = '\r';
	block.event.text[n++] = c;
	if (c != '\n' && n < LINE - 2)
		return;
	flush(n);
	n = 0;
}
