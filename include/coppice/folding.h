/* SPDX-License-Identifier: MIT */
/*
 * Walking in fixed steps a tree that has fewer levels: the steps above its root are folded. For whoever writes a walker of
 * its own; docs/folding.md says how, and what goes wrong.
 */
#ifndef COPPICE_FOLDING_H
#define COPPICE_FOLDING_H

#include <coppice/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * cop_step_folded() - has the tree no table for this step?
 * @root: level of the root
 */
static inline bool cop_step_folded(unsigned step, unsigned root)
{
	return step > root;
}

/**
 * cop_step_level() - the level that an entry met at this step is really of
 *
 * Of a folded step it is the root's: there is one entry, the one of the root.
 */
static inline unsigned cop_step_level(unsigned step, unsigned root)
{
	return cop_step_folded(step, root) ? root : step;
}

/**
 * cop_step_last() - the last address that an entry translates, or the last that is wanted
 * @shift: bits below the index of the level that the entry is really of: cop_step_level() if the entry was passed down as a
 * value, and of the step where a pointer into the table was
 * @last: that is wanted, inclusive
 */
static inline cop_va cop_step_last(cop_va va, cop_va last, unsigned shift)
{
	const cop_va end = shift >= 64 ? ~(cop_va)0 : va | (COP_LG2(shift) - 1);

	return end < last ? end : last;
}

/**
 * cop_step_offset() - where the entries of a folded step are
 * @entry: the entry of the step above, in its table
 * @value: a copy of what was loaded from there
 * @lockless: pass the pointer down, so that the step which is not folded goes along the table; else the copy, so that no
 * entry is loaded twice, and whoever steps beyond it has left the tree
 */
static inline const uint64_t *cop_step_offset(const uint64_t *entry, const uint64_t *value, bool lockless)
{
	return lockless ? entry : value;
}

#ifdef __cplusplus
}
#endif

#endif
