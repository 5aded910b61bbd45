/* SPDX-License-Identifier: MIT */
/* The name of every bit of every kind of arm64 entry, for tools; part of arm64.h and included by nothing else. */
#ifndef COPPICE_FORMATS_ARM64_FIELDS_H
#define COPPICE_FORMATS_ARM64_FIELDS_H

#define ARM64_D83  "DDI 0487 D8.3"
#define ARM64_D84  "DDI 0487 D8.4"
#define ARM64_D85  "DDI 0487 D8.5"
#define ARM64_D86  "DDI 0487 D8.6"
#define ARM64_SOFT "DDI 0487 D8.3 (ignored by hardware)"

/* Functions, so that a list of fields can be an argument. */
#define ARM64_FIELD(name, first, bits, at)                                                                             \
	{                                                                                                              \
		name, first, bits, at                                                                                  \
	}
#define ARM64_RES0(first, last) ARM64_FIELD("RES0", first, (last) - (first) + 1, ARM64_D83)

/* Where the granule keeps the address: bits 49:@first, and what lies above or beside, without and with 52-bit
 * addresses. */
#define ARM64_OA48(first) ARM64_FIELD("OA", first, 48 - (first), ARM64_D83), ARM64_RES0(48, 49)
#if ARM64_PAGE_LG2 == 16
#define ARM64_OA52(first)    ARM64_OA48(first)
#define ARM64_OA52_15_12     ARM64_FIELD("OA[51:48]", 12, 4, ARM64_D83)
#define ARM64_OA52_9_8(name) name
#else
#define ARM64_OA52(first)    ARM64_FIELD("OA", first, 50 - (first), ARM64_D83)
#define ARM64_OA52_15_12     ARM64_RES0(12, 15)
#define ARM64_OA52_9_8(name) "OA[51:50]"
#endif
#if ARM64_PAGE_LG2 == 12
#define ARM64_PAGE48 ARM64_OA48(12)
#define ARM64_PAGE52 ARM64_OA52(12)
#elif ARM64_PAGE_LG2 == 14
#define ARM64_PAGE48 ARM64_RES0(12, 13), ARM64_OA48(14)
#define ARM64_PAGE52 ARM64_RES0(12, 13), ARM64_OA52(14)
#else
#define ARM64_PAGE48 ARM64_RES0(12, 15), ARM64_OA48(16)
#define ARM64_PAGE52 ARM64_OA52_15_12, ARM64_OA52(16)
#endif
#define ARM64_NT_TO(first)   ARM64_FIELD("nT", 16, 1, "DDI 0487 D8.16 (FEAT_BBM)"), ARM64_RES0(17, (first)-1)
#define ARM64_BLOCK48(first) ARM64_RES0(12, 15), ARM64_NT_TO(first), ARM64_OA48(first)
#define ARM64_BLOCK52(first) ARM64_OA52_15_12, ARM64_NT_TO(first), ARM64_OA52(first)

#define ARM64_LEAF(bits_9_8, bit_11, ...)                                                                              \
	ARM64_FIELD("V", 0, 1, ARM64_D83), ARM64_FIELD("page", 1, 1, ARM64_D83),                                       \
		ARM64_FIELD("AttrIndx", 2, 3, ARM64_D86), ARM64_FIELD("NS", 5, 1, ARM64_D83),                          \
		ARM64_FIELD("AP[1] EL0", 6, 1, ARM64_D84), ARM64_FIELD("AP[2] read-only", 7, 1, ARM64_D84),            \
		ARM64_FIELD(bits_9_8, 8, 2, ARM64_D86), ARM64_FIELD("AF", 10, 1, ARM64_D85),                           \
		ARM64_FIELD(bit_11, 11, 1, ARM64_D83), __VA_ARGS__, ARM64_FIELD("GP", 50, 1, ARM64_D84),               \
		ARM64_FIELD("DBM", 51, 1, ARM64_D85), ARM64_FIELD("Contiguous", 52, 1, "DDI 0487 D8.7.1"),             \
		ARM64_FIELD("PXN", 53, 1, ARM64_D84), ARM64_FIELD("UXN", 54, 1, ARM64_D84),                            \
		ARM64_FIELD("dirty", 55, 1, ARM64_SOFT), ARM64_FIELD("special", 56, 1, ARM64_SOFT),                    \
		ARM64_FIELD("devmap", 57, 1, ARM64_SOFT), ARM64_FIELD("soft-dirty", 58, 1, ARM64_SOFT)
#define ARM64_VALID_TOP ARM64_FIELD("PBHA", 59, 4, ARM64_D83), ARM64_FIELD("ignored", 63, 1, ARM64_D83)
#define ARM64_INVALID_TOP                                                                                              \
	ARM64_FIELD("ignored", 59, 2, ARM64_SOFT), ARM64_FIELD("no-read", 61, 1, ARM64_SOFT),                          \
		ARM64_FIELD("was-global", 62, 1, ARM64_SOFT), ARM64_FIELD("ignored", 63, 1, ARM64_SOFT)

#define ARM64_RETURN_FIELDS(...)                                                                                       \
	do {                                                                                                           \
		static const struct cop_field fields_[] = {__VA_ARGS__};                                               \
		*count = (unsigned)(sizeof(fields_) / sizeof(fields_[0]));                                             \
		return fields_;                                                                                        \
	} while (0)
