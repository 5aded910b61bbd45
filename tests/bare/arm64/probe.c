/* SPDX-License-Identifier: MIT */
/*
 * arm64 as judge: from EL2, AT S1E1R, S1E1W, S1E0R and S1E0W translate by the tables of EL1 and EL0, and PAR_EL1 says where
 * to, with what memory type, or why not (DDI 0487 D8.2.12). Fetches really go there, and come back by HVC.
 */
#include "ports/bare/arm64/cpu.h"
#include "tests/bare/oracle.h"

#define HVC_1         0xd4000022U
#define TARGET_BYTES  (16ULL << 20)
#define TELLS_NONE    (~0ULL)
#define TELLS_UNTRIED (~1ULL)

cop_pa bare_target_start = 0x50000000, bare_target_end = 0x50000000 + TARGET_BYTES;

/* Fetches cost a flush. */
const struct bare_access_kind bare_accesses[] = {
	{BARE_READ, 1},
	{BARE_WRITE, 1},
	{BARE_READ | BARE_USER, 1},
	{BARE_WRITE | BARE_USER, 1},
	{BARE_FETCH, 4},
	{BARE_FETCH | BARE_USER, 4},
};
const unsigned bare_access_count = sizeof(bare_accesses) / sizeof(bare_accesses[0]);

/* fetch.S, format.c */
extern const char bare_el1_vectors[], bare_fetch_back[];
uint64_t bare_at_s1e1r(cop_va va);
uint64_t bare_at_s1e1w(cop_va va);
uint64_t bare_at_s1e0r(cop_va va);
uint64_t bare_at_s1e0w(cop_va va);
void bare_fetch_at(cop_va va, uint64_t spsr);
bool bare_arm64_writable(const struct cop_geom *geom, uint64_t entry);

/* ---- the machine is made to look ---- */

/*
 * Of the half that is not under test: one table of pages, and in it EL1's vectors. By hand, so that a format that is wrong
 * does not keep the machine from telling.
 */
static struct {
	uint64_t entries[65536 / 8] __attribute__((aligned(65536)));
	struct cop_geom geom;
	cop_va vectors;
} other;

static void make_other(const struct cop_geom *geom)
{
	const bool wide = geom->features & COP_F_LPA2; /* TCR_EL1.DS is for both halves: no shareability in entries */

	other.geom = (struct cop_geom){.page_lg2 = geom->page_lg2,
				       .va_bits = (uint8_t)(2 * geom->page_lg2 - 3),
				       .half = geom->half == COP_HALF_LOW ? COP_HALF_HIGH : COP_HALF_LOW};
	other.vectors = (other.geom.half == COP_HALF_LOW ? 0 : ~0ULL << other.geom.va_bits) + COP_LG2(geom->page_lg2);
	/* Valid page, AF, inner shareable. */
	other.entries[1] = (uintptr_t)bare_el1_vectors | 0x403 | (wide ? 0 : 0x300);
}

static void prepare_targets(void)
{
	static bool done;

	if (!done)
		cop_fill64(cop_phys(bare_target_start), (uint64_t)HVC_1 << 32 | HVC_1, TARGET_BYTES);
	done = true;
}

#define HCR_RW (1ULL << 31)
#define SCTLR_EL1_ON                                                                                                   \
	(1ULL << 29 | 1ULL << 28 | 1ULL << 23 | 1ULL << 22 | 1ULL << 20 | 1ULL << 11 | 1ULL << 8 | 1ULL << 7 | 1ULL)

void bare_arm64_check_layout(const struct cop_geom *geom);

void bare_oracle_use(const struct cop_geom *geom, cop_pa root)
{
	const bool high = geom->half == COP_HALF_HIGH;

	bare_arm64_check_layout(geom);
	prepare_targets();
	make_other(geom);
	WRITE_SYSREG(hcr_el2, HCR_RW);
	WRITE_SYSREG(mair_el1, ARM64_MAIR);
	WRITE_SYSREG(tcr_el1, ARM64_TCR_BASE | ARM64_TCR_AS | arm64_tcr_of(geom) | arm64_tcr_of(&other.geom) |
				      arm64_ips_of(geom));
	WRITE_SYSREG(ttbr0_el1, arm64_ttbr_of(high ? (uintptr_t)other.entries : root, 0));
	WRITE_SYSREG(ttbr1_el1, arm64_ttbr_of(high ? root : (uintptr_t)other.entries, 0));
	WRITE_SYSREG(vbar_el1, other.vectors);
	WRITE_SYSREG(sctlr_el1, SCTLR_EL1_ON);
	__asm__ volatile("dsb sy\n\ttlbi vmalle1\n\tdsb sy\n\tisb" ::: "memory");
}

void bare_oracle_done(void)
{
}

/* ---- probes ---- */

