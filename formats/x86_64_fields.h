/* SPDX-License-Identifier: MIT */
/* The name of every bit of every kind of x86-64 entry, for tools; part of x86_64.h and included by nothing else. */
#ifndef COPPICE_FORMATS_X86_64_FIELDS_H
#define COPPICE_FORMATS_X86_64_FIELDS_H

#define X86_S46  "SDM 3A 4.6"
#define X86_S48  "SDM 3A 4.8"
#define X86_S49  "SDM 3A 4.9.2"
#define X86_S410 "SDM 3A 4.10.2.4"
#define X86_SOFT "SDM 3A 4.5 (ignored by hardware)"

#define X86_FIELD(name, first, bits, at)                                                                               \
	{                                                                                                              \
		name, first, bits, at                                                                                  \
	}

/* @at: the entry's table in the manual. */
#define X86_LOW(at)                                                                                                    \
	X86_FIELD("P", 0, 1, at), X86_FIELD("R/W", 1, 1, X86_S46), X86_FIELD("U/S", 2, 1, X86_S46),                    \
		X86_FIELD("PWT", 3, 1, X86_S49), X86_FIELD("PCD", 4, 1, X86_S49), X86_FIELD("A", 5, 1, X86_S48)
#define X86_SOFTWARE_LOW                                                                                               \
	X86_FIELD("special", 9, 1, X86_SOFT), X86_FIELD("uffd-wp", 10, 1, X86_SOFT),                                   \
		X86_FIELD("soft-dirty", 11, 1, X86_SOFT)
#define X86_LEAF(at, bit_7, bit_8, ...)                                                                                \
	X86_LOW(at), X86_FIELD("D", 6, 1, X86_S48), X86_FIELD(bit_7, 7, 1, at), X86_FIELD(bit_8, 8, 1, X86_S410),      \
		X86_SOFTWARE_LOW, __VA_ARGS__, X86_FIELD("devmap", 57, 1, X86_SOFT),                                   \
		X86_FIELD("saved-dirty", 58, 1, X86_SOFT), X86_FIELD("protection key", 59, 4, "SDM 3A 4.6.2"),         \
		X86_FIELD("XD", 63, 1, X86_S46)
#define X86_LARGE(at, first, address)                                                                                  \
	X86_FIELD("PAT", 12, 1, X86_S49), X86_FIELD("reserved", 13, (first)-13, at),                                   \
		X86_FIELD(address, first, 52 - (first), at)
#define X86_TOP_PRESENT X86_FIELD("ignored", 52, 5, X86_SOFT)
#define X86_TOP_ABSENT                                                                                                 \
	X86_FIELD("was-global", 52, 1, X86_SOFT), X86_FIELD("no-read", 53, 1, X86_SOFT),                               \
		X86_FIELD("ignored", 54, 3, X86_SOFT)

#define X86_RETURN_FIELDS(...)                                                                                         \
	do {                                                                                                           \
		static const struct cop_field fields_[] = {__VA_ARGS__};                                               \
		*count = (unsigned)(sizeof(fields_) / sizeof(fields_[0]));                                             \
		return fields_;                                                                                        \
	} while (0)

static inline const struct cop_field *x86_fields_leaf(unsigned l, unsigned *count)
{
	if (l == 0)
		X86_RETURN_FIELDS(X86_LEAF("SDM 3A Table 4-20", "PAT", "G",
					   X86_FIELD("address", 12, 40, "SDM 3A Table 4-20"), X86_TOP_PRESENT));
	if (l == 1)
		X86_RETURN_FIELDS(X86_LEAF("SDM 3A Table 4-18", "PS", "G",
					   X86_LARGE("SDM 3A Table 4-18", 21, "address"), X86_TOP_PRESENT));
	X86_RETURN_FIELDS(X86_LEAF("SDM 3A Table 4-16", "PS", "G", X86_LARGE("SDM 3A Table 4-16", 30, "address"),
				   X86_TOP_PRESENT));
}

