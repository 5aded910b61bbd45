/* SPDX-License-Identifier: MIT */
/*
 * riscv64 as judge: from M mode, loads and stores as S or U mode makes them (mstatus.MPRV), and fetches that really go there.
 * The machine says whether, and by what is at the address, where to; not at which level a page fault arose, nor why.
 */
#include "ports/bare/riscv64/cpu.h"
#include "tests/bare/oracle.h"

#define TARGET_BYTES    (16ULL << 20)
#define TELLS_NOT_WHERE 1

cop_pa bare_target_start = 0x90000000, bare_target_end = 0x90000000 + TARGET_BYTES;

const struct bare_access_kind bare_accesses[] = {
	{BARE_READ, 1},
	{BARE_WRITE, 1},
	{BARE_READ | BARE_USER, 1},
	{BARE_WRITE | BARE_USER, 1},
	{BARE_FETCH, 2},
	{BARE_FETCH | BARE_USER, 2},
};
const unsigned bare_access_count = sizeof(bare_accesses) / sizeof(bare_accesses[0]);

#define SHAPE(name, va, features)                                                                                      \
	{                                                                                                              \
		name, {COP_RISCV64, COP_HALF_BOTH, 12, ((va)-12) / 9, va, 56, COP_F_ADUE | (features)}, 0              \
	}
#define SHAPES(name, va)                                                                                               \
	SHAPE("riscv64 " name, va, 0), SHAPE("riscv64 " name " Svnapot", va, COP_F_SVNAPOT),                           \
		SHAPE("riscv64 " name " Svpbmt", va, COP_F_SVPBMT),                                                    \
		SHAPE("riscv64 " name " Svnapot Svpbmt", va, COP_F_SVNAPOT | COP_F_SVPBMT)

const struct bare_geometry bare_geometries[] = {
	SHAPES("Sv39", 39),
	SHAPES("Sv48", 48),
	SHAPES("Sv57", 57),
};
const unsigned bare_geometry_count = sizeof(bare_geometries) / sizeof(bare_geometries[0]);

/* access.S */
extern const char bare_probe_back[];
uint64_t bare_probe_load(cop_va va, uint64_t mode);
void bare_probe_store(cop_va va, uint64_t mode, uint64_t value);
void bare_probe_fetch(cop_va va, uint64_t mode);

static uint64_t *word_at(cop_pa pa)
{
	return (uint64_t *)cop_phys(pa);
}

static bool in_target(cop_pa pa)
{
	return pa >= bare_target_start && pa < bare_target_end;
}

/* Every word is an EBREAK (C extension) and says where it is. */
static uint64_t stamp(cop_pa pa)
{
	return pa << 16 | 0x9002;
}

static void prepare_targets(void)
{
	static bool done;

	for (cop_pa pa = bare_target_start; !done && pa < bare_target_end; pa += 8)
		*word_at(pa) = stamp(pa);
	done = true;
}

bool bare_has(const struct cop_geom *geom)
{
	return geom->features == riscv_features();
}

void bare_riscv64_check_layout(const struct cop_geom *geom);

void bare_oracle_use(const struct cop_geom *geom, cop_pa root)
{
	bare_riscv64_check_layout(geom);
	prepare_targets();
	if (geom->features & COP_F_SVPBMT)
		__asm__ volatile("csrs 0x30a, %0" ::"r"(1ULL << 62)); /* menvcfg.PBMTE */
	SET_CSR(mstatus, STATUS_SUM);
	WRITE_CSR(satp, riscv_satp_of(geom, root, 0));
	if (READ_CSR(satp) != riscv_satp_of(geom, root, 0))
		cop_panic("the machine does not have this mode", geom);
}

void bare_oracle_done(void)
{
	WRITE_CSR(satp, 0);
}

/* ---- probes ---- */

#define NO_CAUSE (~0ULL)

static uint64_t load(cop_va va, uint64_t mode, struct bare_outcome *out)
{
	struct bare_cpu *self = bare_self();
	uint64_t value;

	self->scratch[0] = NO_CAUSE;
	self->scratch[1] = (uintptr_t)bare_probe_back;
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	value = bare_probe_load(va, mode);
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	self->scratch[1] = 0;
	if (cop_load(&self->scratch[0], relaxed) == NO_CAUSE)
		out->pa = value >> 16;
	else
		*out = bare_fault_of(self->scratch[0]);
	return value;
}

/* What can be stored to can be loaded from: what is there goes back with a mark, which shows at the address that it says. */
static void store(cop_va va, uint64_t mode, struct bare_outcome *out)
{
	struct bare_cpu *self = bare_self();
	struct bare_outcome read = {0};
	const uint64_t there = load(va, mode, &read), marked = there | COP_LG2(63);

	self->scratch[0] = NO_CAUSE;
	self->scratch[1] = (uintptr_t)bare_probe_back;
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	bare_probe_store(va, mode, marked);
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	self->scratch[1] = 0;
	if (cop_load(&self->scratch[0], relaxed) != NO_CAUSE) {
		*out = bare_fault_of(self->scratch[0]);
		return;
	}
	if (read.fault != BARE_OK || !in_target(read.pa) || *word_at(read.pa) != marked)
		return;
	*word_at(read.pa) = there;
	out->pa = read.pa;
}

