/* SPDX-License-Identifier: MIT */
/* A running QEMU as a source of memory: what is asked for is read then, and kept for a while. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "inspect/input/live.h"

#define EXTENTS     1024
#define GREETING_MS 500

static bool inside(const struct live *l, cop_pa pa)
{
	for (size_t i = 0; i < l->memory.extent_count; i++)
		if (pa >= l->extents[i].start && pa < l->extents[i].end && l->extents[i].end - pa >= LIVE_PAGE)
			return true;
	return false;
}

/* Only memory is read: reading a device may change it. */
static const unsigned char *page(struct live *l, cop_pa pa)
{
	struct live_slot *slot = &l->slots[(pa / LIVE_PAGE) % LIVE_SLOTS];

	if (slot->used && slot->pa == pa)
		return slot->page;
	if (!inside(l, pa))
		return NULL;
	slot->used = l->ops->read(l, pa, slot->page);
	slot->pa = pa;
	return slot->used ? slot->page : NULL;
}

static const void *live_frame(struct insp_memory *m, cop_pa pa, size_t bytes, void *buffer)
{
	struct live *l = (struct live *)m;
	const unsigned char *from;

	for (size_t at = 0; at < bytes; at += LIVE_PAGE) {
		const size_t skip = (pa + at) & (LIVE_PAGE - 1);

		from = page(l, pa + at - skip);
		if (!from)
			return NULL;
		memcpy((char *)buffer + at, from + skip, bytes < LIVE_PAGE ? bytes : LIVE_PAGE);
	}
	return buffer;
}

static void live_close(struct insp_memory *m)
{
	struct live *l = (struct live *)m;

	if (l->started && l->ops->stop)
		l->ops->stop(l);
	if (l->fd >= 0)
		close(l->fd);
	free(l->in);
	free(l->slots);
	free(l->extents);
	free(l);
}

static const struct insp_memory_ops live_ops = {live_frame, live_close};

/* A monitor speaks first: QMP in JSON, HMP in words. The gdbstub waits. */
static int choose(struct live *l, const char *kind)
{
	if (kind && strcmp(kind, "qmp") == 0)
		l->ops = &live_qmp;
	else if (kind && strcmp(kind, "hmp") == 0)
		l->ops = &live_hmp;
	else if (kind && strcmp(kind, "gdb") == 0)
		l->ops = &live_gdb;
	else if (kind)
		return input_fail(l->error, EINVAL, "%s: kind '%s'; expected qmp, hmp or gdb", l->path, kind);
	if (l->ops)
		return 0;
	if (live_receive(l, GREETING_MS) != 0 || l->in[0] == '$' || l->in[0] == '+')
		l->ops = &live_gdb;
	else
		l->ops = l->in[0] == '{' ? &live_qmp : &live_hmp;
	l->error->text[0] = 0;
	return 0;
}

static int read_map(struct live *l, struct input *in)
{
	char *text = l->ops->monitor(l, "info mtree -f");

	if (!text)
		return -EPROTO;
	l->memory.extents = l->extents;
	l->memory.extent_count = live_parse_mtree(text, l->extents, EXTENTS);
	free(text);
	if (l->memory.extent_count == 0)
		return input_fail(l->error, EPROTO, "%s: 'info mtree -f' shows no memory; is it QEMU's monitor?",
				  l->path);
	input_found(in, "memory: %zu pieces up to %#" PRIx64 " of a running guest (%s): it may change while it is read",
		    l->memory.extent_count, l->extents[l->memory.extent_count - 1].end - 1, l->ops->kind);
	return 0;
}

static int read_registers(struct live *l, struct input *in)
{
	char *text = l->ops->monitor(l, "info registers");

	if (!text)
		return -EPROTO;
	in->regs.from = "info registers";
	l->arch = live_parse_arch(text);
	live_parse_registers(text, &in->regs);
	free(text);
	return 0;
}

/* All that is known before memory is read: with the gdbstub the guest stands still until then. */
static int begin(struct live *l, struct input *in)
{
	int err = live_connect(l);

	if (!err)
		err = choose(l, in->source->kind);
	if (!err)
		err = l->ops->start(l);
	if (!err)
		err = read_map(l, in);
	if (!err)
		err = l->ops->regs ? l->ops->regs(l, in) : read_registers(l, in);
	if (err)
		return err;
	l->memory.kind = l->ops->kind;
	if (l->arch < 0)
		l->arch = in->source->arch;
	if (l->arch < 0)
		return input_fail(in->error, EINVAL, "%s: no architecture that is known; expected --arch", l->path);
	in->arch = l->arch;
	in->arch_from = l->ops->kind;
	if (!in->regs.count && !in->source->has_root && !in->source->regs)
		return input_fail(in->error, EINVAL,
				  "%s: the %s does not show where tables are; expected the gdbstub, "
				  "--regs or --root",
				  l->path, l->ops->kind);
	return 0;
}

int input_live(struct input *in)
{
	struct live *l = calloc(1, sizeof(*l));
	int err;

	if (!l)
		return input_fail(in->error, ENOMEM, "%s: no memory", in->source->path);
	l->memory = (struct insp_memory){.ops = &live_ops, .ram = true};
	l->fd = -1;
	l->arch = -1;
	l->path = in->source->path;
	l->error = in->error;
	l->slots = calloc(LIVE_SLOTS, sizeof(*l->slots));
	l->extents = calloc(EXTENTS, sizeof(*l->extents));
	if (l->slots && l->extents)
		err = begin(l, in);
	else
		err = input_fail(in->error, ENOMEM, "%s: no memory", in->source->path);
	/* What the caller gave does not outlive the opening. */
	l->error = &l->later;
	l->path = "QEMU";
	if (err)
		live_close(&l->memory);
	else
		in->machine->memory = &l->memory;
	return err;
}
