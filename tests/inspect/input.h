/* SPDX-License-Identifier: MIT */
/* Opening what a test made, and comparing the trees in it with a recorded kernel's. */
#ifndef COPPICE_TESTS_INSPECT_INPUT_H
#define COPPICE_TESTS_INSPECT_INPUT_H

#include "inspect/machine.h"
#include "tests/formats/dump.h"

/* A data set of tests/data/dumps as source: path and regs in static buffers. */
struct insp_source input_set(const char *set, const char *frames, const char *regs);

/* Opens or fails the test with the reader's line. */
struct insp_machine input_opened(const struct insp_source *);

/* Refused, in one line that has @part in it. */
void input_refused(const struct insp_source *, const char *part);

/* All leaves of all trees, by virtual address, by a walker of its own; *@holes: tables that were not there. */
struct dump_leaves input_leaves(struct insp_machine *, unsigned *holes);

/* Both lists have the same elements. */
void input_same(struct dump_leaves *, struct dump_leaves *);
void input_has_leaves(struct insp_machine *, const char *set);

/* A file of the running test in a directory of its own, removed at exit; returned path is valid until exit. */
const char *input_path(const char *name);
void input_write(const char *path, const void *data, size_t size);

/* A data set's frames, as records. */
struct input_frame {
	cop_pa pa;
	const unsigned char *bytes;
};
struct input_frames {
	unsigned char *data;
	size_t count;
	struct input_frame *frame; /* by address */
};
struct input_frames input_frames_of(const char *set);
void input_frames_free(struct input_frames *);

#endif
