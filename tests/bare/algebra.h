/* SPDX-License-Identifier: MIT */
/* The algebra of one format behind function pointers: include the format's header, then this, and nothing else. */
#ifndef COPPICE_TESTS_BARE_ALGEBRA_H
#define COPPICE_TESTS_BARE_ALGEBRA_H

#include "tests/bare/oracle.h"

const struct bare_algebra bare_algebra = {
	.swap = fmt_swap,
	.swap_type = fmt_swap_type,
	.swap_offset = fmt_swap_offset,
	.swap_mkexclusive = fmt_swap_mkexclusive,
	.swap_mksoft_dirty = fmt_swap_mksoft_dirty,
	.marker = fmt_marker,
	.marker_pa = fmt_marker_pa,
	.mkyoung = fmt_mkyoung,
	.mkold = fmt_mkold,
	.mkdirty = fmt_mkdirty,
	.mkclean = fmt_mkclean,
	.mkwrite = fmt_mkwrite,
	.wrprotect = fmt_wrprotect,
	.mkspecial = fmt_mkspecial,
	.mksoft_dirty = fmt_mksoft_dirty,
	.clear_soft_dirty = fmt_clear_soft_dirty,
	.mkprotnone = fmt_mkprotnone,
	.mkinvalid = fmt_mkinvalid,
	.rest_mask = fmt_rest_mask,
	.mkcont = fmt_mkcont,
	.mknoncont = fmt_mknoncont,
	.swap_type_bits = FMT_SWAP_TYPE_BITS,
	.swap_offset_bits = FMT_SWAP_OFFSET_BITS,
};

#endif
