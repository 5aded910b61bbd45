/* SPDX-License-Identifier: MIT */
/*
 * What is inspected: memory, the trees in it, and what is known about the kernel that made them.
 */
#ifndef COPPICE_INSPECT_MACHINE_H
#define COPPICE_INSPECT_MACHINE_H

#include <coppice/format.h>

#include "inspect/memory.h"

/* A stretch of the virtual address space that a kernel gives a name. */
struct insp_region {
	cop_va start, last;
	const char *name; /* "Linear mapping", "vmalloc() area", "vmemmap", ... */
};

/**
 * struct insp_tree - one tree
 * @name: "kernel", "user", "" if there is only one
 * @root: of the top table
 * @big_endian: entries are stored so (s390x)
 * @mair: arm64: MAIR_EL1, 0: Linux's; x86-64: IA32_PAT, 0: Linux's
 * @root_entries: of the root that count, where a register cuts it off (s390x table length); 0: all
 */
struct insp_tree {
	const char *name;
	const struct cop_format *format;
	struct cop_geom geom;
	cop_pa root;
	bool big_endian;
	uint64_t mair;
	unsigned root_entries;
};

#define INSP_TREES 8

/* Values of VMCOREINFO or of a symbol table that the views use; 0 where unknown. @vmemmap: struct page of frame 0. */
struct insp_kernel {
	char release[96];
	cop_va swapper_pg_dir, text_start, text_end, page_offset, vmemmap;
	uint64_t section_bits, struct_page_size, phys_base, kaslr_offset, kimage_voffset, va_bits;
};

/**
 * struct insp_machine - all of it
 * @found: lines for people, "levels: 4 (CR4.LA57 in the QEMU note of CPU 0)"
 */
struct insp_machine {
	struct insp_memory *memory;
	struct insp_tree tree[INSP_TREES];
	unsigned trees;
	struct insp_kernel kernel;
	struct insp_region *regions; /* ascending, may be empty */
	size_t region_count;
	char *found;
};

/**
 * struct insp_source - what the user says about the input; zero or NULL: find out
 * @path: a file, "/proc/kcore", or a socket of QEMU's monitor or gdbstub ("unix:PATH", "tcp:HOST:PORT")
 * @kind: "elf", "kdump", "raw", "frames", "kcore", "qmp", "hmp", "gdb"
 * @regs: file of NAME=VALUE lines
 * @base: raw: physical address of the first byte
 * @root, @has_root: of the tree
 */
struct insp_source {
	const char *path, *kind, *regs, *vmcoreinfo;
	int arch; /* enum cop_arch, -1: find out */
	unsigned page_lg2, levels, va_bits;
	cop_pa base, root;
	bool has_root;
};

/**
 * insp_open() - memory, roots and geometry of an input
 *
 * Return: 0, and the machine; a negative errno, and one line in @error.
 */
int insp_open(const struct insp_source *, struct insp_machine *, struct insp_error *error) COP_MUST_CHECK;
void insp_close(struct insp_machine *);

#endif
