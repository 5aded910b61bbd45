/* SPDX-License-Identifier: MIT */
/* Page tables without memory contents: what a user can send. */
#ifndef COPPICE_INSPECT_EXPORT_FRAMES_H
#define COPPICE_INSPECT_EXPORT_FRAMES_H

#include "inspect/machine.h"

struct insp_exported {
	uint64_t tables, frames, missing;
	char regs[4096]; /* path of the registers' file */
};

/**
 * insp_export_frames() - write every table of all trees as frames-only records
 * @path: file to make; packed if it ends in ".xz". The registers go beside it: "a.bin.xz" has "a.regs.txt"
 * @exported: what was written
 *
 * Frames have the size of the smallest page of the trees. What of a frame is no table is written as zero: nothing but
 * entries leaves the machine. Both files appear complete or not at all; one that exists already is not touched.
 *
 * Return: 0; a negative errno, and one line in @error.
 */
int insp_export_frames(struct insp_machine *, const char *path, struct insp_exported *exported,
		       struct insp_error *error) COP_MUST_CHECK;

/* Registers that describe the trees of a machine, NAME=VALUE lines, written to @out as snprintf does. */
int insp_export_regs(const struct insp_machine *, char *out, size_t room);

#endif
