/* SPDX-License-Identifier: MIT */
/* The name of every bit of every kind of arm64 entry, for tools; part of arm64.h and included by nothing else. */
#ifndef COPPICE_FORMATS_ARM64_FIELDS_H
#define COPPICE_FORMATS_ARM64_FIELDS_H

#define ARM64_D831 "DDI 0487 D8.3.1"
#define ARM64_D832 "DDI 0487 D8.3.2"
#define ARM64_SOFT "DDI 0487 D8.3.2 (ignored by hardware)"
#define ARM64_GONE "DDI 0487 D8.3 (invalid: ignored by hardware)"

/* Where the granule keeps the address, from bit 12 up: without and with 52-bit output addresses. */
#define ARM64_F_RES0(first, last, at)                                                                                  \
	{                                                                                                              \
		"RES0", first, (last) - (first) + 1, at                                                                \
	}
#define ARM64_F_OA48(first, at) {"OA", first, 48 - (first), at}, ARM64_F_RES0(48, 49, at)
#if ARM64_PAGE_LG2 == 16
#define ARM64_F_9_8_BIG           "SH"
#define ARM64_F_OA_BIG(first, at) ARM64_F_OA48(first, at)
#define ARM64_F_15_12_BIG(at)                                                                                          \
	{                                                                                                              \
		"OA[51:48]", 12, 4, at                                                                                 \
	}
#else
#define ARM64_F_9_8_BIG "OA[51:50]"
#define ARM64_F_OA_BIG(first, at)                                                                                      \
	{                                                                                                              \
		"OA", first, 50 - (first), at                                                                          \
	}
#define ARM64_F_15_12_BIG(at) ARM64_F_RES0(12, 15, at)
#endif
#if ARM64_PAGE_LG2 == 12
#define ARM64_F_PAGE(at)     ARM64_F_OA48(12, at)
#define ARM64_F_PAGE_BIG(at) ARM64_F_OA_BIG(12, at)
#elif ARM64_PAGE_LG2 == 14
#define ARM64_F_PAGE(at)     ARM64_F_RES0(12, 13, at), ARM64_F_OA48(14, at)
#define ARM64_F_PAGE_BIG(at) ARM64_F_RES0(12, 13, at), ARM64_F_OA_BIG(14, at)
#else
#define ARM64_F_PAGE(at)     ARM64_F_RES0(12, 15, at), ARM64_F_OA48(16, at)
#define ARM64_F_PAGE_BIG(at) ARM64_F_15_12_BIG(at), ARM64_F_OA_BIG(16, at)
#endif
#define ARM64_F_NT(first)        {"nT", 16, 1, "DDI 0487 D8.16 (FEAT_BBM)"}, ARM64_F_RES0(17, (first)-1, ARM64_D832)
#define ARM64_F_BLOCK(first)     ARM64_F_RES0(12, 15, ARM64_D832), ARM64_F_NT(first), ARM64_F_OA48(first, ARM64_D832)
#define ARM64_F_BLOCK_BIG(first) ARM64_F_15_12_BIG(ARM64_D832), ARM64_F_NT(first), ARM64_F_OA_BIG(first, ARM64_D832)

#define ARM64_F_LEAF(sh, ng, ...)                                                                                      \
	{"V", 0, 1, ARM64_D832}, {"page", 1, 1, ARM64_D832}, {"AttrIndx", 2, 3, "DDI 0487 D8.6"},                      \
		{"NS", 5, 1, ARM64_D832}, {"AP[1] EL0", 6, 1, "DDI 0487 D8.4"},                                        \
		{"AP[2] read-only", 7, 1, "DDI 0487 D8.4"}, {sh, 8, 2, ARM64_D832}, {"AF", 10, 1, "DDI 0487 D8.5"},    \
		{ng, 11, 1, ARM64_D832}, __VA_ARGS__, {"GP", 50, 1, "DDI 0487 D8.4"}, {"DBM", 51, 1, "DDI 0487 D8.5"}, \
		{"Contiguous", 52, 1, "DDI 0487 D8.7.1"}, {"PXN", 53, 1, "DDI 0487 D8.4"},                             \
		{"UXN", 54, 1, "DDI 0487 D8.4"}, {"dirty", 55, 1, ARM64_SOFT}, {"special", 56, 1, ARM64_SOFT},         \
		{"devmap", 57, 1, ARM64_SOFT},                                                                         \
	{                                                                                                              \
		"soft-dirty", 58, 1, ARM64_SOFT                                                                        \
	}
