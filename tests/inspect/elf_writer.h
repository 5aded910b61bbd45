/* SPDX-License-Identifier: MIT */
/* ELF cores as QEMU and kexec write them, of any class and byte order. */
#ifndef COPPICE_TESTS_INSPECT_ELF_WRITER_H
#define COPPICE_TESTS_INSPECT_ELF_WRITER_H

#include <elf.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "tests/inspect/input.h"

struct elf_image {
	unsigned char *data;
	size_t size;
	bool big, wide;
	unsigned machine;
	unsigned char notes[16384];
	size_t notes_size;
};

static inline void elf_put(const struct elf_image *e, unsigned char *p, uint64_t v, unsigned bytes)
{
	for (unsigned i = 0; i < bytes; i++)
		p[e->big ? bytes - 1 - i : i] = (unsigned char)(v >> (8 * i));
}

static inline void elf_note(struct elf_image *e, const char *name, unsigned type, const void *desc, size_t size)
{
	const size_t name_size = strlen(name) + 1, padded = COP_ALIGN_UP(name_size, 4);
	unsigned char *n = e->notes + e->notes_size;

	e->notes_size += 12 + padded + COP_ALIGN_UP(size, 4);
	assert_true(e->notes_size <= sizeof(e->notes));
	elf_put(e, n, name_size, 4);
	elf_put(e, n + 4, size, 4);
	elf_put(e, n + 8, type, 4);
	memcpy(n + 12, name, name_size);
	memcpy(n + 12 + padded, desc, size);
}

/* QEMU's CPUState of x86-64 with these control registers. */
static inline void elf_qemu_note(struct elf_image *e, uint64_t cr0, uint64_t cr3, uint64_t cr4)
{
	unsigned char state[440] = {1, 0, 0, 0, 184, 1};

	elf_put(e, state + 392, cr0, 8);
	elf_put(e, state + 416, cr3, 8);
	elf_put(e, state + 424, cr4, 8);
	elf_note(e, "QEMU", 0, state, sizeof(state));
}

static inline void elf_header(struct elf_image *e, size_t phnum, bool extended)
{
	unsigned char *h = e->data;

	memcpy(h, ELFMAG, SELFMAG);
	h[EI_CLASS] = e->wide ? ELFCLASS64 : ELFCLASS32;
	h[EI_DATA] = e->big ? ELFDATA2MSB : ELFDATA2LSB;
	h[EI_VERSION] = 1;
	elf_put(e, h + 16, ET_CORE, 2);
	elf_put(e, h + 18, e->machine, 2);
	if (e->wide) {
		elf_put(e, h + 32, 128, 8);
		elf_put(e, h + 40, extended ? 64 : 0, 8);
		elf_put(e, h + 54, sizeof(Elf64_Phdr), 2);
		elf_put(e, h + 56, extended ? PN_XNUM : phnum, 2);
		elf_put(e, h + 64 + 44, phnum, 4);
	} else {
		elf_put(e, h + 28, 128, 4);
		elf_put(e, h + 42, sizeof(Elf32_Phdr), 2);
		elf_put(e, h + 44, phnum, 2);
	}
}

static inline void elf_phdr(struct elf_image *e, size_t i, unsigned type, uint64_t offset, uint64_t pa, uint64_t size)
{
	unsigned char *p = e->data + 128 + i * (e->wide ? sizeof(Elf64_Phdr) : sizeof(Elf32_Phdr));

	elf_put(e, p, type, 4);
	if (e->wide) {
		elf_put(e, p + 8, offset, 8);
		elf_put(e, p + 24, pa, 8);
		elf_put(e, p + 32, size, 8);
	} else {
		elf_put(e, p + 4, offset, 4);
		elf_put(e, p + 12, pa, 4);
		elf_put(e, p + 16, size, 4);
	}
}

/* The frames, a segment each, behind the notes; @skew bytes off any alignment. */
static inline void elf_build(struct elf_image *e, const struct input_frames *f, size_t skew, bool extended)
{
	const size_t phnum = f->count + 1, phentsize = e->wide ? sizeof(Elf64_Phdr) : sizeof(Elf32_Phdr);
	const size_t notes = 128 + phnum * phentsize, first = COP_ALIGN_UP(notes + e->notes_size, 4096) + skew;

	e->size = first + f->count * 4096;
	e->data = calloc(1, e->size);
	assert_non_null(e->data);
	elf_header(e, phnum, extended);
	elf_phdr(e, 0, PT_NOTE, notes, 0, e->notes_size);
	memcpy(e->data + notes, e->notes, e->notes_size);
	for (size_t i = 0; i < f->count; i++) {
		elf_phdr(e, 1 + i, PT_LOAD, first + i * 4096, f->frame[i].pa, 4096);
		memcpy(e->data + first + i * 4096, f->frame[i].bytes, 4096);
	}
}

#endif
