/* SPDX-License-Identifier: MIT */
/*
 * s390x as judge: LOAD REAL ADDRESS says where an address leads, or which exception it would be; loads, stores and fetches
 * say what is protected (SA22-7832 chapter 3, "Dynamic Address Translation").
 *
 * The oracle's tables are the secondary and the home space. Code runs in the primary space, by the boot tables, so that
 * nothing of it depends on a format.
 */
#include "ports/bare/s390x/machine.h"
#include "tests/bare/oracle.h"

#define G(name_, levels_, features_, probes_)                                                                          \
	{                                                                                                              \
		"s390x " name_, {COP_S390X, COP_HALF_LOW, 12, levels_, (levels_)*11 + 9, 53, features_}, probes_       \
	}

const struct bare_geometry bare_geometries[] = {
	G("3 levels", 3, COP_F_IEP, 0), G("4 levels", 4, COP_F_IEP, 0), G("5 levels", 5, COP_F_IEP, 0),
	G("2 levels", 2, COP_F_IEP, 0), G("3 levels, no IEP", 3, 0, 0),
};
const unsigned bare_geometry_count = sizeof(bare_geometries) / sizeof(bare_geometries[0]);

const struct bare_access_kind bare_accesses[] = {{BARE_READ, 1}, {BARE_WRITE, 1}, {BARE_FETCH, 1}};
const unsigned bare_access_count = sizeof(bare_accesses) / sizeof(bare_accesses[0]);

cop_pa bare_target_start, bare_target_end;

#define TARGET_BYTES (16ULL << 20)
#define CELL         16ULL
/* lgfi %r2, number; svc 0 */
#define CODE(number) (0xc021ULL << 48 | (uint64_t)(number) << 16 | 0x0a00)

#define TELLS_UNTRIED COP_LG2(63)

/* The manual's positions, for what this machine does otherwise than a format has to. */
#define RAW_I        0x20ULL
#define RAW_PAGE_I   0x400ULL
#define RAW_PAGE_0   0x800ULL
#define RAW_IEP      0x100ULL
#define RAW_FC       0x400ULL
#define RAW_P        0x200ULL
#define RAW_TT       0x0cULL
#define RAW_TF_TL    0xc3ULL
#define RAW_REGION_0 0x900ULL /* must be zero, and are ignored */
#define RAW_SEGMENT  0x1c0ULL /* likewise */

uint64_t s390x_secondary_load(cop_va va, uint64_t unused);
uint64_t s390x_secondary_store(cop_va va, uint64_t value);
uint64_t s390x_secondary_lra(cop_va va, uint64_t cc);
uint64_t s390x_home_fetch(cop_va va, uint64_t mask);

/* The format's own idea, not of what software may, but of what hardware lets it do now. */
bool bare_s390x_storable(uint64_t entry, unsigned level);

static struct {
	const struct cop_geom *geom;
	cop_pa pages; /* the oracle's tables */
} now;

static bool in_target(cop_pa pa)
{
	return pa >= bare_target_start && pa < bare_target_end;
}

static void fill_target(void)
{
	for (cop_pa pa = bare_target_start; pa < bare_target_end; pa += CELL) {
		((uint64_t *)cop_phys(pa))[0] = CODE(pa / CELL);
		((uint64_t *)cop_phys(pa))[1] = 0;
	}
}

void bare_s390x_check_layout(const struct cop_geom *geom);

void bare_oracle_use(const struct cop_geom *geom, cop_pa root)
{
	const uint64_t asce = s390x_asce(geom, root), cr0 = s390x_cr0() & ~S390X_CR0_IEP;

	if (s390x_facility(FACILITY_EDAT1) || !s390x_facility(FACILITY_IEP))
		cop_panic("the geometries are written for a machine with IEP and without EDAT", NULL);
	bare_target_end = COP_ALIGN_DOWN(bare_ram_end, TARGET_BYTES);
	bare_target_start = bare_target_end - TARGET_BYTES;
	fill_target();
	now.geom = geom;
	now.pages = root - (geom->levels - 1ULL) * 65536;
	s390x_set_cr0(cr0 | (geom->features & COP_F_IEP ? S390X_CR0_IEP : 0));
	__asm__ volatile("lctlg 7, 7, %0" : : "S"(asce) : "memory");
	__asm__ volatile("lctlg 13, 13, %0" : : "S"(asce) : "memory");
	s390x_purge();
}

void bare_oracle_done(void)
{
	bare_s390x_check_layout(now.geom);
}

/* ---- what the manual says ---- */

/* TF and TL: first and last quarter that there is of the next table. The index of it is 11 bits; a quarter has 512. */
static bool in_quarters(uint64_t entry, unsigned level, cop_va va)
{
	const unsigned quarter = va >> (9 + 11 * (level - 1) + 9) & 3;

	return quarter >= (entry >> 6 & 3) && quarter <= (entry & 3);
}

/*
 * What a valid entry must not be. Where the manual says "must be zero" and no exception, the machine does not look; and FC
 * is such a bit while there is no EDAT. Tables that are not there in full are refused by the format only.
 */
uint8_t bare_reserved(const struct cop_geom *geom, uint64_t *entry, unsigned level, cop_va va)
{
	(void)geom;
	if (*entry & (level ? RAW_I : RAW_PAGE_I))
		return BARE_TRANSLATION;
	if (!level) {
		if (*entry & RAW_PAGE_0)
			return BARE_RESERVED;
		*entry &= ~RAW_IEP;
		return BARE_OK;
	}
	if ((*entry & RAW_TT) != (level - 1ULL) << 2)
		return BARE_RESERVED;
	if (level > 1 && !in_quarters(*entry, level, va))
		return BARE_ADDRESS_SIZE;
	if (level > 1)
		*entry = (*entry & ~RAW_TF_TL) | 3;
	*entry &= ~(RAW_FC | (level > 1 ? RAW_REGION_0 : RAW_SEGMENT));
	return BARE_OK;
}

