/* SPDX-License-Identifier: MIT */
/*
 * The run-time face of a format: include the format's header, then this, and nothing else.
 *
 * The format header names its table in FMT_FORMAT and its architecture in FMT_ARCH_NAME.
 */
#ifndef COPPICE_FORMATS_OPS_H
#define COPPICE_FORMATS_OPS_H

const struct cop_format FMT_FORMAT = {
	.name = FMT_NAME,
	.arch_name = FMT_ARCH_NAME,
	.arch = FMT_ARCH,
	.page_lg2 = FMT_PAGE_LG2,
	.min_table_lg2 = FMT_MIN_TABLE_LG2,
	.check_geom = fmt_check_geom,
	.shift = fmt_shift,
	.index_bits = fmt_index_bits,
	.table_lg2 = fmt_table_lg2,
	.can_leaf = fmt_can_leaf,
	.cont_lg2 = fmt_cont_lg2,
	.empty = fmt_empty,
	.kind = fmt_kind,
	.leaf = fmt_leaf,
	.table = fmt_table,
	.leaf_pa = fmt_leaf_pa,
	.table_pa = fmt_table_pa,
	.attrs = fmt_attrs,
	.check_attrs = fmt_check_attrs,
	.change = fmt_change,
	.covers = fmt_covers,
	.access = fmt_access,
	.level_name = fmt_level_name,
	.fields = fmt_fields,
};

#endif
