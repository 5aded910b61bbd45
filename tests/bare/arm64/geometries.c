/* SPDX-License-Identifier: MIT */
/* Every shape of a tree that QEMU's `-cpu max` translates by, for the granule that this image is compiled for. */
#include "tests/bare/oracle.h"

#define LEVELS(va_) (((va_)-COPPICE_PAGE_LG2 + COPPICE_PAGE_LG2 - 4) / (COPPICE_PAGE_LG2 - 3))
#define SHAPE(what_, half_, va_, pa_, features_)                                                                       \
	{                                                                                                              \
		"arm64-" GRANULE " " #va_ what_,                                                                       \
			{COP_ARM64, half_, COPPICE_PAGE_LG2, LEVELS(va_), va_, pa_, COP_F_CONT | (features_)}, 0       \
	}
#define LOW(va_)       SHAPE(" low", COP_HALF_LOW, va_, 48, 0)
#define HIGH(va_)      SHAPE(" high", COP_HALF_HIGH, va_, 48, 0)
#define LOW_WIDE(va_)  SHAPE(" low, 52-bit pa", COP_HALF_LOW, va_, 52, WIDE)
#define HIGH_WIDE(va_) SHAPE(" high, 52-bit pa", COP_HALF_HIGH, va_, 52, WIDE)

#if COPPICE_PAGE_LG2 == 12
#define GRANULE "4k"
#define WIDE    COP_F_LPA2
#elif COPPICE_PAGE_LG2 == 14
#define GRANULE "16k"
#define WIDE    COP_F_LPA2
#else
#define GRANULE "64k"
#define WIDE    COP_F_LPA
#endif

const struct bare_geometry bare_geometries[] = {
	LOW(48), HIGH(48), SHAPE(" low, AF", COP_HALF_LOW, 48, 48, COP_F_HAF),
	SHAPE(" low, AF and dirty", COP_HALF_LOW, 48, 48, COP_F_HAF | COP_F_HD), LOW_WIDE(52), HIGH_WIDE(52),
	SHAPE(" high, AF and dirty, 52-bit pa", COP_HALF_HIGH, 52, 52, WIDE | COP_F_HAF | COP_F_HD), LOW_WIDE(48),
	HIGH_WIDE(39), SHAPE(" low, 32-bit pa", COP_HALF_LOW, 48, 32, 0),
	SHAPE(" high, 36-bit pa", COP_HALF_HIGH, 48, 36, 0), SHAPE(" low, 40-bit pa", COP_HALF_LOW, 48, 40, 0),
	SHAPE(" high, 42-bit pa", COP_HALF_HIGH, 48, 42, 0), SHAPE(" low, 44-bit pa", COP_HALF_LOW, 48, 44, 0),
	/* Every other size of the address space, in one half each. */
	LOW_WIDE(51), HIGH_WIDE(50), LOW_WIDE(49), HIGH(47), LOW(46), HIGH(45), LOW(44), HIGH(43), LOW(42), HIGH(41),
	LOW(40), HIGH(39), LOW(38), HIGH(37), LOW(36), HIGH(35), LOW(34), HIGH(33), LOW(32), HIGH(31), LOW(30),
	HIGH(29), LOW(28), HIGH(27), LOW(26), HIGH(25), LOW(24), HIGH(23), LOW(22), HIGH(21), LOW(20), HIGH(19),
	LOW(18), HIGH(17),
#if COPPICE_PAGE_LG2 != 16
	LOW(16), /* 64K: at least 17 */
#endif
};
const unsigned bare_geometry_count = sizeof(bare_geometries) / sizeof(bare_geometries[0]);