static void fetch(cop_va va, uint64_t mode, struct bare_outcome *out)
{
	struct bare_cpu *self = bare_self();
	struct bare_outcome read = {0};

	self->scratch[1] = (uintptr_t)bare_probe_back;
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	bare_probe_fetch(va, mode);
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	self->scratch[1] = 0;
	if (cop_load(&self->scratch[0], relaxed) != CAUSE_BREAKPOINT) {
		*out = bare_fault_of(self->scratch[0]);
		return;
	}
	/* Where it ran a load tells, unless the page can only be run. */
	load(va, mode, &read);
	out->pa = read.pa;
	out->value = read.fault == BARE_OK ? 0 : TELLS_NOT_WHERE;
}

struct bare_outcome bare_probe(cop_va va, unsigned access)
{
	struct bare_outcome out = {.pa = COP_PA_NONE, .level = BARE_LEVEL_UNKNOWN};
	const uint64_t mode = access & BARE_USER ? 0 : MSTATUS_MPP_S;

	__asm__ volatile("sfence.vma" ::: "memory");
	switch (access & BARE_ACCESS_MASK) {
	case BARE_READ:
		load(va, mode, &out);
		break;
	case BARE_WRITE:
		store(va, mode, &out);
		break;
	default:
		fetch(va, mode, &out);
		break;
	}
	return out;
}

/* Into prepared memory, or where there is nothing at all; never into devices. */
bool bare_may_probe(const struct bare_outcome *expected, cop_va va, unsigned access)
{
	(void)va;
	(void)access;
	if (expected->fault == BARE_OTHER)
		return false;
	if (expected->fault == BARE_EXTERNAL)
		return expected->pa >= COP_LG2(40);
	return expected->fault != BARE_OK || in_target(expected->pa) || expected->pa >= COP_LG2(40);
}

bool bare_agree(const struct bare_outcome *expected, const struct bare_outcome *seen)
{
	if (expected->fault == BARE_OK && !in_target(expected->pa))
		return seen->fault == BARE_EXTERNAL;
	if (expected->fault == BARE_OK)
		return seen->fault == BARE_OK && (seen->pa == expected->pa || seen->value == TELLS_NOT_WHERE);
	/* QEMU 7.2 reports a table that cannot be read as a page fault, where the manual wants an access fault. */
	if (expected->fault == BARE_EXTERNAL)
		return seen->fault == BARE_EXTERNAL || seen->fault == BARE_TRANSLATION;
	return seen->fault == BARE_TRANSLATION;
}

/* ---- the manual's rules: "Virtual Address Translation Process" ---- */

uint8_t bare_reserved(const struct cop_geom *geom, uint64_t *entry, unsigned level, cop_va va)
{
	const bool napot = geom->features & COP_F_SVNAPOT, pbmt = geom->features & COP_F_SVPBMT;
	uint64_t ignored = 0;

	(void)va;
	/* With one of them QEMU 7.2 ignores bits 60:54, with Svpbmt type 3, and with it alone N. */
	if (napot || pbmt)
		ignored |= 0x7fULL << 54;
	if (pbmt && (*entry >> 61 & 3) == 3)
		ignored |= 3ULL << 61;
	if (pbmt && !napot)
		ignored |= 1ULL << 63;
	if ((*entry & 1) && cop_format_riscv64.kind(geom, *entry & ~ignored, level) != COP_BAD)
		return BARE_OTHER;
	return BARE_TRANSLATION;
}

uint32_t bare_table_denies(const struct cop_geom *geom, uint64_t entry, unsigned level)
{
	(void)geom;
	(void)entry;
	(void)level;
	return 0;
}

uint8_t bare_table_fault(const struct cop_geom *geom, uint64_t entry, unsigned level)
{
	(void)geom;
	(void)entry;
	(void)level;
	return BARE_OK;
}

uint8_t bare_address_fault(const struct cop_geom *geom, cop_pa pa, bool table)
{
	(void)geom;
	return table && (pa < BARE_RAM_BASE || pa >= bare_ram_end) ? BARE_EXTERNAL : BARE_OK;
}

/* SUM is set: S mode loads from and stores to what is the user's, and never runs it. */
uint8_t bare_leaf_fault(const struct cop_geom *geom, uint64_t entry, unsigned level, uint32_t attrs, uint32_t denied,
			unsigned access)
{
	static const uint32_t needs[] = {COP_READ, COP_WRITE, COP_EXEC};
	const unsigned what = access & BARE_ACCESS_MASK;
	const bool user = attrs & COP_USER;

	(void)geom;
	(void)entry;
	(void)level;
	(void)denied;
	if (attrs & COP_PROTNONE)
		return BARE_TRANSLATION;
	if (!(attrs & needs[what]) || ((access & BARE_USER) && !user))
		return BARE_PERMISSION;
	return what == BARE_FETCH && user && !(access & BARE_USER) ? BARE_PERMISSION : BARE_OK;
}

uint64_t bare_leaf_tells(const struct cop_geom *geom, uint64_t entry, unsigned level, uint32_t attrs)
{
	(void)geom;
	(void)entry;
	(void)level;
	(void)attrs;
	return 0;
}