static bool in_target(cop_pa pa)
{
	return pa >= bare_target_start && pa < bare_target_end;
}

static struct bare_outcome probe_data(cop_va va, unsigned access)
{
	struct bare_cpu *self = bare_self();
	struct bare_outcome out = {.pa = COP_PA_NONE, .level = BARE_LEVEL_UNKNOWN, .value = TELLS_NONE};
	uint64_t par;

	cop_store(&self->touching, 1U, relaxed);
	switch (access) {
	case BARE_READ:
		par = bare_at_s1e1r(va);
		break;
	case BARE_WRITE:
		par = bare_at_s1e1w(va);
		break;
	case BARE_READ | BARE_USER:
		par = bare_at_s1e0r(va);
		break;
	default:
		par = bare_at_s1e0w(va);
		break;
	}
	/* D8.2.12: an external abort on the walk is taken as an exception. */
	if (!cop_load(&self->touching, relaxed))
		return bare_fault_of(self->scratch[0]);
	cop_store(&self->touching, 0U, relaxed);
	if (par & 1)
		return bare_fault_of(par >> 1);
	out.pa = (par & (COP_LG2(52) - COP_LG2(12))) | (va & 0xfff);
	/* What is not cached is outer shareable whatever the entry says (QEMU tells what the entry says). */
	out.value = par >> 56 << 8 | (par >> 60 >= 15 ? par >> 7 & 3 : 0);
	return out;
}

/* Memory that is not prepared is never run: then nothing is tried. */
static struct bare_outcome probe_fetch(cop_va va, unsigned access)
{
	struct bare_cpu *self = bare_self();
	struct bare_outcome out = probe_data(va, BARE_READ);
	uint64_t esr;

	if (out.fault == BARE_OK && !in_target(out.pa) && out.pa >= bare_ram_start && out.pa < bare_ram_end) {
		out.value = TELLS_UNTRIED;
		return out;
	}
	__asm__ volatile("tlbi vmalle1\n\tdsb nsh\n\tisb" ::: "memory");
	self->scratch[1] = (uintptr_t)bare_fetch_back;
	bare_fetch_at(va, access & BARE_USER ? 0x3c0 : 0x3c5);
	self->scratch[1] = 0;
	/* EL1 says it itself by HVC #1; everything else goes by EL1's vectors. */
	esr = self->scratch[0];
	if ((esr & 0xffff) != 1) {
		esr = READ_SYSREG(esr_el1);
		if (esr >> 26 == 0x20 || esr >> 26 == 0x21)
			return bare_fault_of(esr);
	}
	return (struct bare_outcome){.pa = COP_PA_NONE, .level = BARE_LEVEL_UNKNOWN, .value = TELLS_NONE};
}

struct bare_outcome bare_probe(cop_va va, unsigned access)
{
	__asm__ volatile("dsb ishst\n\tisb" ::: "memory");
	if ((access & BARE_ACCESS_MASK) == BARE_FETCH)
		return probe_fetch(va, access);
	return probe_data(va, access);
}

/* Tables in flash or in a device: what is read there is nobody's to tell. */
bool bare_may_probe(const struct bare_outcome *expected, cop_va va, unsigned access)
{
	(void)va;
	if (expected->fault == BARE_OTHER)
		return false;
	if (expected->fault == BARE_EXTERNAL)
		return expected->pa >= COP_LG2(40);
	if ((access & BARE_ACCESS_MASK) == BARE_FETCH && expected->fault == BARE_OK)
		return in_target(expected->pa);
	return true;
}

bool bare_agree(const struct bare_outcome *expected, const struct bare_outcome *seen)
{
	if (seen->value == TELLS_UNTRIED)
		return true;
	if (expected->fault != seen->fault)
		return false;
	if (seen->fault != BARE_OK)
		return seen->level == BARE_LEVEL_UNKNOWN || seen->level == expected->level;
	if (seen->pa != COP_PA_NONE && seen->pa != expected->pa)
		return false;
	return seen->value == TELLS_NONE || seen->value == expected->value;
}

/* ---- the manual's rules ---- */

/* D8.3: what is reserved as 0 is ignored; level 3 has no blocks, and other levels those that the granule gives them. */
uint8_t bare_reserved(const struct cop_geom *geom, uint64_t *entry, unsigned level, cop_va va)
{
	(void)va;
	const struct cop_format *format = cop_format_for(COP_ARM64, geom->page_lg2);
	const bool page = *entry & 2, wide = geom->features & (COP_F_LPA | COP_F_LPA2);
	const unsigned low = page ? geom->page_lg2 : format->shift(level);
	uint64_t res0 = COP_LG2(low) - COP_LG2(12);

	if (!(*entry & 1) || (level == 0 && !page))
		return BARE_TRANSLATION;
	/* QEMU 7.2 takes a block for a block at any level, and aborts itself when one of level -1 has no AF. */
	if (!page && !format->can_leaf(geom, level))
		return BARE_OTHER;
	if (geom->page_lg2 == 16 && wide)
		res0 &= ~0xf000ULL;
	if (geom->page_lg2 == 16 || !wide)
		res0 |= 3ULL << 48;
	*entry &= ~res0;
	return BARE_OK;
}

