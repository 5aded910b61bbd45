/* SPDX-License-Identifier: MIT */
/* The name of every bit of every kind of riscv64 entry, for tools; part of riscv64.h and included by nothing else. */
#ifndef COPPICE_FORMATS_RISCV64_FIELDS_H
#define COPPICE_FORMATS_RISCV64_FIELDS_H

#define RISCV_AT_PTE   "RISC-V Privileged, Sv39: Addressing and Memory Protection"
#define RISCV_AT_NAPOT "RISC-V Privileged, Svnapot"
#define RISCV_AT_PBMT  "RISC-V Privileged, Svpbmt"
#define RISCV_AT_SOFT  "RISC-V Privileged, Sv39 (ignored by hardware)"

/* Functions, so that a list of fields can be an argument. */
#define RISCV_FIELD(name, first, bits, at)                                                                             \
	{                                                                                                              \
		name, first, bits, at                                                                                  \
	}
#define RISCV_FLAGS                                                                                                    \
	RISCV_FIELD("V", 0, 1, RISCV_AT_PTE), RISCV_FIELD("R", 1, 1, RISCV_AT_PTE),                                    \
		RISCV_FIELD("W", 2, 1, RISCV_AT_PTE), RISCV_FIELD("X", 3, 1, RISCV_AT_PTE)
#define RISCV_LEAF_LOW(bit_5)                                                                                          \
	RISCV_FLAGS, RISCV_FIELD("U", 4, 1, RISCV_AT_PTE), RISCV_FIELD(bit_5, 5, 1, RISCV_AT_PTE),                     \
		RISCV_FIELD("A", 6, 1, RISCV_AT_PTE), RISCV_FIELD("D", 7, 1, RISCV_AT_PTE),                            \
		RISCV_FIELD("RSW[0] special", 8, 1, RISCV_AT_SOFT),                                                    \
		RISCV_FIELD("RSW[1] soft-dirty", 9, 1, RISCV_AT_SOFT)
#define RISCV_LEAF_TOP      RISCV_FIELD("PBMT", 61, 2, RISCV_AT_PBMT), RISCV_FIELD("N", 63, 1, RISCV_AT_NAPOT)
#define RISCV_LEAF_RESERVED RISCV_FIELD("reserved", 54, 7, RISCV_AT_PTE)
#define RISCV_LEAF_INVALID  RISCV_FIELD("was-global", 54, 1, RISCV_AT_SOFT), RISCV_FIELD("zero", 55, 6, RISCV_AT_SOFT)

#define RISCV_RETURN_FIELDS(...)                                                                                       \
	do {                                                                                                           \
		static const struct cop_field fields_[] = {__VA_ARGS__};                                               \
		*count = (unsigned)(sizeof(fields_) / sizeof(fields_[0]));                                             \
		return fields_;                                                                                        \
	} while (0)
/* One address layout, valid to hardware or only to software. */
#define RISCV_RETURN_LEAF(...)                                                                                         \
	do {                                                                                                           \
		if (valid)                                                                                             \
			RISCV_RETURN_FIELDS(RISCV_LEAF_LOW("G"), __VA_ARGS__, RISCV_LEAF_RESERVED, RISCV_LEAF_TOP);    \
		RISCV_RETURN_FIELDS(RISCV_LEAF_LOW("present-invalid"), __VA_ARGS__, RISCV_LEAF_INVALID,                \
				    RISCV_LEAF_TOP);                                                                   \
	} while (0)
#define RISCV_SUPERPAGE(bits)                                                                                          \
	RISCV_FIELD("zero (alignment)", 10, bits, RISCV_AT_PTE),                                                       \
		RISCV_FIELD("PPN", 10 + (bits), 44 - (bits), RISCV_AT_PTE)

