/* SPDX-License-Identifier: MIT */
/*
 * What the readers of one input share while it is opened.
 *
 * A reader turns bytes (or a socket) into an insp_memory and, if it can, says what else it saw: registers, the
 * architecture, VMCOREINFO. The trees are made of that afterwards, whatever it came from. Nothing here trusts its input.
 */
#ifndef COPPICE_INSPECT_INPUT_H
#define COPPICE_INSPECT_INPUT_H

#include <stdio.h>

#include "inspect/machine.h"

/* A file or buffer as a whole. */
struct input_bytes {
	const unsigned char *data;
	size_t size;
	enum { INPUT_BORROWED, INPUT_HEAP, INPUT_MAPPED } owner;
};

/* Registers by name, in lower case and without "_el1". */
#define INPUT_REGS 32
struct input_regs {
	struct {
		char name[16];
		uint64_t value;
	} reg[INPUT_REGS];
	unsigned count;
	const char *from; /* for people: "regs.txt", "the QEMU note of CPU 0" */
};

/**
 * struct input - one input on its way to a machine
 * @arch: enum cop_arch, -1: not known yet; @arch_from: who said so
 * @vmcoreinfo: NUL-terminated, on the heap, or NULL; @vmcoreinfo_from: where it was
 */
struct input {
	const struct insp_source *source;
	struct insp_machine *machine;
	struct insp_error *error;
	struct input_regs regs;
	int arch;
	const char *arch_from;
	char *vmcoreinfo;
	const char *vmcoreinfo_from;
	bool found_lost; /* no memory for a line of machine.found */
};

/* Write the one line and return -@err. */
int input_fail(struct insp_error *, int err, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* Add a line to machine.found. */
void input_found(struct input *, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* A whole file, mapped; input_plain() replaces xz data by what is packed in it. */
int input_map(int fd, const char *path, struct input_bytes *, struct insp_error *);
int input_load(const char *path, struct input_bytes *, struct insp_error *);
int input_plain(struct input_bytes *, const char *path, struct insp_error *);
void input_free(struct input_bytes *);

/* Extents: sort, merge what touches or overlaps; returns the new count. */
size_t input_merge(struct insp_extent *, size_t count);

/* Readers: take over @bytes if they succeed. */
int input_frames(struct input *, struct input_bytes *bytes);
bool input_is_frames(const struct input_bytes *);

int input_raw(struct input *, struct input_bytes *bytes);
int input_elf(struct input *, struct input_bytes *bytes);
int input_kcore(struct input *, const char *path);
int input_live(struct input *);
bool input_is_elf(const struct input_bytes *);
int input_kdump(struct input *, struct input_bytes *bytes);
bool input_is_kdump(const struct input_bytes *);

/* Where a dump in makedumpfile's flattened form goes as the file it would be: an unnamed file's descriptor, or -errno. */
bool input_is_flattened(const struct input_bytes *);
int input_unflatten(struct input *, const struct input_bytes *);

/* ELF notes: registers and VMCOREINFO. Damaged ones end them with a line. */
int input_notes(struct input *, const unsigned char *notes, uint64_t size, bool big_endian);
uint64_t input_field(const unsigned char *, unsigned bytes, bool big_endian);

/* One stretch of physical memory and where a file has it. */
struct input_segment {
	cop_pa start, end;
	uint64_t offset;
};
/**
 * input_segments() - a source of segments of one file
 * @kind: insp_memory.kind
 * @bytes: the file; or NULL, then it is read through @fd, which the source closes
 * @segment: on the heap, taken over; any order, overlaps allowed: the first one given counts
 *
 * Return: 0, and in->machine->memory; a negative errno, with nothing taken over.
 */
int input_segments(struct input *, const char *kind, struct input_bytes *bytes, int fd, struct input_segment *segment,
		   size_t count);
/* No physical address of any architecture is this large. */
#define INPUT_PA_MAX (1ULL << 56)

/* VMCOREINFO: take over a copy; find it in memory; read it. */
int input_info_set(struct input *, const char *text, size_t size, const char *from);
void input_info_scan(struct input *);
bool input_info(const struct input *, const char *key, uint64_t *value);
void input_info_kernel(struct input *);
/* Trees from it; machine.trees stays 0 if it does not say enough. */
int input_trees_info(struct input *);
int input_info_arch(const struct input *);
/* Trees where nothing says anything: the root and geometry under which most tables make sense. */
int input_trees_guess(struct input *);
/* Names for the address space: of VMCOREINFO and of how Linux lays it out. */
int input_regions(struct input *);

/* The first leaf at or above @va of a tree, looking at no more than a few thousand tables; .lg2 == 0: none. */
struct input_leaf {
	cop_va va;
	cop_pa pa;
	unsigned lg2;
};
struct input_leaf input_next_leaf(struct insp_memory *, const struct insp_tree *, cop_va va);

/* Registers. */
void input_reg_set(struct input_regs *, const char *name, uint64_t value);
bool input_reg(const struct input_regs *, const char *name, uint64_t *value);
int input_regs_parse(struct input_regs *, const char *from, const char *text, size_t size, struct insp_error *);
int input_regs_arch(const struct input_regs *); /* enum cop_arch; -1: they do not say */

/* Trees of what was found; 0 and machine.trees == 0 if nothing says where a root is. */
int input_trees_regs(struct input *);
int input_trees_root(struct input *);
int input_trees_arm64(struct input *);
int input_trees_x86_64(struct input *);
int input_trees_riscv64(struct input *);
int input_trees_s390x(struct input *);
int input_tree_add(struct input *, const struct insp_tree *, const char *from);

/* Everything after the bytes are there; what insp_open() does for a file. Then the end of it: closes what @err leaves. */
int input_open_bytes(struct input *, struct input_bytes *);
int input_finish(struct input *, struct input_bytes *, int err);

#endif
