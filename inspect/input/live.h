/* SPDX-License-Identifier: MIT */
/*
 * A running QEMU, through its monitor (QMP or HMP) or its gdbstub.
 *
 * Memory is read page by page when it is asked for. The guest runs on in between, so what was read earlier may be old.
 */
#ifndef COPPICE_INSPECT_LIVE_H
#define COPPICE_INSPECT_LIVE_H

#include "inspect/input/input.h"

#define LIVE_PAGE  4096
#define LIVE_SLOTS 1024 /* pages kept */

struct live;

/**
 * struct live_ops - one protocol
 * @monitor: answer of a human monitor command, on the heap; NULL and an error
 * @read: a page of physical memory
 * @regs: registers that the protocol has itself, or NULL
 */
struct live_ops {
	const char *kind;
	int (*start)(struct live *);
	char *(*monitor)(struct live *, const char *command);
	bool (*read)(struct live *, cop_pa, unsigned char page[LIVE_PAGE]);
	int (*regs)(struct live *, struct input *);
	void (*stop)(struct live *); /* leave the guest as it was found */
};

struct live_slot {
	cop_pa pa;
	bool used;
	unsigned char page[LIVE_PAGE];
};

struct live {
	struct insp_memory memory;
	const struct live_ops *ops;
	int fd;
	int arch;
	bool started, running; /* running: as far as the gdbstub goes */
	const char *path;
	struct insp_error *error; /* while it is opened; later replies that make no sense are holes */
	struct insp_error later;
	char *in; /* what was received and not used */
	size_t in_size, in_room;
	struct live_slot *slots;
	struct insp_extent *extents;
};

extern const struct live_ops live_qmp, live_hmp, live_gdb;

/* Sockets: all waits end after some seconds, with a line. */
int live_connect(struct live *);
int live_send(struct live *, const char *data, size_t size);
int live_receive(struct live *, int milliseconds); /* more bytes into @in; 0 bytes are an error, a timeout -EAGAIN */
void live_drop(struct live *, size_t size);        /* the first bytes of @in were used */

/* Replies, none of which is trusted. */
size_t live_parse_mtree(const char *text, struct insp_extent *extents, size_t room);
bool live_parse_xp(const char *text, bool big_endian, unsigned char page[LIVE_PAGE]);
void live_parse_registers(const char *text, struct input_regs *);
int live_parse_arch(const char *text); /* of "info registers", or of a target description */
/* Next register of a target description behind *@at; false: no more. */
struct live_register {
	char name[32];
	unsigned number;
};
void live_parse_uncomment(char *xml);
bool live_parse_xml_register(const char *xml, size_t *at, struct live_register *);
bool live_parse_xml_include(const char *xml, size_t *at, char name[64]);
/* The value of "return" of a QMP reply, unescaped, on the heap; NULL: it is none. */
char *live_parse_qmp(const char *line, size_t size);

#endif