#define ARM64_F_VALID(sh, ...)                                                                                         \
	ARM64_F_LEAF(sh, "nG", __VA_ARGS__), {"PBHA", 59, 4, ARM64_D832},                                              \
	{                                                                                                              \
		"ignored", 63, 1, ARM64_D832                                                                           \
	}
#define ARM64_F_INVALID(sh, ...)                                                                                       \
	ARM64_F_LEAF(sh, "present-invalid", __VA_ARGS__), {"ignored", 59, 2, ARM64_GONE},                              \
		{"no-read", 61, 1, ARM64_GONE}, {"was-global", 62, 1, ARM64_GONE},                                     \
	{                                                                                                              \
		"ignored", 63, 1, ARM64_GONE                                                                           \
	}
#define ARM64_F_LOW(valid, t, at)                                                                                      \
	{valid, 0, 1, at}, {t, 1, 1, at},                                                                              \
	{                                                                                                              \
		"ignored", 2, 6, at                                                                                    \
	}

#define ARM64_FIELDS_OF(...)                                                                                           \
	do {                                                                                                           \
		static const struct cop_field fields_[] = {__VA_ARGS__};                                               \
		*count = (unsigned)(sizeof(fields_) / sizeof(fields_[0]));                                             \
		return fields_;                                                                                        \
	} while (0)
/* One shape of leaf: valid or not, with 52-bit addresses or not. */
#define ARM64_FIELDS_OF_LEAF(small, large)                                                                             \
	do {                                                                                                           \
		if (valid && big)                                                                                      \
			ARM64_FIELDS_OF(ARM64_F_VALID(ARM64_F_9_8_BIG, large));                                        \
		if (valid)                                                                                             \
			ARM64_FIELDS_OF(ARM64_F_VALID("SH", small));                                                   \
		if (big)                                                                                               \
			ARM64_FIELDS_OF(ARM64_F_INVALID(ARM64_F_9_8_BIG, large));                                      \
		ARM64_FIELDS_OF(ARM64_F_INVALID("SH", small));                                                         \
	} while (0)

static inline const struct cop_field *arm64_fields_leaf(bool big, bool valid, unsigned l, unsigned *count)
{
	switch (l) {
	case 0:
		ARM64_FIELDS_OF_LEAF(ARM64_F_PAGE(ARM64_D832), ARM64_F_PAGE_BIG(ARM64_D832));
	case 1:
		ARM64_FIELDS_OF_LEAF(ARM64_F_BLOCK(ARM64_PAGE_LG2 + ARM64_INDEX_LG2),
				     ARM64_F_BLOCK_BIG(ARM64_PAGE_LG2 + ARM64_INDEX_LG2));
	case 2:
		ARM64_FIELDS_OF_LEAF(ARM64_F_BLOCK(ARM64_PAGE_LG2 + 2 * ARM64_INDEX_LG2),
				     ARM64_F_BLOCK_BIG(ARM64_PAGE_LG2 + 2 * ARM64_INDEX_LG2));
	default:
#if ARM64_PAGE_LG2 == 12
		ARM64_FIELDS_OF_LEAF(ARM64_F_BLOCK(39), ARM64_F_BLOCK_BIG(39));
#endif
		*count = 0;
		return NULL;
	}
}

#define ARM64_F_TABLE_TOP                                                                                              \
	{"ignored", 50, 9, ARM64_D831}, {"PXNTable", 59, 1, ARM64_D831}, {"UXNTable", 60, 1, ARM64_D831},              \
		{"APTable", 61, 2, ARM64_D831},                                                                        \
	{                                                                                                              \
		"NSTable", 63, 1, ARM64_D831                                                                           \
	}
