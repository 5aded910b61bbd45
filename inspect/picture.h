/* SPDX-License-Identifier: MIT */
/*
 * Trees reduced to what a picture shows: stretches of mapped addresses, each divided into bins that say how much of them
 * leaves of each size map, and how full tables are. Two passes; memory does not grow with the trees.
 */
#ifndef COPPICE_INSPECT_PICTURE_H
#define COPPICE_INSPECT_PICTURE_H

#include "inspect/scan.h"

#define PICTURE_STRETCHES 28 /* of one tree */
#define PICTURE_BINS      280
#define PICTURE_SIZES     8
#define PICTURE_LEVELS    5
#define PICTURE_FULLNESS  16

/**
 * struct picture_stretch - mapped addresses in one region, with no large hole between them
 * @region: its name, NULL: none
 * @bins: into how many it is divided; bin i begins at @bytes * i / @bins
 * @bin: bytes mapped in it by leaves of each size
 * @mapped, @leaves: in all of it
 */
struct picture_stretch {
	const struct insp_tree *tree;
	const char *region;
	cop_va start;
	uint64_t bytes;
	unsigned bins;
	float bin[PICTURE_BINS][PICTURE_SIZES];
	uint64_t mapped[PICTURE_SIZES], leaves[PICTURE_SIZES];
};

/**
 * struct picture_level - the tables of a level
 * @fullness: how many tables have so many sixteenths of their entries in use
 * @entries, @used: of all of them
 */
struct picture_level {
	const char *name;
	uint64_t tables, bytes, entries, used;
	uint64_t fullness[PICTURE_FULLNESS];
};

/**
 * struct picture - what is drawn
 * @size_lg2: of leaves, ascending; a contiguous run is one size of its own
 */
struct picture {
	struct picture_stretch *stretch;
	unsigned stretches, sizes, levels;
	uint8_t size_lg2[PICTURE_SIZES];
	struct picture_level level[PICTURE_LEVELS];
	struct insp_scanned scanned;
};

/**
 * insp_picture() - look at the trees of a machine
 * @tree: name of the one that is wanted; NULL: all
 * @bins_of: into how many bins a stretch is to be divided, at most PICTURE_BINS
 *
 * Return: 0; -COP_ENOMEM. insp_picture_free() in either case.
 */
int insp_picture(const struct insp_machine *, const char *tree, cop_va start, cop_va last,
		 unsigned (*bins_of)(uint64_t bytes), struct picture *);
void insp_picture_free(struct picture *);

#endif
