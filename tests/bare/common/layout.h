/* SPDX-License-Identifier: MIT */
/*
 * Bits that no MMU looks at: what is software's in an entry, what is there while the entry is not valid, what this machine
 * does not have. They are held against the manual's and Linux's layout, bit by bit.
 */
#ifndef COPPICE_TESTS_BARE_LAYOUT_H
#define COPPICE_TESTS_BARE_LAYOUT_H

#include "tests/bare/oracle.h"

/**
 * struct bare_layout - two sets of attributes and what must differ in their leaves
 * @levels: mask of the levels that this is said of
 * @address: the whole output address differs as well (inverted in one of them)
 * @from, @to: alike: all bits beside the address are meant
 * @reserved: each of these makes the leaf of @to a reserved encoding
 */
struct bare_layout {
	const char *name;
	uint8_t levels;
	bool address;
	uint32_t from, to;
	uint64_t bits, reserved;
};

/**
 * struct bare_swap_layout - bits of swap entries and markers on one level
 * @zero: of type 0 and offset 0
 * @type, @offset, @exclusive, @soft_dirty: what type 1, offset 1 and the flags change in it
 * @any: changed one by one, these and no others leave it a swap entry
 * @marker: of the table at 0x10000
 */
struct bare_swap_layout {
	uint64_t zero, type, offset, exclusive, soft_dirty, any;
	uint64_t marker;
};

/* Panics with the name of what is elsewhere. */
void bare_check_layout(const struct cop_geom *geom, const struct bare_layout *table, unsigned count);
void bare_check_swap_layout(const struct cop_geom *geom, unsigned level, const struct bare_swap_layout *layout);
/* Both, where swap entries and markers are the same on every level. */
void bare_check_layouts(const struct cop_geom *geom, const struct bare_layout *table, unsigned count,
			const struct bare_swap_layout *swaps);

#endif
