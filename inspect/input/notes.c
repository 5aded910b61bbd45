/* SPDX-License-Identifier: MIT */
/* ELF notes of a dump: whose registers say where tables are, and VMCOREINFO. */
#include <elf.h>
#include <inttypes.h>
#include <string.h>

#include "inspect/input/input.h"

struct notes {
	struct input *in;
	const unsigned char *data;
	bool big;
};

uint64_t input_field(const unsigned char *p, unsigned bytes, bool big_endian)
{
	uint64_t v = 0;

	for (unsigned i = 0; i < bytes; i++)
		v = v << 8 | p[big_endian ? i : bytes - 1 - i];
	return v;
}

static uint64_t field(const struct notes *n, uint64_t at, unsigned bytes)
{
	return input_field(n->data + at, bytes, n->big);
}

static bool inside(uint64_t limit, uint64_t offset, uint64_t size)
{
	return offset <= limit && size <= limit - offset;
}

/* QEMU's CPUState: version, size, 18 registers, 10 segments of 24 bytes, CR0 to CR4 (qemu target/i386/arch_dump.c). */
static void qemu_note(struct notes *n, uint64_t desc, uint64_t size)
{
	struct input_regs *regs = &n->in->regs;
	const unsigned cr = 8 + 18 * 8 + 10 * 24;

	if (n->in->arch != COP_X86_64 || size < cr + 5 * 8 || regs->count)
		return;
	/* A CPU that never left real mode translates nothing. */
	if (!(field(n, desc + cr, 8) >> 31 & 1) || !(field(n, desc + cr + 32, 8) >> 5 & 1))
		return;
	regs->from = "the first QEMU note with paging on";
	input_reg_set(regs, "cr0", field(n, desc + cr, 8));
	input_reg_set(regs, "cr3", field(n, desc + cr + 24, 8));
	input_reg_set(regs, "cr4", field(n, desc + cr + 32, 8));
}

/* A CPU that was never started has nothing in CR1. */
static void s390x_note(struct notes *n, uint64_t desc, uint64_t size)
{
	static const unsigned used[] = {0, 1, 7, 13};
	struct input_regs *regs = &n->in->regs;
	char name[8];

	if (n->in->arch != COP_S390X || size < 16 * 8 || regs->count || !field(n, desc + 8, 8))
		return;
	regs->from = "the first control register note";
	for (unsigned i = 0; i < sizeof(used) / sizeof(used[0]); i++) {
		(void)snprintf(name, sizeof(name), "cr%u", used[i]);
		input_reg_set(regs, name, field(n, desc + 8ULL * used[i], 8));
	}
}

static int note(struct notes *n, const char *name, uint32_t type, uint64_t desc, uint64_t size)
{
	if (strcmp(name, "QEMU") == 0)
		qemu_note(n, desc, size);
	if (type == NT_S390_CTRS && strcmp(name, "LINUX") == 0)
		s390x_note(n, desc, size);
	if (strcmp(name, "VMCOREINFO") == 0)
		return input_info_set(n->in, (const char *)n->data + desc, size, "the VMCOREINFO note");
	return 0;
}

int input_notes(struct input *in, const unsigned char *data, uint64_t size, bool big_endian)
{
	struct notes n = {in, data, big_endian};

	for (uint64_t at = 0; inside(size, at, 12);) {
		const uint64_t namesz = field(&n, at, 4), descsz = field(&n, at + 4, 4);
		const uint64_t desc = at + 12 + COP_ALIGN_UP(namesz, 4);
		char name[16] = "";
		int err;

		if (!inside(size, desc, descsz)) {
			input_found(in, "notes: damaged at byte %" PRIu64 " of %" PRIu64 ", the rest is left out", at,
				    size);
			return 0;
		}
		if (namesz && namesz < sizeof(name))
			memcpy(name, data + at + 12, namesz);
		name[sizeof(name) - 1] = 0;
		err = note(&n, name, (uint32_t)field(&n, at + 8, 4), desc, descsz);
		if (err)
			return err;
		at = desc + COP_ALIGN_UP(descsz, 4);
	}
	return 0;
}