/* D8.4.3 "Hierarchical control of data access permissions"; APTable, UXNTable, PXNTable. KEXEC: from the kernel. */
uint32_t bare_table_denies(const struct cop_geom *geom, uint64_t entry, unsigned level)
{
	(void)geom;
	(void)level;
	return (entry & 1ULL << 61 ? COP_READ : 0) | (entry & 1ULL << 62 ? COP_WRITE : 0) |
	       (entry & 1ULL << 60 ? COP_EXEC : 0) | (entry & 1ULL << 59 ? COP_KEXEC : 0);
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
	if (pa >> geom->pa_bits)
		return BARE_ADDRESS_SIZE;
	return table && (pa < bare_ram_start || pa >= bare_ram_end) ? BARE_EXTERNAL : BARE_OK;
}

/*
 * Writable now, or by hardware's leave (D8.5: DBM, unless a table forbids). Where dirty state is only software's the
 * format says "writable and dirty" of entries that hardware may or may not let through: those are asked bit for bit.
 */
static bool writable(const struct cop_geom *geom, uint64_t entry, uint32_t attrs, uint32_t denied)
{
	if (!(attrs & COP_WRITE) || (denied & COP_WRITE))
		return false;
	if (!(attrs & COP_DIRTY))
		return geom->features & COP_F_HD;
	return bare_arm64_writable(geom, entry);
}

/* D8.4: the kernel reads everything, executes nothing that the user may write. */
uint8_t bare_leaf_fault(const struct cop_geom *geom, uint64_t entry, unsigned level, uint32_t attrs, uint32_t denied,
			unsigned access)
{
	const bool user = (attrs & COP_USER) && (attrs & COP_READ) && !(denied & COP_READ);
	const bool user_exec = (attrs & COP_USER) && (attrs & COP_EXEC) && !(denied & COP_EXEC);
	const bool kernel_exec = attrs & (attrs & COP_USER ? COP_KEXEC : COP_EXEC) && !(denied & COP_KEXEC);
	const bool user_wrote = user && writable(&(struct cop_geom){0}, entry, attrs, denied);
	bool ok;

	(void)level;
	if (attrs & COP_PROTNONE)
		return BARE_TRANSLATION;
	if (!(attrs & COP_YOUNG) && !(geom->features & COP_F_HAF))
		return BARE_ACCESS_FLAG;
	switch (access) {
	case BARE_READ:
		ok = true;
		break;
	case BARE_WRITE:
		ok = writable(geom, entry, attrs, denied);
		break;
	case BARE_FETCH:
		ok = kernel_exec && !user_wrote;
		break;
	case BARE_READ | BARE_USER:
		ok = user;
		break;
	case BARE_WRITE | BARE_USER:
		ok = user && writable(geom, entry, attrs, denied);
		break;
	default:
		ok = user_exec;
		break;
	}
	return ok ? BARE_OK : BARE_PERMISSION;
}

static uint64_t field(const struct cop_geom *geom, uint64_t entry, unsigned level, const char *name, uint64_t none)
{
	unsigned count = 0;
	const struct cop_field *fields = cop_format_for(COP_ARM64, geom->page_lg2)->fields(geom, entry, level, &count);

	for (unsigned i = 0; i < count; i++)
		if (!__builtin_strcmp(fields[i].name, name))
			return entry >> fields[i].shift & (COP_LG2(fields[i].width) - 1);
	return none;
}

/* PAR_EL1.ATTR and, of cached memory, .SH (D17.2.103). What the library itself writes is inner shareable. */
uint64_t bare_leaf_tells(const struct cop_geom *geom, uint64_t entry, unsigned level, uint32_t attrs)
{
	const struct cop_format *format = cop_format_for(COP_ARM64, geom->page_lg2);
	uint64_t type;

	switch (attrs & COP_MT_MASK) {
	case COP_MT_NORMAL:
		type = 0xff;
		break;
	case COP_MT_TAGGED:
		type = 0xf0;
		break;
	case COP_MT_NC:
		return 0x44 << 8;
	case COP_MT_DEVICE_RE:
		return 0x04 << 8;
	default:
		return 0;
	}
	if ((geom->features & COP_F_LPA2) ||
	    entry == format->leaf(geom, format->leaf_pa(geom, entry, level), level, attrs))
		return type << 8 | 3;
	return type << 8 | field(geom, entry, level, "SH", 3);
}