static inline const struct cop_field *x86_fields_protnone(unsigned l, unsigned *count)
{
	if (l == 0)
		X86_RETURN_FIELDS(
			X86_LEAF(X86_SOFT, "PAT", "protnone", X86_FIELD("~address", 12, 40, X86_SOFT), X86_TOP_ABSENT));
	if (l == 1)
		X86_RETURN_FIELDS(
			X86_LEAF(X86_SOFT, "PS", "protnone", X86_LARGE(X86_SOFT, 21, "~address"), X86_TOP_ABSENT));
	X86_RETURN_FIELDS(X86_LEAF(X86_SOFT, "PS", "protnone", X86_LARGE(X86_SOFT, 30, "~address"), X86_TOP_ABSENT));
}

#define X86_TABLE(at, bit_7)                                                                                           \
	X86_LOW(at), X86_FIELD("ignored", 6, 1, at), X86_FIELD(bit_7, 7, 1, at), X86_FIELD("ignored", 8, 3, at),       \
		X86_FIELD("R (HLAT restart)", 11, 1, at), X86_FIELD("address", 12, 40, at),                            \
		X86_FIELD("ignored", 52, 11, at), X86_FIELD("XD", 63, 1, X86_S46)

static inline const struct cop_field *x86_fields_table(unsigned l, unsigned *count)
{
	switch (l) {
	case 1:
		X86_RETURN_FIELDS(X86_TABLE("SDM 3A Table 4-19", "PS"));
	case 2:
		X86_RETURN_FIELDS(X86_TABLE("SDM 3A Table 4-17", "PS"));
	case 3:
		X86_RETURN_FIELDS(X86_TABLE("SDM 3A Table 4-15", "reserved"));
	default:
		X86_RETURN_FIELDS(X86_TABLE("SDM 3A Table 4-14", "reserved"));
	}
}

static inline const struct cop_field *x86_fields_marker(unsigned *count)
{
	X86_RETURN_FIELDS(X86_FIELD("P", 0, 1, X86_SOFT), X86_FIELD("zero", 1, 3, X86_SOFT),
			  X86_FIELD("marker", 4, 1, X86_SOFT), X86_FIELD("zero", 5, 7, X86_SOFT),
			  X86_FIELD("~address", 12, 40, X86_SOFT), X86_FIELD("zero", 52, 12, X86_SOFT));
}

static inline const struct cop_field *x86_fields_swap(unsigned *count)
{
	X86_RETURN_FIELDS(X86_FIELD("P", 0, 1, X86_SOFT), X86_FIELD("soft-dirty", 1, 1, X86_SOFT),
			  X86_FIELD("uffd-wp", 2, 1, X86_SOFT), X86_FIELD("exclusive", 3, 1, X86_SOFT),
			  X86_FIELD("marker", 4, 1, X86_SOFT), X86_FIELD("zero", 5, 4, X86_SOFT),
			  X86_FIELD("~offset", 9, 50, X86_SOFT), X86_FIELD("type", 59, 5, X86_SOFT));
}

/* Every bit of @e has exactly one field, lowest first; an entry without structure (empty, reserved) is one field. */
static inline const struct cop_field *fmt_fields(const struct cop_geom *g, uint64_t e, unsigned l, unsigned *count)
{
	switch (fmt_kind(g, e, l)) {
	case COP_TABLE:
		return x86_fields_table(l, count);
	case COP_LEAF:
		return e & X86_P ? x86_fields_leaf(l, count) : x86_fields_protnone(l, count);
	case COP_MARKER:
		return x86_fields_marker(count);
	case COP_SWAP:
		return x86_fields_swap(count);
	case COP_EMPTY:
		X86_RETURN_FIELDS(X86_FIELD("empty", 0, 64, X86_SOFT));
	default:
		X86_RETURN_FIELDS(X86_FIELD("reserved", 0, 64, "SDM 3A 4.7"));
	}
}

#endif
