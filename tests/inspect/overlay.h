/* SPDX-License-Identifier: MIT */
/* A recorded machine with some of its entries changed: the record stays as it is. */
#ifndef COPPICE_TESTS_OVERLAY_H
#define COPPICE_TESTS_OVERLAY_H

#include "inspect/scan.h"

#define OVERLAY_PATCHES 4096
#define OVERLAY_FRAMES  4

/**
 * struct overlay - a machine and its changes
 * @under: what was recorded
 * @frame: frames of 4K that the record does not have, empty but for the patches
 */
struct overlay {
	struct insp_memory memory;
	struct insp_machine machine, record;
	struct {
		cop_pa pa;
		uint64_t value;
	} patch[OVERLAY_PATCHES];
	cop_pa frame[OVERLAY_FRAMES];
	unsigned patches, frames;
	bool big_endian;
};

/* @name: of a data set; "amd64-hotplug/before" for a part of one. Fails the test if it does not open. */
struct overlay *overlay_open(const char *name);
void overlay_close(struct overlay *);
/* The record as it was. */
void overlay_restore(struct overlay *);

/* Where an address is translated: the last entry on the way, whatever it is. */
struct overlay_at {
	const struct insp_tree *tree;
	cop_va va; /* that the entry begins to map */
	cop_pa table;
	unsigned index, level;
	uint64_t entry;
};
struct overlay_at overlay_at(const struct overlay *, cop_va);
/* The entry on the way at @level. */
struct overlay_at overlay_at_level(const struct overlay *, cop_va, unsigned level);
struct overlay_at overlay_entry(const struct overlay *, const struct overlay_at *table, unsigned index);
void overlay_plant(struct overlay *, const struct overlay_at *, uint64_t entry);
/* Of the leaf at that address. */
uint32_t overlay_attrs(const struct overlay_at *);
cop_pa overlay_pa(const struct overlay_at *);

/* All leaves of all trees, in the order of the scan. free() them. */
struct overlay_leaf {
	const struct insp_tree *tree;
	cop_va va;
	cop_pa pa;
	uint64_t entry;
	uint32_t attrs;
	uint8_t lg2;
};
struct overlay_leaf *overlay_leaves(const struct overlay *, size_t *count);

#endif