/* One size of leaf, valid to hardware or only to software, without and with 52-bit addresses. */
#define ARM64_RETURN_LEAF(address48, address52)                                                                        \
	do {                                                                                                           \
		if (valid && big)                                                                                      \
			ARM64_RETURN_FIELDS(ARM64_LEAF(ARM64_OA52_9_8("SH"), "nG", address52), ARM64_VALID_TOP);       \
		if (valid)                                                                                             \
			ARM64_RETURN_FIELDS(ARM64_LEAF("SH", "nG", address48), ARM64_VALID_TOP);                       \
		if (big)                                                                                               \
			ARM64_RETURN_FIELDS(ARM64_LEAF(ARM64_OA52_9_8("SH"), "present-invalid", address52),            \
					    ARM64_INVALID_TOP);                                                        \
		ARM64_RETURN_FIELDS(ARM64_LEAF("SH", "present-invalid", address48), ARM64_INVALID_TOP);                \
	} while (0)

static inline const struct cop_field *arm64_fields_leaf(bool big, bool valid, unsigned l, unsigned *count)
{
	if (l == 0)
		ARM64_RETURN_LEAF(ARM64_PAGE48, ARM64_PAGE52);
	if (l == 1)
		ARM64_RETURN_LEAF(ARM64_BLOCK48(ARM64_PAGE_LG2 + ARM64_INDEX_LG2),
				  ARM64_BLOCK52(ARM64_PAGE_LG2 + ARM64_INDEX_LG2));
#if ARM64_PAGE_LG2 == 12
	if (l == 3)
		ARM64_RETURN_LEAF(ARM64_BLOCK48(39), ARM64_BLOCK52(39));
#endif
	ARM64_RETURN_LEAF(ARM64_BLOCK48(ARM64_PAGE_LG2 + 2 * ARM64_INDEX_LG2),
			  ARM64_BLOCK52(ARM64_PAGE_LG2 + 2 * ARM64_INDEX_LG2));
}

#define ARM64_LOW(bit_1, bits_9_8, at)                                                                                 \
	ARM64_FIELD("V", 0, 1, at), ARM64_FIELD(bit_1, 1, 1, at), ARM64_FIELD("ignored", 2, 6, at),                    \
		ARM64_FIELD(bits_9_8, 8, 2, at)
#define ARM64_TABLE_11_10                                                                                              \
	ARM64_FIELD("AF", 10, 1, "DDI 0487 D8.5 (FEAT_HAFT)"), ARM64_FIELD("ignored", 11, 1, ARM64_D83)
#define ARM64_TABLE_TOP                                                                                                \
	ARM64_FIELD("ignored", 50, 9, ARM64_D83), ARM64_FIELD("PXNTable", 59, 1, ARM64_D83),                           \
		ARM64_FIELD("UXNTable", 60, 1, ARM64_D83), ARM64_FIELD("APTable", 61, 2, ARM64_D83),                   \
		ARM64_FIELD("NSTable", 63, 1, ARM64_D83)

static inline const struct cop_field *arm64_fields_table(bool big, unsigned *count)
{
	if (big)
		ARM64_RETURN_FIELDS(ARM64_LOW("table", ARM64_OA52_9_8("ignored"), ARM64_D83), ARM64_TABLE_11_10,
				    ARM64_PAGE52, ARM64_TABLE_TOP);
	ARM64_RETURN_FIELDS(ARM64_LOW("table", "ignored", ARM64_D83), ARM64_TABLE_11_10, ARM64_PAGE48, ARM64_TABLE_TOP);
}

static inline const struct cop_field *arm64_fields_marker(bool big, unsigned *count)
{
	if (big)
		ARM64_RETURN_FIELDS(ARM64_LOW("marker", ARM64_OA52_9_8("zero"), ARM64_SOFT),
				    ARM64_FIELD("zero", 10, 2, ARM64_SOFT), ARM64_PAGE52,
				    ARM64_FIELD("zero", 50, 14, ARM64_SOFT));
	ARM64_RETURN_FIELDS(ARM64_LOW("marker", "zero", ARM64_SOFT), ARM64_FIELD("zero", 10, 2, ARM64_SOFT),
			    ARM64_PAGE48, ARM64_FIELD("zero", 50, 14, ARM64_SOFT));
}

static inline const struct cop_field *arm64_fields_swap(unsigned *count)
{
	ARM64_RETURN_FIELDS(ARM64_FIELD("V", 0, 1, ARM64_SOFT), ARM64_FIELD("marker", 1, 1, ARM64_SOFT),
			    ARM64_FIELD("exclusive", 2, 1, ARM64_SOFT), ARM64_FIELD("soft-dirty", 3, 1, ARM64_SOFT),
			    ARM64_FIELD("zero", 4, 2, ARM64_SOFT), ARM64_FIELD("type", 6, 5, ARM64_SOFT),
			    ARM64_FIELD("present-invalid", 11, 1, ARM64_SOFT),
			    ARM64_FIELD("offset", 12, 50, ARM64_SOFT), ARM64_FIELD("zero", 62, 2, ARM64_SOFT));
}

/* Every bit of @e has exactly one field, lowest first; an entry without structure (empty, reserved) is one field. */
static inline const struct cop_field *fmt_fields(const struct cop_geom *g, uint64_t e, unsigned l, unsigned *count)
{
	const bool big = (g->features & ARM64_BIG_OA) != 0;

	switch (fmt_kind(g, e, l)) {
	case COP_TABLE:
		return arm64_fields_table(big, count);
	case COP_LEAF:
		return arm64_fields_leaf(big, e & ARM64_VALID, l, count);
	case COP_MARKER:
		return arm64_fields_marker(big, count);
	case COP_SWAP:
		return arm64_fields_swap(count);
	case COP_EMPTY:
		ARM64_RETURN_FIELDS(ARM64_FIELD("empty", 0, 64, ARM64_SOFT));
	default:
		ARM64_RETURN_FIELDS(ARM64_FIELD("reserved", 0, 64, ARM64_D83));
	}
}

#endif
