/* SPDX-License-Identifier: MIT */
/*
 * Is all of a range mapped? Of tables that the range covers wholly only the count is read: it is full or it is not, and
 * nobody else's reservation can be in it.
 */
#ifndef COPPICE_TABLES_COVERED_H
#define COPPICE_TABLES_COVERED_H

#include "tables/split.h"

static bool entries_full(const uint64_t *p, unsigned n)
{
	const uint64_t empty = fmt_empty(0);

	while (n && cop_load(p, relaxed) != empty) {
		p++;
		n--;
	}
	return n == 0;
}

static bool range_covered(const struct cop_geom *g, cop_pa table, cop_va va, uint64_t bytes, unsigned l)
{
	const uint64_t *entry = table_entries(table) + slot_of(g, va, l);

	if (l == 0) {
		const unsigned n = (unsigned)(bytes >> FMT_PAGE_LG2), slots = table_slots(g, 0);

		if (n == slots)
			return cop_load(&cop_ptdesc(table)->state, relaxed) == slots;
		return entries_full(entry, n);
	}
	while (bytes) {
		const uint64_t room = entry_room(va, bytes, l);
		const uint64_t e = cop_load(entry, acquire);

		if (!fmt_present(e, l)) {
			if (e == fmt_empty(l) || entry_kind(g, e, l) == COP_MARKER)
				return false;
		} else if (fmt_is_table(e, l) && !range_covered(g, fmt_table_pa(g, e, l), va, room, l - 1)) {
			return false;
		}
		va += room;
		bytes -= room;
		entry++;
	}
	return true;
}

#endif
