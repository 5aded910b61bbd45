/* SPDX-License-Identifier: MIT */
/* The name of every bit of every kind of s390x entry, for tools; part of s390x.h and included by nothing else. */
#ifndef COPPICE_FORMATS_S390X_FIELDS_H
#define COPPICE_FORMATS_S390X_FIELDS_H

#define S390X_DAT      "SA22-7832 chapter 3, Page-Table Entries"
#define S390X_RST      "SA22-7832 chapter 3, Region- and Segment-Table Entries"
#define S390X_SOFTWARE "Linux arch/s390/include/asm/pgtable.h"

#define S390X_FIELD(name, first, bits, at)                                                                             \
	{                                                                                                              \
		name, first, bits, at                                                                                  \
	}
#define S390X_RETURN_FIELDS(...)                                                                                       \
	do {                                                                                                           \
		static const struct cop_field fields_[] = {__VA_ARGS__};                                               \
		*count = (unsigned)(sizeof(fields_) / sizeof(fields_[0]));                                             \
		return fields_;                                                                                        \
	} while (0)

#define S390X_PAGE_FIELDS(bit_11)                                                                                      \
	S390X_FIELD("present", 0, 1, S390X_SOFTWARE), S390X_FIELD("soft-dirty", 1, 1, S390X_SOFTWARE),                 \
		S390X_FIELD("young", 2, 1, S390X_SOFTWARE), S390X_FIELD("dirty", 3, 1, S390X_SOFTWARE),                \
		S390X_FIELD("read", 4, 1, S390X_SOFTWARE), S390X_FIELD("write", 5, 1, S390X_SOFTWARE),                 \
		S390X_FIELD("special", 6, 1, S390X_SOFTWARE), S390X_FIELD("user", 7, 1, S390X_DAT " (software)"),      \
		S390X_FIELD("IEP", 8, 1, S390X_DAT), S390X_FIELD("P", 9, 1, S390X_DAT),                                \
		S390X_FIELD("I", 10, 1, S390X_DAT), bit_11, S390X_FIELD("PFRA", 12, 52, S390X_DAT)

/* @address: what lies above the access key. */
#define S390X_LARGE_FIELDS(common, ...)                                                                                \
	S390X_FIELD("present", 0, 1, S390X_SOFTWARE), S390X_FIELD("soft-dirty", 1, 1, S390X_SOFTWARE),                 \
		S390X_FIELD("TT", 2, 2, S390X_RST), S390X_FIELD(common, 4, 1, S390X_RST),                              \
		S390X_FIELD("I", 5, 1, S390X_RST), S390X_FIELD("barred", 6, 1, S390X_RST " (ignored while I is 1)"),   \
		S390X_FIELD("user", 7, 1, S390X_RST " (software)"), S390X_FIELD("IEP", 8, 1, S390X_RST),               \
		S390X_FIELD("P", 9, 1, S390X_RST), S390X_FIELD("FC", 10, 1, S390X_RST),                                \
		S390X_FIELD("F/special", 11, 1, S390X_RST), S390X_FIELD("ACC/young", 12, 1, S390X_SOFTWARE),           \
		S390X_FIELD("ACC/dirty", 13, 1, S390X_SOFTWARE), S390X_FIELD("ACC/read", 14, 1, S390X_SOFTWARE),       \
		S390X_FIELD("ACC/write", 15, 1, S390X_SOFTWARE), S390X_FIELD("AV", 16, 1, S390X_RST), __VA_ARGS__

static inline const struct cop_field *s390x_fields_leaf(uint64_t e, unsigned l, unsigned *count)
{
	if (l == 1)
		S390X_RETURN_FIELDS(S390X_LARGE_FIELDS("CS", S390X_FIELD("zero", 17, 3, S390X_RST),
						       S390X_FIELD("SFAA", 20, 44, S390X_RST)));
	if (l != 0)
		S390X_RETURN_FIELDS(S390X_LARGE_FIELDS("CR", S390X_FIELD("zero", 17, 14, S390X_RST),
						       S390X_FIELD("RFAA", 31, 33, S390X_RST)));
	if (s390x_valid(e, l))
		S390X_RETURN_FIELDS(S390X_PAGE_FIELDS(S390X_FIELD("zero", 11, 1, S390X_DAT)));
	S390X_RETURN_FIELDS(S390X_PAGE_FIELDS(S390X_FIELD("barred", 11, 1, S390X_DAT " (ignored while I is 1)")));
}