#define ARM64_F_TABLE_11_10                                                                                            \
	{"AF", 10, 1, "DDI 0487 D8.5 (FEAT_HAFT)"},                                                                    \
	{                                                                                                              \
		"ignored", 11, 1, ARM64_D831                                                                           \
	}

static inline const struct cop_field *arm64_fields_table(bool big, unsigned *count)
{
	if (!big)
		ARM64_FIELDS_OF(ARM64_F_LOW("V", "table", ARM64_D831), {"ignored", 8, 2, ARM64_D831},
				ARM64_F_TABLE_11_10, ARM64_F_PAGE(ARM64_D831), ARM64_F_TABLE_TOP);
#if ARM64_PAGE_LG2 == 16
	ARM64_FIELDS_OF(ARM64_F_LOW("V", "table", ARM64_D831), {"ignored", 8, 2, ARM64_D831}, ARM64_F_TABLE_11_10,
			ARM64_F_PAGE_BIG(ARM64_D831), ARM64_F_TABLE_TOP);
#else
	ARM64_FIELDS_OF(ARM64_F_LOW("V", "table", ARM64_D831), {ARM64_F_9_8_BIG, 8, 2, ARM64_D831}, ARM64_F_TABLE_11_10,
			ARM64_F_PAGE_BIG(ARM64_D831), ARM64_F_TABLE_TOP);
#endif
}

static inline const struct cop_field *arm64_fields_marker(bool big, unsigned *count)
{
	if (!big)
		ARM64_FIELDS_OF(ARM64_F_LOW("V", "marker", ARM64_GONE), {"zero", 8, 4, ARM64_GONE},
				ARM64_F_PAGE(ARM64_GONE), {"zero", 50, 14, ARM64_GONE});
#if ARM64_PAGE_LG2 == 16
	ARM64_FIELDS_OF(ARM64_F_LOW("V", "marker", ARM64_GONE), {"zero", 8, 4, ARM64_GONE},
			ARM64_F_PAGE_BIG(ARM64_GONE), {"zero", 50, 14, ARM64_GONE});
#else
	ARM64_FIELDS_OF(ARM64_F_LOW("V", "marker", ARM64_GONE), {ARM64_F_9_8_BIG, 8, 2, ARM64_GONE},
			{"zero", 10, 2, ARM64_GONE}, ARM64_F_PAGE_BIG(ARM64_GONE), {"zero", 50, 14, ARM64_GONE});
#endif
}

/* Every bit of @e has exactly one field, lowest first; entries with no structure (empty, reserved) are one field. */
static inline const struct cop_field *fmt_fields(const struct cop_geom *g, uint64_t e, unsigned l, unsigned *count)
{
	const bool big = (g->features & ARM64_OA52) != 0;

	switch (fmt_kind(g, e, l)) {
	case COP_TABLE:
		return arm64_fields_table(big, count);
	case COP_LEAF:
		return arm64_fields_leaf(big, arm64_valid(e), l, count);
	case COP_MARKER:
		return arm64_fields_marker(big, count);
	case COP_SWAP:
		ARM64_FIELDS_OF({"V", 0, 1, ARM64_GONE}, {"marker", 1, 1, ARM64_GONE}, {"exclusive", 2, 1, ARM64_GONE},
				{"soft-dirty", 3, 1, ARM64_GONE}, {"zero", 4, 2, ARM64_GONE},
				{"type", 6, 5, ARM64_GONE}, {"present-invalid", 11, 1, ARM64_GONE},
				{"offset", 12, 50, ARM64_GONE}, {"zero", 62, 2, ARM64_GONE});
	case COP_EMPTY:
		ARM64_FIELDS_OF({"empty", 0, 64, ARM64_GONE});
	default:
		ARM64_FIELDS_OF({"reserved", 0, 64, "DDI 0487 D8.3"});
	}
}

#endif