static inline const struct cop_field *riscv_fields_leaf(bool valid, bool run, unsigned l, unsigned *count)
{
	if (run)
		RISCV_RETURN_LEAF(RISCV_FIELD("ppn[3:0] size", 10, 4, RISCV_AT_NAPOT),
				  RISCV_FIELD("PPN", 14, 40, RISCV_AT_PTE));
	switch (l) {
	case 0:
		RISCV_RETURN_LEAF(RISCV_FIELD("PPN", 10, 44, RISCV_AT_PTE));
	case 1:
		RISCV_RETURN_LEAF(RISCV_SUPERPAGE(9));
	case 2:
		RISCV_RETURN_LEAF(RISCV_SUPERPAGE(18));
	case 3:
		RISCV_RETURN_LEAF(RISCV_SUPERPAGE(27));
	default:
		RISCV_RETURN_LEAF(RISCV_SUPERPAGE(36));
	}
}

static inline const struct cop_field *riscv_fields_table(unsigned *count)
{
	RISCV_RETURN_FIELDS(RISCV_FLAGS, RISCV_FIELD("reserved", 4, 1, RISCV_AT_PTE),
			    RISCV_FIELD("G", 5, 1, RISCV_AT_PTE), RISCV_FIELD("reserved", 6, 2, RISCV_AT_PTE),
			    RISCV_FIELD("RSW", 8, 2, RISCV_AT_SOFT), RISCV_FIELD("PPN", 10, 44, RISCV_AT_PTE),
			    RISCV_FIELD("reserved", 54, 10, RISCV_AT_PTE));
}

static inline const struct cop_field *riscv_fields_marker(unsigned *count)
{
	RISCV_RETURN_FIELDS(RISCV_FIELD("V", 0, 1, RISCV_AT_SOFT), RISCV_FIELD("zero", 1, 1, RISCV_AT_SOFT),
			    RISCV_FIELD("marker", 2, 1, RISCV_AT_SOFT), RISCV_FIELD("zero", 3, 7, RISCV_AT_SOFT),
			    RISCV_FIELD("PPN", 10, 44, RISCV_AT_SOFT), RISCV_FIELD("zero", 54, 10, RISCV_AT_SOFT));
}

static inline const struct cop_field *riscv_fields_swap(unsigned *count)
{
	RISCV_RETURN_FIELDS(RISCV_FIELD("V", 0, 1, RISCV_AT_SOFT), RISCV_FIELD("zero", 1, 1, RISCV_AT_SOFT),
			    RISCV_FIELD("marker", 2, 1, RISCV_AT_SOFT), RISCV_FIELD("soft-dirty", 3, 1, RISCV_AT_SOFT),
			    RISCV_FIELD("zero", 4, 1, RISCV_AT_SOFT),
			    RISCV_FIELD("present-invalid", 5, 1, RISCV_AT_SOFT),
			    RISCV_FIELD("exclusive", 6, 1, RISCV_AT_SOFT), RISCV_FIELD("type", 7, 5, RISCV_AT_SOFT),
			    RISCV_FIELD("offset", 12, 52, RISCV_AT_SOFT));
}

/* Every bit of @e has exactly one field, lowest first; an entry without structure (empty, reserved) is one field. */
static inline const struct cop_field *fmt_fields(const struct cop_geom *g, uint64_t e, unsigned l, unsigned *count)
{
	switch (fmt_kind(g, e, l)) {
	case COP_TABLE:
		return riscv_fields_table(count);
	case COP_LEAF:
		return riscv_fields_leaf(riscv_valid(e), fmt_cont(e, l), l, count);
	case COP_MARKER:
		return riscv_fields_marker(count);
	case COP_SWAP:
		return riscv_fields_swap(count);
	case COP_EMPTY:
		RISCV_RETURN_FIELDS(RISCV_FIELD("empty", 0, 64, RISCV_AT_SOFT));
	default:
		RISCV_RETURN_FIELDS(RISCV_FIELD("reserved", 0, 64, RISCV_AT_PTE));
	}
}

#endif
