/* SPDX-License-Identifier: MIT */
/*
 * Page tables of running kernels: frames.bin.xz read into memory, and walked by nothing but a format's functions.
 *
 * A record of frames.bin is 8 bytes of physical address, little-endian, then the frame as its owner saw it (so that an
 * s390x entry is big-endian). A data set is a directory of tests/data/dumps.
 */
#ifndef COPPICE_TESTS_DUMP_H
#define COPPICE_TESTS_DUMP_H

#include <coppice/format.h>

struct dump_frame {
	cop_pa pa;
	const unsigned char *bytes;
};

struct dump {
	unsigned char *data;
	struct dump_frame *frames; /* by address */
	size_t count;
	unsigned frame_lg2;
	bool big_endian;
	uint64_t missing; /* tables that were linked and not in the dump */
};

struct dump_leaf {
	cop_va va;
	cop_pa pa;
	uint64_t bytes, entry;
	unsigned level;
};

struct dump_leaves {
	struct dump_leaf *leaf;
	size_t count, room;
};

/**
 * dump_open() - read a data set's frames
 * @set: name of a directory of tests/data/dumps
 * @file: "frames.bin.xz", or another file of the same layout
 * @frame_lg2: lg2 of a frame's bytes: 12, or 14 for a 16K guest
 * @big_endian: entries are stored so (s390x)
 *
 * Fails the running test if anything is wrong with the file.
 */
struct dump dump_open(const char *set, const char *file, unsigned frame_lg2, bool big_endian);
void dump_close(struct dump *);

/* A register of regs.txt, "NAME=0x..."; fails the test if it is not there. */
uint64_t dump_register(const char *set, const char *file, const char *name);

/* Entry @index of the table at @table; 0 if its frame is not in the dump (counted in @missing). */
uint64_t dump_entry(struct dump *, cop_pa table, unsigned index);

/* Append every leaf of the tree at @root that hardware or software calls present. */
void dump_walk(struct dump *, const struct cop_format *, const struct cop_geom *, cop_pa root, struct dump_leaves *);

/* What leaves.txt.xz lists: "virtual physical size entry". */
struct dump_leaves dump_expected(const char *set, const char *file);

/* Any text of a data set, packed or not; dump_line() cuts off the next line, NULL at the end. free() @text. */
struct dump_text {
	char *text, *rest;
};
struct dump_text dump_text(const char *set, const char *file);
char *dump_line(struct dump_text *);

/* By virtual address; two lists of the same tree are equal element by element. */
void dump_sort(struct dump_leaves *);
void dump_leaves_free(struct dump_leaves *);

#endif