/* Links and what IDTE leaves of them. */
static inline const struct cop_field *s390x_fields_table(unsigned l, unsigned *count)
{
	if (l == 1)
		S390X_RETURN_FIELDS(S390X_FIELD("present", 0, 1, S390X_SOFTWARE),
				    S390X_FIELD("software", 1, 1, S390X_RST), S390X_FIELD("TT", 2, 2, S390X_RST),
				    S390X_FIELD("CS", 4, 1, S390X_RST), S390X_FIELD("I", 5, 1, S390X_RST),
				    S390X_FIELD("zero", 6, 3, S390X_RST), S390X_FIELD("P", 9, 1, S390X_RST),
				    S390X_FIELD("FC", 10, 1, S390X_RST),
				    S390X_FIELD("page-table origin", 11, 53, S390X_RST));
	S390X_RETURN_FIELDS(S390X_FIELD("TL", 0, 2, S390X_RST), S390X_FIELD("TT", 2, 2, S390X_RST),
			    S390X_FIELD("CR", 4, 1, S390X_RST), S390X_FIELD("I", 5, 1, S390X_RST),
			    S390X_FIELD("TF", 6, 2, S390X_RST), S390X_FIELD("zero", 8, 1, S390X_RST),
			    S390X_FIELD("P", 9, 1, S390X_RST), S390X_FIELD("FC", 10, 1, S390X_RST),
			    S390X_FIELD("zero", 11, 1, S390X_RST), S390X_FIELD("table origin", 12, 52, S390X_RST));
}

static inline const struct cop_field *s390x_fields_swap(unsigned l, unsigned *count)
{
	if (l == 0)
		S390X_RETURN_FIELDS(
			S390X_FIELD("present", 0, 1, S390X_SOFTWARE), S390X_FIELD("soft-dirty", 1, 1, S390X_SOFTWARE),
			S390X_FIELD("type", 2, 5, S390X_SOFTWARE), S390X_FIELD("zero", 7, 2, S390X_SOFTWARE),
			S390X_FIELD("swap", 9, 1, S390X_SOFTWARE), S390X_FIELD("I", 10, 1, S390X_DAT),
			S390X_FIELD("exclusive", 11, 1, S390X_SOFTWARE), S390X_FIELD("offset", 12, 52, S390X_SOFTWARE));
	S390X_RETURN_FIELDS(S390X_FIELD("present", 0, 1, S390X_SOFTWARE),
			    S390X_FIELD("soft-dirty", 1, 1, S390X_SOFTWARE), S390X_FIELD("TT", 2, 2, S390X_RST),
			    S390X_FIELD("swap", 4, 1, S390X_SOFTWARE), S390X_FIELD("I", 5, 1, S390X_RST),
			    S390X_FIELD("type", 6, 5, S390X_SOFTWARE),
			    S390X_FIELD("exclusive", 11, 1, S390X_RST " (software)"),
			    S390X_FIELD("offset", 12, 52, S390X_SOFTWARE));
}

/* Every bit of @e has exactly one field, lowest first; an entry without structure (reserved) is one field. */
static inline const struct cop_field *fmt_fields(const struct cop_geom *g, uint64_t e, unsigned l, unsigned *count)
{
	switch (fmt_kind(g, e, l)) {
	case COP_TABLE:
	case COP_MARKER:
		return s390x_fields_table(l, count);
	case COP_LEAF:
		return s390x_fields_leaf(e, l, count);
	case COP_SWAP:
		return s390x_fields_swap(l, count);
	case COP_EMPTY:
		S390X_RETURN_FIELDS(S390X_FIELD("empty", 0, 64, S390X_DAT));
	default:
		S390X_RETURN_FIELDS(S390X_FIELD("reserved", 0, 64, S390X_DAT));
	}
}

#endif