/* P of a region-table entry belongs to EDAT. */
uint32_t bare_table_denies(const struct cop_geom *geom, uint64_t entry, unsigned level)
{
	(void)geom;
	return level == 1 && entry & RAW_P ? COP_WRITE : 0;
}

uint8_t bare_table_fault(const struct cop_geom *geom, uint64_t entry, unsigned level)
{
	(void)geom;
	(void)entry;
	(void)level;
	return BARE_OK;
}

/* Other memory than the oracle's tables changes while it is looked at. */
uint8_t bare_address_fault(const struct cop_geom *geom, cop_pa pa, bool table)
{
	(void)geom;
	if (!table || (pa >= now.pages && pa < now.pages + COP_MAX_LEVELS * 65536ULL))
		return BARE_OK;
	return pa >= bare_ram_end ? BARE_EXTERNAL : BARE_OTHER;
}

uint8_t bare_leaf_fault(const struct cop_geom *geom, uint64_t entry, unsigned level, uint32_t attrs, uint32_t denied,
			unsigned access)
{
	(void)geom;
	if (attrs & COP_PROTNONE || !(attrs & COP_YOUNG))
		return BARE_TRANSLATION;
	switch (access) {
	case BARE_WRITE:
		return !(denied & COP_WRITE) && bare_s390x_storable(entry, level) ? BARE_OK : BARE_PERMISSION;
	case BARE_FETCH:
		return attrs & COP_EXEC ? BARE_OK : BARE_PERMISSION;
	default:
		return attrs & COP_READ ? BARE_OK : BARE_PERMISSION;
	}
}

uint64_t bare_leaf_tells(const struct cop_geom *geom, uint64_t entry, unsigned level, uint32_t attrs)
{
	(void)geom;
	(void)entry;
	(void)level;
	(void)attrs;
	return 0;
}

bool bare_may_probe(const struct bare_outcome *expected, cop_va va, unsigned access)
{
	(void)va;
	if (expected->fault == BARE_OTHER)
		return false;
	return expected->fault != BARE_OK || access == BARE_READ || in_target(expected->pa);
}

bool bare_agree(const struct bare_outcome *expected, const struct bare_outcome *seen)
{
	if (seen->value == TELLS_UNTRIED)
		return true;
	/* Outside of the part that there is of a table: the exception is that table's. */
	if (expected->fault == BARE_ADDRESS_SIZE)
		return seen->fault == BARE_TRANSLATION && seen->level + 1 == expected->level;
	if (expected->fault != seen->fault)
		return false;
	if (expected->fault == BARE_OK)
		return expected->pa == seen->pa;
	return expected->fault != BARE_TRANSLATION || expected->level == seen->level;
}

/* ---- what the machine does ---- */

/* The answer of QEMU to every exception is condition code 3; the manual has 1 and 2 for two of them. */
static struct bare_outcome lra(cop_va va)
{
	struct bare_outcome out;
	uint32_t cc = 0;

	out = s390x_touch(s390x_secondary_lra, va, (uintptr_t)&cc);
	if (out.fault != BARE_OK)
		return out;
	if (cc == 3)
		return s390x_outcome(out.value & 0xffff);
	out.fault = cc ? BARE_OTHER : BARE_OK;
	out.pa = out.value;
	out.value = 0;
	return out;
}

/* The access itself, where what it leads to is prepared. Its exception is the same, or one that only it can have. */
static bool accessed(cop_va cell, unsigned access, cop_pa pa, struct bare_outcome *out)
{
	static uint64_t value = 1;
	uint64_t *behind = cop_phys(pa + 8);

	s390x_purge();
	switch (access) {
	case BARE_WRITE:
		*out = s390x_touch(s390x_secondary_store, cell + 8, ++value);
		if (out->fault != BARE_OK)
			return *behind == 0;
		if (*behind != value)
			return false;
		*behind = 0;
		return true;
	case BARE_FETCH:
		*out = s390x_touch(s390x_home_fetch, cell, PSW_64 | PSW_DAT | PSW_HOME);
		return out->fault != BARE_OK || out->value == pa / CELL;
	default:
		*out = s390x_touch(s390x_secondary_load, cell, 0);
		return out->fault != BARE_OK || out->value == CODE(pa / CELL);
	}
}

struct bare_outcome bare_probe(cop_va va, unsigned access)
{
	struct bare_outcome out = lra(va), same;

	if (out.fault != BARE_OK) {
		s390x_purge();
		same = s390x_touch(s390x_secondary_load, va, 0);
		if (same.fault != out.fault || same.level != out.level)
			out.fault = BARE_OTHER;
		return out;
	}
	if (!in_target(out.pa)) {
		/* Where there is no memory nothing can happen; what is the program's is left alone. */
		if (access == BARE_READ)
			return out;
		out.value = TELLS_UNTRIED;
		if (out.pa < bare_ram_end)
			return out;
		s390x_purge();
		return access == BARE_WRITE ? s390x_touch(s390x_secondary_store, va, 0)
					    : s390x_touch(s390x_home_fetch, va & ~1ULL, PSW_64 | PSW_DAT | PSW_HOME);
	}
	if (!accessed(va & ~(CELL - 1), access, out.pa & ~(CELL - 1), &same))
		out.fault = BARE_OTHER;
	else
		out.fault = same.fault;
	return out;
}
